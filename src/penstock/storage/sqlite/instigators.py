"""Schedules and sensors in SQLite: switches, cursors, ticks and what a tick causes."""

from __future__ import annotations

import heapq
import itertools
import sqlite3
from collections.abc import Sequence
from typing import Any

import msgspec

from ...codec import encode_msgpack
from ...errors import FencedError, StorageError
from ...records.act import SWITCHES, Act, ActKind
from ...records.automation import (
    InstigatorKind,
    InstigatorState,
    InstigatorStatus,
    Override,
    Tick,
    TickStatus,
    instigator_parts,
)
from ...records.conditions.evaluation import EvaluationRecord, StoredEvaluation
from ...records.event import AssetFact
from ...records.lease import Lease
from .. import rows
from ..acting import act_of, who_acts
from ..notifier import Notifier
from ..protocols import NewRun, StoredBackfill
from .acts import record_acts
from .backfills import insert_backfill
from .connection import Database
from .dynamic_partitions import change_dynamic_partitions
from .inbox import settle_webhooks
from .leases import require_lease
from .ledger import insert_run, report
from .listed import listed

__all__ = ["SqliteInstigators"]


class SqliteInstigators:
    """`InstigatorStorage` on one SQLite database."""

    def __init__(self, database: Database, notifier: Notifier) -> None:
        self._database = database
        self._notifier = notifier

    # -- states -------------------------------------------------------------------------------------------------------

    def states(self, kind: InstigatorKind | None = None) -> dict[str, InstigatorState]:
        """All stored states by id, or those of schedules or of sensors alone."""
        condition = "" if kind is None else " WHERE kind = :kind"
        with self._database.read("read schedules and sensors") as connection:
            found = connection.execute(
                f"SELECT {rows.INSTIGATOR} FROM instigators{condition}", {"kind": kind and kind.value}
            ).fetchall()
        return {row[0]: rows.instigator(row) for row in found}

    def get(self, instigator: str) -> InstigatorState | None:
        """One state."""
        with self._database.read("read a schedule or sensor") as connection:
            row = connection.execute(
                f"SELECT {rows.INSTIGATOR} FROM instigators WHERE id = ?", (instigator,)
            ).fetchone()
        return None if row is None else rows.instigator(row)

    def switch(
        self,
        instigator: str,
        location: str,
        kind: InstigatorKind,
        name: str,
        status: InstigatorStatus,
        *,
        now: float,
    ) -> InstigatorState:
        """Turn it on, off, or back to what the code says; its next due time is forgotten."""
        change = (
            "status = :status, next_due = NULL, fingerprint = NULL, retired = NULL, "
            "turned_on = CASE WHEN :status = 'RUNNING' THEN :now END"
        )
        acts = act_of(SWITCHES[status], instigator)
        return self._change((instigator, location, kind, name), change, {"now": now, "status": status}, acts)

    def set_cursor(
        self, instigator: str, location: str, name: str, cursor: str | None, *, now: float
    ) -> InstigatorState:
        """Set a sensor's cursor by hand; a tick that is at work meanwhile does not overwrite it."""
        whose = (instigator, location, InstigatorKind.SENSOR, name)
        acts = act_of(ActKind.SET_CURSOR, instigator, cursor=cursor)
        return self._change(whose, "cursor = :cursor, cursor_set = :now", {"now": now, "cursor": cursor}, acts)

    def override(
        self,
        instigator: str,
        location: str,
        kind: InstigatorKind,
        name: str,
        override: Override | None,
        *,
        now: float,
    ) -> InstigatorState:
        """Set what holds in place of the code, or withdraw it (None); its next due time is forgotten."""
        given = None if override is None else msgspec.structs.replace(override, by=who_acts(), since=now)
        act_kind = ActKind.WITHDRAW if given is None else ActKind.OVERRIDE
        acts = act_of(act_kind, instigator, override=given)
        change = "override = :override, next_due = NULL, fingerprint = NULL"
        values = {"now": now, "override": None if given is None else encode_msgpack(given)}
        return self._change((instigator, location, kind, name), change, values, acts)

    def retire(self, instigator: str, *, now: float) -> InstigatorState | None:
        """Remove it: it is off, and all that is known of it is kept."""
        return self._change_known(instigator, "retired = :now", act_of(ActKind.REMOVE, instigator), now=now)

    def restore(self, instigator: str, *, now: float) -> InstigatorState | None:
        """Take a removal back."""
        change = "retired = NULL, next_due = NULL, fingerprint = NULL"
        return self._change_known(instigator, change, act_of(ActKind.RESTORE, instigator), now=now)

    def _change(
        self, whose: tuple[str, str, InstigatorKind, str], change: str, values: dict[str, Any], acts: Sequence[Act]
    ) -> InstigatorState:
        with self._database.write("change a schedule or sensor") as connection:
            _make(connection, *whose)
            state = _changed(connection, whose[0], change, values, acts)
        assert state is not None
        self._notifier.publish({"instigators"})
        return state

    def _change_known(self, instigator: str, change: str, acts: Sequence[Act], *, now: float) -> InstigatorState | None:
        with self._database.write("change a schedule or sensor") as connection:
            state = _changed(connection, instigator, change, {"now": now}, acts)
        self._notifier.publish({"instigators"})
        return state

    def plan(self, states: Sequence[InstigatorState]) -> None:
        """Store `next_due` and `fingerprint` of these, making rows that do not exist; nothing else of a row changes."""
        with self._database.write("store when schedules and sensors are due") as connection:
            for state in states:
                _make(connection, state.id, state.location, state.kind, state.name)
            connection.executemany(
                "UPDATE instigators SET next_due = ?, fingerprint = ?, turned_on = COALESCE(turned_on, ?) WHERE id = ?",
                [(state.next_due, state.fingerprint, state.turned_on, state.id) for state in states],
            )
        self._notifier.publish({"instigators"})

    # -- ticks --------------------------------------------------------------------------------------------------------

    def begin_tick(self, instigator: str, due: float, *, lease: Lease, now: float) -> Tick | None:
        """Begin the tick of that due time; None when it is over already."""
        with self._database.write("begin a tick", durable=False) as connection:
            require_lease(connection, lease)
            found = _tick(connection, instigator, due)
            if found is not None and found.status is not TickStatus.STARTED:
                return None
            attempt = 1 if found is None else found.attempt + 1
            tick = Tick(instigator=instigator, due=due, started=now, attempt=attempt)
            number = connection.execute(
                "INSERT INTO ticks (instigator, due, status, started, attempt, body) VALUES (?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (instigator, due) "
                "DO UPDATE SET started = excluded.started, attempt = excluded.attempt, body = excluded.body",
                (instigator, due, tick.status, now, attempt, encode_msgpack(tick)),
            ).lastrowid
            number = number if found is None else found.id
        assert number is not None
        self._notifier.publish({"ticks"})
        return msgspec.structs.replace(tick, id=number)

    def complete_tick(
        self,
        tick: Tick,
        *,
        lease: Lease,
        runs: Sequence[tuple[str | None, NewRun]] = (),
        backfill: StoredBackfill | None = None,
        facts: Sequence[AssetFact] = (),
        evaluations: Sequence[EvaluationRecord] = (),
        cursor: str | None = None,
        next_due: float | None = None,
        fingerprint: str | None = None,
        now: float,
    ) -> Tick:
        """End a tick, in one transaction with everything it causes."""
        if tick.status is TickStatus.STARTED:
            raise StorageError(
                f"The tick {tick.id} of {tick.instigator} is to be completed, but its status is STARTED."
            )
        topics = {"ticks"}
        with self._database.write("complete a tick", durable=not tick.left_nothing) as connection:
            require_lease(connection, lease)
            stored = _tick(connection, tick.instigator, tick.due)
            if stored is None or stored.attempt != tick.attempt:
                raise FencedError(
                    f"The tick {tick.id} of {tick.instigator} was begun again by another daemon; "
                    f"attempt {tick.attempt} was refused."
                )
            if stored.status is not TickStatus.STARTED:
                return stored  # told twice
            if tick.partitions:
                change_dynamic_partitions(connection, tick.partitions)
                topics.add("assets")
            made = []
            for run_key, new in runs:
                if run_key is None or _use_run_key(connection, tick.instigator, run_key, new.run.run_id):
                    written = insert_run(connection, new)
                    made.append(written.run.run_id)
                    topics |= written.topics
            if backfill is not None:
                insert_backfill(connection, backfill.backfill, backfill.plan, backfill.log)
                topics.add("backfills")
            if facts:
                report(connection, facts, now)
                topics.add("assets")
            if evaluations:
                _store_evaluations(connection, stored.id, evaluations, now)
            if tick.webhooks:
                settle_webhooks(connection, tick, now)
            asked = tuple(run_key for run_key, _ in runs if run_key is not None)
            ended = msgspec.structs.replace(
                tick,
                id=stored.id,
                started=stored.started,
                ended=now,
                run_ids=tuple(made),
                run_keys=tick.run_keys or asked,
                backfill_id=None if backfill is None else backfill.backfill.backfill_id,
            )
            connection.execute(
                "UPDATE ticks SET status = ?, body = ? WHERE id = ?", (ended.status, encode_msgpack(ended), stored.id)
            )
            _make(connection, tick.instigator, *instigator_parts(tick.instigator))
            connection.execute(
                "UPDATE instigators SET last_tick = :now, updated = :now, "
                "next_due = CASE WHEN :fingerprint IS NULL OR fingerprint = :fingerprint "
                "THEN COALESCE(:due, next_due) ELSE next_due END, last_run_key = COALESCE(:run_key, last_run_key), "
                "cursor = CASE WHEN :cursor IS NULL OR cursor_set > :started THEN cursor ELSE :cursor END "
                "WHERE id = :id",
                {
                    "now": now,
                    "due": next_due,
                    "fingerprint": fingerprint,
                    "run_key": ended.run_keys[-1] if ended.run_keys else None,
                    "cursor": cursor,
                    "started": stored.started,
                    "id": tick.instigator,
                },
            )
        self._notifier.publish(topics)
        return ended

    def evaluations(self, entity: str, *, before: int | None = None, limit: int = 50) -> list[StoredEvaluation]:
        """What the automation condition of an asset, check or job came to, newest first."""
        condition = "" if before is None else " AND e.id < :before"
        with self._database.read("read evaluations of automation conditions") as connection:
            found = connection.execute(
                "SELECT e.id, e.tick, e.body, t.body FROM automation_evaluations e LEFT JOIN ticks t ON t.id = e.tick "
                f"WHERE e.entity = :entity{condition} ORDER BY e.id DESC LIMIT :limit",
                {"entity": entity, "before": before, "limit": limit},
            ).fetchall()
        return [rows.evaluation(row) for row in found]

    def ticks(
        self,
        instigator: str,
        *,
        before: int | None = None,
        limit: int = 50,
        statuses: Sequence[TickStatus] | None = None,
        after_time: float | None = None,
    ) -> list[Tick]:
        """Ticks, newest first, before the tick id `before`."""
        index, condition = "ticks_by_instigator", "instigator = :instigator"
        if statuses is not None:
            index, condition = "ticks_by_status", f"{condition} AND status = :status"
        if before is not None:
            condition += " AND id < :before"
        if after_time is not None:
            # Ids grow with time but for ticks that were begun again, so the newer ones say where to stop.
            condition += (
                " AND started > :after AND id >= (SELECT MIN(n.id) FROM ticks n INDEXED BY ticks_by_time "
                "WHERE n.instigator = :instigator AND n.started > :after)"
            )
        statement = f"SELECT {rows.TICK} FROM ticks INDEXED BY {index} WHERE {condition} ORDER BY id DESC LIMIT :limit"
        values = {"instigator": instigator, "before": before, "after": after_time, "limit": limit}
        with self._database.read("read ticks") as connection:
            found = [
                connection.execute(statement, {**values, "status": status}).fetchall()
                for status in (dict.fromkeys(statuses) if statuses is not None else (None,))
            ]
        merged = heapq.merge(*found, key=lambda row: row[0], reverse=True)
        return [rows.tick(row) for row in itertools.islice(merged, limit)]

    def latest_ticks(
        self,
        instigators: Sequence[str],
        *,
        limit: int,
        statuses: Sequence[TickStatus] | None = None,
        after_time: float | None = None,
    ) -> dict[str, list[Tick]]:
        """The newest ticks of each of these, newest first; those without any are left out."""
        index = {
            (False, False): "ticks_by_instigator",
            (True, False): "ticks_by_status",
            (False, True): "ticks_by_time",
            (True, True): "ticks_by_age",
        }[statuses is not None, after_time is not None]
        asked, condition = "(SELECT value AS name FROM json_each(:instigators))", "n.instigator = name"
        if statuses is not None:
            asked += " CROSS JOIN (SELECT value AS wanted FROM json_each(:statuses))"
            condition += " AND n.status = wanted"
        if after_time is not None:
            condition += " AND n.started > :after"
        with self._database.read("read ticks") as connection:
            found = connection.execute(
                f"SELECT {rows.TICK} FROM {asked} CROSS JOIN ticks ON ticks.id IN (SELECT n.id FROM ticks n "
                f"INDEXED BY {index} WHERE {condition} ORDER BY n.id DESC LIMIT :limit)",
                {
                    "instigators": listed(instigators),
                    "statuses": None if statuses is None else listed(set(statuses)),
                    "after": after_time,
                    "limit": limit,
                },
            ).fetchall()
        return rows.ticks_by_instigator(found, limit)


def _changed(
    connection: sqlite3.Connection, instigator: str, change: str, values: dict[str, Any], acts: Sequence[Act]
) -> InstigatorState | None:
    """Change a row that is there, and store the act; None if there is no row."""
    row = connection.execute(
        f"UPDATE instigators SET {change}, updated = :now WHERE id = :id RETURNING {rows.INSTIGATOR}",
        {**values, "id": instigator},
    ).fetchone()
    if row is None:
        return None
    record_acts(connection, acts)
    return rows.instigator(row)


def _make(connection: sqlite3.Connection, instigator: str, location: str, kind: InstigatorKind, name: str) -> None:
    connection.execute(
        "INSERT INTO instigators (id, location, kind, name, status, updated) VALUES (?, ?, ?, ?, ?, 0) "
        "ON CONFLICT DO NOTHING",
        (instigator, location, kind, name, InstigatorStatus.DECLARED_IN_CODE),
    )


def _store_evaluations(
    connection: sqlite3.Connection, tick: int, evaluations: Sequence[EvaluationRecord], now: float
) -> None:
    new = rows.new_evaluations(evaluations, tick, now)
    # What requested nothing is of interest until the next one.
    connection.execute(
        "DELETE FROM automation_evaluations WHERE requested = 0 AND entity IN (SELECT value FROM json_each(?))",
        (listed({row[0] for row in new}),),
    )
    connection.executemany(
        "INSERT INTO automation_evaluations (entity, tick, time, requested, body) VALUES (?, ?, ?, ?, ?)", new
    )


def _tick(connection: sqlite3.Connection, instigator: str, due: float) -> Tick | None:
    row = connection.execute(
        f"SELECT {rows.TICK} FROM ticks WHERE instigator = ? AND due = ?",
        (instigator, due),
    ).fetchone()
    return None if row is None else rows.tick(row)


def _use_run_key(connection: sqlite3.Connection, instigator: str, run_key: str, run_id: str) -> bool:
    used = connection.execute(
        "INSERT INTO run_keys VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (instigator, run_key, run_id)
    )
    return used.rowcount == 1
