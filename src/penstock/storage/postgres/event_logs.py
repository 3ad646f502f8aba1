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
from ..retention import COUNTED_EXACTLY, OldLog
from .connection import Database
from .transaction import Answer, Row, Transaction

__all__ = [
    "LAST_ID",
    "NEEDED_RUNS",
    "UNENDED",
    "clear_step",
    "copy_events",
    "drop_log",
    "ensure_logs",
    "insert_events",
    "old_logs",
    "shorten_log",
]

UNENDED = sorted(set(RunStatus) - FINISHED)
"""The statuses of runs that have not ended, for `NEEDED_RUNS`."""

NEEDED_RUNS = (
    "WITH RECURSIVE needed (run_id) AS (SELECT run_id FROM runs WHERE status = ANY(%(unended)s) UNION "
    "SELECT repeated.run_id FROM needed CROSS JOIN LATERAL (SELECT t.value AS run_id FROM run_tags t "
    "WHERE t.run_id = needed.run_id AND t.key = 'penstock/parent_run_id' LIMIT 1) AS repeated) "
)
"""Before a statement: runs that have not ended, those that they repeat, those which these repeat, and so on.

By the LIMIT each is looked up by itself; a join would read all tags, since nobody knows before how few runs these are.
"""

LAST_ID = "(SELECT value FROM counters WHERE name = 'event')"
"""The last id that was taken, in a statement of who has taken it."""

_EVENTS = "events (log, run, id, attempt, seq, time, type, step_key, body)"
_INSERT = f"""
WITH taken AS (UPDATE counters SET value = value + %s WHERE name = 'event' RETURNING value),
stored AS (
    INSERT INTO {_EVENTS}
    SELECT log, run, value + distance, attempt, seq, time, type, step_key, body
    FROM taken, {{rows}} AS given (log, run, distance, attempt, seq, time, type, step_key, body)
)
SELECT value FROM taken
"""
_OLD = """
SELECT l.log, l.until, CASE WHEN few.rows < %(exactly)s THEN few.rows ELSE GREATEST(c.reltuples, few.rows) END::bigint,
       pg_total_relation_size(c.oid),
       (SELECT COUNT(*) FROM runs r WHERE r.status = ANY(%(unended)s) AND r.log = l.log)
FROM event_logs l JOIN pg_class c ON c.oid = to_regclass('events_' || l.log)
CROSS JOIN LATERAL (
    SELECT COUNT(*) AS rows FROM (SELECT 1 FROM events e WHERE e.log = l.log LIMIT %(exactly)s) AS first
) AS few
WHERE l.until <= %(before)s ORDER BY l.until, l.log
"""
_LEFT = """
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'events'::regclass AND c.relname NOT IN (SELECT 'events_' || log FROM event_logs) ORDER BY 1
"""


def insert_events(tx: Transaction, rows: Sequence[Row]) -> Answer:
    """Store events under the next ids, in one statement: what this side does for it is done before the counter is held.

    What follows in this transaction names an id by its distance from the last one (`LAST_ID`), so that it can be sent
    without waiting for the answer.

    Args:
        tx: The transaction; it holds the row of the counter from now on.
        rows: One at least, each as (log, run, distance of its id from the last one, attempt, seq, time, type, step key,
            body). Their months must be there.

    Returns:
        One row: the last id.
    """
    return tx.ask_all(_INSERT, "int8 int8 int8 int8 int8 float8 text text bytea", rows, (len(rows),))


def copy_events(tx: Transaction, rows: Sequence[Row]) -> None:
    """Store very many of them, in a transaction without a pipeline."""
    tx.copy(_EVENTS, "int4 int8 int8 int8 int8 float8 text text bytea", rows)


def ensure_logs(tx: Transaction, logs: Iterable[int]) -> None:
    """Make the partitions of these months, where there are none."""
    wanted = sorted(set(logs))
    missing = tx.rows("SELECT unnest(%s::int[]) EXCEPT SELECT log FROM event_logs", (wanted,))
    if missing:
        tx.rows("SELECT value FROM counters WHERE name = 'event' FOR UPDATE")
    for (log,) in missing:
        _make_log(tx, log)


def _make_log(tx: Transaction, log: int) -> None:
    """Make the partition of a month, unless somebody else just did; the caller holds the row of the events' ids."""
    if tx.row("SELECT 1 FROM event_logs WHERE log = %s", (log,)) is not None:
        return
    tx.send("INSERT INTO event_logs VALUES (%s, %s)", (log, month_end(log)))
    # One that was taken away, and is not cleared away yet, is whole: it is listed anew.
    if tx.row("SELECT 1 WHERE to_regclass(%s) IS NOT NULL", (f"events_{log}",)) is None:
        tx.send(f"CREATE TABLE events_{log} (LIKE events INCLUDING ALL)")
        tx.send(f"ALTER TABLE events ATTACH PARTITION events_{log} FOR VALUES IN ({log})")


def shorten_log(tx: Transaction, run: int, log: int, at_most: int) -> int:
    """Remove so many of the oldest events of a run if it has more than that; gives how many were removed."""
    after = tx.row(
        "SELECT id FROM events WHERE log = %s AND run = %s ORDER BY id LIMIT 1 OFFSET %s", (log, run, at_most)
    )
    if after is None:
        return 0
    tx.send("DELETE FROM events WHERE log = %s AND run = %s AND id < %s", (log, run, after[0]))
    return at_most


# -- taking months away -----------------------------------------------------------------------------------------------


def old_logs(database: Database, before: float) -> list[OldLog]:
    """The months that were over at a time, oldest first."""
    values = {"unended": UNENDED, "before": before, "exactly": COUNTED_EXACTLY}
    found = database.read("read the months of the event log", _OLD, values)
    return [
        OldLog(log=log, until=until, rows=rows, bytes=size, unended=unended)
        for log, until, rows, size, unended in found
    ]


def drop_log(database: Database, log: int, *, now: float) -> None:
    """Take a month away that is over. What is needed goes into the present month: the logs of runs that have not ended,
    and of those that they repeat.

    It is there, and whole, until `clear_step` drops its partition.
    """
    present = month_of(now)
    assert log != present

    def work(tx: Transaction) -> None:
        found = tx.rows(
            f"{NEEDED_RUNS}SELECT num FROM runs WHERE log = %(log)s AND run_id IN (SELECT run_id FROM needed) "
            "ORDER BY run_id FOR UPDATE",
            {"unended": UNENDED, "log": log},
        )
        if found:
            needed = [row[0] for row in found]
            ensure_logs(tx, [present])
            tx.send("UPDATE events SET log = %s WHERE log = %s AND run = ANY(%s)", (present, log, needed))
            tx.send("UPDATE runs SET log = %s WHERE num = ANY(%s)", (present, needed))
        tx.send("DELETE FROM event_logs WHERE log = %s", (log,))

    database.write("take a month of the event log away", work, repeatable=True)


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
        return database.write("clear a month of the event log away", work, repeatable=True)
    except StorageUnavailableError as error:
        if isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
            return True
        raise
