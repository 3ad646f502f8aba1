"""Backfills and their parts in Postgres.

The end of a run locks its part and the counts at its commit, after everything else. So whatever changes parts here does
so last: after the rows of runs, and after the counter of events.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import partial

from ...codec import decode_msgpack, encode_msgpack
from ...errors import StorageError
from ...records.backfill import Backfill, BackfillLine, BackfillPart, BackfillPlan, GroupCounts
from ...records.lease import Lease
from .. import backfill_rows as rows
from ..backfill_page import backfill_page, found_backfills, whole_page
from ..deeds import asked_for_backfill, changed_backfill, deleted_backfill
from ..notifier import Notifier
from ..protocols.backfills import BackfillAdvance, BackfillChange, BackfillFilter, BackfillSearch, StoredBackfill
from .acts import record_acts
from .connection import Database
from .leases import require_lease
from .ledger import insert_runs, write_changes
from .transaction import Transaction

__all__ = ["PostgresBackfills", "held_back", "insert_backfill"]

_TOPICS = {"backfills"}
_CHANGED = {"backfills", "queue"}  # what waits in the queue may be held back from now on, or not any more
_ADD_PARTS = f"INSERT INTO backfill_parts (backfill, {rows.PART}) SELECT * FROM {{rows}} AS given"
_PART_TYPES = "text int8 int8 int8 int8 text text bytea"
_REPEAT_PART = """
UPDATE backfill_parts p SET run_id = r.run_id, news = (r.status IN ('SUCCESS', 'FAILURE', 'CANCELED'))::int,
status = CASE
    WHEN r.status = 'SUCCESS' AND NOT EXISTS (
        SELECT 1 FROM planned_assets a WHERE a.run_id = r.run_id AND a.state <> 'MADE'
    ) THEN 'DONE'
    WHEN r.status IN ('SUCCESS', 'FAILURE', 'CANCELED') THEN 'ENDED' ELSE 'OPEN' END
FROM runs r WHERE r.run_id = %s AND p.backfill = %s AND p.grp = %s AND p.first = %s AND p.status = 'ENDED'
"""


class PostgresBackfills:
    """`BackfillStorage` on one Postgres database."""

    def __init__(self, database: Database, notifier: Notifier) -> None:
        self._database = database
        self._notifier = notifier

    # -- reading ------------------------------------------------------------------------------------------------------

    def get(self, backfill_id: str) -> Backfill | None:
        """The backfill of that id."""
        found = self._database.read("read a backfill", "SELECT body FROM backfills WHERE id = %s", (backfill_id,))
        return rows.decode_backfill(found[0][0]) if found else None

    def plan(self, backfill_id: str) -> BackfillPlan | None:
        """What it is to make."""
        found = self._database.read(
            "read what a backfill is to make", "SELECT plan FROM backfills WHERE id = %s", (backfill_id,)
        )
        return decode_msgpack(found[0][0], BackfillPlan) if found else None

    def log(self, backfill_id: str) -> list[BackfillLine]:
        """Its log, oldest first."""
        found = self._database.read(
            "read the log of a backfill", "SELECT log FROM backfills WHERE id = %s", (backfill_id,)
        )
        return rows.decode_log(found[0][0]) if found else []

    def page(self, where: BackfillFilter, *, limit: int, before: str | None = None) -> list[Backfill]:
        """Backfills newest first."""
        return whole_page(partial(self._before, where), where, limit=limit, before=before)

    def search(self, where: BackfillFilter, *, limit: int, before: str | None = None) -> BackfillSearch:
        """Backfills newest first, as far as one search looks."""
        return found_backfills(partial(self._before, where), where, limit=limit, before=before)

    def _before(self, where: BackfillFilter, before: str, limit: int) -> list[Backfill]:
        statuses = {} if where.statuses is None else {f"status_{at}": each for at, each in enumerate(where.statuses)}
        values = {
            **statuses,
            "before": before,
            "after": where.created_after,
            "until": where.created_before,
            "ended": where.ended_before,
            "asset": where.asset,
            "limit": limit,
        }
        statement = backfill_page(where, [f"%({name})s" for name in statuses], "%({})s".format)
        return [rows.decode_backfill(body) for (body,) in self._database.read("read backfills", statement, values)]

    def open(self) -> list[Backfill]:
        """Those that have not ended, oldest first."""
        found = self._database.read("read open backfills", "SELECT body FROM backfills WHERE ended IS NULL ORDER BY id")
        return [rows.decode_backfill(body) for (body,) in found]

    def counts(self, backfill_ids: Sequence[str]) -> dict[str, list[GroupCounts]]:
        """How far they have come, by group."""
        # In one statement, so that both are of one moment.
        found = self._database.read(
            "count the partitions of backfills",
            f"SELECT backfill, {rows.COUNTS}, NULL::text, NULL::bytea FROM backfill_counts "
            "WHERE backfill = ANY(%(asked)s) "
            "UNION ALL SELECT backfill, grp, NULL, NULL, NULL, NULL, NULL, NULL, status, made FROM backfill_parts "
            "WHERE backfill = ANY(%(asked)s) AND made IS NOT NULL ORDER BY 1, 2",
            {"asked": list(backfill_ids)},
        )
        counted = [row[:-2] for row in found if row[-1] is None]
        return rows.counts_of(counted, [(*row[:2], *row[-2:]) for row in found if row[-1] is not None])

    def parts(self, backfill_id: str, *, news: bool = False, open_only: bool = False) -> list[BackfillPart]:
        """Its parts by group and position."""
        only = (" AND news = 1" if news else "") + (" AND status IN ('OPEN', 'ENDED')" if open_only else "")
        found = self._database.read(
            "read the parts of a backfill",
            f"SELECT {rows.PART} FROM backfill_parts WHERE backfill = %s{only} ORDER BY grp, first",
            (backfill_id,),
        )
        return list(map(rows.part, found))

    def made(self, run_ids: Sequence[str]) -> dict[str, list[str | None]]:
        """By asset, the partitions that these runs made."""
        found = self._database.read(
            "read what runs have made",
            "SELECT asset, partition FROM planned_assets WHERE run_id = ANY(%s) AND state = 'MADE' "
            "ORDER BY asset, partition",
            (list(run_ids),),
        )
        return rows.made_by_asset(found)

    # -- changing -----------------------------------------------------------------------------------------------------

    def add(self, backfill: Backfill, plan: BackfillPlan, *, line: BackfillLine) -> None:
        """Store a new backfill."""

        def work(tx: Transaction) -> None:
            if not insert_backfill(tx, backfill, plan, [line]):
                raise StorageError(f"A backfill with the id {backfill.backfill_id} exists already; make a new id.")
            record_acts(tx, asked_for_backfill(backfill))

        self._database.write("store a backfill", work)
        self._notifier.publish(_TOPICS)

    def load(self, stored: StoredBackfill) -> bool:
        """Store one that has ended elsewhere, as it is."""

        def work(tx: Transaction) -> bool:
            is_new = insert_backfill(tx, stored.backfill, stored.plan, stored.log)
            if is_new:
                values = [(stored.backfill.backfill_id, *rows.part_values(part)) for part in stored.parts]
                tx.send_all(_ADD_PARTS, _PART_TYPES, values)
            return is_new

        loaded = self._database.write("store a backfill", work, repeatable=True)
        self._notifier.publish(_TOPICS)
        return loaded

    def change(self, backfill_id: str, change: BackfillChange, *, line: BackfillLine, now: float) -> Backfill | None:
        """Store what somebody wants."""

        def work(tx: Transaction) -> tuple[Backfill | None, bool]:
            before = _locked(tx, backfill_id)
            if before is None:
                return None, False
            after = rows.changed(before, change, now)
            if after is None:
                return before, False
            _store(tx, after, [line])
            record_acts(tx, changed_backfill(before, after))
            return after, True

        after, is_changed = self._database.write("change a backfill", work)
        if is_changed:
            self._notifier.publish(_CHANGED)
        return after

    def advance(self, backfill_id: str, step: BackfillAdvance, *, lease: Lease, now: float) -> Backfill:
        """Store what the daemon has decided, all of it or nothing."""

        def work(tx: Transaction) -> tuple[Backfill, set[str]]:
            require_lease(tx, lease)
            before = _locked(tx, backfill_id)
            if before is None:
                raise StorageError(f"There is no backfill {backfill_id!r} any more.")
            after = rows.advanced(before, step, now)
            repeated = sorted(part.run_id for part in step.repeated if part.run_id is not None)
            if repeated:
                tx.rows("SELECT 1 FROM runs WHERE run_id = ANY(%s) ORDER BY run_id FOR SHARE", (repeated,))
            changes = insert_runs(tx, [new for _, new in step.runs])
            write_changes(tx, changes)
            _write_parts(tx, backfill_id, step)
            _store(tx, after, step.lines)
            return after, set(_TOPICS).union(*(change.topics for change in changes))

        after, topics = self._database.write("go on with a backfill", work)
        self._notifier.publish(topics)
        return after

    def delete(self, backfill_id: str) -> bool:
        """Remove an ended backfill with its parts."""

        def work(tx: Transaction) -> bool:
            gone = tx.row("DELETE FROM backfills WHERE id = %s AND ended IS NOT NULL RETURNING 1", (backfill_id,))
            if gone is not None:
                tx.send("DELETE FROM backfill_parts WHERE backfill = %s", (backfill_id,))
                tx.send("DELETE FROM backfill_counts WHERE backfill = %s", (backfill_id,))
                tx.send("DELETE FROM backfill_assets WHERE backfill = %s", (backfill_id,))
                record_acts(tx, deleted_backfill(backfill_id))
            return gone is not None

        deleted = self._database.write("delete a backfill", work)
        self._notifier.publish(_TOPICS)
        return deleted


def insert_backfill(tx: Transaction, backfill: Backfill, plan: BackfillPlan, log: Sequence[BackfillLine]) -> bool:
    """Store a new backfill; says whether it was, and not known before. The caller holds the transaction."""
    added = tx.row(
        "INSERT INTO backfills (id, status, created, ended, body, plan, log) VALUES (%s, %s, %s, %s, %s, %s, %s) "
        "ON CONFLICT DO NOTHING RETURNING 1",
        (
            backfill.backfill_id,
            backfill.status.value,
            backfill.created,
            backfill.ended,
            encode_msgpack(backfill),
            encode_msgpack(plan),
            encode_msgpack(log),
        ),
    )
    if added is not None:
        assets = [(asset, backfill.backfill_id) for asset in plan.assets]
        tx.send_all("INSERT INTO backfill_assets (asset, backfill) SELECT * FROM {rows} AS given", "text text", assets)
    return added is not None


def _locked(tx: Transaction, backfill_id: str) -> Backfill | None:
    row = tx.row("SELECT body FROM backfills WHERE id = %s FOR UPDATE", (backfill_id,))
    return None if row is None else rows.decode_backfill(row[0])


def held_back(tx: Transaction, backfill_ids: Collection[str | None]) -> set[str | None]:
    """Those of the backfills whose queued runs are to stay in the queue."""
    asked = [each for each in backfill_ids if each is not None]
    found = tx.rows("SELECT body FROM backfills WHERE id = ANY(%s)", (asked,)) if asked else []
    return {each.backfill_id for (body,) in found if (each := rows.decode_backfill(body)).hold is not None}


def _write_parts(tx: Transaction, backfill_id: str, step: BackfillAdvance) -> None:
    tx.send_each(
        "UPDATE backfill_parts SET status = %s, made = %s, news = 0 "
        "WHERE backfill = %s AND grp = %s AND first = %s AND status = 'ENDED'",
        [(part.status.value, rows.part_values(part)[-1], backfill_id, part.group, part.first) for part in step.settled],
    )
    tx.send_each(
        "UPDATE backfill_parts SET news = 0 WHERE backfill = %s AND grp = %s AND first = %s",
        [(backfill_id, part.group, part.first) for part in step.seen],
    )
    tx.send_each(_REPEAT_PART, [(part.run_id, backfill_id, part.group, part.first) for part in step.repeated])
    added = [*(part for part, _ in step.runs), *step.closed]
    tx.send_all(_ADD_PARTS, _PART_TYPES, [(backfill_id, *rows.part_values(part)) for part in added])


def _store(tx: Transaction, backfill: Backfill, lines: Iterable[BackfillLine]) -> None:
    values = (backfill.status.value, backfill.ended, encode_msgpack(backfill), backfill.backfill_id)
    tx.send("UPDATE backfills SET status = %s, ended = %s, body = %s WHERE id = %s", values)
    if lines:
        log = tx.row("SELECT log FROM backfills WHERE id = %s", (backfill.backfill_id,))
        assert log is not None
        tx.send("UPDATE backfills SET log = %s WHERE id = %s", (rows.longer_log(log[0], lines), backfill.backfill_id))
