"""The bulk way out of Postgres and into it."""

from __future__ import annotations

import heapq
import itertools
from collections import defaultdict
from collections.abc import Sequence

from ...clock import SYSTEM_CLOCK
from ...codec import encode_msgpack
from ...records.act import Act
from ...records.automation import InstigatorState, Tick
from .. import act_rows, rows
from ..archive import LoadedRun, LoggedEvent, UsedKey, stretches
from ..encoding import encode_event
from ..months import LogPlace, month_of
from ..notifier import Notifier
from .asset_rows import apply_asset_facts, settle_planned
from .connection import Database
from .event_logs import copy_events, ensure_logs
from .ledger import RUN_VALUES
from .transaction import Transaction

__all__ = ["PostgresArchive"]


class PostgresArchive:
    """`Archive` of one Postgres database."""

    def __init__(self, database: Database, notifier: Notifier) -> None:
        self._database = database
        self._notifier = notifier

    # -- out ----------------------------------------------------------------------------------------------------------

    def log(self, *, after: int = 0, limit: int = 1000) -> list[LoggedEvent]:
        """Events of all runs and of none, oldest first."""
        # One statement for both, so that they are of one moment; and the second goes no further than the page does: its
        # search for what is nowhere else would read the whole history. A count looks each one up; an anti-join would
        # read all events for a page.
        found = self._database.read(
            "read the event log",
            f"WITH page AS (SELECT {rows.LOGGED} FROM events e LEFT JOIN runs r ON r.num = e.run "
            "WHERE e.id > %(after)s ORDER BY e.id LIMIT %(limit)s), "
            "upto AS (SELECT CASE WHEN COUNT(*) = %(limit)s THEN MAX(id) ELSE 9223372036854775807 END AS id FROM page) "
            "(SELECT TRUE, page.* FROM page) UNION ALL "
            f"(SELECT FALSE, {rows.KEPT} FROM asset_events e WHERE e.id > %(after)s AND e.id < (SELECT id FROM upto) "
            "AND (SELECT COUNT(*) FROM events WHERE id = e.id) = 0 ORDER BY e.id LIMIT %(limit)s)",
            {"after": after, "limit": limit},
        )
        logged = sorted((rows.logged_event(row[1:]) for row in found if row[0]), key=lambda each: each.id)
        kept = sorted((rows.kept_event(row[1:]) for row in found if not row[0]), key=lambda each: each.id)
        return list(itertools.islice(heapq.merge(logged, kept, key=lambda each: each.id), limit))

    def ticks(self, *, after: int = 0, limit: int = 1000) -> list[Tick]:
        """Ticks of all schedules and sensors, oldest first."""
        found = self._database.read(
            "read ticks", f"SELECT {rows.TICK} FROM ticks WHERE id > %s ORDER BY id LIMIT %s", (after, limit)
        )
        return [rows.tick(row) for row in found]

    def acts(self, *, after: int = 0, limit: int = 1000) -> list[Act]:
        """What people did, the first one stored first."""
        found = self._database.read(
            "read acts", f"SELECT {act_rows.ACT} FROM acts WHERE id > %s ORDER BY id LIMIT %s", (after, limit)
        )
        return [act_rows.act(row) for row in found]

    def used_keys(self, *, after: tuple[str, str] = ("", ""), limit: int = 1000) -> list[UsedKey]:
        """Run keys that were used."""
        found = self._database.read(
            "read run keys",
            "SELECT instigator, run_key, run_id FROM run_keys WHERE (instigator, run_key) > (%s, %s) "
            "ORDER BY instigator, run_key LIMIT %s",
            (*after, limit),
        )
        return [UsedKey(instigator=each[0], run_key=each[1], run_id=each[2]) for each in found]

    def partition_sets(self) -> list[str]:
        """The names of dynamic partition sets that have keys, sorted."""
        found = self._database.read(
            "read dynamic partitions", "SELECT DISTINCT name FROM dynamic_partitions ORDER BY name"
        )
        return [row[0] for row in found]

    def tags(self, run_ids: Sequence[str]) -> dict[str, dict[str, str]]:
        """The tags by which these runs are found."""
        found = self._database.read(
            "read the tags of runs",
            "SELECT run_id, key, value FROM run_tags WHERE run_id = ANY(%s)",
            (list(run_ids),),
        )
        tags: dict[str, dict[str, str]] = defaultdict(dict)
        for run_id, key, value in found:
            tags[run_id][key] = value
        return tags

    # -- in -----------------------------------------------------------------------------------------------------------

    def load_runs(self, runs: Sequence[LoadedRun]) -> int:
        """Store ended runs; gives how many were new."""
        log = month_of(SYSTEM_CLOCK.now())

        def work(tx: Transaction) -> int:
            wanted = [each.run.run_id for each in runs]
            known = {row[0] for row in tx.rows("SELECT run_id FROM runs WHERE run_id = ANY(%s)", (wanted,))}
            fresh = [each for each in runs if each.run.run_id not in known]
            numbers = tx.rows("SELECT nextval('run_numbers') FROM generate_series(1, %s)", (len(fresh),))
            numbered = [(number, each) for (number,), each in zip(numbers, fresh, strict=True)]
            tx.send_each(
                "INSERT INTO snapshots VALUES (%s, %s) ON CONFLICT DO NOTHING",
                [(each.run.snapshot, each.snapshot) for each in fresh if each.snapshot is not None],
            )
            tx.send_each(
                f"INSERT INTO runs (log, num, {rows.NEW_RUN}) "
                f"VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, {RUN_VALUES})",
                [(log, number, *rows.new_run_values(each.run)) for number, each in numbered],
            )
            tx.send_all(
                "INSERT INTO run_tags (key, value, run_id) SELECT * FROM {rows} AS given",
                "text text text",
                [(key, value, each.run.run_id) for each in fresh for key, value in each.run.tags.items()],
            )
            tx.send_all(
                f"INSERT INTO steps (run, place, {rows.STEP}) SELECT * FROM {{rows}} AS given",
                "int8 int8 text text float8 float8 float8 bytea",
                [
                    (number, place, *rows.step_values(step))
                    for number, each in numbered
                    for place, step in enumerate(each.steps)
                ],
            )
            ensure_logs(tx, [log])
            return len(fresh)

        loaded = self._database.write("load runs", work)
        self._notifier.publish({"runs"})
        return loaded

    def load_events(self, events: Sequence[LoggedEvent]) -> int:
        """Store events of loaded runs and all that follows from them for assets; gives how many were new."""
        of_none = LogPlace(month_of(SYSTEM_CLOCK.now()), None)

        def work(tx: Transaction) -> int:
            counted = tx.row("SELECT value FROM counters WHERE name = 'event' FOR UPDATE")
            assert counted is not None
            fresh = [each for each in events if each.id > counted[0]]
            if not fresh:
                return 0
            run_ids = sorted({each.run_id for each in fresh if each.run_id is not None})
            found = tx.rows(
                "SELECT run_id, log, num FROM runs JOIN event_logs USING (log) WHERE run_id = ANY(%s)", (run_ids,)
            )
            places = {run_id: LogPlace(log, number) for run_id, log, number in found}
            logged = []
            for each in fresh:
                place = of_none if each.run_id is None else places.get(each.run_id)
                if place is not None and not each.kept:
                    event, body = encode_event(each.event)
                    values = (*place, each.id, each.attempt, event.seq, event.time, event.type, event.step_key, body)
                    logged.append(values)
            ensure_logs(tx, {values[0] for values in logged})
            copy_events(tx, logged)
            last = fresh[-1].id
            with tx.pipelined():
                tx.send("UPDATE counters SET value = %s WHERE name = 'event'", (last,))
                for run_id, facts, ended in stretches(fresh):
                    if facts:
                        apply_asset_facts(tx, run_id, [(number - last, event, body) for number, event, body in facts])
                    if ended is not None:
                        settle_planned(tx, ended)
            return len(fresh)

        loaded = self._database.write("load events", work, pipelined=False)
        self._notifier.publish({"assets"})
        return loaded

    def load_instigators(self, states: Sequence[InstigatorState], keys: Sequence[UsedKey]) -> int:
        """Store switches and cursors of schedules and sensors that have none, and used run keys."""

        def work(tx: Transaction) -> int:
            loaded = 0
            for state in states:
                loaded += len(
                    tx.rows(
                        f"INSERT INTO instigators ({rows.INSTIGATOR}) "
                        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) "
                        "ON CONFLICT DO NOTHING RETURNING 1",
                        rows.instigator_values(state),
                    )
                )
            given = [
                [each.instigator for each in keys],
                [each.run_key for each in keys],
                [each.run_id for each in keys],
            ]
            loaded += len(
                tx.rows(
                    "INSERT INTO run_keys (instigator, run_key, run_id) SELECT * FROM "
                    "unnest(%s::text[], %s::text[], %s::text[]) ON CONFLICT DO NOTHING RETURNING 1",
                    given,
                )
            )
            return loaded

        loaded = self._database.write("load schedules and sensors", work)
        self._notifier.publish({"instigators"})
        return loaded

    def load_ticks(self, ticks: Sequence[Tick]) -> int:
        """Store ticks, under new ids in this order; gives how many were new."""

        def work(tx: Transaction) -> int:
            given = [
                [each.instigator for each in ticks],
                [each.due for each in ticks],
                [each.status.value for each in ticks],
                [each.started for each in ticks],
                [each.attempt for each in ticks],
                [encode_msgpack(each) for each in ticks],
            ]
            found = tx.rows(
                "INSERT INTO ticks (instigator, due, status, started, attempt, body) "
                "SELECT instigator, due, status, started, attempt, body FROM unnest"
                "(%s::text[], %s::float8[], %s::text[], %s::float8[], %s::bigint[], %s::bytea[]) "
                "WITH ORDINALITY AS given (instigator, due, status, started, attempt, body, place) ORDER BY place "
                "ON CONFLICT DO NOTHING RETURNING 1",
                given,
            )
            return len(found)

        loaded = self._database.write("load ticks", work)
        self._notifier.publish({"instigators"})
        return loaded

    def load_acts(self, acts: Sequence[Act]) -> int:
        """Store what people did elsewhere; gives how many were new."""

        def work(tx: Transaction) -> int:
            added = []
            for act in acts:
                subject, *_, time, body = values = act_rows.act_values(act)
                statement = (
                    f"INSERT INTO acts ({act_rows.NEW_ACT}) SELECT %s, %s, %s, %s, %s WHERE NOT EXISTS "
                    "(SELECT 1 FROM acts WHERE time = %s AND subject = %s AND body = %s)"
                )
                added.append(tx.ask(statement, (*values, time, subject, body)))
            tx.sync()
            return sum(answer.count for answer in added)

        return self._database.write("load acts", work, repeatable=True)
