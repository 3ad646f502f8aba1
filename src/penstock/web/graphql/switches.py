"""Turning schedules and sensors on and off, and setting cursors."""

from __future__ import annotations

from ...auth.permissions import Permission
from ...records.automation import InstigatorKind, InstigatorStatus
from .context import Context
from .failures import RefusedError, Result, ScheduleNotFoundError, SensorNotFoundError
from .fields import Fields
from .find import (
    instigation_by_id,
    instigation_of_schedule,
    instigation_of_sensor,
    schedule_named,
    sensor_named,
)
from .inputs import ScheduleSelector, SensorSelector
from .nodes import Instigation, SensorNode

__all__ = ["TABLES"]

_MUTATION = Fields("Mutation", source=type(None))

TABLES = (_MUTATION,)


class ScheduleStateResult(Result, frozen=True, kw_only=True):
    """The schedule as it stands now."""

    schedule_state: Instigation


class StopSensorMutationResult(Result, frozen=True, kw_only=True):
    """The sensor as it stands now."""

    instigation_state: Instigation


def _switch(context: Context, instigation: Instigation, status: InstigatorStatus) -> Instigation:
    location, kind, name = instigation.location, instigation.kind, instigation.name
    context.require(Permission.SWITCH_INSTIGATOR, location)
    stored = context.storage.instigators.switch(instigation.id, location, kind, name, status, now=context.now)
    context.instigators[instigation.id] = stored
    return instigation._replace(stored=stored)


@_MUTATION.named("startSchedule", needs=Permission.SWITCH_INSTIGATOR)
def start_schedule(_source: None, context: Context, schedule_selector: ScheduleSelector) -> ScheduleStateResult:
    node = schedule_named(context, schedule_selector, schedule_selector.schedule_name)
    return _switched(context, instigation_of_schedule(context, node), InstigatorStatus.RUNNING)


@_MUTATION.named("stopRunningSchedule", needs=Permission.SWITCH_INSTIGATOR)
def stop_running_schedule(
    _source: None, context: Context, id_: str | None = None, schedule_selector: ScheduleSelector | None = None
) -> ScheduleStateResult:
    if schedule_selector is not None:
        node = schedule_named(context, schedule_selector, schedule_selector.schedule_name)
        return _switched(context, instigation_of_schedule(context, node), InstigatorStatus.STOPPED)
    found = _by_id(context, id_, InstigatorKind.SCHEDULE)
    if found is None:
        message = f"There is no schedule of the id {id_!r}; give an id or a scheduleSelector."
        raise RefusedError(ScheduleNotFoundError(message=message, schedule_name=id_ or ""))
    return _switched(context, found, InstigatorStatus.STOPPED)


@_MUTATION.named("resetSchedule", needs=Permission.SWITCH_INSTIGATOR)
def reset_schedule(_source: None, context: Context, schedule_selector: ScheduleSelector) -> ScheduleStateResult:
    node = schedule_named(context, schedule_selector, schedule_selector.schedule_name)
    return _switched(context, instigation_of_schedule(context, node), InstigatorStatus.DECLARED_IN_CODE)


def _switched(context: Context, instigation: Instigation, status: InstigatorStatus) -> ScheduleStateResult:
    return ScheduleStateResult(schedule_state=_switch(context, instigation, status))


def _by_id(context: Context, key: str | None, kind: InstigatorKind) -> Instigation | None:
    if key is None:
        return None
    try:
        found = instigation_by_id(context, key)
    except RefusedError:
        return None
    return found if found.kind is kind else None


@_MUTATION.named("startSensor", needs=Permission.SWITCH_INSTIGATOR)
def start_sensor(_source: None, context: Context, sensor_selector: SensorSelector) -> SensorNode:
    node = sensor_named(context, sensor_selector, sensor_selector.sensor_name)
    _switch(context, instigation_of_sensor(context, node), InstigatorStatus.RUNNING)
    return node


@_MUTATION.named("stopSensor", needs=Permission.SWITCH_INSTIGATOR)
def stop_sensor(
    _source: None, context: Context, id_: str | None = None, sensor_selector: SensorSelector | None = None
) -> StopSensorMutationResult:
    if sensor_selector is not None:
        node = sensor_named(context, sensor_selector, sensor_selector.sensor_name)
        found: Instigation | None = instigation_of_sensor(context, node)
    else:
        found = _by_id(context, id_, InstigatorKind.SENSOR)
    if found is None:
        message = f"There is no sensor of the id {id_!r}; give an id or a sensorSelector."
        raise RefusedError(SensorNotFoundError(message=message, sensor_name=id_ or ""))
    return StopSensorMutationResult(instigation_state=_switch(context, found, InstigatorStatus.STOPPED))


@_MUTATION.named("resetSensor", needs=Permission.SWITCH_INSTIGATOR)
def reset_sensor(_source: None, context: Context, sensor_selector: SensorSelector) -> SensorNode:
    node = sensor_named(context, sensor_selector, sensor_selector.sensor_name)
    _switch(context, instigation_of_sensor(context, node), InstigatorStatus.DECLARED_IN_CODE)
    return node


@_MUTATION.named("setSensorCursor", needs=Permission.SET_CURSOR)
def set_sensor_cursor(
    _source: None, context: Context, sensor_selector: SensorSelector, cursor: str | None = None
) -> SensorNode:
    node = sensor_named(context, sensor_selector, sensor_selector.sensor_name)
    found = instigation_of_sensor(context, node)
    context.require(Permission.SET_CURSOR, found.location)
    stored = context.storage.instigators.set_cursor(found.id, found.location, found.name, cursor, now=context.now)
    context.instigators[found.id] = stored
    return node
