"""What a storage can do about its own growth: say what it holds, and remove what is old in small steps.

Each call is one short transaction, so that whoever else writes never waits noticeably. What is removed is found by its
age alone, so a step that nobody finished is made again by the next one, whoever makes it.

Not every storage can do this; one that can has the property `retention`, and is `Retained`.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import msgspec

from ..records.retention import Kept, OldRuns, Removed, StorageCut

__all__ = ["COUNTED_EXACTLY", "MOST_COUNTED", "OldLog", "Retained", "Retention"]

MOST_COUNTED = 100_000
"""Where the counting of what is old stops."""

COUNTED_EXACTLY = 10_000
"""Up to how many rows are counted one by one; of more it is enough to know about how many there are."""


class OldLog(msgspec.Struct, frozen=True, kw_only=True):
    """A month of the event log that is over.

    Args:
        log: The month, as `storage/months.py` counts them.
        until: When it was over, in seconds since the epoch.
        rows: How many events it has; of many, about how many.
        bytes: About how large it is with its indexes; None where the database does not say.
        unended: How many of its runs have not ended, and take their logs along.
    """

    log: int
    until: float
    rows: int
    bytes: int | None
    unended: int


class Retention(Protocol):
    """What is old, and its removal."""

    def kept(self) -> list[Kept]:
        """What there is of events, runs, ticks, evaluations and acts, in this order; it costs the same with any
        history."""
        ...

    def old(self, cut: StorageCut | OldRuns) -> int:
        """How many events (about), ticks, evaluations, acts or runs a cut would remove; counting stops at
        `MOST_COUNTED`."""
        ...

    def remove(self, cut: StorageCut, *, at_most: int) -> Removed:
        """Remove about so many rows of what is old, the oldest first.

        What a run needs that has not ended stays: its own events, and those of the runs that it repeats. So do a tick
        that has not ended, the last tick of each schedule and sensor, and the last evaluation of each asset, check or
        job.
        """
        ...

    def old_runs(self, before: float, *, limit: int) -> list[str]:
        """The ids of runs that had ended before that time and that no run which has not ended repeats; those that ended
        first come first."""
        ...

    def shorten(self, run_id: str, *, at_most: int) -> int:
        """Remove so many of the oldest events of an ended run if it has more than that, so that its deletion is short;
        gives how many were removed."""
        ...


@runtime_checkable
class Retained(Protocol):
    """A storage that can remove what is old."""

    @property
    def retention(self) -> Retention: ...
