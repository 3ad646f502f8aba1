"""Backfills and their parts in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
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
from .ledger import insert_run
from .listed import listed

__all__ = ["SqliteBackfills", "insert_backfill", "is_held_back"]

_TOPICS = {"backfills"}
_CHANGED = {"backfills", "queue"}  # what waits in the queue may be held back from now on, or not any more
_PARTS_AT_ONCE = 5000
_ADD_PART = f"INSERT INTO backfill_parts (backfill, {rows.PART}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
# Whether the run that repeats it has ended already is looked up here; else its end is told by the trigger.
_REPEAT_PART = """
UPDATE backfill_parts SET run_id = :run, news = 0, status = 'OPEN'
WHERE backfill = :backfill AND grp = :group AND first = :first AND status = 'ENDED'
"""
_END_REPEATED = """
UPDATE backfill_parts SET news = 1, status = CASE
    WHEN (SELECT status FROM runs WHERE run_id = :run) = 'SUCCESS' AND NOT EXISTS (
        SELECT 1 FROM planned_assets p WHERE p.run_id = :run AND p.state <> 'MADE'
    ) THEN 'DONE' ELSE 'ENDED' END
WHERE run_id = :run AND status = 'OPEN'
AND (SELECT status FROM runs WHERE run_id = :run) IN ('SUCCESS', 'FAILURE', 'CANCELED')
"""


class SqliteBackfills:
    """`BackfillStorage` on one SQLite database."""

    def __init__(self, database: Database, notifier: Notifier) -> None:
        self._database = database
        self._notifier = notifier

    # -- reading ------------------------------------------------------------------------------------------------------

    def get(self, backfill_id: str) -> Backfill | None:
        """The backfill of that id."""
        with self._database.read("read a backfill") as connection:
            row = _row(connection, "body", backfill_id)
        return None if row is None else rows.decode_backfill(row[0])

    def plan(self, backfill_id: str) -> BackfillPlan | None:
        """What it is to make."""
        with self._database.read("read what a backfill is to make") as connection:
            row = _row(connection, "plan", backfill_id)
        return None if row is None else decode_msgpack(row[0], BackfillPlan)

    def log(self, backfill_id: str) -> list[BackfillLine]:
        """Its log, oldest first."""
        with self._database.read("read the log of a backfill") as connection:
            row = _row(connection, "log", backfill_id)
        return [] if row is None else rows.decode_log(row[0])

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
        with self._database.read("read backfills") as connection:
            statement = backfill_page(where, [f":{name}" for name in statuses], ":{}".format)
            return [rows.decode_backfill(body) for (body,) in connection.execute(statement, values)]

    def open(self) -> list[Backfill]:
        """Those that have not ended, oldest first."""
        with self._database.read("read open backfills") as connection:
            found = connection.execute("SELECT body FROM backfills WHERE ended IS NULL ORDER BY id").fetchall()
        return [rows.decode_backfill(body) for (body,) in found]

    def counts(self, backfill_ids: Sequence[str]) -> dict[str, list[GroupCounts]]:
        """How far they have come, by group."""
        asked = listed(backfill_ids)
        with self._database.read("count the partitions of backfills") as connection:
            found = connection.execute(
                f"SELECT backfill, {rows.COUNTS} FROM backfill_counts "
                "WHERE backfill IN (SELECT value FROM json_each(?)) ORDER BY backfill, grp",
                (asked,),
            ).fetchall()
            made = connection.execute(
                "SELECT backfill, grp, status, made FROM backfill_parts INDEXED BY backfill_parts_made "
                "WHERE backfill IN (SELECT value FROM json_each(?)) AND made IS NOT NULL",
                (asked,),
            ).fetchall()
        return rows.counts_of(found, made)

    def parts(self, backfill_id: str, *, news: bool = False, open_only: bool = False) -> list[BackfillPart]:
        """Its parts by group and position."""
        only = (" AND news = 1" if news else "") + (" AND status IN ('OPEN', 'ENDED')" if open_only else "")
        with self._database.read("read the parts of a backfill") as connection:
            found = connection.execute(
                f"SELECT {rows.PART} FROM backfill_parts WHERE backfill = ?{only} ORDER BY grp, first", (backfill_id,)
            ).fetchall()
        return list(map(rows.part, found))

    def made(self, run_ids: Sequence[str]) -> dict[str, list[str | None]]:
        """By asset, the partitions that these runs made."""
        with self._database.read("read what runs have made") as connection:
            found = connection.execute(
                "SELECT asset, partition FROM planned_assets "
                "WHERE run_id IN (SELECT value FROM json_each(?)) AND state = 'MADE' ORDER BY asset, partition",
                (listed(run_ids),),
            ).fetchall()
        return rows.made_by_asset(found)

    # -- changing -----------------------------------------------------------------------------------------------------

    def add(self, backfill: Backfill, plan: BackfillPlan, *, line: BackfillLine) -> None:
        """Store a new backfill."""
        with self._database.write("store a backfill") as connection:
            if not insert_backfill(connection, backfill, plan, [line]):
                raise StorageError(f"A backfill with the id {backfill.backfill_id} exists already; make a new id.")
            record_acts(connection, asked_for_backfill(backfill))
        self._notifier.publish(_TOPICS)

    def load(self, stored: StoredBackfill) -> bool:
        """Store one that has ended elsewhere, as it is."""
        backfill_id = stored.backfill.backfill_id
        with self._database.write("store a backfill") as connection:
            is_new = insert_backfill(connection, stored.backfill, stored.plan, stored.log)
            if is_new:
                connection.executemany(_ADD_PART, [(backfill_id, *rows.part_values(part)) for part in stored.parts])
        self._notifier.publish(_TOPICS)
        return is_new

    def change(self, backfill_id: str, change: BackfillChange, *, line: BackfillLine, now: float) -> Backfill | None:
        """Store what somebody wants."""
        with self._database.write("change a backfill") as connection:
            row = _row(connection, "body", backfill_id)
            if row is None:
                return None
            before = rows.decode_backfill(row[0])
            after = rows.changed(before, change, now)
            if after is None:
                return before
            _store(connection, after, [line])
            record_acts(connection, changed_backfill(before, after))
        self._notifier.publish(_CHANGED)
        return after

    def advance(self, backfill_id: str, step: BackfillAdvance, *, lease: Lease, now: float) -> Backfill:
        """Store what the daemon has decided, all of it or nothing."""
        topics = set(_TOPICS)
        with self._database.write("go on with a backfill") as connection:
            require_lease(connection, lease)
            row = _row(connection, "body", backfill_id)
            if row is None:
                raise StorageError(f"There is no backfill {backfill_id!r} any more.")
            after = rows.advanced(rows.decode_backfill(row[0]), step, now)
            for _, new in step.runs:
                topics |= insert_run(connection, new).topics
            added = [*(part for part, _ in step.runs), *step.closed]
            connection.executemany(_ADD_PART, [(backfill_id, *rows.part_values(part)) for part in added])
            connection.executemany(
                "UPDATE backfill_parts SET status = ?, made = ?, news = 0 "
                "WHERE backfill = ? AND grp = ? AND first = ? AND status = 'ENDED'",
                [
                    (part.status, rows.part_values(part)[-1], backfill_id, part.group, part.first)
                    for part in step.settled
                ],
            )
            connection.executemany(
                "UPDATE backfill_parts SET news = 0 WHERE backfill = ? AND grp = ? AND first = ?",
                [(backfill_id, part.group, part.first) for part in step.seen],
            )
            for part in step.repeated:
                values = {"run": part.run_id, "backfill": backfill_id, "group": part.group, "first": part.first}
                connection.execute(_REPEAT_PART, values)
                connection.execute(_END_REPEATED, values)
            _store(connection, after, step.lines)
        self._notifier.publish(topics)
        return after

    def delete(self, backfill_id: str) -> bool:
        """Remove an ended backfill, and then its parts, some at a time."""
        with self._database.write("delete a backfill") as connection:
            gone = connection.execute(
                "DELETE FROM backfills WHERE id = ? AND ended IS NOT NULL", (backfill_id,)
            ).rowcount
            if gone:
                record_acts(connection, deleted_backfill(backfill_id))
        while gone:
            with self._database.write("delete the parts of a backfill", durable=False) as connection:
                parts = connection.execute(
                    "DELETE FROM backfill_parts WHERE backfill = :id AND (grp, first) IN "
                    "(SELECT grp, first FROM backfill_parts WHERE backfill = :id LIMIT :limit)",
                    {"id": backfill_id, "limit": _PARTS_AT_ONCE},
                ).rowcount
                if parts < _PARTS_AT_ONCE:
                    connection.execute("DELETE FROM backfill_counts WHERE backfill = ?", (backfill_id,))
                    connection.execute("DELETE FROM backfill_assets WHERE backfill = ?", (backfill_id,))
                    break
        self._notifier.publish(_TOPICS)
        return gone > 0


def insert_backfill(
    connection: sqlite3.Connection, backfill: Backfill, plan: BackfillPlan, log: Sequence[BackfillLine]
) -> bool:
    """Store a new backfill; says whether it was, and not known before. The caller holds the transaction."""
    added = connection.execute(
        "INSERT INTO backfills (id, status, created, ended, body, plan, log) VALUES (?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT DO NOTHING",
        (
            backfill.backfill_id,
            backfill.status,
            backfill.created,
            backfill.ended,
            encode_msgpack(backfill),
            encode_msgpack(plan),
            encode_msgpack(log),
        ),
    )
    if added.rowcount > 0:
        connection.executemany(
            "INSERT INTO backfill_assets (asset, backfill) VALUES (?, ?)",
            [(asset, backfill.backfill_id) for asset in plan.assets],
        )
    return added.rowcount > 0


def _row(connection: sqlite3.Connection, column: str, backfill_id: str) -> tuple[bytes] | None:
    found: tuple[bytes] | None = connection.execute(
        f"SELECT {column} FROM backfills WHERE id = ?", (backfill_id,)
    ).fetchone()
    return found


def is_held_back(connection: sqlite3.Connection, backfill_id: str | None) -> bool:
    """Whether the queued runs of this backfill are to stay in the queue."""
    row = None if backfill_id is None else _row(connection, "body", backfill_id)
    return row is not None and rows.decode_backfill(row[0]).hold is not None


def _store(connection: sqlite3.Connection, backfill: Backfill, lines: Iterable[BackfillLine]) -> None:
    connection.execute(
        "UPDATE backfills SET status = ?, ended = ?, body = ? WHERE id = ?",
        (backfill.status, backfill.ended, encode_msgpack(backfill), backfill.backfill_id),
    )
    if lines:
        log = _row(connection, "log", backfill.backfill_id)
        assert log is not None
        connection.execute(
            "UPDATE backfills SET log = ? WHERE id = ?", (rows.longer_log(log[0], lines), backfill.backfill_id)
        )
