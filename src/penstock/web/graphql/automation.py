"""Schedules and sensors as the code defines them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from ...engine.instigators import next_schedule_time
from ...engine.overrides import overridden
from ...partitions.wall_time import change_at, zone_named
from ...records.automation import InstigatorStatus
from .context import Context
from .cron_words import cron_in_words
from .failures import Result
from .fields import Fields
from .find import (
    instigation_of_schedule,
    instigation_of_sensor,
    location_named,
    schedule_named,
    schedules_of,
    sensor_named,
    sensors_of,
)
from .inputs import RepositorySelector, ScheduleSelector, SensorSelector
from .keys import Pair, pairs
from .metadata import Entry, entries
from .nodes import Instigation, ScheduleNode, SensorNode, place
from .pages import page_size

__all__ = ["TABLES", "FutureInstigationTick", "switch_status"]

_QUERY = Fields("Query", source=type(None))
_SCHEDULE = Fields("Schedule", source=ScheduleNode)
_SENSOR = Fields("Sensor", source=SensorNode)

TABLES = (_QUERY, _SCHEDULE, _SENSOR)


class Schedules(Result, frozen=True, kw_only=True):
    """A location's schedules."""

    results: tuple[ScheduleNode, ...]


class Sensors(Result, frozen=True, kw_only=True):
    """A location's sensors."""

    results: tuple[SensorNode, ...]


class FutureInstigationTick(Result, frozen=True, kw_only=True):
    """An instant in the future, in seconds since the epoch."""

    timestamp: float
    clock_change: Literal["GAP", "FOLD"] | None = None


class FutureInstigationTicks(Result, frozen=True, kw_only=True):
    """Instants in the future."""

    results: tuple[FutureInstigationTick, ...]


class Target(Result, frozen=True, kw_only=True):
    """A job that a sensor may run."""

    pipeline_name: str


class SensorMetadata(Result, frozen=True, kw_only=True):
    """The assets that a sensor watches."""

    asset_keys: tuple[str, ...]


def switch_status(instigation: Instigation) -> InstigatorStatus:
    """On or off."""
    return InstigatorStatus.RUNNING if instigation.on else InstigatorStatus.STOPPED


@_QUERY.field
def schedule_or_error(_source: None, context: Context, schedule_selector: ScheduleSelector) -> ScheduleNode:
    return schedule_named(context, schedule_selector, schedule_selector.schedule_name)


@_QUERY.field
def schedules_or_error(
    _source: None, context: Context, repository_selector: RepositorySelector, schedule_status: str | None = None
) -> Schedules:
    location = location_named(context, repository_selector)
    nodes = schedules_of(context, location)
    if schedule_status is None:
        return Schedules(results=tuple(nodes))
    return Schedules(
        results=tuple(
            node for node in nodes if switch_status(instigation_of_schedule(context, node)) == schedule_status
        )
    )


@_QUERY.field
def sensor_or_error(_source: None, context: Context, sensor_selector: SensorSelector) -> SensorNode:
    return sensor_named(context, sensor_selector, sensor_selector.sensor_name)


@_QUERY.field
def sensors_or_error(
    _source: None, context: Context, repository_selector: RepositorySelector, sensor_status: str | None = None
) -> Sensors:
    location = location_named(context, repository_selector)
    nodes = sensors_of(context, location)
    if sensor_status is None:
        return Sensors(results=tuple(nodes))
    return Sensors(
        results=tuple(node for node in nodes if switch_status(instigation_of_sensor(context, node)) == sensor_status)
    )


# -- a schedule --------------------------------------------------------------------------------------------------------

_SCHEDULE.rename(
    name="schedule.name",
    execution_timezone="schedule.timezone",
    pipeline_name="schedule.job",
    description="schedule.description",
    repository="location",
    default_status="schedule.default_status",
    owners="schedule.owners",
    dst_gap="schedule.dst_gap",
    dst_fold="schedule.dst_fold",
    max_catchup_runs="schedule.max_catchup",
)


@_SCHEDULE.named("id")
def schedule_id(node: ScheduleNode, context: Context) -> str:
    return instigation_of_schedule(context, node).id


@_SCHEDULE.field
def cron_schedule(node: ScheduleNode, _: Context) -> str:
    return " | ".join(node.schedule.cron)


@_SCHEDULE.field
def cron_description(node: ScheduleNode, _: Context) -> str:
    return cron_in_words(node.schedule.cron)


@_SCHEDULE.named("timeoutSeconds")
def schedule_timeout(node: ScheduleNode, context: Context) -> float:
    return node.schedule.timeout or context.instance.settings.schedules.timeout_seconds


@_SCHEDULE.named("canReset")
def can_reset_schedule(node: ScheduleNode, context: Context) -> bool:
    return not instigation_of_schedule(context, node).declared


@_SCHEDULE.field
def schedule_state(node: ScheduleNode, context: Context) -> Instigation:
    return instigation_of_schedule(context, node)


@_SCHEDULE.field
def future_ticks(
    node: ScheduleNode, context: Context, cursor: float | None = None, limit: int | None = None
) -> FutureInstigationTicks:
    stored = instigation_of_schedule(context, node).stored
    override = None if stored is None else stored.override
    zone = zone_named(overridden(node.schedule, override).timezone)
    instants: list[FutureInstigationTick] = []
    at = context.now if cursor is None else cursor
    for _ in range(page_size(limit, 10, 100)):
        at = next_schedule_time(node.schedule, at, override)
        instants.append(FutureInstigationTick(timestamp=at, clock_change=change_at(at, zone)))
    return FutureInstigationTicks(results=tuple(instants))


@_SCHEDULE.named("tags")
def schedule_tags(node: ScheduleNode, _: Context) -> Iterable[Pair]:
    return pairs(node.schedule.tags)


@_SCHEDULE.named("metadataEntries")
def schedule_metadata(node: ScheduleNode, _: Context) -> list[Entry]:
    return entries(node.schedule.metadata)


@_SCHEDULE.named("sourceRef")
def schedule_source(node: ScheduleNode, _: Context) -> str | None:
    return place(node.schedule.source)


# -- a sensor ----------------------------------------------------------------------------------------------------------

_SENSOR.rename(
    name="sensor.name",
    description="sensor.description",
    repository="location",
    sensor_type="sensor.kind",
    default_status="sensor.default_status",
    owners="sensor.owners",
)


@_SENSOR.named("id")
def sensor_id(node: SensorNode, context: Context) -> str:
    return instigation_of_sensor(context, node).id


@_SENSOR.field
def targets(node: SensorNode, _: Context) -> list[Target]:
    return [Target(pipeline_name=job) for job in node.sensor.jobs]


@_SENSOR.field
def min_interval_seconds(node: SensorNode, _: Context) -> int:
    return round(node.sensor.interval)


@_SENSOR.field
def on_events(node: SensorNode, _: Context) -> bool:
    return node.sensor.is_pushed


@_SENSOR.named("timeoutSeconds")
def sensor_timeout(node: SensorNode, context: Context) -> float:
    return node.sensor.timeout or context.instance.settings.sensors.timeout_seconds


@_SENSOR.named("canReset")
def can_reset_sensor(node: SensorNode, context: Context) -> bool:
    return not instigation_of_sensor(context, node).declared


@_SENSOR.field
def sensor_state(node: SensorNode, context: Context) -> Instigation:
    return instigation_of_sensor(context, node)


@_SENSOR.named("tags")
def sensor_tags(node: SensorNode, _: Context) -> Iterable[Pair]:
    return pairs(node.sensor.tags)


@_SENSOR.named("metadata")
def watched(node: SensorNode, _: Context) -> SensorMetadata:
    return SensorMetadata(asset_keys=node.sensor.assets)


@_SENSOR.named("metadataEntries")
def sensor_metadata(node: SensorNode, _: Context) -> list[Entry]:
    return entries(node.sensor.metadata)


@_SENSOR.named("sourceRef")
def sensor_source(node: SensorNode, _: Context) -> str | None:
    return place(node.sensor.source)
