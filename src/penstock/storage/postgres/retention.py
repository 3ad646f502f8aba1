"""What is old in Postgres, and its removal in small steps.

What is to go is looked for by itself, and removed by its ids: rows that have ended do not change any more, and whoever
writes meanwhile writes others.
"""

from __future__ import annotations

import math
from typing import Any

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
from ..retention import COUNTED_EXACTLY, MOST_COUNTED
from .connection import Database
from .event_logs import NEEDED_RUNS, UNENDED, clear_step, drop_log, old_logs, shorten_log
from .transaction import Transaction

__all__ = ["PostgresRetention"]

# Leaps from schedule to schedule along the index instead of reading every tick.
_INSTIGATORS = (
    "WITH RECURSIVE found (instigator) AS (SELECT MIN(instigator) FROM ticks UNION ALL "
    "SELECT (SELECT MIN(t.instigator) FROM ticks t WHERE t.instigator > found.instigator) FROM found "
    "WHERE found.instigator IS NOT NULL) SELECT instigator FROM found WHERE instigator IS NOT NULL"
)
# By rows that are compared as wholes the last tick is looked for in the index of its schedule or sensor; else that of
# all ids would do, and be read past what all the others have done since.
_TICKS = (
    "SELECT t.id FROM unnest(%(instigators)s::text[]) AS f (id) CROSS JOIN unnest(%(statuses)s::text[]) AS s (status) "
    "CROSS JOIN LATERAL (SELECT l.id FROM ticks l WHERE (l.instigator, l.id) <= (f.id, 9223372036854775807) "
    "ORDER BY l.instigator DESC, l.id DESC LIMIT 1) AS newest "
    "CROSS JOIN LATERAL (SELECT o.id FROM ticks o WHERE o.instigator = f.id AND o.status = s.status "
    "AND o.started < %(before)s AND o.id <> newest.id ORDER BY o.started LIMIT %(limit)s) AS t LIMIT %(limit)s"
)
_EVALUATIONS = (
    "SELECT e.id FROM automation_evaluations e WHERE e.time < %(before)s "
    "AND e.id <> (SELECT MAX(l.id) FROM automation_evaluations l WHERE l.entity = e.entity) "
    "ORDER BY e.time LIMIT %(limit)s"
)
_ACTS = "SELECT id FROM acts WHERE time < %(before)s ORDER BY time LIMIT %(limit)s"
_RUNS = (
    f"{NEEDED_RUNS}SELECT run_id FROM runs WHERE ended < %(before)s AND status = ANY(%(ended)s) "
    "AND run_id NOT IN (SELECT run_id FROM needed) ORDER BY ended LIMIT %(limit)s"
)
_ENDED = sorted(FINISHED)
_PARTS = {
    RetentionKind.RUNS: ("runs", "steps", "run_tags", "planned_assets"),
    RetentionKind.TICKS: ("ticks",),
    RetentionKind.EVALUATIONS: ("automation_evaluations",),
    RetentionKind.ACTS: ("acts",),
}


class PostgresRetention:
    """`Retention` of one Postgres database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def kept(self) -> list[Kept]:
        """What there is of events, runs, ticks, evaluations and acts."""
        return [
            self._kept_events(),
            self._kept(RetentionKind.RUNS, "SELECT MIN(created), MIN(ended) FROM runs"),
            self._kept(
                RetentionKind.TICKS,
                "SELECT MIN(started), MIN(started) FROM (SELECT started FROM ticks ORDER BY id LIMIT 1) AS first",
            ),
            self._kept(RetentionKind.EVALUATIONS, "SELECT MIN(time), MIN(time) FROM automation_evaluations"),
            self._kept(RetentionKind.ACTS, "SELECT MIN(time), MIN(time) FROM acts"),
        ]

    def old(self, cut: StorageCut | OldRuns) -> int:
        """How many rows a cut would remove, up to a limit."""
        match cut:
            case OldEvents():
                return sum(log.rows for log in old_logs(self._database, cut.before))
            case OldRuns():
                return len(self.old_runs(cut.before, limit=MOST_COUNTED))
            case OldTicks() | OldEvaluations() | OldActs():
                return len(self._old_rows(cut, MOST_COUNTED))

    def remove(self, cut: StorageCut, *, at_most: int) -> Removed:
        """Remove about so many rows of what is old."""
        if isinstance(cut, OldEvents):
            return self._remove_events(cut.before)
        found = self._old_rows(cut, at_most + 1)
        going = found[:at_most]
        if going:
            table = _PARTS[cut.kind][0]

            def work(tx: Transaction) -> None:
                tx.send(f"DELETE FROM {table} WHERE id = ANY(%s)", (going,))

            # What a crash of the server takes back is removed again.
            self._database.write("remove what is old", work, durable=False)
        return Removed(rows=len(going), more=len(found) > at_most)

    def old_runs(self, before: float, *, limit: int) -> list[str]:
        """The ids of runs that had ended before and that no run which has not ended repeats."""
        values = {"before": before, "limit": limit, "ended": _ENDED, "unended": UNENDED}
        return [row[0] for row in self._database.read("look for old runs", _RUNS, values)]

    def shorten(self, run_id: str, *, at_most: int) -> int:
        """Remove so many of the oldest events of an ended run if it has more than that."""

        def work(tx: Transaction) -> int:
            row = tx.row("SELECT num, log, status FROM runs WHERE run_id = %s", (run_id,))
            if row is None or row[2] not in FINISHED:
                return 0
            return shorten_log(tx, row[0], row[1], at_most)

        return self._database.write("shorten the log of an old run", work, durable=False)

    def _kept(self, kind: RetentionKind, times: str) -> Kept:
        table, *others = _PARTS[kind]
        rows, size = self._database.read(
            "read what is kept",
            f"SELECT CASE WHEN few.rows < %(exactly)s THEN few.rows ELSE GREATEST(c.reltuples, few.rows) END::bigint, "
            "(SELECT SUM(pg_total_relation_size(part::regclass)) FROM unnest(%(parts)s::text[]) AS part)::bigint "
            f"FROM (SELECT COUNT(*) AS rows FROM (SELECT 1 FROM {table} LIMIT %(exactly)s) AS first) AS few "
            f"JOIN pg_class c ON c.oid = '{table}'::regclass",
            {"exactly": COUNTED_EXACTLY, "parts": [table, *others]},
        )[0]
        oldest, aged_from = self._database.read("read what is kept", times)[0]
        return Kept(kind=kind, rows=rows, oldest=oldest, aged_from=aged_from, bytes=size)

    def _kept_events(self) -> Kept:
        logs = old_logs(self._database, math.inf)
        if not logs:
            return Kept(kind=RetentionKind.EVENTS, rows=0, bytes=0)
        first = logs[0]
        found = self._database.read(
            "read the oldest event", "SELECT time FROM events WHERE log = %s ORDER BY id LIMIT 1", (first.log,)
        )
        return Kept(
            kind=RetentionKind.EVENTS,
            rows=sum(log.rows for log in logs),
            oldest=found[0][0] if found else None,
            aged_from=first.until,
            bytes=sum(log.bytes or 0 for log in logs),
        )

    def _old_rows(self, cut: OldTicks | OldEvaluations | OldActs, limit: int) -> list[int]:
        values: dict[str, Any] = {"before": cut.before, "limit": limit}
        match cut:
            case OldTicks():
                known = (row[0] for row in self._database.read("look for what is old", _INSTIGATORS))
                values["instigators"] = [each for each in known if instigator_parts(each)[1] is cut.of]
                values["statuses"] = [status.value for status in cut.statuses if status is not TickStatus.STARTED]
                statement = _TICKS
            case OldEvaluations():
                statement = _EVALUATIONS
            case OldActs():
                statement = _ACTS
        return [row[0] for row in self._database.read("look for what is old", statement, values)]

    def _remove_events(self, before: float) -> Removed:
        """One month is taken off the list, or else the room freed of one that was."""
        old = old_logs(self._database, before)
        if not old:
            return Removed(rows=0, more=clear_step(self._database))
        drop_log(self._database, old[0].log, now=self._database.clock.now())
        return Removed(rows=old[0].rows, more=True)
