"""What a run's facts about assets and checks change, row by row, inside the transaction that stores the facts."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby

from ...records.asset import PartitionStatus
from ...records.event import AssetCheckEvaluation, AssetCheckEvaluationPlanned, AssetWiped
from ...records.run import Run
from ..asset_facts import (
    HISTORY,
    LATEST,
    MADE_OR_SEEN,
    NumberedEvent,
    VersionedFact,
    freshness_rows,
    history_rows,
    made_facts,
    observed_facts,
    planned_rows,
    version_rows,
)
from ..derive import at_end
from ..rows import DATA_VERSION, FRESHNESS
from .listed import listed

__all__ = ["apply_asset_facts", "settle_planned"]


def apply_asset_facts(connection: sqlite3.Connection, run_id: str | None, events: Sequence[NumberedEvent]) -> None:
    """Keep the rows of assets, partitions and checks in step with these events, which are all of `ASSET_EVENTS`."""
    for event_type, group in groupby(events, key=lambda each: each[1].type):
        _APPLY[event_type](connection, run_id, list(group))


def settle_planned(connection: sqlite3.Connection, run: Run) -> bool:
    """At a run's end: say what becomes of what it announced and did not do. Gives whether it had announced anything."""
    assert run.ended is not None
    undone = at_end(run.status)
    planned = connection.execute(
        "SELECT asset, partition, state FROM planned_assets WHERE run_id = ?", (run.run_id,)
    ).fetchall()
    left = [(asset, partition) for asset, partition, state in planned if state == "OPEN"]
    connection.executemany(
        "UPDATE planned_assets SET state = 'LEFT' WHERE run_id = ? AND asset = ? AND partition = ?",
        [(run.run_id, asset, partition) for asset, partition in left],
    )
    partitions = [(asset, partition, run.run_id) for asset, partition in left if partition]
    if undone.partition is PartitionStatus.FAILED:
        connection.executemany(
            "UPDATE partition_states SET status = 'FAILED', updated = ? "
            "WHERE asset = ? AND partition = ? AND run_id = ? AND status = 'MATERIALIZING'",
            [(run.ended, *each) for each in partitions],
        )
        connection.executemany(
            "UPDATE asset_states SET failed_run = ?, failed_at = ? WHERE asset = ?",
            [(run.run_id, run.ended, asset) for asset in sorted({asset for asset, _ in left})],
        )
    else:
        connection.executemany(
            "DELETE FROM partition_states WHERE asset = ? AND partition = ? AND run_id = ? "
            "AND status = 'MATERIALIZING' AND event IS NULL",
            partitions,
        )
        connection.executemany(
            "UPDATE partition_states SET status = 'MATERIALIZED', updated = ?, "
            "run_id = (SELECT run_id FROM asset_events WHERE id = event) "
            "WHERE asset = ? AND partition = ? AND run_id = ? AND status = 'MATERIALIZING'",
            [(run.ended, *each) for each in partitions],
        )
    _forget_plan(connection, run.run_id, {asset for asset, _, _ in planned})
    checks = connection.execute(
        "UPDATE check_executions SET status = ?, updated = ? WHERE run_id = ? AND status = 'IN_PROGRESS'",
        (undone.check, run.ended, run.run_id),
    ).rowcount
    return bool(planned or checks)


def _forget_plan(connection: sqlite3.Connection, run_id: str, assets: Iterable[str]) -> None:
    """This run has nothing more to make of these assets: another that has takes its place."""
    connection.execute(
        "UPDATE asset_states SET (planned_run, planned_at) = (SELECT run_id, planned FROM planned_assets "
        "WHERE asset = asset_states.asset AND state = 'OPEN' ORDER BY planned DESC LIMIT 1) "
        "WHERE asset IN (SELECT value FROM json_each(?)) AND planned_run = ? AND NOT EXISTS "
        "(SELECT 1 FROM planned_assets WHERE run_id = ? AND asset = asset_states.asset AND state = 'OPEN')",
        (listed(assets), run_id, run_id),
    )


def _planned(connection: sqlite3.Connection, run_id: str | None, events: Sequence[NumberedEvent]) -> None:
    rows = planned_rows(events)
    connection.executemany(
        "INSERT INTO planned_assets (run_id, asset, partition, planned) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [(run_id, *row) for row in rows],
    )
    connection.executemany(
        "INSERT INTO asset_states (asset, planned_run, planned_at) VALUES (?, ?, ?) ON CONFLICT (asset) DO UPDATE "
        "SET planned_run = excluded.planned_run, planned_at = excluded.planned_at",
        [(asset, run_id, time) for asset, time in {asset: time for asset, _, time in rows}.items()],
    )
    connection.executemany(
        "INSERT INTO partition_states (asset, partition, status, run_id, updated) VALUES (?, ?, 'MATERIALIZING', ?, ?) "
        "ON CONFLICT (asset, partition) DO UPDATE "
        "SET status = excluded.status, run_id = excluded.run_id, updated = excluded.updated",
        [(asset, partition, run_id, time) for asset, partition, time in rows if partition],
    )


def _made(connection: sqlite3.Connection, run_id: str | None, events: Sequence[NumberedEvent]) -> None:
    made = made_facts(events)
    _keep_history(connection, run_id, events)
    _keep_versions(connection, run_id, made)
    connection.executemany(
        "INSERT INTO asset_states (asset, materialized_event, materialized_at, materialized_run) "
        "VALUES (?, ?, ?, ?) ON CONFLICT (asset) DO UPDATE SET materialized_event = excluded.materialized_event, "
        "materialized_at = excluded.materialized_at, materialized_run = excluded.materialized_run",
        [(fact.asset, number, time, run_id) for number, fact, time in made],
    )
    # While a later run is about to make a partition again, it stays in the hands of that run.
    connection.executemany(
        "INSERT INTO partition_states (asset, partition, status, run_id, event, updated, materialized_at) "
        "VALUES (:asset, :partition, 'MATERIALIZED', :run, :event, :time, :time) "
        "ON CONFLICT (asset, partition) DO UPDATE "
        "SET event = :event, materialized_at = :time, updated = :time, "
        "run_id = CASE WHEN status = 'MATERIALIZING' THEN run_id ELSE :run END, "
        "status = CASE WHEN status = 'MATERIALIZING' AND run_id IS NOT :run "
        "THEN status ELSE 'MATERIALIZED' END",
        [
            {"asset": fact.asset, "partition": fact.partition, "run": run_id, "event": number, "time": time}
            for number, fact, time in made
            if fact.partition is not None
        ],
    )
    if run_id is not None:
        connection.executemany(
            "UPDATE planned_assets SET state = 'MADE' WHERE run_id = ? AND asset = ? AND partition = ?",
            [(run_id, fact.asset, fact.partition or "") for _, fact, _ in made],
        )
        _forget_plan(connection, run_id, {fact.asset for _, fact, _ in made})


def _observed(connection: sqlite3.Connection, run_id: str | None, events: Sequence[NumberedEvent]) -> None:
    observed = observed_facts(events)
    _keep_history(connection, run_id, events)
    _keep_versions(connection, run_id, observed)
    connection.executemany(
        "INSERT INTO asset_states (asset, observed_event, observed_at) VALUES (?, ?, ?) ON CONFLICT (asset) "
        "DO UPDATE SET observed_event = excluded.observed_event, observed_at = excluded.observed_at",
        [(fact.asset, number, time) for number, fact, time in observed],
    )


def _check_planned(connection: sqlite3.Connection, run_id: str | None, events: Sequence[NumberedEvent]) -> None:
    for number, event, _ in events:
        fact = event.fact
        assert isinstance(fact, AssetCheckEvaluationPlanned)
        execution = connection.execute(
            "INSERT INTO check_executions (asset, name, partition, status, run_id, event, updated) "
            "VALUES (?, ?, ?, 'IN_PROGRESS', ?, ?, ?)",
            (fact.asset, fact.check, fact.partition or "", run_id, number, event.time),
        ).lastrowid
        _name_latest_check(connection, fact.asset, fact.check, execution)


def _checked(connection: sqlite3.Connection, run_id: str | None, events: Sequence[NumberedEvent]) -> None:
    _keep_history(connection, run_id, events)
    for number, event, body in events:
        fact = event.fact
        assert isinstance(fact, AssetCheckEvaluation)
        made = connection.execute(
            "SELECT materialized_at FROM partition_states WHERE asset = ? AND partition = ?"
            if fact.partition is not None
            else "SELECT materialized_at FROM asset_states WHERE asset = ?",
            (fact.asset, fact.partition) if fact.partition is not None else (fact.asset,),
        ).fetchone()
        result = (
            "SUCCEEDED" if fact.passed else "FAILED",
            number,
            event.time,
            None if made is None else made[0],
            body,
        )
        announced = connection.execute(
            "SELECT id FROM check_executions WHERE run_id = ? AND status = 'IN_PROGRESS' AND asset = ? AND name = ? "
            "AND partition IN (?, '') ORDER BY partition DESC LIMIT 1",
            (run_id, fact.asset, fact.check, fact.partition or ""),
        ).fetchone()
        if announced is not None:
            connection.execute(
                "UPDATE check_executions SET status = ?, event = ?, updated = ?, asset_materialized_at = ?, body = ? "
                "WHERE id = ?",
                (*result, announced[0]),
            )
            continue
        execution = connection.execute(
            "INSERT INTO check_executions "
            "(asset, name, partition, run_id, status, event, updated, asset_materialized_at, body) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (fact.asset, fact.check, fact.partition or "", run_id, *result),
        ).lastrowid
        _name_latest_check(connection, fact.asset, fact.check, execution)


def _keep_versions(connection: sqlite3.Connection, run_id: str | None, seen: Sequence[VersionedFact]) -> None:
    connection.executemany(
        f"INSERT OR REPLACE INTO data_versions ({DATA_VERSION}) "
        "VALUES (?1, ?2, ?3, ?4, ?5, COALESCE(?6, CAST(?3 AS TEXT)), ?7, ?8, ?9)",
        version_rows(run_id, seen),
    )


def _wiped(connection: sqlite3.Connection, _run_id: str | None, events: Sequence[NumberedEvent]) -> None:
    for _, event, _ in events:
        fact = event.fact
        assert isinstance(fact, AssetWiped)
        if fact.partitions is None:
            connection.execute(
                "DELETE FROM asset_events WHERE asset = ? AND type IN (?, ?)", (fact.asset, *MADE_OR_SEEN)
            )
            for table in ("asset_states", "partition_states", "data_versions"):
                connection.execute(f"DELETE FROM {table} WHERE asset = ?", (fact.asset,))
            continue
        parts = [(fact.asset, partition) for partition in fact.partitions]
        connection.executemany(
            "DELETE FROM asset_events WHERE asset = ? AND partition = ? AND type IN (?, ?)",
            [(*part, *MADE_OR_SEEN) for part in parts],
        )
        for table in ("partition_states", "data_versions"):
            connection.executemany(f"DELETE FROM {table} WHERE asset = ? AND partition = ?", parts)
        _name_latest_version(connection, fact.asset)
        for event_type, columns in LATEST.items():
            _name_latest_event(connection, fact.asset, event_type, columns)


def _name_latest_event(connection: sqlite3.Connection, asset: str, event_type: str, columns: Sequence[str]) -> None:
    """Say anew which event of that type is the asset's latest."""
    latest = connection.execute(
        "SELECT id, time, run_id FROM asset_events INDEXED BY asset_events_by_asset "
        "WHERE asset = ? AND type = ? ORDER BY id DESC LIMIT 1",
        (asset, event_type),
    ).fetchone()
    values = (latest or (None, None, None))[: len(columns)]
    assignments = ", ".join(f"{column} = ?" for column in columns)
    connection.execute(f"UPDATE asset_states SET {assignments} WHERE asset = ?", (*values, asset))


def _name_latest_version(connection: sqlite3.Connection, asset: str) -> None:
    """Say anew which content the asset holds as its latest event says, after versions of partitions are gone."""
    connection.execute("DELETE FROM data_versions WHERE asset = ? AND partition = ''", (asset,))
    connection.execute(
        "INSERT INTO data_versions (asset, partition, event, time, run_id, version, observed, code_version, inputs) "
        "SELECT asset, '', event, time, run_id, version, observed, code_version, inputs FROM data_versions "
        "WHERE asset = ? ORDER BY event DESC LIMIT 1",
        (asset,),
    )


def _keep_history(connection: sqlite3.Connection, run_id: str | None, events: Sequence[NumberedEvent]) -> None:
    connection.executemany(
        f"INSERT INTO asset_events ({HISTORY}) VALUES (?, ?, ?, ?, ?, ?, ?)", history_rows(run_id, events)
    )


def _name_latest_check(connection: sqlite3.Connection, asset: str, name: str, execution: int | None) -> None:
    connection.execute(
        "INSERT INTO check_states (asset, name, execution) VALUES (?, ?, ?) "
        "ON CONFLICT (asset, name) DO UPDATE SET execution = excluded.execution",
        (asset, name, execution),
    )


def _turned(connection: sqlite3.Connection, _run_id: str | None, events: Sequence[NumberedEvent]) -> None:
    connection.executemany(
        f"INSERT OR REPLACE INTO freshness_states ({FRESHNESS}) VALUES (?, ?, ?, ?)", freshness_rows(events)
    )


_Apply = Callable[[sqlite3.Connection, str | None, Sequence[NumberedEvent]], None]

_APPLY: Mapping[str, _Apply] = {
    "ASSET_MATERIALIZATION_PLANNED": _planned,
    "ASSET_MATERIALIZATION": _made,
    "ASSET_OBSERVATION": _observed,
    "ASSET_CHECK_EVALUATION_PLANNED": _check_planned,
    "ASSET_CHECK_EVALUATION": _checked,
    "ASSET_WIPED": _wiped,
    "FRESHNESS_STATE_CHANGE": _turned,
}
