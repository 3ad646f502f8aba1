"""Sensors: look at the world every so often, and ask for runs when something happened."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, overload

import msgspec

from ...errors import DefinitionError
from ...records.metadata import Metadata, normalize_metadata
from ...wording import did_you_mean, listed
from ..doors import evaluate_sensor_tick
from ..names import check_name, check_owners, normalize_tags
from ..seconds import check_seconds
from ..source import Source, source_of_function
from .run_request import Requested, read_outcome
from .target import DefaultSensorStatus, ExecutableJob, Target
from .tick_function import TickFunction, read_tick_function

__all__ = ["DEFAULT_INTERVAL", "SensorDefinition", "sensor"]

DEFAULT_INTERVAL = 30.0
"""Seconds between two evaluations where a sensor says nothing."""


class SensorDefinition:
    """A sensor. Make one with `@sensor`.

    Args:
        name: Its name; the function's if not given.
        evaluation_fn: Its function: gets the `SensorEvaluationContext`; returns or yields `RunRequest`s, a `SkipReason`
            or a `SensorResult`.
        job_name: The job that it starts, by name.
        minimum_interval_seconds: The least time between two evaluations; 30 seconds if not given.
        description: What it looks for.
        job: The job that it starts.
        jobs: The jobs that it may start; its requests name one of them.
        default_status: Whether it is on until somebody turns it.
        asset_selection: The assets that it makes.
        required_resource_keys: Resources that its function uses as `context.resources.<key>`.
        tags: Its tags; its runs have those of their requests.
        metadata: Facts about it.
        target: The job or the assets that it starts.
        owners: Who answers for it: e-mail addresses or `team:name`.
        timeout_seconds: How long an evaluation may take; as the instance says if not given.

    Raises:
        DefinitionError: A part is not valid.
    """

    kind: ClassVar[str] = "STANDARD"
    """What kind of sensor it is, as the location's description says it."""

    _interval: ClassVar[float] = DEFAULT_INTERVAL
    _takes: ClassVar[tuple[str, ...]] = ("the context",)
    _needs_all: ClassVar[bool] = False

    def __init__(
        self,
        name: str | None = None,
        *,
        evaluation_fn: Callable[..., Any],
        job_name: str | None = None,
        minimum_interval_seconds: float | None = None,
        description: str | None = None,
        job: ExecutableJob | None = None,
        jobs: Sequence[ExecutableJob] | None = None,
        default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
        asset_selection: Any = None,
        required_resource_keys: Iterable[str] | None = None,
        tags: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        target: Any = None,
        owners: Iterable[str] | None = None,
        timeout_seconds: float | None = None,
    ) -> None:
        self.source: Source | None = source_of_function(evaluation_fn)
        self.name = check_name(name or evaluation_fn.__name__, "a sensor")
        self.what = f'Sensor "{self.name}"'
        self.target = Target.read(
            self.name,
            self.what,
            self.source,
            job_name=job_name,
            job=job,
            jobs=jobs,
            assets=asset_selection,
            target=target,
        )
        interval = check_seconds(minimum_interval_seconds, "minimum_interval_seconds", self.what, self.source)
        self.minimum_interval_seconds = self._interval if interval is None else interval
        self.timeout_seconds = check_seconds(timeout_seconds, "timeout_seconds", self.what, self.source)
        self.function: TickFunction = read_tick_function(
            evaluation_fn, self.what, self.source, meaning=self._takes, needs_all=self._needs_all
        )
        self.description = description or (inspect.cleandoc(evaluation_fn.__doc__) if evaluation_fn.__doc__ else None)
        self.default_status = DefaultSensorStatus(default_status)
        self.required_resource_keys = frozenset(required_resource_keys or ()).union(self.function.resources)
        self.tags = normalize_tags(tags, self.what)
        self.metadata: Metadata = normalize_metadata(metadata)
        self.owners = check_owners(owners, self.what)

    @property
    def job_names(self) -> tuple[str, ...]:
        """The names of the jobs that it may start."""
        return self.target.names

    @property
    def job_name(self) -> str | None:
        """The name of the job that it starts, if it is one."""
        return self.target.names[0] if len(self.target.names) == 1 else None

    @property
    def jobs(self) -> Sequence[ExecutableJob]:
        """The jobs that it may start, where they were given as objects."""
        return self.target.jobs

    @property
    def job(self) -> ExecutableJob:
        """The one job that it starts; raises `DefinitionError` where there is not exactly one."""
        if len(self.target.jobs) != 1:
            raise DefinitionError(f"{self.what} has {len(self.target.jobs)} jobs; use .jobs or .job_names.")
        return self.target.jobs[0]

    def evaluate(self, context: Any, resources: Mapping[str, Any]) -> Requested:
        """What this evaluation asks for.

        Args:
            context: The `SensorEvaluationContext`.
            resources: The resources that its function takes as parameters, by name.

        Raises:
            DefinitionError: The function gave something else than it should; what it raises comes through.
        """
        return self.read([context], resources)

    def evaluate_tick(self, context: Any) -> Requested:
        """What an evaluation asks for, with everything that a tick in a deployment does but storing it.

        Args:
            context: One that `build_sensor_context` has made, for a multi-asset sensor
                `build_multi_asset_sensor_context`.

        Raises:
            DefinitionError: The function gave something else than it should; what it raises comes through.
        """
        requested = evaluate_sensor_tick(self, context)
        kept = context.cursor if requested.cursor is None else requested.cursor
        return msgspec.structs.replace(requested, cursor=kept)

    def read(self, values: Sequence[Any], resources: Mapping[str, Any]) -> Requested:
        """Call the function with what it may take besides resources, and read what it gives.

        Raises:
            DefinitionError: It gave something else than it should; what it raises comes through.
        """
        requested = read_outcome(self.function.call(values, resources), f"{self.what} ({self.source})")
        for request in requested.run_requests:
            if request.job_name is None and len(self.target.names) != 1:
                raise DefinitionError(
                    f"{self.what} ({self.source}) asks for a run without saying of which job; "
                    + (
                        f"give the RunRequest a job_name: {listed(self.target.names, 'or')}."
                        if self.target.names
                        else "give the sensor a job, jobs or a target."
                    )
                )
            if request.job_name is not None and request.job_name not in self.target.names:
                raise DefinitionError(
                    f'{self.what} ({self.source}) asks for a run of the job "{request.job_name}", which is none of its '
                    f"jobs{did_you_mean(request.job_name, self.target.names)}"
                )
        return requested

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function itself, as tests do; resources that are not given come from the context."""
        return self.function.call_directly(args, kwargs)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"


@overload
def sensor(evaluation_fn: Callable[..., Any], /) -> SensorDefinition: ...
@overload
def sensor(
    job_name: str | None = None,
    *,
    name: str | None = None,
    minimum_interval_seconds: float | None = None,
    description: str | None = None,
    job: ExecutableJob | None = None,
    jobs: Sequence[ExecutableJob] | None = None,
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
    asset_selection: Any = None,
    required_resource_keys: Iterable[str] | None = None,
    tags: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    target: Any = None,
    owners: Iterable[str] | None = None,
    timeout_seconds: float | None = None,
) -> Callable[[Callable[..., Any]], SensorDefinition]: ...
def sensor(
    job_name: Any = None,
    *,
    name: str | None = None,
    minimum_interval_seconds: float | None = None,
    description: str | None = None,
    job: ExecutableJob | None = None,
    jobs: Sequence[ExecutableJob] | None = None,
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
    asset_selection: Any = None,
    required_resource_keys: Iterable[str] | None = None,
    tags: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    target: Any = None,
    owners: Iterable[str] | None = None,
    timeout_seconds: float | None = None,
) -> SensorDefinition | Callable[[Callable[..., Any]], SensorDefinition]:
    """Make a sensor of a function that looks at the world and says what runs it asks for.

    The function gets the `SensorEvaluationContext` and returns or yields `RunRequest`s, a `SkipReason` or a
    `SensorResult`; resources may be parameters of it.

    Args:
        job_name: The job that it starts, by name.
        name: Its name; the function's if not given.
        minimum_interval_seconds: The least time between two evaluations; 30 seconds if not given.
        description: What it looks for; the function's docstring if not given.
        job: The job that it starts.
        jobs: The jobs that it may start; its requests name one of them.
        default_status: Whether it is on until somebody turns it.
        asset_selection: The assets that it makes.
        required_resource_keys: Resources that the function uses as `context.resources.<key>`.
        tags: Its tags; its runs have those of their requests.
        metadata: Facts about it.
        target: The job or the assets that it starts.
        owners: Who answers for it: e-mail addresses or `team:name`.
        timeout_seconds: How long an evaluation may take; as the instance says if not given.

    Raises:
        DefinitionError: A part is not valid.
    """

    def define(fn: Callable[..., Any], by_name: str | None = None) -> SensorDefinition:
        return SensorDefinition(
            name,
            evaluation_fn=fn,
            job_name=by_name,
            minimum_interval_seconds=minimum_interval_seconds,
            description=description,
            job=job,
            jobs=jobs,
            default_status=default_status,
            asset_selection=asset_selection,
            required_resource_keys=required_resource_keys,
            tags=tags,
            metadata=metadata,
            target=target,
            owners=owners,
            timeout_seconds=timeout_seconds,
        )

    if inspect.isfunction(job_name):
        return define(job_name)
    return lambda fn: define(fn, job_name)
