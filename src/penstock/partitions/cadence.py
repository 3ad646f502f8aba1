"""The four usual distances of time windows, and the cron texts that mean them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from ..errors import DefinitionError
from .cron import Cron, parse

__all__ = ["LAST_COMMON_DAY", "Cadence", "Regular", "cron_of", "regular"]


class Cadence(StrEnum):
    """How far apart the windows of a time-window set begin."""

    HOURLY = "HOURLY"
    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"


class Regular(NamedTuple):
    """Windows by one of the cadences; a day is that of the week (0 is Sunday) or of the month, and 0 otherwise."""

    cadence: Cadence
    minute: int
    hour: int
    day: int


LAST_COMMON_DAY = 28
"""The last day that every month has."""

_LIMITS: Mapping[Cadence, tuple[int, int, int]] = {
    # the greatest hour_offset, and the least and greatest day_offset
    Cadence.HOURLY: (0, 0, 0),
    Cadence.DAILY: (23, 0, 0),
    Cadence.WEEKLY: (23, 0, 6),
    Cadence.MONTHLY: (23, 1, 31),  # a month without that day has no window
}


def cron_of(cadence: Cadence, minute: int | None, hour: int | None, day: int | None) -> str:
    """The cron text of windows by a cadence; None is the earliest.

    Raises:
        DefinitionError: An offset is out of its range.
    """
    last_hour, first_day, last_day = _LIMITS[cadence]
    given = Regular(cadence, minute or 0, hour or 0, first_day if day is None else day)
    checks: tuple[tuple[str, object, int, int], ...] = (
        ("minute_offset", given.minute, 0, 59),
        ("hour_offset", given.hour, 0, last_hour),
        ("day_offset", given.day, first_day, last_day),
    )
    for name, value, low, high in checks:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            allowed = f"a whole number from {low} to {high}" if low < high else f"{low}"
            raise DefinitionError(f"{name} of {cadence.lower()} partitions must be {allowed}, not {value!r}.")
    match cadence:
        case Cadence.HOURLY:
            return f"{given.minute} * * * *"
        case Cadence.DAILY:
            return f"{given.minute} {given.hour} * * *"
        case Cadence.WEEKLY:
            return f"{given.minute} {given.hour} * * {given.day}"
        case Cadence.MONTHLY:
            return f"{given.minute} {given.hour} {given.day} * *"


def regular(text: str) -> Regular | None:
    """The cadence and offsets that a cron text means; None if it means none of the four."""
    cron = parse(text)
    every_day, every_weekday = len(cron.days) == 31, len(cron.weekdays) == 7
    if len(cron.minutes) != 1 or len(cron.months) != 12 or cron.either_day:
        return None
    (minute,) = cron.minutes
    if cron.hourly:
        return Regular(Cadence.HOURLY, minute, 0, 0) if every_day and every_weekday else None
    if len(cron.hours) != 1:
        return None
    return _by_day(cron, minute, every_day=every_day, every_weekday=every_weekday)


def _by_day(cron: Cron, minute: int, *, every_day: bool, every_weekday: bool) -> Regular | None:
    (hour,) = cron.hours
    if every_day and every_weekday:
        return Regular(Cadence.DAILY, minute, hour, 0)
    if every_day and len(cron.weekdays) == 1:
        return Regular(Cadence.WEEKLY, minute, hour, cron.weekdays[0])
    if every_weekday and len(cron.days) == 1:
        return Regular(Cadence.MONTHLY, minute, hour, cron.days[0])
    return None
