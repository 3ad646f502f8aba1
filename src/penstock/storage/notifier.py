"""The seam by which processes wake each other when something in the storage has changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

__all__ = ["ROUTINE", "Notifier", "Subscription"]

ROUTINE = "routine"
"""The topic of what only prolongs a lease or says that a process lives."""


class Subscription(Protocol):
    """One listener's queue of topics."""

    def wait(self, timeout: float | None) -> frozenset[str]:
        """Block until something is published or the timeout (seconds) is over; gives the topics, maybe none."""
        ...

    def fileno(self) -> int:
        """A descriptor that is readable when `wait(0)` would give something."""
        ...

    def close(self) -> None:
        """Stop listening."""
        ...


class Notifier(Protocol):
    """Wakes whoever waits, in any process on this database.

    Topics: `queue` (a run was queued or a place came free), `runs` (any run changed), `run:<id>` (new events of that
    run), `logs:<id>` (output of that run has grown or ended), `assets` (an asset's state changed), `ticks` (one began
    or ended), `instigators` (one was switched, planned or set by hand), `one_offs` (a one-off run was
    asked for, called off or made), `locations`, `processes`, `slots` (a slot of a
    pool may have come free), `pools` (limits, holders or waiters of pools changed). What only keeps a lease or says
    that a process still lives is published as `ROUTINE`, which nobody needs to act on: a listener that learns of
    changes by other means too can tell such a change from one that it missed.
    """

    def publish(self, topics: Iterable[str]) -> None:
        """Tell every listener; never blocks, never fails the caller."""
        ...

    def subscribe(self) -> Subscription:
        """Listen to all topics from now on."""
        ...
