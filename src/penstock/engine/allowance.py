"""How often something may happen: so many times a second on average, and a few more at once."""

from __future__ import annotations

__all__ = ["Allowance"]


class Allowance:
    """What is left of it.

    Args:
        rate: How many times a second.
        burst: How many times at once, after a time without any.
    """

    def __init__(self, *, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._at = 0.0

    def take(self, now: float) -> float:
        """Use it once, at this time of a monotonic clock, in seconds; gives 0, or the seconds until it may be used."""
        self._left = min(self._burst, self._left + max(0.0, now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return (1 - self._left) / self._rate
        self._left -= 1
        return 0.0
