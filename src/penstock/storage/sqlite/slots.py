"""Slots of concurrency pools in SQLite."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence

from ...errors import FencedError
from ...records.event import EngineNote, Event
from ...records.pool import WHOLE_RUN, ClaimOutcome, PoolClaim, PoolState, SlotRequest, describe_waiting
from ...records.run import ACTIVE, Run
from ..allot import Claimant, allot
from ..notifier import Notifier
from . import rows
from .connection import Database
from .ledger import write_run_events
from .slot_rows import EVICTED, Counted, evict, read_claims, read_limits, release_run

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
            connection.execute(
                "INSERT INTO pool_limits (pool, slots) VALUES (?, ?) "
                "ON CONFLICT (pool) DO UPDATE SET slots = excluded.slots",
                (pool, slots),
            )
        self._notifier.publish({"slots", "pools"})

    def delete_limit(self, pool: str) -> bool:
        """Let the default limit hold for a pool again; False if it had none of its own."""
        with self._database.write("delete the limit of a pool") as connection:
            deleted = connection.execute("DELETE FROM pool_limits WHERE pool = ?", (pool,)).rowcount
        self._notifier.publish({"slots", "pools"})
        return deleted > 0

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
            number, run = _require_current(connection, run_id, attempt)
            connection.execute("DELETE FROM pool_claims WHERE run_id = ? AND attempt <> ?", (run_id, attempt))
            found = read_claims(connection, dead)
            limits = read_limits(connection)
            mine = {each.claim.step_key: each.claim for each in found if each.claim.run_id == run_id}
            holding = {key for key, claim in mine.items() if claim.taken is not None}
            granted = {each.step_key for each in requests if each.step_key in holding}  # told once more
            wanted = [each for each in requests if each.step_key not in granted]
            taken = self._take(connection, found, wanted, limits, default_limit, at_most, run_id, topics)
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
            waiting = _explain(connection, dead, run_id, blocked, limits, default_limit)
            notes = [*_notes_of_taken(wanted, taken, now), *_notes_of_waiting(blocked, waiting, now)]
            if notes:
                topics |= write_run_events(connection, number, run, attempt, notes).topics
        if topics:
            self._notifier.publish(topics)
        return ClaimOutcome(granted=frozenset(granted | taken), waiting=waiting)

    def _take(
        self,
        connection: sqlite3.Connection,
        found: Sequence[Counted],
        wanted: Sequence[SlotRequest],
        limits: dict[str, int],
        default_limit: int | None,
        at_most: int | None,
        run_id: str,
        topics: set[str],
    ) -> set[str]:
        """The steps that take their slots; holders whose leases are over lose theirs where they stand in the way."""
        others = _claimants(each.claim for each in found if each.claim.run_id != run_id and not each.over)
        ours = [
            Claimant(order=(-each.priority, each.since, run_id, each.step_key), pools=each.pools, ours=True)
            for each in wanted
        ]
        in_force = {pool: limits.get(pool, default_limit) for each in (*others, *ours) for pool in each.pools}
        held = [each for each in found if each.claim.taken is not None]
        everybody = [*others, *ours]
        taken = set(allot(everybody, Counter(each.claim.pool for each in held), in_force, at_most=at_most))
        lacking = {pool for each in wanted if each.step_key not in taken for pool in each.pools}
        gone = [each.claim for each in held if each.over and each.claim.pool in lacking and each.claim.run_id != run_id]
        if gone and (at_most is None or len(taken) < at_most):
            evict(connection, gone)
            topics |= {"slots", "pools", "runs"}
            lost = {(each.run_id, each.attempt) for each in gone}
            left = [each for each in held if (each.claim.run_id, each.claim.attempt) not in lost]
            taken = set(allot(everybody, Counter(each.claim.pool for each in left), in_force, at_most=at_most))
        return taken

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
        if freed:
            self._notifier.publish({"slots", "pools", "runs"})
        return freed

    # -- reading ------------------------------------------------------------------------------------------------------

    def pools(self, *, now: float, default_limit: int | None = None) -> list[PoolState]:
        """Every pool that has a limit of its own or that somebody claims, by name."""
        with self._database.read("read pools") as connection:
            claims = [each.claim for each in read_claims(connection, now) if not each.over]
            limits = read_limits(connection)
        names = sorted({*limits, *(each.pool for each in claims)})
        return [_state(name, claims, limits, default_limit) for name in names]


def _require_current(connection: sqlite3.Connection, run_id: str, attempt: int) -> tuple[int, Run]:
    row = connection.execute(f"SELECT num, {rows.RUN_PLACE} FROM runs WHERE run_id = ?", (run_id,)).fetchone()
    if row is None:
        raise FencedError(f"The run {run_id} does not exist any more; its attempt {attempt} must stop.")
    run = rows.run_place(run_id, row[1:])
    if attempt != run.attempt or run.status not in ACTIVE or run.lease_until == EVICTED:
        raise FencedError(
            f"Attempt {attempt} of the run {run_id} may claim no slots: the run is {run.status} under attempt "
            f"{run.attempt}. This worker must stop."
        )
    return row[0], run


def _claimants(claims: Iterable[PoolClaim]) -> list[Claimant]:
    """Those of other runs that wait."""
    pools: dict[tuple[int, float, str, str], list[str]] = {}
    for each in claims:
        if each.taken is None:
            pools.setdefault(each.order, []).append(each.pool)
    return [Claimant(order=order, pools=tuple(names), ours=False) for order, names in pools.items()]


def _insert(
    connection: sqlite3.Connection, run_id: str, attempt: int, requests: Iterable[SlotRequest], taken: float | None
) -> None:
    connection.executemany(
        "INSERT INTO pool_claims (run_id, step_key, pool, attempt, retry, priority, since, taken) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (run_id, each.step_key, pool, attempt, each.retry, each.priority, each.since, taken)
            for each in requests
            for pool in each.pools
        ],
    )


def _state(pool: str, claims: Sequence[PoolClaim], limits: dict[str, int], default_limit: int | None) -> PoolState:
    own = [each for each in claims if each.pool == pool]
    return PoolState(
        pool=pool,
        limit=limits.get(pool, default_limit),
        own_limit=pool in limits,
        held=tuple(each for each in own if each.taken is not None),
        waiting=tuple(sorted((each for each in own if each.taken is None), key=lambda claim: claim.order)),
    )


def _explain(
    connection: sqlite3.Connection,
    now: float,
    run_id: str,
    blocked: Sequence[SlotRequest],
    limits: dict[str, int],
    default_limit: int | None,
) -> dict[str, str]:
    """The rule that each of these waits for, by step."""
    if not blocked:
        return {}
    claims = [each.claim for each in read_claims(connection, now) if not each.over]
    names = {pool for each in blocked for pool in each.pools}
    states = {name: _state(name, claims, limits, default_limit) for name in names}
    return {
        each.step_key: describe_waiting([states[pool] for pool in each.pools], run_id, each.step_key)
        for each in blocked
    }


def _notes_of_waiting(blocked: Iterable[SlotRequest], why: dict[str, str], now: float) -> list[Event]:
    return [_note(each, why[each.step_key], now) for each in blocked if not each.told]


def _notes_of_taken(wanted: Iterable[SlotRequest], taken: set[str], now: float) -> list[Event]:
    return [
        _note(each, f"has its slot of pool {', '.join(each.pools)}, after {now - each.since:.1f} s", now)
        for each in wanted
        if each.step_key in taken and each.told
    ]


def _note(request: SlotRequest, text: str, now: float) -> Event:
    if request.step_key == WHOLE_RUN:
        return Event(time=now, fact=EngineNote(message=f"The run {text}."))
    return Event(time=now, step_key=request.step_key, fact=EngineNote(message=f"Step {request.step_key} {text}."))
