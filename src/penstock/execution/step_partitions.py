"""Which partitions a step works on, and which partitions of the assets that it reads it loads."""

from __future__ import annotations

from collections.abc import Sequence

from ..partitions.definition import PartitionKeyRange, PartitionsDefinition
from ..partitions.dependency import upstream_keys
from ..partitions.loading import DynamicPartitionsStore
from ..partitions.multi import as_partition_key
from ..plan.model import FromAsset
from ..records.run import Run, Tag
from ..storage.protocols import Storage

__all__ = ["StoredDynamicPartitions", "own_partitions", "upstream_partitions"]


class StoredDynamicPartitions:
    """The keys of dynamic partition sets as the storage has them."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def get_dynamic_partitions(self, partitions_def_name: str) -> Sequence[str]:
        """The keys of the set of that name, in the order in which they were added."""
        return self._storage.assets.dynamic_partitions(partitions_def_name)


def own_partitions(
    run: Run, partitions: PartitionsDefinition | None, dynamic: DynamicPartitionsStore | None
) -> tuple[str, ...]:
    """The partitions that a run works on: one, those of a range, or none.

    Args:
        run: The run.
        partitions: The partitions of the step's assets, or of the job.
        dynamic: Knows the keys of dynamic sets.

    Raises:
        PartitionNotFoundError: An end of the range does not exist, or the key is not of the form of the set.
    """
    if run.partition is not None:
        return (as_partition_key(partitions, run.partition),)
    start, end = run.tags.get(Tag.PARTITION_RANGE_START), run.tags.get(Tag.PARTITION_RANGE_END)
    if start is None or end is None or partitions is None:
        return ()
    keys = partitions.get_partition_keys_in_range(PartitionKeyRange(start, end), dynamic_partitions_store=dynamic)
    return tuple(keys)


def upstream_partitions(
    source: FromAsset,
    partitions: PartitionsDefinition | None,
    keys: Sequence[str],
    now: float,
    dynamic: DynamicPartitionsStore | None,
) -> Sequence[str] | None:
    """The partitions of an asset to load; None if it has none.

    Args:
        source: The asset that is read.
        partitions: The partitions of the step's own assets.
        keys: The partitions that the run works on.
        now: The time, in seconds since the epoch: it says which partitions exist.
        dynamic: Knows the keys of dynamic sets.

    Raises:
        NotFoundError: A partition that is needed does not exist.
        DefinitionError: The mapping does not fit the partitions.
    """
    if source.partitions is None:
        return None
    return upstream_keys(
        source.partition_mapping,
        keys if partitions is not None else (),
        partitions,
        source.partitions,
        now=now,
        dynamic_partitions_store=dynamic,
    )
