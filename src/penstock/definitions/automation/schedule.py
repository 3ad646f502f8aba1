"""Schedules: at the times that a cron text says, ask for runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, get_args

import msgspec

from ...config.run_config import RunConfig, plain_run_config
from ...errors import DefinitionError, InvocationError
from ...partitions.cron import Fold, Gap, parse
from ...records.metadata import Metadata, normalize_metadata
from ..doors import evaluate_schedule_tick
from ..function import docstring
from ..names import check_name, check_owners, normalize_tags
from ..seconds import check_seconds
from ..source import Source, source_of_call, source_of_function
from .run_request import Requested, RunRequest, read_outcome
from .target import DefaultScheduleStatus, ExecutableJob, Target
from .tick_function import TickFunction, read_tick_function

__all__ = ["ScheduleDefinition", "schedule"]


class ScheduleDefinition:
    """A schedule. Make one of a function with `@schedule`, or this one where every tick asks for the same run.

    Args:
        name: Its name; the job's with `_schedule` if not given.
        cron_schedule: When it is due: a cron text of five fields, or several.
        job_name: The job that it starts, by name.
        run_config: The config of its runs.
        run_config_fn: Or a function of the context that gives it.
        tags: Tags of its runs.
        tags_fn: Or a function of the context that gives them.
        metadata: Facts about it.
        should_execute: A function of the context that says whether a tick asks for a run at all.
        execution_timezone: The IANA name of the zone that the cron text is meant in; UTC if not given.
        execution_fn: A function that says itself what runs a tick asks for.
        description: What it does.
        job: The job that it starts.
        default_status: Whether it is on until somebody turns it.
        required_resource_keys: Resources that its function uses as `context.resources.<key>`.
        target: The job or the assets that it starts.
        owners: Who answers for it: e-mail addresses or `team:name`.
        dst_gap: What becomes of a time that a change of clocks skips: due right "after" it, or "skip".
        dst_fold: When it is due at a time that a change of clocks repeats: the "first" time, the "second", or "both".
        max_catchup_runs: How many ticks that were missed are made up; one if not given.
        timeout_seconds: How long an evaluation may take; as the instance says if not given.

    Raises:
        DefinitionError: A part is not valid.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        cron_schedule: str | Sequence[str],
        job_name: str | None = None,
        run_config: Mapping[str, Any] | RunConfig | None = None,
        run_config_fn: Callable[..., Mapping[str, Any] | RunConfig] | None = None,
        tags: Mapping[str, Any] | None = None,
        tags_fn: Callable[..., Mapping[str, Any]] | None = None,
        metadata: Mapping[str, Any] | None = None,
        should_execute: Callable[..., bool] | None = None,
        execution_timezone: str | None = None,
        execution_fn: Callable[..., Any] | None = None,
        description: str | None = None,
        job: ExecutableJob | None = None,
        default_status: DefaultScheduleStatus = DefaultScheduleStatus.STOPPED,
        required_resource_keys: Iterable[str] | None = None,
        target: Any = None,
        owners: Iterable[str] | None = None,
        dst_gap: Gap = "after",
        dst_fold: Fold = "first",
        max_catchup_runs: int | None = None,
        timeout_seconds: float | None = None,
    ) -> None:
        self.source: Source | None = source_of_function(execution_fn) if execution_fn is not None else source_of_call()
        own = name or (
            f"{job_name or getattr(job or target, 'name', '')}_schedule" if job or job_name or target else ""
        )
        self.name = check_name(own, "a schedule")
        self.what = f'Schedule "{self.name}"'
        self.cron_schedules = self._crons(cron_schedule)
        self.execution_timezone = self._zone(execution_timezone)
        self.target = Target.read(self.name, self.what, self.source, job_name=job_name, job=job, target=target)
        if not self.target.names:
            raise DefinitionError(f"{self.what} ({self.source}) starts nothing; give job=, job_name= or target=.")
        for first, second, words in (
            (run_config, run_config_fn, "run_config and run_config_fn"),
            (tags, tags_fn, "tags and tags_fn"),
            (
                execution_fn,
                run_config_fn if run_config is None else run_config,
                "execution_fn and a run config, which the function gives",
            ),
        ):
            if first is not None and second is not None:
                raise DefinitionError(f"{self.what} ({self.source}) has {words}; keep one of them.")
        self.run_config = plain_run_config(run_config, self.what)
        self.run_config_fn = run_config_fn
        self.tags = normalize_tags(tags, self.what)
        self.tags_fn = tags_fn
        self.metadata: Metadata = normalize_metadata(metadata)
        self.should_execute = should_execute
        self.function: TickFunction | None = (
            None if execution_fn is None else read_tick_function(execution_fn, self.what, self.source)
        )
        self.description = description or docstring(execution_fn)
        self.default_status = DefaultScheduleStatus(default_status)
        self.owners = check_owners(owners, self.what)
        self.dst_gap: Gap = self._one_of("dst_gap", dst_gap, get_args(Gap))
        self.dst_fold: Fold = self._one_of("dst_fold", dst_fold, get_args(Fold))
        self.max_catchup_runs = self._catchup(max_catchup_runs)
        self.follows_partitions = False
        self.timeout_seconds = check_seconds(timeout_seconds, "timeout_seconds", self.what, self.source)
        keys = frozenset(required_resource_keys or ())
        self.required_resource_keys = keys.union(self.function.resources if self.function is not None else ())

    @property
    def cron_schedule(self) -> str | Sequence[str]:
        """When it is due: one cron text, or several."""
        return self.cron_schedules[0] if len(self.cron_schedules) == 1 else list(self.cron_schedules)

    @property
    def job_name(self) -> str:
        """The name of the job that it starts."""
        return self.target.names[0]

    @property
    def job(self) -> ExecutableJob:
        """The job that it starts; raises `DefinitionError` where only its name was given."""
        if not self.target.jobs:
            raise DefinitionError(f"{self.what} names its job {self.job_name}; get it from the Definitions.")
        return self.target.jobs[0]

    def evaluate(self, context: Any, resources: Mapping[str, Any]) -> Requested:
        """What this tick asks for.

        Args:
            context: The `ScheduleEvaluationContext`.
            resources: The resources that its function takes as parameters, by name.

        Raises:
            DefinitionError: A function gave something else than it should; what users' functions raise comes through.
        """
        if self.should_execute is not None and not self.should_execute(context):
            return Requested(skip_reason="should_execute said no.")
        if self.function is not None:
            returned = self.function.call([context], resources)
            if not isinstance(returned, Mapping):
                return read_outcome(returned, f"{self.what} ({self.source})")
            config: Any = returned
        else:
            config = self.run_config if self.run_config_fn is None else self.run_config_fn(context)
        tags = self.tags_fn(context) if self.tags_fn is not None else None
        return Requested(run_requests=(RunRequest(run_config=config, tags=tags),))

    def evaluate_tick(self, context: Any) -> Requested:
        """What a tick asks for, with everything that a tick in a deployment does but storing it.

        Args:
            context: One that `build_schedule_context` has made.

        Raises:
            DefinitionError: A function gave something else than it should; what users' functions raise comes through.
        """
        requested = evaluate_schedule_tick(self, context)
        tagged = (each.with_replaced_attrs(tags={**self.tags, **each.tags}) for each in requested.run_requests)
        return msgspec.structs.replace(requested, run_requests=tuple(tagged))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function itself, as tests do; resources that are not given come from the context."""
        if self.function is None:
            raise InvocationError(f"{self.what} has no function to call; use evaluate_tick(context).")
        return self.function.call_directly(args, kwargs)

    def _crons(self, given: str | Sequence[str]) -> tuple[str, ...]:
        texts = (given,) if isinstance(given, str) else tuple(given)
        if not texts:
            raise DefinitionError(f"{self.what} ({self.source}) has no cron text; give at least one.")
        for text in texts:
            if not isinstance(text, str):
                raise DefinitionError(f"{self.what} ({self.source}) has the cron_schedule {text!r}; give a text.")
            try:
                parse(text)
            except DefinitionError as error:
                raise DefinitionError(f"{self.what} ({self.source}): {error}") from error
        return texts

    def _one_of(self, option: str, given: Any, choices: tuple[str, ...]) -> Any:
        if given not in choices:
            quoted = " or ".join(f'"{each}"' for each in choices)
            raise DefinitionError(f"{self.what} ({self.source}) has {option}={given!r}; give {quoted}.")
        return given

    def _catchup(self, given: Any) -> int | None:
        if given is not None and (isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= 1000):
            raise DefinitionError(
                f"{self.what} ({self.source}) has max_catchup_runs={given!r}; give a whole number from 1 to 1000."
            )
        return given

    def _zone(self, name: str | None) -> str:
        if name is None:
            return "UTC"
        from zoneinfo import ZoneInfo

        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise DefinitionError(
                f"{self.what} ({self.source}) has the time zone {name!r}, which is not known; "
                'give an IANA name, for example "Europe/Berlin".'
            ) from error
        return name

    def __repr__(self) -> str:
        return f"ScheduleDefinition({self.name!r}, {self.cron_schedule!r})"


def schedule(
    cron_schedule: str | Sequence[str],
    *,
    job_name: str | None = None,
    name: str | None = None,
    tags: Mapping[str, Any] | None = None,
    tags_fn: Callable[..., Mapping[str, Any]] | None = None,
    metadata: Mapping[str, Any] | None = None,
    should_execute: Callable[..., bool] | None = None,
    execution_timezone: str | None = None,
    description: str | None = None,
    job: ExecutableJob | None = None,
    default_status: DefaultScheduleStatus = DefaultScheduleStatus.STOPPED,
    required_resource_keys: Iterable[str] | None = None,
    target: Any = None,
    owners: Iterable[str] | None = None,
    dst_gap: Gap = "after",
    dst_fold: Fold = "first",
    max_catchup_runs: int | None = None,
    timeout_seconds: float | None = None,
) -> Callable[[Callable[..., Any]], ScheduleDefinition]:
    """Make a schedule of a function that says what runs each tick asks for.

    The function gets the `ScheduleEvaluationContext` and returns or yields `RunRequest`s, a `SkipReason`, or a run
    config; resources may be parameters of it.

    Args:
        cron_schedule: When it is due: a cron text of five fields, or several.
        job_name: The job that it starts, by name.
        name: Its name; the function's if not given.
        tags: Tags of its runs.
        tags_fn: Or a function of the context that gives them.
        metadata: Facts about it.
        should_execute: A function of the context that says whether a tick asks for a run at all.
        execution_timezone: The IANA name of the zone that the cron text is meant in; UTC if not given.
        description: What it does; the function's docstring if not given.
        job: The job that it starts.
        default_status: Whether it is on until somebody turns it.
        required_resource_keys: Resources that the function uses as `context.resources.<key>`.
        target: The job or the assets that it starts.
        owners: Who answers for it: e-mail addresses or `team:name`.
        dst_gap: What becomes of a time that a change of clocks skips: due right "after" it, or "skip".
        dst_fold: When it is due at a time that a change of clocks repeats: the "first" time, the "second", or "both".
        max_catchup_runs: How many ticks that were missed are made up; one if not given.
        timeout_seconds: How long an evaluation may take; as the instance says if not given.

    Raises:
        DefinitionError: A part is not valid.
    """

    def define(fn: Callable[..., Any]) -> ScheduleDefinition:
        return ScheduleDefinition(
            name or fn.__name__,
            cron_schedule=cron_schedule,
            job_name=job_name,
            tags=tags,
            tags_fn=tags_fn,
            metadata=metadata,
            should_execute=should_execute,
            execution_timezone=execution_timezone,
            execution_fn=fn,
            description=description,
            job=job,
            default_status=default_status,
            required_resource_keys=required_resource_keys,
            target=target,
            owners=owners,
            dst_gap=dst_gap,
            dst_fold=dst_fold,
            max_catchup_runs=max_catchup_runs,
            timeout_seconds=timeout_seconds,
        )

    return define
