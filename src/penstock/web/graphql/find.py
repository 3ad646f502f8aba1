"""From selectors to definitions; a name that is not there ends the resolver with the failure that says so."""

from __future__ import annotations

from collections.abc import Iterable

from ...locations.catalog import CatalogLocation
from ...records.automation import InstigatorKind, InstigatorStatus, instigator_id
from ...records.location import AssetJobName, LocationDescription
from ...records.run import Run
from ...wording import nearest_name
from .context import Context
from .failures import (
    AssetNotFoundError,
    InstigationStateNotFoundError,
    PipelineNotFoundError,
    RefusedError,
    RepositoryNotFoundError,
    RunNotFoundError,
    ScheduleNotFoundError,
    SensorNotFoundError,
)
from .inputs import RepositorySelector
from .nodes import AssetNode, Instigation, JobNode, ScheduleNode, SensorNode

__all__ = [
    "asset_named",
    "assets_of",
    "instigation_by_id",
    "instigation_named",
    "instigation_of_schedule",
    "instigation_of_sensor",
    "job_named",
    "loaded",
    "location_named",
    "run_of_id",
    "schedule_named",
    "schedules_of",
    "sensor_named",
    "sensors_of",
]


def loaded(location: CatalogLocation) -> LocationDescription:
    """The location's description; one that never loaded defines nothing."""
    return location.description or LocationDescription(name=location.stored.name)


def location_named(context: Context, selector: RepositorySelector) -> CatalogLocation:
    """The location that a selector names."""
    name = selector.repository_location_name
    location = context.catalog.locations.get(name)
    if location is None:
        raise RefusedError(
            RepositoryNotFoundError(
                message=f"There is no code location {name!r}.{_did_you_mean(name, context.catalog.locations)}",
                repository_name=selector.repository_name,
                repository_location_name=name,
            )
        )
    return location


def job_named(context: Context, selector: RepositorySelector, name: str | None) -> JobNode:
    """A job of the location that the selector names; None is the job of all its assets."""
    wanted = name or AssetJobName
    location = context.catalog.locations.get(selector.repository_location_name)
    job = None if location is None else location.jobs.get(wanted)
    if location is None or job is None:
        if location is None:
            where, known = "", f" There is no code location {selector.repository_location_name!r} either."
        else:
            where = f" in the code location {selector.repository_location_name!r}"
            known = _did_you_mean(wanted, [each for each in location.jobs if each != AssetJobName])
        raise RefusedError(
            PipelineNotFoundError(
                message=f"There is no job {wanted!r}{where}.{known}",
                pipeline_name=wanted,
                repository_name=selector.repository_name,
                repository_location_name=selector.repository_location_name,
            )
        )
    return JobNode(location, job)


def asset_named(context: Context, key: str) -> AssetNode:
    """An asset's definition."""
    found = context.catalog.asset(key)
    if found is None:
        raise RefusedError(AssetNotFoundError(message=f"No code location defines the asset {key!r}."))
    return AssetNode(*found)


def assets_of(location: CatalogLocation) -> list[AssetNode]:
    """The assets that a location defines, by key."""
    return [AssetNode(location, asset) for asset in sorted(location.assets.values(), key=lambda each: each.key)]


def schedule_named(context: Context, selector: RepositorySelector, name: str) -> ScheduleNode:
    """A schedule."""
    location = context.catalog.locations.get(selector.repository_location_name)
    schedule = None if location is None else location.schedules.get(name)
    if location is None or schedule is None:
        known: Iterable[str] = () if location is None else location.schedules
        raise RefusedError(
            ScheduleNotFoundError(message=_absent("schedule", name, selector, known), schedule_name=name)
        )
    return ScheduleNode(location, schedule)


def sensor_named(context: Context, selector: RepositorySelector, name: str) -> SensorNode:
    """A sensor."""
    location = context.catalog.locations.get(selector.repository_location_name)
    sensor = None if location is None else location.sensors.get(name)
    if location is None or sensor is None:
        known: Iterable[str] = () if location is None else location.sensors
        raise RefusedError(SensorNotFoundError(message=_absent("sensor", name, selector, known), sensor_name=name))
    return SensorNode(location, sensor)


def schedules_of(context: Context, location: CatalogLocation) -> list[ScheduleNode]:
    """A location's schedules by name; what is asked of each is loaded for all of them."""
    name = location.stored.name
    context.latest_ticks.expect(instigator_id(name, InstigatorKind.SCHEDULE, each) for each in location.schedules)
    return [ScheduleNode(location, each) for _, each in sorted(location.schedules.items())]


def sensors_of(context: Context, location: CatalogLocation) -> list[SensorNode]:
    """A location's sensors by name; what is asked of each is loaded for all of them."""
    name = location.stored.name
    context.latest_ticks.expect(instigator_id(name, InstigatorKind.SENSOR, each) for each in location.sensors)
    return [SensorNode(location, each) for _, each in sorted(location.sensors.items())]


def instigation_of_schedule(context: Context, node: ScheduleNode) -> Instigation:
    """A schedule's switch and history."""
    location, schedule = node
    key = instigator_id(location.stored.name, InstigatorKind.SCHEDULE, schedule.name)
    return Instigation(
        location.stored.name,
        InstigatorKind.SCHEDULE,
        schedule.name,
        schedule.default_status,
        context.instigators.get(key),
        schedule,
    )


def instigation_of_sensor(context: Context, node: SensorNode) -> Instigation:
    """A sensor's switch and history."""
    location, sensor = node
    key = instigator_id(location.stored.name, InstigatorKind.SENSOR, sensor.name)
    return Instigation(
        location.stored.name,
        InstigatorKind.SENSOR,
        sensor.name,
        sensor.default_status,
        context.instigators.get(key),
    )


def instigation_named(context: Context, location: str, name: str) -> Instigation:
    """The switch and history of the schedule or sensor of that name, also while its code is absent."""
    place = context.catalog.locations.get(location)
    if place is not None and name in place.schedules:
        return instigation_of_schedule(context, ScheduleNode(place, place.schedules[name]))
    if place is not None and name in place.sensors:
        return instigation_of_sensor(context, SensorNode(place, place.sensors[name]))
    for kind in InstigatorKind:
        stored = context.instigators.get(instigator_id(location, kind, name))
        if stored is not None:
            return Instigation(location, kind, name, InstigatorStatus.STOPPED, stored)
    message = f"There is no schedule or sensor {name!r} in the code location {location!r}."
    raise RefusedError(InstigationStateNotFoundError(message=message, name=name))


def instigation_by_id(context: Context, key: str) -> Instigation:
    """The same by the id that `Instigation.id` gives."""
    location, kind, name = ["", "", *key.rsplit("/", 2)][-3:]
    found = instigation_named(context, location, name) if kind and name else None
    if found is None or found.id != key:
        message = f"There is no schedule or sensor of the id {key!r}."
        raise RefusedError(InstigationStateNotFoundError(message=message, name=key))
    return found


def run_of_id(context: Context, run_id: str) -> Run:
    """A run."""
    run = context.runs.get(run_id)
    if run is None:
        message = f"There is no run {run_id!r}. It may have been deleted."
        raise RefusedError(RunNotFoundError(message=message, run_id=run_id))
    return run


def _absent(kind: str, name: str, selector: RepositorySelector, known: Iterable[str]) -> str:
    location = selector.repository_location_name
    return f"There is no {kind} {name!r} in the code location {location!r}.{_did_you_mean(name, known)}"


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    nearest = nearest_name(name, known)
    return f" Did you mean {nearest!r}?" if nearest else ""
