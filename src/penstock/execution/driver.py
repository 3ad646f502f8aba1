"""Drives the steps of a run that run elsewhere: the scheduler says what goes next, attempts are started and followed.

It knows nothing of how an attempt runs: that is behind `Attempts`. What is the same for all of them is here: stopping,
timeouts, retries, and what is told of an attempt that ends without a word.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from ..engine.limits import TagLimit
from ..engine.step_messages import Done, Start
from ..engine.steps import StepScheduler
from ..records.errors import ErrorInfo
from ..records.event import (
    Event,
    StepFailure,
    StepOutput,
    StepRestarted,
    StepStart,
    StepSuccess,
    StepUpForRetry,
)
from ..records.step_figures import StepFigures
from ..records.wire import StepDone
from .drive import Driven, fact_of
from .interrupt import INTERRUPTS
from .loop import Loop, Watch
from .recorder import Recorder
from .scope import RunScope, specs_of
from .slots import slot_keeper
from .step import wait_by_policy

__all__ = ["GRACE", "LEAVING", "STORING", "Attempts", "Driver", "Gone", "Listener"]

GRACE = 8.0
"""Seconds that steps have to end after they were asked to; then they are killed. The code server waits a little longer
before it kills the whole worker."""


STORING = 0.005
"""Seconds within which the ends of steps are not stored twice: what ends within them is stored with what ends after
them, since the next steps come up then, or after twice the time."""

LEAVING = 0.05
"""Seconds by which that is put off for what is about to go: a process of gigabytes takes longer."""


class Gone(msgspec.Struct, frozen=True):
    """An attempt is over where it ran.

    Args:
        step: Whose attempt.
        done: How the step did, where it could say so to the end.
        where: What ran it, such as `The process 12 of the step`.
        how: How that ended, as the rest of a sentence.
        figures: What it used, where it could not say so itself.
        out_of_memory: Whether the kernel killed it because memory ran out.
    """

    step: str
    done: StepDone | None = None
    where: str = ""
    how: str = ""
    figures: StepFigures | None = None
    out_of_memory: bool = False


class Listener(Protocol):
    """Hears what attempts say."""

    def hear(self, event: Event, *, stored: bool = False) -> None:
        """An attempt has told an event; `stored` says that it is in the log already."""
        ...


class Attempts(Protocol):
    """Where attempts of steps run. A step has one attempt at a time."""

    def begin(self, loop: Loop, listener: Listener) -> None:
        """The run begins: what wants attention is added to `loop`, what attempts say goes to `listener`."""
        ...

    def start(self, start: Start) -> None:
        """Start an attempt. Should that fail, it is `gone`."""
        ...

    def ask_to_stop(self, step: str) -> None:
        """Ask the step's attempt to end, if it still runs."""
        ...

    def kill(self, step: str) -> None:
        """End the step's attempt by force, if it still runs."""
        ...

    def gone(self) -> Iterable[Gone]:
        """The attempts that are over and were not given before, once all that they said was heard."""
        ...

    def leaving(self) -> bool:
        """Whether something of attempts that are over is still there, and is about to go by itself."""
        ...

    def close(self) -> None:
        """End by force what still runs, and keep nothing."""
        ...


class _Attempt:
    """An attempt as its driver sees it."""

    __slots__ = ("done", "kill_at", "outputs", "overdue", "start")

    def __init__(self, start: Start) -> None:
        self.start = start
        self.outputs: list[tuple[str, str | None]] = []
        self.kill_at: float | None = None  # it should have stopped itself long before
        self.overdue = False
        self.done: StepDone | None = None  # as its facts say, should it not come to say it itself


class Driver:
    """Runs the steps of a run, each attempt elsewhere.

    It must run in the main thread, since it takes the signals of the process.

    Args:
        scope: The run.
        recorder: Takes its facts.
        attempts: Where attempts run.
        relay: Takes what attempts have told, which they have written to loggers; `recorder` if not given.
        max_concurrent: How many steps run at once; None for as many as there are CPUs.
        tag_limits: Limits on steps with certain tags.
        watches: What else to attend to.

    Attributes:
        interrupted: Whether the run was asked to stop.
        error: None: what user code raised stays where the steps ran.
    """

    def __init__(
        self,
        scope: RunScope,
        recorder: Recorder,
        attempts: Attempts,
        *,
        relay: Recorder | None = None,
        max_concurrent: int | None = None,
        tag_limits: Sequence[TagLimit] = (),
        watches: Sequence[Watch] = (),
    ) -> None:
        self._scope = scope
        self._recorder = recorder
        self._relay = relay or recorder
        self._where = attempts
        self._watches = watches
        self._now = scope.environment.clock.monotonic
        self._slots = slot_keeper(scope, recorder)
        self._scheduler = StepScheduler(
            specs_of(scope.plan, None if self._slots is None else self._slots.pools_of),
            max_concurrent=max_concurrent or os.cpu_count() or 1,
            tag_limits=tag_limits,
        )
        self._driven = Driven(recorder)
        self._attempts: dict[str, _Attempt] = {}
        self._kill_at: float | None = None
        self._stored = self._now() - STORING
        self._store_at: float | None = None  # when the ends of steps that are not stored yet are to be
        self.interrupted = False
        self.error: BaseException | None = None

    def run(self) -> Done:
        """Run all steps; gives how they came out.

        Raises:
            FencedError: The run's attempt is over; no attempt of a step runs any more.
        """
        with Loop() as loop:
            for watch in self._watches:
                loop.add(watch)
            self._where.begin(loop, self)
            if self._slots is not None:
                self._slots.begin(loop)
            try:
                return self._drive(loop)
            finally:
                self._where.close()
                if self._slots is not None:
                    self._slots.close()

    def _drive(self, loop: Loop) -> Done:
        driven, now = self._driven, self._now
        driven.take(self._scheduler.begin(now(), self._scope.past))
        while True:
            self._heed()
            if self._slots is not None:
                driven.take(self._slots.claim(self._scheduler))
            while driven.starts:
                self._start(driven.starts.pop(0))
                self._heed()  # the start may have taken long
            if driven.done is not None and not self._waits_for_the_leaving():
                return driven.done
            store_at = self._storing_due()
            if store_at is not None and now() >= store_at:
                # Only now: the next steps come up while the ends of the last ones are being stored.
                self._recorder.flush()
                self._stored, self._store_at = now(), None
            loop.wait(self._due_in())
            self._heed()
            for gone in self._where.gone():
                self._finish(gone)
            self._kill_late()
            driven.take(self._scheduler.wake(now()))

    def _heed(self) -> None:
        """Stop the steps once that is asked for."""
        if self.interrupted or not INTERRUPTS.requested:
            return
        self.interrupted = True
        self._driven.stop(self._scheduler, self._now())
        for step in self._attempts:
            self._where.ask_to_stop(step)
        self._kill_at = self._now() + GRACE

    def _due_in(self) -> float | None:
        """Seconds until a retry is due, an attempt is to be killed, or ends of steps are to be stored."""
        dues = [
            self._scheduler.next_due(),
            self._kill_at,
            self._storing_due(),
            *(each.kill_at for each in self._attempts.values()),
        ]
        due = min((each for each in dues if each is not None), default=None)
        return None if due is None else due - self._now()

    def _waits_for_the_leaving(self) -> bool:
        """Whether something is about to go by itself: what it has left on purpose lives on, which it would not if it
        were ended by force. After an interrupt it has as long as steps have."""
        return self._where.leaving() and (not self.interrupted or self._kill_at is not None)

    def _storing_due(self) -> float | None:
        """When ends of steps are to be stored: not while others wait for what leaves, unless that takes long."""
        return self._store_at + LEAVING if self._store_at is not None and self._where.leaving() else self._store_at

    def _kill_late(self) -> None:
        now = self._now()
        if self._kill_at is not None and now >= self._kill_at:
            self._kill_at = None
            for step in self._attempts:
                self._where.kill(step)
        for step, attempt in self._attempts.items():
            if attempt.kill_at is not None and now >= attempt.kill_at:
                attempt.kill_at = None
                attempt.overdue = True
                self._where.kill(step)

    # -- one attempt --------------------------------------------------------------------------------------------------

    def _start(self, start: Start) -> None:
        """Start what the scheduler says may start: the one place where a step that is ready could be held back."""
        if self._scope.prepared(start.spec).step.check_keys:
            self._recorder.flush()  # a check may look in the storage for what was made just now
        self._attempts[start.step] = _Attempt(start)
        self._where.start(start)

    def hear(self, event: Event, *, stored: bool = False) -> None:
        """Take what an attempt has told: the one place where facts of steps arrive."""
        if not stored:
            self._relay.emit(event.fact, event.step_key, event.time)
        attempt = self._attempts.get(event.step_key or "")
        if attempt is None:
            return
        match event.fact:
            case StepOutput(output=output, mapping_key=mapping_key):
                attempt.outputs.append((output, mapping_key))
            case StepSuccess():
                attempt.done = StepDone(outcome="success", outputs=tuple(attempt.outputs))
            case StepUpForRetry(wait=wait):
                attempt.done = StepDone(outcome="retry", wait=wait)
            case StepStart() | StepRestarted():
                timeout = self._scope.prepared(attempt.start.spec).step.timeout
                attempt.kill_at = None if timeout is None else self._now() + timeout + GRACE
            case StepFailure():
                attempt.done = StepDone(outcome="failure")

    def _finish(self, gone: Gone) -> None:
        attempt = self._attempts.pop(gone.step)
        done = gone.done or attempt.done or self._tell_death(attempt, gone)
        now = self._now()
        if now - self._stored >= STORING:
            self._store_at = now
        elif self._store_at is None:
            self._store_at = self._stored + 2 * STORING
        self._driven.take(self._scheduler.handle(fact_of(gone.step, done, now), now))

    def _tell_death(self, attempt: _Attempt, gone: Gone) -> StepDone:
        """An attempt ended without saying how its step did: it has failed, and its policy may allow another."""
        start = attempt.start
        if self.interrupted:
            message = f"{gone.where} was stopped with the run."
            wait, source = None, "INTERRUPT"
        elif attempt.overdue:
            timeout = self._scope.prepared(start.spec).step.timeout
            message = f"{gone.where} was killed: it did not stop within {GRACE:g} s after its timeout of {timeout:g} s."
            wait, source = wait_by_policy(self._scope, start), "USER_CODE_ERROR"
        else:
            message = f"{gone.where} {gone.how}"
            wait, source = wait_by_policy(self._scope, start), "UNEXPECTED_ERROR"
        cls = "StepTimeoutError" if attempt.overdue else "StepOutOfMemory" if gone.out_of_memory else "StepProcessEnded"
        error = ErrorInfo(cls=cls, message=message)
        figures = None if gone.figures is None else msgspec.structs.replace(gone.figures, queued=start.queued)
        if wait is None:
            self._recorder.emit(StepFailure(error=error, source=source, figures=figures), start.step)
            return StepDone(outcome="failure")
        retry = start.retry + 1
        self._recorder.emit(StepUpForRetry(error=error, retry=retry, wait=wait, figures=figures), start.step)
        return StepDone(outcome="retry", wait=wait)
