"""A job of ops, a schedule, and a sensor on new files in a folder."""

import os
from pathlib import Path

from flights.raw import read_table
from penstock import (
    AssetSelection,
    Config,
    OpExecutionContext,
    RunConfig,
    RunRequest,
    ScheduleEvaluationContext,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    define_asset_job,
    job,
    op,
    schedule,
    sensor,
)

refresh_report = define_asset_job(
    "refresh_report",
    selection=AssetSelection.assets("delay_report").upstream(),
    description="Everything that the report needs, and the report.",
)

INBOX = Path(os.environ.get("FLIGHTS_INBOX", "inbox"))


class FileConfig(Config):
    """Which file to count.

    Attributes:
        path: A CSV file with one header line.
    """

    path: str


@op
def count_lines(context: OpExecutionContext, config: FileConfig) -> int:
    """How many records the file holds."""
    with open(config.path) as lines:
        records = max(0, sum(1 for _ in lines) - 1)
    context.log.info(f"{config.path} holds {records:,} records")
    return records


@op
def count_known_flights() -> int:
    """How many flights are known."""
    return len(read_table("flights"))


@op
def compare(context: OpExecutionContext, new: int, known: int) -> float:
    """The share of new records, in percent."""
    share = 100 * new / known
    context.log.info(f"the file would add {share:.3f} % to {known:,} flights")
    return share


@job
def inspect_new_file() -> None:
    """Look at a file that arrived: how much would it add?"""
    compare(count_lines(), count_known_flights())


@schedule(cron_schedule="0 6 * * *", job=refresh_report, execution_timezone="America/New_York")
def every_morning(context: ScheduleEvaluationContext) -> RunRequest:
    """Make the report anew at six in New York."""
    return RunRequest(
        run_key=context.scheduled_execution_time.isoformat(),
        tags={
            "penstock/asset_partition_range_start": "2013-01-01",
            "penstock/asset_partition_range_end": "2013-12-31",
        },
    )


@sensor(job=inspect_new_file, minimum_interval_seconds=5)
def new_files(context: SensorEvaluationContext) -> SensorResult | SkipReason:
    """Look at each CSV file that appears in the inbox (the folder that FLIGHTS_INBOX names)."""
    if not INBOX.is_dir():
        return SkipReason(f"There is no folder {INBOX}; make it and put a CSV file in.")
    since = float(context.cursor or 0)
    fresh = sorted(
        (path for path in INBOX.glob("*.csv") if path.stat().st_mtime > since), key=lambda p: p.stat().st_mtime
    )
    if not fresh:
        return SkipReason("No new file.")
    return SensorResult(
        run_requests=[
            RunRequest(
                run_key=f"{path.name}:{path.stat().st_mtime_ns}",
                run_config=RunConfig(ops={"count_lines": FileConfig(path=str(path.resolve()))}),
            )
            for path in fresh
        ],
        cursor=str(fresh[-1].stat().st_mtime),
    )
