"""The rules that say which partitions of an upstream asset those of a downstream one depend on, in closed form."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice

import msgspec

from ..errors import DefinitionError
from .definition import PartitionsDefinition, keys_of, subset_of
from .loading import DynamicPartitionsStore, seconds
from .multi_space import positions_stay
from .partitions_subset import PartitionsSubset, UpstreamPartitionsResult
from .space import KeySpace
from .subset import Subset
from .time_space import TimeSpace

__all__ = [
    "NAMED",
    "AllPartitionMapping",
    "ClosedMapping",
    "IdentityPartitionMapping",
    "LastPartitionMapping",
    "PartitionMapping",
    "SpecificPartitionsPartitionMapping",
    "StaticPartitionMapping",
    "TimeWindowPartitionMapping",
    "Upstream",
    "existing",
    "same_positions",
]

NAMED = 5
"""How many of the partitions that do not exist are named."""


class Upstream(msgspec.Struct, frozen=True, kw_only=True):
    """What part of an upstream set is needed.

    Args:
        present: The positions that are needed and exist.
        absent: The first few keys that are needed and do not exist.
        absent_count: How many those are in all.
    """

    present: Subset
    absent: tuple[str, ...] = ()
    absent_count: int = 0


class PartitionMapping:
    """A rule that relates the partitions of two assets. Subclass it for one of your own, and give both methods.

    Both are asked in user code alone, where runs load inputs and conditions are evaluated. The two sets are given as
    `PartitionsDefinition`; an asset without partitions has None.
    """

    __slots__ = ()

    @abstractmethod
    def get_upstream_mapped_partitions_result_for_partitions(
        self,
        downstream_partitions_subset: PartitionsSubset | None,
        downstream_partitions_def: PartitionsDefinition | None,
        upstream_partitions_def: PartitionsDefinition,
        current_time: datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> UpstreamPartitionsResult:
        """The upstream partitions that downstream ones depend on.

        Args:
            downstream_partitions_subset: Those of the downstream asset; None if it has no partitions.
            downstream_partitions_def: Its set.
            upstream_partitions_def: The set of the upstream asset.
            current_time: The time that counts as now.
            dynamic_partitions_store: Knows the keys of dynamic sets.
        """
        raise NotImplementedError

    @abstractmethod
    def get_downstream_partitions_for_partitions(
        self,
        upstream_partitions_subset: PartitionsSubset,
        upstream_partitions_def: PartitionsDefinition,
        downstream_partitions_def: PartitionsDefinition,
        current_time: datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> PartitionsSubset:
        """The downstream partitions that depend on upstream ones.

        Args:
            upstream_partitions_subset: Those of the upstream asset.
            upstream_partitions_def: Its set.
            downstream_partitions_def: The set of the downstream asset.
            current_time: The time that counts as now.
            dynamic_partitions_store: Knows the keys of dynamic sets.
        """
        raise NotImplementedError


class ClosedMapping(PartitionMapping):
    """A rule in terms of positions, which needs no user code and travels as a record."""

    __slots__ = ()

    @abstractmethod
    def upstream(self, chosen: Subset, downstream: KeySpace, upstream: KeySpace, now: float) -> Upstream:
        """The upstream partitions that downstream ones depend on.

        Args:
            chosen: Positions of the downstream set.
            downstream: The downstream set.
            upstream: The upstream set.
            now: The instant at which partitions exist or not, in seconds since the epoch.

        Raises:
            DefinitionError: The rule does not fit these two sets.
        """
        raise NotImplementedError

    @abstractmethod
    def downstream(self, chosen: Subset, upstream: KeySpace, downstream: KeySpace, now: float) -> Subset:
        """The existing downstream partitions that depend on upstream ones.

        Args:
            chosen: Positions of the upstream set.
            upstream: The upstream set.
            downstream: The downstream set.
            now: The instant at which partitions exist or not, in seconds since the epoch.

        Raises:
            DefinitionError: The rule does not fit these two sets.
        """
        raise NotImplementedError

    def get_upstream_mapped_partitions_result_for_partitions(
        self,
        downstream_partitions_subset: PartitionsSubset | None,
        downstream_partitions_def: PartitionsDefinition | None,
        upstream_partitions_def: PartitionsDefinition,
        current_time: datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> UpstreamPartitionsResult:
        """See `PartitionMapping`."""
        now = seconds(current_time)
        space = upstream_partitions_def.space(dynamic_partitions_store, now)
        own = downstream_partitions_subset
        found = (
            self.upstream(Subset(), space, space, now)
            if own is None
            else self.upstream(own.positions, own.space, space, now)
        )
        needed = PartitionsSubset(upstream_partitions_def, space, found.present)
        absent = PartitionsSubset(upstream_partitions_def, space, Subset()).with_partition_keys(found.absent)
        return UpstreamPartitionsResult(needed, absent)

    def get_downstream_partitions_for_partitions(
        self,
        upstream_partitions_subset: PartitionsSubset,
        upstream_partitions_def: PartitionsDefinition,
        downstream_partitions_def: PartitionsDefinition,
        current_time: datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> PartitionsSubset:
        """See `PartitionMapping`."""
        now = seconds(current_time)
        space = downstream_partitions_def.space(dynamic_partitions_store, now)
        own = upstream_partitions_subset
        return PartitionsSubset(downstream_partitions_def, space, self.downstream(own.positions, own.space, space, now))


class IdentityPartitionMapping(ClosedMapping, msgspec.Struct, frozen=True, tag="identity"):
    """Each partition depends on the one with the same key."""

    def upstream(self, chosen: Subset, downstream: KeySpace, upstream: KeySpace, now: float) -> Upstream:
        """The partitions with the same keys."""
        if same_positions(downstream, upstream):
            return existing(chosen, upstream, now)
        found, unknown = subset_of(upstream, keys_of(downstream, chosen))
        result = existing(found, upstream, now)
        return Upstream(
            present=result.present,
            absent=(*unknown, *result.absent)[:NAMED],
            absent_count=len(unknown) + result.absent_count,
        )

    def downstream(self, chosen: Subset, upstream: KeySpace, downstream: KeySpace, now: float) -> Subset:
        """The partitions with the same keys."""
        found = chosen if same_positions(upstream, downstream) else subset_of(downstream, keys_of(upstream, chosen))[0]
        return existing(found, downstream, now).present


class AllPartitionMapping(ClosedMapping, msgspec.Struct, frozen=True, tag="all"):
    """Each partition depends on all upstream partitions."""

    def upstream(self, chosen: Subset, downstream: KeySpace, upstream: KeySpace, now: float) -> Upstream:
        """All partitions that exist."""
        return Upstream(present=Subset.span(0, upstream.count(now)))

    def downstream(self, chosen: Subset, upstream: KeySpace, downstream: KeySpace, now: float) -> Subset:
        """All partitions, if any is chosen."""
        return Subset.span(0, downstream.count(now)) if chosen else Subset()


class LastPartitionMapping(ClosedMapping, msgspec.Struct, frozen=True, tag="last"):
    """Each partition depends on the last upstream partition."""

    def upstream(self, chosen: Subset, downstream: KeySpace, upstream: KeySpace, now: float) -> Upstream:
        """The last partition that exists, if there is one."""
        count = upstream.count(now)
        return Upstream(present=Subset.span(max(count - 1, 0), count))

    def downstream(self, chosen: Subset, upstream: KeySpace, downstream: KeySpace, now: float) -> Subset:
        """All partitions, if the last one is chosen."""
        return Subset.span(0, downstream.count(now)) if upstream.count(now) - 1 in chosen else Subset()


class SpecificPartitionsPartitionMapping(ClosedMapping, msgspec.Struct, frozen=True, tag="specific"):
    """Each partition depends on the same fixed upstream partitions.

    Args:
        partition_keys: Their keys.
    """

    partition_keys: Sequence[str]

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "partition_keys", _texts(self.partition_keys, "partition_keys"))

    def upstream(self, chosen: Subset, downstream: KeySpace, upstream: KeySpace, now: float) -> Upstream:
        """The fixed partitions."""
        found, unknown = subset_of(upstream, self.partition_keys)
        result = existing(found, upstream, now)
        return Upstream(
            present=result.present,
            absent=(*unknown, *result.absent)[:NAMED],
            absent_count=len(unknown) + result.absent_count,
        )

    def downstream(self, chosen: Subset, upstream: KeySpace, downstream: KeySpace, now: float) -> Subset:
        """All partitions, if one of the fixed ones is chosen."""
        found, _ = subset_of(upstream, self.partition_keys)
        return Subset.span(0, downstream.count(now)) if found.intersection(chosen) else Subset()


class StaticPartitionMapping(ClosedMapping, msgspec.Struct, frozen=True, tag="static"):
    """Upstream and downstream partitions are related one by one.

    Args:
        downstream_partition_keys_by_upstream_partition_key: For an upstream key, the one or several downstream keys
            that depend on it.
    """

    downstream_partition_keys_by_upstream_partition_key: Mapping[str, str | Sequence[str]]

    def __post_init__(self) -> None:
        given = self.downstream_partition_keys_by_upstream_partition_key
        if not isinstance(given, Mapping):
            raise DefinitionError(f"A StaticPartitionMapping takes a mapping of keys to keys, not {given!r}.")
        pairs = {key: (value,) if isinstance(value, str) else _texts(value, key) for key, value in given.items()}
        msgspec.structs.force_setattr(self, "downstream_partition_keys_by_upstream_partition_key", pairs)

    def __hash__(self) -> int:
        return hash(tuple(self._pairs()))

    def upstream(self, chosen: Subset, downstream: KeySpace, upstream: KeySpace, now: float) -> Upstream:
        """The partitions that the chosen ones are paired with."""
        positions = self._paired(chosen, downstream, upstream, lambda pair: (pair[1], pair[0]))
        return existing(Subset.of(positions), upstream, now)

    def downstream(self, chosen: Subset, upstream: KeySpace, downstream: KeySpace, now: float) -> Subset:
        """The partitions that the chosen ones are paired with."""
        positions = self._paired(chosen, upstream, downstream, lambda pair: pair)
        return existing(Subset.of(positions), downstream, now).present

    def _pairs(self) -> Iterable[tuple[str, str]]:
        for upstream, downstream in self.downstream_partition_keys_by_upstream_partition_key.items():
            for each in downstream:
                yield upstream, each

    def _paired(
        self,
        chosen: Subset,
        near: KeySpace,
        far: KeySpace,
        towards: Callable[[tuple[str, str]], tuple[str, str]],
    ) -> Iterable[int]:
        for start, end in map(towards, self._pairs()):
            at, to = near.position(start), far.position(end)
            if at is None or to is None:
                missing = start if at is None else end
                raise DefinitionError(f"A StaticPartitionMapping names {missing!r}, which is no partition of the set.")
            if at in chosen:
                yield to


class TimeWindowPartitionMapping(ClosedMapping, msgspec.Struct, frozen=True, tag="time_window"):
    """Each partition depends on the upstream ones whose windows overlap its own.

    What offsets add to the partition's own window is needed only as far as it exists: the first partition of an asset
    that depends on its own previous one has nothing to load.

    Args:
        start_offset: By how many downstream windows the beginning of the stretch lies after (negative: before) that of
            the partition's own window.
        end_offset: The same for its end.
        allow_nonexistent_upstream_partitions: Leave out upstream partitions that do not exist, instead of failing.
    """

    start_offset: int = 0
    end_offset: int = 0
    allow_nonexistent_upstream_partitions: bool = False

    def __post_init__(self) -> None:
        if self.start_offset > self.end_offset:
            raise DefinitionError(
                f"A time-window mapping from offset {self.start_offset} to {self.end_offset} covers no time; "
                "start_offset must not be greater than end_offset."
            )

    def upstream(self, chosen: Subset, downstream: KeySpace, upstream: KeySpace, now: float) -> Upstream:
        """The partitions whose windows overlap."""
        own, other = _two_times(downstream, upstream)
        moved = Subset.of_ranges(
            (first + self.start_offset, after_last + self.end_offset) for first, after_last in chosen.ranges
        )
        needed = _overlapping(moved, own, other)
        found = existing(needed, upstream, now)
        if self.allow_nonexistent_upstream_partitions or not found.absent_count:
            return Upstream(present=found.present)
        missing = existing(needed.intersection(_overlapping(chosen, own, other)), upstream, now)
        return Upstream(present=found.present, absent=missing.absent, absent_count=missing.absent_count)

    def downstream(self, chosen: Subset, upstream: KeySpace, downstream: KeySpace, now: float) -> Subset:
        """The partitions whose windows, moved by the offsets, overlap."""
        other, own = _two_times(upstream, downstream)
        touched = _overlapping(chosen, other, own)
        moved = Subset.of_ranges(
            (first - self.end_offset, after_last - self.start_offset) for first, after_last in touched.ranges
        )
        return existing(moved, downstream, now).present


def existing(needed: Subset, space: KeySpace, now: float) -> Upstream:
    """Which of some positions exist, and which not."""
    found = Subset.span(0, space.count(now))
    absent = needed.difference(found)
    return Upstream(
        present=needed.intersection(found),
        absent=tuple(space.key(position) for position in islice(absent, NAMED)),
        absent_count=len(absent),
    )


def same_positions(one: KeySpace, other: KeySpace) -> bool:
    """Whether a position means the same key in both."""
    return one is other or (one.spec == other.spec and positions_stay(one.spec))


def _two_times(one: KeySpace, other: KeySpace) -> tuple[TimeSpace, TimeSpace]:
    if not isinstance(one, TimeSpace) or not isinstance(other, TimeSpace):
        raise DefinitionError(
            "A time-window mapping relates two time-window partition sets; "
            "use another mapping where one of the assets has other partitions."
        )
    return one, other


def _overlapping(chosen: Subset, of: TimeSpace, other: TimeSpace) -> Subset:
    """The windows of another set that share time with some of this one."""
    return Subset.of_ranges(span for stretch in of.stretches(chosen) for span in other.overlapping(*stretch).ranges)


def _texts(keys: object, where: str) -> tuple[str, ...]:
    if isinstance(keys, str) or not isinstance(keys, Iterable):
        raise DefinitionError(f"{where} of a partition mapping must be a list of keys, not {keys!r}.")
    return tuple(keys)
