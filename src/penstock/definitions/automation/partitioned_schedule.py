"""The schedule of a partitioned job: a run for each partition as soon as its window has ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from ...errors import DefinitionError
from ...partitions.cron import Fold, Gap
from ...partitions.definition import PartitionsDefinition
from ...partitions.loading import DynamicPartitionsStore
from ...partitions.multi import MultiPartitionsDefinition, time_dimension_of, time_set_of
from ...partitions.spec import dynamic_names
from ...partitions.time_window import TimeWindowPartitionsDefinition
from ..assets.job import UnresolvedAssetJobDefinition
from ..names import check_name
from ..ops.job import JobDefinition
from ..source import Source, source_of_call
from .run_request import RunRequest, SkipReason
from .schedule import ScheduleDefinition
from .target import DefaultScheduleStatus, ExecutableJob

__all__ = ["PartitionedSchedule", "build_schedule_from_partitioned_job"]


class PartitionedSchedule:
    """A schedule whose times follow from the partitions of its job, once these are known."""

    def __init__(
        self,
        name: str,
        job: ExecutableJob,
        times: Mapping[str, int | None],
        options: Mapping[str, Any],
        source: Source | None,
    ) -> None:
        self.name = check_name(name, "a schedule")
        self.times = dict(times)
        self.job = job
        self.options = dict(options)
        self.source = source

    def resolve(self, job: JobDefinition) -> ScheduleDefinition:
        """The schedule of the resolved job.

        Raises:
            DefinitionError: The job has no partitions, or none of time windows and no cron text is given, or an option
                does not fit their cadence.
        """
        partitions = job.partitions_def
        time = time_set_of(partitions)
        options = dict(self.options)
        given = options.pop("cron_schedule")
        if partitions is None or (time is None and given is None):
            found = "has no partitions" if partitions is None else f"has {type(partitions).__name__}"
            raise DefinitionError(
                f'Schedule "{self.name}" ({self.source}) follows the partitions of job "{job.name}", which '
                f"{found}; give "
                "the job partitions by hour, day, week or month, or give cron_schedule to run all its partitions then."
            )
        cron = given
        if cron is None:
            assert time is not None
            cron = self._cron(time)
        zone = options.pop("execution_timezone") or (None if time is None else time.timezone)
        made = ScheduleDefinition(
            self.name,
            cron_schedule=cron,
            job=job,
            execution_timezone=zone,
            execution_fn=_requests(partitions),
            **options,
        )
        made.source = self.source
        made.follows_partitions = time is not None
        return made

    def _cron(self, partitions: TimeWindowPartitionsDefinition) -> str:
        try:
            return partitions.get_cron_schedule(**self.times)
        except DefinitionError as error:
            raise DefinitionError(f'Schedule "{self.name}" ({self.source}): {error}') from error


def build_schedule_from_partitioned_job(
    job: ExecutableJob,
    description: str | None = None,
    name: str | None = None,
    minute_of_hour: int | None = None,
    hour_of_day: int | None = None,
    day_of_week: int | None = None,
    day_of_month: int | None = None,
    default_status: DefaultScheduleStatus = DefaultScheduleStatus.STOPPED,
    tags: Mapping[str, Any] | None = None,
    cron_schedule: str | None = None,
    execution_timezone: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    owners: Iterable[str] | None = None,
    *,
    dst_gap: Gap = "after",
    dst_fold: Fold = "first",
    max_catchup_runs: int | None = None,
) -> ScheduleDefinition | PartitionedSchedule:
    """A schedule that runs a job for each of its partitions as soon as the partition's window has ended.

    Of partitions of several dimensions, one of which is time, it runs all that are of the window. Partitions without
    time all run whenever the cron text is due. For a job of assets, whose partitions are known once its assets are, the
    schedule is had from the `Definitions`.

    Args:
        job: The job, which has partitions.
        description: What it does.
        name: Its name; the job's with `_schedule` if not given.
        minute_of_hour: The minute at which it is due, if not at once when the window ends.
        hour_of_day: The hour, for windows of a day or longer.
        day_of_week: The day (0 is Sunday), for windows of a week.
        day_of_month: The day, for windows of a month.
        default_status: Whether it is on until somebody turns it.
        tags: Tags of its runs.
        cron_schedule: When it is due, in place of the four above.
        execution_timezone: The zone of the cron text; the partitions' if not given.
        metadata: Facts about it.
        owners: Who answers for it: e-mail addresses or `team:name`.
        dst_gap: What becomes of a time that a change of clocks skips: due right "after" it, or "skip".
        dst_fold: When it is due at a time that a change of clocks repeats: the "first" time, the "second", or "both".
        max_catchup_runs: How many ticks that were missed are made up; as many as the settings say if not given.

    Raises:
        DefinitionError: The job is none, or cron_schedule comes with parts of a time.
    """
    source = source_of_call()
    if not isinstance(job, JobDefinition | UnresolvedAssetJobDefinition):
        raise DefinitionError(f"build_schedule_from_partitioned_job ({source}) takes a job, not {job!r}.")
    times = {
        "minute_of_hour": minute_of_hour,
        "hour_of_day": hour_of_day,
        "day_of_week": day_of_week,
        "day_of_month": day_of_month,
    }
    given = [each for each, value in times.items() if value is not None]
    if cron_schedule is not None and given:
        raise DefinitionError(
            f"build_schedule_from_partitioned_job ({source}) has cron_schedule and {', '.join(given)}; say it in "
            "one way."
        )
    options = {
        "description": description,
        "default_status": default_status,
        "tags": tags,
        "cron_schedule": cron_schedule,
        "execution_timezone": execution_timezone,
        "metadata": metadata,
        "owners": owners,
        "dst_gap": dst_gap,
        "dst_fold": dst_fold,
        "max_catchup_runs": max_catchup_runs,
    }
    made = PartitionedSchedule(name or f"{job.name}_schedule", job, times, options, source)
    if isinstance(job, JobDefinition) and job.partitions_def is not None:
        return made.resolve(job)
    return made


def _requests(partitions: PartitionsDefinition) -> Any:
    def request_latest(context: Any) -> list[RunRequest] | SkipReason:
        now = context.scheduled_execution_time
        if isinstance(partitions, TimeWindowPartitionsDefinition):
            key = partitions.get_last_partition_key(now)
            keys: Sequence[str] = [] if key is None else [key]
        else:
            store = context.instance if dynamic_names(partitions.spec) else None
            keys = _of_last_window(partitions, now, store)
        if not keys:
            return SkipReason("No partition has ended yet." if time_set_of(partitions) else "There are no partitions.")
        # The run of a window is asked for once; what has no windows runs at each tick.
        once = "" if time_set_of(partitions) else f"{now.isoformat()} "
        return [RunRequest(run_key=once + key, partition_key=key) for key in keys]

    return request_latest


def _of_last_window(
    partitions: PartitionsDefinition, now: datetime, store: DynamicPartitionsStore | None
) -> Sequence[str]:
    """All partitions of the last window, where there is a dimension of time; all partitions otherwise."""
    dimension = time_dimension_of(partitions)
    if dimension is None:
        return partitions.get_partition_keys(now, store)
    assert isinstance(partitions, MultiPartitionsDefinition)
    name, time = dimension
    last = time.get_last_partition_key(now)
    if last is None:
        return []
    return partitions.get_multipartition_keys_with_dimension_value(name, last, now, store)
