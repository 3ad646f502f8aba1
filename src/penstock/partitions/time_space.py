"""The arithmetic of time windows in closed form: position, key, beginning and end, and how many are complete.

Windows begin where a cron text is due (see `cron`) and end where it is next due. So a day of the wall calendar may last
23 or 25 hours. Windows of an hour or less follow real time: where the clocks are set back, the second of two equal wall
times carries its UTC offset in the key (`2024-10-27-02:00+0100`). A window that is excluded has no position; the one
before it still ends where the excluded one begins.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from itertools import accumulate, count
from operator import itemgetter

from .cron import parse
from .grid import WallGrid, open_grid
from .key_text import open_key_text
from .spec import TimeWindowSpec
from .subset import Subset
from .ticks import RealTicks, Stretch, Ticks, WallTicks
from .wall_time import instant_of, zone_named

__all__ = ["TimeSpace", "open_time_space"]

_NEIGHBOURS = 128  # how many keys are written when one of them is looked for: few enough not to be felt in vain


class TimeSpace:
    """The key space of a time-window set; positions below 0 and beyond the last key have windows, too.

    Open it by `open_time_space`, which keeps it.
    """

    def __init__(self, spec: TimeWindowSpec) -> None:
        self.spec = spec
        self.zone = zone_named(spec.timezone)
        self.end = None if spec.end is None else instant_of(datetime.fromisoformat(spec.end), self.zone)
        self._real = parse(spec.cron).hourly
        self._text = open_key_text(spec.fmt)
        self._grid_left = open_grid(spec.cron, spec.excluded_crons)
        start = instant_of(datetime.fromisoformat(spec.start), self.zone)
        self._ticks_left = self._ticks(self._grid_left, start)
        self._all_ticks = self._ticks(open_grid(spec.cron), start) if spec.excluded_crons else self._ticks_left
        self._origin = _first(self._ticks_left, start)
        # Ticks that are excluded one by one or by stretches, as ranges of numbers; `_gap_at` has the position of the
        # first window after each range, and `_gap_size` how many are left out before it and in it.
        self._gaps = self._excluded_numbers().ranges
        left_out = list(accumulate((stop - begin for begin, stop in self._gaps), initial=0))
        self._gap_at = [begin - self._origin - before for (begin, _), before in zip(self._gaps, left_out, strict=False)]
        self._gap_size = left_out
        self._has_exclusions = bool(self._gaps) or bool(spec.excluded_crons)

    def begins(self, position: int) -> int:
        """When a window begins: seconds since the epoch, UTC."""
        return self._ticks_left.instant(self._number(position))

    def ends(self, position: int) -> int:
        """When a window ends, likewise; the end does not belong to it."""
        if not self._has_exclusions:
            return self.begins(position + 1)
        return self._ticks_left.next_in(self._all_ticks, self._number(position))

    def containing(self, instant: float) -> int:
        """The position of the last window that begins at or before an instant.

        The instant lies in it, but where windows are excluded it may lie after its end.
        """
        return self._position(self._ticks_left.number(instant))

    def overlapping(self, start: int, stop: int) -> Subset:
        """The positions of the windows that share time with the stretch from `start` to before `stop`."""
        if start >= stop:
            return Subset()
        first = self.containing(start)
        return Subset.span(first + (self.ends(first) <= start), self.containing(stop - 1) + 1)

    def stretches(self, chosen: Subset) -> Iterator[tuple[int, int]]:
        """The time of some windows, as stretches (from the first instant to before the second)."""
        if not self._has_exclusions:
            for first, after_last in chosen.ranges:
                yield self.begins(first), self.begins(after_last)
            return
        for position in chosen:
            yield self.begins(position), self.ends(position)

    def count(self, now: float) -> int:
        """How many keys exist at `now`: those of complete windows, shifted by the end offset."""
        complete = self._complete(now) + self.spec.end_offset
        if self.end is not None and (self.end <= now or self.spec.end_offset > 0):
            complete = min(complete, self._complete(self.end))
        return max(complete, 0)

    def grows_at(self, now: float) -> float | None:
        """The first instant after `now` at which a window is complete; None if the set has ended."""
        if self.end is not None and self.end <= now:
            return None
        position = self.containing(now)
        end = self.ends(position)
        return float(end if end > now else self.ends(position + 1))

    def key(self, position: int) -> str:
        """The key at a position."""
        return self._key_of(self._number(position))

    def _key_of(self, number: int) -> str:
        if not self._real:
            return self._ticks_left.wall(number).replace(tzinfo=self.zone).strftime(self.spec.fmt)
        moment = datetime.fromtimestamp(self._ticks_left.instant(number), self.zone)
        text = moment.strftime(self.spec.fmt)
        return text + moment.strftime("%z") if moment.fold and "%z" not in self.spec.fmt else text

    def position(self, key: str) -> int | None:
        """The position of a key, whether it exists yet or not; None if it is no key of this set."""
        wall = self._parse(key)
        if wall is None:
            return None
        try:
            if wall.tzinfo is not None and self._real:
                number = self._ticks_left.number(wall.timestamp())
            else:
                number = self._ticks_left.guess(wall.replace(tzinfo=None))
            position = self._position(number)
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
        if self._text is None:
            return [self.key(position) for position in range(start, stop)]
        found: list[str] = []
        for stretch in self._stretches(start, stop):
            if stretch.is_repeat:
                found += [self._key_of(number) for number in range(stretch.first, stretch.stop)]
            else:
                days = self._grid_left.days(stretch.first - stretch.shift, stretch.stop - stretch.shift)
                found += self._text.write(days)
        return found

    def positions(self, keys: Iterable[str]) -> list[int | None]:
        """The position of each key, as `position` gives it. Keys have neighbours, so those are written at once."""
        known: dict[str, int] = {}
        found = []
        for key in keys:
            position = known.get(key)
            if position is None:
                position = self.position(key)
                if position is not None:
                    start = position - position % _NEIGHBOURS
                    try:
                        known.update(zip(self.keys(start, start + _NEIGHBOURS), count(start), strict=False))
                    except OverflowError:
                        known[key] = position  # some of them lie beyond the years that a calendar can name
            found.append(position)
        return found

    def _stretches(self, start: int, stop: int) -> Iterator[Stretch]:
        """The ticks at which windows begin, without those that are excluded."""
        while start < stop:
            place = bisect_right(self._gap_at, start)
            end = min(stop, self._gap_at[place]) if place < len(self._gap_at) else stop
            number = self._number(start)
            yield from self._ticks_left.stretches(number, number + end - start)
            start = end

    def _ticks(self, grid: WallGrid, start: int) -> Ticks:
        return RealTicks(grid, self.zone, start) if self._real else WallTicks(grid, self.zone)

    def _excluded_numbers(self) -> Subset:
        return Subset.of_ranges(
            (max(begin, self._origin), stop) for begin, stop in self._excluded_ranges() if stop > self._origin
        )

    def _excluded_ranges(self) -> Iterator[tuple[int, int]]:
        ticks = self._ticks_left
        for start, stop in self.spec.excluded_times:
            yield _first(ticks, start), _first(ticks, stop)

    def _complete(self, instant: float) -> int:
        """How many windows have ended at an instant."""
        position = self.containing(instant)
        return position + (self._has_exclusions and self.ends(position) <= instant)

    def _number(self, position: int) -> int:
        """The number of the tick at which a window begins."""
        return self._origin + position + self._gap_size[bisect_right(self._gap_at, position)]

    def _position(self, number: int) -> int:
        """The position of the window that begins at a tick, or of the one before it where that one is excluded."""
        place = bisect_right(self._gaps, number, key=itemgetter(0)) - 1
        if place < 0:
            return number - self._origin
        begin, stop = self._gaps[place]
        if number < stop:
            return begin - self._origin - self._gap_size[place] - 1
        return number - self._origin - self._gap_size[place + 1]

    def _parse(self, key: str) -> datetime | None:
        formats = [self.spec.fmt]
        if self._real and "%z" not in self.spec.fmt:
            formats.append(self.spec.fmt + "%z")
        for fmt in formats:
            try:
                return datetime.strptime(key, fmt)  # noqa: DTZ007 - a wall time has no zone
            except ValueError:
                continue
        return None


def _first(ticks: Ticks, instant: int) -> int:
    """The number of the first tick at or after an instant."""
    number = ticks.number(instant)
    if ticks.instant(number) < instant:
        return number + 1
    while ticks.instant(number - 1) >= instant:
        number -= 1  # several skipped wall times share one instant
    return number


@lru_cache(maxsize=1024)
def open_time_space(spec: TimeWindowSpec) -> TimeSpace:
    """The key space of a time-window set.

    Raises:
        DefinitionError: Its time zone does not exist.
    """
    return TimeSpace(spec)
