"""Runs the steps of a run by an executor of the user's own: what such an executor is given, and what is made of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from threading import Lock
from typing import Any

import msgspec

from ..definitions.executors import Executor, InitExecutorContext
from ..engine.step_messages import Done, Start
from ..engine.steps import StepScheduler
from ..errors import DefinitionError, ExecutionInterruptedError, UsageError
from ..plan.model import ExecutionPlan, Step
from ..records.errors import ErrorInfo
from ..records.event import Event, Fact, StepFailure, StepUpForRetry
from ..records.run import Run
from ..records.wire import StepDone
from .drive import Driven, fact_of
from .executor_choice import ExecutorChoice
from .interrupt import INTERRUPTS
from .log import ContextLogger, managed_loggers
from .recorder import Recorder
from .resources import OpenResources, set_up
from .scope import RunScope, specs_of
from .slots import slot_keeper
from .step import run_step, wait_by_policy
from .step_launcher import LaunchingExecutor

__all__ = ["PlanContext", "ReadyStep", "UserExecution", "make_executor"]


class ReadyStep(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt of a step that may run now.

    Args:
        key: The step's key in the run; of a mapped step with its mapping key.
        step: What the plan says of it.
        retry: 0 for the first attempt.
        mapping_key: Of a mapped step, its key.
    """

    key: str
    step: Step
    retry: int
    mapping_key: str | None
    start: Start


class PlanContext:
    """What an `Executor` works with: it gives the steps that may run, runs them, and records what happens.

    Its methods may be called from any thread. User code in another thread than the main one cannot be interrupted: a
    cancel waits for its end.

    Args:
        scope: The run.
        recorder: Takes its facts.
        opened: The resources of all steps.
        pause: Waits so many seconds until a retry is due.
        fail_fast: Raise what a step's user code raised.
    """

    def __init__(
        self,
        scope: RunScope,
        recorder: Recorder,
        opened: OpenResources,
        *,
        fail_fast: bool = False,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._scope = scope
        self._recorder = recorder
        self._opened = opened
        self._fail_fast = fail_fast
        self._pause = pause
        self._now = scope.environment.clock.monotonic
        self._slots = slot_keeper(scope, recorder)
        self._scheduler = StepScheduler(specs_of(scope.plan, None if self._slots is None else self._slots.pools_of))
        self._driven = Driven(recorder)
        self._lock = Lock()
        self._running: set[str] = set()
        self.log = ContextLogger(self.record, level=scope.environment.python_logs.level)
        self.errors: list[BaseException] = []
        self._driven.take(self._scheduler.begin(self._now(), scope.past))

    @property
    def run(self) -> Run:
        """The run."""
        return self._scope.run

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self._scope.run.run_id

    @property
    def job(self) -> Any:
        """The job's definition."""
        return self._scope.job

    @property
    def instance(self) -> Any:
        """The instance that the run is of; None if there is none."""
        return self._scope.environment.instance

    @property
    def plan(self) -> ExecutionPlan:
        """The plan, whose `steps` are by key."""
        return self._scope.plan

    @property
    def done(self) -> bool:
        """Whether nothing runs and nothing more will."""
        return self._driven.done is not None

    @property
    def outcome(self) -> Done | None:
        """How the steps came out, when nothing more will run."""
        return self._driven.done

    def ready(self) -> list[ReadyStep]:
        """The steps that may run now and were not given before. Each must be run, or its end be told."""
        with self._lock, INTERRUPTS.our_code:
            self._driven.take(self._scheduler.wake(self._now()))
            if self._slots is not None:
                self._driven.take(self._slots.claim(self._scheduler))
            starts, self._driven.starts = self._driven.starts, []
            self._running.update(start.step for start in starts)
        return [
            ReadyStep(
                key=start.step,
                step=self._scope.plan.steps[start.spec],
                retry=start.retry,
                mapping_key=start.mapping_key,
                start=start,
            )
            for start in starts
        ]

    def due_in(self) -> float | None:
        """Seconds until a retry is due, or slots of pools are looked for again; None when neither is waited for."""
        with self._lock:
            due = self._scheduler.next_due()
            for_slots = None if self._slots is None else self._slots.due_in()
        waits = [None if due is None else due - self._now(), for_slots]
        return min((max(0.0, each) for each in waits if each is not None), default=None)

    def steps(self) -> Iterator[ReadyStep]:
        """The steps one after another, until none is left: for an executor that runs one at a time.

        Raises:
            UsageError: A step that was given was not run.
        """
        while not self.done:
            ready = self.ready()
            for step in ready:
                if not self.done:
                    yield step
            if ready or self.done:
                continue
            if self._running:
                raise UsageError(
                    f"The executor asked for the next step but did not run {', '.join(sorted(self._running))}; call "
                    "run_step, succeeded or failed for each step that it is given."
                )
            if self._slots is None:
                self._pause(self.due_in() or 0.0)
            else:
                self._slots.wait(self.due_in() or 0.0, self._pause)

    def _close(self) -> None:
        """Wait for nothing more: the executor has ended."""
        if self._slots is not None:
            self._slots.close()

    def run_step(self, ready: ReadyStep) -> bool:
        """Run a step in this process and thread; gives whether it succeeded."""
        with INTERRUPTS.our_code:
            end = run_step(self._scope, ready.start, self._recorder, self._opened)
            if isinstance(end.error, ExecutionInterruptedError | KeyboardInterrupt):
                raise end.error
            if end.error is not None and end.done.outcome == "failure":
                self.errors.append(end.error)
            self._end(ready, end.done)
        return end.done.outcome == "success"

    def succeeded(self, ready: ReadyStep, outputs: Iterable[tuple[str, str | None]] = ()) -> None:
        """Tell that a step which ran elsewhere succeeded; its own events are `record`ed before.

        Args:
            ready: The step.
            outputs: What it gave: the name of each output, and its mapping key where the output is dynamic.
        """
        with INTERRUPTS.our_code:
            self._end(ready, StepDone(outcome="success", outputs=tuple(outputs)))

    def failed(self, ready: ReadyStep, message: str, cls: str = "StepFailed") -> bool:
        """Tell that a step which ran elsewhere failed; gives whether its policy lets it be tried again.

        Args:
            ready: The step.
            message: Why.
            cls: The kind of error.
        """
        error = ErrorInfo(cls=cls, message=message)
        wait = wait_by_policy(self._scope, ready.start)
        if wait is None:
            self.record(StepFailure(error=error), ready.key)
            done = StepDone(outcome="failure")
        else:
            self.record(StepUpForRetry(error=error, retry=ready.retry + 1, wait=wait), ready.key)
            done = StepDone(outcome="retry", wait=wait)
        with INTERRUPTS.our_code:
            self._end(ready, done)
        return wait is not None

    def record(self, fact: Fact | Event, step_key: str | None = None) -> None:
        """Record a fact about the run, or about a step; or an event that tells of whom and when."""
        with INTERRUPTS.our_code:
            if isinstance(fact, Event):
                self._recorder.emit(fact.fact, fact.step_key or step_key, fact.time)
            else:
                self._recorder.emit(fact, step_key)

    def _end(self, ready: ReadyStep, done: StepDone) -> None:
        with self._lock:
            now = self._now()
            self._running.discard(ready.key)
            if self._fail_fast and done.outcome == "failure":
                self._driven.stop(self._scheduler, now)
            self._driven.take(self._scheduler.handle(fact_of(ready.key, done, now), now))


class UserExecution:
    """Runs the steps of a run by a user's executor.

    Args:
        executor: The executor.
        scope: The run.
        recorder: Takes its facts.
        fail_fast: Start nothing more once a step has failed.

    Attributes:
        error: What the first failed step's user code raised.
    """

    def __init__(self, executor: Executor, scope: RunScope, recorder: Recorder, *, fail_fast: bool = False) -> None:
        self._executor = executor
        self._scope = scope
        self._recorder = recorder
        self._fail_fast = fail_fast
        self.error: BaseException | None = None

    @property
    def interrupted(self) -> bool:
        """Whether the run was asked to stop."""
        return INTERRUPTS.requested

    def run(self) -> Done:
        """Run all steps; gives how they came out.

        Raises:
            UserCodeError: A resource could not be set up.
            UsageError: The executor ended before its steps.
            FencedError: The run's attempt is over.
        """
        scope = self._scope

        def emit(fact: Fact) -> None:
            self._recorder.emit(fact)

        keys = frozenset().union(*(scope.prepared(key).resource_keys for key in scope.plan.steps))
        with (
            managed_loggers(scope.environment.python_logs, emit),
            set_up(
                keys,
                scope.resources,
                scope.config.resources,
                clock=scope.environment.clock,
                emit=emit,
                run=scope.run,
                instance=scope.environment.instance,
            ) as opened,
        ):
            context = PlanContext(scope, self._recorder, opened, fail_fast=self._fail_fast)
            try:
                with INTERRUPTS.user_code:
                    for fact in self._executor.execute(context, scope.plan) or ():
                        context.record(fact)
            finally:
                context._close()
            self.error = next(iter(context.errors), None)
            if context.outcome is None:
                raise UsageError(
                    f"The executor {type(self._executor).__qualname__} ended before the steps of the run had; let it "
                    "run each step that plan_context.ready() gives, until plan_context.done."
                )
            return context.outcome


def make_executor(choice: ExecutorChoice, scope: RunScope) -> Executor | LaunchingExecutor | None:
    """The user's own executor that a run names; None if it names one of ours.

    Raises:
        DefinitionError: Its function gives something else.
    """
    definition = choice.definition
    if definition.executor_creation_fn is None:
        return None
    made = definition.executor_creation_fn(
        InitExecutorContext(scope.job, definition, choice.config, scope.environment.instance)
    )
    if not isinstance(made, Executor | LaunchingExecutor):
        raise DefinitionError(
            f'The executor "{definition.name}" gave {made!r}; its function returns an instance of an Executor class, '
            "or a LaunchingExecutor."
        )
    return made
