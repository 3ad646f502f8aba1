"""A history as Dagster 1.13 has written it: its rows, and the places that they lay in.

`old_history.jsonl` has the rows. They come from a deployment with one code location: assets with metadata of every
kind, partitions of one and two dimensions and dynamic ones, checks, retries, failures, hooks, dynamic steps, an asset
that was wiped, facts that no run told, a canceled run and one that never began, schedules and sensors that a daemon
evaluated for a minute. Made smaller: of tracebacks each error keeps the user's lines and one other, paths are others,
fields without a value are left out, and so are those that name positions in the code.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

__all__ = ["OldTable", "old_tables", "write_home", "write_postgres"]

_TIMES = {"create_timestamp", "update_timestamp", "wipe_timestamp"}
_KINDS = {"id": "BIGINT", "start_time": "FLOAT", "end_time": "FLOAT", "limit": "INT", "using_default_limit": "BOOLEAN"}
_FILES = {
    "runs": "history/runs.db",
    "run_tags": "history/runs.db",
    "event_logs": "history/runs/index.db",
    "asset_keys": "history/runs/index.db",
    "dynamic_partitions": "history/runs/index.db",
    "concurrency_limits": "history/runs/index.db",
    "instigators": "schedules/schedules.db",
    "job_ticks": "schedules/schedules.db",
}


class OldTable(NamedTuple):
    """A table: its columns, and its rows, in which JSON is text."""

    columns: list[str]
    rows: list[list[Any]]

    def create(self, name: str) -> str:
        """The statement that makes it."""
        kinds = [_KINDS.get(each, "TIMESTAMP" if each in _TIMES else "TEXT") for each in self.columns]
        columns = ", ".join(f'"{name}" {kind}' for name, kind in zip(self.columns, kinds, strict=True))
        return f"CREATE TABLE {name} ({columns})"

    def insert(self, name: str, mark: str) -> str:
        """The statement that adds a row."""
        return f"INSERT INTO {name} VALUES ({', '.join([mark] * len(self.columns))})"


def old_tables() -> dict[str, OldTable]:
    """The tables by name."""
    tables: dict[str, OldTable] = {}
    with (Path(__file__).parent / "old_history.jsonl").open() as lines:
        for line in lines:
            row = json.loads(line)
            if isinstance(row, dict):
                table = tables[row["table"]] = OldTable(row["columns"], [])
            else:
                table.rows.append([json.dumps(each) if isinstance(each, dict) else each for each in row])
    return tables


def write_home(home: Path, tables: dict[str, OldTable]) -> Path:
    """Lay them into SQLite files under a home, the events of each run in a file of its own."""
    for name, table in tables.items():
        _fill(home / _FILES[name], name, table)
    events = tables["event_logs"]
    for run_id in {row[1] for row in events.rows if row[1]}:
        own = OldTable(events.columns, [row for row in events.rows if row[1] == run_id])
        _fill(home / "history" / "runs" / f"{run_id}.db", "event_logs", own)
    return home


def _fill(path: Path, name: str, table: OldTable) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(table.create(name))
        connection.executemany(table.insert(name, "?"), table.rows)


def write_postgres(url: str, tables: dict[str, OldTable]) -> None:
    """Lay them into a Postgres database, where events of all runs are in one table under numbers of their own."""
    with psycopg.connect(url) as connection:
        for name, table in tables.items():
            connection.execute(table.create(name).encode())
            for number, row in enumerate(table.rows, 1):
                values = [number, *row[1:]] if name == "event_logs" else list(row)
                if name == "concurrency_limits":
                    values[-1] = bool(values[-1])
                connection.execute(table.insert(name, "%s").encode(), values)
