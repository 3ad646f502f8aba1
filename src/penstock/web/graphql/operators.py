"""What operators do to schedules and sensors besides turning them on and off, and the record of all their acts."""

from __future__ import annotations

import msgspec

from ...auth.permissions import Permission
from ...config.secrets import redact, restore
from ...engine.overrides import check_override
from ...errors import UsageError
from ...records.act import Act, ActKind
from ...records.automation import InstigatorKind, InstigatorStatus, Override
from ...records.location import JobDescription
from ...storage.protocols import ActFilter
from .context import Context
from .cron_words import cron_in_words
from .failures import RefusedError
from .fields import Fields
from .find import instigation_by_id
from .inputs import InstigationOverrideInput, PipelineSelector, tags_of
from .keys import Pair, pairs
from .new_runs import checked_plan
from .nodes import Instigation, JobNode
from .pages import page_size
from .run_config import as_yaml, run_config_of

__all__ = ["TABLES", "acts_page"]

_QUERY = Fields("Query", source=type(None))
_MUTATION = Fields("Mutation", source=type(None))
_STATE = Fields("InstigationState", source=Instigation)


class _Shown(msgspec.Struct, frozen=True):
    """An override, with the job whose runs have its config."""

    override: Override
    job: JobDescription | None


_OVERRIDE = Fields("InstigationOverride", source=_Shown)
_ACT = Fields("OperatorAct", source=Act)

TABLES = (_QUERY, _MUTATION, _STATE, _OVERRIDE, _ACT)


# -- reading -----------------------------------------------------------------------------------------------------------


@_QUERY.field
def instigations_without_code(_source: None, context: Context) -> list[Instigation]:
    places = context.catalog.locations
    found = []
    for _, stored in sorted(context.instigators.items()):
        place = places.get(stored.location)
        declared = () if place is None else place.schedules if stored.kind is InstigatorKind.SCHEDULE else place.sensors
        if stored.name not in declared:
            found.append(Instigation(stored.location, stored.kind, stored.name, InstigatorStatus.STOPPED, stored))
    return found


@_QUERY.field
def operator_acts(
    _source: None,
    context: Context,
    subject: str | None = None,
    actor: str | None = None,
    kinds: list[str] | None = None,
    since: float | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> list[Act]:
    chosen = None if kinds is None else tuple(ActKind(kind) for kind in kinds)
    where = ActFilter(subject=subject, actor=actor, kinds=chosen, since=since)
    return acts_page(context, where, cursor, limit)


def acts_page(context: Context, where: ActFilter, cursor: str | None, limit: int | None) -> list[Act]:
    """Acts that match, newest first."""
    before = int(cursor) if cursor and cursor.isdecimal() else None
    return context.storage.acts.page(where, before=before, limit=page_size(limit, 25))


@_STATE.named("acts")
def acts_of_state(
    state: Instigation, context: Context, cursor: str | None = None, limit: int | None = None
) -> list[Act]:
    return acts_page(context, ActFilter(subject=state.id), cursor, limit)


@_STATE.named("override")
def override_of_state(state: Instigation, context: Context) -> _Shown | None:
    override = None if state.stored is None else state.stored.override
    return None if override is None else _Shown(override, _job_of(context, state))


@_STATE.named("hasCode")
def has_code(state: Instigation, context: Context) -> bool:
    return _declares(context, state)


@_STATE.named("removedTimestamp")
def removed_timestamp(state: Instigation, _: Context) -> float | None:
    return None if state.stored is None else state.stored.retired


_OVERRIDE.rename(
    paused_until="override.paused_until",
    cron_schedule="override.cron",
    execution_timezone="override.timezone",
    interval_seconds="override.interval",
    actor="override.by.actor",
    reason="override.by.reason",
    timestamp="override.since",
)


@_OVERRIDE.field
def cron_description(shown: _Shown, _: Context) -> str | None:
    return cron_in_words(shown.override.cron) if shown.override.cron else None


@_OVERRIDE.field
def run_config_yaml(shown: _Shown, _: Context) -> str | None:
    config = shown.override.run_config
    if config is None or shown.job is None:
        return None  # without the job's schema nobody knows what is secret
    return as_yaml(redact(shown.job.config_schema, config))


@_OVERRIDE.field
def has_run_config(shown: _Shown, _: Context) -> bool:
    return shown.override.run_config is not None


@_OVERRIDE.named("tags")
def override_tags(shown: _Shown, _: Context) -> list[Pair]:
    return list(pairs(shown.override.tags))


_ACT.rename(timestamp="time", actor="by.actor", via="by.via", reason="by.reason")


@_ACT.named("id")
def act_id(act: Act, _: Context) -> str:
    return str(act.id)


@_ACT.named("override")
def override_of_act(act: Act, context: Context) -> _Shown | None:
    if act.override is None:
        return None
    try:
        job = _job_of(context, instigation_by_id(context, act.subject))
    except RefusedError:
        job = None
    return _Shown(act.override, job)


# -- acts --------------------------------------------------------------------------------------------------------------


@_MUTATION.named("overrideInstigation", needs=Permission.SWITCH_INSTIGATOR)
def override_instigation(_source: None, context: Context, id_: str, override: InstigationOverrideInput) -> Instigation:
    found = _changeable(context, id_)
    given = Override(
        paused_until=override.paused_until,
        cron=tuple(override.cron_schedule or ()),
        timezone=override.execution_timezone,
        interval=override.interval_seconds,
        run_config=_config(context, found, override),
        tags=tags_of(override.tags),
    )
    check_override(found.kind, given, now=context.now)
    with context.acting(override.reason):
        return _overridden(context, found, given)


@_MUTATION.named("withdrawInstigationOverride", needs=Permission.SWITCH_INSTIGATOR)
def withdraw_override(_source: None, context: Context, id_: str) -> Instigation:
    found = _changeable(context, id_)
    if found.stored is None or found.stored.override is None:
        raise UsageError(f"{found.name!r} has no override; nothing was changed.")
    return _overridden(context, found, None)


@_MUTATION.named("removeInstigation", needs=Permission.SWITCH_INSTIGATOR)
def remove_instigation(_source: None, context: Context, id_: str) -> Instigation:
    found = _changeable(context, id_)
    if _declares(context, found):
        raise UsageError(
            f"The code location {found.location!r} defines {found.name!r}; turn it off, or remove it from the code."
        )
    stored = context.storage.instigators.retire(found.id, now=context.now)
    return found._replace(stored=stored)


@_MUTATION.named("restoreInstigation", needs=Permission.SWITCH_INSTIGATOR)
def restore_instigation(_source: None, context: Context, id_: str) -> Instigation:
    found = _changeable(context, id_)
    if found.stored is None or found.stored.retired is None:
        raise UsageError(f"{found.name!r} was not removed; nothing was changed.")
    stored = context.storage.instigators.restore(found.id, now=context.now)
    return found._replace(stored=stored)


def _changeable(context: Context, key: str) -> Instigation:
    found = instigation_by_id(context, key)
    context.require(Permission.SWITCH_INSTIGATOR, found.location)
    return found


def _overridden(context: Context, found: Instigation, override: Override | None) -> Instigation:
    stored = context.storage.instigators.override(
        found.id, found.location, found.kind, found.name, override, now=context.now
    )
    context.instigators[found.id] = stored
    return found._replace(stored=stored)


def _config(context: Context, found: Instigation, given: InstigationOverrideInput) -> dict[str, object] | None:
    """The run config of an override, checked against the job where there is one."""
    if given.run_config_data is None:
        return None
    job = _job_of(context, found)
    place = context.catalog.locations.get(found.location)
    if job is None or place is None:
        raise UsageError(f"{found.name!r} has not one job whose run config could be checked; leave the run config out.")
    config = run_config_of(given.run_config_data, job.name)
    before = None if found.stored is None or found.stored.override is None else found.stored.override.run_config
    if before is not None:
        config = restore(job.config_schema, config, before)  # as it was shown, secrets hidden
    selector = PipelineSelector(pipeline_name=job.name, repository_location_name=found.location)
    checked_plan(context, JobNode(place, job), selector, config)
    return config


def _declares(context: Context, found: Instigation) -> bool:
    place = context.catalog.locations.get(found.location)
    if place is None:
        return False
    return found.name in (place.schedules if found.kind is InstigatorKind.SCHEDULE else place.sensors)


def _job_of(context: Context, found: Instigation) -> JobDescription | None:
    """Its job; None if its code is absent, or it has several."""
    place = context.catalog.locations.get(found.location)
    if place is None:
        return None
    if found.kind is InstigatorKind.SCHEDULE:
        schedule = place.schedules.get(found.name)
        return None if schedule is None else place.jobs.get(schedule.job)
    sensor = place.sensors.get(found.name)
    return place.jobs.get(sensor.jobs[0]) if sensor is not None and len(sensor.jobs) == 1 else None
