"""Which partitions of two assets depend on each other, by a rule of Penstock or of the user, in keys."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import DefinitionError, PartitionNotFoundError
from .definition import PartitionsDefinition, keys_of, subset_of
from .loading import DynamicPartitionsStore, partition_loading_context
from .mapping import (
    AllPartitionMapping,
    ClosedMapping,
    LastPartitionMapping,
    PartitionMapping,
    SpecificPartitionsPartitionMapping,
    Upstream,
)
from .mapping_multi import default_mapping
from .space import KeySpace
from .subset import Subset
from .users_mapping import UsersMapping, closed

__all__ = ["downstream_keys", "upstream_keys"]


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
        PartitionNotFoundError: A needed upstream partition does not exist, or one of `partition_keys` is no key of
            `downstream`.
        DefinitionError: The rule does not fit the two sets.
        UserCodeError: A rule of the user's answered something else than it must.
    """
    with partition_loading_context(dynamic_partitions_store=dynamic_partitions_store):
        rule = _rule(mapping, downstream, upstream)
        space = upstream.space(now=now)
        if downstream is None:
            found = _for_all(rule, space, now)
        else:
            own = downstream.space(now=now)
            found = rule.upstream(_chosen(own, partition_keys), own, space, now)
    if found.absent_count:
        named = ", ".join(repr(str(key)) for key in found.absent)
        left_out = found.absent_count - len(found.absent)
        more = f" and {left_out} more" if left_out > 0 else ""
        raise PartitionNotFoundError(
            f"The upstream partitions {named}{more} are needed and do not exist; a time-window mapping with "
            "allow_nonexistent_upstream_partitions goes on without them."
        )
    return keys_of(space, found.present)


def downstream_keys(
    mapping: PartitionMapping | None,
    partition_keys: Sequence[str],
    upstream: PartitionsDefinition,
    downstream: PartitionsDefinition,
    *,
    now: float,
    dynamic_partitions_store: DynamicPartitionsStore | None = None,
) -> list[str]:
    """The existing keys of a downstream asset that depend on partitions of an upstream one, in order.

    Args:
        mapping: The rule, or None for the default.
        partition_keys: Keys of the upstream asset.
        upstream: The partitions of the upstream asset.
        downstream: The partitions of the downstream asset.
        now: The instant at which partitions exist or not, in seconds since the epoch.
        dynamic_partitions_store: Knows the keys of dynamic sets.

    Raises:
        PartitionNotFoundError: One of `partition_keys` is no key of `upstream`.
        DefinitionError: The rule does not fit the two sets.
        UserCodeError: A rule of the user's answered something else than it must.
    """
    with partition_loading_context(dynamic_partitions_store=dynamic_partitions_store):
        rule = _rule(mapping, downstream, upstream)
        own, space = upstream.space(now=now), downstream.space(now=now)
        return keys_of(space, rule.downstream(_chosen(own, partition_keys), own, space, now))


def _rule(
    mapping: PartitionMapping | None, downstream: PartitionsDefinition | None, upstream: PartitionsDefinition
) -> ClosedMapping:
    if mapping is None:
        return default_mapping(None if downstream is None else downstream.spec, upstream.spec)
    return closed(mapping, downstream, upstream)


def _for_all(rule: ClosedMapping, space: KeySpace, now: float) -> Upstream:
    """What an asset without partitions needs."""
    if not isinstance(
        rule, AllPartitionMapping | LastPartitionMapping | SpecificPartitionsPartitionMapping | UsersMapping
    ):
        raise DefinitionError(
            f"{type(rule).__name__} needs partitions on both sides; for an asset without partitions use "
            "AllPartitionMapping, LastPartitionMapping or SpecificPartitionsPartitionMapping."
        )
    return rule.upstream(Subset(), space, space, now)


def _chosen(space: KeySpace, keys: Sequence[str]) -> Subset:
    positions, unknown = subset_of(space, keys)
    if unknown:
        raise PartitionNotFoundError(f"There is no partition {str(unknown[0])!r} in the set of the asset.")
    return positions
