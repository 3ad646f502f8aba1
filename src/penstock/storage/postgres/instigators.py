"""Schedules and sensors in Postgres: switches, cursors, ticks and what a tick causes."""

from __future__ import annotations

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
from ...records.event import AssetFact, Event
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
from .ledger import insert_runs, write_changes
from .transaction import Transaction

__all__ = ["PostgresInstigators"]


class PostgresInstigators:
    """`InstigatorStorage` on one Postgres database."""

    def __init__(self, database: Database, notifier: Notifier) -> None:
        self._database = database
        self._notifier = notifier

    # -- states -------------------------------------------------------------------------------------------------------

    def states(self, kind: InstigatorKind | None = None) -> dict[str, InstigatorState]:
        """All stored states by id, or those of schedules or of sensors alone."""
        condition = "" if kind is None else " WHERE kind = %(kind)s"
        found = self._database.read(
            "read schedules and sensors",
            f"SELECT {rows.INSTIGATOR} FROM instigators{condition} ORDER BY id",
            {"kind": kind and kind.value},
        )
        return {row[0]: rows.instigator(row) for row in found}

    def get(self, instigator: str) -> InstigatorState | None:
        """One state."""
        found = self._database.read(
            "read a schedule or sensor", f"SELECT {rows.INSTIGATOR} FROM instigators WHERE id = %s", (instigator,)
        )
        return rows.instigator(found[0]) if found else None

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
            "status = %(status)s, next_due = NULL, fingerprint = NULL, retired = NULL, "
            "turned_on = CASE WHEN %(status)s = 'RUNNING' THEN %(now)s::double precision END"
        )
        acts = act_of(SWITCHES[status], instigator)
        return self._change((instigator, location, kind, name), change, {"now": now, "status": status}, acts)

    def set_cursor(
        self, instigator: str, location: str, name: str, cursor: str | None, *, now: float
    ) -> InstigatorState:
        """Set a sensor's cursor by hand; a tick that is at work meanwhile does not overwrite it."""
        whose = (instigator, location, InstigatorKind.SENSOR, name)
        acts = act_of(ActKind.SET_CURSOR, instigator, cursor=cursor)
        return self._change(whose, "cursor = %(cursor)s, cursor_set = %(now)s", {"now": now, "cursor": cursor}, acts)

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
        change = "override = %(override)s, next_due = NULL, fingerprint = NULL"
        values = {"now": now, "override": None if given is None else encode_msgpack(given)}
        return self._change((instigator, location, kind, name), change, values, acts)

    def retire(self, instigator: str, *, now: float) -> InstigatorState | None:
        """Remove it: it is off, and all that is known of it is kept."""
        return self._change_known(instigator, "retired = %(now)s", act_of(ActKind.REMOVE, instigator), now=now)

    def restore(self, instigator: str, *, now: float) -> InstigatorState | None:
        """Take a removal back."""
        change = "retired = NULL, next_due = NULL, fingerprint = NULL"
        return self._change_known(instigator, change, act_of(ActKind.RESTORE, instigator), now=now)

    def _change(self, whose: _Whose, change: str, values: dict[str, Any], acts: Sequence[Act]) -> InstigatorState:
        def work(tx: Transaction) -> InstigatorState | None:
            _make(tx, [whose])
            return _changed(tx, whose[0], change, values, acts)

        state = self._database.write("change a schedule or sensor", work)
        assert state is not None
        self._notifier.publish({"instigators"})
        return state

    def _change_known(self, instigator: str, change: str, acts: Sequence[Act], *, now: float) -> InstigatorState | None:
        state = self._database.write(
            "change a schedule or sensor", lambda tx: _changed(tx, instigator, change, {"now": now}, acts)
        )
        self._notifier.publish({"instigators"})
        return state

    def plan(self, states: Sequence[InstigatorState]) -> None:
        """Store `next_due` and `fingerprint` of these, making rows that do not exist; nothing else of a row changes."""
        in_order = sorted(states, key=lambda state: state.id)

        def work(tx: Transaction) -> None:
            _make(tx, [(state.id, state.location, state.kind, state.name) for state in in_order])
            tx.send_each(
                "UPDATE instigators SET next_due = %s, fingerprint = %s, turned_on = COALESCE(turned_on, %s) "
                "WHERE id = %s",
                [(state.next_due, state.fingerprint, state.turned_on, state.id) for state in in_order],
            )

        self._database.write("store when schedules and sensors are due", work, repeatable=True)
        self._notifier.publish({"instigators"})

    # -- ticks --------------------------------------------------------------------------------------------------------

    def begin_tick(self, instigator: str, due: float, *, lease: Lease, now: float) -> Tick | None:
        """Begin the tick of that due time; None when it is over already."""

        def work(tx: Transaction) -> Tick | None:
            require_lease(tx, lease)
            new = Tick(instigator=instigator, due=due, started=now, attempt=1)
            made = tx.row(
                "INSERT INTO ticks (instigator, due, status, started, attempt, body) VALUES (%s, %s, %s, %s, 1, %s) "
                "ON CONFLICT (instigator, due) DO NOTHING RETURNING id",
                (instigator, due, new.status, now, encode_msgpack(new)),
            )
            if made is not None:
                return msgspec.structs.replace(new, id=made[0])
            found = _tick(tx, instigator, due)
            if found is None or found.status is not TickStatus.STARTED:
                return None
            again = msgspec.structs.replace(new, attempt=found.attempt + 1)
            tx.send(
                "UPDATE ticks SET started = %s, attempt = %s, body = %s WHERE id = %s",
                (now, again.attempt, encode_msgpack(again), found.id),
            )
            return msgspec.structs.replace(again, id=found.id)

        tick = self._database.write("begin a tick", work, durable=False)
        if tick is not None:
            self._notifier.publish({"ticks"})
        return tick

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

        def work(tx: Transaction) -> tuple[Tick, set[str]]:
            require_lease(tx, lease)
            stored = _tick(tx, tick.instigator, tick.due)
            if stored is None or stored.attempt != tick.attempt:
                raise FencedError(
                    f"The tick {tick.id} of {tick.instigator} was begun again by another daemon; "
                    f"attempt {tick.attempt} was refused."
                )
            if stored.status is not TickStatus.STARTED:
                return stored, set()  # told twice
            change_dynamic_partitions(tx, tick.partitions)
            wanted = _unused(tx, tick.instigator, runs)
            changes = insert_runs(tx, wanted)
            if backfill is not None:
                insert_backfill(tx, backfill.backfill, backfill.plan, backfill.log)
            asked = tuple(run_key for run_key, _ in runs if run_key is not None)
            ended = msgspec.structs.replace(
                tick,
                id=stored.id,
                started=stored.started,
                ended=now,
                run_ids=tuple(new.run.run_id for new in wanted),
                run_keys=tick.run_keys or asked,
                backfill_id=None if backfill is None else backfill.backfill.backfill_id,
            )
            tx.send(
                "UPDATE ticks SET status = %s, body = %s WHERE id = %s",
                (ended.status, encode_msgpack(ended), stored.id),
            )
            _advance(tx, ended, cursor=cursor, next_due=next_due, fingerprint=fingerprint, now=now)
            if evaluations:
                _store_evaluations(tx, stored.id, evaluations, now)
            if tick.webhooks:
                settle_webhooks(tx, tick, now)
            write_changes(tx, changes, [Event(time=now, fact=fact) for fact in facts])
            topics = {"ticks"}.union(*(change.topics for change in changes))
            topics |= {"assets"} if facts or tick.partitions else set()
            return ended, topics | ({"backfills"} if backfill is not None else set())

        ended, topics = self._database.write("complete a tick", work, durable=not tick.left_nothing, repeatable=True)
        if topics:
            self._notifier.publish(topics)
        return ended

    def evaluations(self, entity: str, *, before: int | None = None, limit: int = 50) -> list[StoredEvaluation]:
        """What the automation condition of an asset, check or job came to, newest first."""
        condition = "" if before is None else " AND e.id < %(before)s"
        found = self._database.read(
            "read evaluations of automation conditions",
            "SELECT e.id, e.tick, e.body, t.body FROM automation_evaluations e LEFT JOIN ticks t ON t.id = e.tick "
            f"WHERE e.entity = %(entity)s{condition} ORDER BY e.id DESC LIMIT %(limit)s",
            {"entity": entity, "before": before, "limit": limit},
        )
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
        condition = "instigator = %(instigator)s"
        if statuses is not None:
            condition += " AND status = ANY(%(statuses)s)"
        if before is not None:
            condition += " AND id < %(before)s"
        if after_time is not None:
            # Ids grow with time but for ticks that were begun again, so the newer ones say where to stop.
            condition += (
                " AND started > %(after)s AND id >= (SELECT MIN(n.id) FROM ticks n "
                "WHERE n.instigator = %(instigator)s AND n.started > %(after)s)"
            )
        values: dict[str, Any] = {
            "instigator": instigator,
            "statuses": None if statuses is None else [str(status) for status in statuses],
            "before": before,
            "after": after_time,
            "limit": limit,
        }
        statement = f"SELECT {rows.TICK} FROM ticks WHERE {condition} ORDER BY id DESC LIMIT %(limit)s"
        return [rows.tick(row) for row in self._database.read("read ticks", statement, values)]

    def latest_ticks(
        self,
        instigators: Sequence[str],
        *,
        limit: int,
        statuses: Sequence[TickStatus] | None = None,
        after_time: float | None = None,
    ) -> dict[str, list[Tick]]:
        """The newest ticks of each of these, newest first; those without any are left out."""
        asked, condition, order = "unnest(%(instigators)s::text[]) AS asked (name)", "instigator = asked.name", "id"
        if statuses is not None:
            asked += " CROSS JOIN unnest(%(statuses)s::text[]) AS wanted (status)"
            condition += " AND status = wanted.status"
        if after_time is not None:
            # Nothing but `ticks_by_age` has such pairs in order, and no index has this sum: of most there are no ticks
            # so new, and whoever goes along their ids, or through their ticks of other statuses, does so in vain.
            is_newer = "started > %(after)s"
            if statuses is not None:
                is_newer = "(status, started) > (wanted.status, %(after)s)"
            condition, order = f"{condition} AND {is_newer}", "id + 0"
        statement = (
            f"SELECT {rows.TICK} FROM {asked} CROSS JOIN LATERAL "
            f"(SELECT {rows.TICK} FROM ticks WHERE {condition} ORDER BY {order} DESC LIMIT %(limit)s) AS newest"
        )
        values: dict[str, Any] = {
            "instigators": list(instigators),
            "statuses": None if statuses is None else [str(status) for status in set(statuses)],
            "after": after_time,
            "limit": limit,
        }
        return rows.ticks_by_instigator(self._database.read("read ticks", statement, values), limit)


_Whose = tuple[str, str, InstigatorKind, str]
"""An instigator's id, location, kind and name."""


def _make(tx: Transaction, whose: Sequence[_Whose]) -> None:
    """Make the rows that do not exist."""
    tx.send_each(
        "INSERT INTO instigators (id, location, kind, name, status, updated) VALUES (%s, %s, %s, %s, %s, 0) "
        "ON CONFLICT DO NOTHING",
        [(*each, InstigatorStatus.DECLARED_IN_CODE) for each in whose],
    )


def _changed(
    tx: Transaction, instigator: str, change: str, values: dict[str, Any], acts: Sequence[Act]
) -> InstigatorState | None:
    """Change a row that is there, and store the act; None if there is no row."""
    row = tx.row(
        f"UPDATE instigators SET {change}, updated = %(now)s WHERE id = %(id)s RETURNING {rows.INSTIGATOR}",
        {**values, "id": instigator},
    )
    if row is None:
        return None
    record_acts(tx, acts)
    return rows.instigator(row)


def _advance(
    tx: Transaction, tick: Tick, *, cursor: str | None, next_due: float | None, fingerprint: str | None, now: float
) -> None:
    """Store what a tick leaves behind for the next one."""
    _make(tx, [(tick.instigator, *instigator_parts(tick.instigator))])
    tx.send(
        "UPDATE instigators SET last_tick = %(now)s, updated = %(now)s, "
        "next_due = CASE WHEN %(fingerprint)s::text IS NULL OR fingerprint = %(fingerprint)s "
        "THEN COALESCE(%(due)s, next_due) ELSE next_due END, last_run_key = COALESCE(%(run_key)s, last_run_key), "
        "cursor = CASE WHEN cursor_set > %(started)s THEN cursor ELSE COALESCE(%(cursor)s, cursor) END "
        "WHERE id = %(id)s",
        {
            "now": now,
            "due": next_due,
            "fingerprint": fingerprint,
            "run_key": tick.run_keys[-1] if tick.run_keys else None,
            "cursor": cursor,
            "started": tick.started,
            "id": tick.instigator,
        },
    )


def _store_evaluations(tx: Transaction, tick: int, evaluations: Sequence[EvaluationRecord], now: float) -> None:
    new = rows.new_evaluations(evaluations, tick, now)
    # What requested nothing is of interest until the next one.
    tx.send("DELETE FROM automation_evaluations WHERE requested = 0 AND entity = ANY(%s)", ([row[0] for row in new],))
    tx.send_all(
        "INSERT INTO automation_evaluations (entity, tick, time, requested, body) SELECT * FROM {rows} AS given",
        "text int8 float8 int8 bytea",
        new,
    )


def _tick(tx: Transaction, instigator: str, due: float) -> Tick | None:
    """A tick, whose row nobody else changes before the end of the transaction."""
    row = tx.row(f"SELECT {rows.TICK} FROM ticks WHERE instigator = %s AND due = %s FOR UPDATE", (instigator, due))
    return None if row is None else rows.tick(row)


def _unused(tx: Transaction, instigator: str, runs: Sequence[tuple[str | None, NewRun]]) -> list[NewRun]:
    """Those of the runs that have no key, or one that was not used before; from now on it is used."""
    keyed: dict[str, str] = {}
    for run_key, new in runs:
        if run_key is not None:
            keyed.setdefault(run_key, new.run.run_id)
    if not keyed:
        return [new for _, new in runs]
    used = tx.rows(
        "INSERT INTO run_keys SELECT %s, key, run FROM unnest(%s::text[], %s::text[]) AS given (key, run) "
        "ON CONFLICT DO NOTHING RETURNING run_id",
        (instigator, list(keyed), list(keyed.values())),
    )
    free = {row[0] for row in used}
    return [new for run_key, new in runs if run_key is None or new.run.run_id in free]
