"""Gives the peer's instance the history of a `World`: its own few runs, with other names, as rows of its tables.

The peer's rows are several times larger than ours, so not every run has events: those of the asset with partitions do,
and the newest runs of the other assets. All runs have their rows and tags.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from .seed_penstock import long_run_id, run_id
from .world import PARTITIONED, RARE, RunOf, World

__all__ = ["PeerOnPostgres", "PeerOnSqlite", "seed_peer"]

Row = dict[str, Any]

_CHUNK = 5000
_PARTITION = "2015-01-02-00:00"  # of the runs that the peer has made
_TIMES = ("timestamp", "create_timestamp", "update_timestamp", "event_timestamp", "last_materialization_timestamp")
_OF_RUNS = ("runs", "run_tags")
_TIME_TEXT = re.compile(r'"timestamp": 1[7-9]\d{8}\.\d+')
_OF_STEPS = (
    "RESOURCE_INIT_STARTED",
    "RESOURCE_INIT_SUCCESS",
    "STEP_START",
    "STEP_OUTPUT",
    "ASSET_MATERIALIZATION",
    "STEP_SUCCESS",
)


class PeerTables(Protocol):
    """The tables of a peer's instance."""

    def rows(self, table: str, run_id: str | None = None) -> list[Row]:
        """Rows of a table, in order; of one run."""
        ...

    def log(self, run_id: str) -> list[Row]:
        """The rows of a run's log that pages over all runs read."""
        ...

    def whole_log(self, run_id: str) -> list[Row]:
        """All rows of a run's log."""
        ...

    def insert(self, table: str, rows: Sequence[Row]) -> None:
        """Add rows of one shape."""
        ...

    def keep_log(self, run_id: str, like: str, rows: Sequence[Row]) -> None:
        """Add a run's whole log; `like` is a run that has one."""
        ...

    def empty(self) -> None:
        """Remove runs, events and assets."""
        ...

    def close(self) -> None:
        """Say how large the tables are to whoever plans queries, and let go."""
        ...


_EMPTIED = ("run_tags", "runs", "event_logs", "asset_event_tags", "asset_keys")


class PeerOnSqlite:
    """The peer's files: one of runs, one of what concerns all runs, and a log for each run."""

    def __init__(self, home: Path) -> None:
        self._logs = home / "history" / "runs"
        self._runs = sqlite3.connect(home / "history" / "runs.db")
        self._index = sqlite3.connect(self._logs / "index.db")

    def rows(self, table: str, run_id: str | None = None) -> list[Row]:
        """Rows of a table, in order; of one run."""
        return _lite_rows(self._of(table), table, run_id)

    def log(self, run_id: str) -> list[Row]:
        """What of a run is in the file of all runs."""
        return self.rows("event_logs", run_id)

    def whole_log(self, run_id: str) -> list[Row]:
        """What is in the run's own file."""
        with sqlite3.connect(self._logs / f"{run_id}.db") as log:
            return _lite_rows(log, "event_logs", run_id)

    def insert(self, table: str, rows: Sequence[Row]) -> None:
        """Add rows of one shape."""
        _lite_insert(self._of(table), table, rows)

    def keep_log(self, run_id: str, like: str, rows: Sequence[Row]) -> None:
        """Make a file of its own for the run."""
        path = self._logs / f"{run_id}.db"
        shutil.copy(self._logs / f"{like}.db", path)
        with sqlite3.connect(path) as log:
            log.execute("DELETE FROM event_logs")
            _lite_insert(log, "event_logs", rows)

    def empty(self) -> None:
        """Remove runs, events and assets."""
        for table in _EMPTIED:
            self._of(table).execute(f"DELETE FROM {table}")

    def close(self) -> None:
        """Commit."""
        for connection in (self._runs, self._index):
            connection.commit()
            connection.close()

    def _of(self, table: str) -> sqlite3.Connection:
        return self._runs if table in _OF_RUNS else self._index


def _lite_rows(connection: sqlite3.Connection, table: str, run_id: str | None) -> list[Row]:
    where, values = ("", ()) if run_id is None else (" WHERE run_id = ?", (run_id,))
    cursor = connection.execute(f"SELECT * FROM {table}{where} ORDER BY id", values)
    names = [each[0] for each in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _lite_insert(connection: sqlite3.Connection, table: str, rows: Sequence[Row]) -> None:
    names, values = _shaped(rows)
    marks = ", ".join("?" * len(names))
    connection.executemany(f"INSERT INTO {table} ({', '.join(map(_quoted, names))}) VALUES ({marks})", values)


class PeerOnPostgres:
    """The peer's tables in one Postgres database."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)

    def rows(self, table: str, run_id: str | None = None) -> list[Row]:
        """Rows of a table, in order; of one run."""
        where = sql.SQL("" if run_id is None else " WHERE run_id = {}").format(sql.Literal(run_id))
        with self._connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(
                sql.SQL("SELECT * FROM {}{} ORDER BY id").format(sql.Identifier(table), where)
            ).fetchall()

    def log(self, run_id: str) -> list[Row]:
        """The rows of a run's log."""
        return self.rows("event_logs", run_id)

    def whole_log(self, run_id: str) -> list[Row]:
        """The same."""
        return self.log(run_id)

    def insert(self, table: str, rows: Sequence[Row]) -> None:
        """Add rows of one shape."""
        names, values = _shaped(rows)
        columns = sql.SQL(", ").join(map(sql.Identifier, names))
        with self._connection.cursor() as cursor:
            with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), columns)) as copy:
                for row in values:
                    copy.write_row(row)
            cursor.execute(
                sql.SQL(
                    "SELECT setval(pg_get_serial_sequence({}, 'id'), (SELECT COALESCE(MAX(id), 1) FROM {}))"
                ).format(sql.Literal(table), sql.Identifier(table))
            )

    def keep_log(self, run_id: str, like: str, rows: Sequence[Row]) -> None:
        """Add a run's whole log."""
        self.insert("event_logs", rows)

    def empty(self) -> None:
        """Remove runs, events and assets."""
        for table in _EMPTIED:
            self._connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))

    def close(self) -> None:
        """Let the planner know."""
        self._connection.execute("VACUUM ANALYZE")
        self._connection.close()


def _shaped(rows: Sequence[Row]) -> tuple[list[str], Iterator[tuple[Any, ...]]]:
    """The names of the columns, and the values of all rows."""
    return list(rows[0]), (tuple(row.values()) for row in rows)


def _quoted(name: str) -> str:
    return f'"{name}"'


class _Template:
    """A row that the peer wrote, of which many alike are made."""

    def __init__(self, row: Row, own_id: str, *, with_id: bool = False) -> None:
        self._fixed = {name: value for name, value in row.items() if with_id or name != "id"}
        self._texts = {
            name: _open_places(value, own_id)
            for name, value in self._fixed.items()
            if isinstance(value, str) and name not in _TIMES
        }
        self._times = [(name, isinstance(row[name], str)) for name in _TIMES if row.get(name) is not None]
        self._seconds = [name for name in ("start_time", "end_time") if row.get(name) is not None]

    def filled(self, names: Row, time: float, **other: Any) -> Row:
        """One row with these names in it, of that time."""
        row = {**self._fixed, **other}
        for name, text in self._texts.items():
            row[name] = text % names
        if self._times:
            moment = datetime.fromtimestamp(time, UTC).replace(tzinfo=None)
            for name, as_text in self._times:
                row[name] = moment.isoformat(" ", "microseconds") if as_text else moment
        for name in self._seconds:
            row[name] = time
        return row


def _open_places(text: str, own_id: str) -> str:
    """The text with a place for each name: those of the run, its job, asset, tags and partition, and its time."""
    text = text.replace("%", "%%").replace(own_id, "%(run)s").replace(_PARTITION, "%(partition)s")
    text = _TIME_TEXT.sub('"timestamp": %(time)s', text)
    return re.sub(r"(\w+?)_TOKEN", r"%(\1)s", text)


class _Kind:
    """What the peer keeps of one of its runs."""

    def __init__(self, tables: PeerTables, own_id: str) -> None:
        self.run = _Template(tables.rows("runs", own_id)[0], own_id)
        self.tags = [_Template(row, own_id) for row in tables.rows("run_tags", own_id)]
        log = tables.log(own_id)
        self.log = [_Template(row, own_id, with_id=True) for row in log]
        places = {row["id"]: place for place, row in enumerate(log)}
        self.asset_tags = [
            (places[row["event_id"]], _Template(row, own_id))
            for row in tables.rows("asset_event_tags")
            if row["event_id"] in places
        ]
        whole = tables.whole_log(own_id)
        self.whole = [(row["dagster_event_type"], _Template(row, own_id, with_id=True)) for row in whole]


def seed_peer(tables: PeerTables, world: World, made: dict[str, str]) -> None:
    """Store all of it. `made` names the runs that the peer has made, by their end and whether they had a partition."""
    kinds = {name: _Kind(tables, own_id) for name, own_id in made.items()}
    asset = tables.rows("asset_keys")[0]
    own_id = made["SUCCESS True"]
    hourly_asset = _Template(asset, own_id)
    texts = {name: value.replace(f'"{_PARTITION}"', "null") for name, value in asset.items() if isinstance(value, str)}
    plain_asset = _Template({**asset, **texts}, own_id)
    next_id = max(row["id"] for row in tables.rows("event_logs")) + 1
    tables.empty()

    newest: dict[str, tuple[RunOf, Row]] = {}
    for first in range(0, world.runs, _CHUNK):
        rows: dict[str, list[Row]] = {"runs": [], "run_tags": [], "event_logs": [], "asset_event_tags": []}
        for number in range(first, min(first + _CHUNK, world.runs)):
            run = world.run(number)
            kind, names = kinds[f"{run.status} {run.partition is not None}"], _names(run, run_id(world, number))
            rows["runs"].append(kind.run.filled(names, run.created))
            rows["run_tags"] += _tags(kind, run, names)
            if run.partition is None and number < world.runs - 2 * world.assets:
                continue
            if run.status == "SUCCESS":
                newest[run.asset] = (run, names)
            for place, event in enumerate(kind.log):
                time = run.created + place * 0.2
                rows["event_logs"].append(event.filled({**names, "time": time}, time, id=next_id + place))
            for place, tag in kind.asset_tags:
                rows["asset_event_tags"].append(tag.filled(names, run.created, event_id=next_id + place))
            next_id += len(kind.log)
        for table, added in rows.items():
            if added:
                tables.insert(table, added)
    tables.insert(
        "asset_keys",
        [
            (hourly_asset if key == PARTITIONED else plain_asset).filled(names, run.created)
            for key, (run, names) in newest.items()
        ],
    )
    _add_long_run(tables, world, kinds["SUCCESS False"], made["SUCCESS False"], next_id)


def _tags(kind: _Kind, run: RunOf, names: Row) -> list[Row]:
    """The rows of a run's tags: those that every run has are in the peer's run."""
    rare = [{"run_id": names["run"], "key": key, "value": run.tags[key]} for key in RARE if key in run.tags]
    return [*(tag.filled(names, run.created) for tag in kind.tags), *rare]


def _names(run: RunOf, name: str) -> Row:
    return {
        **run.tags,
        "run": name,
        "job": run.job,
        "asset": run.asset,
        "partition": run.partition,
        "time": run.created,
    }


def _add_long_run(tables: PeerTables, world: World, kind: _Kind, like: str, next_id: int) -> None:
    created = world.now - 300
    name = long_run_id(world)
    names = {**_names(world.run(0), name), "job": "long"}
    tables.insert("runs", [kind.run.filled(names, created)])
    by_type = dict(kind.whole)  # a line that is logged has no type
    steps = [f"asset_{number}" for number in range(world.long_run // 20)]
    told = [(by_type["ASSET_MATERIALIZATION_PLANNED"], step) for step in steps]
    told.append((by_type["PIPELINE_START"], ""))
    for step in steps:
        told += [(by_type[each], step) for each in _OF_STEPS[:3]]
        told += [(by_type[None], step)] * 13
        told += [(by_type[each], step) for each in _OF_STEPS[3:]]
    told.append((by_type["PIPELINE_SUCCESS"], ""))
    tables.keep_log(
        name,
        like,
        [
            event.filled(
                {**names, "asset": step, "time": created + place * 0.02}, created + place * 0.02, id=next_id + place
            )
            for place, (event, step) in enumerate(told)
        ],
    )


def read_made(file: Path) -> dict[str, str]:
    """What `sample_peer.py` wrote."""
    made: dict[str, str] = json.loads(file.read_text())
    return made
