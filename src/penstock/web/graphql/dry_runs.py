"""Evaluating schedules and sensors now, without effect."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from ...auth.permissions import Permission
from ...config.secrets import redact
from ...engine.overrides import as_overridden, backfill_as_overridden
from ...locations.catalog import CatalogLocation
from ...partitions.requests import PartitionsRequest
from ...records.automation import BackfillRequestRecord, InstigatorState, RunRequestRecord
from ...records.errors import ErrorInfo
from ...records.location import AssetJobName, JobDescription
from ...records.wire import EvaluateSchedule, EvaluateSensor, Evaluation
from .context import Context
from .failures import Result
from .fields import Fields
from .find import instigation_of_schedule, instigation_of_sensor, schedule_named, sensor_named
from .inputs import ScheduleSelector, SensorSelector
from .keys import Pair, pairs
from .run_config import as_yaml

__all__ = ["TABLES"]

_MUTATION = Fields("Mutation", source=type(None))
_REQUEST = Fields("RunRequest", source=RunRequestRecord)
_BACKFILL = Fields("BackfillRequest", source=BackfillRequestRecord)

TABLES = (_MUTATION, _REQUEST, _BACKFILL)


class TickEvaluation(Result, frozen=True, kw_only=True):
    """What an evaluation came to."""

    run_requests: tuple[RunRequestRecord, ...]
    backfill_request: BackfillRequestRecord | None
    dynamic_partitions_requests: tuple[PartitionsRequest, ...]
    skip_reason: str | None
    error: ErrorInfo | None
    cursor: str | None
    logs: tuple[str, ...]


class DryRunInstigationTick(Result, frozen=True, kw_only=True):
    """An evaluation for an instant."""

    timestamp: float
    evaluation_result: TickEvaluation


def _told(
    due: float,
    evaluation: Evaluation,
    location: CatalogLocation | None,
    own_jobs: Sequence[str],
    stored: InstigatorState | None,
) -> DryRunInstigationTick:
    """An answer as it may be shown; a request that names no job means the only one that there is, or assets."""
    override, backfill = None if stored is None else stored.override, evaluation.backfill
    requests = (as_overridden(each, override) for each in evaluation.run_requests)
    jobs = {} if location is None else location.jobs
    unnamed = own_jobs[0] if len(own_jobs) == 1 else AssetJobName
    return DryRunInstigationTick(
        timestamp=due,
        evaluation_result=TickEvaluation(
            run_requests=tuple(_shown(each, jobs.get(each.job or unnamed)) for each in requests),
            backfill_request=None if backfill is None else backfill_as_overridden(backfill, override),
            dynamic_partitions_requests=evaluation.partitions,
            skip_reason=evaluation.skip_reason,
            error=evaluation.error,
            cursor=evaluation.cursor,
            logs=evaluation.log,
        ),
    )


def _shown(request: RunRequestRecord, job: JobDescription | None) -> RunRequestRecord:
    """A request with the secrets of its run config hidden."""
    return request if job is None else replace(request, run_config=redact(job.config_schema, request.run_config))


@_MUTATION.named("sensorDryRun", needs=Permission.EVALUATE)
def sensor_dry_run(
    _source: None, context: Context, selector_data: SensorSelector, cursor: str | None = None
) -> DryRunInstigationTick:
    node = sensor_named(context, selector_data, selector_data.sensor_name)
    found = instigation_of_sensor(context, node)
    context.require(Permission.EVALUATE, found.location)
    stored = found.stored
    question = EvaluateSensor(
        name=found.name,
        due=context.now,
        cursor=cursor if cursor is not None or stored is None else stored.cursor,
        last_run_key=None if stored is None else stored.last_run_key,
        last_tick=None if stored is None else stored.last_tick,
        turned_on=None if stored is None else stored.turned_on,
        timeout=node.sensor.timeout or context.instance.settings.sensors.timeout_seconds,
    )
    answer = context.catalog.client(found.location).evaluate(question)
    return _told(context.now, answer, node.location, node.sensor.jobs, stored)


@_MUTATION.named("scheduleDryRun", needs=Permission.EVALUATE)
def schedule_dry_run(
    _source: None, context: Context, selector_data: ScheduleSelector, timestamp: float | None = None
) -> DryRunInstigationTick:
    node = schedule_named(context, selector_data, selector_data.schedule_name)
    location = node.location.stored.name
    context.require(Permission.EVALUATE, location)
    due = context.now if timestamp is None else timestamp
    limit = node.schedule.timeout or context.instance.settings.schedules.timeout_seconds
    question = EvaluateSchedule(name=node.schedule.name, due=due, timeout=limit)
    answer = context.catalog.client(location).evaluate(question)
    return _told(due, answer, node.location, [node.schedule.job], instigation_of_schedule(context, node).stored)


_REQUEST.rename(job_name="job", asset_selection="assets")
_BACKFILL.rename(asset_selection="assets", num_partitions="size")


@_BACKFILL.named("tags")
def tags_of_backfill(request: BackfillRequestRecord, _: Context) -> Iterable[Pair]:
    return pairs(request.tags)


@_REQUEST.field
def tags(request: RunRequestRecord, _: Context) -> Iterable[Pair]:
    return pairs(request.tags)


@_REQUEST.field
def run_config_yaml(request: RunRequestRecord, _: Context) -> str:
    return as_yaml(request.run_config)
