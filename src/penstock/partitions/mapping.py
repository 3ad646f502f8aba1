"""Which partitions of an upstream asset the partitions of a downstream one depend on, in closed form."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TypeAlias

import msgspec

from ..errors import DefinitionError, NotFoundError
from .definition import DynamicPartitionsStore, PartitionsDefinition, keys_of, subset_of
from .space import KeySpace
from .spec import PartitionsSpec, TimeWindowSpec
from .subset import Subset
from .time_space import TimeSpace

__all__ = [
    "AllPartitionMapping",
    "IdentityPartitionMapping",
    "LastPartitionMapping",
    "PartitionMapping",
    "PartitionMappingRecord",
    "TimeWindowPartitionMapping",
    "Upstream",
    "default_mapping",
    "upstream_keys",
]

_NAMED = 5


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


class PartitionMapping(msgspec.Struct, frozen=True):
    """A rule that relates the partitions of two assets."""

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


class IdentityPartitionMapping(PartitionMapping, frozen=True, tag="identity"):
    """Each partition depends on the one with the same key."""

    def upstream(self, chosen: Subset, downstream: KeySpace, upstream: KeySpace, now: float) -> Upstream:
        """The partitions with the same keys."""
        if isinstance(downstream, TimeSpace) and isinstance(upstream, TimeSpace) and downstream.spec == upstream.spec:
            return _existing(chosen, upstream, now)
        found, unknown = subset_of(upstream, keys_of(downstream, chosen))
        result = _existing(found, upstream, now)
        return Upstream(
            present=result.present,
            absent=(*unknown, *result.absent)[:_NAMED],
            absent_count=len(unknown) + result.absent_count,
        )


class AllPartitionMapping(PartitionMapping, frozen=True, tag="all"):
    """Each partition depends on all upstream partitions."""

    def upstream(self, chosen: Subset, downstream: KeySpace, upstream: KeySpace, now: float) -> Upstream:
        """All partitions that exist."""
        return Upstream(present=Subset.span(0, upstream.count(now)))


class LastPartitionMapping(PartitionMapping, frozen=True, tag="last"):
    """Each partition depends on the last upstream partition."""

    def upstream(self, chosen: Subset, downstream: KeySpace, upstream: KeySpace, now: float) -> Upstream:
        """The last partition that exists, if there is one."""
        count = upstream.count(now)
        return Upstream(present=Subset.span(max(count - 1, 0), count))


class TimeWindowPartitionMapping(PartitionMapping, frozen=True, tag="time_window"):
    """Each partition depends on the upstream ones whose windows overlap its own.

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
        if not isinstance(downstream, TimeSpace) or not isinstance(upstream, TimeSpace):
            raise DefinitionError(
                "A time-window mapping relates two time-window partition sets; "
                "use another mapping where one of the assets has other partitions."
            )
        ranges = []
        for first, after_last in chosen.ranges:
            start, stop = downstream.begins(first + self.start_offset), downstream.begins(after_last + self.end_offset)
            if start < stop:
                ranges.append((upstream.containing(start), upstream.containing(stop - 1) + 1))
        needed = _existing(Subset.of_ranges(ranges), upstream, now)
        return Upstream(present=needed.present) if self.allow_nonexistent_upstream_partitions else needed


PartitionMappingRecord: TypeAlias = (
    IdentityPartitionMapping | AllPartitionMapping | LastPartitionMapping | TimeWindowPartitionMapping
)
"""The mappings that a location's description can carry."""


def default_mapping(downstream: PartitionsSpec | None, upstream: PartitionsSpec) -> PartitionMappingRecord:
    """The rule that holds where none is given.

    Windows of time depend on those that they overlap, other partitions on those of the same key, and an asset without
    partitions on all.
    """
    if downstream is None:
        return AllPartitionMapping()
    if isinstance(downstream, TimeWindowSpec) and isinstance(upstream, TimeWindowSpec):
        return TimeWindowPartitionMapping()
    return IdentityPartitionMapping()


def upstream_keys(
    mapping: PartitionMapping | None,
    partition_keys: Sequence[str],
    downstream: PartitionsDefinition | None,
    upstream: PartitionsDefinition,
    *,
    now: float,
    dynamic_partitions_store: DynamicPartitionsStore | None = None,
) -> list[str]:
    """The keys of an upstream asset that a step on some partitions reads, in order.

    Args:
        mapping: The rule, or None for the default.
        partition_keys: The keys that the step works on; empty where its asset has no partitions.
        downstream: The partitions of the step's asset, if it has any.
        upstream: The partitions of the upstream asset.
        now: The instant at which partitions exist or not, in seconds since the epoch.
        dynamic_partitions_store: Knows the keys of dynamic sets.

    Raises:
        NotFoundError: A needed upstream partition does not exist, or one of `partition_keys` is no key of `downstream`.
        DefinitionError: The rule does not fit the two sets.
    """
    space = upstream.space(dynamic_partitions_store)
    if downstream is None:
        if not isinstance(mapping, AllPartitionMapping | LastPartitionMapping | None):
            raise DefinitionError(
                f"{type(mapping).__name__} needs partitions on both sides; "
                "for an asset without partitions use AllPartitionMapping or LastPartitionMapping."
            )
        rule = mapping or AllPartitionMapping()
        return keys_of(space, rule.upstream(Subset(), space, space, now).present)
    own = downstream.space(dynamic_partitions_store)
    chosen, unknown = subset_of(own, partition_keys)
    if unknown:
        raise NotFoundError(f"There is no partition {unknown[0]!r} in the set of the step's own asset.")
    rule_or_default = mapping if mapping is not None else default_mapping(downstream.spec, upstream.spec)
    result = rule_or_default.upstream(chosen, own, space, now)
    if result.absent_count:
        named = ", ".join(repr(key) for key in result.absent)
        more = (
            f" and {result.absent_count - len(result.absent)} more" if result.absent_count > len(result.absent) else ""
        )
        raise NotFoundError(
            f"The upstream partitions {named}{more} are needed and do not exist; "
            "set allow_nonexistent_upstream_partitions in the mapping to go on without them."
        )
    return keys_of(space, result.present)


def _existing(needed: Subset, space: KeySpace, now: float) -> Upstream:
    existing = Subset.span(0, space.count(now))
    absent = needed.difference(existing)
    return Upstream(
        present=needed.intersection(existing),
        absent=tuple(space.key(position) for position in islice(absent, _NAMED)),
        absent_count=len(absent),
    )
