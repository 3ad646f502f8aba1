"""Which one-off runs are to be made now, and which come too late."""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec

from ..errors import UsageError
from ..records.one_off import OneOff

__all__ = ["OneOffOutlook", "check_times", "look_at_one_offs"]


class OneOffOutlook(msgspec.Struct, frozen=True, kw_only=True):
    """Those to make now, those that are too late, and when the next is due (None: when something changes)."""

    due: tuple[OneOff, ...]
    missed: tuple[OneOff, ...]
    next_look: float | None


def check_times(one_off: OneOff, now: float) -> None:
    """Refuse a one-off run that could not be made.

    Raises:
        UsageError: It is due in the past, or ends before it is due.
    """
    if not now < one_off.due <= one_off.until < math.inf:
        raise UsageError(
            f"The run is asked for at {one_off.due:g} and no later than {one_off.until:g} (seconds since the epoch), "
            f"and it is {now:.0f} now; give a time to come, and an end that is not before it."
        )


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
