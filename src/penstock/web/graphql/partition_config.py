"""What a run of one partition is given: the run config and tags that user code makes of the partition's key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ...locations.partition_runs import partition_runs
from ...records.wire import PartitionRun
from .context import Context
from .failures import Result
from .fields import Fields
from .keys import Pair, pairs
from .nodes import JobNode
from .partitions import open_set
from .run_config import as_yaml

__all__ = ["TABLES"]


class _RunOfPartition(NamedTuple):
    node: JobNode
    key: str


_JOB = Fields("Job", "Pipeline", source=JobNode)
_RUN = Fields("PartitionTagsAndConfig", source=_RunOfPartition)

TABLES = (_JOB, _RUN)

_RUN.rename(name="key", job_name="node.job.name")


class PartitionRunConfig(Result, frozen=True, kw_only=True):
    """The run config as YAML text."""

    yaml: str


class PartitionTags(Result, frozen=True, kw_only=True):
    """The tags that the run gets besides those of every run."""

    results: Iterable[Pair]


@_JOB.field
def partition(node: JobNode, context: Context, *, partition_name: str) -> _RunOfPartition | None:
    if node.job.partitions is None or not open_set(context, node.job.partitions).has(partition_name):
        return None
    return _RunOfPartition(node, partition_name)


@_RUN.field
def run_config_or_error(run: _RunOfPartition, context: Context) -> PartitionRunConfig:
    return PartitionRunConfig(yaml=as_yaml(_own(run, context).run_config))


@_RUN.field
def tags_or_error(run: _RunOfPartition, context: Context) -> PartitionTags:
    return PartitionTags(results=list(pairs(_own(run, context).tags)))


def _own(run: _RunOfPartition, context: Context) -> PartitionRun:
    """What user code gives for the partition: nothing where it has no say."""
    node = run.node
    found = partition_runs(context.catalog, node.location.stored.name, node.job, [run.key])
    return found.get(run.key, PartitionRun())
