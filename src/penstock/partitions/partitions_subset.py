"""Part of a partition set as user code sees it: by keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from .definition import PartitionKeyRange, PartitionsDefinition, keys_of, position_of, subset_of
from .loading import seconds
from .space import KeySpace, between
from .subset import Subset

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PartitionsSubset", "UpstreamPartitionsResult"]


class PartitionsSubset:
    """Some partitions of a set; make one with `PartitionsDefinition.empty_subset` and the methods that add keys.

    Args:
        partitions_def: The set.
        space: The set's positions and keys, as they are now.
        positions: The positions that are meant.
        unknown: Keys that are meant and that the set does not have.
    """

    __slots__ = ("partitions_def", "positions", "space", "unknown")

    def __init__(
        self,
        partitions_def: PartitionsDefinition,
        space: KeySpace,
        positions: Subset,
        unknown: Iterable[str] = (),
    ) -> None:
        self.partitions_def = partitions_def
        self.space = space
        self.positions = positions
        self.unknown = tuple(dict.fromkeys(unknown))

    def get_partition_keys(self) -> Sequence[str]:
        """The keys, in order; those that the set does not have come last."""
        return [*keys_of(self.space, self.positions), *self.unknown]

    def get_partition_key_ranges(self) -> Sequence[PartitionKeyRange]:
        """The keys as stretches of neighbours."""
        return [
            *(
                PartitionKeyRange(self.space.key(start), self.space.key(stop - 1))
                for start, stop in self.positions.ranges
            ),
            *(PartitionKeyRange(key, key) for key in self.unknown),
        ]

    def get_partition_keys_not_in_subset(self, current_time: datetime | None = None) -> Sequence[str]:
        """The other keys of the set, in order."""
        rest = self.positions.complement(0, self.space.count(seconds(current_time)))
        return keys_of(self.space, rest)

    def with_partition_keys(self, partition_keys: Iterable[str]) -> PartitionsSubset:
        """These partitions and others."""
        found, unknown = subset_of(self.space, list(partition_keys))
        return PartitionsSubset(self.partitions_def, self.space, self.positions.union(found), (*self.unknown, *unknown))

    def with_positions(self, positions: Subset) -> PartitionsSubset:
        """These partitions and others, given by their positions in the set."""
        return self._combined(self.positions.union(positions), self.unknown)

    def with_partition_key_range(
        self, partition_key_range: PartitionKeyRange, current_time: datetime | None = None
    ) -> PartitionsSubset:
        """These partitions and those of a range.

        Raises:
            PartitionNotFoundError: An end of the range does not exist.
        """
        first, last = (position_of(self.space, key, seconds(current_time)) for key in partition_key_range)
        return self.with_positions(between(self.space, first, last))

    @property
    def is_empty(self) -> bool:
        """Whether no partition is meant."""
        return not self.positions and not self.unknown

    def __or__(self, other: PartitionsSubset) -> PartitionsSubset:
        return self._combined(other.positions.union(self.positions), (*self.unknown, *other.unknown))

    def __and__(self, other: PartitionsSubset) -> PartitionsSubset:
        unknown = [key for key in self.unknown if key in other.unknown]
        return self._combined(self.positions.intersection(other.positions), unknown)

    def __sub__(self, other: PartitionsSubset) -> PartitionsSubset:
        unknown = [key for key in self.unknown if key not in other.unknown]
        return self._combined(self.positions.difference(other.positions), unknown)

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, str):
            return False
        position = self.space.position(key)
        return key in self.unknown if position is None else position in self.positions

    def __len__(self) -> int:
        return len(self.positions) + len(self.unknown)

    def __bool__(self) -> bool:
        return not self.is_empty

    def __iter__(self) -> Iterator[str]:
        return iter(self.get_partition_keys())

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, PartitionsSubset)
            and self.partitions_def == other.partitions_def
            and self.positions == other.positions
            and set(self.unknown) == set(other.unknown)
        )

    def __hash__(self) -> int:
        return hash((self.positions, frozenset(self.unknown)))

    def __repr__(self) -> str:
        return f"PartitionsSubset({self.partitions_def!r}, {self.get_partition_key_ranges()!r})"

    def _combined(self, positions: Subset, unknown: Iterable[str]) -> PartitionsSubset:
        return PartitionsSubset(self.partitions_def, self.space, positions, unknown)


class UpstreamPartitionsResult:
    """What a `PartitionMapping` of user code answers.

    Args:
        partitions_subset: The upstream partitions that are needed.
        required_but_nonexistent_subset: Those that are needed and do not exist; where there are any, nothing is loaded.
    """

    __slots__ = ("partitions_subset", "required_but_nonexistent_subset")

    def __init__(
        self,
        partitions_subset: PartitionsSubset,
        required_but_nonexistent_subset: PartitionsSubset | None = None,
    ) -> None:
        self.partitions_subset = partitions_subset
        self.required_but_nonexistent_subset = required_but_nonexistent_subset
