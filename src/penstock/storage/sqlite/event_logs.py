"""The event log in SQLite: a table for each month. Nobody else knows the names of these tables and of their indexes.

A month that is dropped is first struck off the list, which takes no time and after which nobody reads it any more. Its
rows go in small steps: to drop a table SQLite visits each page of it, and writers would wait for as long.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from ...records.run import FINISHED, RunStatus
from ..months import LogPlace, month_end, month_of
from ..retention import OldLog
from .connection import Database
from .listed import listed
from .sizes import about_rows

__all__ = [
    "NEEDED_RUNS",
    "UNENDED",
    "clear_step",
    "delete_events",
    "drop_log",
    "each_log",
    "ensure_log",
    "event_index",
    "event_table",
    "insert_events",
    "known_logs",
    "log_of_table",
    "old_logs",
    "over_logs",
    "shorten_log",
]

_PATTERN = "events_0"
_INDEXES = ("by_seq", "by_run", "by_type", "of_runs", "failures")
_NAME = re.compile(r"events_(\d+)")
_CLEARED_AT_ONCE = 1000
_ROW_BYTES = 110  # what an event takes beside its body, as measured

UNENDED = listed(sorted(set(RunStatus) - FINISHED))
"""The statuses of runs that have not ended, for `NEEDED_RUNS`."""

NEEDED_RUNS = (
    "WITH RECURSIVE needed (run_id) AS ("
    "SELECT run_id FROM runs INDEXED BY runs_by_status WHERE status IN (SELECT value FROM json_each(:unended)) UNION "
    "SELECT t.value FROM needed CROSS JOIN run_tags t "
    "ON t.run_id = needed.run_id AND t.key = 'penstock/parent_run_id') "
)
"""Before a statement: runs that have not ended, those that they repeat, those which these repeat, and so on."""


def event_table(log: int) -> str:
    """The table of a month."""
    return f"events_{log}"


def event_index(log: int, name: str) -> str:
    """The index of a month's table: `by_seq`, `by_run`, `by_type`, `of_runs` or `failures`."""
    return f"events_{log}_{name}"


def log_of_table(name: str) -> int | None:
    """The month whose table this is; None for any other table."""
    match = _NAME.fullmatch(name)
    return None if match is None else int(match[1])


def known_logs(connection: sqlite3.Connection) -> list[int]:
    """The months that there are, oldest first."""
    return [row[0] for row in connection.execute("SELECT log FROM event_logs ORDER BY log")]


def over_logs(logs: Sequence[int], select: str, between: str = "UNION ALL") -> str:
    """A SELECT from each of the months, put together.

    SQLite merges what they give in order, so that `ORDER BY ... LIMIT` behind it reads no more than the page.

    Args:
        logs: The months.
        select: The statement, with `{table}` for the table, and `{by_type}` and so on for its indexes.
        between: What stands between two.
    """
    return f" {between} ".join(
        select.format(table=event_table(log), **{name: event_index(log, name) for name in _INDEXES}) for log in logs
    )


def ensure_log(connection: sqlite3.Connection, log: int) -> None:
    """Make the table of a month, where there is none; in the transaction that is about to write into it."""
    if connection.execute("SELECT 1 FROM event_logs WHERE log = ?", (log,)).fetchone() is not None:
        return
    # One that was dropped and is not cleared away yet: who writes into a month that old is not hurried.
    connection.execute(f"DROP TABLE IF EXISTS {event_table(log)}")
    pattern = "SELECT sql FROM sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL ORDER BY rowid"
    for (declared,) in connection.execute(pattern, (_PATTERN,)).fetchall():
        connection.execute(declared.replace(_PATTERN, event_table(log)))
    connection.execute("INSERT INTO event_logs VALUES (?, ?)", (log, month_end(log)))


def insert_events(connection: sqlite3.Connection, log: int, events: Sequence[Sequence[Any]]) -> None:
    """Store events in a month: rows of (id, run, attempt, seq, time, type, step_key, body)."""
    connection.executemany(
        f"INSERT INTO {event_table(log)} (id, run, attempt, seq, time, type, step_key, body) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        events,
    )


def delete_events(connection: sqlite3.Connection, place: LogPlace) -> None:
    """Remove the events of a run, if they are still kept."""
    if place.log in known_logs(connection):
        connection.execute(f"DELETE FROM {event_table(place.log)} WHERE run = ?", (place.run,))


def shorten_log(connection: sqlite3.Connection, place: LogPlace, at_most: int) -> int:
    """Remove so many of the oldest events of a run if it has more than that; gives how many were removed."""
    if place.log not in known_logs(connection):
        return 0
    table, index = event_table(place.log), event_index(place.log, "by_run")
    after = connection.execute(
        f"SELECT id FROM {table} INDEXED BY {index} WHERE run = ? ORDER BY id LIMIT 1 OFFSET ?", (place.run, at_most)
    ).fetchone()
    if after is None:
        return 0
    return connection.execute(f"DELETE FROM {table} WHERE run = ? AND id < ?", (place.run, after[0])).rowcount


def each_log(connection: sqlite3.Connection, statement: str) -> Iterator[str]:
    """A migration's statement; one that is about `events_0`, the pattern of all months, once more for each of them."""
    yield statement
    if _PATTERN in statement:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for log in sorted(log for (name,) in tables if (log := log_of_table(name))):
            yield statement.replace(_PATTERN, event_table(log))


# -- taking months away -----------------------------------------------------------------------------------------------


def old_logs(database: Database, before: float) -> list[OldLog]:
    """The months that were over at a time, oldest first."""
    with database.read("read the months of the event log") as connection:
        found = connection.execute(
            "SELECT log, until FROM event_logs WHERE until <= ? ORDER BY until, log", (before,)
        ).fetchall()
        return [
            OldLog(log=log, until=until, rows=rows, bytes=size, unended=len(_runs_of(connection, log, _UNENDED_OF)))
            for log, until in found
            for rows, size in [about_rows(connection, event_table(log), _ROW_BYTES)]
        ]


def drop_log(database: Database, log: int, *, now: float) -> None:
    """Take a month away that is over. What is needed goes into the present month: the logs of runs that have not ended,
    and of those that they repeat.

    Nobody reads it afterwards; `clear_step` frees its room.
    """
    present = month_of(now)
    assert log != present
    with database.write("take a month of the event log away") as connection:
        needed = _runs_of(connection, log, _NEEDED_OF)
        if needed:
            ensure_log(connection, present)
            given = listed(needed)
            chosen = f"FROM {event_table(log)} WHERE run IN (SELECT value FROM json_each(?))"
            connection.execute(f"INSERT INTO {event_table(present)} SELECT * {chosen}", (given,))
            connection.execute(f"DELETE {chosen}", (given,))
            connection.execute(
                "UPDATE runs SET log = ? WHERE num IN (SELECT value FROM json_each(?))", (present, given)
            )
        connection.execute("DELETE FROM event_logs WHERE log = ?", (log,))


def clear_step(database: Database, *, at_most: int = _CLEARED_AT_ONCE) -> bool:
    """Free a bit of the room of months that were taken away; whether there is more to do."""
    with database.write("clear a month of the event log away", durable=False) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        known = set(known_logs(connection))
        for log in sorted(log for (name,) in tables if (log := log_of_table(name)) is not None and log not in known):
            table = event_table(log)
            gone = connection.execute(
                f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} ORDER BY id LIMIT ?)", (at_most,)
            ).rowcount
            if log and gone < at_most:
                connection.execute(f"DROP TABLE {table}")
            if log or gone:
                return True
    return False


_UNENDED_OF = (
    "SELECT num FROM runs INDEXED BY runs_by_status "
    "WHERE status IN (SELECT value FROM json_each(:unended)) AND log = :log"
)
_NEEDED_OF = f"{NEEDED_RUNS}SELECT num FROM needed JOIN runs USING (run_id) WHERE log = :log"


def _runs_of(connection: sqlite3.Connection, log: int, statement: str) -> list[int]:
    return [row[0] for row in connection.execute(statement, {"unended": UNENDED, "log": log})]
