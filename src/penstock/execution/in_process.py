"""The executor that runs all steps in this process, one after another."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ..engine.step_messages import Done, Start
from ..engine.steps import StepScheduler
from ..errors import ExecutionInterruptedError
from ..logs.store import log_key
from ..records.event import Fact
from .drive import Driven, fact_of
from .interrupt import INTERRUPTS
from .log import managed_loggers
from .log_keeping import capturing
from .recorder import Recorder
from .resources import OpenResources
from .scope import RunScope, specs_of
from .slots import slot_keeper
from .step import StepEnd, run_step

__all__ = ["InProcessExecution"]


class InProcessExecution:
    """Runs the steps of a run.

    Args:
        scope: The run.
        recorder: Takes its facts.
        fail_fast: Start nothing more once a step has failed.
        keep_values: Keep what steps give in `values`.
        pause: Waits so many seconds until a retry is due.

    Attributes:
        error: What the first failed step's user code raised.
        interruption: What interrupted the run, if it was asked to stop.
        values: (step, output, mapping key) -> the value given, if values are kept.
    """

    def __init__(
        self,
        scope: RunScope,
        recorder: Recorder,
        *,
        fail_fast: bool = False,
        keep_values: bool = False,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._scope = scope
        self._recorder = recorder
        self._fail_fast = fail_fast
        self._keep_values = keep_values
        self._pause = pause
        self._slots = slot_keeper(scope, recorder)
        pools_of = None if self._slots is None else self._slots.pools_of
        self._scheduler = StepScheduler(specs_of(scope.plan, pools_of), max_concurrent=1)
        self.error: BaseException | None = None
        self.interruption: BaseException | None = None
        self.values: dict[tuple[str, str, str | None], Any] = {}

    def run(self) -> Done:
        """Run all steps; gives how they came out.

        Raises:
            UserCodeError: A resource could not be set up.
            FencedError: The run's attempt is over.
        """
        scope, recorder = self._scope, self._recorder

        def emit(fact: Fact) -> None:
            recorder.emit(fact)

        used = frozenset[str]().union(*(scope.prepared(key).resource_keys for key in scope.plan.steps))
        with (
            managed_loggers(scope.environment.python_logs, emit),
            scope.open_resources(used, emit) as opened,
        ):
            try:
                return self._drive(opened)
            finally:
                if self._slots is not None:
                    self._slots.close()

    def _drive(self, opened: OpenResources) -> Done:
        now = self._scope.environment.clock.monotonic
        driven = Driven(self._recorder)
        driven.take(self._scheduler.begin(now(), self._scope.past))
        while driven.done is None:
            if self._slots is not None:
                driven.take(self._slots.claim(self._scheduler))
            if INTERRUPTS.requested and not self.interrupted:
                self._stop(driven, ExecutionInterruptedError("The run was asked to stop."))
            elif driven.starts:
                start = driven.starts.pop(0)
                end = self._attempt(start, opened)
                if isinstance(end.error, ExecutionInterruptedError | KeyboardInterrupt):
                    self._stop(driven, end.error)
                elif end.done.outcome == "failure":
                    self.error = self.error or end.error
                    if self._fail_fast:
                        driven.stop(self._scheduler, now())
                driven.take(self._scheduler.handle(fact_of(start.step, end.done, now()), now()))
            else:
                self._wait(driven)
        return driven.done

    def _attempt(self, start: Start, opened: OpenResources) -> StepEnd:
        if self._scope.plan.steps[start.spec].check_keys:
            self._recorder.flush()  # a check may look in the storage for what was made just now
        logs = self._scope.environment.logs
        if logs is None:
            end = run_step(self._scope, start, self._recorder, opened)
        else:
            key = log_key(self._scope.run.run_id, start.step)
            with capturing(logs, key, (start.step,), self._recorder) as marked:
                end = run_step(self._scope, start, marked, opened)
        if self._keep_values:
            for (output, mapping_key), value in end.values.items():
                self.values[start.step, output, mapping_key] = value
        return end

    @property
    def interrupted(self) -> bool:
        """Whether the run was asked to stop."""
        return self.interruption is not None

    def _stop(self, driven: Driven, interruption: BaseException) -> None:
        self.interruption = interruption
        driven.stop(self._scheduler, self._scope.environment.clock.monotonic())

    def _wait(self, driven: Driven) -> None:
        """Wait until a retry is due, or slots of pools may have come free."""
        now = self._scope.environment.clock.monotonic
        due = self._scheduler.next_due()
        for_slots = None if self._slots is None else self._slots.due_in()
        waits = [None if due is None else due - now(), for_slots]
        longest = min((max(0.0, each) for each in waits if each is not None), default=None)
        assert longest is not None, "nothing runs, nothing waits, and the scheduler is not done"
        try:
            with INTERRUPTS.user_code:
                if self._slots is None or for_slots is None:
                    self._pause(longest)
                else:
                    self._slots.wait(longest, self._pause)
        except (ExecutionInterruptedError, KeyboardInterrupt) as error:
            self._stop(driven, error)
        else:
            driven.take(self._scheduler.wake(now()))
