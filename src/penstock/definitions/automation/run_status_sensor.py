"""Sensors that react to what becomes of runs: each run that reaches a state, once, in the order in which they did."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, overload

from ...errors import DefinitionError
from ...records.event_type import STATUS_CHANGES, EventType
from ...records.run import RunStatus
from .selectors import Monitored, MonitoredJob
from .sensor import SensorDefinition
from .target import DefaultSensorStatus, ExecutableJob

__all__ = ["RunFailureSensorDefinition", "RunStatusSensorDefinition", "run_failure_sensor", "run_status_sensor"]


class RunStatusSensorDefinition(SensorDefinition):
    """A sensor that is called for each run that reaches a state. Make one with `@run_status_sensor`.

    Args:
        name: Its name; the function's if not given.
        run_status: The state.
        run_status_sensor_fn: Its function: gets the `RunStatusSensorContext`; returns or yields what any sensor may, or
            nothing.
        minimum_interval_seconds: The least time between two looks; if not given, each event is looked at at once.
        description: What it does.
        monitored_jobs: The jobs whose runs it watches, also those of other code locations by `JobSelector` and its
            kin; all jobs of its own location if not given.
        monitor_all_code_locations: Watch the runs of all jobs of all code locations.
        default_status: Whether it is on until somebody turns it.
        request_job: The job that it starts.
        request_jobs: The jobs that it may start; its requests name one of them.
        tags: Its tags; its runs have those of their requests.
        metadata: Facts about it.
        required_resource_keys: Resources that its function uses as `context.resources.<key>`.
        timeout_seconds: How long an evaluation may take; as the instance says if not given.

    Raises:
        DefinitionError: A part is not valid.
    """

    kind: ClassVar[str] = "RUN_STATUS"
    _interval: ClassVar[float] = 0.0

    def __init__(
        self,
        name: str | None,
        run_status: RunStatus,
        run_status_sensor_fn: Callable[..., Any],
        minimum_interval_seconds: float | None = None,
        description: str | None = None,
        monitored_jobs: Iterable[MonitoredJob] | None = None,
        monitor_all_code_locations: bool | None = None,
        default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
        request_job: ExecutableJob | None = None,
        request_jobs: Sequence[ExecutableJob] | None = None,
        tags: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        required_resource_keys: Iterable[str] | None = None,
        *,
        timeout_seconds: float | None = None,
    ) -> None:
        super().__init__(
            name,
            evaluation_fn=run_status_sensor_fn,
            minimum_interval_seconds=minimum_interval_seconds,
            description=description,
            job=request_job,
            jobs=request_jobs,
            default_status=default_status,
            tags=tags,
            metadata=metadata,
            required_resource_keys=required_resource_keys,
            timeout_seconds=timeout_seconds,
        )
        if run_status not in STATUS_CHANGES:
            known = ", ".join(STATUS_CHANGES)
            raise DefinitionError(
                f"{self.what} ({self.source}) waits for the state {run_status}, which no event tells; give one of "
                f"{known}."
            )
        self.run_status = RunStatus(run_status)
        self.monitored = Monitored(
            monitored_jobs, everywhere=bool(monitor_all_code_locations), what=f"{self.what} ({self.source})"
        )

    @property
    def event_type(self) -> EventType:
        """The event that brings a run into the state."""
        return STATUS_CHANGES[self.run_status]


def run_status_sensor(
    run_status: RunStatus,
    name: str | None = None,
    minimum_interval_seconds: float | None = None,
    description: str | None = None,
    monitored_jobs: Iterable[MonitoredJob] | None = None,
    monitor_all_code_locations: bool | None = None,
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
    request_job: ExecutableJob | None = None,
    request_jobs: Sequence[ExecutableJob] | None = None,
    tags: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    required_resource_keys: Iterable[str] | None = None,
    *,
    timeout_seconds: float | None = None,
) -> Callable[[Callable[..., Any]], RunStatusSensorDefinition]:
    """Make a sensor of a function that is called for each run that reaches a state.

    The function gets the `RunStatusSensorContext`; resources may be parameters of it.

    Args:
        run_status: The state.
        name: Its name; the function's if not given.
        minimum_interval_seconds: The least time between two looks; if not given, each event is looked at at once.
        description: What it does; the function's docstring if not given.
        monitored_jobs: The jobs whose runs it watches; all jobs of its own code location if not given.
        monitor_all_code_locations: Watch the runs of all jobs of all code locations.
        default_status: Whether it is on until somebody turns it.
        request_job: The job that it starts.
        request_jobs: The jobs that it may start; its requests name one of them.
        tags: Its tags; its runs have those of their requests.
        metadata: Facts about it.
        required_resource_keys: Resources that the function uses as `context.resources.<key>`.
        timeout_seconds: How long an evaluation may take; as the instance says if not given.

    Raises:
        DefinitionError: A part is not valid.
    """

    def define(fn: Callable[..., Any]) -> RunStatusSensorDefinition:
        return RunStatusSensorDefinition(
            name,
            run_status,
            fn,
            minimum_interval_seconds=minimum_interval_seconds,
            description=description,
            monitored_jobs=monitored_jobs,
            monitor_all_code_locations=monitor_all_code_locations,
            default_status=default_status,
            request_job=request_job,
            request_jobs=request_jobs,
            tags=tags,
            metadata=metadata,
            required_resource_keys=required_resource_keys,
            timeout_seconds=timeout_seconds,
        )

    return define


class RunFailureSensorDefinition(RunStatusSensorDefinition):
    """A sensor that is called for each failed run; its context tells the failure."""


@overload
def run_failure_sensor(name: Callable[..., Any], /) -> RunStatusSensorDefinition: ...
@overload
def run_failure_sensor(
    name: str | None = None,
    minimum_interval_seconds: float | None = None,
    description: str | None = None,
    monitored_jobs: Iterable[MonitoredJob] | None = None,
    monitor_all_code_locations: bool | None = None,
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
    request_job: ExecutableJob | None = None,
    request_jobs: Sequence[ExecutableJob] | None = None,
    tags: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    required_resource_keys: Iterable[str] | None = None,
    *,
    timeout_seconds: float | None = None,
) -> Callable[[Callable[..., Any]], RunStatusSensorDefinition]: ...
def run_failure_sensor(
    name: Any = None,
    minimum_interval_seconds: float | None = None,
    description: str | None = None,
    monitored_jobs: Iterable[MonitoredJob] | None = None,
    monitor_all_code_locations: bool | None = None,
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
    request_job: ExecutableJob | None = None,
    request_jobs: Sequence[ExecutableJob] | None = None,
    tags: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    required_resource_keys: Iterable[str] | None = None,
    *,
    timeout_seconds: float | None = None,
) -> RunStatusSensorDefinition | Callable[[Callable[..., Any]], RunStatusSensorDefinition]:
    """Make a sensor of a function that is called for each failed run.

    The function gets the `RunFailureSensorContext`; resources may be parameters of it.

    Args:
        name: Its name; the function's if not given.
        minimum_interval_seconds: The least time between two looks; if not given, each event is looked at at once.
        description: What it does; the function's docstring if not given.
        monitored_jobs: The jobs whose runs it watches; all jobs of its own code location if not given.
        monitor_all_code_locations: Watch the runs of all jobs of all code locations.
        default_status: Whether it is on until somebody turns it.
        request_job: The job that it starts.
        request_jobs: The jobs that it may start; its requests name one of them.
        tags: Its tags; its runs have those of their requests.
        metadata: Facts about it.
        required_resource_keys: Resources that the function uses as `context.resources.<key>`.
        timeout_seconds: How long an evaluation may take; as the instance says if not given.

    Raises:
        DefinitionError: A part is not valid.
    """

    def define(fn: Callable[..., Any], own_name: str | None = None) -> RunStatusSensorDefinition:
        return RunFailureSensorDefinition(
            own_name,
            RunStatus.FAILURE,
            fn,
            minimum_interval_seconds=minimum_interval_seconds,
            description=description,
            monitored_jobs=monitored_jobs,
            monitor_all_code_locations=monitor_all_code_locations,
            default_status=default_status,
            request_job=request_job,
            request_jobs=request_jobs,
            tags=tags,
            metadata=metadata,
            required_resource_keys=required_resource_keys,
            timeout_seconds=timeout_seconds,
        )

    if inspect.isfunction(name):
        return define(name)
    return lambda fn: define(fn, name)
