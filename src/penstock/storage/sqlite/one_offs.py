"""One-off runs in SQLite: asked for now, made at an instant to come."""

from __future__ import annotations

import heapq
import itertools
import sqlite3
from collections.abc import Sequence

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
from .ledger import insert_run

__all__ = ["SqliteOneOffs"]


class SqliteOneOffs:
    """`OneOffStorage` on one SQLite database."""

    def __init__(self, database: Database, notifier: Notifier) -> None:
        self._database = database
        self._notifier = notifier

    def plan(self, one_off: OneOff, *, now: float) -> OneOff:
        """Store one that waits."""
        asked = msgspec.structs.replace(one_off, created=now)
        with self._database.write("plan a one-off run") as connection:
            row = connection.execute(
                f"INSERT INTO one_offs (due, status, body) VALUES (?, 'WAITING', ?) RETURNING {rows.ONE_OFF}",
                (asked.due, encode_msgpack(asked)),
            ).fetchone()
            stored = rows.one_off(row)
            subject = one_off_subject(stored.location, stored.id)
            record_acts(connection, act_of(ActKind.PLAN_RUN, subject))
        self._notifier.publish({TOPIC})
        return stored

    def get(self, number: int) -> OneOff | None:
        """One of them."""
        with self._database.read("read a one-off run") as connection:
            return _one_off(connection, number)

    def page(
        self, *, statuses: Sequence[OneOffStatus] | None = None, before: int | None = None, limit: int = 50
    ) -> list[OneOff]:
        """One-off runs, the newest asked for first."""
        values = {"before": rows.NEWEST if before is None else before, "limit": limit}
        condition = "" if statuses is None else "status = :status AND "
        statement = f"SELECT {rows.ONE_OFF} FROM one_offs WHERE {condition}id < :before ORDER BY id DESC LIMIT :limit"
        with self._database.read("read one-off runs") as connection:
            found = [
                connection.execute(statement, {**values, "status": status}).fetchall()
                for status in (dict.fromkeys(statuses) if statuses is not None else (None,))
            ]
        merged = heapq.merge(*found, key=lambda row: row[0], reverse=True)
        return [rows.one_off(row) for row in itertools.islice(merged, limit)]

    def waiting(self, *, limit: int = 100) -> list[OneOff]:
        """Those that wait, the soonest due first."""
        with self._database.read("read one-off runs that wait") as connection:
            found = connection.execute(
                f"SELECT {rows.ONE_OFF} FROM one_offs WHERE status = 'WAITING' ORDER BY due, id LIMIT ?", (limit,)
            ).fetchall()
        return [rows.one_off(row) for row in found]

    def cancel(self, number: int, *, now: float) -> OneOff | None:
        """Call off one that waits."""
        with self._database.write("cancel a one-off run") as connection:
            ended = _end(connection, number, OneOffStatus.CANCELED, note=who_acts().reason, now=now)
            if ended is not None:
                subject = one_off_subject(ended.location, number)
                record_acts(connection, act_of(ActKind.CANCEL_RUN, subject))
            stored = ended or _one_off(connection, number)
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
        topics = {TOPIC}
        with self._database.write("settle a one-off run") as connection:
            require_lease(connection, lease)
            run_id = None if run is None else run.run.run_id
            ended = _end(connection, number, status, run_id=run_id, note=note, now=now)
            if ended is not None and run is not None:
                topics |= insert_run(connection, run).topics
        self._notifier.publish(topics)
        return ended is not None


def _end(
    connection: sqlite3.Connection,
    number: int,
    status: OneOffStatus,
    *,
    run_id: str | None = None,
    note: str | None,
    now: float,
) -> OneOff | None:
    """End one that waits; None if it waits no more."""
    row = connection.execute(
        "UPDATE one_offs SET status = ?, ended = ?, run_id = ?, note = ? WHERE id = ? AND status = 'WAITING' "
        f"RETURNING {rows.ONE_OFF}",
        (status, now, run_id, note, number),
    ).fetchone()
    return None if row is None else rows.one_off(row)


def _one_off(connection: sqlite3.Connection, number: int) -> OneOff | None:
    row = connection.execute(f"SELECT {rows.ONE_OFF} FROM one_offs WHERE id = ?", (number,)).fetchone()
    return None if row is None else rows.one_off(row)
