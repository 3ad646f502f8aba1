"""The switch, cursor and ticks of schedules and sensors."""

from __future__ import annotations

from ...engine.back_pressure import why_held_back
from ...engine.instigators import SAFETY_NET
from ...partitions.requests import AddDynamicPartitionsRequest, PartitionsRequest
from ...records.automation import InstigatorKind, Tick, TickStatus
from ...records.location import REPOSITORY
from ...records.run import Run, RunStatus, Tag
from ...storage.protocols import RunFilter
from .automation import FutureInstigationTick, switch_status
from .context import Context
from .failures import Result
from .fields import Fields
from .find import (
    instigation_by_id,
    instigation_named,
    instigation_of_schedule,
    instigation_of_sensor,
)
from .inputs import InstigationSelector
from .nodes import Instigation, ScheduleNode, SensorNode
from .pages import page_size

__all__ = ["TABLES", "JobTick"]

_QUERY = Fields("Query", source=type(None))
_STATE = Fields("InstigationState", source=Instigation)
_TICK = Fields("InstigationTick", source=Tick)
_CHANGE = Fields("DynamicPartitionsRequestResult", "DynamicPartitionRequest", source=AddDynamicPartitionsRequest)

TABLES = (_QUERY, _STATE, _TICK, _CHANGE)


@_QUERY.field
def instigation_state_or_error(
    _source: None, context: Context, instigation_selector: InstigationSelector, id_: str | None = None
) -> Instigation:
    if id_ is not None:
        return instigation_by_id(context, id_)
    return instigation_named(context, instigation_selector.repository_location_name, instigation_selector.name)


class JobTick(Result, frozen=True, kw_only=True):
    """A tick, and what it is a tick of."""

    instigation_state: Instigation
    tick: Tick


@_QUERY.field
def failing_instigations(_source: None, context: Context) -> list[JobTick]:
    evaluated: dict[str, Instigation] = {}
    for location in context.catalog.locations.values():
        states = [
            *(instigation_of_schedule(context, ScheduleNode(location, each)) for each in location.schedules.values()),
            *(instigation_of_sensor(context, SensorNode(location, each)) for each in location.sensors.values()),
        ]
        evaluated |= {state.stored.id: state for state in states if state.stored and _is_evaluated(state, context.now)}
    failed = context.storage.instigators.latest_ticks(list(evaluated), limit=1, statuses=[TickStatus.FAILURE])
    found = [
        JobTick(instigation_state=state, tick=tick)
        for key, (tick,) in failed.items()
        if (state := evaluated[key]).stored is not None and tick.ended == state.stored.last_tick
    ]
    context.latest_ticks.expect(each.tick.instigator for each in found)
    context.runs.expect(run_id for each in found for run_id in each.tick.run_ids)
    return sorted(found, key=lambda each: each.tick.id, reverse=True)


def _is_evaluated(state: Instigation, now: float) -> bool:
    """Whether it is on, has been evaluated, and is not paused."""
    if not state.on or state.stored is None or state.stored.last_tick is None:
        return False
    override = state.stored.override
    return override is None or override.paused_until is None or override.paused_until <= now


_STATE.rename(
    selector_id="id", instigation_type="kind", repository_location_name="location", declared_in_code="declared"
)


@_STATE.field
def repository_name(_state: Instigation, _: Context) -> str:
    return REPOSITORY


@_STATE.named("status")
def status(state: Instigation, _: Context) -> str:
    return switch_status(state)


@_STATE.field
def cursor(state: Instigation, _: Context) -> str | None:
    return None if state.stored is None else state.stored.cursor


@_STATE.field
def last_run_key(state: Instigation, _: Context) -> str | None:
    return None if state.stored is None else state.stored.last_run_key


@_STATE.field
def last_tick_time(state: Instigation, _: Context) -> float | None:
    return None if state.stored is None else state.stored.last_tick


@_STATE.field
def next_tick(state: Instigation, context: Context) -> FutureInstigationTick | None:
    due = state.next_due(context.now)
    if due is None or _waits_for_events(state, context, due):
        return None
    return FutureInstigationTick(timestamp=due)


def _waits_for_events(state: Instigation, context: Context, due: float) -> bool:
    """Whether it is due then only in case that an event was not heard of."""
    place = context.catalog.locations.get(state.location)
    sensor = None if place is None or state.kind is not InstigatorKind.SENSOR else place.sensors.get(state.name)
    if sensor is None or state.stored is None or state.stored.last_tick is None:
        return False
    return sensor.is_pushed and due >= state.stored.last_tick + SAFETY_NET


@_STATE.field
def ticks(
    state: Instigation,
    context: Context,
    limit: int | None = None,
    cursor: str | None = None,
    statuses: list[str] | None = None,
    after_timestamp: float | None = None,
) -> list[Tick]:
    if cursor is None and statuses is None and after_timestamp is None:
        return context.latest_ticks.get(state.id, page_size(limit, 25))
    found = context.storage.instigators.ticks(
        state.id,
        before=int(cursor) if cursor and cursor.isdecimal() else None,
        limit=page_size(limit, 25),
        statuses=None if statuses is None else [TickStatus(each) for each in statuses],
        after_time=after_timestamp,
    )
    context.runs.expect(run_id for tick in found for run_id in tick.run_ids)
    return found


class Lateness(Result, frozen=True, kw_only=True):
    """How late ticks were begun, in seconds."""

    ticks: int
    p50: float
    p99: float
    max: float


@_STATE.field
def lateness(state: Instigation, context: Context, ticks: int | None = None) -> Lateness | None:
    late = sorted(tick.lateness for tick in context.latest_ticks.get(state.id, page_size(ticks, 100)))
    if not late:
        return None
    last = len(late) - 1
    return Lateness(ticks=len(late), p50=late[last // 2], p99=late[round(last * 0.99)], max=late[last])


@_STATE.field
def held_back(state: Instigation, context: Context) -> str | None:
    if state.kind is not InstigatorKind.SENSOR or not state.on:
        return None
    most = context.instance.settings.sensors.max_queued_runs
    waiting = RunFilter(statuses=(RunStatus.QUEUED,))
    if why_held_back(context.tally(waiting)[0], most) is None:
        return None
    of_sensor = RunFilter(statuses=(RunStatus.QUEUED,), location=state.location, tags={Tag.SENSOR: state.name})
    return why_held_back(context.tally(of_sensor)[0], most)


@_STATE.field
def runs(state: Instigation, context: Context, limit: int | None = None) -> list[Run]:
    tag = Tag.SCHEDULE if state.kind is InstigatorKind.SCHEDULE else Tag.SENSOR
    where = RunFilter(tags={tag: state.name}, location=state.location)
    found = context.storage.runs.search(where, limit=page_size(limit, 25)).runs
    context.expect_runs(found)
    return list(found)


_TICK.rename(
    timestamp="due",
    start_timestamp="started",
    end_timestamp="ended",
    logs="log",
    dynamic_partitions_request_results="partitions",
)


@_TICK.named("id", "tickId")
def tick_id(tick: Tick, _: Context) -> str:
    return str(tick.id)


@_TICK.named("runs")
def runs_of_tick(tick: Tick, context: Context) -> list[Run]:
    found = (context.runs.get(run_id) for run_id in tick.run_ids)
    return [run for run in found if run is not None]


@_CHANGE.named("type")
def change_type(change: PartitionsRequest, _: Context) -> str:
    return "ADD_PARTITIONS" if isinstance(change, AddDynamicPartitionsRequest) else "DELETE_PARTITIONS"
