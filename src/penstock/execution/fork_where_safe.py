"""Attempts in forks, and where a fork would not be safe, in fresh processes; in the worker itself as a last resort."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from ..engine.step_messages import Start
from ..records.event import EngineNote
from .child import attempt_alone
from .driver import Attempts, Gone, Listener
from .fork_safety import reason_not_to_fork
from .launched import LaunchedAttempts
from .loop import Loop
from .meter import Meter
from .recorder import Recorder
from .scope import RunScope

__all__ = ["ForkedWhereSafe"]


class Forks(Attempts, Protocol):
    """Runs attempts in forks of this process."""

    def will_fork(self) -> bool:
        """Whether the next attempt needs a new process."""
        ...


class ForkedWhereSafe:
    """Looks before each attempt whether the run worker may be forked.

    Args:
        scope: The run.
        recorder: Takes the facts of the worker itself.
        forks: Where attempts run if it may.
        fresh: Where they run if it may not; None if no other process can come to the run's code and instance.
    """

    def __init__(self, scope: RunScope, recorder: Recorder, forks: Forks, fresh: LaunchedAttempts | None) -> None:
        self._scope = scope
        self._recorder = recorder
        self._forks = forks
        self._fresh = fresh
        self._all: tuple[Attempts, ...] = (forks,) if fresh is None else (forks, fresh)
        self._ran_here: list[Gone] = []

    def begin(self, loop: Loop, listener: Listener) -> None:
        """Nothing runs yet."""
        for each in self._all:
            each.begin(loop, listener)
        loop.add(self)

    def start(self, start: Start) -> None:
        """Start the attempt where it may run."""
        reason = reason_not_to_fork() if self._forks.will_fork() else None
        if reason is None:
            self._forks.start(start)
            return
        where = "the run's own process" if self._fresh is None else "a process that was not forked"
        note = f"Step {start.step} runs in {where}, since a fork of the run's process would not be safe: {reason}."
        self._recorder.emit(EngineNote(message=note), start.step)
        if self._fresh is not None:
            self._fresh.start(start)
            return
        meter = Meter(self._scope.environment.clock.monotonic, start.queued)
        self._ran_here.append(Gone(start.step, attempt_alone(self._scope, start, self._recorder, meter)))

    def ask_to_stop(self, step: str) -> None:
        """Ask the attempt to end, wherever it runs."""
        for each in self._all:
            each.ask_to_stop(step)

    def kill(self, step: str) -> None:
        """End the attempt by force, wherever it runs."""
        for each in self._all:
            each.kill(step)

    def gone(self) -> Iterator[Gone]:
        """The attempts that are over."""
        ran_here, self._ran_here = self._ran_here, []
        yield from ran_here
        for each in self._all:
            yield from each.gone()

    def leaving(self) -> bool:
        """Whether something of attempts that are over is still there."""
        return any(each.leaving() for each in self._all)

    def close(self) -> None:
        """End by force what still runs."""
        for each in self._all:
            each.close()

    def fileno(self) -> int:
        """None."""
        return -1

    def due_in(self) -> float | None:
        """At once where an attempt ran here and is over."""
        return 0.0 if self._ran_here else None

    def attend(self) -> None:
        """Nothing to do: whoever waits looks for what is gone."""
