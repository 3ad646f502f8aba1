"""Runs and their states in Postgres."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial

import msgspec

from ...records.event import Event, Fact, RunStarting
from ...records.lease import Lease
from ...records.run import ACTIVE, FINISHED, Run, RunStatus, Tag
from .. import rows
from ..deeds import canceled_run, deleted_run, launched_runs
from ..derive import CLAIMABLE, derive
from ..months import LogPlace
from ..notifier import ROUTINE, Notifier
from ..protocols import NewRun, RunFilter, RunSearch, RunTally
from ..run_search import LOOKS, Query, Way, whole_count, whole_page
from .acts import record_acts
from .backfills import held_back
from .connection import Database
from .leases import require_lease
from .ledger import Change, changed_run, insert_runs, topics_of_all, write_changes
from .run_query import PostgresRunQueries, merged
from .transaction import Row, Transaction

__all__ = ["PostgresRuns"]


class PostgresRuns:
    """`RunStorage` on one Postgres database."""

    def __init__(self, database: Database, notifier: Notifier) -> None:
        self._database = database
        self._notifier = notifier

    # -- making and reading -------------------------------------------------------------------------------------------

    def create(self, runs: Sequence[NewRun]) -> list[Run]:
        """Store new runs with their first facts, all or none."""

        def work(tx: Transaction) -> list[Change]:
            changes = insert_runs(tx, runs)
            record_acts(tx, launched_runs(change.run for change in changes))
            write_changes(tx, changes)
            return changes

        made = self._database.write("store new runs", work)
        self._notifier.publish(topics_of_all(made))
        return [change.run for change in made]

    def get(self, run_id: str) -> Run | None:
        """The run of that id."""
        found = self._database.read("read a run", f"SELECT {rows.RUN} FROM runs WHERE run_id = %s", (run_id,))
        return rows.run(found[0]) if found else None

    def page(self, where: RunFilter, *, limit: int, before: str | None = None, ascending: bool = False) -> list[Run]:
        """Runs newest first, after the cursor `before`."""
        return whole_page(partial(self._search, where, ascending=ascending), limit=limit, before=before)

    def search(self, where: RunFilter, *, limit: int, before: str | None = None, ascending: bool = False) -> RunSearch:
        """Runs newest first, as far as one search looks."""
        return self._search(where, limit=limit, before=before, ascending=ascending)

    def count(self, where: RunFilter, *, at_most: int = 10_000) -> int:
        """How many runs match, at most `at_most`."""
        return whole_count(partial(self._tally, where), at_most=at_most)

    def tally(self, where: RunFilter, *, at_most: int = 10_000) -> RunTally:
        """How many runs match, as far as one search looks."""
        return self._tally(where, at_most=at_most)

    def _search(
        self, where: RunFilter, *, limit: int, before: str | None, ascending: bool, **choices: bool
    ) -> RunSearch:
        queries = PostgresRunQueries(where, before=before, ascending=ascending, **choices)
        way = self._way(queries)
        pages = queries.page(way, limit=limit)
        found = self._read("read runs", merged(pages, limit=limit, ascending=ascending)) if pages else []
        return RunSearch(runs=tuple(map(rows.run, found)), until=way.until if len(found) < limit else None)

    def _tally(self, where: RunFilter, *, at_most: int, before: str | None = None, **choices: bool) -> RunTally:
        queries = PostgresRunQueries(where, before=before, **choices)
        way = self._way(queries)
        counts = queries.count(way, at_most=at_most)
        text = " + ".join(f"({each})" for each, _ in counts) or "0"
        values = [value for _, bound in counts for value in bound]
        found: int = self._read("count runs", (f"SELECT {text}", values))[0][0]
        return RunTally(number=min(found, at_most), until=way.until if found < at_most else None)

    def _way(self, queries: PostgresRunQueries) -> Way:
        return queries.known_way() or queries.way(self._read("read runs", queries.probe())[0])

    def _read(self, doing: str, query: Query) -> list[Row]:
        statement, values = query
        return self._database.read(doing, statement, values, planned_anew=True)

    def latest_of_jobs(self, jobs: Sequence[tuple[str, str]], *, limit: int) -> dict[tuple[str, str], list[Run]]:
        """The newest runs of each of these (location, job), newest first; jobs without any are left out."""
        statement = (
            f"SELECT {rows.RUN} FROM unnest(%s::text[], %s::text[]) AS asked (in_location, of_job) CROSS JOIN LATERAL "
            f"(SELECT {rows.RUN} FROM runs WHERE job = of_job AND location = in_location AND run_id >= COALESCE("
            "(SELECT b.run_id FROM runs b WHERE b.job = of_job ORDER BY b.run_id DESC LIMIT 1 OFFSET %s), '') "
            "ORDER BY run_id DESC LIMIT %s) AS newest"
        )
        values = ([location for location, _ in jobs], [job for _, job in jobs], LOOKS - 1, limit)
        return rows.runs_by_job(self._database.read("read runs", statement, values))

    def queued(self, *, limit: int, by_share: bool = False, but: Collection[str] = ()) -> list[Run]:
        """Queued runs, highest priority first, then oldest first."""
        without = sorted(map(rows.share_number, but))
        if by_share:
            return self._select(_BY_SHARE, limit, without, limit)
        return self._select(
            "WHERE status = 'QUEUED' AND share <> ALL(%s::int8[]) ORDER BY priority DESC, run_id LIMIT %s",
            without,
            limit,
        )

    def queued_of_share(self, share: str, *, untold: str | None) -> list[str]:
        """The ids of the queued runs of a share whose note is not this one."""
        found = self._database.read(
            "read queued runs",
            "SELECT run_id FROM runs WHERE status = 'QUEUED' AND share = %s AND note IS DISTINCT FROM %s::text",
            (rows.share_number(share), rows.note_value(untold)),
        )
        return [run_id for (run_id,) in found]

    def active(self) -> list[Run]:
        """Runs that are STARTING, STARTED or CANCELING."""
        return self._select("WHERE status = ANY(%s) ORDER BY run_id", sorted(ACTIVE))

    def expired(self, now: float) -> list[Run]:
        """Active runs whose lease has ended."""
        return self._select("WHERE lease_until <= %s ORDER BY lease_until", now)

    def _select(self, rest: str, *values: object) -> list[Run]:
        found = self._database.read("read runs", f"SELECT {rows.RUN} FROM runs {rest}", values)
        return [rows.run(row) for row in found]

    # -- who holds a run ----------------------------------------------------------------------------------------------

    def claim(
        self, run_ids: Sequence[str], *, owner: str, until: float, now: float, under: Lease | None = None
    ) -> list[Run]:
        """Move those of the runs that nobody has claimed to STARTING, each under a new attempt held by `owner`."""
        wanted = list(dict.fromkeys(run_ids))

        def work(tx: Transaction) -> list[Change]:
            if under is not None:
                require_lease(tx, under)
            # Whoever claims one of these runs at this moment gets it: its row is passed over, not waited for.
            found = tx.rows(
                f"SELECT log, num, {rows.RUN} FROM runs WHERE run_id = ANY(%s) AND status = ANY(%s) "
                "ORDER BY run_id FOR UPDATE SKIP LOCKED",
                (wanted, sorted(CLAIMABLE)),
            )
            free = {row[2]: (LogPlace(*row[:2]), rows.run(tuple(row[2:]))) for row in found}
            held = held_back(tx, {run.tags.get(Tag.BACKFILL) for _, run in free.values()})
            starting = Event(time=now, fact=RunStarting())
            changes = []
            for run_id in wanted:
                if run_id not in free:
                    continue
                place, run = free[run_id]
                if run.status is RunStatus.QUEUED and run.tags.get(Tag.BACKFILL) in held:
                    continue
                run = msgspec.structs.replace(run, attempt=run.attempt + 1, owner=owner, lease_until=until)
                changes.append(changed_run(tx, place, run, run.attempt, [starting]))
            write_changes(tx, changes)
            return changes

        claimed = self._database.write("claim runs", work)
        self._notifier.publish(topics_of_all(claimed))
        return [change.run for change in claimed]

    def take_over(self, run_id: str, *, attempt: int, owner: str, until: float) -> bool:
        """Pass this attempt's lease to `owner`; False if the attempt is not current or has ended."""

        def work(tx: Transaction) -> bool:
            changed = tx.rows(
                "UPDATE runs SET owner = %s, lease_until = %s WHERE run_id = %s AND attempt = %s "
                "AND lease_until > 0 AND status = ANY(%s) RETURNING 1",
                (owner, until, run_id, attempt, sorted(ACTIVE)),
            )
            return bool(changed)

        taken = self._database.write("take over a run", work, repeatable=True)
        self._notifier.publish({ROUTINE})
        return taken

    def renew(self, owner: str, *, until: float) -> list[tuple[str, int]]:
        """Prolong all unended attempts of `owner` at once; gives the (run id, attempt) that it still holds."""

        def work(tx: Transaction) -> list[Row]:
            return tx.rows(
                "UPDATE runs SET lease_until = %s WHERE owner = %s AND lease_until > 0 RETURNING run_id, attempt",
                (until, owner),
            )

        # A renewal that a crash of the server takes back was for nobody: nothing else of that moment is left either.
        held = self._database.write("renew the leases of runs", work, durable=False, repeatable=True)
        self._notifier.publish({ROUTINE})
        return sorted((run_id, attempt) for run_id, attempt in held)

    # -- what happens to a run ----------------------------------------------------------------------------------------

    def record(self, run_id: str, facts: Sequence[Fact], *, now: float, attempt: int | None = None) -> bool:
        """Store facts about a run from outside its worker; all of them, or none where the run's state refuses one."""
        events = [Event(time=now, fact=fact) for fact in facts]

        def work(tx: Transaction) -> Change | None:
            found = _place_and_run(tx, run_id)
            if found is None or found[1].is_finished:
                return None
            place, run = found
            if attempt is not None and (attempt != run.attempt or run.status is RunStatus.QUEUED):
                return None
            if derive(run, {}, events).refused:
                return None
            change = changed_run(tx, place, run, run.attempt, events)
            record_acts(tx, canceled_run(run, facts))
            write_changes(tx, [change])
            return change

        change = self._database.write("record what happened to a run", work)
        if change is None:
            return False
        self._notifier.publish(topics_of_all([change]))
        return True

    def explain_waiting(self, notes: Mapping[str, str | None]) -> None:
        """Store for each queued run the one rule that it waits for."""
        run_ids, texts = list(notes), list(map(rows.note_value, notes.values()))

        def work(tx: Transaction) -> bool:
            changed = tx.rows(
                "UPDATE runs SET note = given.note FROM unnest(%s::text[], %s::text[]) AS given (run_id, note) "
                "WHERE runs.run_id = given.run_id AND status = 'QUEUED' AND runs.note IS DISTINCT FROM given.note "
                "RETURNING 1",
                (run_ids, texts),
            )
            return bool(changed)

        changed = bool(run_ids) and self._database.write("store why runs wait", work, durable=False, repeatable=True)
        if changed:
            self._notifier.publish({"runs"})

    def add_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Set tags of a run."""

        def work(tx: Transaction) -> bool:
            found = _place_and_run(tx, run_id)
            if found is None:
                return False
            (_, number), run = found
            run = msgspec.structs.replace(run, tags={**run.tags, **tags})
            tx.send(
                "UPDATE runs SET body = %s, priority = %s, share = %s WHERE num = %s",
                (rows.run_body(run), run.priority, rows.share_number(run.share), number),
            )
            tx.send_each(
                "INSERT INTO run_tags (key, value, run_id) VALUES (%s, %s, %s) "
                "ON CONFLICT (run_id, key) DO UPDATE SET value = EXCLUDED.value",
                [(key, value, run_id) for key, value in tags.items()],
            )
            return True

        if self._database.write("tag a run", work):
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
        return [row[0] for row in self._database.read("read tag keys", statement)]

    def tag_values(self, key: str, *, prefix: str = "", limit: int = 100) -> list[str]:
        """Values in use for a tag key, sorted."""
        beginning = "left(t.value, 500)"
        next_row = f"SELECT t.value FROM run_tags t WHERE t.key = %(key)s AND {beginning}"
        in_order = f"ORDER BY {beginning} LIMIT 1"
        statement = (
            f"WITH RECURSIVE found (value) AS ((({next_row} >= left(%(prefix)s, 500) {in_order})) UNION ALL "
            f"SELECT ({next_row} > left(found.value, 500) {in_order}) "
            "FROM found WHERE starts_with(found.value, %(prefix)s)) "
            "SELECT value FROM found WHERE starts_with(value, %(prefix)s) LIMIT %(limit)s"
        )
        values = {"key": key, "prefix": prefix, "limit": limit}
        return [row[0] for row in self._database.read("read tag values", statement, values)]

    def delete(self, run_id: str) -> bool:
        """Remove an ended run with its events; asset history stays."""

        def work(tx: Transaction) -> bool:
            found = _place_and_run(tx, run_id)
            if found is None or found[1].status not in FINISHED:
                return False
            place, run = found
            tx.send("DELETE FROM events WHERE log = %s AND run = %s", place)
            tx.send("DELETE FROM steps WHERE run = %s", (place.run,))
            for table in ("run_tags", "planned_assets", "runs"):
                tx.send(f"DELETE FROM {table} WHERE run_id = %s", (run_id,))
            record_acts(tx, deleted_run(run))
            return True

        deleted = self._database.write("delete a run", work)
        if deleted:
            self._notifier.publish({"runs", f"run:{run_id}"})
        return deleted

    def snapshot(self, digest: str) -> bytes | None:
        """The JSON of the `JobDescription` stored under this hash."""
        found = self._database.read("read a job's snapshot", "SELECT body FROM snapshots WHERE digest = %s", (digest,))
        return found[0][0] if found else None


# Leaps from share to share along the index, so that a long line of one costs no more than a page.
_BY_SHARE = """
WHERE num IN (
    WITH RECURSIVE found (share) AS (
        SELECT MIN(share) FROM runs WHERE status = 'QUEUED'
        UNION ALL
        SELECT (SELECT MIN(r.share) FROM runs r WHERE r.status = 'QUEUED' AND r.share > found.share) FROM found
        WHERE found.share IS NOT NULL
    ), turns AS (
        SELECT q.num, q.run_id, q.priority,
               ROW_NUMBER() OVER (PARTITION BY found.share, q.priority ORDER BY q.run_id) AS turn
        FROM found CROSS JOIN LATERAL (
            SELECT r.num, r.run_id, r.priority FROM runs r WHERE r.status = 'QUEUED' AND r.share = found.share
            ORDER BY r.priority DESC, r.run_id LIMIT %s
        ) q WHERE found.share <> ALL(%s::int8[])
    )
    SELECT num FROM turns ORDER BY priority DESC, turn, run_id LIMIT %s
) ORDER BY priority DESC, run_id
"""


def _place_and_run(tx: Transaction, run_id: str) -> tuple[LogPlace, Run] | None:
    """A run, whose row nobody else changes before the end of the transaction."""
    row = tx.row(f"SELECT log, num, {rows.RUN} FROM runs WHERE run_id = %s FOR UPDATE", (run_id,))
    return None if row is None else (LogPlace(*row[:2]), rows.run(row[2:]))
