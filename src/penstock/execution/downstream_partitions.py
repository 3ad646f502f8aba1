"""Which partitions of an asset depend on a partition of an asset that it needs."""

from __future__ import annotations

from ..definitions.assets.graph import AssetNode
from ..errors import DefinitionError
from ..partitions.dependency import downstream_keys as of_keys
from ..partitions.loading import DynamicPartitionsStore
from ..partitions.mapping import PartitionMapping

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
    return of_keys(
        _rule(above, below),
        [partition_key],
        above.partitions_def,
        below.partitions_def,
        now=now,
        dynamic_partitions_store=dynamic,
    )


def _rule(above: AssetNode, below: AssetNode) -> PartitionMapping | None:
    by_key: dict[str, PartitionMapping | None] = {
        dep.asset_key.to_user_string(): dep.partition_mapping for dep in below.spec.deps
    }
    if below.definition is not None:
        by_key |= {given.key: given.partition_mapping for given in below.definition.inputs.values()}
    if above.key in by_key:
        return by_key[above.key]
    raise DefinitionError(f"The asset {below.key} does not depend on {above.key}.")
