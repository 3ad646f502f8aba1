"""Evaluates schedules and sensors, and checks run configs with all that user code knows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import msgspec

from ..codec import encode_msgpack
from ..config.problems import Problem
from ..definitions.automation.asset_sensor import AssetSensorDefinition, MultiAssetSensorDefinition
from ..definitions.automation.automation_sensor import AutomationConditionSensorDefinition
from ..definitions.automation.run_request import Requested, RunRequest
from ..definitions.automation.run_status_sensor import RunStatusSensorDefinition
from ..definitions.automation.schedule import ScheduleDefinition
from ..definitions.automation.sensor import SensorDefinition
from ..definitions.automation.webhook_sensor import WebhookSensorDefinition
from ..definitions.definitions import Definitions
from ..definitions.ops.job import JobDefinition
from ..engine.automation.graph import AutomationGraph
from ..errors import InvalidRunConfigError, UsageError
from ..plan.automation import automation_graph
from ..plan.build import build_plan
from ..records.location import REPOSITORY
from ..records.wire import (
    CheckRunConfig,
    ConfigAnswer,
    ConfigProblemRecord,
    EvaluatePartitions,
    EvaluateSchedule,
    EvaluateSensor,
    Evaluation,
    PartitionRun,
    PartitionsAnswer,
)
from .automation import evaluate_automation_sensor
from .blame import describe_user_error
from .configuration import configure
from .event_sensors import look_at_assets, react_to_asset, react_to_runs
from .facts import fact_of_no_run
from .multi_asset_context import MultiAssetSensorEvaluationContext
from .sensor_context import SensorEvaluationContext
from .tick_context import ScheduleEvaluationContext

__all__ = [
    "check_run_config",
    "evaluate_partitions",
    "evaluate_schedule",
    "evaluate_sensor",
    "schedule_tick",
    "sensor_tick",
]


Tell: TypeAlias = Callable[[Evaluation], None]


def schedule_tick(schedule: ScheduleDefinition, context: ScheduleEvaluationContext) -> Requested:
    """What a schedule's tick asks for; what user code raises comes through."""
    context.require(schedule.required_resource_keys)
    return schedule.evaluate(context, context.resources.original_resource_dict)


def sensor_tick(sensor: SensorDefinition, context: SensorEvaluationContext) -> Requested:
    """What a sensor's evaluation asks for, with the cursor that it leaves; what user code raises comes through."""
    context.require(sensor.required_resource_keys)
    match sensor:
        case RunStatusSensorDefinition():
            requested = react_to_runs(sensor, context)
        case AssetSensorDefinition():
            requested = react_to_asset(sensor, context)
        case MultiAssetSensorDefinition():
            requested = look_at_assets(sensor, context)
        case WebhookSensorDefinition() if not context.webhook_requests:
            requested = Requested(skip_reason="No request has come.")
        case _:
            requested = sensor.evaluate(context, context.resources.original_resource_dict)
            if requested.cursor is not None and context.cursor_updated:
                raise UsageError(
                    f"{sensor.what} called context.update_cursor and gave a SensorResult with a cursor; keep one of "
                    "them."
                )
    if requested.cursor is None and context.cursor_updated:
        return msgspec.structs.replace(requested, cursor=context.cursor)
    return requested


def evaluate_schedule(
    definitions: Definitions, work: EvaluateSchedule, instance: Any = None, tell: Tell | None = None
) -> Evaluation:
    """What a schedule's tick asks for. What user code raises is in the answer.

    Args:
        definitions: The definitions of the code location.
        work: Which schedule, and for what instant.
        instance: The instance.
        tell: Called with what is to be known before the end.
    """
    schedule = definitions.get_schedule_def(work.name)
    context = ScheduleEvaluationContext(
        scheduled=work.due,
        timezone=schedule.execution_timezone or "UTC",
        schedule_name=schedule.name,
        resources=definitions.resolved.resources,
        keys=schedule.required_resource_keys,
        instance=instance,
        definitions=definitions,
        repository_name=REPOSITORY,
        told=_line_teller(tell),
    )
    try:
        with context:
            requested = schedule_tick(schedule, context)
            make_run = partial(_run_of, definitions, schedule.job_name)
            return _storable(_answer(requested, context.lines, schedule.tags, make_run))
    except Exception as error:  # noqa: BLE001 - the tick tells it
        return Evaluation(error=describe_user_error(error), log=tuple(context.lines))


def evaluate_sensor(
    definitions: Definitions,
    work: EvaluateSensor,
    instance: Any = None,
    location: str | None = None,
    graph: AutomationGraph | None = None,
    tell: Tell | None = None,
) -> Evaluation:
    """What a sensor's evaluation asks for. What user code raises is in the answer.

    Args:
        definitions: The definitions of the code location.
        work: Which sensor, and where it stands.
        instance: The instance.
        location: The name of the code location.
        graph: What automation conditions are evaluated over; made anew if not given.
        tell: Called with what is to be known before the end.
    """
    sensor = definitions.get_sensor_def(work.name)
    make: Callable[..., SensorEvaluationContext] = SensorEvaluationContext
    if isinstance(sensor, MultiAssetSensorDefinition):
        make = partial(MultiAssetSensorEvaluationContext, monitored_assets=sensor.monitored_assets)
    lines: list[str] = []

    def hand_over(requested: Requested) -> None:
        assert tell is not None
        of_event = _answer(requested, [], {}, partial(_run_of, definitions, sensor.job_name))
        tell(msgspec.structs.replace(of_event, unfinished=True))

    try:
        context = make(
            cursor=work.cursor,
            last_run_key=work.last_run_key,
            last_tick_completion_time=work.last_tick,
            last_sensor_start_time=work.turned_on,
            sensor_name=sensor.name,
            location=location,
            webhook_requests=work.webhooks,
            limit=work.timeout,
            hand_over=None if tell is None else hand_over,
            told=_line_teller(tell),
            resources=definitions.resolved.resources,
            keys=sensor.required_resource_keys,
            instance=instance,
            definitions=definitions,
            repository_name=REPOSITORY,
        )
        lines = context.lines
        with context:
            if isinstance(sensor, AutomationConditionSensorDefinition):
                return _automation(definitions, sensor, context, graph or automation_graph(definitions.resolved))
            requested = sensor_tick(sensor, context)
            return _storable(_answer(requested, lines, {}, partial(_run_of, definitions, sensor.job_name)))
    except Exception as error:  # noqa: BLE001 - the tick tells it
        return Evaluation(error=describe_user_error(error), log=tuple(lines))


def _storable(answer: Evaluation) -> Evaluation:
    """The same, for sure of a form in which it can be sent."""
    try:
        encode_msgpack(answer)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise UsageError(
            f"What it gave cannot be stored: {error}. Give texts of valid Unicode, and plain values in run configs."
        ) from error
    return answer


def _line_teller(tell: Tell | None) -> Callable[[str], None] | None:
    return None if tell is None else lambda line: tell(Evaluation(log=(line,), unfinished=True))


def _automation(
    definitions: Definitions,
    sensor: AutomationConditionSensorDefinition,
    context: SensorEvaluationContext,
    graph: AutomationGraph,
) -> Evaluation:
    tick = evaluate_automation_sensor(
        sensor,
        definitions.resolved,
        graph,
        storage=context.instance.storage,
        cursor=context.cursor,
        now=context.instance.clock.now(),
        log=context.log,
    )
    return Evaluation(
        run_requests=tick.run_requests,
        backfill=tick.backfill,
        skip_reason=None if tick.run_requests or tick.backfill else "No automation condition requests a run.",
        cursor=tick.cursor,
        evaluations=tick.evaluations,
        until=tick.until,
        log=tuple(context.lines),
    )


def _answer(
    requested: Requested, lines: list[str], tags: dict[str, str], of_partition: Callable[[RunRequest], PartitionRun]
) -> Evaluation:
    requests = []
    for each in requested.run_requests:
        own = of_partition(each)
        record = each.record({**tags, **own.tags})
        requests.append(record if record.run_config else msgspec.structs.replace(record, run_config=own.run_config))
    return Evaluation(
        run_requests=tuple(requests),
        skip_reason=requested.skip_reason,
        cursor=requested.cursor,
        error=None if requested.error is None else describe_user_error(requested.error),
        contained=requested.error is not None,
        log=tuple(lines),
        partitions=requested.dynamic_partitions_requests,
        facts=tuple(fact_of_no_run(each) for each in requested.asset_events),
        acted=requested.acted,
        more=requested.more,
    )


def _run_of(definitions: Definitions, own_job: str | None, request: RunRequest) -> PartitionRun:
    """What the job's partitioned config, if it has one, gives for the partition of a request."""
    name = request.job_name or own_job
    if request.partition_key is None or name is None or name not in definitions.resolved.jobs:
        return PartitionRun()
    return _partition_run(definitions.get_job_def(name), request.partition_key)


def _partition_run(job: JobDefinition, key: str) -> PartitionRun:
    config = job.partitioned_config
    if config is None:
        return PartitionRun()
    return PartitionRun(
        run_config=config.get_run_config_for_partition_key(key), tags=config.get_tags_for_partition_key(key)
    )


def evaluate_partitions(definitions: Definitions, work: EvaluatePartitions) -> PartitionsAnswer:
    """Run config and tags that user code gives for partitions of a job."""
    try:
        job = definitions.get_job_def(work.job)
        return PartitionsAnswer(runs={key: _partition_run(job, key) for key in work.keys})
    except Exception as error:  # noqa: BLE001 - the answer tells it
        return PartitionsAnswer(error=describe_user_error(error))


def check_run_config(definitions: Definitions, work: CheckRunConfig) -> ConfigAnswer:
    """All mistakes in a run config, those that only types and validators of user code can find included."""
    try:
        job = definitions.get_job_def(work.job)
        plan = build_plan(job, step_keys=work.step_keys, assets=work.assets)
        configure(plan, job, work.run_config)
    except InvalidRunConfigError as error:
        return ConfigAnswer(problems=tuple(_record(each) for each in error.problems if isinstance(each, Problem)))
    except Exception as error:  # noqa: BLE001 - the answer tells it
        return ConfigAnswer(error=describe_user_error(error))
    return ConfigAnswer()


def _record(problem: Problem) -> ConfigProblemRecord:
    return ConfigProblemRecord(path=problem.path, reason=problem.reason.value, message=problem.message)
