"""A history of Dagster's in SQLite files under its home."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from ..errors import SettingsError
from .history_tables import (
    EVENTS,
    INSTIGATORS,
    LIMITS,
    NEEDED,
    PARTITIONS,
    RUNS,
    TICKS,
    WIPED,
    InstigatorRow,
    TickRow,
    refuse_other_tables,
    seconds_of,
)

__all__ = ["SqliteHistory"]


class SqliteHistory:
    """The files under a home.

    Args:
        home: The folder that DAGSTER_HOME named.

    Raises:
        SettingsError: It has no history.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._parts = {
            "runs": home / "history" / "runs.db",
            "events": home / "history" / "runs" / "index.db",
            "schedules": home / "schedules" / "schedules.db",
        }
        runs = self._parts["runs"]
        if not runs.is_file():
            raise SettingsError(
                f"{home} is not the home of a Dagster deployment with its history in SQLite: there is no {runs}. Name "
                "the folder that DAGSTER_HOME names; if dagster.yaml there names a Postgres database, give that: "
                "postgresql://user@host/database."
            )
        for part, needed in NEEDED.items():
            if self._parts[part].is_file():
                tables = self._read(part, "SELECT name FROM sqlite_master WHERE type = 'table'")
                columns = {
                    table: {name for (name,) in self._read(part, "SELECT name FROM pragma_table_info(?)", table)}
                    for (table,) in tables
                }
                refuse_other_tables(str(self._parts[part]), columns, needed)

    @property
    def name(self) -> str:
        """The home."""
        return str(self._home)

    def runs(self) -> Iterator[Sequence[Any]]:
        """Every run, oldest first, as `run_row` reads it."""
        last = 0
        while found := self._read("runs", RUNS.format("?"), last):
            yield from found
            last = found[-1][0]

    def tags(self, run_ids: Sequence[str]) -> dict[str, dict[str, str]]:
        """The tags of these runs."""
        found: dict[str, dict[str, str]] = {}
        statement = "SELECT run_id, key, value FROM run_tags WHERE run_id IN (SELECT value FROM json_each(?))"
        for run_id, key, value in self._read("runs", statement, json.dumps(list(run_ids))):
            found.setdefault(run_id, {})[key] = value
        return found

    def events(self, run_id: str, after: int) -> list[tuple[int, str]]:
        """The next lines of a run's log."""
        if not run_id:
            return self._read("events", EVENTS.format("?", "?"), "", after)
        path = self._home / "history" / "runs" / f"{run_id}.db"
        if not path.is_file():
            return []
        return self._read_file(path, EVENTS.format("?", "?"), run_id, after)

    def wiped(self) -> list[tuple[str, float]]:
        """Assets that were wiped."""
        return [(key, seconds_of(time) or 0.0) for key, time in self._read("events", WIPED)]

    def dynamic_partitions(self) -> list[tuple[str, str]]:
        """(set, key) in the order in which they were added."""
        return self._read("events", PARTITIONS)

    def pool_limits(self) -> list[tuple[str, int]]:
        """Pools whose limit was set."""
        return self._read("events", LIMITS.format("using_default_limit = 0"))

    def instigators(self) -> list[InstigatorRow]:
        """Every schedule and sensor that there is a state of."""
        return [InstigatorRow(*row) for row in self._read("schedules", INSTIGATORS)]

    def ticks(self, after: int) -> list[TickRow]:
        """The next evaluations after that number."""
        return [TickRow(*row) for row in self._read("schedules", TICKS.format("?"), after)]

    def close(self) -> None:
        """Nothing is kept open."""

    def _read(self, part: str, statement: str, *values: object) -> list[Any]:
        path = self._parts[part]
        return self._read_file(path, statement, *values) if path.is_file() else []

    def _read_file(self, path: Path, statement: str, *values: object) -> list[Any]:
        try:
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
                return connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise SettingsError(
                f"{path} cannot be read as a SQLite file: {error}. See that it is whole and that you may read it and "
                "its folder; a copy of the home will do."
            ) from error
