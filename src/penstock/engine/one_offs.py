"""Which one-off runs are to be made now, and which come too late."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from ..records.one_off import OneOff

__all__ = ["OneOffOutlook", "look_at_one_offs"]


class OneOffOutlook(msgspec.Struct, frozen=True, kw_only=True):
    """Those to make now, those that are too late, and when the next is due (None: when something changes)."""

    due: tuple[OneOff, ...]
    missed: tuple[OneOff, ...]
    next_look: float | None


def look_at_one_offs(waiting: Iterable[OneOff], now: float) -> OneOffOutlook:
    """Look at those that wait."""
    due, missed, looks = [], [], []
    for one_off in waiting:
        if one_off.due > now:
            looks.append(one_off.due)
        elif one_off.until < now:
            missed.append(one_off)
        else:
            due.append(one_off)
    return OneOffOutlook(due=tuple(due), missed=tuple(missed), next_look=min(looks, default=None))
