"""Code servers that do not answer: nothing is asked of them for a while, and then one thing, until they answer again.

Otherwise everything that waits for a code server would ask for it every other second, and write down each time that it
was in vain.
"""

from __future__ import annotations

import threading

import msgspec

from ..clock import Clock
from ..locations.catalog import Catalog

__all__ = ["FIRST_REST", "TAKEN_SECONDS", "Rests"]

FIRST_REST = 2.0
"""Seconds for which nothing is asked after the first time; each further rest is twice as long."""

_LONGEST_REST = 10.0

TAKEN_SECONDS = 6.0
"""Who asks finds out sooner than after so many seconds if nobody is there (`locations/client.py: Timeouts`); so whoever
still waits then waits for user code, which may hang."""


class _Rest(msgspec.Struct, kw_only=True):
    """`told` is when the code server had last told of itself; once it has done so again, the rest is over."""

    told: float | None
    until: float
    seconds: float = FIRST_REST
    trying: bool = False


class Rests:
    """Which code locations rest; safe to share between threads.

    Args:
        catalog: The code locations.
        clock: Measures the rests.
    """

    def __init__(self, catalog: Catalog, clock: Clock) -> None:
        self._catalog = catalog
        self._clock = clock
        self._rests: dict[str, _Rest] = {}
        self._lock = threading.Lock()

    def resting(self) -> set[str]:
        """The locations of which nothing is asked now."""
        with self._lock:
            now = self._clock.monotonic()
            return {name for name in tuple(self._rests) if (rest := self._of(name)) is not None and now < rest.until}

    def may_ask(self, location: str) -> bool:
        """Whether something may be asked of a location. After a rest that holds for the first who wants to: the others
        wait for what becomes of it, but not for long."""
        with self._lock:
            rest, now = self._of(location), self._clock.monotonic()
            if rest is None:
                return True
            if now < rest.until:
                return False
            if rest.trying:
                del self._rests[location]
            else:
                rest.until, rest.trying = now + TAKEN_SECONDS, True
            return True

    def begin(self, location: str) -> None:
        """It does not answer."""
        with self._lock:
            rest, now = self._of(location), self._clock.monotonic()
            if rest is None:
                self._rests[location] = _Rest(told=self._told(location), until=now + FIRST_REST)
            elif rest.trying:  # else it was asked before the rest began
                rest.seconds, rest.trying = min(2 * rest.seconds, _LONGEST_REST), False
                rest.until = now + rest.seconds

    def end(self, location: str) -> None:
        """It has answered."""
        with self._lock:
            self._rests.pop(location, None)

    def _of(self, location: str) -> _Rest | None:
        rest = self._rests.get(location)
        if rest is not None and rest.told != self._told(location):
            del self._rests[location]
            return None
        return rest

    def _told(self, location: str) -> float | None:
        entry = self._catalog.locations.get(location)
        return None if entry is None else entry.stored.updated
