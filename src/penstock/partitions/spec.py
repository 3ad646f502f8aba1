"""Partition sets as records: what a code location's description carries and all arithmetic starts from."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

import msgspec

__all__ = ["Cadence", "DynamicSpec", "PartitionsSpec", "StaticSpec", "TimeWindowSpec"]


class Cadence(StrEnum):
    """How far apart the windows of a time-window set begin."""

    HOURLY = "HOURLY"
    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"


class StaticSpec(msgspec.Struct, frozen=True, kw_only=True, tag="static"):
    """A fixed list of keys, in order."""

    keys: tuple[str, ...]


class TimeWindowSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="time_window"):
    """One key for each window of time.

    Args:
        cadence: How far apart windows begin.
        start: Wall time, ISO 8601 without a zone: the first window is the first one that begins at or after it.
        end: Wall time likewise: no window ends after it. None for no end.
        timezone: IANA name of the zone of all wall times.
        fmt: How a key is written, in the words of `datetime.strftime`, from the wall time of the window's beginning.
        end_offset: By how many windows the last key lies after (or, negative, before) the last complete window.
        minute_offset: Minute of the hour at which windows begin.
        hour_offset: Hour of the day at which windows begin; 0 for hourly ones.
        day_offset: Weekly: day of the week, 0 is Sunday. Monthly: day of the month, 1 to 28. Otherwise 0.
    """

    cadence: Cadence
    start: str
    fmt: str
    end: str | None = None
    timezone: str = "UTC"
    end_offset: int = 0
    minute_offset: int = 0
    hour_offset: int = 0
    day_offset: int = 0


class DynamicSpec(msgspec.Struct, frozen=True, kw_only=True, tag="dynamic"):
    """Keys that are added and removed at run time, kept in storage under a name."""

    name: str


PartitionsSpec: TypeAlias = StaticSpec | TimeWindowSpec | DynamicSpec
