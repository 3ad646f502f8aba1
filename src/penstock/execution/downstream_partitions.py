"""Which partitions of an asset depend on a partition of an asset that it needs."""

from __future__ import annotations

from ..definitions.assets.graph import AssetNode
from ..errors import DefinitionError, PartitionNotFoundError
from ..partitions.definition import DynamicPartitionsStore, keys_of
from ..partitions.mapping import PartitionMapping, default_mapping
from ..partitions.subset import Subset

__all__ = ["downstream_keys"]


def downstream_keys(
    partition_key: str, above: AssetNode, below: AssetNode, dynamic: DynamicPartitionsStore, *, now: float
) -> list[str]:
    """The existing partitions of one asset that depend on a partition of another, in order.

    Args:
        partition_key: The partition.
        above: The asset that it is of, which has partitions.
        below: The asset that depends on it, which has partitions.
        dynamic: Knows the keys of dynamic sets.
        now: The time, in seconds since the epoch: it says which partitions exist.

    Raises:
        DefinitionError: The second asset does not depend on the first.
        PartitionNotFoundError: The first asset has no such partition.
    """
    assert above.partitions_def is not None
    assert below.partitions_def is not None
    rule = _rule(above, below) or default_mapping(below.partitions_def.spec, above.partitions_def.spec)
    upper, lower = above.partitions_def.space(dynamic), below.partitions_def.space(dynamic)
    position = upper.position(partition_key)
    if position is None:
        raise PartitionNotFoundError(f"The asset {above.key} has no partition {partition_key!r}.")

    def dependents(start: int, stop: int) -> Subset:
        # A stretch of which no part needs the partition is left out as a whole, so that a long set is not walked.
        span = Subset.span(start, stop)
        if position not in rule.upstream(span, lower, upper, now).present:
            return Subset()
        if stop - start == 1:
            return span
        middle = (start + stop) // 2
        return dependents(start, middle).union(dependents(middle, stop))

    count = lower.count(now)
    return keys_of(lower, dependents(0, count)) if count else []


def _rule(above: AssetNode, below: AssetNode) -> PartitionMapping | None:
    by_key: dict[str, PartitionMapping | None] = {
        dep.asset_key.to_user_string(): dep.partition_mapping for dep in below.spec.deps
    }
    if below.definition is not None:
        by_key |= {given.key: given.partition_mapping for given in below.definition.inputs.values()}
    if above.key in by_key:
        return by_key[above.key]
    raise DefinitionError(f"The asset {below.key} does not depend on {above.key}.")
