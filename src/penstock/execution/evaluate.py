"""Evaluates schedules and sensors, and checks run configs with all that user code knows."""

from __future__ import annotations

from typing import Any

from ..config.problems import Problem
from ..definitions.automation.run_request import Requested
from ..definitions.definitions import Definitions
from ..errors import InvalidRunConfigError
from ..plan.build import build_plan
from ..records.wire import (
    CheckRunConfig,
    ConfigAnswer,
    ConfigProblemRecord,
    EvaluateSchedule,
    EvaluateSensor,
    Evaluation,
)
from .blame import describe_user_error
from .configuration import configure
from .tick_context import ScheduleEvaluationContext, SensorEvaluationContext

__all__ = ["check_run_config", "evaluate_schedule", "evaluate_sensor"]


def evaluate_schedule(definitions: Definitions, work: EvaluateSchedule, instance: Any = None) -> Evaluation:
    """What a schedule's tick asks for. What user code raises is in the answer."""
    schedule = definitions.get_schedule_def(work.name)
    context = ScheduleEvaluationContext(
        scheduled=work.due,
        timezone=schedule.execution_timezone or "UTC",
        schedule_name=schedule.name,
        definitions=definitions.resolved.resources,
        keys=schedule.required_resource_keys,
        instance=instance,
    )
    try:
        with context:
            requested = schedule.evaluate(context, context.resources.original_resource_dict)
            return _answer(requested, context.lines, None, schedule.tags)
    except Exception as error:  # noqa: BLE001 - the tick tells it
        return Evaluation(error=describe_user_error(error), log=tuple(context.lines))


def evaluate_sensor(definitions: Definitions, work: EvaluateSensor, instance: Any = None) -> Evaluation:
    """What a sensor's evaluation asks for. What user code raises is in the answer."""
    sensor = definitions.get_sensor_def(work.name)
    context = SensorEvaluationContext(
        cursor=work.cursor,
        last_run_key=work.last_run_key,
        last_tick=work.last_tick,
        sensor_name=sensor.name,
        definitions=definitions.resolved.resources,
        keys=sensor.required_resource_keys,
        instance=instance,
    )
    try:
        with context:
            requested = sensor.evaluate(context, context.resources.original_resource_dict)
            cursor = context.cursor if context.cursor_updated else None
            return _answer(requested, context.lines, cursor, sensor.tags)
    except Exception as error:  # noqa: BLE001 - the tick tells it
        return Evaluation(error=describe_user_error(error), log=tuple(context.lines))


def _answer(requested: Requested, lines: list[str], cursor: str | None, tags: dict[str, str]) -> Evaluation:
    return Evaluation(
        run_requests=tuple(each.record(tags) for each in requested.run_requests),
        skip_reason=requested.skip_reason,
        cursor=cursor if requested.cursor is None else requested.cursor,
        log=tuple(lines),
    )


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
