"""Ties definitions together: jobs get their resources and assets, and every name that is used must exist."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from ..errors import DefinitionError, UnknownResourceError
from ..records.conditions.condition import AutomationCondition
from ..records.location import AssetJobName
from ..wording import did_you_mean, listed, nearest_name
from .assets.definition import AssetsDefinition
from .assets.graph import AssetGraph, build_asset_graph
from .assets.job import UnresolvedAssetJobDefinition
from .assets.layer import AssetLayer
from .assets.spec import AssetSpec
from .automation.automation_sensor import DEFAULT_AUTOMATION_SENSOR, automation_targets, default_automation_sensor
from .automation.binding import bind_conditions, declared_conditions
from .automation.partitioned_schedule import PartitionedSchedule
from .automation.schedule import ScheduleDefinition
from .automation.sensor import SensorDefinition
from .automation.target import ExecutableJob
from .executors import ExecutorDefinition
from .loggers import LoggerDefinition
from .ops.job import JobDefinition
from .ops.op import OpDefinition
from .resources.resource import ResourceDefinition, to_resources
from .run_config import job_ops
from .source import Source

__all__ = ["DEFAULT_IO_MANAGER", "Resolution", "resolve", "stores_of"]

DEFAULT_IO_MANAGER = "io_manager"
"""The one resource that need not be given: the instance has one."""


class Resolution(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Definitions that fit together, each by its name. Jobs have all resources that they may use.

    `conditions` are the automation conditions by the id of what has them, and `automation` the ids of those that each
    sensor evaluates.
    """

    asset_graph: AssetGraph
    jobs: dict[str, JobDefinition]
    schedules: dict[str, ScheduleDefinition]
    sensors: dict[str, SensorDefinition]
    resources: dict[str, ResourceDefinition]
    conditions: dict[str, AutomationCondition]
    automation: dict[str, frozenset[str]]


def resolve(
    *,
    assets: Sequence[AssetsDefinition | AssetSpec],
    schedules: Iterable[ScheduleDefinition | PartitionedSchedule] = (),
    sensors: Iterable[SensorDefinition] = (),
    jobs: Iterable[ExecutableJob] = (),
    resources: Mapping[str, Any] | None = None,
    executor: ExecutorDefinition | None = None,
    loggers: Mapping[str, LoggerDefinition] | None = None,
) -> Resolution:
    """Check definitions and tie them together.

    Raises:
        DefinitionError: Something is defined twice, is missing, or does not fit; the message names the place.
    """
    definitions = [each for each in assets if isinstance(each, AssetsDefinition)]
    functions = [each for each in definitions if each.is_executable]
    specs: list[tuple[AssetSpec, Source | None]] = [(each, None) for each in assets if isinstance(each, AssetSpec)]
    specs += [(spec, each.source) for each in definitions if not each.is_executable for spec in each.specs]
    graph = build_asset_graph(functions, specs)
    top = to_resources(resources, "Definitions")
    _check_circles(top)
    own = _asset_resources(definitions, top)
    schedules, sensors = list(schedules), list(sensors)
    given = _collect(jobs, schedules, sensors)
    resolved: dict[str, JobDefinition] = {}
    if graph.executable() or graph.checks:
        resolved[AssetJobName] = JobDefinition(
            name=AssetJobName,
            description="All assets and checks of this code location, by selection.",
            asset_layer=AssetLayer(graph, frozenset(graph.executable()), frozenset(graph.checks)),
        )
    for name, job in given.items():
        resolved[name] = job.resolve(graph) if isinstance(job, UnresolvedAssetJobDefinition) else job
    bound = {name: job.with_top_level_resources(own, executor, loggers) for name, job in resolved.items()}
    _check_resources(bound)
    conditions = declared_conditions(
        graph, {name: getattr(job, "automation_condition", None) for name, job in given.items()}
    )
    automation = automation_targets(sensors, graph, conditions)
    if DEFAULT_AUTOMATION_SENSOR in automation and all(each.name != DEFAULT_AUTOMATION_SENSOR for each in sensors):
        sensors.append(default_automation_sensor())
    return Resolution(
        asset_graph=graph,
        jobs=bound,
        schedules=_schedules(schedules, bound, top),
        sensors=_sensors(sensors, bound, top),
        resources=top,
        conditions=bind_conditions(conditions, graph, bound),
        automation=automation,
    )


def stores_of(op: OpDefinition) -> Iterable[str]:
    """The resources that store an op's outputs or load its inputs in its own right."""
    for out in op.outs.values():
        if not out.is_nothing:
            yield out.io_manager_key
    for each in op.ins.values():
        if each.input_manager_key is not None:
            yield each.input_manager_key


def _asset_resources(
    functions: Iterable[AssetsDefinition], top: Mapping[str, ResourceDefinition]
) -> dict[str, ResourceDefinition]:
    """The top-level resources with those that assets bring themselves."""
    result = dict(top)
    for definition in functions:
        for key, resource in definition.resource_defs.items():
            if key in result and not result[key].is_same(resource):
                raise DefinitionError(
                    f'{definition.what} ({definition.source}) brings another resource "{key}" than the one that '
                    "is there already; rename one of them."
                )
            result[key] = resource
    return result


def _collect(
    jobs: Iterable[ExecutableJob],
    schedules: Iterable[ScheduleDefinition | PartitionedSchedule],
    sensors: Iterable[SensorDefinition],
) -> dict[str, ExecutableJob]:
    """All jobs by name: those that are given, and those that schedules and sensors start."""
    found: dict[str, ExecutableJob] = {}
    for job in jobs:
        _add(found, job)
    for each in schedules:
        for job in (each.job,) if isinstance(each, PartitionedSchedule) else each.target.jobs:
            _add(found, job)
    for sensor in sensors:
        for job in sensor.target.jobs:
            _add(found, job)
    return found


def _add(found: dict[str, ExecutableJob], job: ExecutableJob) -> None:
    present = found.get(job.name)
    if present is None:
        if job.name == AssetJobName:
            raise DefinitionError(f'The job name "{AssetJobName}" ({job.source}) is taken; choose another.')
        found[job.name] = job
    elif present is not job:
        raise DefinitionError(
            f'Two jobs have the name "{job.name}": at {present.source} and at {job.source}; rename one of them.'
        )


def _check_resources(jobs: Mapping[str, JobDefinition]) -> None:
    for job in jobs.values():
        known = job.resource_defs
        checked: set[int] = set()
        for op in job_ops(job):
            if id(op) in checked:
                continue
            checked.add(id(op))
            for key in (*op.required_resource_keys, *stores_of(op)):
                if key not in known and key != DEFAULT_IO_MANAGER:
                    raise UnknownResourceError(
                        f'{op.what} ({op.source}) needs the resource "{key}", which {_lacks(job.name)}'
                        f"{_known(key, known)}"
                    )
        for hook in job.hooks:
            for key in hook.required_resource_keys:
                if key not in known:
                    raise UnknownResourceError(
                        f'Hook "{hook.name}" ({hook.source}) needs the resource "{key}", which '
                        f"{_lacks(job.name)}{_known(key, known)}"
                    )


def _lacks(job: str) -> str:
    return "is not there" if job == AssetJobName else f'job "{job}" does not have'


def _check_circles(resources: Mapping[str, ResourceDefinition]) -> None:
    """Every resource that another one needs exists, and none needs itself by way of others."""
    done: set[str] = set()

    def visit(key: str, path: tuple[str, ...]) -> None:
        if key in path:
            circle = " -> ".join([*path[path.index(key) :], key])
            raise DefinitionError(f"Resources need each other in a circle: {circle}; drop one of these needs.")
        if key in done:
            return
        for needed in sorted(resources[key].required_resource_keys):
            if needed not in resources:
                raise UnknownResourceError(
                    f'The resource "{key}" needs the resource "{needed}", which is not there{_known(needed, resources)}'
                )
            visit(needed, (*path, key))
        done.add(key)

    for key in resources:
        visit(key, ())


def _known(key: str, known: Collection[str]) -> str:
    if nearest_name(key, known) is not None:
        return did_you_mean(key, known)
    there = f"has {listed(sorted(known), 'and')}" if known else "is empty"
    return f"; add it to resources, which {there}."


def _schedules(
    given: Iterable[ScheduleDefinition | PartitionedSchedule],
    jobs: Mapping[str, JobDefinition],
    resources: Mapping[str, ResourceDefinition],
) -> dict[str, ScheduleDefinition]:
    result: dict[str, ScheduleDefinition] = {}
    for each in given:
        schedule = each.resolve(jobs[each.job.name]) if isinstance(each, PartitionedSchedule) else each
        _check_instigator(schedule, jobs, resources)
        if schedule.name in result:
            raise DefinitionError(
                f'Two schedules have the name "{schedule.name}": at {result[schedule.name].source} and at '
                f"{schedule.source}; rename one of them."
            )
        result[schedule.name] = schedule
    return result


def _sensors(
    given: Iterable[SensorDefinition],
    jobs: Mapping[str, JobDefinition],
    resources: Mapping[str, ResourceDefinition],
) -> dict[str, SensorDefinition]:
    result: dict[str, SensorDefinition] = {}
    for sensor in given:
        _check_instigator(sensor, jobs, resources)
        if sensor.name in result:
            raise DefinitionError(
                f'Two sensors have the name "{sensor.name}": at {result[sensor.name].source} and at {sensor.source}; '
                "rename one of them."
            )
        result[sensor.name] = sensor
    return result


def _check_instigator(
    given: ScheduleDefinition | SensorDefinition,
    jobs: Mapping[str, JobDefinition],
    resources: Mapping[str, ResourceDefinition],
) -> None:
    for name in given.target.names:
        if name not in jobs:
            raise DefinitionError(
                f'{given.what} ({given.source}) starts the job "{name}", which is not there{did_you_mean(name, jobs)}'
            )
    for key in given.required_resource_keys:
        if key not in resources:
            raise UnknownResourceError(
                f'{given.what} ({given.source}) needs the resource "{key}", which is not there{_known(key, resources)}'
            )
