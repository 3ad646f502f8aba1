"""Where an execution's facts go: the seam, and the recorder that keeps them in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ..clock import Clock
from ..records.event import Event, Fact
from ..storage.writer import EventWriter

__all__ = ["MemoryRecorder", "Recorder", "TeeRecorder"]


class Recorder(Protocol):
    """Takes facts in the order in which they happen. The batched event writer of `storage` is one."""

    def emit(self, fact: Fact, step_key: str | None = None, time: float | None = None) -> object:
        """Take a fact; `time` (seconds since the epoch) is now if not given."""
        ...

    def flush(self) -> object:
        """Return when all facts taken so far are where they shall stay."""
        ...


class MemoryRecorder:
    """Keeps events in a list."""

    def __init__(self, clock: Clock) -> None:
        self.events: list[Event] = []
        self._now: Callable[[], float] = clock.now

    def emit(self, fact: Fact, step_key: str | None = None, time: float | None = None) -> None:
        """Take a fact."""
        self.events.append(Event(time=self._now() if time is None else time, fact=fact, step_key=step_key))

    def flush(self) -> None:
        """Nothing to do: they are where they stay."""


class TeeRecorder:
    """Passes facts on to the event log, and keeps the events that they become there."""

    def __init__(self, onward: EventWriter) -> None:
        self.events: list[Event] = []
        self._onward = onward

    def emit(self, fact: Fact, step_key: str | None = None, time: float | None = None) -> None:
        """Take a fact."""
        self.events.append(self._onward.emit(fact, step_key, time))

    def flush(self) -> None:
        """Return when the facts passed on are where they shall stay."""
        self._onward.flush()
