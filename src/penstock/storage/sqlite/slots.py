"""Slots of concurrency pools in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from ...records.pool import ClaimOutcome, PoolState, SlotRequest
from ...records.run import ACTIVE, Run
from .. import rows
from ..allot import claim_rows, explain, living, notes_of, pool_states, refuse_late_claim, take
from ..deeds import freed_slots, set_limit
from ..derive import EVICTED
from ..months import LogPlace
from ..notifier import Notifier
from ..rows import CLAIM
from .acts import record_acts
from .connection import Database
from .ledger import write_run_events
from .slot_rows import evict, read_claims, read_limits, release_run

__all__ = ["SqliteSlots"]


class SqliteSlots:
    """`SlotStorage` on one SQLite database."""

    def __init__(self, database: Database, notifier: Notifier) -> None:
        self._database = database
        self._notifier = notifier

    # -- limits -------------------------------------------------------------------------------------------------------

    def limits(self) -> dict[str, int]:
        """The limits that were set, by pool."""
        with self._database.read("read the limits of pools") as connection:
            return read_limits(connection)

    def set_limit(self, pool: str, slots: int) -> None:
        """Set how many slots a pool has."""
        with self._database.write("set the limit of a pool") as connection:
            before = read_limits(connection).get(pool)
            connection.execute(
                "INSERT INTO pool_limits (pool, slots) VALUES (?, ?) "
                "ON CONFLICT (pool) DO UPDATE SET slots = excluded.slots",
                (pool, slots),
            )
            record_acts(connection, set_limit(pool, before, slots))
        self._notifier.publish({"slots", "pools"})

    def delete_limit(self, pool: str) -> bool:
        """Let the default limit hold for a pool again; False if it had none of its own."""
        with self._database.write("delete the limit of a pool") as connection:
            gone = connection.execute("DELETE FROM pool_limits WHERE pool = ? RETURNING slots", (pool,)).fetchone()
            if gone is not None:
                record_acts(connection, set_limit(pool, gone[0], None))
        self._notifier.publish({"slots", "pools"})
        return gone is not None

    # -- claims -------------------------------------------------------------------------------------------------------

    def claim(
        self,
        run_id: str,
        attempt: int,
        requests: Sequence[SlotRequest],
        *,
        now: float,
        default_limit: int | None = None,
        at_most: int | None = None,
        dead_before: float | None = None,
    ) -> ClaimOutcome:
        """Take the slots that can be taken, and wait for the others."""
        dead = now if dead_before is None else dead_before
        topics: set[str] = set()
        # A claim that a loss of power takes back was for a process that is gone as well.
        with self._database.write("claim slots of pools", durable=False) as connection:
            place, run = _require_current(connection, run_id, attempt)
            connection.execute("DELETE FROM pool_claims WHERE run_id = ? AND attempt <> ?", (run_id, attempt))
            found = read_claims(connection, dead)
            limits = read_limits(connection)
            mine = {each.claim.step_key: each.claim for each in found if each.claim.run_id == run_id}
            holding = {key for key, claim in mine.items() if claim.taken is not None}
            granted = {each.step_key for each in requests if each.step_key in holding}  # told once more
            # The end of the attempt before is not stored yet: its slot passes on to the next one.
            connection.executemany(
                "UPDATE pool_claims SET retry = ? WHERE run_id = ? AND step_key = ? AND retry < ?",
                [(each.retry, run_id, each.step_key, each.retry) for each in requests if each.step_key in granted],
            )
            wanted = [each for each in requests if each.step_key not in granted]
            taken, gone = take(
                found,
                wanted,
                limits,
                default_limit=default_limit,
                at_most=at_most,
                run_id=run_id,
                evict=lambda claims: evict(connection, claims),
            )
            if gone:
                topics |= {"slots", "pools", "runs"}
            blocked = (
                []
                if at_most is not None and len(taken) >= at_most
                else [each for each in wanted if each.step_key not in taken]
            )
            was_waiting = set(mine) - holding
            if was_waiting - taken - {each.step_key for each in blocked}:
                topics |= {"slots", "pools"}  # slots were kept for these
            connection.execute("DELETE FROM pool_claims WHERE run_id = ? AND taken IS NULL", (run_id,))
            _insert(connection, run_id, attempt, [each for each in wanted if each.step_key in taken], now)
            _insert(connection, run_id, attempt, blocked, None)
            if taken or {each.step_key for each in blocked} != was_waiting:
                topics.add("pools")
            claims = living(read_claims(connection, dead)) if blocked else []
            waiting = explain(claims, run_id, blocked, limits, default_limit)
            notes = notes_of(wanted, taken, waiting, now)
            if notes:
                topics |= write_run_events(connection, place, run, attempt, notes).topics
        if topics:
            self._notifier.publish(topics)
        return ClaimOutcome(granted=frozenset(granted | taken), waiting=waiting)

    def free(self, run_id: str, step_key: str | None = None, *, now: float) -> int:
        """Take away the slots of a run that is gone, or of one of its steps."""
        with self._database.write("free slots of pools") as connection:
            row = connection.execute(f"SELECT {rows.RUN_PLACE} FROM runs WHERE run_id = ?", (run_id,)).fetchone()
            run = None if row is None else rows.run_place(run_id, row)
            if run is not None and run.status in ACTIVE and (run.lease_until or EVICTED) > now:
                return 0
            statement = "SELECT COUNT(*) FROM pool_claims WHERE run_id = ?"
            values = [run_id] if step_key is None else [run_id, step_key]
            statement += "" if step_key is None else " AND step_key = ?"
            freed: int = connection.execute(statement, values).fetchone()[0]
            if freed:
                # Its attempt does nothing more, so that what else it holds is free as well.
                release_run(connection, run_id)
                if run is not None and run.status in ACTIVE:
                    connection.execute("UPDATE runs SET lease_until = ? WHERE run_id = ?", (EVICTED, run_id))
                record_acts(connection, freed_slots(run_id, step_key, freed))
        if freed:
            self._notifier.publish({"slots", "pools", "runs"})
        return freed

    # -- reading ------------------------------------------------------------------------------------------------------

    def pools(self, *, now: float, default_limit: int | None = None) -> list[PoolState]:
        """Every pool that has a limit of its own or that somebody claims, by name."""
        with self._database.read("read pools") as connection:
            claims = living(read_claims(connection, now))
            limits = read_limits(connection)
        return pool_states(claims, limits, default_limit)


def _require_current(connection: sqlite3.Connection, run_id: str, attempt: int) -> tuple[LogPlace, Run]:
    row = connection.execute(f"SELECT log, num, {rows.RUN_PLACE} FROM runs WHERE run_id = ?", (run_id,)).fetchone()
    run = refuse_late_claim(run_id, attempt, None if row is None else rows.run_place(run_id, row[2:]))
    return LogPlace(*row[:2]), run


def _insert(
    connection: sqlite3.Connection, run_id: str, attempt: int, requests: Iterable[SlotRequest], taken: float | None
) -> None:
    connection.executemany(
        f"INSERT INTO pool_claims ({CLAIM}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        claim_rows(run_id, attempt, requests, taken),
    )
