"""What is old in SQLite, and its removal in small steps.

What is to go is looked for by a reader, which hinders nobody, and removed by its ids: rows that have ended do not
change any more, so that the writer holds the database for as long as it takes to delete them, and no longer.
"""

from __future__ import annotations

import sqlite3

from ...clock import SYSTEM_CLOCK
from ...records.automation import instigator_parts
from ...records.retention import (
    Kept,
    OldEvaluations,
    OldEvents,
    OldRuns,
    OldTicks,
    Removed,
    RetentionKind,
    StorageCut,
)
from ...records.run import FINISHED, RunStatus
from ..retention import COUNTED_EXACTLY, MOST_COUNTED, about
from .connection import Database
from .event_logs import clear_step, drop_log, old_logs
from .listed import listed

__all__ = ["SqliteRetention"]

_SAMPLE = 200
_ROW_BYTES = {"ticks": 230, "automation_evaluations": 70}
"""What a row takes beside its body, as measured: its other columns, its place in each index, what pages leave free."""

# Leaps from schedule to schedule along the index instead of reading every tick.
_INSTIGATORS = (
    "WITH RECURSIVE found (instigator) AS (SELECT MIN(instigator) FROM ticks UNION ALL "
    "SELECT (SELECT MIN(t.instigator) FROM ticks t WHERE t.instigator > found.instigator) FROM found "
    "WHERE found.instigator IS NOT NULL) SELECT instigator FROM found WHERE instigator IS NOT NULL"
)
# Ids grow with time but for ticks that were begun again, so the newest of the old ones says where to stop.
_TICKS = (
    "SELECT t.id FROM json_each(:instigators) f CROSS JOIN ticks t INDEXED BY ticks_by_status "
    "ON t.instigator = f.value AND t.status IN (SELECT value FROM json_each(:statuses)) "
    "AND t.id <= (SELECT n.id FROM ticks n INDEXED BY ticks_by_time "
    "WHERE n.instigator = f.value AND n.started < :before ORDER BY n.started DESC, n.id DESC LIMIT 1) "
    "WHERE t.started < :before AND t.status <> 'STARTED' "
    "AND t.id <> (SELECT MAX(l.id) FROM ticks l INDEXED BY ticks_by_instigator WHERE l.instigator = f.value) "
    "LIMIT :limit"
)
_EVALUATIONS = (
    "SELECT e.id FROM automation_evaluations e INDEXED BY automation_evaluations_by_time "
    "WHERE e.time < :before AND e.id <> (SELECT MAX(l.id) FROM automation_evaluations l "
    "INDEXED BY automation_evaluations_by_entity WHERE l.entity = e.entity) ORDER BY e.time LIMIT :limit"
)
# Runs that have not ended, those that they repeat, those which these repeat, and so on.
_NEEDED = (
    "WITH RECURSIVE needed (run_id) AS ("
    "SELECT run_id FROM runs INDEXED BY runs_by_status WHERE status IN (SELECT value FROM json_each(:unended)) UNION "
    "SELECT t.value FROM needed JOIN run_tags t ON t.run_id = needed.run_id AND t.key = 'penstock/parent_run_id') "
)
_RUNS = (
    f"{_NEEDED}SELECT run_id FROM runs INDEXED BY runs_by_ended WHERE ended < :before "
    "AND status IN (SELECT value FROM json_each(:ended)) AND run_id NOT IN (SELECT run_id FROM needed) "
    "ORDER BY ended LIMIT :limit"
)

_ENDED = listed(FINISHED)
_UNENDED = listed(status for status in RunStatus if status not in FINISHED)


class SqliteRetention:
    """`Retention` of one SQLite database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def kept(self) -> list[Kept]:
        """What there is of events, runs, ticks and evaluations."""
        with self._database.read("read what is kept") as connection:
            return [
                _kept_events(connection),
                _kept_runs(connection),
                _kept_ticks(connection),
                _kept_evaluations(connection),
            ]

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
            table = "ticks" if isinstance(cut, OldTicks) else "automation_evaluations"
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
            return shorten_log(connection, run_id, at_most)

    def _remove_events(self, before: float, at_most: int) -> Removed:
        """One month is taken off the list, or else a bit of the room freed of those that were."""
        old = next(iter(old_logs(self._database, before)), None)
        if old is not None:
            drop_log(self._database, old.log, now=SYSTEM_CLOCK.now())
            return Removed(rows=old.rows, more=True)
        return Removed(rows=0, more=clear_step(self._database, at_most=at_most))


def _kept_events(connection: sqlite3.Connection) -> Kept:
    return Kept(kind=RetentionKind.EVENTS, rows=0)


def shorten_log(connection, run_id, at_most):
    return 0


def _kept_runs(connection: sqlite3.Connection) -> Kept:
    oldest, ended = connection.execute(
        "SELECT (SELECT MIN(created) FROM runs), (SELECT MIN(ended) FROM runs)"
    ).fetchone()
    return Kept(kind=RetentionKind.RUNS, rows=_about(connection, "runs", "num"), oldest=oldest, aged_from=ended)


def _kept_ticks(connection: sqlite3.Connection) -> Kept:
    first = connection.execute("SELECT started FROM ticks ORDER BY id LIMIT 1").fetchone()
    return _kept(connection, RetentionKind.TICKS, "ticks", None if first is None else first[0])


def _kept_evaluations(connection: sqlite3.Connection) -> Kept:
    table = "automation_evaluations"
    oldest = connection.execute(f"SELECT MIN(time) FROM {table}").fetchone()[0]
    return _kept(connection, RetentionKind.EVALUATIONS, table, oldest)


def _kept(connection: sqlite3.Connection, kind: RetentionKind, table: str, oldest: float | None) -> Kept:
    rows = _about(connection, table, "id")
    body = connection.execute(
        f"SELECT AVG(length(body)) FROM (SELECT body FROM {table} ORDER BY id DESC LIMIT ?)", (_SAMPLE,)
    ).fetchone()[0]
    size = round(rows * ((body or 0.0) + _ROW_BYTES[table]))
    return Kept(kind=kind, rows=rows, oldest=oldest, aged_from=oldest, bytes=size)


def _about(connection: sqlite3.Connection, table: str, number: str) -> int:
    counted = connection.execute(
        f"SELECT COUNT(*) FROM (SELECT 1 FROM {table} LIMIT ?)", (COUNTED_EXACTLY + 1,)
    ).fetchone()[0]
    first, last = connection.execute(
        f"SELECT (SELECT MIN({number}) FROM {table}), (SELECT MAX({number}) FROM {table})"
    ).fetchone()
    return about(counted, first, last)


def _old_rows(connection: sqlite3.Connection, cut: OldTicks | OldEvaluations, limit: int) -> list[int]:
    values: dict[str, object] = {"before": cut.before, "limit": limit}
    match cut:
        case OldTicks():
            known = (row[0] for row in connection.execute(_INSTIGATORS).fetchall())
            values["instigators"] = listed(each for each in known if instigator_parts(each)[1] is cut.of)
            values["statuses"] = listed(cut.statuses)
            statement = _TICKS
        case OldEvaluations():
            statement = _EVALUATIONS
    return [row[0] for row in connection.execute(statement, values)]


def _old_runs(connection: sqlite3.Connection, before: float, limit: int) -> list[str]:
    values = {"before": before, "limit": limit, "ended": _ENDED, "unended": _UNENDED}
    return [row[0] for row in connection.execute(_RUNS, values)]
