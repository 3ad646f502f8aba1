"""Partition sets as users declare them: thin faces over the specs, and the sets that list their keys."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from ..clock import SYSTEM_CLOCK
from ..errors import DefinitionError, NotFoundError
from .requests import AddDynamicPartitionsRequest, DeleteDynamicPartitionsRequest
from .space import KeySpace, open_space
from .spec import DynamicSpec, PartitionsSpec, StaticSpec
from .subset import Subset

__all__ = [
    "DynamicPartitionsDefinition",
    "DynamicPartitionsStore",
    "PartitionKeyRange",
    "PartitionsDefinition",
    "StaticPartitionsDefinition",
    "keys_of",
    "position_of",
    "seconds",
    "subset_of",
]


class PartitionKeyRange(NamedTuple):
    """A stretch of partitions, from `start` to `end`, both included."""

    start: str
    end: str


class DynamicPartitionsStore(Protocol):
    """Knows the keys of dynamic partition sets; an instance is one."""

    def get_dynamic_partitions(self, partitions_def_name: str) -> Sequence[str]:
        """The keys of the set of that name, in the order in which they were added."""
        ...


class PartitionsDefinition(ABC):
    """A set of partition keys.

    Where a method takes `current_time`, a time-window set counts the keys that exist then; without it, those of now.
    A `datetime` without a time zone is read as UTC. `dynamic_partitions_store` is asked by dynamic sets alone.
    """

    @property
    @abstractmethod
    def spec(self) -> PartitionsSpec:
        """The set as a record."""

    def space(self, dynamic_partitions_store: DynamicPartitionsStore | None = None) -> KeySpace:
        """The set's positions and keys."""
        store = dynamic_partitions_store
        return open_space(self.spec, store.get_dynamic_partitions if store is not None else None)

    def get_partition_keys(
        self,
        current_time: datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> Sequence[str]:
        """All keys, in order."""
        space = self.space(dynamic_partitions_store)
        return space.keys(0, space.count(seconds(current_time)))

    def get_num_partitions(
        self,
        current_time: datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> int:
        """How many keys there are."""
        return self.space(dynamic_partitions_store).count(seconds(current_time))

    def has_partition_key(
        self,
        partition_key: str,
        current_time: datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> bool:
        """Whether there is such a key."""
        space = self.space(dynamic_partitions_store)
        position = space.position(partition_key)
        return position is not None and position < space.count(seconds(current_time))

    def get_first_partition_key(
        self,
        current_time: datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> str | None:
        """The first key, or None if there is none."""
        space = self.space(dynamic_partitions_store)
        return space.key(0) if space.count(seconds(current_time)) else None

    def get_last_partition_key(
        self,
        current_time: datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> str | None:
        """The last key, or None if there is none."""
        space = self.space(dynamic_partitions_store)
        count = space.count(seconds(current_time))
        return space.key(count - 1) if count else None

    def get_partition_keys_in_range(
        self,
        partition_key_range: PartitionKeyRange,
        current_time: datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> Sequence[str]:
        """The keys of a range, in order.

        Raises:
            NotFoundError: A key of the range does not exist.
        """
        space = self.space(dynamic_partitions_store)
        now = seconds(current_time)
        first = position_of(space, partition_key_range.start, now)
        last = position_of(space, partition_key_range.end, now)
        return space.keys(first, last + 1)

    def validate_partition_key(
        self,
        partition_key: str,
        current_time: datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> None:
        """Raise `NotFoundError` if there is no such key."""
        position_of(self.space(dynamic_partitions_store), partition_key, seconds(current_time))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PartitionsDefinition) and self.spec == other.spec

    def __hash__(self) -> int:
        return hash(self.spec)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.spec!r})"


class StaticPartitionsDefinition(PartitionsDefinition):
    """A fixed list of keys.

    Args:
        partition_keys: The keys, in order: texts that differ, without control characters.

    Raises:
        DefinitionError: A key is not valid or occurs twice.
    """

    def __init__(self, partition_keys: Sequence[str]) -> None:
        if isinstance(partition_keys, str):
            raise DefinitionError(f"The partition keys are a list of texts, not the text {partition_keys!r}.")
        for key in partition_keys:
            check_key(key)
        twice = [key for key, count in Counter(partition_keys).items() if count > 1]
        if twice:
            raise DefinitionError(f"The partition key {twice[0]!r} occurs more than once; keys must differ.")
        self._spec = StaticSpec(keys=tuple(partition_keys))

    @property
    def spec(self) -> StaticSpec:
        """The set as a record."""
        return self._spec


class DynamicPartitionsDefinition(PartitionsDefinition):
    """A named set whose keys are added and removed at run time.

    Args:
        name: The name under which the instance keeps the keys.
    """

    def __init__(self, *, name: str) -> None:
        if not name:
            raise DefinitionError("A dynamic partition set needs a name that is not empty.")
        self._spec = DynamicSpec(name=name)

    @property
    def spec(self) -> DynamicSpec:
        """The set as a record."""
        return self._spec

    @property
    def name(self) -> str:
        """The name under which the instance keeps the keys."""
        return self._spec.name

    def build_add_request(self, partition_keys: Sequence[str]) -> AddDynamicPartitionsRequest:
        """A request, for the result of a sensor, to add keys to this set."""
        return AddDynamicPartitionsRequest(self.name, [check_key(key) for key in partition_keys])

    def build_delete_request(self, partition_keys: Sequence[str]) -> DeleteDynamicPartitionsRequest:
        """A request, for the result of a sensor, to remove keys from this set."""
        return DeleteDynamicPartitionsRequest(self.name, list(partition_keys))


def check_key(key: object) -> str:
    """The key itself, if it can be one; raises `DefinitionError` otherwise."""
    if not isinstance(key, str) or not key or not key.isprintable() or "..." in key:
        raise DefinitionError(
            f"{key!r} cannot be a partition key; "
            'a key is a text of printable characters, not empty, without "..." (which writes ranges).'
        )
    return key


def seconds(moment: datetime | None) -> float:
    """The instant that a `current_time` means, in seconds since the epoch."""
    if moment is None:
        return SYSTEM_CLOCK.now()
    if moment.tzinfo is None:
        return (moment - datetime(1970, 1, 1)).total_seconds()  # noqa: DTZ001 - read as UTC, as promised
    return moment.timestamp()


def position_of(space: KeySpace, key: str, now: float) -> int:
    """The position of a key that exists at `now`; raises `NotFoundError` otherwise."""
    position = space.position(key)
    count = space.count(now)
    if position is None or position >= count:
        known = f"the keys go from {space.key(0)!r} to {space.key(count - 1)!r}" if count else "there are no keys yet"
        raise NotFoundError(f"There is no partition {key!r}; {known}.")
    return position


def keys_of(space: KeySpace, subset: Subset) -> list[str]:
    """The keys of part of a set, in order."""
    return [key for start, stop in subset.ranges for key in space.keys(start, stop)]


def subset_of(space: KeySpace, keys: Sequence[str]) -> tuple[Subset, list[str]]:
    """The positions of keys, and those of the keys that the set does not have at any time."""
    positions, unknown = [], []
    for key in keys:
        position = space.position(key)
        if position is None:
            unknown.append(key)
        else:
            positions.append(position)
    return Subset.of(positions), unknown
