"""Time-window partition sets as users declare them: hourly, daily, weekly, monthly, or by a cron text."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from ..errors import DefinitionError
from .cadence import LAST_COMMON_DAY, Cadence, Regular, cron_of, regular
from .definition import PartitionsDefinition, position_of
from .loading import seconds
from .spec import TimeWindowSpec
from .time_space import TimeSpace, open_time_space
from .wall_time import instant_of, zone_named

__all__ = [
    "DailyPartitionsDefinition",
    "Exclusion",
    "HourlyPartitionsDefinition",
    "MonthlyPartitionsDefinition",
    "TimeWindow",
    "TimeWindowPartitionsDefinition",
    "WeeklyPartitionsDefinition",
]

_DATE = "%Y-%m-%d"
_HOUR = "%Y-%m-%d-%H:%M"
_CHECKED = (0, 1, 2, 3, 40, 41)  # positions at which keys are tried


class TimeWindow(NamedTuple):
    """A stretch of time: `start` belongs to it, `end` does not. Both are datetimes with a time zone.

    Args:
        start: The first moment.
        end: The first moment after it.
    """

    start: datetime
    end: datetime


Exclusion: TypeAlias = str | datetime | TimeWindow
"""What names windows to leave out: a cron text, the moment at which one begins, or a stretch in which they begin."""


class TimeWindowPartitionsDefinition(PartitionsDefinition):
    """One partition for each window of time; a key exists once its window has ended.

    Args:
        start: The first window is the first one that begins at or after it: a datetime, or a text as `fmt` writes it.
            A datetime without a time zone is wall time in `timezone`.
        fmt: How a key is written, as `datetime.strftime` takes it; it must tell any two windows apart.
        end: No window ends after it; same forms as `start`. None for no end.
        schedule_type: How far apart windows begin.
        timezone: IANA name; without it, that of `start`, or UTC.
        end_offset: By how many windows the last key lies after (or, negative, before) the last complete window.
        minute_offset: Minute of the hour at which windows begin.
        hour_offset: Hour of the day at which windows begin (not for hourly windows).
        day_offset: Weekly: day of the week, 0 is Sunday. Monthly: day of the month, 1 to 28.
        cron_schedule: In place of `schedule_type` and the offsets: a cron text, for example `0 9,17 * * 1-5`. A window
            begins when it is due and ends when it is next due.
        exclusions: Windows to leave out: those that begin when a cron text is due, at a datetime, or within a
            `TimeWindow`.

    Raises:
        DefinitionError: An argument is not valid; the message names it.
    """

    def __init__(
        self,
        start: datetime | str,
        fmt: str,
        end: datetime | str | None = None,
        schedule_type: Cadence | None = None,
        timezone: str | None = None,
        end_offset: int = 0,
        minute_offset: int | None = None,
        hour_offset: int | None = None,
        day_offset: int | None = None,
        cron_schedule: str | None = None,
        exclusions: Sequence[Exclusion] | None = None,
    ) -> None:
        offsets = (minute_offset, hour_offset, day_offset)
        if cron_schedule is not None:
            if schedule_type is not None or offsets != (None, None, None):
                raise DefinitionError("Give either cron_schedule or schedule_type with its offsets, not both.")
            cron = _plain_cron(cron_schedule)
        elif schedule_type is None:
            raise DefinitionError("A time-window partition set needs a schedule_type or a cron_schedule.")
        else:
            cron = cron_of(schedule_type, *offsets)
        zone = timezone or _zone_of(start) or "UTC"
        zone_named(zone)
        self._exclusions = None if exclusions is None else tuple(exclusions)
        self._spec = TimeWindowSpec(
            cron=cron,
            start=_wall_text("start", start, fmt),
            fmt=fmt,
            end=None if end is None else _wall_text("end", end, fmt),
            timezone=zone,
            end_offset=end_offset,
            excluded_crons=tuple(_plain_cron(each) for each in exclusions or () if isinstance(each, str)),
            excluded_times=tuple(_stretch(each, zone) for each in exclusions or () if not isinstance(each, str)),
        )
        if self._spec.end is not None and self._spec.end <= self._spec.start:
            raise DefinitionError(
                f"The partitions end at {end!r}, which is not after their start {start!r}; change one of them."
            )
        _check_format(self._spec)

    @property
    def spec(self) -> TimeWindowSpec:
        """The set as a record."""
        return self._spec

    @property
    def time_space(self) -> TimeSpace:
        """The set's positions, keys and windows."""
        return open_time_space(self._spec)

    @property
    def schedule_type(self) -> Cadence | None:
        """How far apart windows begin, if it is one of the four usual distances."""
        found = regular(self._spec.cron)
        return None if found is None else found.cadence

    @property
    def start(self) -> datetime:
        """Where the set begins, with its time zone."""
        return datetime.fromisoformat(self._spec.start).replace(tzinfo=zone_named(self._spec.timezone))

    @property
    def end(self) -> datetime | None:
        """Where the set ends, with its time zone."""
        end = self._spec.end
        return None if end is None else datetime.fromisoformat(end).replace(tzinfo=zone_named(self._spec.timezone))

    @property
    def timezone(self) -> str:
        """The zone's name."""
        return self._spec.timezone

    @property
    def fmt(self) -> str:
        """How a key is written."""
        return self._spec.fmt

    @property
    def end_offset(self) -> int:
        """By how many windows the last key lies after the last complete window."""
        return self._spec.end_offset

    @property
    def minute_offset(self) -> int:
        """Minute of the hour at which windows begin."""
        return self._regular("minute_offset").minute

    @property
    def hour_offset(self) -> int:
        """Hour of the day at which windows begin."""
        return self._regular("hour_offset").hour

    @property
    def day_offset(self) -> int:
        """Day of the week or month at which windows begin."""
        return self._regular("day_offset").day

    @property
    def exclusions(self) -> Sequence[Exclusion] | None:
        """What names the windows that are left out, as it was given."""
        return self._exclusions

    @property
    def cron_schedule(self) -> str:
        """When windows begin, as a cron text."""
        return self._spec.cron

    def get_cron_schedule(
        self,
        minute_of_hour: int | None = None,
        hour_of_day: int | None = None,
        day_of_week: int | None = None,
        day_of_month: int | None = None,
    ) -> str:
        """A cron text that ticks once in each window: at its beginning, or at another time of it.

        Args:
            minute_of_hour: In place of the minute offset.
            hour_of_day: In place of the hour offset (not for hourly windows).
            day_of_week: In place of the day offset of weekly windows.
            day_of_month: In place of the day offset of monthly windows.

        Raises:
            DefinitionError: A day is given for daily windows or an hour for hourly ones, or one is out of range. A day
                of the week for monthly windows and the like is passed over with a warning.
        """
        if (minute_of_hour, hour_of_day, day_of_week, day_of_month) == (None, None, None, None):
            return self._spec.cron
        own = self._regular("other time in the window")
        for given, name, kinds, refused in (
            (hour_of_day, "hour_of_day", (Cadence.DAILY, Cadence.WEEKLY, Cadence.MONTHLY), Cadence.HOURLY),
            (day_of_week, "day_of_week", (Cadence.WEEKLY,), Cadence.DAILY),
            (day_of_month, "day_of_month", (Cadence.MONTHLY,), Cadence.DAILY),
        ):
            if given is None or own.cadence in kinds:
                continue
            what = f"{name} means nothing for {own.cadence.lower()} partitions"
            if own.cadence is refused:
                raise DefinitionError(f"{what}; leave it out.")
            warnings.warn(f"{what} and is passed over; leave it out.", stacklevel=2)
        day = {Cadence.WEEKLY: day_of_week, Cadence.MONTHLY: day_of_month}.get(own.cadence)
        return cron_of(
            own.cadence,
            own.minute if minute_of_hour is None else minute_of_hour,
            own.hour if hour_of_day is None else hour_of_day,
            own.day if day is None else day,
        )

    def _regular(self, what: str) -> Regular:
        found = regular(self._spec.cron)
        if found is None:
            raise DefinitionError(
                f'Partitions by the cron text "{self._spec.cron}" have no {what}, for they are not hourly, daily, '
                "weekly or monthly; use cron_schedule."
            )
        return found

    def time_window_for_partition_key(self, partition_key: str) -> TimeWindow:
        """The window of a key, whether it has ended or not.

        Raises:
            DefinitionError: The text is no key of this set.
        """
        position = self.time_space.position(partition_key)
        if position is None:
            raise DefinitionError(
                f"{partition_key!r} is no partition key of this set; "
                f"its keys look like {self.time_space.key(0)!r}, which is the first."
            )
        return self.window(position)

    def window(self, position: int) -> TimeWindow:
        """The window at a position."""
        space = self.time_space
        return TimeWindow(
            start=datetime.fromtimestamp(space.begins(position), space.zone),
            end=datetime.fromtimestamp(space.ends(position), space.zone),
        )

    def get_partition_key_for_timestamp(self, timestamp: float) -> str:
        """The key of the window that contains an instant (seconds since the epoch), or of the last one before it."""
        return self.time_space.key(self.time_space.containing(timestamp))

    def get_partition_keys_in_time_window(
        self, time_window: TimeWindow, current_time: datetime | None = None
    ) -> Sequence[str]:
        """The existing keys whose windows begin within a stretch of time."""
        space = self.time_space
        start, stop = (space.containing(each.timestamp()) for each in time_window)
        start += space.begins(start) < time_window.start.timestamp()
        stop += space.begins(stop) < time_window.end.timestamp()
        return space.keys(max(start, 0), min(stop, space.count(seconds(current_time))))

    def get_next_partition_key(self, partition_key: str, current_time: datetime | None = None) -> str | None:
        """The key after an existing one, or None if it is the last."""
        now = seconds(current_time)
        position = position_of(self.time_space, partition_key, now) + 1
        return self.time_space.key(position) if position < self.time_space.count(now) else None

    def get_next_partition_window(self, end_dt: datetime, current_time: datetime | None = None) -> TimeWindow | None:
        """The window of the first existing key that begins at or after a moment, or None if there is none."""
        space = self.time_space
        position = space.containing(end_dt.timestamp())
        position = max(position + (space.begins(position) < end_dt.timestamp()), 0)
        return self.window(position) if position < space.count(seconds(current_time)) else None

    def get_prev_partition_window(self, start_dt: datetime) -> TimeWindow | None:
        """The last window that ends at or before a moment, or None if there is none."""
        space = self.time_space
        position = space.containing(start_dt.timestamp())
        position -= space.ends(position) > start_dt.timestamp()
        return self.window(position) if position >= 0 else None

    def get_first_partition_window(self, current_time: datetime | None = None) -> TimeWindow | None:
        """The window of the first key, or None if there is none."""
        return self.window(0) if self.time_space.count(seconds(current_time)) else None

    def get_last_partition_window(self, current_time: datetime | None = None) -> TimeWindow | None:
        """The window of the last key, or None if there is none."""
        count = self.time_space.count(seconds(current_time))
        return self.window(count - 1) if count else None


class HourlyPartitionsDefinition(TimeWindowPartitionsDefinition):
    """One partition for each real hour; see `TimeWindowPartitionsDefinition` for the arguments.

    Args:
        start_date: The `start` there.
        end_date: The `end` there.
    """

    def __init__(
        self,
        start_date: datetime | str,
        end_date: datetime | str | None = None,
        minute_offset: int = 0,
        timezone: str | None = None,
        fmt: str | None = None,
        end_offset: int = 0,
        exclusions: Sequence[Exclusion] | None = None,
    ) -> None:
        super().__init__(
            start=start_date,
            fmt=fmt or _HOUR,
            end=end_date,
            schedule_type=Cadence.HOURLY,
            timezone=timezone,
            end_offset=end_offset,
            minute_offset=minute_offset,
            exclusions=exclusions,
        )


class DailyPartitionsDefinition(TimeWindowPartitionsDefinition):
    """One partition for each day of the wall calendar; see `TimeWindowPartitionsDefinition` for the arguments.

    Args:
        start_date: The `start` there.
        end_date: The `end` there.
    """

    def __init__(
        self,
        start_date: datetime | str,
        end_date: datetime | str | None = None,
        minute_offset: int = 0,
        hour_offset: int = 0,
        timezone: str | None = None,
        fmt: str | None = None,
        end_offset: int = 0,
        exclusions: Sequence[Exclusion] | None = None,
    ) -> None:
        super().__init__(
            start=start_date,
            fmt=fmt or _DATE,
            end=end_date,
            schedule_type=Cadence.DAILY,
            timezone=timezone,
            end_offset=end_offset,
            minute_offset=minute_offset,
            hour_offset=hour_offset,
            exclusions=exclusions,
        )


class WeeklyPartitionsDefinition(TimeWindowPartitionsDefinition):
    """One partition for each week from Sunday, or another day; see `TimeWindowPartitionsDefinition` for the arguments.

    Args:
        start_date: The `start` there.
        end_date: The `end` there.
    """

    def __init__(
        self,
        start_date: datetime | str,
        end_date: datetime | str | None = None,
        minute_offset: int = 0,
        hour_offset: int = 0,
        day_offset: int = 0,
        timezone: str | None = None,
        fmt: str | None = None,
        end_offset: int = 0,
        exclusions: Sequence[Exclusion] | None = None,
    ) -> None:
        super().__init__(
            start=start_date,
            fmt=fmt or _DATE,
            end=end_date,
            schedule_type=Cadence.WEEKLY,
            timezone=timezone,
            end_offset=end_offset,
            minute_offset=minute_offset,
            hour_offset=hour_offset,
            day_offset=day_offset,
            exclusions=exclusions,
        )


class MonthlyPartitionsDefinition(TimeWindowPartitionsDefinition):
    """One partition for each month from its first day, or another up to the 28th.

    See `TimeWindowPartitionsDefinition` for the arguments.

    Args:
        start_date: The `start` there.
        end_date: The `end` there.
    """

    def __init__(
        self,
        start_date: datetime | str,
        end_date: datetime | str | None = None,
        minute_offset: int = 0,
        hour_offset: int = 0,
        day_offset: int = 1,
        timezone: str | None = None,
        fmt: str | None = None,
        end_offset: int = 0,
        exclusions: Sequence[Exclusion] | None = None,
    ) -> None:
        super().__init__(
            start=start_date,
            fmt=fmt or _DATE,
            end=end_date,
            schedule_type=Cadence.MONTHLY,
            timezone=timezone,
            end_offset=end_offset,
            minute_offset=minute_offset,
            hour_offset=hour_offset,
            day_offset=day_offset,
            exclusions=exclusions,
        )


def _plain_cron(text: str) -> str:
    """A cron text as it is kept: in one way for each of the four usual distances."""
    found = regular(text)
    if found is None or (found.cadence is Cadence.MONTHLY and found.day > LAST_COMMON_DAY):
        return " ".join(text.split())
    return cron_of(found.cadence, found.minute, found.hour, found.day)


def _stretch(exclusion: datetime | TimeWindow, zone: str) -> tuple[int, int]:
    """The instants within which a window begins that is to be left out."""
    match exclusion:
        case TimeWindow(start=start, end=end):
            return _instant(start, zone), _instant(end, zone)
        case datetime():
            at = _instant(exclusion, zone)
            return at, at + 1
        case _:
            raise DefinitionError(
                f"{exclusion!r} says nothing about what to exclude; give cron texts, datetimes or TimeWindows."
            )


def _instant(moment: datetime, zone: str) -> int:
    return int(moment.timestamp()) if moment.tzinfo is not None else instant_of(moment, zone_named(zone))


def _zone_of(start: datetime | str) -> str | None:
    """The name of the zone that a start brings along; another fixed offset than UTC has none."""
    return getattr(start.tzinfo, "key", None) if isinstance(start, datetime) else None


def _wall_text(name: str, value: datetime | str, fmt: str) -> str:
    """The wall time that a start or end says, whatever zone it brings along."""
    if isinstance(value, str):
        try:
            value = datetime.strptime(value, fmt)  # noqa: DTZ007 - a wall time has no zone
        except ValueError as error:
            example = datetime(2024, 1, 31, tzinfo=UTC).strftime(fmt)
            raise DefinitionError(
                f"The {name} {value!r} of the partitions does not have the form {fmt!r}; write it like {example!r}."
            ) from error
    if not isinstance(value, datetime):
        raise DefinitionError(f"The {name} of the partitions must be a datetime or a text, not {value!r}.")
    return value.replace(tzinfo=None).isoformat()


@lru_cache(maxsize=1024)
def _check_format(spec: TimeWindowSpec) -> None:
    """Refuse a format that writes two windows alike or that cannot be read back."""
    space = open_time_space(spec)
    for position in _CHECKED:
        if space.position(space.key(position)) != position:
            raise DefinitionError(
                f'The format {spec.fmt!r} does not tell the partitions of "{spec.cron}" apart; '
                f"it writes one as {space.key(position)!r}. Name every part of the time that it needs."
            )
