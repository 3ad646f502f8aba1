"""Cron texts: what they mean, and when they are due in a time zone.

Five fields (minute, hour, day of month, month, day of week) with lists, ranges, steps and English names, and the usual
aliases such as `@daily`. If both day fields are restricted (neither begins with `*`), either may match, as cron always
did. Where a zone changes its clocks:

- A text for every hour (hour field `*`) follows real time: it is due at each real minute whose wall time matches.
- Any other text follows the wall calendar: a wall time that is skipped is due once, at the first instant after the
  gap, and one that occurs twice is due once, at the first of the two. `Gap` and `Fold` say it otherwise.

Instants are seconds since the Unix epoch, UTC.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Literal, TypeAlias

import msgspec

from ..errors import DefinitionError
from .wall_time import instant_of, repeated_by, wall_of, zone_named

__all__ = ["Cron", "Crons", "Fold", "Gap", "due_on", "last_tick", "last_ticks", "next_after", "parse", "ticks_between"]


_HOUR = 3600.0
_LOOK_BACK = (_HOUR, 24 * _HOUR, 32 * 24 * _HOUR, 370 * 24 * _HOUR)


Gap: TypeAlias = Literal["after", "skip"]
"""What becomes of a wall time that a change of clocks skips: due at the first instant after the gap, or not at all."""

Fold: TypeAlias = Literal["first", "second", "both"]
"""At which of its two instants a wall time is due that a change of clocks repeats."""


class Cron(msgspec.Struct, frozen=True, kw_only=True):
    """A cron text that was read: the values of each field, ascending.

    `weekdays` are 0 (Sunday) to 6. `either_day` says that one matching day field is enough. `hourly` says that the text
    is due in every hour and so follows real time; `gap` and `fold` say what a change of clocks does to any other.
    """

    text: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    either_day: bool
    hourly: bool
    gap: Gap = "after"
    fold: Fold = "first"


Crons: TypeAlias = Cron | Sequence[Cron]
"""One text, or several of which each is due on its own."""


class _Field(msgspec.Struct, frozen=True):
    name: str
    low: int
    high: int
    words: Mapping[str, int] = {}


_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, start=1)}
_WEEKDAYS = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 7, _WEEKDAYS),
)
_ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_LONGEST_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_LONGEST_TEXT = 1000
_FARTHEST = 50  # years; 29 February on a given weekday may be 40 years away


def parse(text: str, *, gap: Gap = "after", fold: Fold = "first") -> Cron:
    """Read a cron text.

    Args:
        text: The five fields, or an alias.
        gap: See `Gap`.
        fold: See `Fold`.

    Raises:
        DefinitionError: It is not valid, or names a date that never comes; the message names field, value and range.
    """
    if len(text) > _LONGEST_TEXT:
        raise DefinitionError(f"A cron text of {len(text)} characters is too long; the limit is {_LONGEST_TEXT}.")
    plain = text.strip().lower()
    if plain.startswith("@") and plain not in _ALIASES:
        raise DefinitionError(f'The cron text "{text}" is no known alias; use one of {", ".join(_ALIASES)}.')
    parts = _ALIASES.get(plain, plain).split()
    if len(parts) != len(_FIELDS):
        raise DefinitionError(
            f'The cron text "{text}" has {len(parts)} fields instead of 5; '
            'give minute, hour, day of month, month and day of week, for example "30 4 * * 1-5".'
        )
    minutes, hours, days, months, weekdays = (
        _read_field(text, field, part) for field, part in zip(_FIELDS, parts, strict=True)
    )
    cron = Cron(
        text=text,
        minutes=minutes,
        hours=hours,
        days=days,
        months=months,
        weekdays=tuple(sorted({day % 7 for day in weekdays})),
        either_day=not parts[2].startswith("*") and not parts[4].startswith("*"),
        hourly=len(hours) == 24,
        gap=gap,
        fold=fold,
    )
    if not cron.either_day and not any(days[0] <= _LONGEST_MONTH[month - 1] for month in months):
        raise DefinitionError(f'The cron text "{text}" names a date that never comes; check day of month and month.')
    return cron


def next_after(cron: Crons, after: float, timezone: str) -> float:
    """The first instant after `after` at which the text (or one of the texts) is due.

    Args:
        cron: What `parse` read.
        after: Seconds since the epoch; the answer is greater.
        timezone: IANA name of the zone in which the text is meant.

    Raises:
        DefinitionError: The zone does not exist, or the text is not due within fifty years.
    """
    zone = zone_named(timezone)
    if not isinstance(cron, Cron):
        if not cron:
            raise DefinitionError("There is no cron text; give at least one.")
        return min(next_after(each, after, timezone) for each in cron)
    return float(_next_by_real_time(cron, after, zone) if cron.hourly else _next_by_calendar(cron, after, zone))


def ticks_between(cron: Crons, after: float, until: float, timezone: str) -> Iterator[float]:
    """Each instant at which the text is due, from the first one after `after` to the last one at or before `until`."""
    tick = next_after(cron, after, timezone)
    while tick <= until:
        yield tick
        tick = next_after(cron, tick, timezone)


def due_on(cron: Cron, day: datetime) -> bool:
    """Whether the text is due at some time of a day of the wall calendar."""
    if day.month not in cron.months:
        return False
    in_month = day.day in cron.days
    in_week = day.isoweekday() % 7 in cron.weekdays
    return in_month or in_week if cron.either_day else in_month and in_week


def last_tick(cron: Crons, until: float, timezone: str, *, after: float = -math.inf) -> float | None:
    """The last instant at or before `until`, and after `after`, at which the text is due; None if there was none."""
    latest = last_ticks(cron, until, timezone, after=after, count=1)
    return latest[0] if latest else None


def last_ticks(cron: Crons, until: float, timezone: str, *, after: float = -math.inf, count: int) -> list[float]:
    """The last `count` instants, ascending, at or before `until` and after `after`, at which the text is due; fewer if
    there were not so many.

    It looks back for a little more than a year. A short look comes first, so that a text that is due each minute does
    not walk through a year, and a yearly one is still found.
    """
    latest: deque[float] = deque(maxlen=count)
    for window in _LOOK_BACK:
        latest.clear()
        latest.extend(ticks_between(cron, max(until - window, after), until, timezone))
        if len(latest) == count or until - window <= after:
            break
    return list(latest)


def _next_by_calendar(cron: Cron, after: float, zone: tzinfo) -> int:
    if cron.fold == "both":
        return min(_next_reading(cron, after, zone, fold) for fold in (0, 1))
    return _next_reading(cron, after, zone, 0 if cron.fold == "first" else 1)


def _next_reading(cron: Cron, after: float, zone: tzinfo, fold: int) -> int:
    """The next instant, where a wall time that occurs twice means always the first (0) or always the second (1)."""
    # Then later wall times never mean earlier instants, so the first matching one whose instant is late enough is it.
    # In the first pass through a repeated stretch, all of the second pass is to come.
    wall = wall_of(after, zone)
    wall = (wall - repeated_by(wall, zone) * fold).replace(second=0, microsecond=0)
    while True:
        wall = _next_wall(cron, wall + timedelta(minutes=1))
        instant = instant_of(wall, zone, fold=fold)
        if instant > after and not (cron.gap == "skip" and wall_of(instant, zone) != wall):
            return instant


def _next_wall(cron: Cron, wall: datetime) -> datetime:
    """The first matching wall time at or after one."""
    day = _next_day(cron, wall)
    if day.date() == wall.date():
        at = bisect_left(cron.hours, wall.hour)
        if at < len(cron.hours) and cron.hours[at] == wall.hour:
            minute = bisect_left(cron.minutes, wall.minute)
            if minute < len(cron.minutes):
                return wall.replace(minute=cron.minutes[minute])
            at += 1
        if at < len(cron.hours):
            return wall.replace(hour=cron.hours[at], minute=cron.minutes[0])
        day = _next_day(cron, _midnight(wall) + timedelta(days=1))
    return day.replace(hour=cron.hours[0], minute=cron.minutes[0])


def _next_by_real_time(cron: Cron, after: float, zone: tzinfo) -> int:
    instant = int(after // 60) * 60 + 60
    while True:
        local = datetime.fromtimestamp(instant, zone)
        wall = local.replace(tzinfo=None, fold=0)
        day = _next_day(cron, wall)
        if day.date() != wall.date():
            # Where clocks go back over midnight, that day may have begun before this instant; then go on by the minute.
            instant = max(instant_of(day, zone), instant + 60)
            continue
        at = bisect_left(cron.minutes, wall.minute)
        found = at < len(cron.minutes)
        later = instant + ((cron.minutes[at] if found else 60) - wall.minute) * 60
        if datetime.fromtimestamp(later, zone).utcoffset() != local.utcoffset():
            # The clocks change on the way: look at each minute.
            if found and later == instant:
                return instant
            instant += 60
        elif found:
            return later
        else:
            instant = later


def _next_day(cron: Cron, wall: datetime) -> datetime:
    """Midnight of the first matching day on or after the day of a wall time."""
    day = _midnight(wall)
    last_year = day.year + _FARTHEST
    while day.year <= last_year:
        if day.month not in cron.months:
            day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        elif due_on(cron, day):
            return day
        else:
            day += timedelta(days=1)
    raise DefinitionError(
        f'The cron text "{cron.text}" is not due within {_FARTHEST} years; check its days and months.'
    )


def _midnight(wall: datetime) -> datetime:
    return wall.replace(hour=0, minute=0, second=0, microsecond=0)


def _read_field(text: str, field: _Field, part: str) -> tuple[int, ...]:
    values: set[int] = set()
    for item in part.split(","):
        span, slash, step_text = item.partition("/")
        first, dash, last = span.partition("-")
        if span == "*":
            start, stop = field.low, field.high
        elif dash:
            start, stop = _read_value(text, field, first), _read_value(text, field, last)
            if stop == 0 and start > 0 and field.words is _WEEKDAYS:
                stop = 7  # Friday to Sunday
        else:
            start = _read_value(text, field, first)
            stop = field.high if slash else start
        if start > stop:
            raise DefinitionError(
                f'{_where(text, field)} the range "{span}" runs backwards; write the lower value first.'
            )
        step = 1
        if slash:
            size = field.high - field.low + 1
            if not step_text.isdecimal() or not 1 <= int(step_text) <= size:
                raise DefinitionError(
                    f'{_where(text, field)} the step "{step_text}" is not valid; use a whole number from 1 to {size}.'
                )
            step = int(step_text)
        values.update(range(start, stop + 1, step))
    return tuple(sorted(values))


def _read_value(text: str, field: _Field, word: str) -> int:
    value = field.words.get(word)
    if value is None:
        value = int(word) if word.isascii() and word.isdecimal() else None
    if value is None or not field.low <= value <= field.high:
        words = f" or {' '.join(field.words)}" if field.words else ""
        raise DefinitionError(f'{_where(text, field)} "{word}" is not valid; use {field.low} to {field.high}{words}.')
    return value


def _where(text: str, field: _Field) -> str:
    return f'In the cron text "{text}", field {field.name}:'
