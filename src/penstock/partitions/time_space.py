"""The arithmetic of time windows in closed form: position, key, beginning, and how many are complete.

Days, weeks and months are counted on the wall calendar, so a day may last 23 or 25 hours. An hourly window is one real
hour, counted from the first; where the clocks are set back, the second of two equal wall times carries its UTC offset
in the key (`2024-10-27-02:00+0100`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Protocol

from .spec import Cadence, TimeWindowSpec
from .wall_time import instant_of, wall_of, zone_named

__all__ = ["TimeSpace", "open_time_space"]

_HOUR = 3600


class _Calendar(Protocol):
    """Numbers the wall times at which windows begin; later ones have higher numbers, without holes."""

    def number(self, wall: datetime) -> int:
        """The number of the last beginning at or before a wall time."""
        ...

    def wall(self, number: int) -> datetime:
        """The wall time of a beginning."""
        ...


class _Days:
    def __init__(self, time_of_day: timedelta) -> None:
        self.time_of_day = time_of_day

    def number(self, wall: datetime) -> int:
        return (wall - self.time_of_day).toordinal()

    def wall(self, number: int) -> datetime:
        return datetime.fromordinal(number) + self.time_of_day


class _Weeks:
    def __init__(self, time_of_day: timedelta, weekday: int) -> None:
        self.time_of_day = time_of_day
        self.weekday = weekday  # 0 is Sunday, as are the ordinals that 7 divides

    def number(self, wall: datetime) -> int:
        return ((wall - self.time_of_day).toordinal() - self.weekday) // 7

    def wall(self, number: int) -> datetime:
        return datetime.fromordinal(number * 7 + self.weekday) + self.time_of_day


class _Months:
    def __init__(self, time_of_day: timedelta, day: int) -> None:
        self.offset = time_of_day + timedelta(days=day - 1)

    def number(self, wall: datetime) -> int:
        shifted = wall - self.offset
        return shifted.year * 12 + shifted.month - 1

    def wall(self, number: int) -> datetime:
        return datetime(number // 12, number % 12 + 1, 1) + self.offset  # noqa: DTZ001 - a wall time has no zone


class TimeSpace:
    """The key space of a time-window set; positions below 0 and beyond the last key have windows, too.

    Open it by `open_time_space`, which keeps it.
    """

    def __init__(self, spec: TimeWindowSpec) -> None:
        self.spec = spec
        self.zone = zone_named(spec.timezone)
        self.end = None if spec.end is None else instant_of(datetime.fromisoformat(spec.end), self.zone)
        start_wall = datetime.fromisoformat(spec.start)
        start = instant_of(start_wall, self.zone)
        self._calendar = _calendar(spec)
        self._origin = 0
        if self._calendar is None:
            minutes = (spec.minute_offset - wall_of(start, self.zone).minute) % 60
            self._origin = start - start % 60 + minutes * 60
            if self._origin < start:
                self._origin += _HOUR
        else:
            self._origin = self._calendar.number(start_wall) - 1
            while self.begins(0) < start:
                self._origin += 1

    def begins(self, position: int) -> int:
        """When a window begins, and the one before it ends: seconds since the epoch, UTC."""
        if self._calendar is None:
            return self._origin + position * _HOUR
        return instant_of(self._calendar.wall(self._origin + position), self.zone)

    def containing(self, instant: float) -> int:
        """The position of the window that contains an instant; its beginning belongs to a window, its end does not."""
        if self._calendar is None:
            return int((instant - self._origin) // _HOUR)
        position = self._calendar.number(wall_of(instant, self.zone)) - self._origin
        # Around a change of clocks the wall time may lie a window off.
        while self.begins(position) > instant:
            position -= 1
        while self.begins(position + 1) <= instant:
            position += 1
        return position

    def count(self, now: float) -> int:
        """How many keys exist at `now`: those of complete windows, shifted by the end offset."""
        complete = self.containing(now) + self.spec.end_offset
        if self.end is not None:
            complete = min(complete, self.containing(self.end))
        return max(complete, 0)

    def key(self, position: int) -> str:
        """The key at a position."""
        if self._calendar is not None:
            wall = self._calendar.wall(self._origin + position)
            return wall.replace(tzinfo=self.zone).strftime(self.spec.fmt)
        moment = datetime.fromtimestamp(self.begins(position), self.zone)
        text = moment.strftime(self.spec.fmt)
        return text + moment.strftime("%z") if moment.fold and "%z" not in self.spec.fmt else text

    def position(self, key: str) -> int | None:
        """The position of a key, whether it exists yet or not; None if it is no key of this set."""
        wall = self._parse(key)
        if wall is None:
            return None
        try:
            if self._calendar is not None:
                position = self._calendar.number(wall.replace(tzinfo=None)) - self._origin
            else:
                at = wall.timestamp() if wall.tzinfo is not None else instant_of(wall, self.zone)
                position = self.containing(at)
            # A key that leaves out the hour reads as midnight, which may lie in the window before its own. And only
            # the way a key is written here counts: "2024-1-5" and "2024-01-05" must not be two keys of one day.
            for candidate in (position, position + 1):
                if candidate >= 0 and self.key(candidate) == key:
                    return candidate
            return None
        except (OverflowError, ValueError):
            return None  # beyond the years that a calendar can name

    def keys(self, start: int, stop: int) -> list[str]:
        """The keys of positions start to stop - 1."""
        return [self.key(position) for position in range(start, stop)]

    def _parse(self, key: str) -> datetime | None:
        formats = [self.spec.fmt] if self._calendar is not None else [self.spec.fmt, self.spec.fmt + "%z"]
        for fmt in formats:
            try:
                return datetime.strptime(key, fmt)  # noqa: DTZ007 - a wall time has no zone
            except ValueError:
                continue
        return None


def _calendar(spec: TimeWindowSpec) -> _Calendar | None:
    time_of_day = timedelta(hours=spec.hour_offset, minutes=spec.minute_offset)
    match spec.cadence:
        case Cadence.HOURLY:
            return None
        case Cadence.DAILY:
            return _Days(time_of_day)
        case Cadence.WEEKLY:
            return _Weeks(time_of_day, spec.day_offset)
        case Cadence.MONTHLY:
            return _Months(time_of_day, spec.day_offset)


@lru_cache(maxsize=1024)
def open_time_space(spec: TimeWindowSpec) -> TimeSpace:
    """The key space of a time-window set.

    Raises:
        DefinitionError: Its time zone does not exist.
    """
    return TimeSpace(spec)
