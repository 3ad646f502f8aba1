"""Many schedules and sensors, a tenth of whose ticks make a run. `DAEMON_CHAOS_COUNT` says how many of each."""

from __future__ import annotations

import os

from penstock import (
    DefaultScheduleStatus,
    DefaultSensorStatus,
    Definitions,
    RunRequest,
    ScheduleDefinition,
    ScheduleEvaluationContext,
    SensorDefinition,
    SensorEvaluationContext,
    SkipReason,
    in_process_executor,
    job,
    op,
    schedule,
    sensor,
)

COUNT = int(os.environ["DAEMON_CHAOS_COUNT"])
INTERVAL = 10


@op
def nothing() -> None:
    """Done."""


@job(executor_def=in_process_executor)
def tiny() -> None:
    """One step."""
    nothing()


def schedule_of(number: int) -> ScheduleDefinition:
    @schedule(
        name=f"minutely_{number}", job=tiny, cron_schedule="* * * * *", default_status=DefaultScheduleStatus.RUNNING
    )
    def minutely(_context: ScheduleEvaluationContext) -> RunRequest | SkipReason:
        return SkipReason("nothing to do") if number % 10 else RunRequest()

    return minutely


def sensor_of(number: int) -> SensorDefinition:
    @sensor(
        name=f"counting_{number}",
        job=tiny,
        minimum_interval_seconds=INTERVAL,
        default_status=DefaultSensorStatus.RUNNING,
    )
    def counting(context: SensorEvaluationContext) -> RunRequest | SkipReason:
        seen = int(context.cursor or "0")
        context.update_cursor(str(seen + 1))
        return SkipReason("nothing to do") if seen % 10 else RunRequest(run_key=str(seen))

    return counting


defs = Definitions(
    jobs=[tiny],
    schedules=[schedule_of(number) for number in range(COUNT)],
    sensors=[sensor_of(number) for number in range(COUNT)],
)
