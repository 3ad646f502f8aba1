"""Which partitions of two assets depend on each other, by a rule of Penstock or of the user, in keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from ..errors import DefinitionError, PartitionNotFoundError, UserCodeError
from .definition import PartitionsDefinition, keys_of, subset_of
from .loading import DynamicPartitionsStore
from .mapping import (
    NAMED,
    AllPartitionMapping,
    ClosedMapping,
    LastPartitionMapping,
    PartitionMapping,
    SpecificPartitionsPartitionMapping,
    Upstream,
)
from .mapping_multi import default_mapping
from .partitions_subset import PartitionsSubset, UpstreamPartitionsResult
from .subset import Subset

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
        UserCodeError: A rule of the user's answered something else than an `UpstreamPartitionsResult`.
    """
    chosen = None if downstream is None else _chosen(downstream, partition_keys, now, dynamic_partitions_store)
    if mapping is None or isinstance(mapping, ClosedMapping):
        return _closed(mapping, chosen, upstream, now, dynamic_partitions_store)
    answer: object = mapping.get_upstream_mapped_partitions_result_for_partitions(
        chosen, downstream, upstream, datetime.fromtimestamp(now, UTC), dynamic_partitions_store
    )
    if not isinstance(answer, UpstreamPartitionsResult):
        raise UserCodeError(
            f"{type(mapping).__name__}.get_upstream_mapped_partitions_result_for_partitions answered {answer!r}; "
            "it must answer an UpstreamPartitionsResult."
        )
    absent = answer.required_but_nonexistent_subset
    if absent:
        keys = absent.get_partition_keys()
        raise _missing(keys[:NAMED], len(keys), "")
    return list(answer.partitions_subset.get_partition_keys())


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
        UserCodeError: A rule of the user's answered something else than a `PartitionsSubset`.
    """
    chosen = _chosen(upstream, partition_keys, now, dynamic_partitions_store)
    rule = default_mapping(downstream.spec, upstream.spec) if mapping is None else mapping
    if isinstance(rule, ClosedMapping):
        space = downstream.space(dynamic_partitions_store, now)
        return keys_of(space, rule.downstream(chosen.positions, chosen.space, space, now))
    answer: object = rule.get_downstream_partitions_for_partitions(
        chosen, upstream, downstream, datetime.fromtimestamp(now, UTC), dynamic_partitions_store
    )
    if not isinstance(answer, PartitionsSubset):
        raise UserCodeError(
            f"{type(rule).__name__}.get_downstream_partitions_for_partitions answered {answer!r}; "
            "it must answer a PartitionsSubset."
        )
    return list(answer.get_partition_keys())


def _chosen(
    partitions: PartitionsDefinition, keys: Sequence[str], now: float, store: DynamicPartitionsStore | None
) -> PartitionsSubset:
    space = partitions.space(store, now)
    positions, unknown = subset_of(space, keys)
    if unknown:
        raise PartitionNotFoundError(f"There is no partition {unknown[0]!r} in the set {partitions!r}.")
    return PartitionsSubset(partitions, space, positions)


def _closed(
    mapping: ClosedMapping | None,
    chosen: PartitionsSubset | None,
    upstream: PartitionsDefinition,
    now: float,
    store: DynamicPartitionsStore | None,
) -> list[str]:
    space = upstream.space(store, now)
    rule = mapping
    if rule is None:
        rule = default_mapping(None if chosen is None else chosen.partitions_def.spec, upstream.spec)
    if chosen is None:
        if not isinstance(rule, AllPartitionMapping | LastPartitionMapping | SpecificPartitionsPartitionMapping):
            raise DefinitionError(
                f"{type(rule).__name__} needs partitions on both sides; for an asset without partitions use "
                "AllPartitionMapping, LastPartitionMapping or SpecificPartitionsPartitionMapping."
            )
        found: Upstream = rule.upstream(Subset(), space, space, now)
    else:
        found = rule.upstream(chosen.positions, chosen.space, space, now)
    if found.absent_count:
        remedy = "; set allow_nonexistent_upstream_partitions in a time-window mapping to go on without them"
        raise _missing(found.absent, found.absent_count, remedy)
    return keys_of(space, found.present)


def _missing(keys: Sequence[str], count: int, remedy: str) -> PartitionNotFoundError:
    named = ", ".join(repr(str(key)) for key in keys)
    more = f" and {count - len(keys)} more" if count > len(keys) else ""
    return PartitionNotFoundError(f"The upstream partitions {named}{more} are needed and do not exist{remedy}.")
