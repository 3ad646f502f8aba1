"""The tables in which Dagster keeps its history: which columns are read of them, and what their rows are.

They are read and never written; each read is short, so that the deployment may be at work meanwhile.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from ..errors import SettingsError

__all__ = [
    "EVENTS",
    "EVENTS_AT_ONCE",
    "INSTIGATORS",
    "LIMITS",
    "NEEDED",
    "PARTITIONS",
    "RUNS",
    "TICKS",
    "WIPED",
    "HistorySource",
    "InstigatorRow",
    "RunRow",
    "TickRow",
    "refuse_other_tables",
    "run_row",
    "seconds_of",
]

EVENTS_AT_ONCE = 200


class RunRow(NamedTuple):
    """A run as its table says it; times are seconds since the epoch."""

    run_id: str
    job: str
    status: str
    body: str
    created: float
    updated: float | None
    started: float | None
    ended: float | None


class InstigatorRow(NamedTuple):
    """A schedule or sensor; `selector` is what its ticks call it."""

    selector: str
    body: str


class TickRow(NamedTuple):
    """An evaluation of a schedule or sensor."""

    number: int
    selector: str
    body: str


class HistorySource(Protocol):
    """What is read of an old history. Rows come in the order in which they were written."""

    @property
    def name(self) -> str:
        """Where it is, for people."""
        ...

    def runs(self) -> Iterator[Sequence[Any]]:
        """Every run, oldest first, as `run_row` reads it."""
        ...

    def tags(self, run_ids: Sequence[str]) -> dict[str, dict[str, str]]:
        """The tags of these runs."""
        ...

    def events(self, run_id: str, after: int) -> list[tuple[int, str]]:
        """The next lines of a run's log, at most `EVENTS_AT_ONCE`: number and JSON. '' stands for what no run told."""
        ...

    def wiped(self) -> list[tuple[str, float]]:
        """Assets that were wiped: the JSON of the key's path, and when."""
        ...

    def dynamic_partitions(self) -> list[tuple[str, str]]:
        """(set, key) in the order in which they were added."""
        ...

    def pool_limits(self) -> list[tuple[str, int]]:
        """Pools whose limit was set."""
        ...

    def instigators(self) -> list[InstigatorRow]:
        """Every schedule and sensor that there is a state of."""
        ...

    def ticks(self, after: int) -> list[TickRow]:
        """The next evaluations after that number."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


NEEDED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "runs": {
        "runs": ("run_id", "pipeline_name", "status", "run_body", "create_timestamp", "start_time", "end_time"),
        "run_tags": ("run_id", "key", "value"),
    },
    "events": {
        "event_logs": ("id", "run_id", "event"),
        "asset_keys": ("asset_key", "wipe_timestamp"),
        "dynamic_partitions": ("partitions_def_name", "partition"),
        "concurrency_limits": ("concurrency_key", "limit"),
    },
    "schedules": {
        "instigators": ("selector_id", "instigator_body"),
        "job_ticks": ("id", "selector_id", "tick_body"),
    },
}
"""By part, the tables and their columns that are read."""

RUNS = (
    "SELECT id, run_id, pipeline_name, status, run_body, create_timestamp, update_timestamp, start_time, end_time "
    "FROM runs WHERE id > {} ORDER BY id LIMIT 500"
)
EVENTS = "SELECT id, event FROM event_logs WHERE run_id = {} AND id > {} ORDER BY id LIMIT 200"
WIPED = "SELECT asset_key, wipe_timestamp FROM asset_keys WHERE wipe_timestamp IS NOT NULL ORDER BY wipe_timestamp"
PARTITIONS = "SELECT partitions_def_name, partition FROM dynamic_partitions ORDER BY id"
LIMITS = 'SELECT concurrency_key, "limit" FROM concurrency_limits WHERE {} ORDER BY concurrency_key'
INSTIGATORS = "SELECT selector_id, instigator_body FROM instigators ORDER BY id"
TICKS = "SELECT id, selector_id, tick_body FROM job_ticks WHERE id > {} ORDER BY id LIMIT 500"


def run_row(row: Sequence[Any]) -> RunRow:
    """The run of a row of `HistorySource.runs`; raises `ValueError` where a time is none."""
    _, run_id, job, status, body, created, updated, started, ended = row
    begun = seconds_of(created)
    return RunRow(run_id, job or "", status, body, 0.0 if begun is None else begun, seconds_of(updated), started, ended)


def seconds_of(value: Any) -> float | None:
    """An instant in seconds since the epoch: from a text or datetime in UTC, or a number."""
    match value:
        case None:
            return None
        case int() | float():
            return float(value)
        case str():
            value = datetime.datetime.fromisoformat(value)
    time: datetime.datetime = value
    return (time if time.tzinfo is not None else time.replace(tzinfo=datetime.UTC)).timestamp()


def refuse_other_tables(where: str, columns: Mapping[str, set[str]], needed: Mapping[str, tuple[str, ...]]) -> None:
    """Raise `SettingsError` unless these tables have the columns that are read."""
    for table, wanted in needed.items():
        missing = sorted(set(wanted) - columns.get(table, set()))
        if table not in columns or missing:
            what = (
                f"the columns {', '.join(missing)} of the table {table}" if table in columns else f"the table {table}"
            )
            raise SettingsError(
                f"{where} is not a history of a Dagster that is known here: {what} is missing. Bring it up to date "
                "with `dagster instance migrate` of Dagster 1.8 or later, or name another folder or database."
            )
