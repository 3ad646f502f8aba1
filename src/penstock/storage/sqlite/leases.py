"""Leases of daemon duties, and the processes of the deployment, in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import msgspec

from ...codec import decode_msgpack, encode_msgpack
from ...errors import FencedError
from ...records.lease import Lease, ProcessInfo
from ..notifier import ROUTINE, Notifier
from ..protocols import FAR
from .connection import Database

__all__ = ["SqliteLeases", "require_lease"]


class SqliteLeases:
    """`LeaseStorage` on one SQLite database."""

    def __init__(self, database: Database, notifier: Notifier) -> None:
        self._database = database
        self._notifier = notifier

    def acquire(self, name: str, holder: str, *, ttl: float, now: float) -> Lease | None:
        """Take the lease if it is free, over, or held by `holder` already; a change of holder raises its epoch."""
        # Whatever is done under it is written after it: a loss of power takes both back or none.
        with self._database.write("acquire a lease", durable=False) as connection:
            connection.execute(
                "INSERT INTO leases (name, holder, epoch, until) VALUES (:name, :holder, 1, :until) "
                "ON CONFLICT (name) DO UPDATE SET holder = :holder, until = :until, "
                "epoch = epoch + (holder <> :holder) WHERE holder = :holder OR until <= :now OR until > :beyond",
                {"name": name, "holder": holder, "until": now + ttl, "now": now, "beyond": now + FAR * ttl},
            )
            lease = _read(connection, name)
        self._notifier.publish({ROUTINE})
        return lease if lease is not None and lease.holder == holder else None

    def renew(self, leases: Sequence[Lease], *, ttl: float, now: float) -> list[Lease]:
        """Prolong these at once; gives those that are still held."""
        # A renewal that a loss of power takes back was for processes that are gone as well.
        with self._database.write("renew leases", durable=False) as connection:
            kept = [
                msgspec.structs.replace(lease, until=now + ttl)
                for lease in leases
                if connection.execute(
                    "UPDATE leases SET until = ? WHERE name = ? AND holder = ? AND epoch = ?",
                    (now + ttl, lease.name, lease.holder, lease.epoch),
                ).rowcount
            ]
        self._notifier.publish({ROUTINE})
        return kept

    def release(self, lease: Lease) -> None:
        """Give it up at once: the row stays, so that the next holder's epoch is higher."""
        with self._database.write("release a lease") as connection:
            connection.execute(
                "UPDATE leases SET until = 0, holder = '' WHERE name = ? AND holder = ? AND epoch = ?",
                (lease.name, lease.holder, lease.epoch),
            )
        self._notifier.publish({"processes"})

    def all(self) -> list[Lease]:
        """Every lease, by name."""
        with self._database.read("read leases") as connection:
            found = connection.execute("SELECT name, holder, epoch, until FROM leases WHERE holder <> '' ORDER BY name")
            return [Lease(name=row[0], holder=row[1], epoch=row[2], until=row[3]) for row in found]

    def beat(self, process: ProcessInfo) -> None:
        """Say that this process lives."""
        with self._database.write("store a process", durable=False) as connection:
            before = connection.execute("SELECT body FROM processes WHERE id = ?", (process.id,)).fetchone()
            connection.execute(
                "INSERT INTO processes (id, seen, body) VALUES (?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET seen = excluded.seen, body = excluded.body",
                (process.id, process.seen, encode_msgpack(process)),
            )
        known = None if before is None else decode_msgpack(before[0], ProcessInfo)
        as_before = known is not None and (known.duties, known.error) == (process.duties, process.error)
        self._notifier.publish({ROUTINE if as_before else "processes"})

    def gone(self, process_id: str) -> None:
        """Say that this process ends."""
        with self._database.write("forget a process") as connection:
            connection.execute("DELETE FROM processes WHERE id = ?", (process_id,))
        self._notifier.publish({"processes"})

    def processes(self, *, seen_after: float) -> list[ProcessInfo]:
        """Processes heard of after that time."""
        with self._database.read("read processes") as connection:
            found = connection.execute("SELECT body FROM processes WHERE seen > ? ORDER BY id", (seen_after,))
            return [decode_msgpack(row[0], ProcessInfo) for row in found]


def require_lease(connection: sqlite3.Connection, lease: Lease) -> None:
    """Go on only while the lease has not passed to another; a lease that is over and untaken still counts.

    Raises:
        FencedError: It has passed on.
    """
    current = _read(connection, lease.name)
    if current is None or (current.holder, current.epoch) != (lease.holder, lease.epoch):
        now_held = "nobody" if current is None or not current.holder else f"{current.holder}, epoch {current.epoch}"
        raise FencedError(
            f"{lease.holder} holds the lease {lease.name!r} (epoch {lease.epoch}) no more: it is held by {now_held}. "
            "Its write was refused."
        )


def _read(connection: sqlite3.Connection, name: str) -> Lease | None:
    row = connection.execute("SELECT name, holder, epoch, until FROM leases WHERE name = ?", (name,)).fetchone()
    return None if row is None else Lease(name=row[0], holder=row[1], epoch=row[2], until=row[3])
