"""One-off runs in Postgres: asked for now, made at an instant to come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ...codec import encode_msgpack
from ...records.act import ActKind
from ...records.lease import Lease
from ...records.one_off import TOPIC, OneOff, OneOffStatus, one_off_subject
from .. import rows
from ..acting import act_of, who_acts
from ..notifier import Notifier
from ..protocols import NewRun
from .acts import record_acts
from .connection import Database
from .leases import require_lease
from .ledger import insert_runs, write_changes
from .transaction import Transaction

__all__ = ["PostgresOneOffs"]


class PostgresOneOffs:
    """`OneOffStorage` on one Postgres database."""

    def __init__(self, database: Database, notifier: Notifier) -> None:
        self._database = database
        self._notifier = notifier

    def plan(self, one_off: OneOff, *, now: float) -> OneOff:
        """Store one that waits."""
        asked = msgspec.structs.replace(one_off, created=now)

        def work(tx: Transaction) -> OneOff:
            row = tx.row(
                f"INSERT INTO one_offs (due, status, body) VALUES (%s, 'WAITING', %s) RETURNING {rows.ONE_OFF}",
                (asked.due, encode_msgpack(asked)),
            )
            assert row is not None
            stored = rows.one_off(row)
            subject = one_off_subject(stored.location, stored.id)
            record_acts(tx, act_of(ActKind.PLAN_RUN, subject))
            return stored

        stored = self._database.write("plan a one-off run", work)
        self._notifier.publish({TOPIC})
        return stored

    def get(self, number: int) -> OneOff | None:
        """One of them."""
        found = self._database.read(
            "read a one-off run", f"SELECT {rows.ONE_OFF} FROM one_offs WHERE id = %s", (number,)
        )
        return rows.one_off(found[0]) if found else None

    def page(
        self, *, statuses: Sequence[OneOffStatus] | None = None, before: int | None = None, limit: int = 50
    ) -> list[OneOff]:
        """One-off runs, the newest asked for first."""
        condition = "" if statuses is None else "status = ANY(%(statuses)s) AND "
        values: dict[str, Any] = {
            "statuses": None if statuses is None else [status.value for status in statuses],
            "before": rows.NEWEST if before is None else before,
            "limit": limit,
        }
        found = self._database.read(
            "read one-off runs",
            f"SELECT {rows.ONE_OFF} FROM one_offs WHERE {condition}id < %(before)s ORDER BY id DESC LIMIT %(limit)s",
            values,
        )
        return [rows.one_off(row) for row in found]

    def waiting(self, *, limit: int = 100) -> list[OneOff]:
        """Those that wait, the soonest due first."""
        found = self._database.read(
            "read one-off runs that wait",
            f"SELECT {rows.ONE_OFF} FROM one_offs WHERE status = 'WAITING' ORDER BY due, id LIMIT %s",
            (limit,),
        )
        return [rows.one_off(row) for row in found]

    def cancel(self, number: int, *, now: float) -> OneOff | None:
        """Call off one that waits."""

        def work(tx: Transaction) -> OneOff | None:
            ended = _end(tx, number, OneOffStatus.CANCELED, note=who_acts().reason, now=now)
            if ended is not None:
                subject = one_off_subject(ended.location, number)
                record_acts(tx, act_of(ActKind.CANCEL_RUN, subject))
                return ended
            row = tx.row(f"SELECT {rows.ONE_OFF} FROM one_offs WHERE id = %s", (number,))
            return None if row is None else rows.one_off(row)

        stored = self._database.write("cancel a one-off run", work)
        self._notifier.publish({TOPIC})
        return stored

    def settle(
        self,
        number: int,
        status: OneOffStatus,
        *,
        lease: Lease,
        run: NewRun | None = None,
        note: str | None,
        now: float,
    ) -> bool:
        """Say what became of one that waits."""

        def work(tx: Transaction) -> tuple[bool, set[str]]:
            require_lease(tx, lease)
            run_id = None if run is None else run.run.run_id
            if _end(tx, number, status, run_id=run_id, note=note, now=now) is None:
                return False, set()
            changes = insert_runs(tx, [] if run is None else [run])
            write_changes(tx, changes)
            return True, {TOPIC}.union(*(change.topics for change in changes))

        settled, topics = self._database.write("settle a one-off run", work)
        if topics:
            self._notifier.publish(topics)
        return settled


def _end(
    tx: Transaction, number: int, status: OneOffStatus, *, run_id: str | None = None, note: str | None, now: float
) -> OneOff | None:
    """End one that waits; None if it waits no more."""
    row = tx.row(
        "UPDATE one_offs SET status = %s, ended = %s, run_id = %s, note = %s WHERE id = %s AND status = 'WAITING' "
        f"RETURNING {rows.ONE_OFF}",
        (status.value, now, run_id, note, number),
    )
    return None if row is None else rows.one_off(row)
