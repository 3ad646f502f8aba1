"""Jobs, their partitions, and their run config's schema."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...config.scaffold import scaffold
from ...config.schema import ConfigType
from ...records.automation import TickStatus
from ...records.run import Run
from ...storage.protocols import RunFilter
from .context import Context
from .failures import Result
from .fields import Fields
from .find import instigation_of_schedule, instigation_of_sensor, job_named
from .inputs import PipelineSelector
from .keys import Pair, pairs
from .metadata import Entry, entries
from .new_runs import checked_plan, require_no_mode
from .nodes import JobNode, PlanNode, ScheduleNode, SensorNode, StepNode, place
from .pages import page_size
from .partitions import PartitionKeys, keys_page, open_set
from .run_config import as_yaml, run_config_of
from .steps import ExecutionPlan, plan_of
from .ticks import JobTick

__all__ = ["TABLES"]

_QUERY = Fields("Query", source=type(None))
_JOB = Fields("Job", "Pipeline", source=JobNode)

TABLES = (_QUERY, _JOB)


class RunConfigSchema(Result, frozen=True, kw_only=True):
    """The schema of a job's run config, and the least that fits it."""

    config_tree: ConfigType
    root_default_yaml: str


class PipelineConfigValidationValid(Result, frozen=True, kw_only=True):
    """The run config fits."""

    pipeline_name: str


@_QUERY.field
def pipeline_or_error(_source: None, context: Context, params: PipelineSelector) -> JobNode:
    return job_named(context, params, params.job)


@_QUERY.field
def run_config_schema_or_error(
    _source: None, context: Context, selector: PipelineSelector, mode: str | None = None
) -> RunConfigSchema:
    require_no_mode(mode)
    job = job_named(context, selector, selector.job).job
    # What user code gives for a partition must not be hidden by a start that is sent along.
    start = {} if job.config_by_partition else job.default_config or scaffold(job.config_schema)
    return RunConfigSchema(config_tree=job.config_schema, root_default_yaml=as_yaml(start))


@_QUERY.field
def is_pipeline_config_valid(
    _source: None,
    context: Context,
    pipeline: PipelineSelector,
    run_config_data: Any = None,
    mode: str | None = None,
) -> PipelineConfigValidationValid:
    require_no_mode(mode)
    node = job_named(context, pipeline, pipeline.job)
    checked_plan(context, node, pipeline, run_config_of(run_config_data, node.job.name))
    return PipelineConfigValidationValid(pipeline_name=node.job.name)


@_QUERY.field
def execution_plan_or_error(
    _source: None,
    context: Context,
    pipeline: PipelineSelector,
    run_config_data: Any = None,
    mode: str | None = None,
) -> ExecutionPlan:
    require_no_mode(mode)
    node = job_named(context, pipeline, pipeline.job)
    return plan_of(checked_plan(context, node, pipeline, run_config_of(run_config_data, node.job.name)))


# -- a job -------------------------------------------------------------------------------------------------------------

_JOB.rename(
    name="job.name",
    description="job.description",
    repository="location",
    owners="job.owners",
    asset_keys="job.assets",
    is_asset_job="job.is_asset_job",
)


@_JOB.named("id")
def job_id(node: JobNode, _: Context) -> str:
    return f"{node.location.stored.name}/{node.job.name}"


@_JOB.field
def is_job(_node: JobNode, _: Context) -> bool:
    return True


@_JOB.field
def tags(node: JobNode, _: Context) -> Iterable[Pair]:
    return pairs(node.job.tags)


@_JOB.field
def run_tags(node: JobNode, _: Context) -> Iterable[Pair]:
    return pairs({**node.job.tags, **node.job.run_tags})


@_JOB.field
def metadata_entries(node: JobNode, _: Context) -> list[Entry]:
    return entries(node.job.metadata)


@_JOB.field
def steps(node: JobNode, _: Context) -> list[StepNode]:
    return PlanNode.of(node.job).step_nodes()


@_JOB.field
def schedules(node: JobNode, _: Context) -> list[ScheduleNode]:
    return [ScheduleNode(node.location, each) for each in node.location.schedules.values() if each.job == node.job.name]


@_JOB.field
def sensors(node: JobNode, _: Context) -> list[SensorNode]:
    return [SensorNode(node.location, each) for each in node.location.sensors.values() if node.job.name in each.jobs]


@_JOB.field
def failed_ticks(node: JobNode, context: Context, limit: int | None = None) -> list[JobTick]:
    size = page_size(limit, 5)
    states = [instigation_of_schedule(context, each) for each in schedules(node, context)]
    states += [instigation_of_sensor(context, each) for each in sensors(node, context)]
    found = [
        JobTick(instigation_state=state, tick=tick)
        for state in states
        if state.stored is not None
        for tick in context.storage.instigators.ticks(state.id, statuses=(TickStatus.FAILURE,), limit=size)
    ]
    return sorted(found, key=lambda each: each.tick.id, reverse=True)[:size]


@_JOB.field
def runs(node: JobNode, context: Context, cursor: str | None = None, limit: int | None = None) -> list[Run]:
    if cursor is None:
        return context.latest_runs.get((node.location.stored.name, node.job.name), page_size(limit, 25))
    where = RunFilter(job=node.job.name, location=node.location.stored.name)
    found = context.storage.runs.search(where, limit=page_size(limit, 25), before=cursor).runs
    context.expect_runs(found)
    return list(found)


@_JOB.field
def is_partitioned(node: JobNode, _: Context) -> bool:
    return node.job.partitions is not None


@_JOB.field
def partition_keys_or_error(
    node: JobNode, context: Context, cursor: str | None = None, limit: int | None = None, reverse: bool | None = None
) -> PartitionKeys:
    if node.job.partitions is None:
        return PartitionKeys()
    return keys_page(open_set(context, node.job.partitions), cursor, limit, reverse)


@_JOB.field
def partition_key_count(node: JobNode, context: Context) -> int:
    return 0 if node.job.partitions is None else open_set(context, node.job.partitions).size


@_JOB.field
def source_ref(node: JobNode, _: Context) -> str | None:
    return place(node.job.source)
