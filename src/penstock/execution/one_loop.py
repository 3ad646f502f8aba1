"""The executor that runs the coroutines of a run's steps together, in one event loop.

Everything else of a step (loading inputs, storing outputs, and the function itself where it is a plain one) runs in a
thread of the step's own, so that it holds up no coroutine. Of plain functions one runs at a time: they need know
nothing of threads.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from msgspec.structs import replace

from ..definitions.function import CallForm
from ..engine.limits import TagLimit
from ..engine.step_messages import Done, Start, StepSpec
from ..engine.steps import StepScheduler
from ..errors import ExecutionInterruptedError
from ..logs.store import log_key
from ..records.event import Fact, LogsCaptured
from .coroutines import StepCoroutines
from .drive import Driven, fact_of
from .interrupt import INTERRUPTS
from .log import managed_loggers
from .log_keeping import capturing
from .loop import Watch
from .recorder import Recorder
from .resources import OpenResources
from .scope import RunScope, specs_of
from .slots import slot_keeper
from .step import StepEnd, overtime, run_step

__all__ = ["MOST_AT_ONCE", "OUTPUT", "OneLoopExecution"]

MOST_AT_ONCE = 100
"""How many steps run at once where the config does not say it."""

OUTPUT = "run-output"
"""What stands for a step key where the output of the whole run is captured; no step has a hyphen in its key."""

_PLAIN = "(plain function)"


class OneLoopExecution:
    """Runs the steps of a run.

    It must run in the main thread of a process for signals to reach it.

    Args:
        scope: The run.
        recorder: Takes its facts, from any thread.
        max_concurrent: How many steps run at once; None for `MOST_AT_ONCE`.
        tag_limits: Limits on steps with certain tags.
        fail_fast: Start nothing more once a step has failed.

    Attributes:
        error: What the first failed step's user code raised.
        interruption: What interrupted the run, if it was asked to stop.
    """

    def __init__(
        self,
        scope: RunScope,
        recorder: Recorder,
        *,
        max_concurrent: int | None = None,
        tag_limits: Sequence[TagLimit] = (),
        fail_fast: bool = False,
    ) -> None:
        self._scope = scope
        self._recorder = recorder
        self._fail_fast = fail_fast
        self._most = max_concurrent or MOST_AT_ONCE
        self._slots = slot_keeper(scope, recorder)
        self._scheduler = StepScheduler(
            [self._spec(each) for each in specs_of(scope.plan, None if self._slots is None else self._slots.pools_of)],
            max_concurrent=self._most,
            tag_limits=(*tag_limits, TagLimit(key=_PLAIN, limit=1)),
        )
        self._driven = Driven(recorder)
        self._now = scope.environment.clock.monotonic
        self._output = log_key(scope.run.run_id, OUTPUT)
        self._coroutines: dict[str, StepCoroutines] = {}
        self.error: BaseException | None = None
        self.interruption: BaseException | None = None

    @property
    def interrupted(self) -> bool:
        """Whether the run was asked to stop."""
        return self.interruption is not None

    def run(self) -> Done:
        """Run all steps; gives how they came out.

        Raises:
            UserCodeError: A resource could not be set up.
            FencedError: The run's attempt is over.
        """
        scope = self._scope
        logs, steps = scope.environment.logs, tuple(scope.plan.steps)
        used = frozenset[str]().union(*(scope.prepared(key).resource_keys for key in scope.plan.steps))
        # Descriptors are the process's, so nobody can tell whose output it is: it is captured in one place.
        with capturing(logs, self._output, steps, self._recorder) as self._recorder:

            def emit(fact: Fact) -> None:
                self._recorder.emit(fact)

            with (
                managed_loggers(scope.environment.python_logs, emit),
                scope.open_resources(used, emit) as opened,
            ):
                return asyncio.run(self._drive(opened))

    def _spec(self, spec: StepSpec) -> StepSpec:
        """The step as the scheduler sees it, marked where its function is a plain one."""
        form = self._scope.plan.steps[spec.key].op.function.form
        if form in (CallForm.ASYNC, CallForm.ASYNC_GENERATOR):
            return spec
        return replace(spec, tags={**spec.tags, _PLAIN: "yes"})

    async def _drive(self, opened: OpenResources) -> Done:
        driven, now = self._driven, self._now
        driven.take(self._scheduler.begin(now(), self._scope.past))
        running: dict[asyncio.Task[StepEnd], Start] = {}
        with ThreadPoolExecutor(self._most, thread_name_prefix="penstock-step") as threads, _signs() as signs:
            if self._slots is not None:
                self._slots.begin(signs)
            try:
                while driven.done is None:
                    signs.seen.clear()
                    if INTERRUPTS.requested and not self.interrupted:
                        self._stop(ExecutionInterruptedError("The run was asked to stop."))
                    if self._slots is not None:
                        driven.take(self._slots.claim(self._scheduler))
                    while driven.starts:
                        start = driven.starts.pop(0)
                        running[asyncio.create_task(self._attempt(start, opened, threads))] = start
                    for task in await self._first_of(running, signs.seen):
                        self._finish(running.pop(task), task.result())
                    driven.take(self._scheduler.wake(now()))
            except asyncio.CancelledError as error:  # Ctrl-C, in a program of the user's own
                self._stop(error)
                raise
            finally:
                self._stop_coroutines()
                await asyncio.gather(*running, return_exceptions=True)
                if self._slots is not None:
                    self._slots.close()
        return driven.done

    async def _first_of(
        self, running: dict[asyncio.Task[StepEnd], Start], sign: asyncio.Event
    ) -> set[asyncio.Task[StepEnd]]:
        """Wait until an attempt has ended, time has come for something, or there is a sign; gives what has ended."""
        if self._driven.done is not None:
            return set()
        retry = self._scheduler.next_due()
        dues = [None if retry is None else retry - self._now(), None if self._slots is None else self._slots.due_in()]
        timeout = min((max(0.0, each) for each in dues if each is not None), default=None)
        signed = asyncio.create_task(sign.wait())
        try:
            await asyncio.wait({*running, signed}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            signed.cancel()
        return {task for task in running if task.done()}

    # -- one attempt --------------------------------------------------------------------------------------------------

    async def _attempt(self, start: Start, opened: OpenResources, threads: ThreadPoolExecutor) -> StepEnd:
        scope, recorder = self._scope, self._recorder
        step = scope.plan.steps[start.spec]
        loop = asyncio.get_running_loop()
        coroutines = self._coroutines[start.step] = StepCoroutines(loop, step.timeout, partial(overtime, step))

        def run() -> StepEnd:
            if step.check_keys:
                recorder.flush()  # a check may look in the storage for what was made just now
            if start.mapping_key is not None and scope.environment.logs is not None:
                recorder.emit(LogsCaptured(log_key=self._output, steps=(start.step,)), start.step)
            return run_step(scope, start, recorder, opened, coroutines=coroutines)

        try:
            return await loop.run_in_executor(threads, run)
        finally:
            del self._coroutines[start.step]

    def _finish(self, start: Start, end: StepEnd) -> None:
        now = self._now()
        if end.done.outcome == "failure" and not isinstance(end.error, ExecutionInterruptedError):
            self.error = self.error or end.error
            if self._fail_fast:
                self._driven.stop(self._scheduler, now)
        self._driven.take(self._scheduler.handle(fact_of(start.step, end.done, now), now))

    def _stop(self, interruption: BaseException) -> None:
        self.interruption = interruption
        self._driven.stop(self._scheduler, self._now())
        self._stop_coroutines()

    def _stop_coroutines(self) -> None:
        for each in self._coroutines.values():
            each.stop()


class _Signs:
    """What wakes the loop that follows attempts, beside their ends; it attends to watches in the running loop.

    Attributes:
        seen: Set when there was one.
    """

    def __init__(self) -> None:
        self.seen = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def add(self, watch: Watch) -> None:
        """Attend to a watch from now on."""
        self._loop.add_reader(watch.fileno(), self._attend, watch)

    def remove(self, watch: Watch) -> None:
        """Attend to a watch no more; before its descriptor is closed."""
        self._loop.remove_reader(watch.fileno())

    def tell(self) -> None:
        """There is one: from any thread, or the handler of a signal."""
        self._loop.call_soon_threadsafe(self.seen.set)

    def _attend(self, watch: Watch) -> None:
        watch.attend()
        self.seen.set()


@contextlib.contextmanager
def _signs() -> Iterator[_Signs]:
    """Signs of the running loop; that this process is asked to stop is one."""
    signs = _Signs()
    with INTERRUPTS.told(signs.tell):
        yield signs
