"""Leases of daemon duties, and the processes of the deployment, in Postgres."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Sequence
from functools import partial

from ...codec import decode_msgpack, encode_msgpack
from ...errors import FencedError, StorageError
from ...records.lease import Lease, ProcessInfo
from ..notifier import ROUTINE, Notifier
from ..protocols import FAR
from .connection import Database
from .transaction import Answer, Row, Transaction

__all__ = ["PostgresLeases", "require_lease"]

log = logging.getLogger("penstock.storage")

_LEASE = "name, holder, epoch, until"

_FENCE = 0x6C656173
"""The class of the advisory locks of leases; these are the letters of "leas".

Whoever writes under a lease has its lock in common with others who do, to the end of the transaction; whoever takes the
lease from another holder has it alone. It is no lock of the lease's row, so that a lease is prolonged while something
is written under it, however long that waits for other things.
"""

_FREE = "(l.until <= %(now)s OR l.until > %(beyond)s)"

_END_WRITERS = """
SELECT pg_terminate_backend(pid, 1000) FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND database = datid AND datname = current_database()
AND (classid::bigint, objid::bigint, objsubid) = (%s, %s::bigint & 4294967295, 2) AND granted
AND xact_start < clock_timestamp() - make_interval(secs => %s)
"""
"""Ends the sessions that have had a fence's lock for so long, and waits a second for each to be gone."""

_PATIENCE = 2.0


class PostgresLeases:
    """`LeaseStorage` on one Postgres database.

    Args:
        database: The database.
        notifier: Told of changes.
        patience: For so many seconds at most a transaction may go on under a lease that is over and wanted.
    """

    def __init__(self, database: Database, notifier: Notifier, *, patience: float = _PATIENCE) -> None:
        self._database = database
        self._notifier = notifier
        self._patience = patience

    def acquire(self, name: str, holder: str, *, ttl: float, now: float) -> Lease | None:
        """Take the lease if it is free, over, or held by `holder` already; a change of holder raises its epoch.

        What its last holder has been writing under it for some time, although it is over, is ended first: a process
        that was stopped in the middle of that would hold up everybody.
        """
        values = {"name": name, "holder": holder, "until": now + ttl, "now": now, "beyond": now + FAR * ttl}

        def work(tx: Transaction) -> Answer | bool | None:
            changes = f"SELECT {_FREE} FROM leases AS l WHERE name = %(name)s AND holder <> %(holder)s"
            match tx.row(changes, values):
                case (False,):
                    return False
                case (True,) if tx.row("SELECT pg_try_advisory_xact_lock(%s, %s)", _fence(name)) == (False,):
                    return None
            # Whoever is stopped here keeps no lock of the row: the commit is on its way with this.
            return tx.ask(
                f"INSERT INTO leases AS l ({_LEASE}) VALUES (%(name)s, %(holder)s, 1, %(until)s) "
                "ON CONFLICT (name) DO UPDATE SET holder = EXCLUDED.holder, until = EXCLUDED.until, "
                "epoch = l.epoch + (l.holder <> EXCLUDED.holder)::int "
                f"WHERE l.holder = EXCLUDED.holder OR {_FREE} RETURNING {_LEASE}",
                values,
            )

        # Whatever is done under it is written after it, so that a crash of the server takes both back or none.
        acquire = partial(self._database.write, "acquire a lease", work, durable=False, repeatable=True)
        found = acquire()
        if found is None:
            try:
                self._database.read(
                    "end what is written under a lease that is over", _END_WRITERS, (*_fence(name), self._patience)
                )
            except StorageError as error:
                log.warning("the lease %s waits for what is written under it: %s", name, error)
            found = acquire()
        self._notifier.publish({ROUTINE})
        taken = found.rows() if isinstance(found, Answer) else []
        return _lease(taken[0]) if taken else None

    def renew(self, leases: Sequence[Lease], *, ttl: float, now: float) -> list[Lease]:
        """Prolong these at once; gives those that are still held."""

        def work(tx: Transaction) -> Answer:
            return tx.ask(
                "UPDATE leases l SET until = %s FROM unnest(%s::text[], %s::text[], %s::bigint[]) "
                "AS g (name, holder, epoch) WHERE l.name = g.name AND l.holder = g.holder AND l.epoch = g.epoch "
                "RETURNING l.name, l.holder, l.epoch, l.until",
                (
                    now + ttl,
                    [lease.name for lease in leases],
                    [lease.holder for lease in leases],
                    [lease.epoch for lease in leases],
                ),
            )

        # A renewal that a crash of the server takes back was for nobody: nothing else of that moment is left either.
        found = self._database.write("renew leases", work, durable=False, repeatable=True)
        self._notifier.publish({ROUTINE})
        return sorted((_lease(row) for row in found.rows()), key=lambda lease: lease.name)

    def release(self, lease: Lease) -> None:
        """Give it up at once: the row stays, so that the next holder's epoch is higher."""

        def work(tx: Transaction) -> None:
            tx.send(
                "UPDATE leases SET until = 0, holder = '' WHERE name = %s AND holder = %s AND epoch = %s",
                (lease.name, lease.holder, lease.epoch),
            )

        self._database.write("release a lease", work, repeatable=True)
        self._notifier.publish({"processes"})

    def all(self) -> list[Lease]:
        """Every lease, by name."""
        found = self._database.read("read leases", f"SELECT {_LEASE} FROM leases WHERE holder <> '' ORDER BY name")
        return [_lease(row) for row in found]

    def beat(self, process: ProcessInfo) -> None:
        """Say that this process lives."""

        def work(tx: Transaction) -> Row | None:
            before = tx.row("SELECT body FROM processes WHERE id = %s", (process.id,))
            tx.send(
                "INSERT INTO processes (id, seen, body) VALUES (%s, %s, %s) "
                "ON CONFLICT (id) DO UPDATE SET seen = EXCLUDED.seen, body = EXCLUDED.body",
                (process.id, process.seen, encode_msgpack(process)),
            )
            return before

        before = self._database.write("store a process", work, durable=False, repeatable=True)
        known = None if before is None else decode_msgpack(before[0], ProcessInfo)
        as_before = known is not None and (known.duties, known.error) == (process.duties, process.error)
        self._notifier.publish({ROUTINE if as_before else "processes"})

    def gone(self, process_id: str) -> None:
        """Say that this process ends."""
        self._database.write(
            "forget a process",
            lambda tx: tx.send("DELETE FROM processes WHERE id = %s", (process_id,)),
            repeatable=True,
        )
        self._notifier.publish({"processes"})

    def processes(self, *, seen_after: float) -> list[ProcessInfo]:
        """Processes heard of after that time."""
        found = self._database.read(
            "read processes", "SELECT body FROM processes WHERE seen > %s ORDER BY id", (seen_after,)
        )
        return [decode_msgpack(row[0], ProcessInfo) for row in found]


def require_lease(tx: Transaction, lease: Lease) -> None:
    """Go on only while the lease has not passed to another; a lease that is over and untaken still counts. Nobody takes
    it before the end of the transaction.

    Raises:
        FencedError: It has passed on.
    """
    tx.send("SELECT pg_advisory_xact_lock_shared(%s, %s)", _fence(lease.name))
    row = tx.row(f"SELECT {_LEASE} FROM leases WHERE name = %s", (lease.name,))
    current = None if row is None else _lease(row)
    if current is None or (current.holder, current.epoch) != (lease.holder, lease.epoch):
        now_held = "nobody" if current is None or not current.holder else f"{current.holder}, epoch {current.epoch}"
        raise FencedError(
            f"{lease.holder} holds the lease {lease.name!r} (epoch {lease.epoch}) no more: it is held by {now_held}. "
            "Its write was refused."
        )


def _fence(name: str) -> tuple[int, int]:
    """The lock of a lease: two numbers of 32 bits with a sign."""
    number = zlib.crc32(name.encode())
    return _FENCE, number - (number >> 31 << 32)


def _lease(row: Row) -> Lease:
    return Lease(name=row[0], holder=row[1], epoch=row[2], until=row[3])
