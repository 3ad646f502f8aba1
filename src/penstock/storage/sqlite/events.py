"""The event log in SQLite."""

from __future__ import annotations

import heapq
import itertools
import sqlite3
from collections.abc import Sequence

from ...records.event import Event, StoredEvent
from ...records.run import StepStats
from .. import rows
from ..asset_facts import ASSET_EVENTS
from ..derive import RUN_EVENTS, not_stored, refuse_late_writer
from ..months import LogPlace
from ..notifier import Notifier
from .connection import Database
from .event_logs import event_index, event_table, known_logs, over_logs
from .ledger import write_run_events
from .listed import listed

__all__ = ["SqliteEvents"]


_DURABLE = RUN_EVENTS | ASSET_EVENTS | {"STEP_SUCCESS", "STEP_FAILURE", "STEP_SKIPPED"}
"""Event types whose batch is to outlive a loss of power; a batch of other lines is safe with the next such one."""


_KEPT_LOG = "(SELECT l.log FROM event_logs l WHERE l.log = runs.log)"
"""A run's log, or NULL where it is no longer kept."""


class SqliteEvents:
    """`EventStorage` on one SQLite database."""

    def __init__(self, database: Database, notifier: Notifier) -> None:
        self._database = database
        self._notifier = notifier

    def append(self, run_id: str, attempt: int, events: Sequence[Event], *, now: float) -> int:
        """Store a batch of a run worker's numbered events; gives the id of the last one."""
        durable = any(event.type in _DURABLE for event in events)
        with self._database.write("store events", durable=durable) as connection:
            row = connection.execute(
                f"SELECT {_KEPT_LOG}, num, {rows.RUN_PLACE} FROM runs WHERE run_id = ?", (run_id,)
            ).fetchone()
            run = None if row is None else rows.run_place(run_id, row[2:])
            place = None if row is None or row[0] is None else LogPlace(*row[:2])
            fresh = not_stored(events, set() if place is None else _stored_numbers(connection, place, attempt, events))
            refuse_late_writer(run_id, attempt, run, fresh=bool(fresh))
            if place is None:
                return 0  # a run that has ended, and nothing new of it
            assert run is not None
            written = write_run_events(connection, place, run, attempt, fresh)
            if written.ids:
                last: int = written.ids[-1]
            else:
                newest = f"SELECT MAX(id) FROM {event_table(place.log)} WHERE run = ?"
                last = connection.execute(newest, (place.run,)).fetchone()[0] or 0
        if written.ids:
            self._notifier.publish(written.topics)
        return last

    def of_run(
        self,
        run_id: str,
        *,
        after: int = 0,
        limit: int = 1000,
        types: Sequence[str] | None = None,
        step_keys: Sequence[str] | None = None,
    ) -> list[StoredEvent]:
        """A run's events in the order they were stored."""
        condition = "e.run = ? AND e.id > ?"
        values: list[object] = [after]
        for column, wanted in (("type", types), ("step_key", step_keys)):
            if wanted is not None:
                condition += f" AND e.{column} IN (SELECT value FROM json_each(?))"
                values.append(listed(wanted))
        with self._database.read("read events") as connection:
            place = connection.execute(f"SELECT {_KEPT_LOG}, num FROM runs WHERE run_id = ?", (run_id,)).fetchone()
            if place is None or place[0] is None:
                return []
            log, number = place
            statement = (
                f"SELECT {rows.EVENT} FROM {event_table(log)} e INDEXED BY {event_index(log, 'by_run')} "
                f"WHERE {condition} ORDER BY e.id LIMIT ?"
            )
            found = connection.execute(statement, (number, *values, limit)).fetchall()
        return [rows.stored_event(row, run_id) for row in found]

    def of_types(
        self,
        types: Sequence[str],
        *,
        after: int | None = None,
        before: int | None = None,
        since: float | None = None,
        until: float | None = None,
        jobs: Sequence[str] | None = None,
        ascending: bool = True,
        limit: int = 100,
    ) -> list[StoredEvent]:
        """Events of these types over all runs, oldest first or newest first."""
        condition = "e.type = :type"
        bounds = {"e.id > :after": after, "e.id < :before": before, "e.time > :since": since, "e.time < :until": until}
        condition += "".join(f" AND {bound}" for bound, value in bounds.items() if value is not None)
        if jobs is not None:
            condition += " AND r.job IN (SELECT value FROM json_each(:jobs))"
        values = {
            "after": after,
            "before": before,
            "since": since,
            "until": until,
            "jobs": None if jobs is None else listed(jobs),
            "limit": limit,
        }
        in_time = since is not None or until is not None
        order = f"ORDER BY id {'ASC' if ascending else 'DESC'} LIMIT :limit"
        found = []
        with self._database.read("read events") as connection:
            logs = known_logs(connection)
            if not logs:
                return []
            for event_type in dict.fromkeys(types):
                index, is_indexed = "by_type", ""
                if in_time and event_type.startswith("RUN_"):
                    index, is_indexed = "of_runs", " AND e.type >= 'RUN_' AND e.type < 'RUN`'"
                of_type = over_logs(
                    logs,
                    f"SELECT {rows.EVENT}, r.run_id FROM {{table}} e INDEXED BY {{{index}}} "
                    f"LEFT JOIN runs r ON r.num = e.run WHERE {condition}{is_indexed}",
                )
                found.append(connection.execute(f"{of_type} {order}", {**values, "type": event_type}).fetchall())
        merged = heapq.merge(*found, key=lambda row: row[0], reverse=not ascending)
        return [rows.stored_event(row[:-1], row[-1]) for row in itertools.islice(merged, limit)]

    def get(self, event_id: int) -> StoredEvent | None:
        """One event."""
        with self._database.read("read an event") as connection:
            logs = known_logs(connection)
            of_id = f"SELECT {rows.EVENT}, r.run_id FROM {{table}} e LEFT JOIN runs r ON r.num = e.run WHERE e.id = :id"
            row = connection.execute(over_logs(logs, of_id), {"id": event_id}).fetchone() if logs else None
        return None if row is None else rows.stored_event(row[:-1], row[-1])

    def failures(self, run_ids: Sequence[str]) -> dict[str, StoredEvent]:
        """What ended each of these runs that has failed, as far as its events are kept."""
        failed = "x.type IN ('STEP_FAILURE', 'RUN_FAILURE')"
        found: list[rows.Row] = []
        with self._database.read("read failures") as connection:
            places: dict[int, list[str]] = {}
            asked = f"SELECT {_KEPT_LOG}, run_id FROM runs WHERE run_id IN (SELECT value FROM json_each(?))"
            for log, run_id in connection.execute(asked, (listed(run_ids),)):
                if log is not None:
                    places.setdefault(log, []).append(run_id)
            for log, of_log in places.items():
                first = (
                    f"SELECT x.id FROM {event_table(log)} x INDEXED BY {event_index(log, 'failures')} "
                    f"WHERE x.run = r.num AND {failed} ORDER BY x.type DESC, x.id LIMIT 1"
                )
                found += connection.execute(
                    f"SELECT {rows.EVENT}, r.run_id FROM runs r CROSS JOIN {event_table(log)} e ON e.id = ({first}) "
                    "WHERE r.run_id IN (SELECT value FROM json_each(?))",
                    (listed(of_log),),
                ).fetchall()
        return {row[-1]: rows.stored_event(row[:-1], row[-1]) for row in found}

    def last_id(self) -> int:
        """The id of the newest event; 0 when there is none."""
        with self._database.read("read the last event id") as connection:
            last: int = connection.execute("SELECT value FROM counters WHERE name = 'event'").fetchone()[0]
        return last

    def step_stats(self, run_id: str) -> list[StepStats]:
        """What is known of each step that has begun, in the order they began."""
        with self._database.read("read steps") as connection:
            found = connection.execute(
                f"SELECT {rows.STEP} FROM steps WHERE run = (SELECT num FROM runs WHERE run_id = ?) ORDER BY place",
                (run_id,),
            ).fetchall()
        return [rows.step(run_id, row) for row in found]

    def steps_of(self, run_ids: Sequence[str]) -> dict[str, list[StepStats]]:
        """What is known of each step of these runs that has begun, in the order they began."""
        with self._database.read("read steps") as connection:
            found = connection.execute(
                "SELECT (SELECT run_id FROM runs WHERE num = s.run), "
                f"{rows.STEP} FROM steps s WHERE run IN "
                "(SELECT num FROM runs WHERE run_id IN (SELECT value FROM json_each(?))) ORDER BY run, place",
                (listed(run_ids),),
            ).fetchall()
        return rows.steps_by_run(found)


def _stored_numbers(connection: sqlite3.Connection, place: LogPlace, attempt: int, events: Sequence[Event]) -> set[int]:
    numbered = [event.seq for event in events if event.seq is not None]
    if not numbered:
        return set()
    found = connection.execute(
        f"SELECT seq FROM {event_table(place.log)} "
        "WHERE run = ? AND attempt = ? AND seq IS NOT NULL AND seq BETWEEN ? AND ?",
        (place.run, attempt, min(numbered), max(numbered)),
    )
    return {row[0] for row in found}
