"""Runs: pages of them, one of them, and what became of its steps."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from ...codec import decode_json
from ...config.secrets import redact
from ...ids import is_run_id
from ...records.errors import ErrorInfo
from ...records.event import LogsCaptured, RunFailure, StepFailure, StoredEvent
from ...records.location import JobDescription
from ...records.run import Run, RunStatus, StepStats, StepStatus, Tag
from ...storage.protocols import RunFilter, RunSearch
from .context import Context
from .events import EventConnection, events_page
from .failures import InvalidPipelineRunsFilterError, RefusedError, Result, RunGroupNotFoundError
from .fields import Fields
from .find import run_of_id
from .inputs import RunsFilter, tags_of, text_of
from .keys import Pair, pairs
from .nodes import PlanNode
from .pages import page_size
from .run_config import as_yaml
from .steps import ExecutionPlan, plan_of

__all__ = ["TABLES", "assets_made", "plan_of_run"]

_MOST_EVENTS = 10_000

_QUERY = Fields("Query", source=type(None))
_RUN = Fields("Run", source=Run)


class _Page(NamedTuple):
    """A page of runs; `where` is what all of them match, `cursor` where to go on."""

    results: tuple[Run, ...]
    where: RunFilter
    cursor: str | None


_RUNS = Fields("Runs", source=_Page)

TABLES = (_QUERY, _RUN, _RUNS)


class RunGroup(Result, frozen=True, kw_only=True):
    """A run's family of re-executions, oldest first."""

    root_run_id: str
    runs: tuple[Run, ...]


class RunTagKeys(Result, frozen=True, kw_only=True):
    """Tag keys in use."""

    keys: tuple[str, ...]


class PipelineTagAndValues(Result, frozen=True, kw_only=True):
    """A tag key and its values in use."""

    key: str
    values: tuple[str, ...]


class RunTags(Result, frozen=True, kw_only=True):
    """Tag keys with their values."""

    tags: tuple[PipelineTagAndValues, ...]


class RunStatsSnapshot(Result, frozen=True, kw_only=True):
    """Counts of a run's steps and materializations, and its times."""

    steps_succeeded: int
    steps_failed: int
    materializations: int
    enqueued_time: float | None
    launch_time: float | None
    start_time: float | None
    end_time: float | None


class RunFailureInfo(Result, frozen=True, kw_only=True):
    """What ended a failed run."""

    message: str
    step_key: str | None = None
    error: ErrorInfo | None = None
    event_id: str | None = None


class CapturedLogKey(Result, frozen=True, kw_only=True):
    """Where the captured output of steps is kept."""

    log_key: tuple[str, ...]
    file_key: str
    step_keys: tuple[str, ...]


# -- finding runs ------------------------------------------------------------------------------------------------------


@_QUERY.field
def runs_or_error(
    _source: None,
    context: Context,
    filter_: RunsFilter | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> _Page:
    if cursor is not None and not is_run_id(cursor):
        message = f"The cursor {cursor!r} is no run id; give the id of the last run of the page before, or none."
        raise RefusedError(InvalidPipelineRunsFilterError(message=message))
    where = _filter(filter_) if filter_ is not None else RunFilter()
    size = page_size(limit)
    found = context.storage.runs.search(where, limit=size, before=cursor) if size else RunSearch()
    context.expect_runs(found.runs)
    full = found.runs[-1].run_id if found.runs and len(found.runs) == size else None
    return _Page(results=found.runs, where=where, cursor=found.until or full)


def _filter(given: RunsFilter) -> RunFilter:
    tags: dict[str, str | tuple[str, ...] | None] = {**tags_of(given.tags)}
    return RunFilter(
        run_ids=None if given.run_ids is None else tuple(each for each in given.run_ids if each),
        statuses=None if given.statuses is None else tuple(RunStatus(each) for each in given.statuses),
        job=given.pipeline_name,
        location=given.location_name,
        tags=tags,
        asset=text_of(given.asset_key),
        created_after=given.created_after,
        created_before=given.created_before,
        updated_after=given.updated_after,
        ended_after=given.ended_after,
    )


@_RUNS.field
def count(page: _Page, context: Context) -> int:
    return context.tally(page.where)[0]


@_RUNS.field
def count_is_whole(page: _Page, context: Context) -> bool:
    return context.tally(page.where)[1]


@_QUERY.named("runOrError", "pipelineRunOrError")
def run_or_error(_source: None, context: Context, run_id: str) -> Run:
    return run_of_id(context, run_id)


@_QUERY.field
def run_group_or_error(_source: None, context: Context, run_id: str) -> RunGroup:
    run = context.runs.get(run_id)
    if run is None:
        raise RefusedError(RunGroupNotFoundError(message=f"There is no run {run_id!r}.", run_id=run_id))
    root = run.root_run_id or run.run_id
    family = context.storage.runs.page(RunFilter(tags={Tag.ROOT_RUN: root}), limit=page_size(None))
    first = context.runs.get(root)
    members = {each.run_id: each for each in (first, run, *family) if each is not None}
    context.expect_runs(members.values())
    return RunGroup(root_run_id=root, runs=tuple(members[key] for key in sorted(members)))


@_QUERY.field
def run_tag_keys_or_error(_source: None, context: Context) -> RunTagKeys:
    return RunTagKeys(keys=tuple(context.storage.runs.tag_keys()))


@_QUERY.field
def run_tags_or_error(
    _source: None,
    context: Context,
    tag_keys: list[str] | None = None,
    value_prefix: str | None = None,
    limit: int | None = None,
) -> RunTags:
    keys = context.storage.runs.tag_keys() if tag_keys is None else tag_keys
    size = page_size(limit)
    return RunTags(
        tags=tuple(
            PipelineTagAndValues(
                key=key, values=tuple(context.storage.runs.tag_values(key, prefix=value_prefix or "", limit=size))
            )
            for key in keys
        )
    )


# -- a run -------------------------------------------------------------------------------------------------------------

_RUN.rename(
    id="run_id",
    job_name="job",
    pipeline_name="job",
    repository_location_name="location",
    step_keys_to_execute="step_keys",
    asset_selection="assets",
    asset_check_selection="checks",
    creation_time="created",
    queued_time="queued",
    launch_time="launched",
    start_time="started",
    end_time="ended",
    update_time="updated",
)


@_RUN.field
def tags(run: Run, _: Context) -> Iterable[Pair]:
    return pairs(run.tags)


@_RUN.field
def run_config_yaml(run: Run, context: Context) -> str:
    plan = plan_of_run(context, run)
    return as_yaml(run.run_config if plan is None else redact(plan.job.config_schema, run.run_config))


@_RUN.field
def can_terminate(run: Run, _: Context) -> bool:
    return not run.is_finished


@_RUN.field
def failure(run: Run, context: Context) -> RunFailureInfo | None:
    if run.status is not RunStatus.FAILURE:
        return None
    if (stored := context.failures.get(run.run_id)) is not None:
        return _told(stored)
    return RunFailureInfo(message=run.note or "The run failed; its events are no longer kept.")


def _told(stored: StoredEvent) -> RunFailureInfo:
    match stored.event.fact:
        case StepFailure(error=error):
            root = error.root()
            return RunFailureInfo(
                step_key=stored.event.step_key,
                message=f"{root.cls}: {root.message}" if root.message else root.cls,
                error=error,
                event_id=str(stored.id),
            )
        case RunFailure(message=message, error=error):
            return RunFailureInfo(message=message, error=error, event_id=str(stored.id))
        case other:
            raise AssertionError(f"asked for failures, got {other!r}")


@_RUN.field
def stats(run: Run, context: Context) -> RunStatsSnapshot:
    statuses = [step.status for step in step_stats(run, context)]
    return RunStatsSnapshot(
        steps_succeeded=statuses.count(StepStatus.SUCCESS),
        steps_failed=statuses.count(StepStatus.FAILURE),
        materializations=len(_materializations(run, context)),
        enqueued_time=run.queued,
        launch_time=run.launched,
        start_time=run.started,
        end_time=run.ended,
    )


@_RUN.field
def step_stats(run: Run, context: Context) -> list[StepStats]:
    return context.steps.get(run.run_id) or []


@_RUN.field
def execution_plan(run: Run, context: Context) -> ExecutionPlan | None:
    plan = plan_of_run(context, run)
    return None if plan is None else plan_of(plan)


def plan_of_run(context: Context, run: Run) -> PlanNode | None:
    """The plan of a run as it was when the run was made; None when it is not known any more."""
    if run.snapshot is None:
        return None
    snapshot = context.storage.runs.snapshot(run.snapshot)
    return None if snapshot is None else PlanNode.of(_description(snapshot))


@lru_cache(maxsize=32)
def _description(snapshot: bytes) -> JobDescription:
    return decode_json(snapshot, JobDescription)


def _materializations(run: Run, context: Context) -> list[StoredEvent]:
    return context.storage.events.of_run(run.run_id, types=["ASSET_MATERIALIZATION"], limit=_MOST_EVENTS)


@_RUN.field
def assets(run: Run, context: Context) -> list[str]:
    return assets_made(context, run)


def assets_made(context: Context, run: Run) -> list[str]:
    """The assets that a run materialized, in the order of the first time."""
    facts: Iterable[Any] = (stored.event.fact for stored in _materializations(run, context))
    return list(dict.fromkeys(fact.asset for fact in facts))


@_RUN.field
def asset_materializations(run: Run, context: Context) -> list[StoredEvent]:
    return _materializations(run, context)


@_RUN.field
def captured_log_keys(run: Run, context: Context) -> list[CapturedLogKey]:
    captures: dict[tuple[str, ...], dict[str, None]] = {}
    for stored in context.storage.events.of_run(run.run_id, types=["LOGS_CAPTURED"], limit=_MOST_EVENTS):
        fact = stored.event.fact
        assert isinstance(fact, LogsCaptured)
        captures.setdefault(fact.log_key, {}).update(dict.fromkeys(fact.steps))
    return [CapturedLogKey(log_key=key, file_key=key[-1], step_keys=tuple(steps)) for key, steps in captures.items()]


@_RUN.field
def event_connection(
    run: Run, context: Context, after_cursor: str | None = None, limit: int | None = None
) -> EventConnection:
    return events_page(context, run.run_id, after_cursor, limit)
