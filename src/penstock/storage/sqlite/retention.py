"""What is old in SQLite, and its removal in small steps.

What is to go is looked for by a reader, which hinders nobody, and removed by its ids: rows that have ended do not
change any more, so that the writer holds the database for as long as it takes to delete them, and no longer.
"""

from __future__ import annotations

import math
import sqlite3

from ...clock import Clock
from ...records.automation import TickStatus, instigator_parts
from ...records.retention import (
    Kept,
    OldActs,
    OldEvaluations,
    OldEvents,
    OldRuns,
    OldTicks,
    Removed,
    RetentionKind,
    StorageCut,
)
from ...records.run import FINISHED
from ..months import LogPlace
from ..retention import COUNTED_EXACTLY, MOST_COUNTED
from .connection import Database
from .event_logs import NEEDED_RUNS, UNENDED, clear_step, drop_log, event_table, old_logs, shorten_log
from .listed import listed
from .sizes import about_rows

__all__ = ["SqliteRetention"]

_ROW_BYTES = {"ticks": 230, "automation_evaluations": 70, "acts": 280}
"""What a row takes beside its body, as measured: its other columns, its place in each index, what pages leave free."""

# Leaps from schedule to schedule along the index instead of reading every tick.
_INSTIGATORS = (
    "WITH RECURSIVE found (instigator) AS (SELECT MIN(instigator) FROM ticks UNION ALL "
    "SELECT (SELECT MIN(t.instigator) FROM ticks t WHERE t.instigator > found.instigator) FROM found "
    "WHERE found.instigator IS NOT NULL) SELECT instigator FROM found WHERE instigator IS NOT NULL"
)
_TICKS = (
    "SELECT t.id FROM json_each(:instigators) f CROSS JOIN ticks t INDEXED BY ticks_by_age "
    "ON t.instigator = f.value AND t.status IN (SELECT value FROM json_each(:statuses)) AND t.started < :before "
    "WHERE t.id <> (SELECT MAX(l.id) FROM ticks l INDEXED BY ticks_by_instigator WHERE l.instigator = f.value) "
    "LIMIT :limit"
)
_EVALUATIONS = (
    "SELECT e.id FROM automation_evaluations e INDEXED BY automation_evaluations_by_time "
    "WHERE e.time < :before AND e.id <> (SELECT MAX(l.id) FROM automation_evaluations l "
    "INDEXED BY automation_evaluations_by_entity WHERE l.entity = e.entity) ORDER BY e.time LIMIT :limit"
)
_ACTS = "SELECT id FROM acts WHERE time < :before ORDER BY time LIMIT :limit"
_RUNS = (
    f"{NEEDED_RUNS}SELECT run_id FROM runs INDEXED BY runs_by_ended WHERE ended < :before "
    "AND status IN (SELECT value FROM json_each(:ended)) AND run_id NOT IN (SELECT run_id FROM needed) "
    "ORDER BY ended LIMIT :limit"
)

_ENDED = listed(FINISHED)
_TABLES = {
    RetentionKind.TICKS: "ticks",
    RetentionKind.EVALUATIONS: "automation_evaluations",
    RetentionKind.ACTS: "acts",
}


class SqliteRetention:
    """`Retention` of one SQLite database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def kept(self) -> list[Kept]:
        """What there is of events, runs, ticks, evaluations and acts."""
        events = self._kept_events()
        with self._database.read("read what is kept") as connection:
            return [
                events,
                _kept_runs(connection),
                _kept_ticks(connection),
                _kept_timed(connection, RetentionKind.EVALUATIONS),
                _kept_timed(connection, RetentionKind.ACTS),
            ]

    def _kept_events(self) -> Kept:
        logs = old_logs(self._database, math.inf)
        if not logs:
            return Kept(kind=RetentionKind.EVENTS, rows=0, bytes=0)
        first = logs[0]
        with self._database.read("read the oldest event") as connection:
            row = connection.execute(f"SELECT time FROM {event_table(first.log)} ORDER BY id LIMIT 1").fetchone()
        return Kept(
            kind=RetentionKind.EVENTS,
            rows=sum(log.rows for log in logs),
            oldest=None if row is None else row[0],
            aged_from=first.until,
            bytes=sum(log.bytes or 0 for log in logs),
        )

    def old(self, cut: StorageCut | OldRuns) -> int:
        """How many rows a cut would remove, up to a limit."""
        if isinstance(cut, OldEvents):
            return sum(log.rows for log in old_logs(self._database, cut.before))
        with self._database.read("count what is old") as connection:
            if isinstance(cut, OldRuns):
                return len(_old_runs(connection, cut.before, MOST_COUNTED))
            return len(_old_rows(connection, cut, MOST_COUNTED))

    def remove(self, cut: StorageCut, *, at_most: int) -> Removed:
        """Remove about so many rows of what is old."""
        if isinstance(cut, OldEvents):
            return self._remove_events(cut.before, at_most)
        with self._database.read("look for what is old") as connection:
            found = _old_rows(connection, cut, at_most + 1)
        going = found[:at_most]
        if going:
            table = _TABLES[cut.kind]
            # What a loss of power takes back is removed again.
            with self._database.write("remove what is old", durable=False) as connection:
                connection.execute(
                    f"DELETE FROM {table} WHERE id IN (SELECT value FROM json_each(?))", (listed(going),)
                )
        return Removed(rows=len(going), more=len(found) > at_most)

    def old_runs(self, before: float, *, limit: int) -> list[str]:
        """The ids of runs that had ended before and that no run which has not ended repeats."""
        with self._database.read("look for old runs") as connection:
            return _old_runs(connection, before, limit)

    def shorten(self, run_id: str, *, at_most: int) -> int:
        """Remove so many of the oldest events of an ended run if it has more than that."""
        with self._database.write("shorten the log of an old run", durable=False) as connection:
            row = connection.execute("SELECT log, num, status FROM runs WHERE run_id = ?", (run_id,)).fetchone()
            if row is None or row[2] not in FINISHED:
                return 0
            return shorten_log(connection, LogPlace(row[0], row[1]), at_most)

    def _remove_events(self, before: float, at_most: int) -> Removed:
        """One month is taken off the list, or else a bit of the room freed of those that were."""
        old = old_logs(self._database, before)
        if not old:
            return Removed(rows=0, more=clear_step(self._database, at_most=at_most))
        drop_log(self._database, old[0].log, now=self._clock.now())
        return Removed(rows=old[0].rows, more=True)


def _kept_runs(connection: sqlite3.Connection) -> Kept:
    oldest, ended, rows = connection.execute(
        "SELECT (SELECT MIN(created) FROM runs), (SELECT MIN(ended) FROM runs), "
        "(SELECT COUNT(*) FROM (SELECT 1 FROM runs LIMIT :exactly)) "
        "+ COALESCE((SELECT MAX(num) FROM runs) - (SELECT num FROM runs ORDER BY num LIMIT 1 OFFSET :exactly - 1), 0)",
        {"exactly": COUNTED_EXACTLY},
    ).fetchone()
    return Kept(kind=RetentionKind.RUNS, rows=rows, oldest=oldest, aged_from=ended)


def _kept_ticks(connection: sqlite3.Connection) -> Kept:
    first = connection.execute("SELECT started FROM ticks ORDER BY id LIMIT 1").fetchone()
    return _kept(connection, RetentionKind.TICKS, None if first is None else first[0])


def _kept_timed(connection: sqlite3.Connection, kind: RetentionKind) -> Kept:
    return _kept(connection, kind, connection.execute(f"SELECT MIN(time) FROM {_TABLES[kind]}").fetchone()[0])


def _kept(connection: sqlite3.Connection, kind: RetentionKind, oldest: float | None) -> Kept:
    table = _TABLES[kind]
    rows, size = about_rows(connection, table, _ROW_BYTES[table])
    return Kept(kind=kind, rows=rows, oldest=oldest, aged_from=oldest, bytes=size)


def _old_rows(connection: sqlite3.Connection, cut: OldTicks | OldEvaluations | OldActs, limit: int) -> list[int]:
    values: dict[str, object] = {"before": cut.before, "limit": limit}
    match cut:
        case OldTicks():
            known = (row[0] for row in connection.execute(_INSTIGATORS).fetchall())
            values["instigators"] = listed(each for each in known if instigator_parts(each)[1] is cut.of)
            values["statuses"] = listed(status for status in cut.statuses if status is not TickStatus.STARTED)
            statement = _TICKS
        case OldEvaluations():
            statement = _EVALUATIONS
        case OldActs():
            statement = _ACTS
    return [row[0] for row in connection.execute(statement, values)]


def _old_runs(connection: sqlite3.Connection, before: float, limit: int) -> list[str]:
    values = {"before": before, "limit": limit, "ended": _ENDED, "unended": UNENDED}
    return [row[0] for row in connection.execute(_RUNS, values)]
