"""What an import has carried over, and what not and why."""

from __future__ import annotations

from collections import Counter

import msgspec

__all__ = ["UNREADABLE", "Tally"]

UNREADABLE = (msgspec.MsgspecError, KeyError, TypeError, ValueError, AttributeError, IndexError, AssertionError)
"""What reading a broken row raises."""

_SHOWN = 20


class Tally:
    """Counts. `broken` are the first of the rows that could not be read, each with its place."""

    def __init__(self) -> None:
        self.runs_there = 0
        self.runs = 0
        self.runs_here = 0
        self.events = 0
        self.reports = 0
        self.ticks = 0
        self.switches = 0
        self.cursors = 0
        self.partitions = 0
        self.pools = 0
        self.left_out: Counter[str] = Counter()
        self.as_notes: Counter[str] = Counter()
        self.broken: list[str] = []
        self.broken_rows = 0

    def leave_out(self, why: str, count: int = 1) -> None:
        """Something was not carried over."""
        self.left_out[why] += count

    def note(self, what: str) -> None:
        """Something has no counterpart here, and was carried over in other words."""
        self.as_notes[what] += 1

    def unreadable(self, place: str, error: Exception) -> None:
        """A row could not be read."""
        self.broken_rows += 1
        if len(self.broken) < _SHOWN:
            self.broken.append(f"{place}: {type(error).__name__}: {error}")
