"""Wall time and instants: the policy for the hours that a change of clocks skips or repeats.

A wall time that the change skips means the first instant after the gap; one that occurs twice means the first of the
two, unless the second is asked for. Instants are seconds since the Unix epoch, UTC; wall times are datetimes without a
time zone.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Literal

from ..errors import DefinitionError

__all__ = ["change_at", "instant_of", "repeated_by", "short_text", "wall_of", "zone_named"]


@lru_cache(maxsize=256)
def zone_named(name: str) -> tzinfo:
    """The time zone of that IANA name.

    Raises:
        DefinitionError: There is no such zone; the message names the nearest one.
    """
    from zoneinfo import ZoneInfo, available_timezones  # only where there are times of zones

    try:
        return ZoneInfo(name)
    # A name that is a folder or leads out of the zone files fails as a file does.
    except (KeyError, ValueError, TypeError, OSError) as error:
        import difflib

        near = difflib.get_close_matches(str(name)[:64], sorted(available_timezones()), n=1, cutoff=0.5)
        remedy = f'did you mean "{near[0]}"?' if near else 'give an IANA name such as "Europe/Berlin".'
        raise DefinitionError(f"There is no time zone {name!r}; {remedy}") from error


def instant_of(wall: datetime, zone: tzinfo, *, fold: int = 0) -> int:
    """The instant of a wall time in whole seconds: after the gap if it is skipped, the first if it occurs twice, or the
    second with `fold` 1."""
    first = wall.replace(tzinfo=zone, fold=0)
    second = wall.replace(tzinfo=zone, fold=1)
    before, after = first.utcoffset(), second.utcoffset()
    assert before is not None
    assert after is not None
    if before >= after:
        return int((second if fold else first).timestamp())
    # In a gap: the change lies between the two readings of the wall time, and offsets differ on its two sides.
    low, high = int(second.timestamp()), int(first.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high


def repeated_by(wall: datetime, zone: tzinfo) -> timedelta:
    """How far apart the two instants of a wall time that occurs twice are; nothing for any other."""
    before = wall.replace(tzinfo=zone, fold=0).utcoffset()
    after = wall.replace(tzinfo=zone, fold=1).utcoffset()
    assert before is not None
    assert after is not None
    return max(before - after, timedelta())


def change_at(instant: float, zone: tzinfo) -> Literal["GAP", "FOLD"] | None:
    """Whether an instant is the first after a gap, or one of the two that have its wall time."""
    if repeated_by(wall_of(instant, zone), zone):
        return "FOLD"
    before, after = (datetime.fromtimestamp(at, zone).utcoffset() for at in (instant - 1, instant))
    assert before is not None
    assert after is not None
    return "GAP" if before < after else None


def wall_of(instant: float, zone: tzinfo) -> datetime:
    """The wall time at an instant."""
    return datetime.fromtimestamp(instant, zone).replace(tzinfo=None, fold=0)


def short_text(wall: str) -> str:
    """A wall time in ISO 8601 as people write it: `2013-01-01`, or `2013-01-01 06:30` where it is not midnight."""
    moment = datetime.fromisoformat(wall)
    return moment.date().isoformat() if moment == datetime.combine(moment, time.min) else f"{moment:%Y-%m-%d %H:%M}"
