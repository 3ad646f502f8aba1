"""The bulk way out of SQLite and into it."""

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
from .event_logs import ensure_log, event_table, insert_events, known_logs, over_logs
from .listed import listed

__all__ = ["SqliteArchive"]

_LAST = (1 << 63) - 1


class SqliteArchive:
    """`Archive` of one SQLite database."""

    def __init__(self, database: Database, notifier: Notifier) -> None:
        self._database = database
        self._notifier = notifier

    # -- out ----------------------------------------------------------------------------------------------------------

    def log(self, *, after: int = 0, limit: int = 1000) -> list[LoggedEvent]:
        """Events of all runs and of none, oldest first."""
        values = {"after": after, "limit": limit}
        page = "ORDER BY id LIMIT :limit"
        with self._database.read("read the event log") as connection:
            logs = known_logs(connection)
            select = f"SELECT {rows.LOGGED} FROM {{table}} e LEFT JOIN runs r ON r.num = e.run WHERE e.id > :after"
            logged = connection.execute(f"{over_logs(logs, select)} {page}", values).fetchall() if logs else []
            # No further than the page goes: the search for what is nowhere else would read the whole history.
            upto = logged[-1][0] if len(logged) == limit else _LAST
            nowhere = "".join(f" AND NOT EXISTS (SELECT 1 FROM {event_table(log)} WHERE id = e.id)" for log in logs)
            kept = connection.execute(
                f"SELECT {rows.KEPT} FROM asset_events e WHERE e.id > :after AND e.id < :upto{nowhere} {page}",
                {**values, "upto": upto},
            ).fetchall()
        merged = heapq.merge(map(rows.logged_event, logged), map(rows.kept_event, kept), key=lambda each: each.id)
        return list(itertools.islice(merged, limit))

    def ticks(self, *, after: int = 0, limit: int = 1000) -> list[Tick]:
        """Ticks of all schedules and sensors, oldest first."""
        with self._database.read("read ticks") as connection:
            found = connection.execute(
                f"SELECT {rows.TICK} FROM ticks WHERE id > ? ORDER BY id LIMIT ?", (after, limit)
            ).fetchall()
        return [rows.tick(row) for row in found]

    def acts(self, *, after: int = 0, limit: int = 1000) -> list[Act]:
        """What people did, the first one stored first."""
        with self._database.read("read acts") as connection:
            found = connection.execute(
                f"SELECT {act_rows.ACT} FROM acts WHERE id > ? ORDER BY id LIMIT ?", (after, limit)
            ).fetchall()
        return [act_rows.act(row) for row in found]

    def used_keys(self, *, after: tuple[str, str] = ("", ""), limit: int = 1000) -> list[UsedKey]:
        """Run keys that were used."""
        with self._database.read("read run keys") as connection:
            found = connection.execute(
                "SELECT instigator, run_key, run_id FROM run_keys WHERE (instigator, run_key) > (?, ?) "
                "ORDER BY instigator, run_key LIMIT ?",
                (*after, limit),
            ).fetchall()
        return [UsedKey(instigator=each[0], run_key=each[1], run_id=each[2]) for each in found]

    def partition_sets(self) -> list[str]:
        """The names of dynamic partition sets that have keys, sorted."""
        with self._database.read("read dynamic partitions") as connection:
            found = connection.execute("SELECT DISTINCT name FROM dynamic_partitions ORDER BY name").fetchall()
        return [row[0] for row in found]

    def tags(self, run_ids: Sequence[str]) -> dict[str, dict[str, str]]:
        """The tags by which these runs are found."""
        with self._database.read("read the tags of runs") as connection:
            found = connection.execute(
                "SELECT run_id, key, value FROM run_tags WHERE run_id IN (SELECT value FROM json_each(?))",
                (listed(run_ids),),
            ).fetchall()
        tags: dict[str, dict[str, str]] = defaultdict(dict)
        for run_id, key, value in found:
            tags[run_id][key] = value
        return tags

    # -- in -----------------------------------------------------------------------------------------------------------

    def load_runs(self, runs: Sequence[LoadedRun]) -> int:
        """Store ended runs; gives how many were new."""
        loaded = 0
        log = month_of(SYSTEM_CLOCK.now())
        with self._database.write("load runs") as connection:
            ensure_log(connection, log)
            for each in runs:
                run = each.run
                done = connection.execute(
                    f"INSERT INTO runs (log, {rows.NEW_RUN}) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    (log, *rows.new_run_values(run)),
                )
                if not done.rowcount:
                    continue
                loaded += 1
                if each.snapshot is not None:
                    connection.execute(
                        "INSERT INTO snapshots VALUES (?, ?) ON CONFLICT DO NOTHING", (run.snapshot, each.snapshot)
                    )
                connection.executemany(
                    "INSERT INTO run_tags (key, value, run_id) VALUES (?, ?, ?)",
                    [(key, value, run.run_id) for key, value in run.tags.items()],
                )
                connection.executemany(
                    f"INSERT INTO steps (run, place, {rows.STEP}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    [(done.lastrowid, place, *rows.step_values(step)) for place, step in enumerate(each.steps)],
                )
        self._notifier.publish({"runs"})
        return loaded

    def load_events(self, events: Sequence[LoggedEvent]) -> int:
        """Store events of loaded runs and all that follows from them for assets; gives how many were new."""
        with self._database.write("load events") as connection:
            last = connection.execute("SELECT value FROM counters WHERE name = 'event'").fetchone()[0]
            fresh = [each for each in events if each.id > last]
            if not fresh:
                return 0
            places = {
                run_id: LogPlace(log, number)
                for run_id, log, number in connection.execute(
                    "SELECT run_id, log, num FROM runs JOIN event_logs USING (log) "
                    "WHERE run_id IN (SELECT value FROM json_each(?))",
                    (listed({each.run_id for each in fresh if each.run_id is not None}),),
                )
            }
            logged: dict[int, list[rows.Row]] = defaultdict(list)
            of_none = LogPlace(month_of(SYSTEM_CLOCK.now()), None)
            for each in fresh:
                place = of_none if each.run_id is None else places.get(each.run_id)
                if place is not None and not each.kept:
                    event, body = encode_event(each.event)
                    values = (each.id, place.run, each.attempt, event.seq, event.time, event.type, event.step_key, body)
                    logged[place.log].append(values)
            for log, several in logged.items():
                ensure_log(connection, log)
                insert_events(connection, log, several)
            for run_id, facts, ended in stretches(fresh):
                if facts:
                    apply_asset_facts(connection, run_id, facts)
                if ended is not None:
                    settle_planned(connection, ended)
            connection.execute("UPDATE counters SET value = ? WHERE name = 'event'", (fresh[-1].id,))
        self._notifier.publish({"assets"})
        return len(fresh)

    def load_instigators(self, states: Sequence[InstigatorState], keys: Sequence[UsedKey]) -> int:
        """Store switches and cursors of schedules and sensors that have none, and used run keys."""
        with self._database.write("load schedules and sensors") as connection:
            before = connection.total_changes
            connection.executemany(
                f"INSERT INTO instigators ({rows.INSTIGATOR}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT DO NOTHING",
                [rows.instigator_values(state) for state in states],
            )
            connection.executemany(
                "INSERT INTO run_keys (instigator, run_key, run_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                [(each.instigator, each.run_key, each.run_id) for each in keys],
            )
            loaded = connection.total_changes - before
        self._notifier.publish({"instigators"})
        return loaded

    def load_ticks(self, ticks: Sequence[Tick]) -> int:
        """Store ticks, under new ids in this order; gives how many were new."""
        with self._database.write("load ticks") as connection:
            before = connection.total_changes
            connection.executemany(
                "INSERT INTO ticks (instigator, due, status, started, attempt, body) VALUES (?, ?, ?, ?, ?, ?) "
                "ON CONFLICT DO NOTHING",
                [
                    (each.instigator, each.due, each.status, each.started, each.attempt, encode_msgpack(each))
                    for each in ticks
                ],
            )
            loaded = connection.total_changes - before
        self._notifier.publish({"instigators"})
        return loaded

    def load_acts(self, acts: Sequence[Act]) -> int:
        """Store what people did elsewhere; gives how many were new."""
        loaded = 0
        with self._database.write("load acts") as connection:
            for act in acts:
                subject, *_, time, body = values = act_rows.act_values(act)
                loaded += connection.execute(
                    f"INSERT INTO acts ({act_rows.NEW_ACT}) SELECT ?, ?, ?, ?, ? WHERE NOT EXISTS "
                    "(SELECT 1 FROM acts INDEXED BY acts_by_time WHERE time = ? AND subject = ? AND body = ?)",
                    (*values, time, subject, body),
                ).rowcount
        return loaded
