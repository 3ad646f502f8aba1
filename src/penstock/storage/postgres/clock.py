"""The time that counts for all hosts which share a database: the database's, wherever a host's own differs from it."""

from __future__ import annotations

from ...clock import SYSTEM_CLOCK, Clock

__all__ = ["TIME", "DatabaseClock"]

TIME = "SELECT EXTRACT(EPOCH FROM clock_timestamp())::float8"
"""Asks for what `DatabaseClock.tell` takes."""

_TOLERATED_SECONDS = 0.5
_SECONDS = 60.0
_SECONDS_IN_DOUBT = 5.0
_LONGEST_ANSWER = 0.5


class DatabaseClock:
    """This machine's clock for as long as it agrees with the database's to half a second, and else the database's.

    The database is asked once in a minute, or in five seconds while the two differ; in between its time is counted on
    by the clock that never goes back, so that a jump of this machine's own time changes nothing. A forked process goes
    on with what was known.

    Args:
        own: This machine's clock.
    """

    def __init__(self, own: Clock = SYSTEM_CLOCK) -> None:
        self._own = own
        self._told: tuple[float, float] | None = None  # the database's time, and ours that never goes back, at once

    def now(self) -> float:
        """Seconds since the Unix epoch, UTC; before the database was asked, as this machine has it."""
        told = self._told
        return self._own.now() if told is None or self._agrees(told) else self._theirs(told)

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""
        return self._own.monotonic()

    @property
    def skew(self) -> float | None:
        """By how many seconds this machine's clock is ahead of the database's; None before the database was asked."""
        return None if self._told is None else self._own.now() - self._theirs(self._told)

    def is_due(self) -> bool:
        """Whether the database should be asked now."""
        told = self._told
        if told is None:
            return True
        passed = self._own.monotonic() - told[1]
        return passed >= _SECONDS or (passed >= _SECONDS_IN_DOUBT and not self._agrees(told))

    def tell(self, theirs: float, *, asked: float) -> None:
        """Take the database's answer; one that took too long says nothing.

        Args:
            theirs: Its time, in seconds since the epoch.
            asked: When it was asked, on the clock that never goes back.
        """
        answered = self._own.monotonic()
        if answered - asked <= _LONGEST_ANSWER:
            self._told = theirs, (asked + answered) / 2

    def _theirs(self, told: tuple[float, float]) -> float:
        theirs, at = told
        return theirs + self._own.monotonic() - at

    def _agrees(self, told: tuple[float, float]) -> bool:
        return abs(self._own.now() - self._theirs(told)) <= _TOLERATED_SECONDS
