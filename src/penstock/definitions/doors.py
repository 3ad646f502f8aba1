"""The few doors that lead upward, each one line: definitions that users call are run by the execution floor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..execution.api import ExecuteInProcessResult
    from ..execution.asset_values import AssetValueLoader
    from ..execution.resources import InitResourceContext
    from .automation.run_request import Requested

__all__ = [
    "context_of_resource",
    "evaluate_schedule_tick",
    "evaluate_sensor_tick",
    "execute_job_in_process",
    "invoke",
    "loader_of_values",
]


def invoke(definition: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call an op's, asset's or check's function with these arguments, as a test does."""
    from ..execution.direct import invoke as run

    return run(definition, args, kwargs)


def execute_job_in_process(job: Any, **options: Any) -> ExecuteInProcessResult:
    """Run a job to its end in this process."""
    from ..execution.api import execute_in_process

    return execute_in_process(job, **options)


def context_of_resource(config: Any = None) -> InitResourceContext:
    """A context for setting a resource up by itself."""
    from ..execution.build_resources import build_init_resource_context

    return build_init_resource_context(config)


def loader_of_values(definitions: Any, instance: Any) -> AssetValueLoader:
    """What loads stored values of assets outside of a run."""
    from ..execution.asset_values import AssetValueLoader

    return AssetValueLoader(definitions, instance)


def evaluate_schedule_tick(schedule: Any, context: Any) -> Requested:
    """Evaluate a schedule as a tick does."""
    from ..execution.evaluate import schedule_tick

    return schedule_tick(schedule, context)


def evaluate_sensor_tick(sensor: Any, context: Any) -> Requested:
    """Evaluate a sensor of any kind as a tick does."""
    from ..execution.evaluate import sensor_tick

    return sensor_tick(sensor, context)
