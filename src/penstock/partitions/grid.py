"""Numbers the wall times of a cron text in closed form: which is the n-th, and how many come before another.

The calendar repeats every 400 years, and a year is one of 14 kinds (leap or not, and the weekday on which it begins).
So a few tables say everything, however far apart two times are.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import accumulate

from ..errors import DefinitionError
from .cron import Cron, due_on, parse

__all__ = ["WallGrid", "open_grid"]

_CYCLE = 400  # years after which the calendar repeats
_LAST_YEAR = 9999


class _Year:
    """One kind of year: what is due on each of its days."""

    def __init__(self, first: date, days: int, cron: Cron, without: Sequence[Cron]) -> None:
        times = tuple(hour * 60 + minute for hour in cron.hours for minute in cron.minutes)
        self.times: list[tuple[int, ...]] = [times] * days  # of each day, as minutes since midnight
        if not _every_day(cron) or without:
            alike: dict[tuple[bool, ...], tuple[int, ...]] = {}
            midnight = datetime.combine(first, time.min)
            for number in range(days):
                self.times[number] = _times_of(midnight + timedelta(days=number), times, cron, without, alike)
        self.before = list(accumulate((len(each) for each in self.times), initial=0))


class WallGrid:
    """The wall times at which a cron text is due and none of some others is, numbered; open it by `open_grid`.

    Args:
        cron: The text.
        without: The texts whose times are left out.

    Raises:
        DefinitionError: Nothing is left.
    """

    def __init__(self, cron: Cron, without: Sequence[Cron] = ()) -> None:
        self._cron = cron
        self._without = without
        self._kinds: dict[tuple[bool, int], _Year] = {}
        self._before = list(accumulate((self._year(each).before[-1] for each in range(1, _CYCLE + 1)), initial=0))
        if not self._before[-1]:
            raise DefinitionError(
                f"The exclusions {[each.text for each in without]} leave nothing of the cron text "
                f'"{cron.text}"; exclude less.'
            )

    def number(self, wall: datetime) -> int:
        """The number of the last time at or before a wall time."""
        cycles, year = divmod(wall.year - 1, _CYCLE)
        kind = self._year(wall.year)
        day = wall.timetuple().tm_yday - 1
        due = bisect_right(kind.times[day], wall.hour * 60 + wall.minute)
        return cycles * self._before[-1] + self._before[year] + kind.before[day] + due - 1

    def wall(self, number: int) -> datetime:
        """The time of a number.

        Raises:
            OverflowError: It lies beyond the years 1 to 9999.
        """
        cycles, rest = divmod(number, self._before[-1])
        place = bisect_right(self._before, rest) - 1
        year = cycles * _CYCLE + place + 1
        if not 1 <= year <= _LAST_YEAR:
            raise OverflowError(f"The time of number {number} lies beyond the years of the calendar.")
        rest -= self._before[place]
        kind = self._year(year)
        day = bisect_right(kind.before, rest) - 1
        minutes = kind.times[day][rest - kind.before[day]]
        return datetime(year, 1, 1) + timedelta(days=day, minutes=minutes)  # noqa: DTZ001 - a wall time has no zone

    def days(self, start: int, stop: int) -> Iterator[tuple[date, Sequence[int]]]:
        """The times of numbers start to stop - 1, day by day: the date, and minutes since midnight.

        Raises:
            OverflowError: One lies beyond the years 1 to 9999.
        """
        while start < stop:
            wall = self.wall(start)
            first = date(wall.year, 1, 1)
            kind = self._year(wall.year)
            number = (wall.date() - first).days
            passed = kind.times[number].index(wall.hour * 60 + wall.minute)
            while start < stop and number < len(kind.times):
                some = kind.times[number][passed : passed + stop - start]
                if some:
                    yield first + timedelta(days=number), some
                start += len(some)
                number, passed = number + 1, 0

    def _year(self, year: int) -> _Year:
        first = date(year, 1, 1)
        of_kind = (_is_leap(year), first.weekday())
        kind = self._kinds.get(of_kind)
        if kind is None:
            kind = self._kinds[of_kind] = _Year(first, 366 if of_kind[0] else 365, self._cron, self._without)
        return kind


@lru_cache(maxsize=256)
def open_grid(cron: str, without: tuple[str, ...] = ()) -> WallGrid:
    """The numbered wall times of a cron text without those of others.

    Raises:
        DefinitionError: A text is not valid, or nothing is left.
    """
    return WallGrid(parse(cron), [parse(each) for each in without])


def _every_day(cron: Cron) -> bool:
    return len(cron.days) == 31 and len(cron.months) == 12 and len(cron.weekdays) == 7


def _times_of(
    day: datetime,
    times: tuple[int, ...],
    cron: Cron,
    without: Sequence[Cron],
    alike: dict[tuple[bool, ...], tuple[int, ...]],
) -> tuple[int, ...]:
    """The times of a day that are left; `alike` keeps what days have in common of which the same texts are due."""
    if not due_on(cron, day):
        return ()
    due = tuple(due_on(each, day) for each in without)
    left = alike.get(due)
    if left is None:
        crons = [each for each, is_due in zip(without, due, strict=True) if is_due]
        left = alike[due] = tuple(each for each in times if not any(_due_at(cron, each) for cron in crons))
    return left


def _due_at(cron: Cron, minutes: int) -> bool:
    return minutes // 60 in cron.hours and minutes % 60 in cron.minutes


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
