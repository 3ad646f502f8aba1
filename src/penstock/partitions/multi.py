"""Partition sets of several dimensions as users declare them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ..errors import DefinitionError, PartitionNotFoundError
from .definition import (
    DynamicPartitionsDefinition,
    PartitionKeyRange,
    PartitionsDefinition,
    StaticPartitionsDefinition,
)
from .loading import DynamicPartitionsStore, seconds
from .multi_key import SEPARATOR, MultiPartitionKey
from .multi_space import MultiSpace, check_part
from .spec import Dimension, MultiSpec, StaticSpec
from .subset import Subset
from .time_window import TimeWindow, TimeWindowPartitionsDefinition

__all__ = ["MultiPartitionsDefinition", "as_partition_key", "time_dimension_of", "time_set_of", "time_window_of"]


class MultiPartitionsDefinition(PartitionsDefinition):
    """One partition for each combination of a key of each of some sets, however many.

    A key is a text that joins theirs with `|`, in the order of the dimensions' names; see `MultiPartitionKey`. Keys are
    in the order of the time-window dimension, if there is one, and within it in that of the others by name.

    Args:
        partitions_defs: The sets, by the names of their dimensions.

    Raises:
        DefinitionError: There are fewer than two, one is of several dimensions itself, or a key contains `|`.
    """

    def __init__(self, partitions_defs: Mapping[str, PartitionsDefinition]) -> None:
        given: object = partitions_defs
        if not isinstance(given, Mapping) or len(given) < 2:
            raise DefinitionError(
                f"A MultiPartitionsDefinition takes a mapping of at least two dimensions to their sets, not {given!r}."
            )
        self._dimensions: dict[str, PartitionsDefinition] = dict(sorted(given.items()))
        for name, partitions in self._dimensions.items():
            _check_dimension(name, partitions)
        self._fixed = not any(_is_computed(each) for each in self._dimensions.values())
        self._spec: MultiSpec | None = None

    @property
    def spec(self) -> MultiSpec:
        """The set as a record."""
        if self._spec is not None and self._fixed:
            return self._spec
        dimensions = []
        for name, partitions in self._dimensions.items():
            spec = partitions.spec
            assert not isinstance(spec, MultiSpec)
            dimensions.append(Dimension(name=name, partitions=spec))
        self._spec = MultiSpec(dimensions=tuple(dimensions))
        return self._spec

    @property
    def partitions_defs(self) -> Mapping[str, PartitionsDefinition]:
        """The sets, by the names of their dimensions, in the order of the names."""
        return dict(self._dimensions)

    @property
    def partition_dimension_names(self) -> list[str]:
        """The names of the dimensions, in order."""
        return list(self._dimensions)

    def get_partitions_def_for_dimension(self, dimension_name: str) -> PartitionsDefinition:
        """The set of a dimension.

        Raises:
            DefinitionError: There is no such dimension.
        """
        found = self._dimensions.get(dimension_name)
        if found is None:
            raise DefinitionError(
                f"There is no partition dimension {dimension_name!r}; there are {', '.join(self._dimensions)}."
            )
        return found

    @property
    def has_time_window_dimension(self) -> bool:
        """Whether exactly one of the dimensions is one of time windows."""
        return time_dimension_of(self) is not None

    @property
    def time_window_dimension(self) -> TimeWindowPartitionsDefinition:
        """The set of the one dimension of time windows.

        Raises:
            DefinitionError: There is none, or there are several.
        """
        found = time_dimension_of(self)
        if found is None:
            raise DefinitionError(
                "Not exactly one of the dimensions "
                f"{', '.join(self._dimensions)} is one of time windows; ask for the dimension by its name."
            )
        return found[1]

    def get_partition_key_from_str(self, partition_key_str: str) -> MultiPartitionKey:
        """The key that a text writes, whether it exists or not.

        Raises:
            PartitionNotFoundError: It is not of as many parts as there are dimensions.
        """
        parts = partition_key_str.split(SEPARATOR)
        if len(parts) != len(self._dimensions):
            raise PartitionNotFoundError(
                f"There is no partition {partition_key_str!r}; a key here joins those of the dimensions "
                f'{", ".join(self._dimensions)} with "{SEPARATOR}".'
            )
        return MultiPartitionKey(dict(zip(self._dimensions, parts, strict=True)))

    def get_multipartition_keys_with_dimension_value(
        self,
        dimension_name: str,
        dimension_partition_key: str,
        current_time: datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> list[str]:
        """The keys that have a given key of one dimension.

        Raises:
            DefinitionError: There is no such dimension.
        """
        self.get_partitions_def_for_dimension(dimension_name)
        now = seconds(current_time)
        space = self.space(dynamic_partitions_store, now)
        assert isinstance(space, MultiSpace)
        digit = space.spaces[dimension_name].position(dimension_partition_key)
        if digit is None or digit >= space.size(dimension_name, now):
            return []
        box = {name: Subset.span(0, space.size(name, now)) for name in space.names}
        chosen = space.product({**box, dimension_name: Subset.span(digit, digit + 1)})
        return [space.key(position) for position in chosen]

    def time_window_for_partition_key(self, partition_key: str) -> TimeWindow:
        """The time window of a key.

        Raises:
            DefinitionError: Not exactly one of the dimensions is one of time windows, or it has no such key.
        """
        time = self.time_window_dimension
        name = next(each for each, partitions in self._dimensions.items() if partitions is time)
        return time.time_window_for_partition_key(
            self.get_partition_key_from_str(partition_key).keys_by_dimension[name]
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MultiPartitionsDefinition) and self._dimensions == other._dimensions

    def __hash__(self) -> int:
        return hash(tuple(self._dimensions.items()))

    def __repr__(self) -> str:
        return f"MultiPartitionsDefinition({self._dimensions!r})"


def time_dimension_of(partitions: PartitionsDefinition | None) -> tuple[str, TimeWindowPartitionsDefinition] | None:
    """Name and set of the one dimension of time windows; None if it is not of several, or has none or more of them."""
    if not isinstance(partitions, MultiPartitionsDefinition):
        return None
    found = [
        (name, each)
        for name, each in partitions.partitions_defs.items()
        if isinstance(each, TimeWindowPartitionsDefinition)
    ]
    return found[0] if len(found) == 1 else None


def time_set_of(partitions: PartitionsDefinition | None) -> TimeWindowPartitionsDefinition | None:
    """The time windows of a set: itself, or its one dimension of them; None if it has none."""
    if isinstance(partitions, TimeWindowPartitionsDefinition):
        return partitions
    dimension = time_dimension_of(partitions)
    return None if dimension is None else dimension[1]


def as_partition_key(partitions: PartitionsDefinition | None, key: str) -> str:
    """A key as user code gets it: a `MultiPartitionKey` where its set is one of several dimensions."""
    if not isinstance(partitions, MultiPartitionsDefinition) or isinstance(key, MultiPartitionKey):
        return key
    return partitions.get_partition_key_from_str(key)


def time_window_of(partitions: PartitionsDefinition | None, keys: PartitionKeyRange) -> TimeWindow | None:
    """The stretch of time from the window of one key to that of another; None if the set has no time windows."""
    if isinstance(partitions, MultiPartitionsDefinition):
        if time_dimension_of(partitions) is None:
            return None
    elif not isinstance(partitions, TimeWindowPartitionsDefinition):
        return None
    first, last = (partitions.time_window_for_partition_key(key) for key in keys)
    return TimeWindow(first.start, last.end)


def _is_computed(partitions: PartitionsDefinition) -> bool:
    return isinstance(partitions, DynamicPartitionsDefinition) and partitions.partition_fn is not None


def _check_dimension(name: object, partitions: object) -> None:
    if not isinstance(name, str) or not name:
        raise DefinitionError(f"{name!r} cannot be the name of a partition dimension; use a text that is not empty.")
    if not isinstance(
        partitions, StaticPartitionsDefinition | TimeWindowPartitionsDefinition | DynamicPartitionsDefinition
    ):
        raise DefinitionError(
            f"The dimension {name!r} is {partitions!r}; it must be a static, time-window or dynamic partition set."
        )
    if isinstance(partitions, StaticPartitionsDefinition):
        spec: StaticSpec = partitions.spec
        for key in spec.keys:
            check_part(name, key)
    if isinstance(partitions, TimeWindowPartitionsDefinition):
        check_part(name, partitions.time_space.key(0))
