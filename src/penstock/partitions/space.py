"""Key spaces: each partition set as positions 0, 1, 2, ... with its keys, whatever kind of set it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Protocol, TypeAlias

from ..errors import DefinitionError
from .spec import DynamicSpec, PartitionsSpec, StaticSpec, TimeWindowSpec
from .time_space import TimeSpace, open_time_space

__all__ = ["DynamicKeys", "KeySpace", "ListedSpace", "open_space"]

DynamicKeys: TypeAlias = Callable[[str], Sequence[str]]
"""Gives the keys, in order, of the dynamic partition set of a name."""


class KeySpace(Protocol):
    """Positions and keys of one partition set. No method looks at a clock."""

    def count(self, now: float) -> int:
        """How many keys exist at `now` (seconds since the epoch); they are those of positions 0 to count - 1."""
        ...

    def key(self, position: int) -> str:
        """The key at a position."""
        ...

    def position(self, key: str) -> int | None:
        """The position of a key, whether it exists yet or not; None if no position has that key."""
        ...

    def keys(self, start: int, stop: int) -> list[str]:
        """The keys of positions start to stop - 1."""
        ...


class ListedSpace:
    """Keys that are listed one by one."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = tuple(keys)
        self._positions = {key: position for position, key in enumerate(self._keys)}

    def count(self, now: float) -> int:
        return len(self._keys)

    def key(self, position: int) -> str:
        return self._keys[position]

    def position(self, key: str) -> int | None:
        return self._positions.get(key)

    def keys(self, start: int, stop: int) -> list[str]:
        return list(self._keys[start:stop])


@lru_cache(maxsize=256)
def _static_space(spec: StaticSpec) -> ListedSpace:
    return ListedSpace(spec.keys)


def open_space(spec: PartitionsSpec, dynamic_keys: DynamicKeys | None = None) -> ListedSpace | TimeSpace:
    """The key space of a partition set.

    Args:
        spec: The set.
        dynamic_keys: Where the keys of dynamic sets come from. They are read once: the space is how the set was then,
            and positions of dynamic keys mean nothing later.

    Raises:
        DefinitionError: The set is dynamic and `dynamic_keys` is not given, or its time zone does not exist.
    """
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
            return ListedSpace(dynamic_keys(spec.name))
