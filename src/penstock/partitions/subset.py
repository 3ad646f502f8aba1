"""Part of a partition set as sorted, disjoint ranges of positions: its size is that of its gaps, not of the set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import TypeAlias

import msgspec

from ..errors import DefinitionError

__all__ = ["Range", "Subset"]

Range: TypeAlias = tuple[int, int]
"""(first, one after the last) position of a stretch."""

_LONGEST_RANGE = 40  # characters; longer numbers are no positions, and Python refuses to read very long ones


class Subset(msgspec.Struct, frozen=True, cache_hash=True):
    """Positions of a key space.

    Args:
        ranges: (first, one after the last) of each stretch: sorted, not empty, with a gap between any two. It is not
            checked here; make subsets by `span`, `of` and `of_ranges`.
    """

    ranges: tuple[Range, ...] = ()

    @classmethod
    def span(cls, start: int, stop: int) -> Subset:
        """Positions start to stop - 1; none if that is none."""
        return cls(((start, stop),)) if start < stop else cls()

    @classmethod
    def of(cls, positions: Iterable[int]) -> Subset:
        """The given positions, in any order."""
        ordered = sorted(set(positions))
        if len(ordered) < 2:
            return cls(tuple((each, each + 1) for each in ordered))
        starts = [ordered[0], *(after for before, after in pairwise(ordered) if after > before + 1)]
        stops = [*(before + 1 for before, after in pairwise(ordered) if after > before + 1), ordered[-1] + 1]
        return cls(tuple(zip(starts, stops, strict=True)))

    @classmethod
    def of_ranges(cls, ranges: Iterable[Range]) -> Subset:
        """The union of ranges (first, one after the last) in any order; they may overlap."""
        merged: list[Range] = []
        for start, stop in sorted(ranges):
            if start >= stop:
                continue
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(merged[-1][1], stop))
            else:
                merged.append((start, stop))
        return cls(tuple(merged))

    def __len__(self) -> int:
        return sum(stop - start for start, stop in self.ranges)

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __contains__(self, position: object) -> bool:
        if not isinstance(position, int):
            return False
        low, high = 0, len(self.ranges)
        while low < high:
            middle = (low + high) // 2
            if self.ranges[middle][1] <= position:
                low = middle + 1
            else:
                high = middle
        return low < len(self.ranges) and self.ranges[low][0] <= position

    def __iter__(self) -> Iterator[int]:
        for start, stop in self.ranges:
            yield from range(start, stop)

    def union(self, other: Subset) -> Subset:
        """Positions of either."""
        if not other.ranges or other.ranges == self.ranges:
            return self
        if not self.ranges:
            return other
        return Subset.of_ranges((*self.ranges, *other.ranges))

    def intersection(self, other: Subset) -> Subset:
        """Positions of both."""
        if not self.ranges or other.ranges == self.ranges:
            return self
        if not other.ranges:
            return other
        if len(self.ranges) == 1 and len(other.ranges) == 1:
            (start, stop), (low, high) = self.ranges[0], other.ranges[0]
            if low <= start and stop <= high:
                return self
            if start <= low and high <= stop:
                return other
        return Subset(tuple(_overlaps(self.ranges, other.ranges)))

    def difference(self, other: Subset) -> Subset:
        """Positions of this one that are not of the other."""
        if not self.ranges or not other.ranges:
            return self
        if self.ranges == other.ranges:
            return Subset()
        return self.intersection(other.complement(self.ranges[0][0], self.ranges[-1][1]))

    def complement(self, start: int, stop: int) -> Subset:
        """Positions start to stop - 1 that are not of this one."""
        gaps = []
        at = start
        for low, high in self.ranges:
            if low >= stop:
                break
            if low > at:
                gaps.append((at, low))
            at = max(at, high)
        if at < stop:
            gaps.append((at, stop))
        return Subset(tuple(gaps))

    def first(self, ranges: int) -> Subset:
        """Its first so many ranges."""
        return self if len(self.ranges) <= ranges else Subset(self.ranges[:ranges])

    def shifted(self, by: int) -> Subset:
        """Each position moved by so many places."""
        return Subset(tuple((start + by, stop + by) for start, stop in self.ranges))

    def to_text(self) -> str:
        """A compact text, for example `0-364,366`: single positions, and first-last with both included."""
        return ",".join(str(start) if stop == start + 1 else f"{start}-{stop - 1}" for start, stop in self.ranges)

    @classmethod
    def from_text(cls, text: str) -> Subset:
        """The subset that `to_text` wrote.

        Raises:
            DefinitionError: The text is not of that form; the message names the part.
        """
        ranges = []
        for part in text.split(",") if text else ():
            first, dash, last = part.partition("-")
            if len(part) > _LONGEST_RANGE or not first.isdecimal() or (dash and not last.isdecimal()):
                raise DefinitionError(
                    f"{part[:_LONGEST_RANGE]!r} is no range of positions; write a number or two joined by a dash."
                )
            ranges.append((int(first), int(last if dash else first) + 1))
        return cls.of_ranges(ranges)


def _overlaps(left: tuple[Range, ...], right: tuple[Range, ...]) -> Iterator[Range]:
    i = j = 0
    while i < len(left) and j < len(right):
        start, stop = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if start < stop:
            yield (start, stop)
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
