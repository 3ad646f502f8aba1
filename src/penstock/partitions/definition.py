"""Partition sets as users declare them: thin faces over the specs, and the sets that list their keys."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import DefinitionError, PartitionNotFoundError
from ..wording import nearest_name
from .loading import DynamicPartitionsStore, seconds, store_or_current
from .requests import AddDynamicPartitionsRequest, DeleteDynamicPartitionsRequest
from .space import KeySpace, between, open_space
from .spec import DynamicSpec, MultiSpec, PartitionsSpec, StaticSpec
from .subset import Subset

if TYPE_CHECKING:
    from .partitions_subset import PartitionsSubset

__all__ = [
    "DynamicPartitionsDefinition",
    "Partition",
    "PartitionKeyRange",
    "PartitionsDefinition",
    "StaticPartitionsDefinition",
    "keys_of",
    "position_of",
    "subset_of",
]


class Partition:
    """A value with the key of its partition.

    Args:
        value: The value.
        name: The key; the value's text if not given.
    """

    __slots__ = ("name", "value")

    def __init__(self, value: Any, name: str | None = None) -> None:
        self.value = value
        self.name = str(value) if name is None else name


class PartitionKeyRange(NamedTuple):
    """A stretch of partitions, from `start` to `end`, both included.

    Args:
        start: The first key.
        end: The last key.
    """

    start: str
    end: str


class PartitionsDefinition(ABC):
    """A set of partition keys.

    Where a method takes `current_time`, a time-window set counts the keys that exist then; without it, those of now.
    A `datetime` without a time zone is read as UTC. `dynamic_partitions_store` is asked by dynamic sets alone. Where a
    call names neither, those of the `partition_loading_context` around it count.
    """

    @property
    @abstractmethod
    def spec(self) -> PartitionsSpec:
        """The set as a record."""

    def space(
        self, dynamic_partitions_store: DynamicPartitionsStore | None = None, now: float | None = None
    ) -> KeySpace:
        """The set's positions and keys; see `open_space`."""
        store = store_or_current(dynamic_partitions_store)
        return open_space(
            self.spec,
            store.get_dynamic_partitions if store is not None else None,
            seconds(None) if now is None else now,
        )

    def get_partition_keys(
        self,
        current_time: datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> Sequence[str]:
        """All keys, in order."""
        now = seconds(current_time)
        space = self.space(dynamic_partitions_store, now)
        return space.keys(0, space.count(now))

    def get_num_partitions(
        self,
        current_time: datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> int:
        """How many keys there are."""
        now = seconds(current_time)
        return self.space(dynamic_partitions_store, now).count(now)

    def has_partition_key(
        self,
        partition_key: str,
        current_time: datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> bool:
        """Whether there is such a key."""
        now = seconds(current_time)
        space = self.space(dynamic_partitions_store, now)
        position = space.position(partition_key)
        return position is not None and position < space.count(now)

    def get_first_partition_key(
        self,
        current_time: datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> str | None:
        """The first key, or None if there is none."""
        now = seconds(current_time)
        space = self.space(dynamic_partitions_store, now)
        return space.key(0) if space.count(now) else None

    def get_last_partition_key(
        self,
        current_time: datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> str | None:
        """The last key, or None if there is none."""
        now = seconds(current_time)
        space = self.space(dynamic_partitions_store, now)
        count = space.count(now)
        return space.key(count - 1) if count else None

    def get_partition_keys_in_range(
        self,
        partition_key_range: PartitionKeyRange,
        current_time: datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> Sequence[str]:
        """The keys of a range, in order.

        A range of a set of several dimensions is one of each dimension, and all combinations of those.

        Raises:
            PartitionNotFoundError: A key of the range does not exist.
        """
        now = seconds(current_time)
        space = self.space(dynamic_partitions_store, now)
        first = position_of(space, partition_key_range.start, now)
        last = position_of(space, partition_key_range.end, now)
        return keys_of(space, between(space, first, last))

    def validate_partition_key(
        self,
        partition_key: str,
        current_time: datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> None:
        """Raise `PartitionNotFoundError` if there is no such key."""
        now = seconds(current_time)
        position_of(self.space(dynamic_partitions_store, now), partition_key, now)

    def empty_subset(self, dynamic_partitions_store: DynamicPartitionsStore | None = None) -> PartitionsSubset:
        """No partition of the set, to add some to."""
        from .partitions_subset import PartitionsSubset

        return PartitionsSubset(self, self.space(dynamic_partitions_store), Subset())

    def subset_with_partition_keys(
        self, partition_keys: Iterable[str], dynamic_partitions_store: DynamicPartitionsStore | None = None
    ) -> PartitionsSubset:
        """Some partitions of the set."""
        return self.empty_subset(dynamic_partitions_store).with_partition_keys(partition_keys)

    def subset_with_all_partitions(
        self,
        current_time: datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> PartitionsSubset:
        """All partitions of the set."""
        empty = self.empty_subset(dynamic_partitions_store)
        return empty.with_positions(Subset.span(0, empty.space.count(seconds(current_time))))

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
            raise DefinitionError(
                f"The partition keys are a list of texts, not the text {partition_keys!r}; give [{partition_keys!r}]."
            )
        for key in partition_keys:
            check_key(key)
        twice = [key for key, count in Counter(partition_keys).items() if count > 1]
        if twice:
            raise DefinitionError(f"The partition key {twice[0]!r} occurs more than once; remove one.")
        self._spec = StaticSpec(keys=tuple(partition_keys))

    @property
    def spec(self) -> StaticSpec:
        """The set as a record."""
        return self._spec


class DynamicPartitionsDefinition(PartitionsDefinition):
    """A set whose keys change: added and removed at run time, or given by a function.

    Args:
        partition_fn: Gives the keys; it gets the time that counts as now, or None. Pages show what it gave when the
            code was loaded.
        name: The name under which the instance keeps the keys.

    Raises:
        DefinitionError: Not exactly one of the two is given.
    """

    def __init__(
        self,
        partition_fn: Callable[[datetime | None], Sequence[str | Partition]] | None = None,
        name: str | None = None,
    ) -> None:
        if (partition_fn is None) == (name is None) or name == "":
            raise DefinitionError(
                "A dynamic partition set needs either a name that is not empty, under which the instance keeps its "
                "keys, or a partition_fn that gives them."
            )
        self.name = name
        self.partition_fn = partition_fn

    @property
    def spec(self) -> DynamicSpec | StaticSpec:
        """The set as a record; of a function's set, what the function gives now."""
        return self._spec_at(None)

    def space(
        self, dynamic_partitions_store: DynamicPartitionsStore | None = None, now: float | None = None
    ) -> KeySpace:
        """The set's positions and keys; see `open_space`."""
        if self.partition_fn is None:
            return super().space(dynamic_partitions_store, now)
        return open_space(self._spec_at(datetime.fromtimestamp(seconds(None) if now is None else now, UTC)))

    def build_add_request(self, partition_keys: Sequence[str]) -> AddDynamicPartitionsRequest:
        """A request, for the result of a sensor, to add keys to this set."""
        return AddDynamicPartitionsRequest(self._name(), [check_key(key) for key in partition_keys])

    def build_delete_request(self, partition_keys: Sequence[str]) -> DeleteDynamicPartitionsRequest:
        """A request, for the result of a sensor, to remove keys from this set."""
        return DeleteDynamicPartitionsRequest(self._name(), list(partition_keys))

    def _name(self) -> str:
        if self.name is None:
            raise DefinitionError("The keys of a dynamic partition set come from its partition_fn; none can be added.")
        return self.name

    def _spec_at(self, moment: datetime | None) -> DynamicSpec | StaticSpec:
        if self.partition_fn is None:
            return DynamicSpec(name=self._name())
        given = self.partition_fn(moment)
        return StaticPartitionsDefinition([each.name if isinstance(each, Partition) else each for each in given]).spec

    def __eq__(self, other: object) -> bool:
        if isinstance(other, DynamicPartitionsDefinition):
            return (self.name, self.partition_fn) == (other.name, other.partition_fn)
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.name, self.partition_fn))

    def __repr__(self) -> str:
        return f"DynamicPartitionsDefinition({self.name or self.partition_fn!r})"


def check_key(key: object) -> str:
    """The key itself, if it can be one; raises `DefinitionError` otherwise."""
    if not isinstance(key, str) or not key or not key.isprintable() or "..." in key:
        raise DefinitionError(
            f"{key!r} cannot be a partition key; "
            'a key is a text of printable characters, not empty, without "..." (which writes ranges).'
        )
    return key


def position_of(space: KeySpace, key: str, now: float) -> int:
    """The position of a key that exists at `now`; raises `PartitionNotFoundError` otherwise."""
    position = space.position(key)
    count = space.count(now)
    if position is None or position >= count:
        near = nearest_name(key, space.spec.keys) if isinstance(space.spec, StaticSpec) else None
        if near is not None:
            raise PartitionNotFoundError(f'There is no partition {key!r}; did you mean "{near}"?')
        if isinstance(space.spec, MultiSpec) and count:
            names = "|".join(dimension.name for dimension in space.spec.dimensions)
            raise PartitionNotFoundError(
                f"There is no partition {key!r}; a key here is {names}, for example {space.key(0)!r}."
            )
        known = f"the keys go from {space.key(0)!r} to {space.key(count - 1)!r}" if count else "there are no keys yet"
        raise PartitionNotFoundError(f"There is no partition {key!r}; {known}.")
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
