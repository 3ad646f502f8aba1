"""Describes definitions as records: all that web server and daemon need to know, without user code."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from ..config.secrets import conceal, redact
from ..errors import DefinitionError, NotFoundError
from ..partitions.mapping import PartitionMapping
from ..partitions.mapping_multi import PartitionMappingRecord
from ..partitions.spec import dynamic_names
from ..records.conditions.entity import check_id, job_id
from ..records.conditions.nodes import ConditionRecord
from ..records.location import (
    AssetDescription,
    CheckDescription,
    InputDescription,
    JobDescription,
    LocationDescription,
    OutputDescription,
    ResourceDescription,
    ScheduleDescription,
    SensorDescription,
    SourceRef,
    StepDescription,
    StepRef,
)
from ..records.metadata import Metadata
from ..records.run import Tag
from ..version import __version__
from .assets.graph import AssetGraph, AssetNode, CheckNode
from .automation.asset_sensor import AssetSensorDefinition, MultiAssetSensorDefinition, monitored_keys
from .automation.binding import as_record
from .automation.run_status_sensor import RunStatusSensorDefinition
from .automation.schedule import ScheduleDefinition
from .automation.sensor import SensorDefinition
from .automation.target import declared_status
from .automation.webhook_sensor import WebhookSensorDefinition
from .definitions import Definitions
from .garbage import paused_collection
from .ops.job import JobDefinition
from .resolution import Resolution
from .run_config import mapped_part, needed_resources, run_config_schema
from .source import Source
from .steps.job_steps import job_steps
from .steps.model import FromAsset, OrderOnly, Step, StepInput

__all__ = ["describe", "describe_job"]


def describe(definitions: Definitions, name: str) -> LocationDescription:
    """The description of a code location.

    Args:
        definitions: Its definitions.
        name: Its name.

    Raises:
        DefinitionError: The definitions do not fit together.
    """
    with paused_collection():
        return _describe(definitions, name)


def _describe(definitions: Definitions, name: str) -> LocationDescription:
    resolved = definitions.resolved
    graph = resolved.asset_graph
    places, conditions = _conditions(resolved)
    jobs = [replace(describe_job(job), condition=places.get(job_id(name))) for name, job in resolved.jobs.items()]
    jobs_of_assets: dict[str, list[str]] = {}
    jobs_of_checks: dict[str, list[str]] = {}
    for job in jobs:
        for key in job.assets:
            jobs_of_assets.setdefault(key, []).append(job.name)
        for key in job.checks:
            jobs_of_checks.setdefault(key, []).append(job.name)
    return LocationDescription(
        name=name,
        jobs=tuple(jobs),
        assets=tuple(
            _asset(node, jobs_of_assets.get(key, ()), places.get(key), _rules(graph, node))
            for key, node in graph.assets.items()
        ),
        checks=tuple(
            _check(node, jobs_of_checks.get(key, ()), places.get(check_id(key))) for key, node in graph.checks.items()
        ),
        schedules=tuple(_schedule(each) for each in resolved.schedules.values()),
        sensors=tuple(_sensor(each, resolved) for each in resolved.sensors.values()),
        resources=tuple(_resources(resolved, jobs)),
        metadata=definitions.metadata,
        dynamic_partitions=_dynamic_partitions(resolved),
        conditions=conditions,
        python_version=platform.python_version(),
        penstock_version=__version__,
    )


def describe_job(job: JobDefinition) -> JobDescription:
    """The description of a job that has its resources.

    Raises:
        DefinitionError: Its parts do not fit together.
    """
    steps = job_steps(job)
    layer = job.asset_layer
    schema = run_config_schema(job)
    return JobDescription(
        name=job.name,
        description=job.description,
        tags=job.tags,
        run_tags=job.run_tags,
        owners=job.owners,
        metadata=job.metadata,
        steps=tuple(_step(step, job) for step in steps.values()),
        config_schema=conceal(schema),
        maps_config=mapped_part(job),
        default_config=redact(schema, job.default_config),
        config_by_partition=job.partitioned_config is not None,
        is_asset_job=layer is not None,
        assets=tuple(key for step in steps.values() for key in step.asset_keys),
        checks=tuple(key for step in steps.values() for key in step.check_keys),
        partitions=job.partitions_def.spec if job.partitions_def is not None else None,
        executor=job.executor_def.name,
        source=_source(job.source),
    )


def _step(step: Step, job: JobDefinition) -> StepDescription:
    op = step.op
    return StepDescription(
        key=step.key,
        op=op.name,
        kind=step.kind.value,
        description=op.description,
        inputs=tuple(_input(given) for given in step.inputs),
        outputs=tuple(
            OutputDescription(
                name=output.name,
                type_name=output.definition.type_name,
                description=output.definition.description,
                required=output.required,
                dynamic=output.dynamic,
                asset=output.asset_key,
                observes=output.observes,
            )
            for output in step.outputs
        ),
        assets=step.asset_keys,
        checks=step.check_keys,
        tags=step.tags,
        compute_kind=step.tags.get(Tag.COMPUTE_KIND),
        pool=step.pool,
        timeout=step.timeout,
        can_subset=step.can_subset,
        graph=step.graph,
        max_retries=step.retry_policy.max_retries if step.retry_policy is not None else 0,
        resources=needed_resources(step.used_resources, job.resource_defs),
        source=_source(op.source),
    )


def _input(given: StepInput) -> InputDescription:
    definition = given.definition
    return InputDescription(
        name=given.name,
        type_name=definition.type_name,
        description=definition.description,
        sources=tuple(StepRef(step=source.step, output=source.output) for source in given.upstream()),
        asset=given.source.asset_key if isinstance(given.source, FromAsset) else None,
        passes_value=not isinstance(given.source, OrderOnly),
    )


def _asset(
    node: AssetNode, jobs: Iterable[str], condition: int | None, rules: Mapping[str, PartitionMapping]
) -> AssetDescription:
    spec = node.spec
    definition = node.definition
    policy = definition.backfill_policy if definition is not None else None
    return AssetDescription(
        key=node.key,
        description=spec.description,
        group=node.group,
        kinds=tuple(sorted(spec.kinds)) if spec.tags else (),
        tags=spec.tags,
        owners=spec.owners,
        metadata=_metadata(node),
        deps=node.deps,
        mapped_deps=_mapped_deps(node, rules) if spec.partitions_def is not None else (),
        mappings={key: rule for key, rule in rules.items() if isinstance(rule, PartitionMappingRecord)},
        jobs=tuple(jobs),
        op=definition.name if definition is not None else None,
        observable=definition is not None and definition.observes,
        partitions=spec.partitions_def.spec if spec.partitions_def is not None else None,
        max_partitions_per_run=policy.max_partitions_per_run if policy is not None else 1,
        code_version=spec.code_version,
        freshness=spec.freshness_policy,
        is_virtual=spec.is_virtual,
        io_manager=_io_manager(node),
        checks=tuple(key[len(node.key) + 1 :] for key in node.checks),
        condition=condition,
        source=_source(definition.source) if definition is not None else None,
    )


def _rules(graph: AssetGraph, node: AssetNode) -> dict[str, PartitionMapping]:
    """The rules of its own by which it needs partitions of others, by their keys."""
    rules = {
        dep.asset_key.to_user_string(): dep.partition_mapping
        for dep in node.spec.deps
        if dep.partition_mapping is not None
    }
    if node.definition is not None:
        given = graph.inputs[node.definition.name].values()
        rules |= {each.key: each.partition_mapping for each in given if each.partition_mapping is not None}
    return {key: rule for key, rule in rules.items() if key in node.deps}


def _mapped_deps(node: AssetNode, rules: Mapping[str, PartitionMapping]) -> tuple[str, ...]:
    return tuple(key for key in node.deps if key in rules or key == node.key)


def _io_manager(node: AssetNode) -> str | None:
    """The resource that stores it; None where no value is stored."""
    if node.definition is None or node.output is None or node.definition.observes:
        return node.spec.io_manager_key
    return None if node.definition.out(node.output).is_nothing else node.io_manager_key


def _metadata(node: AssetNode) -> Metadata:
    try:
        return node.spec.normalized_metadata()
    except DefinitionError as error:
        place = node.definition.source if node.definition is not None else None
        raise DefinitionError(f"Asset {node.key} ({place}): {error}") from error


def _check(node: CheckNode, jobs: Iterable[str], condition: int | None) -> CheckDescription:
    return CheckDescription(
        asset=node.asset,
        name=node.spec.name,
        description=node.spec.description,
        blocking=node.spec.blocking,
        jobs=tuple(jobs),
        op=node.definition.name,
        condition=condition,
        partitions=node.spec.partitions_def.spec if node.spec.partitions_def is not None else None,
    )


def _schedule(schedule: ScheduleDefinition) -> ScheduleDescription:
    return ScheduleDescription(
        name=schedule.name,
        cron=schedule.cron_schedules,
        timezone=schedule.execution_timezone,
        job=schedule.job_name,
        dst_gap=schedule.dst_gap,
        dst_fold=schedule.dst_fold,
        max_catchup=schedule.max_catchup_runs,
        follows_partitions=schedule.follows_partitions,
        description=schedule.description,
        default_status=declared_status(schedule.default_status),
        timeout=schedule.timeout_seconds,
        tags=schedule.tags,
        owners=schedule.owners,
        metadata=schedule.metadata,
        source=_source(schedule.source),
    )


def _sensor(sensor: SensorDefinition, resolved: Resolution) -> SensorDescription:
    return SensorDescription(
        name=sensor.name,
        kind=sensor.kind,
        jobs=sensor.job_names,
        interval=sensor.minimum_interval_seconds,
        description=sensor.description,
        default_status=declared_status(sensor.default_status),
        assets=_watched(sensor, resolved),
        event_type=sensor.event_type if isinstance(sensor, RunStatusSensorDefinition) else None,
        runs=sensor.monitored.described() if isinstance(sensor, RunStatusSensorDefinition) else (),
        timeout=sensor.timeout_seconds,
        headers=sensor.headers if isinstance(sensor, WebhookSensorDefinition) else (),
        tags=sensor.tags,
        owners=sensor.owners,
        metadata=sensor.metadata,
        source=_source(sensor.source),
    )


def _watched(sensor: SensorDefinition, resolved: Resolution) -> tuple[str, ...]:
    """The assets that a sensor looks at, in text form."""
    match sensor:
        case AssetSensorDefinition():
            return (sensor.asset_key.to_user_string(),)
        case MultiAssetSensorDefinition():
            try:
                keys = monitored_keys(sensor.monitored_assets, resolved.asset_graph)
            except NotFoundError as error:
                raise DefinitionError(f"{sensor.what} ({sensor.source}) monitors what is not there: {error}") from error
            return tuple(key.to_user_string() for key in keys)
    return tuple(sorted(resolved.automation.get(sensor.name, frozenset()) & resolved.asset_graph.assets.keys()))


def _resources(resolved: Resolution, jobs: Iterable[JobDescription]) -> Iterable[ResourceDescription]:
    used_by: dict[str, dict[str, None]] = {}
    for job in jobs:
        for step in job.steps:
            for key in step.resources:
                used_by.setdefault(key, {})[step.op] = None
    for key, definition in resolved.resources.items():
        field = definition.config_field
        yield ResourceDescription(
            name=key,
            type_name=definition.type_name,
            description=definition.description,
            config_schema=conceal(field.type) if field is not None else None,
            config=definition.shown_config(),
            used_by=tuple(used_by.get(key, ())),
        )


def _conditions(resolved: Resolution) -> tuple[dict[str, int], tuple[ConditionRecord, ...]]:
    """The place of each entity's automation condition, and each different condition once."""
    places: dict[int, int] = {}
    different: list[ConditionRecord] = []
    for condition in resolved.conditions.values():
        if id(condition) not in places:
            places[id(condition)] = len(different)
            different.append(as_record(condition))
    return {key: places[id(condition)] for key, condition in resolved.conditions.items()}, tuple(different)


def _dynamic_partitions(resolved: Resolution) -> tuple[str, ...]:
    sets = [node.partitions_def for node in resolved.asset_graph.assets.values()]
    sets += [job.partitions_def for job in resolved.jobs.values()]
    return tuple(sorted({name for each in sets if each is not None for name in dynamic_names(each.spec)}))


def _source(source: Source | None) -> SourceRef | None:
    return SourceRef(file=source.file, line=source.line) if source is not None else None
