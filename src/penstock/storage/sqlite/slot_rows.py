"""Claims of slots as rows: which of them count, and which end with a step, with a run, or because their holder is gone.

The caller holds the transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from ...records.event import Event
from ...records.pool import PoolClaim
from ..allot import Counted, Holder, counted, ended_steps
from ..derive import EVICTED
from ..rows import CLAIM
from .listed import listed

__all__ = ["evict", "read_claims", "read_limits", "release_run", "release_steps"]

_COLUMNS = ", ".join(f"c.{column}" for column in CLAIM.split(", "))


def read_claims(connection: sqlite3.Connection, now: float, *, pools: Iterable[str] | None = None) -> list[Counted]:
    """Every claim of an attempt that is current, oldest first.

    Args:
        connection: The connection.
        now: Leases that end until then are over.
        pools: Only claims of these pools; of all if not given.
    """
    statement = (
        f"SELECT {_COLUMNS}, r.lease_until FROM pool_claims c JOIN runs r ON r.run_id = c.run_id "
        "WHERE r.attempt = c.attempt AND r.status IN ('STARTING', 'STARTED', 'CANCELING')"
    )
    values: list[object] = []
    if pools is not None:
        statement += " AND c.pool IN (SELECT value FROM json_each(?))"
        values.append(listed(pools))
    found = connection.execute(f"{statement} ORDER BY c.taken, c.since, c.run_id, c.step_key", values)
    return [counted(row, now) for row in found]


def read_limits(connection: sqlite3.Connection) -> dict[str, int]:
    """The limits that were set."""
    return dict(connection.execute("SELECT pool, slots FROM pool_limits ORDER BY pool").fetchall())


def evict(connection: sqlite3.Connection, claims: Sequence[PoolClaim]) -> set[Holder]:
    """Take the slots of holders whose leases are over, and see to it that their attempts do nothing more."""
    held_by = {(each.run_id, each.attempt) for each in claims}
    connection.executemany("DELETE FROM pool_claims WHERE run_id = ? AND attempt = ?", list(held_by))
    connection.executemany(
        "UPDATE runs SET lease_until = ? WHERE run_id = ? AND attempt = ?", [(EVICTED, *each) for each in held_by]
    )
    return held_by


def release_steps(connection: sqlite3.Connection, run_id: str, events: Iterable[Event]) -> bool:
    """Release the slots of steps, or of attempts of steps, that these events end; says whether there were any."""
    over, again = ended_steps(events)
    released = 0
    if over:
        statement = "DELETE FROM pool_claims WHERE run_id = ? AND step_key = ?"
        released += connection.executemany(statement, [(run_id, key) for key in over]).rowcount
    if again:
        # The slot may be that of the next attempt already.
        statement = "DELETE FROM pool_claims WHERE run_id = ? AND step_key = ? AND retry < ?"
        released += connection.executemany(statement, [(run_id, *each) for each in again]).rowcount
    return released > 0


def release_run(connection: sqlite3.Connection, run_id: str) -> bool:
    """Release all slots of a run, and let it wait for none; says whether there were any."""
    return connection.execute("DELETE FROM pool_claims WHERE run_id = ?", (run_id,)).rowcount > 0
