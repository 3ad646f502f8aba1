"""Runs and their states in SQLite."""

from __future__ import annotations

import heapq
import itertools
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from functools import cache, partial

import msgspec

from ...codec import encode_json
from ...records.event import Event, Fact, RunStarting
from ...records.lease import Lease
from ...records.run import ACTIVE, FINISHED, Run, RunStatus, Tag
from .. import rows
from ..deeds import canceled_run, deleted_run, launched_runs
from ..derive import CLAIMABLE, derive
from ..months import LogPlace
from ..notifier import ROUTINE, Notifier
from ..protocols import NewRun, RunFilter, RunSearch, RunTally
from ..run_search import LOOKS, Way, whole_count, whole_page
from .acts import record_acts
from .backfills import is_held_back
from .connection import Database
from .event_logs import delete_events
from .leases import require_lease
from .ledger import insert_run, write_run_events
from .listed import listed
from .run_query import SqliteRunQueries

__all__ = ["SqliteRuns"]


class SqliteRuns:
    """`RunStorage` on one SQLite database."""

    def __init__(self, database: Database, notifier: Notifier) -> None:
        self._database = database
        self._notifier = notifier

    # -- making and reading -------------------------------------------------------------------------------------------

    def create(self, runs: Sequence[NewRun]) -> list[Run]:
        """Store new runs with their first facts, all or none."""
        with self._database.write("store new runs") as connection:
            written = [insert_run(connection, new) for new in runs]
            record_acts(connection, launched_runs(each.run for each in written))
        self._notifier.publish(set().union(*(each.topics for each in written)))
        return [each.run for each in written]

    def get(self, run_id: str) -> Run | None:
        """The run of that id."""
        with self._database.read("read a run") as connection:
            row = connection.execute(f"SELECT {rows.RUN} FROM runs WHERE run_id = ?", (run_id,)).fetchone()
        return None if row is None else rows.run(row)

    def page(self, where: RunFilter, *, limit: int, before: str | None = None, ascending: bool = False) -> list[Run]:
        """Runs newest first, after the cursor `before`."""
        with self._database.read("read runs") as connection:
            return whole_page(partial(_search, connection, where, ascending=ascending), limit=limit, before=before)

    def search(self, where: RunFilter, *, limit: int, before: str | None = None, ascending: bool = False) -> RunSearch:
        """Runs newest first, as far as one search looks."""
        with self._database.read("read runs") as connection:
            return _search(connection, where, limit=limit, before=before, ascending=ascending)

    def count(self, where: RunFilter, *, at_most: int = 10_000) -> int:
        """How many runs match, at most `at_most`."""
        with self._database.read("count runs") as connection:
            return whole_count(partial(_tally, connection, where), at_most=at_most)

    def tally(self, where: RunFilter, *, at_most: int = 10_000) -> RunTally:
        """How many runs match, as far as one search looks."""
        with self._database.read("count runs") as connection:
            return _tally(connection, where, at_most=at_most)

    def latest_of_jobs(self, jobs: Sequence[tuple[str, str]], *, limit: int) -> dict[tuple[str, str], list[Run]]:
        """The newest runs of each of these (location, job), newest first; jobs without any are left out."""
        with self._database.read("read runs") as connection:
            found = connection.execute(
                "WITH asked (in_location, of_job) AS "
                "(SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?)) "
                f"SELECT {rows.RUN} FROM asked CROSS JOIN runs ON runs.num IN "
                "(SELECT n.num FROM runs n INDEXED BY runs_by_job WHERE n.job = of_job AND n.location = in_location "
                "AND n.run_id >= COALESCE((SELECT b.run_id FROM runs b INDEXED BY runs_by_job WHERE b.job = of_job "
                "ORDER BY b.run_id DESC LIMIT 1 OFFSET ?), '') ORDER BY n.run_id DESC LIMIT ?)",
                (encode_json(jobs).decode(), LOOKS - 1, limit),
            ).fetchall()
        return rows.runs_by_job(found)

    def queued(self, *, limit: int, by_share: bool = False, but: Collection[str] = ()) -> list[Run]:
        """Queued runs, highest priority first, then oldest first."""
        without = encode_json(sorted(map(rows.share_number, but))).decode()
        if by_share:
            return self._select(_BY_SHARE, limit, without, limit)
        return self._select(
            "FROM runs INDEXED BY runs_in_queue WHERE status = 'QUEUED' "
            "AND share NOT IN (SELECT value FROM json_each(?)) ORDER BY priority DESC, run_id LIMIT ?",
            without,
            limit,
        )

    def queued_of_share(self, share: str, *, untold: str | None) -> list[str]:
        """The ids of the queued runs of a share whose note is not this one."""
        with self._database.read("read queued runs") as connection:
            found = connection.execute(
                "SELECT run_id FROM runs INDEXED BY runs_in_queue_by_share "
                "WHERE status = 'QUEUED' AND share = ? AND note IS NOT ?",
                (rows.share_number(share), rows.note_value(untold)),
            ).fetchall()
        return [run_id for (run_id,) in found]

    def active(self) -> list[Run]:
        """Runs that are STARTING, STARTED or CANCELING."""
        return self._select(
            "FROM runs INDEXED BY runs_by_status WHERE status IN (SELECT value FROM json_each(?)) ORDER BY run_id",
            listed(ACTIVE),
        )

    def expired(self, now: float) -> list[Run]:
        """Active runs whose lease has ended."""
        return self._select("FROM runs INDEXED BY runs_by_lease WHERE lease_until <= ? ORDER BY lease_until", now)

    def _select(self, rest: str, *values: object) -> list[Run]:
        with self._database.read("read runs") as connection:
            found = connection.execute(f"SELECT {rows.RUN} {rest}", values).fetchall()
        return [rows.run(row) for row in found]

    # -- who holds a run ----------------------------------------------------------------------------------------------

    def claim(
        self, run_ids: Sequence[str], *, owner: str, until: float, now: float, under: Lease | None = None
    ) -> list[Run]:
        """Move those of the runs that nobody has claimed to STARTING, each under a new attempt held by `owner`."""
        claimed: list[Run] = []
        topics: set[str] = set()
        with self._database.write("claim runs") as connection:
            if under is not None:
                require_lease(connection, under)
            is_held = cache(partial(is_held_back, connection))
            for run_id in dict.fromkeys(run_ids):
                found = _place_and_run(connection, run_id)
                if found is None or found[1].status not in CLAIMABLE:
                    continue
                place, run = found
                if run.status is RunStatus.QUEUED and is_held(run.tags.get(Tag.BACKFILL)):
                    continue
                run = msgspec.structs.replace(run, attempt=run.attempt + 1, owner=owner, lease_until=until)
                starting = Event(time=now, fact=RunStarting())
                written = write_run_events(connection, place, run, run.attempt, [starting])
                topics |= written.topics
                claimed.append(written.run)
        self._notifier.publish(topics)
        return claimed

    def take_over(self, run_id: str, *, attempt: int, owner: str, until: float) -> bool:
        """Pass this attempt's lease to `owner`; False if the attempt is not current or has ended."""
        with self._database.write("take over a run") as connection:
            changed = connection.execute(
                "UPDATE runs SET owner = ?, lease_until = ? "
                "WHERE run_id = ? AND attempt = ? AND lease_until > 0 "
                "AND status IN ('STARTING', 'STARTED', 'CANCELING')",
                (owner, until, run_id, attempt),
            ).rowcount
        self._notifier.publish({ROUTINE})
        return changed == 1

    def renew(self, owner: str, *, until: float) -> list[tuple[str, int]]:
        """Prolong all unended attempts of `owner` at once; gives the (run id, attempt) that it still holds."""
        # A renewal that a loss of power takes back was for processes that are gone as well.
        with self._database.write("renew the leases of runs", durable=False) as connection:
            held = connection.execute(
                "SELECT run_id, attempt FROM runs INDEXED BY runs_by_owner "
                "WHERE owner = ? AND lease_until IS NOT NULL AND lease_until > 0 ORDER BY run_id",
                (owner,),
            ).fetchall()
            if held:
                connection.execute(
                    "UPDATE runs SET lease_until = ? WHERE owner = ? AND lease_until IS NOT NULL AND lease_until > 0",
                    (until, owner),
                )
        self._notifier.publish({ROUTINE})
        return held

    # -- what happens to a run ----------------------------------------------------------------------------------------

    def record(self, run_id: str, facts: Sequence[Fact], *, now: float, attempt: int | None = None) -> bool:
        """Store facts about a run from outside its worker; all of them, or none where the run's state refuses one."""
        with self._database.write("record what happened to a run") as connection:
            found = _place_and_run(connection, run_id)
            if found is None or found[1].is_finished:
                return False
            place, run = found
            if attempt is not None and (attempt != run.attempt or run.status is RunStatus.QUEUED):
                return False
            events = [Event(time=now, fact=fact) for fact in facts]
            if derive(run, {}, events).refused:
                return False
            written = write_run_events(connection, place, run, run.attempt, events)
            record_acts(connection, canceled_run(run, facts))
        self._notifier.publish(written.topics)
        return True

    def explain_waiting(self, notes: Mapping[str, str | None]) -> None:
        """Store for each queued run the one rule that it waits for."""
        with self._database.write("store why runs wait", durable=False) as connection:
            changed = connection.executemany(
                "UPDATE runs SET note = :note WHERE run_id = :run AND status = 'QUEUED' AND note IS NOT :note",
                [{"run": run_id, "note": rows.note_value(note)} for run_id, note in notes.items()],
            ).rowcount
        if changed > 0:
            self._notifier.publish({"runs"})

    def add_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Set tags of a run."""
        with self._database.write("tag a run") as connection:
            row = connection.execute(f"SELECT {rows.RUN} FROM runs WHERE run_id = ?", (run_id,)).fetchone()
            if row is None:
                return
            run = rows.run(row)
            run = msgspec.structs.replace(run, tags={**run.tags, **tags})
            connection.execute(
                "UPDATE runs SET body = ?, priority = ?, share = ? WHERE run_id = ?",
                (rows.run_body(run), run.priority, rows.share_number(run.share), run_id),
            )
            connection.executemany(
                "INSERT INTO run_tags (key, value, run_id) VALUES (?, ?, ?) "
                "ON CONFLICT (run_id, key) DO UPDATE SET value = excluded.value",
                [(key, value, run_id) for key, value in tags.items()],
            )
        self._notifier.publish({"runs"})

    # -- tags, snapshots, removal -------------------------------------------------------------------------------------

    def tag_keys(self) -> list[str]:
        """All tag keys in use, sorted."""
        # Leaps from key to key along the index instead of reading every tag of every run.
        statement = (
            "WITH RECURSIVE found (key) AS (SELECT MIN(key) FROM run_tags UNION ALL "
            "SELECT (SELECT MIN(t.key) FROM run_tags t WHERE t.key > found.key) FROM found "
            "WHERE found.key IS NOT NULL) "
            "SELECT key FROM found WHERE key IS NOT NULL"
        )
        with self._database.read("read tag keys") as connection:
            return [row[0] for row in connection.execute(statement)]

    def tag_values(self, key: str, *, prefix: str = "", limit: int = 100) -> list[str]:
        """Values in use for a tag key, sorted."""
        statement = (
            "WITH RECURSIVE found (value) AS ("
            "SELECT MIN(value) FROM run_tags WHERE key = :key AND value >= :prefix UNION ALL "
            "SELECT (SELECT MIN(t.value) FROM run_tags t WHERE t.key = :key AND t.value > found.value) "
            "FROM found WHERE substr(found.value, 1, length(:prefix)) = :prefix LIMIT :limit) "
            "SELECT value FROM found WHERE substr(value, 1, length(:prefix)) = :prefix"
        )
        with self._database.read("read tag values") as connection:
            found = connection.execute(statement, {"key": key, "prefix": prefix, "limit": limit})
            return [row[0] for row in found]

    def delete(self, run_id: str) -> bool:
        """Remove an ended run with its events; asset history stays."""
        with self._database.write("delete a run") as connection:
            found = _place_and_run(connection, run_id)
            if found is None or found[1].status not in FINISHED:
                return False
            place, run = found
            delete_events(connection, place)
            connection.execute("DELETE FROM steps WHERE run = ?", (place.run,))
            for table in ("run_tags", "planned_assets", "runs"):
                connection.execute(f"DELETE FROM {table} WHERE run_id = ?", (run_id,))
            record_acts(connection, deleted_run(run))
        self._notifier.publish({"runs", f"run:{run_id}"})
        return True

    def snapshot(self, digest: str) -> bytes | None:
        """The JSON of the `JobDescription` stored under this hash."""
        with self._database.read("read a job's snapshot") as connection:
            row = connection.execute("SELECT body FROM snapshots WHERE digest = ?", (digest,)).fetchone()
        return None if row is None else row[0]


# Leaps from share to share along the index, so that a long line of one costs no more than a page.
_BY_SHARE = """
FROM runs WHERE num IN (
    WITH RECURSIVE found (share) AS (
        SELECT MIN(share) FROM runs INDEXED BY runs_in_queue_by_share WHERE status = 'QUEUED'
        UNION ALL
        SELECT (
            SELECT MIN(r.share) FROM runs r INDEXED BY runs_in_queue_by_share
            WHERE r.status = 'QUEUED' AND r.share > found.share
        ) FROM found WHERE found.share IS NOT NULL
    ), turns AS (
        SELECT r.num, r.run_id, r.priority,
               ROW_NUMBER() OVER (PARTITION BY r.share, r.priority ORDER BY r.run_id) AS turn
        FROM found CROSS JOIN runs r ON r.num IN (
            SELECT q.num FROM runs q INDEXED BY runs_in_queue_by_share
            WHERE q.status = 'QUEUED' AND q.share = found.share ORDER BY q.priority DESC, q.run_id LIMIT ?
        ) WHERE found.share NOT IN (SELECT value FROM json_each(?))
    )
    SELECT num FROM turns ORDER BY priority DESC, turn, run_id LIMIT ?
) ORDER BY priority DESC, run_id
"""


def _search(
    connection: sqlite3.Connection,
    where: RunFilter,
    *,
    limit: int,
    before: str | None,
    ascending: bool,
    **choices: bool,
) -> RunSearch:
    queries = SqliteRunQueries(where, before=before, ascending=ascending, **choices)
    way = _way(connection, queries)
    found = [connection.execute(*query).fetchall() for query in queries.page(way, limit=limit)]
    merged = heapq.merge(*found, key=lambda row: row[0], reverse=not ascending)
    runs = tuple(rows.run(row) for row in itertools.islice(merged, limit))
    return RunSearch(runs=runs, until=way.until if len(runs) < limit else None)


def _tally(
    connection: sqlite3.Connection, where: RunFilter, *, at_most: int, before: str | None = None, **choices: bool
) -> RunTally:
    queries = SqliteRunQueries(where, before=before, **choices)
    way = _way(connection, queries)
    found = sum(connection.execute(*query).fetchone()[0] for query in queries.count(way, at_most=at_most))
    return RunTally(number=min(found, at_most), until=way.until if found < at_most else None)


def _way(connection: sqlite3.Connection, queries: SqliteRunQueries) -> Way:
    return queries.known_way() or queries.way(connection.execute(*queries.probe()).fetchone())


def _place_and_run(connection: sqlite3.Connection, run_id: str) -> tuple[LogPlace, Run] | None:
    row = connection.execute(f"SELECT log, num, {rows.RUN} FROM runs WHERE run_id = ?", (run_id,)).fetchone()
    return None if row is None else (LogPlace(*row[:2]), rows.run(row[2:]))
