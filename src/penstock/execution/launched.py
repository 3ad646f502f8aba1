"""Attempts of steps that a launcher runs: ordered, followed in the event log, looked after until they are gone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from ..engine.step_messages import Start
from ..errors import StorageError
from ..records.event import EngineNote, StepFailure, StepSuccess, StepUpForRetry, StepWorkerStarting
from ..storage.notifier import Subscription
from ..storage.protocols import Storage
from .driver import GRACE, Gone, Listener
from .loop import Loop
from .recorder import Recorder
from .scope import RunScope
from .step_launcher import StepCheck, StepLauncher
from .step_order import Elsewhere, StepOrder, lane_of

__all__ = ["LaunchedAttempts"]

_LOOK = 1.0
"""Seconds after which the log is read though nobody said that there is something new."""

_FIRST_CHECK = 0.05
_PAGE = 1000


class _Launched:
    """An attempt, and when its launcher is asked for it next."""

    __slots__ = ("check_at", "ended", "failure", "order", "pause", "stop")

    def __init__(self, order: StepOrder, check_at: float) -> None:
        self.order = order
        self.check_at = check_at
        self.pause = _FIRST_CHECK
        self.ended = False  # its end is in the log, so it is about to go
        self.stop: bool | None = None  # it was asked to stop; True: it is to be stopped by force
        self.failure: str | None = None  # why it could not be launched


class LaunchedAttempts:
    """Has each attempt run by a launcher, and follows what it writes into the log.

    Args:
        scope: The run; its environment has a storage.
        recorder: Takes the facts of the worker itself.
        launcher: Runs attempts.
        where: How they come to the code and the instance.
        storage: The log.
        pause: Waits so many seconds for what was killed to be gone.
    """

    def __init__(
        self,
        scope: RunScope,
        recorder: Recorder,
        launcher: StepLauncher,
        where: Elsewhere,
        storage: Storage,
        *,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._scope = scope
        self._recorder = recorder
        self._launcher = launcher
        self._where = where
        self._storage = storage
        self._pause = pause
        self._now = scope.environment.clock.monotonic
        self._launched: dict[str, _Launched] = {}
        self._lanes: dict[int, _Launched] = {}
        self._last_lane = 0
        self._seen = 0  # the last event that was read
        self._look_at = 0.0
        self._subscription: Subscription | None = None

    def begin(self, loop: Loop, listener: Listener) -> None:
        """Nothing runs yet."""
        self._loop, self._listener = loop, listener

    def start(self, start: Start) -> None:
        """Launch the attempt."""
        self._listen()
        self._recorder.emit(StepWorkerStarting(), start.step)
        self._recorder.flush()  # what it builds on must be in the storage
        self._last_lane += 1
        order = StepOrder(
            run=self._scope.run, start=start, lane=self._last_lane, where=self._where, retries=self._scope.retries
        )
        launched = _Launched(order, self._now() + self._launcher.interval)
        self._launched[start.step] = self._lanes[order.lane] = launched
        try:
            self._launcher.launch(order)
        except Exception as error:  # noqa: BLE001 - a launcher may be anybody's; the step tells why it failed
            launched.failure = f"could not launch the step: {type(error).__name__}: {error}"

    def ask_to_stop(self, step: str) -> None:
        """Terminate it."""
        self._stop(step, force=False)

    def kill(self, step: str) -> None:
        """Terminate it by force."""
        self._stop(step, force=True)

    def gone(self) -> Iterator[Gone]:
        """Attempts that run no more, once all that they wrote is read."""
        for step, launched in list(self._launched.items()):
            if launched.failure is not None:
                self._forget(step)
                yield Gone(step, None, f"The launcher {type(self._launcher).__name__}", launched.failure)
                continue
            if self._now() < launched.check_at:
                continue
            check = self._check(launched)
            if check is not None and not check.running:
                # What it wrote last is read after it has gone: a death is told only of what said nothing.
                if not self._follow():
                    launched.check_at = self._now() + _LOOK
                    continue
                self._forget(step)
                yield Gone(step, None, check.what, check.reason, out_of_memory=check.out_of_memory)
                continue
            self._check_later(launched)
            if check is not None and launched.stop is not None:
                self._terminate(launched)

    def leaving(self) -> bool:
        """Never: an attempt is over when what ran it is gone."""
        return False

    def close(self) -> None:
        """Terminate by force what still runs, and wait until it is gone."""
        until = self._now() + GRACE
        for step, launched in list(self._launched.items()):
            launched.stop = True
            self._terminate(launched)
            check = self._check(launched)
            while (check is None or check.running) and self._now() < until:
                self._pause(_FIRST_CHECK)
                check = self._check(launched)
            self._forget(step)
        if self._subscription is not None:
            self._loop.remove(self)
            self._subscription.close()
            self._subscription = None

    # -- as a watch ---------------------------------------------------------------------------------------------------

    def fileno(self) -> int:
        """Where it hears of changes of the storage."""
        return -1 if self._subscription is None else self._subscription.fileno()

    def due_in(self) -> float | None:
        """Seconds until the log is read, or a launcher asked, without a sign."""
        if not self._launched:
            return None
        if any(each.failure is not None for each in self._launched.values()):
            return 0.0
        polled = self._launcher.interval > 0
        checks = [each.check_at for each in self._launched.values() if polled or each.ended]
        return min([self._look_at, *checks]) - self._now()

    def attend(self) -> None:
        """Read the log, if there may be something new in it."""
        assert self._subscription is not None
        topics = self._subscription.wait(0.0)
        if f"run:{self._scope.run.run_id}" in topics or "*" in topics or self._now() >= self._look_at:
            self._follow()

    # -- the log ------------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        if self._subscription is None:
            self._subscription = self._storage.notifier.subscribe()
            self._look_at = self._now() + _LOOK
            self._loop.add(self)

    def _follow(self) -> bool:
        """Hear what attempts have written since the last time; False while the database is away."""
        self._look_at = self._now() + _LOOK
        while True:
            try:
                page = self._storage.events.of_run(self._scope.run.run_id, after=self._seen, limit=_PAGE)
            except StorageError:
                return False
            for stored in page:
                self._seen = stored.id
                launched = self._lanes.get(lane_of(stored.event.seq))
                if launched is None:
                    continue
                self._listener.hear(stored.event, stored=True)
                if isinstance(stored.event.fact, StepSuccess | StepFailure | StepUpForRetry) and not launched.ended:
                    launched.ended = True
                    launched.check_at = self._now()
            if len(page) < _PAGE:
                return True

    # -- the launcher -------------------------------------------------------------------------------------------------

    def _check(self, launched: _Launched) -> StepCheck | None:
        """What the launcher knows; None if it does not know now."""
        try:
            return self._launcher.check(launched.order)
        except Exception as error:  # noqa: BLE001 - whatever it is, the step may well be at work
            self._note(launched, "check", error)
            return None

    def _check_later(self, launched: _Launched) -> None:
        if launched.ended:
            launched.check_at = self._now() + launched.pause
            launched.pause = min(2 * launched.pause, max(_LOOK, self._launcher.interval))
        else:
            launched.check_at = self._now() + self._launcher.interval

    def _stop(self, step: str, *, force: bool) -> None:
        launched = self._launched.get(step)
        if launched is not None and launched.failure is None:
            launched.stop = force
            launched.ended = True  # it is about to go
            launched.check_at = self._now()
            self._terminate(launched)

    def _terminate(self, launched: _Launched) -> None:
        try:
            self._launcher.terminate(launched.order, force=bool(launched.stop))
        except Exception as error:  # noqa: BLE001 - it is asked again when it is checked next
            self._note(launched, "terminate", error)

    def _forget(self, step: str) -> None:
        launched = self._launched.pop(step)
        del self._lanes[launched.order.lane]
        try:
            self._launcher.forget(launched.order)
        except Exception as error:  # noqa: BLE001 - what is left there does no harm to the run
            self._note(launched, "remove what is left of", error)

    def _note(self, launched: _Launched, what: str, error: Exception) -> None:
        message = f"{type(self._launcher).__name__} could not {what} the step: {type(error).__name__}: {error}"
        self._recorder.emit(EngineNote(message=message), launched.order.start.step)
