"""The event log in Postgres."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...records.event import Event, StoredEvent
from ...records.run import StepStats
from .. import rows
from ..derive import not_stored, refuse_late_writer
from ..months import LogPlace
from ..notifier import Notifier
from .connection import Database
from .ledger import Change, ask_steps, changed_run, topics_of_all, write_changes
from .transaction import Answer, Transaction

__all__ = ["PostgresEvents"]


class PostgresEvents:
    """`EventStorage` on one Postgres database."""

    def __init__(self, database: Database, notifier: Notifier) -> None:
        self._database = database
        self._notifier = notifier

    def append(self, run_id: str, attempt: int, events: Sequence[Event], *, now: float) -> int:
        """Store a batch of a run worker's numbered events; gives the id of the last one."""
        numbered = [event.seq for event in events if event.seq is not None]

        def work(tx: Transaction) -> tuple[Answer, list[Change]]:
            asked = tx.ask(
                f"SELECT log, num, {rows.RUN_PLACE}, ARRAY(SELECT seq FROM events e WHERE e.log = runs.log "
                "AND e.run = runs.num AND e.attempt = %s AND e.seq BETWEEN %s AND %s) "
                "FROM runs WHERE run_id = %s FOR UPDATE",
                (attempt, min(numbered, default=None), max(numbered, default=None), run_id),
            )
            steps = ask_steps(tx, run_id, events)
            tx.sync()
            row = next(iter(asked.rows()), None)
            run = None if row is None else rows.run_place(run_id, row[2:-1])
            fresh = not_stored(events, set() if row is None else set(row[-1]))
            refuse_late_writer(run_id, attempt, run, fresh=bool(fresh))
            assert row is not None
            assert run is not None
            place = LogPlace(*row[:2])
            change = changed_run(tx, place, run, attempt, fresh, steps)
            last_id = write_changes(tx, [change])
            if last_id is not None:
                return last_id, [change]
            return tx.ask("SELECT COALESCE(MAX(id), 0) FROM events WHERE log = %s AND run = %s", place), []

        last_id, changes = self._database.write("store events", work, repeatable=True, patient=False)
        if changes:
            self._notifier.publish(topics_of_all(changes))
        ((last,),) = last_id.rows()
        return int(last)

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
        statement = (
            f"SELECT {rows.EVENT} FROM events e WHERE e.log = (SELECT log FROM runs WHERE run_id = %s) "
            "AND e.run = (SELECT num FROM runs WHERE run_id = %s) AND e.id > %s"
        )
        values: list[Any] = [run_id, run_id, after]
        for column, wanted in (("type", types), ("step_key", step_keys)):
            if wanted is not None:
                statement += f" AND e.{column} = ANY(%s)"
                values.append(list(wanted))
        found = self._database.read("read events", f"{statement} ORDER BY e.id LIMIT %s", [*values, limit])
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
        if not types:
            return []
        condition = ""
        bounds = {
            "e.id > %(after)s": after,
            "e.id < %(before)s": before,
            "e.time > %(since)s": since,
            "e.time < %(until)s": until,
        }
        condition += "".join(f" AND {bound}" for bound, value in bounds.items() if value is not None)
        if jobs is not None:
            condition += " AND r.job = ANY(%(jobs)s)"
        values: dict[str, Any] = {
            "after": after,
            "before": before,
            "since": since,
            "until": until,
            "jobs": None if jobs is None else list(jobs),
            "limit": limit,
        }
        in_time = since is not None or until is not None
        order = f"ORDER BY id {'ASC' if ascending else 'DESC'} LIMIT %(limit)s"
        # One walk along an index for each type, whose first rows are then merged.
        walks = []
        for number, event_type in enumerate(dict.fromkeys(types)):
            values[f"type{number}"] = event_type
            # This names the index by time, which holds the events of whole runs alone.
            of_runs = " AND e.type >= 'RUN_' AND e.type < 'RUN`'" if in_time and event_type.startswith("RUN_") else ""
            walks.append(
                f"(SELECT {rows.EVENT}, r.run_id FROM events e LEFT JOIN runs r ON r.num = e.run "
                f"WHERE e.type = %(type{number})s{of_runs}{condition} {order})"
            )
        statement = " UNION ALL ".join(walks)
        found = self._database.read("read events", f"{statement} {order}" if len(walks) > 1 else statement, values)
        return [rows.stored_event(row[:-1], row[-1]) for row in found]

    def get(self, event_id: int) -> StoredEvent | None:
        """One event."""
        found = self._database.read(
            "read an event",
            f"SELECT {rows.EVENT}, r.run_id FROM events e LEFT JOIN runs r ON r.num = e.run WHERE e.id = %s",
            (event_id,),
        )
        return rows.stored_event(found[0][:-1], found[0][-1]) if found else None

    def failures(self, run_ids: Sequence[str]) -> dict[str, StoredEvent]:
        """What ended each of these runs that has failed, as far as its events are kept."""
        found = self._database.read(
            "read failures",
            f"SELECT {rows.EVENT}, r.run_id FROM runs r CROSS JOIN LATERAL (SELECT * FROM events x WHERE x.run = r.num "
            "AND x.log = r.log AND x.type IN ('STEP_FAILURE', 'RUN_FAILURE') ORDER BY x.type DESC, x.id LIMIT 1) e "
            "WHERE r.run_id = ANY(%s)",
            (list(run_ids),),
        )
        return {row[-1]: rows.stored_event(row[:-1], row[-1]) for row in found}

    def last_id(self) -> int:
        """The id of the newest event; 0 when there is none."""
        found = self._database.read("read the last event id", "SELECT value FROM counters WHERE name = 'event'")
        last: int = found[0][0]
        return last

    def step_stats(self, run_id: str) -> list[StepStats]:
        """What is known of each step that has begun, in the order they began."""
        found = self._database.read(
            "read steps",
            f"SELECT {rows.STEP} FROM steps WHERE run = (SELECT num FROM runs WHERE run_id = %s) ORDER BY place",
            (run_id,),
        )
        return [rows.step(run_id, row) for row in found]

    def steps_of(self, run_ids: Sequence[str]) -> dict[str, list[StepStats]]:
        """What is known of each step of these runs that has begun, in the order they began."""
        found = self._database.read(
            "read steps",
            f"SELECT (SELECT run_id FROM runs WHERE num = s.run), {rows.STEP} FROM steps s "
            "WHERE s.run = ANY(ARRAY(SELECT num FROM runs WHERE run_id = ANY(%s))) ORDER BY s.run, s.place",
            (list(run_ids),),
        )
        return rows.steps_by_run(found)
