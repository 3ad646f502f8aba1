"""One-off runs: asked for now, made at an instant to come."""

from __future__ import annotations

from ...auth.permissions import Permission
from ...config.secrets import redact
from ...engine.one_offs import check_times
from ...errors import NotFoundError, UsageError
from ...records.act import Act
from ...records.one_off import LATE_SECONDS, OneOff, OneOffStatus, one_off_subject
from ...records.run import Run
from ...storage.acting import who_acts
from ...storage.protocols import ActFilter
from .context import Context
from .failures import Result
from .fields import Fields
from .inputs import ExecutionParams, tags_of
from .keys import Pair, pairs
from .launch import new_run_of
from .operators import acts_page
from .pages import page_size
from .run_config import as_yaml, run_config_of

__all__ = ["TABLES"]

_QUERY = Fields("Query", source=type(None))
_MUTATION = Fields("Mutation", source=type(None))
_ONE_OFF = Fields("OneOffRun", source=OneOff)

TABLES = (_QUERY, _MUTATION, _ONE_OFF)


class PlanOneOffRunSuccess(Result, frozen=True, kw_only=True):
    """The one-off run as it waits."""

    one_off_run: OneOff


class CancelOneOffRunSuccess(Result, frozen=True, kw_only=True):
    """The one-off run as it stands now."""

    one_off_run: OneOff


@_QUERY.field
def one_off_runs(
    _source: None,
    context: Context,
    statuses: list[str] | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> list[OneOff]:
    found = context.storage.one_offs.page(
        statuses=None if statuses is None else [OneOffStatus(each) for each in statuses],
        before=int(cursor) if cursor and cursor.isdecimal() else None,
        limit=page_size(limit, 25),
    )
    context.runs.expect(each.run_id for each in found if each.run_id is not None)
    return found


@_QUERY.field
def one_off_run(_source: None, context: Context, id_: str) -> OneOff | None:
    return context.storage.one_offs.get(int(id_)) if id_.isdecimal() else None


@_MUTATION.named("planOneOffRun", needs=Permission.LAUNCH_RUN)
def plan_one_off_run(
    _source: None,
    context: Context,
    execution_params: ExecutionParams,
    timestamp: float,
    until: float | None = None,
) -> PlanOneOffRunSuccess:
    metadata = execution_params.execution_metadata
    if metadata is not None and metadata.parent_run_id is not None:
        raise UsageError("A one-off run cannot repeat another run; leave out parentRunId.")
    # Planned for now, so that mistakes show at once. When it is due, it is planned again by the code as it is then.
    planned = new_run_of(context, execution_params).run
    selector = execution_params.selector
    asked = OneOff(
        location=planned.location,
        job=planned.job,
        due=timestamp,
        until=timestamp + LATE_SECONDS if until is None else until,
        run_config=run_config_of(execution_params.run_config_data, planned.job),
        tags=tags_of(None if metadata is None else metadata.tags),
        partition=execution_params.partition,
        step_keys=planned.step_keys,
        assets=selector.assets,
        checks=selector.checks,
        by=who_acts(),
    )
    check_times(asked, context.now)
    return PlanOneOffRunSuccess(one_off_run=context.storage.one_offs.plan(asked, now=context.now))


@_MUTATION.named("cancelOneOffRun", needs=Permission.LAUNCH_RUN)
def cancel_one_off_run(_source: None, context: Context, id_: str) -> CancelOneOffRunSuccess:
    found = context.storage.one_offs.get(int(id_)) if id_.isdecimal() else None
    if found is None:
        raise NotFoundError(f"There is no one-off run {id_!r}.")
    context.require(Permission.LAUNCH_RUN, found.location)
    stored = context.storage.one_offs.cancel(found.id, now=context.now)
    assert stored is not None
    if stored.status is not OneOffStatus.CANCELED:
        raise UsageError(f"The one-off run {found.id} waits no more, it is {stored.status}; nothing was changed.")
    return CancelOneOffRunSuccess(one_off_run=stored)


_ONE_OFF.rename(
    repository_location_name="location",
    job_name="job",
    timestamp="due",
    created_timestamp="created",
    end_timestamp="ended",
    asset_selection="assets",
    actor="by.actor",
    reason="by.reason",
)


@_ONE_OFF.named("id")
def number(one_off: OneOff, _: Context) -> str:
    return str(one_off.id)


@_ONE_OFF.field
def run(one_off: OneOff, context: Context) -> Run | None:
    return None if one_off.run_id is None else context.runs.get(one_off.run_id)


@_ONE_OFF.field
def tags(one_off: OneOff, _: Context) -> list[Pair]:
    return list(pairs(one_off.tags))


@_ONE_OFF.field
def run_config_yaml(one_off: OneOff, context: Context) -> str | None:
    location = context.catalog.locations.get(one_off.location)
    job = None if location is None else location.jobs.get(one_off.job)
    if job is None:
        return None  # without the job's schema nobody knows what is secret
    return as_yaml(redact(job.config_schema, one_off.run_config))


@_ONE_OFF.field
def acts(one_off: OneOff, context: Context, cursor: str | None = None, limit: int | None = None) -> list[Act]:
    return acts_page(context, ActFilter(subject=one_off_subject(one_off.location, one_off.id)), cursor, limit)
