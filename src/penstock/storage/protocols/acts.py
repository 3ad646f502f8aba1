"""The seam of acts: what people did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from ...records.act import Act, ActKind

__all__ = ["EVERY_ACT", "ActFilter", "ActStorage"]


class ActFilter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which acts: those that match everything that is given.

    Args:
        subject: What they were done to.
        actor: Who did them.
        kinds: What was done.
        since: Done at that time or later, in seconds since the epoch.
    """

    subject: str | None = None
    actor: str | None = None
    kinds: tuple[ActKind, ...] | None = None
    since: float | None = None


EVERY_ACT = ActFilter()
"""What all acts match."""


class ActStorage(Protocol):
    """What people did. Each method of a storage that changes something for people stores the act in the same
    transaction, while somebody is `acting` (`storage/acting.py`)."""

    def page(self, where: ActFilter = EVERY_ACT, *, before: int | None = None, limit: int = 50) -> list[Act]:
        """Acts, the last one stored first, before the id `before`."""
        ...

    def add(self, acts: Sequence[Act]) -> None:
        """Store acts that change nothing in a storage."""
        ...
