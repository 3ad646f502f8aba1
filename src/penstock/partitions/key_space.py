"""What every partition set is to the rest: positions 0, 1, 2, ... with their keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from .spec import DynamicSpec, PartitionsSpec, StaticSpec

__all__ = ["KeySpace", "ListedSpace"]


class KeySpace(Protocol):
    """Positions and keys of one partition set. No method looks at a clock."""

    @property
    def spec(self) -> PartitionsSpec:
        """The set."""
        ...

    def count(self, now: float) -> int:
        """How many keys exist at `now` (seconds since the epoch); they are those of positions 0 to count - 1."""
        ...

    def key(self, position: int) -> str:
        """The key at a position."""
        ...

    def position(self, key: str) -> int | None:
        """The position of a key, whether it exists yet or not; None if no position has that key."""
        ...

    def positions(self, keys: Iterable[str]) -> list[int | None]:
        """The position of each key, as `position` gives it."""
        ...

    def keys(self, start: int, stop: int) -> list[str]:
        """The keys of positions start to stop - 1."""
        ...


class ListedSpace:
    """Keys that are listed one by one."""

    def __init__(self, spec: StaticSpec | DynamicSpec, keys: Sequence[str]) -> None:
        self.spec = spec
        self._keys = tuple(keys)
        self._positions = {key: position for position, key in enumerate(self._keys)}

    def count(self, now: float) -> int:
        return len(self._keys)

    def key(self, position: int) -> str:
        return self._keys[position]

    def position(self, key: str) -> int | None:
        return self._positions.get(key)

    def positions(self, keys: Iterable[str]) -> list[int | None]:
        return [self._positions.get(key) for key in keys]

    def keys(self, start: int, stop: int) -> list[str]:
        return list(self._keys[start:stop])
