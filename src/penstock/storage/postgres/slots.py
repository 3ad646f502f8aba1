"""Slots of concurrency pools in Postgres."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...records.pool import ClaimOutcome, PoolClaim, PoolState, SlotRequest
from ...records.run import ACTIVE
from .. import rows
from ..allot import (
    Counted,
    Holder,
    claim_rows,
    counted,
    explain,
    living,
    notes_of,
    pool_states,
    refuse_late_claim,
    take,
)
from ..deeds import freed_slots, set_limit
from ..derive import EVICTED
from ..months import LogPlace
from ..notifier import Notifier
from .acts import record_acts
from .connection import Database
from .ledger import changed_run, write_changes
from .transaction import Row, Transaction

__all__ = ["PostgresSlots"]

_LOCK = 0x736C6F7473  # an advisory lock's number; these are the letters of "slots"
_COLUMNS = ", ".join(f"c.{column}" for column in rows.CLAIM.split(", "))
_CLAIMS = (
    f"SELECT {_COLUMNS}, r.lease_until FROM pool_claims c JOIN runs r ON r.run_id = c.run_id "
    "WHERE r.attempt = c.attempt AND r.status = ANY(%s) ORDER BY c.taken NULLS FIRST, c.since, c.run_id, c.step_key"
)
_LIMITS = "SELECT pool, slots FROM pool_limits ORDER BY pool"


class PostgresSlots:
    """`SlotStorage` on one Postgres database."""

    def __init__(self, database: Database, notifier: Notifier) -> None:
        self._database = database
        self._notifier = notifier

    # -- limits -------------------------------------------------------------------------------------------------------

    def limits(self) -> dict[str, int]:
        """The limits that were set, by pool."""
        return _limits(self._database.read("read the limits of pools", _LIMITS))

    def set_limit(self, pool: str, slots: int) -> None:
        """Set how many slots a pool has."""

        def work(tx: Transaction) -> None:
            row = tx.row("SELECT slots FROM pool_limits WHERE pool = %s", (pool,))
            record_acts(tx, set_limit(pool, None if row is None else row[0], slots))
            tx.send(
                "INSERT INTO pool_limits (pool, slots) VALUES (%s, %s) "
                "ON CONFLICT (pool) DO UPDATE SET slots = EXCLUDED.slots",
                (pool, slots),
            )

        self._database.write("set the limit of a pool", work, repeatable=True)
        self._notifier.publish({"slots", "pools"})

    def delete_limit(self, pool: str) -> bool:
        """Let the default limit hold for a pool again; False if it had none of its own."""

        def work(tx: Transaction) -> list[Row]:
            gone = tx.rows("DELETE FROM pool_limits WHERE pool = %s RETURNING slots", (pool,))
            for (slots,) in gone:
                record_acts(tx, set_limit(pool, slots, None))
            return gone

        deleted = self._database.write("delete the limit of a pool", work)
        self._notifier.publish({"slots", "pools"})
        return bool(deleted)

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

        def work(tx: Transaction) -> tuple[ClaimOutcome, set[str]]:
            _one_at_a_time(tx)
            row = tx.row(f"SELECT log, num, {rows.RUN_PLACE} FROM runs WHERE run_id = %s FOR UPDATE", (run_id,))
            run = refuse_late_claim(run_id, attempt, None if row is None else rows.run_place(run_id, row[2:]))
            assert row is not None
            tx.send("DELETE FROM pool_claims WHERE run_id = %s AND attempt <> %s", (run_id, attempt))
            found = _counted(tx.rows(_CLAIMS, (sorted(ACTIVE),)), dead)
            limits = _limits(tx.rows(_LIMITS))
            mine = {each.claim.step_key: each.claim for each in found if each.claim.run_id == run_id}
            holding = {key for key, claim in mine.items() if claim.taken is not None}
            granted = {each.step_key for each in requests if each.step_key in holding}  # told once more
            # The end of the attempt before is not stored yet: its slot passes on to the next one.
            tx.send_each(
                "UPDATE pool_claims SET retry = %s WHERE run_id = %s AND step_key = %s AND retry < %s",
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
                evict=lambda claims: _evict(tx, claims, dead),
            )
            is_full = at_most is not None and len(taken) >= at_most
            blocked = [] if is_full else [each for each in wanted if each.step_key not in taken]
            tx.send("DELETE FROM pool_claims WHERE run_id = %s AND taken IS NULL", (run_id,))
            _insert(tx, run_id, attempt, [each for each in wanted if each.step_key in taken], now)
            _insert(tx, run_id, attempt, blocked, None)
            claims = living(_counted(tx.rows(_CLAIMS, (sorted(ACTIVE),)), dead)) if blocked else []
            waiting = explain(claims, run_id, blocked, limits, default_limit)
            topics = _topics(set(mine) - holding, {each.step_key for each in blocked}, taken, gone=gone)
            notes = notes_of(wanted, taken, waiting, now)
            if notes:
                change = changed_run(tx, LogPlace(*row[:2]), run, attempt, notes)
                write_changes(tx, [change])
                topics |= change.topics  # notes set no slot free
            return ClaimOutcome(granted=frozenset(granted | taken), waiting=waiting), topics

        outcome, topics = self._database.write("claim slots of pools", work)
        self._notifier.publish(topics)
        return outcome

    def free(self, run_id: str, step_key: str | None = None, *, now: float) -> int:
        """Take away the slots of a run that is gone, or of one of its steps."""

        def work(tx: Transaction) -> int:
            _one_at_a_time(tx)
            row = tx.row(f"SELECT {rows.RUN_PLACE} FROM runs WHERE run_id = %s FOR UPDATE", (run_id,))
            run = None if row is None else rows.run_place(run_id, row)
            if run is not None and run.status in ACTIVE and (run.lease_until or EVICTED) > now:
                return 0
            held = tx.rows("SELECT step_key FROM pool_claims WHERE run_id = %s", (run_id,))
            freed = len([row for row in held if step_key is None or row[0] == step_key])
            if freed:
                # Its attempt does nothing more, so that what else it holds is free as well.
                tx.send("DELETE FROM pool_claims WHERE run_id = %s", (run_id,))
                if run is not None and run.status in ACTIVE:
                    tx.send("UPDATE runs SET lease_until = %s WHERE run_id = %s", (EVICTED, run_id))
                record_acts(tx, freed_slots(run_id, step_key, freed))
            return freed

        freed = self._database.write("free slots of pools", work)
        if freed:
            self._notifier.publish({"slots", "pools", "runs"})
        return freed

    # -- reading ------------------------------------------------------------------------------------------------------

    def pools(self, *, now: float, default_limit: int | None = None) -> list[PoolState]:
        """Every pool that has a limit of its own or that somebody claims, by name."""
        found = self._database.read("read pools", _CLAIMS, (sorted(ACTIVE),))
        return pool_states(living(_counted(found, now)), self.limits(), default_limit)


def _one_at_a_time(tx: Transaction) -> None:
    """Wait for the claims of others to be over. It comes before any row is locked, so that nobody waits in a circle."""
    tx.send("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))


def _limits(found: Iterable[Row]) -> dict[str, int]:
    return dict(found)


def _counted(found: Iterable[Row], now: float) -> list[Counted]:
    return [counted(row, now) for row in found]


def _insert(tx: Transaction, run_id: str, attempt: int, requests: Iterable[SlotRequest], taken: float | None) -> None:
    tx.send_each(
        f"INSERT INTO pool_claims ({rows.CLAIM}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        claim_rows(run_id, attempt, requests, taken),
    )


def _evict(tx: Transaction, claims: Sequence[PoolClaim], dead: float) -> set[Holder]:
    """Take the slots of holders whose leases are over, and see to it that their attempts do nothing more; one that was
    renewed meanwhile keeps them."""
    lost: set[Holder] = set()
    for run_id, attempt in sorted({(each.run_id, each.attempt) for each in claims}):
        evicted = tx.rows(
            "UPDATE runs SET lease_until = %s WHERE run_id = %s AND attempt = %s "
            "AND COALESCE(lease_until, 0) <= %s RETURNING 1",
            (EVICTED, run_id, attempt, dead),
        )
        if evicted:
            tx.send("DELETE FROM pool_claims WHERE run_id = %s AND attempt = %s", (run_id, attempt))
            lost.add((run_id, attempt))
    return lost


def _topics(was_waiting: set[str], blocked: set[str], taken: set[str], *, gone: bool) -> set[str]:
    topics = {"slots", "pools", "runs"} if gone else set()
    if was_waiting - taken - blocked:
        topics |= {"slots", "pools"}  # slots were kept for these
    if taken or blocked != was_waiting:
        topics.add("pools")
    return topics
