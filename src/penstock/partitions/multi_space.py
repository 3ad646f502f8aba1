"""The product of several key spaces in closed form: positions are numbers whose digits are positions of the dimensions.

The dimension that grows (the first time-window one) has the highest digit, so that the positions of its present keys
stay true when it grows. The digits of the others are bounded by how many keys those have when the space is opened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate, islice, product
from math import prod
from operator import mul
from typing import TypeAlias

from ..errors import DefinitionError
from .key_space import KeySpace
from .multi_key import SEPARATOR, MultiPartitionKey
from .spec import DynamicSpec, MultiSpec, PartitionsSpec, StaticSpec, TimeWindowSpec
from .subset import Subset

__all__ = ["Box", "MultiSpace", "check_part", "leading", "positions_stay"]

Box: TypeAlias = Mapping[str, Subset]
"""Of each dimension some positions; all combinations of them are meant."""


def leading(spec: MultiSpec) -> str:
    """The name of the dimension that has the highest digit."""
    times = [each for each in spec.dimensions if isinstance(each.partitions, TimeWindowSpec)]
    endless = [each for each in times if isinstance(each.partitions, TimeWindowSpec) and each.partitions.end is None]
    return [*endless, *times, *spec.dimensions][0].name


def positions_stay(spec: PartitionsSpec) -> bool:
    """Whether a position means the same key at all times, so that it can be stored."""
    match spec:
        case DynamicSpec():
            return False
        case MultiSpec():
            lead = leading(spec)
            return all(
                isinstance(each.partitions, StaticSpec)
                or (each.name == lead and isinstance(each.partitions, TimeWindowSpec))
                for each in spec.dimensions
            )
        case _:
            return True


class MultiSpace:
    """The key space of a set of several dimensions.

    Args:
        spec: The set.
        spaces: The key space of each dimension, by name.
        now: The instant that says how many keys the dimensions without the highest digit have.
    """

    def __init__(self, spec: MultiSpec, spaces: Mapping[str, KeySpace], now: float) -> None:
        self.spec = spec
        self.lead = leading(spec)
        self.names = tuple(each.name for each in spec.dimensions)
        self.spaces = dict(spaces)
        self._order = (self.lead, *(name for name in self.names if name != self.lead))
        self._sizes = {name: self.spaces[name].count(now) for name in self._order[1:]}
        # How far apart positions are that differ by one in the digit of a dimension.
        self._strides = dict(
            zip(
                reversed(self._order),
                accumulate((self._sizes[name] for name in reversed(self._order[1:])), mul, initial=1),
                strict=True,
            )
        )
        self._check_dynamic_keys()

    def count(self, now: float) -> int:
        """How many keys exist at `now`; of the dimensions without the highest digit, those when it was opened."""
        return self.spaces[self.lead].count(now) * self._strides[self.lead]

    def key(self, position: int) -> MultiPartitionKey:
        """The key at a position."""
        return MultiPartitionKey({name: self.spaces[name].key(digit) for name, digit in self._digits(position)})

    def position(self, key: str) -> int | None:
        """The position of a key; None if no position has that key."""
        parts = key.split(SEPARATOR)
        if len(parts) != len(self.names):
            return None
        position = 0
        for name, part in zip(self.names, parts, strict=True):
            digit = self.spaces[name].position(part)
            if digit is None or digit >= self._sizes.get(name, digit + 1):
                return None
            position += digit * self._strides[name]
        return position

    def positions(self, keys: Iterable[str]) -> list[int | None]:
        """The position of each key, as `position` gives it."""
        parts = [key.split(SEPARATOR) for key in keys]
        whole = [each for each in parts if len(each) == len(self.names)]
        shares: list[dict[str, int]] = []  # of each dimension, what each part adds to the position
        for name, own in zip(self.names, zip(*whole, strict=True), strict=False):
            once = dict.fromkeys(own)
            digits = zip(once, self.spaces[name].positions(once), strict=True)
            most = self._sizes.get(name)
            shares.append(
                {
                    part: digit * self._strides[name]
                    for part, digit in digits
                    if digit is not None and (most is None or digit < most)
                }
            )
        found: list[int | None] = []
        for each in parts:
            added = [share.get(part) for share, part in zip(shares, each, strict=False)]
            found.append(None if len(each) != len(self.names) or None in added else sum(added))  # type: ignore[arg-type]
        return found

    def keys(self, start: int, stop: int) -> list[str]:
        """The keys of positions start to stop - 1."""
        if start >= stop:
            return []
        stride = self._strides[self.lead]
        first, last = start // stride, (stop - 1) // stride
        columns = [self.spaces[self.lead].keys(first, last + 1)]
        columns += [self.spaces[name].keys(0, self._sizes[name]) for name in self._order[1:]]
        by_name = [self._order.index(name) for name in self.names]
        rows = islice(product(*columns), start - first * stride, stop - first * stride)
        return [MultiPartitionKey.of_parts(self.names, [row[place] for place in by_name]) for row in rows]

    def size(self, name: str, now: float) -> int:
        """How many keys a dimension has."""
        return self._sizes[name] if name in self._sizes else self.spaces[name].count(now)

    def between(self, first: int, last: int) -> Subset:
        """The positions of all combinations of the stretches, dimension by dimension, from one position to another.

        It is empty if a stretch runs backwards.
        """
        ends = dict(self._digits(last))
        return self.product({name: Subset.span(digit, ends[name] + 1) for name, digit in self._digits(first)})

    def pieces(self, chosen: Subset, at_most: int | None) -> Iterator[tuple[int, int]]:
        """A part of the set as ranges: of each the first and the last position, as `between` takes them.

        Args:
            chosen: The part.
            at_most: How many partitions a range may have; None for any number.
        """
        for box in self.boxes(chosen):
            for stretches in product(*(box[name].ranges for name in self._order)):
                yield from self._split(list(stretches), at_most)

    def _split(self, stretches: list[tuple[int, int]], at_most: int | None) -> Iterator[tuple[int, int]]:
        longest = max(range(len(stretches)), key=lambda place: stretches[place][1] - stretches[place][0])
        start, stop = stretches[longest]
        if at_most is None or stop == start + 1 or prod(high - low for low, high in stretches) <= at_most:
            ends = [(low, high - 1) for low, high in stretches]
            first, last = (sum(map(mul, each, self._in_order())) for each in zip(*ends, strict=True))
            yield first, last
            return
        middle = (start + stop) // 2
        for half in ((start, middle), (middle, stop)):
            yield from self._split([*stretches[:longest], half, *stretches[longest + 1 :]], at_most)

    def _in_order(self) -> list[int]:
        return [self._strides[name] for name in self._order]

    def product(self, box: Box) -> Subset:
        """The positions of all combinations of some positions of each dimension."""
        if not all(box.values()):
            return Subset()
        inner = Subset.span(0, 1)
        for name in reversed(self._order):
            stride, own = self._strides[name], box[name]
            if inner == Subset.span(0, stride):
                inner = Subset(tuple((start * stride, stop * stride) for start, stop in own.ranges))
            else:
                inner = Subset.of_ranges(
                    (digit * stride + start, digit * stride + stop) for digit in own for start, stop in inner.ranges
                )
        return inner

    def boxes(self, chosen: Subset) -> Iterator[Box]:
        """A part of the set, taken apart into products."""
        alike: dict[tuple[Subset, ...], list[tuple[int, int]]] = {}
        for start, stop in chosen.ranges:
            for outer, *rest in self._boxes(start, stop, 0):
                alike.setdefault(tuple(rest), []).extend(outer.ranges)
        for rest_of_box, ranges in alike.items():
            yield dict(zip(self._order, (Subset.of_ranges(ranges), *rest_of_box), strict=True))

    def _boxes(self, start: int, stop: int, place: int) -> Iterator[tuple[Subset, ...]]:
        name = self._order[place]
        if place == len(self._order) - 1:
            yield (Subset.span(start, stop),)
            return
        stride = self._strides[name]
        first, within_first = divmod(start, stride)
        last, within_last = divmod(stop, stride)
        if first == last:
            for box in self._boxes(within_first, within_last, place + 1):
                yield (Subset.span(first, first + 1), *box)
            return
        if within_first:
            for box in self._boxes(within_first, stride, place + 1):
                yield (Subset.span(first, first + 1), *box)
            first += 1
        if first < last:
            yield (
                Subset.span(first, last),
                *(Subset.span(0, self._sizes[each]) for each in self._order[place + 1 :]),
            )
        if within_last:
            for box in self._boxes(0, within_last, place + 1):
                yield (Subset.span(last, last + 1), *box)

    def _digits(self, position: int) -> Iterator[tuple[str, int]]:
        for name in self._order:
            digit, position = divmod(position, self._strides[name])
            yield name, digit

    def _check_dynamic_keys(self) -> None:
        for each in self.spec.dimensions:
            if isinstance(each.partitions, DynamicSpec):
                space = self.spaces[each.name]
                for key in space.keys(0, space.count(0)):
                    check_part(each.name, key)


def check_part(dimension: str, key: str) -> None:
    """Raise `DefinitionError` if a key cannot be that of one dimension of several."""
    if SEPARATOR in key:
        raise DefinitionError(
            f'The key {key!r} of dimension {dimension!r} contains "{SEPARATOR}", which joins the keys of dimensions; '
            "write it otherwise."
        )
