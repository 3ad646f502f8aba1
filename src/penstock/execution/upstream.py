"""Which partitions of an asset that it reads a step loads."""

from __future__ import annotations

from collections.abc import Sequence

from ..partitions.definition import PartitionsDefinition
from ..partitions.mapping import upstream_keys
from ..plan.model import FromAsset

__all__ = ["upstream_partitions"]


def upstream_partitions(
    source: FromAsset, partitions: PartitionsDefinition | None, partition_key: str | None, now: float
) -> Sequence[str] | None:
    """The partitions to load; None if the asset has none.

    Args:
        source: The asset that is read.
        partitions: The partitions of the step's own assets.
        partition_key: The partition that the run works on.
        now: The time, in seconds since the epoch: it says which partitions exist.

    Raises:
        NotFoundError: A partition that is needed does not exist.
        DefinitionError: The mapping does not fit the partitions.
    """
    if source.partitions is None:
        return None
    keys = () if partition_key is None else (partition_key,)
    return upstream_keys(source.partition_mapping, keys, partitions, source.partitions, now=now)
