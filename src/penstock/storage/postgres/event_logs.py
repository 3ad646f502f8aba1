"""The event log in Postgres: a partition for each month.

A partition is made beside the table and then attached, which holds up nobody. Its maker holds the row from which events
get their ids, so that there is one at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import psycopg

from ...errors import StorageUnavailableError
from ...records.run import FINISHED, RunStatus
from ..months import month_end, month_of
from ..retention import OldLog
from .connection import Database
from .transaction import Row, Transaction

__all__ = ["clear_step", "drop_log", "ensure_logs", "insert_events", "is_kept", "make_log", "old_logs"]

_UNENDED = sorted(set(RunStatus) - FINISHED)
_OLD = """
SELECT l.log, l.until, GREATEST(c.reltuples, 0)::bigint, pg_total_relation_size(c.oid),
       (SELECT COUNT(*) FROM runs r WHERE r.status = ANY(%s) AND r.log = l.log)
FROM event_logs l JOIN pg_class c ON c.oid = to_regclass('events_' || l.log)
WHERE l.until <= %s ORDER BY l.until, l.log
"""
_LEFT = """
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'events'::regclass AND c.relname NOT IN (SELECT 'events_' || log FROM event_logs) ORDER BY 1
"""


def insert_events(tx: Transaction, rows: Sequence[Row]) -> None:
    """Store events, each as (log, run, id, attempt, seq, time, type, step key, body); their months must be there."""
    tx.send_all(
        "INSERT INTO events (log, run, id, attempt, seq, time, type, step_key, body) SELECT * FROM {rows}",
        "int8 int8 int8 int8 int8 float8 text text bytea",
        rows,
    )


def ensure_logs(tx: Transaction, logs: Iterable[int]) -> None:
    """Make the partitions of these months, where there are none."""
    wanted = sorted(set(logs))
    missing = tx.rows("SELECT unnest(%s::int[]) EXCEPT SELECT log FROM event_logs", (wanted,))
    if missing:
        tx.rows("SELECT value FROM counters WHERE name = 'event' FOR UPDATE")
    for (log,) in missing:
        make_log(tx, log)


def make_log(tx: Transaction, log: int) -> None:
    """Make the partition of a month, unless somebody else just did; the caller holds the row of the events' ids."""
    if tx.row("SELECT 1 FROM event_logs WHERE log = %s", (log,)) is not None:
        return
    tx.send("INSERT INTO event_logs VALUES (%s, %s)", (log, month_end(log)))
    # One that was taken away, and is not cleared away yet, is whole: it is listed anew.
    if tx.row("SELECT 1 WHERE to_regclass(%s) IS NOT NULL", (f"events_{log}",)) is None:
        tx.send(f"CREATE TABLE events_{log} (LIKE events INCLUDING ALL)")
        tx.send(f"ALTER TABLE events ATTACH PARTITION events_{log} FOR VALUES IN ({log})")


def is_kept(database: Database, run_id: str) -> bool:
    """Whether the raw events of a run are still there; False for a run that is not."""
    return bool(
        database.read("read a run", "SELECT 1 FROM runs JOIN event_logs USING (log) WHERE run_id = %s", (run_id,))
    )


# -- taking months away -----------------------------------------------------------------------------------------------


def old_logs(database: Database, before: float) -> list[OldLog]:
    """The months that were over at a time, oldest first."""
    found = database.read("read the months of the event log", _OLD, (_UNENDED, before))
    return [
        OldLog(log=log, until=until, rows=rows, bytes=size, unended=unended)
        for log, until, rows, size, unended in found
    ]


def drop_log(database: Database, log: int, *, now: float) -> None:
    """Take a month away that is over. Runs in it that have not ended take their logs into the present month.

    It is there, and whole, until `clear_step` drops its partition.
    """
    present = month_of(now)
    assert log != present

    def work(tx: Transaction) -> None:
        found = tx.rows(
            "SELECT num FROM runs WHERE status = ANY(%s) AND log = %s ORDER BY run_id FOR UPDATE", (_UNENDED, log)
        )
        if found:
            unended = [row[0] for row in found]
            ensure_logs(tx, [present])
            tx.send("UPDATE events SET log = %s WHERE log = %s AND run = ANY(%s)", (present, log, unended))
            tx.send("UPDATE runs SET log = %s WHERE num = ANY(%s)", (present, unended))
        tx.send("DELETE FROM event_logs WHERE log = %s", (log,))

    database.write("take a month of the event log away", work)


def clear_step(database: Database) -> bool:
    """Drop the partition of a month that was taken away; whether there is more to do.

    For that nobody may read or write any month: so it waits but a moment for those who do, and is tried again later.
    """

    def work(tx: Transaction) -> bool:
        tx.send("SET LOCAL lock_timeout TO '100ms'")
        tx.send("LOCK TABLE event_logs IN SHARE MODE")
        left = tx.rows(_LEFT)
        if left:
            tx.send(f"DROP TABLE {left[0][0]}")
        return bool(left)

    try:
        return database.write("clear a month of the event log away", work)
    except StorageUnavailableError as error:
        if isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
            return True
        raise
