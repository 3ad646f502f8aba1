"""Opens the key space of a partition set, whatever kind of set it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import TypeAlias

from ..clock import SYSTEM_CLOCK
from ..errors import DefinitionError
from .key_space import KeySpace, ListedSpace
from .multi_space import MultiSpace
from .spec import DynamicSpec, MultiSpec, PartitionsSpec, SingleSpec, StaticSpec, TimeWindowSpec
from .subset import Subset
from .time_space import TimeSpace, open_time_space

__all__ = ["DynamicKeys", "KeySpace", "ListedSpace", "between", "open_space", "pieces"]

DynamicKeys: TypeAlias = Callable[[str], Sequence[str]]
"""Gives the keys, in order, of the dynamic partition set of a name."""


@lru_cache(maxsize=256)
def _static_space(spec: StaticSpec) -> ListedSpace:
    return ListedSpace(spec, spec.keys)


def open_space(spec: PartitionsSpec, dynamic_keys: DynamicKeys | None = None, now: float | None = None) -> KeySpace:
    """The key space of a partition set.

    Args:
        spec: The set.
        dynamic_keys: Where the keys of dynamic sets come from. They are read once: the space is how the set was then,
            and positions of dynamic keys mean nothing later.
        now: The time in seconds since the epoch, the clock's if not given: of a set with several time-window
            dimensions it says how many keys those have that do not have the highest digit.

    Raises:
        DefinitionError: The set is dynamic and `dynamic_keys` is not given, or its time zone does not exist.
    """
    if isinstance(spec, MultiSpec):
        spaces = {each.name: _open_single(each.partitions, dynamic_keys) for each in spec.dimensions}
        return MultiSpace(spec, spaces, SYSTEM_CLOCK.now() if now is None else now)
    return _open_single(spec, dynamic_keys)


def _open_single(spec: SingleSpec, dynamic_keys: DynamicKeys | None) -> ListedSpace | TimeSpace:
    match spec:
        case StaticSpec():
            return _static_space(spec)
        case TimeWindowSpec():
            return open_time_space(spec)
        case DynamicSpec():
            if dynamic_keys is None:
                raise DefinitionError(
                    f'The keys of the dynamic partition set "{spec.name}" live in the instance; '
                    "pass the instance as dynamic_partitions_store."
                )
            return ListedSpace(spec, dynamic_keys(spec.name))


def pieces(space: KeySpace, chosen: Subset, at_most: int | None) -> Iterator[tuple[int, int]]:
    """Part of a set as ranges: of each the first and the last position, as `between` takes them.

    Args:
        space: The set.
        chosen: The part.
        at_most: How many partitions a range may have; None for any number.
    """
    if isinstance(space, MultiSpace):
        yield from space.pieces(chosen, at_most)
        return
    for start, stop in chosen.ranges:
        step = stop - start if at_most is None else at_most
        for first in range(start, stop, step):
            yield first, min(first + step, stop) - 1


def between(space: KeySpace, first: int, last: int) -> Subset:
    """The positions of the range from one key to another, both included; empty if it runs backwards.

    A range of a set of several dimensions is one of each dimension, and all combinations of those.
    """
    return space.between(first, last) if isinstance(space, MultiSpace) else Subset.span(first, last + 1)
