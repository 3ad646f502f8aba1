"""When the numbered times of a cron text come in a time zone, in closed form but for the zone's own changes of clocks.

There are the two kinds that `cron` tells apart. Ticks of the wall calendar have the numbers of their wall times; those
that a change of clocks skips share the first instant after the gap. Ticks of real time are numbered in the order in
which they come: between two changes of clocks their wall times follow the grid, and where the clocks change the count
goes on.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple, Protocol

from .grid import WallGrid
from .wall_time import instant_of, wall_of

__all__ = ["RealTicks", "Stretch", "Ticks", "WallTicks"]

_DAY = 86_400
_PROBE_DAYS = 3  # no zone ever changed its clocks twice within so few days, but Freetown in 1939
_LAST_YEAR = 2200  # from then on clocks are taken to change no more
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall time has no zone
_MOMENT = timedelta(microseconds=1)


class Ticks(Protocol):
    """Numbers the instants at which a cron text is due; later ones have higher numbers, without holes."""

    def number(self, instant: float) -> int:
        """The number of the last tick at or before an instant."""
        ...

    def instant(self, number: int) -> int:
        """When a tick comes: seconds since the epoch, UTC."""
        ...

    def wall(self, number: int) -> datetime:
        """The wall time of a tick as its text names it."""
        ...

    def guess(self, wall: datetime) -> int:
        """The number of the last tick at or before the first reading of a wall time, or one beside it."""
        ...

    def next_in(self, other: Ticks, number: int) -> int:
        """The instant of the first tick of `other`, which has all ticks of this one and more, after one of this."""
        ...

    def stretches(self, start: int, stop: int) -> Iterator[Stretch]:
        """The ticks of numbers start to stop - 1, by how their wall times follow the grid."""
        ...


class Stretch(NamedTuple):
    """Ticks that follow the grid.

    Args:
        first: The number of the first one.
        stop: One more than that of the last one.
        shift: By how much the numbers are greater than the grid's.
        is_repeat: Whether an earlier tick has the wall time of each.
    """

    first: int
    stop: int
    shift: int = 0
    is_repeat: bool = False


class WallTicks:
    """Ticks of the wall calendar."""

    def __init__(self, grid: WallGrid, zone: tzinfo) -> None:
        self._grid = grid
        self._zone = zone

    def number(self, instant: float) -> int:
        number = self._grid.number(wall_of(instant, self._zone))
        # Around a change of clocks the wall time may lie some ticks off.
        while self.instant(number) > instant:
            number -= 1
        while self.instant(number + 1) <= instant:
            number += 1
        return number

    def instant(self, number: int) -> int:
        return instant_of(self._grid.wall(number), self._zone)

    def wall(self, number: int) -> datetime:
        return self._grid.wall(number)

    def guess(self, wall: datetime) -> int:
        return self._grid.number(wall)

    def next_in(self, other: Ticks, number: int) -> int:
        return other.instant(other.guess(self._grid.wall(number)) + 1)

    def stretches(self, start: int, stop: int) -> Iterator[Stretch]:
        yield Stretch(start, stop)


class RealTicks:
    """Ticks of real time.

    Args:
        grid: The wall times.
        zone: Where they are meant.
        start: The instant around which ticks are asked for; before the year of it, clocks are taken not to change.
    """

    def __init__(self, grid: WallGrid, zone: tzinfo, start: int) -> None:
        self._grid = grid
        self._zone = zone
        self._year = datetime.fromtimestamp(start, zone).year - 1  # the first of which the changes are not known
        begin = _new_year(self._year)
        offset = _offset(begin, zone)
        # One entry for each stretch between two changes of clocks. A tick's number is that of its wall time in the
        # grid, and the stretch's shift.
        self._starts = [begin]
        self._offsets = [offset]
        self._shifts = [0]
        self._firsts = [self._grid.number(_wall(begin, offset) - _MOMENT) + 1]
        self._known = begin
        self._sure = self._firsts[0]  # ticks of lower numbers come before `_known`

    def number(self, instant: float) -> int:
        self._learn(instant)
        place = max(bisect_right(self._starts, instant) - 1, 0)
        return self._shifts[place] + self._grid.number(_wall(instant, self._offsets[place]))

    def instant(self, number: int) -> int:
        while number >= self._sure and self._year < _LAST_YEAR:
            self._learn_year()
        place = max(bisect_right(self._firsts, number) - 1, 0)
        wall = self._grid.wall(number - self._shifts[place])
        return int((wall - _EPOCH).total_seconds()) - self._offsets[place]

    def wall(self, number: int) -> datetime:
        return wall_of(self.instant(number), self._zone)

    def guess(self, wall: datetime) -> int:
        return self.number(instant_of(wall, self._zone))

    def next_in(self, other: Ticks, number: int) -> int:
        return other.instant(other.number(self.instant(number)) + 1)

    def stretches(self, start: int, stop: int) -> Iterator[Stretch]:
        self.instant(stop)  # from now on, all changes of clocks up to there are known
        place = max(bisect_right(self._firsts, start) - 1, 0)
        while start < stop:
            shift = self._shifts[place]
            end = min(stop, self._firsts[place + 1]) if place + 1 < len(self._firsts) else stop
            if place and self._offsets[place] < self._offsets[place - 1]:
                passed = _wall(self._starts[place], self._offsets[place - 1]) - _MOMENT
                once_more = min(end, shift + self._grid.number(passed) + 1)
                if start < once_more:
                    yield Stretch(start, once_more, shift, is_repeat=True)
                    start = once_more
            if start < end:
                yield Stretch(start, end, shift)
                start = end
            place += 1

    def _learn(self, instant: float) -> None:
        while instant >= self._known and self._year < _LAST_YEAR:
            self._learn_year()

    def _learn_year(self) -> None:
        for change, offset in _changes(self._zone, self._year):
            before = self._grid.number(_wall(change, self._offsets[-1]) - _MOMENT)
            after = self._grid.number(_wall(change, offset) - _MOMENT)
            self._starts.append(change)
            self._firsts.append(self._shifts[-1] + before + 1)
            self._shifts.append(self._shifts[-1] + before - after)
            self._offsets.append(offset)
        self._year += 1
        self._known = _new_year(self._year)
        self._sure = self._shifts[-1] + self._grid.number(_wall(self._known, self._offsets[-1]) - _MOMENT) + 1


@lru_cache(maxsize=4096)
def _changes(zone: tzinfo, year: int) -> tuple[tuple[int, int], ...]:
    """Each change of a zone's clocks in a year (of UTC): the instant, and the offset from then on, in seconds."""
    found = []
    end = _new_year(year + 1)
    at, offset = _new_year(year), _offset(_new_year(year), zone)
    while at < end:
        later = min(at + _PROBE_DAYS * _DAY, end)
        new = _offset(later, zone)
        if new != offset:
            low, high = at, later
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if _offset(middle, zone) == offset else (low, middle)
            found.append((high, new))
        at, offset = later, new
    return tuple(found)


def _new_year(year: int) -> int:
    return (datetime(year, 1, 1) - _EPOCH).days * _DAY  # noqa: DTZ001 - a difference of two of UTC


def _offset(instant: int, zone: tzinfo) -> int:
    offset = datetime.fromtimestamp(instant, zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def _wall(instant: float, offset: int) -> datetime:
    return _EPOCH + timedelta(seconds=instant + offset)
