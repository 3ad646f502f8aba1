"""A clock that is moved by hand."""

from __future__ import annotations

__all__ = ["FakeClock"]


class FakeClock:
    """Tells the time that it was last set to.

    Args:
        now: Seconds since the Unix epoch, UTC.
    """

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now
        self._monotonic = 0.0

    def now(self) -> float:
        """Seconds since the Unix epoch, UTC."""
        return self._now

    def monotonic(self) -> float:
        """Seconds that have been passed by hand."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let time pass, on both clocks."""
        self._now += seconds
        self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        """Set the time of day forward or back, as an administrator does; no time passes."""
        self._now += seconds
