"""What user code gives for the runs of partitions: asked of the code server before the runs are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..errors import EnvironmentalError
from ..records.location import JobDescription
from ..records.wire import EvaluatePartitions, PartitionRun
from .catalog import Catalog

__all__ = ["partition_runs"]


def partition_runs(
    catalog: Catalog, location: str, job: JobDescription, keys: Sequence[str]
) -> Mapping[str, PartitionRun]:
    """Run config and tags by partition; nothing where user code has no say.

    Args:
        catalog: Knows the code servers.
        location: The code location.
        job: One of its jobs.
        keys: The partitions, which exist.

    Raises:
        CodeServerUnreachableError: The code server does not answer.
        EnvironmentalError: User code failed; the message has its words.
    """
    if not job.config_by_partition or not keys:
        return {}
    answer = catalog.client(location).partitions(EvaluatePartitions(job=job.name, keys=tuple(keys)))
    if answer.error is not None:
        raise EnvironmentalError(
            f"The code location {location!r} could not give the run config of partitions of job {job.name!r}: "
            f"{answer.error.message}"
        )
    return answer.runs
