"""What a run's facts about assets and checks change, row by row, inside the transaction that stores the facts.

No statement here waits for an answer: the counter of events is held meanwhile, which lets these rows' writers in one
after the other. So an event's number is not its id yet, but the distance of that from the last id that was taken: the
statements count from `LAST_ID`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
from .event_logs import LAST_ID
from .transaction import Row, Transaction

__all__ = ["apply_asset_facts", "settle_planned"]


def apply_asset_facts(tx: Transaction, run_id: str | None, events: Sequence[NumberedEvent]) -> None:
    """Keep the rows of assets, partitions and checks in step with these events, which are all of `ASSET_EVENTS`.

    Each has as its number the distance of its id from the last one, which this transaction has taken.
    """
    for event_type, group in groupby(events, key=lambda each: each[1].type):
        _APPLY[event_type](tx, run_id, list(group))


def settle_planned(tx: Transaction, run: Run) -> None:
    """At a run's end: say what becomes of what it announced and did not do."""
    undone = at_end(run.status)
    values = {"run": run.run_id, "ended": run.ended, "check": undone.check}
    left = "p.run_id = %(run)s AND p.state = 'OPEN'"
    in_hand = (
        f"FROM planned_assets p WHERE {left} AND p.partition <> '' AND s.asset = p.asset AND s.partition = p.partition "
        "AND s.run_id = %(run)s AND s.status = 'MATERIALIZING'"
    )
    if undone.partition is PartitionStatus.FAILED:
        tx.send(f"UPDATE partition_states s SET status = 'FAILED', updated = %(ended)s {in_hand}", values)
        tx.send(
            "UPDATE asset_states SET failed_run = %(run)s, failed_at = %(ended)s "
            f"WHERE asset IN (SELECT asset FROM planned_assets p WHERE {left})",
            values,
        )
    else:
        tx.send(
            f"DELETE FROM partition_states s USING {in_hand.removeprefix('FROM ')} AND s.event IS NULL",
            values,
        )
        tx.send(
            "UPDATE partition_states s SET status = 'MATERIALIZED', updated = %(ended)s, "
            f"run_id = (SELECT e.run_id FROM asset_events e WHERE e.id = s.event) {in_hand}",
            values,
        )
    tx.send("UPDATE planned_assets SET state = 'LEFT' WHERE run_id = %(run)s AND state = 'OPEN'", values)
    _forget_plan(tx, run.run_id, "IN (SELECT p.asset FROM planned_assets p WHERE p.run_id = %(run)s)", {})
    tx.send(
        "UPDATE check_executions SET status = %(check)s, updated = %(ended)s "
        "WHERE run_id = %(run)s AND status = 'IN_PROGRESS'",
        values,
    )


def _forget_plan(tx: Transaction, run_id: str, assets: str, values: Mapping[str, object]) -> None:
    """This run has nothing more to make of these assets (a condition): another that has takes its place."""
    tx.send(
        "UPDATE asset_states s SET (planned_run, planned_at) = (SELECT p.run_id, p.planned FROM planned_assets p "
        "WHERE p.asset = s.asset AND p.state = 'OPEN' ORDER BY p.planned DESC LIMIT 1) "
        f"WHERE s.asset {assets} AND s.planned_run = %(run)s AND NOT EXISTS "
        "(SELECT 1 FROM planned_assets p WHERE p.run_id = %(run)s AND p.asset = s.asset AND p.state = 'OPEN')",
        {**values, "run": run_id},
    )


def _planned(tx: Transaction, run_id: str | None, events: Sequence[NumberedEvent]) -> None:
    rows = planned_rows(events)
    tx.send_all(
        "INSERT INTO planned_assets (run_id, asset, partition, planned) SELECT * FROM {rows} AS given "
        "ON CONFLICT DO NOTHING",
        "text text text float8",
        [(run_id, *row) for row in rows],
    )
    tx.send_all(
        "INSERT INTO asset_states (asset, planned_run, planned_at) SELECT * FROM {rows} AS given "
        "ON CONFLICT (asset) DO UPDATE SET planned_run = EXCLUDED.planned_run, planned_at = EXCLUDED.planned_at",
        "text text float8",
        _last_of(1, [(asset, run_id, time) for asset, _, time in rows]),
    )
    tx.send_all(
        "INSERT INTO partition_states (asset, partition, status, run_id, updated) SELECT * FROM {rows} AS given "
        "ON CONFLICT (asset, partition) DO UPDATE "
        "SET status = EXCLUDED.status, run_id = EXCLUDED.run_id, updated = EXCLUDED.updated",
        "text text text text float8",
        _last_of(2, [(asset, part, "MATERIALIZING", run_id, time) for asset, part, time in rows if part]),
    )


def _made(tx: Transaction, run_id: str | None, events: Sequence[NumberedEvent]) -> None:
    made = made_facts(events)
    _keep_history(tx, run_id, events)
    _keep_versions(tx, run_id, made)
    tx.send_all(
        "INSERT INTO asset_states (asset, materialized_event, materialized_at, materialized_run) "
        f"SELECT asset, {LAST_ID} + event, time, run_id FROM {{rows}} AS made (asset, event, time, run_id) "
        "ON CONFLICT (asset) DO UPDATE SET materialized_event = EXCLUDED.materialized_event, "
        "materialized_at = EXCLUDED.materialized_at, materialized_run = EXCLUDED.materialized_run",
        "text int8 float8 text",
        _last_of(1, [(fact.asset, number, time, run_id) for number, fact, time in made]),
    )
    # While a later run is about to make a partition again, it stays in the hands of that run.
    tx.send_all(
        "INSERT INTO partition_states AS s (asset, partition, status, run_id, event, updated, materialized_at) "
        f"SELECT asset, partition, 'MATERIALIZED', run_id, {LAST_ID} + event, time, time "
        "FROM {rows} AS made (asset, partition, run_id, event, time) ON CONFLICT (asset, partition) DO UPDATE "
        "SET event = EXCLUDED.event, materialized_at = EXCLUDED.materialized_at, updated = EXCLUDED.updated, "
        "run_id = CASE WHEN s.status = 'MATERIALIZING' THEN s.run_id ELSE EXCLUDED.run_id END, "
        "status = CASE WHEN s.status = 'MATERIALIZING' AND s.run_id IS DISTINCT FROM EXCLUDED.run_id "
        "THEN s.status ELSE 'MATERIALIZED' END",
        "text text text int8 float8",
        _last_of(
            2,
            [
                (fact.asset, fact.partition, run_id, number, time)
                for number, fact, time in made
                if fact.partition is not None
            ],
        ),
    )
    if run_id is not None:
        tx.send_all(
            "UPDATE planned_assets p SET state = 'MADE' FROM {rows} AS made (run_id, asset, partition) "
            "WHERE p.run_id = made.run_id AND p.asset = made.asset AND p.partition = made.partition",
            "text text text",
            [(run_id, fact.asset, fact.partition or "") for _, fact, _ in made],
        )
        assets = sorted({fact.asset for _, fact, _ in made})
        _forget_plan(tx, run_id, "= ANY((SELECT %(assets)s)::text[])", {"assets": assets})


def _observed(tx: Transaction, run_id: str | None, events: Sequence[NumberedEvent]) -> None:
    observed = observed_facts(events)
    _keep_history(tx, run_id, events)
    _keep_versions(tx, run_id, observed)
    tx.send_all(
        f"INSERT INTO asset_states (asset, observed_event, observed_at) SELECT asset, {LAST_ID} + event, time "
        "FROM {rows} AS observed (asset, event, time) "
        "ON CONFLICT (asset) "
        "DO UPDATE SET observed_event = EXCLUDED.observed_event, observed_at = EXCLUDED.observed_at",
        "text int8 float8",
        _last_of(1, [(fact.asset, number, time) for number, fact, time in observed]),
    )


_NAME_LATEST_CHECK = (
    "INSERT INTO check_states (asset, name, execution) SELECT asset, name, MAX(id) FROM made GROUP BY asset, name "
    "ON CONFLICT (asset, name) DO UPDATE SET execution = EXCLUDED.execution"
)


def _check_planned(tx: Transaction, run_id: str | None, events: Sequence[NumberedEvent]) -> None:
    rows = []
    for number, event, _ in events:
        fact = event.fact
        assert isinstance(fact, AssetCheckEvaluationPlanned)
        rows.append((fact.asset, fact.check, fact.partition or "", run_id, number, event.time))
    tx.send_all(
        "WITH made AS (INSERT INTO check_executions (asset, name, partition, status, run_id, event, updated) "
        f"SELECT asset, name, partition, 'IN_PROGRESS', run_id, {LAST_ID} + event, time FROM {{rows}} AS "
        f"given (asset, name, partition, run_id, event, time) RETURNING id, asset, name) {_NAME_LATEST_CHECK}",
        "text text text text int8 float8",
        rows,
    )


def _checked(tx: Transaction, run_id: str | None, events: Sequence[NumberedEvent]) -> None:
    """A result goes to the execution that the run announced, or makes one of its own."""
    _keep_history(tx, run_id, events)
    for number, event, body in events:
        fact = event.fact
        assert isinstance(fact, AssetCheckEvaluation)
        of_partition = " AND partition = %(partition)s" if fact.partition is not None else ""
        made_at = (
            f"(SELECT materialized_at FROM {'partition' if of_partition else 'asset'}_states "
            f"WHERE asset = %(asset)s{of_partition})"
        )
        tx.send(
            "WITH announced AS (SELECT id FROM check_executions WHERE run_id = %(run)s AND status = 'IN_PROGRESS' "
            "AND asset = %(asset)s AND name = %(name)s AND partition IN (%(partition)s, '') "
            "ORDER BY partition DESC LIMIT 1), "
            f"told AS (UPDATE check_executions SET status = %(status)s, event = {LAST_ID} + %(event)s, "
            f"updated = %(time)s, asset_materialized_at = {made_at}, body = %(body)s "
            "WHERE id IN (SELECT id FROM announced)), "
            "made AS (INSERT INTO check_executions "
            "(asset, name, partition, run_id, status, event, updated, asset_materialized_at, body) "
            f"SELECT %(asset)s, %(name)s, %(partition)s, %(run)s, %(status)s, {LAST_ID} + %(event)s, %(time)s, "
            f"{made_at}, %(body)s WHERE NOT EXISTS (SELECT 1 FROM announced) RETURNING id, asset, name) "
            f"{_NAME_LATEST_CHECK}",
            {
                "asset": fact.asset,
                "name": fact.check,
                "partition": fact.partition or "",
                "run": run_id,
                "status": "SUCCEEDED" if fact.passed else "FAILED",
                "event": number,
                "time": event.time,
                "body": body,
            },
        )


def _keep_versions(tx: Transaction, run_id: str | None, seen: Sequence[VersionedFact]) -> None:
    changed = ", ".join(f"{column} = EXCLUDED.{column}" for column in DATA_VERSION.split(", ")[2:])
    tx.send_all(
        f"INSERT INTO data_versions ({DATA_VERSION}) SELECT asset, partition, {LAST_ID} + event, time, run_id, "
        f"coalesce(version, ({LAST_ID} + event)::text), observed, code_version, inputs "
        f"FROM {{rows}} AS seen ({DATA_VERSION}) ON CONFLICT (asset, partition) DO UPDATE SET {changed}",
        "text text int8 float8 text text bool text text",
        _last_of(2, version_rows(run_id, seen)),
    )


def _wiped(tx: Transaction, _run_id: str | None, events: Sequence[NumberedEvent]) -> None:
    for _, event, _ in events:
        fact = event.fact
        assert isinstance(fact, AssetWiped)
        condition, values = "asset = %(asset)s", {"asset": fact.asset, "types": list(MADE_OR_SEEN)}
        if fact.partitions is not None:
            condition += " AND partition = ANY(%(partitions)s)"
            values["partitions"] = list(fact.partitions)
        tx.send(f"DELETE FROM asset_events WHERE {condition} AND type = ANY(%(types)s)", values)
        for table in ("partition_states", "data_versions"):
            tx.send(f"DELETE FROM {table} WHERE {condition}", values)
        if fact.partitions is None:
            tx.send("DELETE FROM asset_states WHERE asset = %(asset)s", values)
        else:
            _name_latest(tx, fact.asset)


def _name_latest(tx: Transaction, asset: str) -> None:
    """Say anew which events are the asset's latest, and which content it holds, after partitions are gone."""
    tx.send("DELETE FROM data_versions WHERE asset = %s AND partition = ''", (asset,))
    kept = DATA_VERSION.removeprefix("asset, partition, ")
    tx.send(
        f"INSERT INTO data_versions ({DATA_VERSION}) SELECT asset, '', {kept} FROM data_versions "
        "WHERE asset = %s ORDER BY event DESC LIMIT 1",
        (asset,),
    )
    for event_type, columns in LATEST.items():
        named = ", ".join(("id", "time", "run_id")[: len(columns)])
        tx.send(
            f"UPDATE asset_states SET ({', '.join(columns)}) = (SELECT {named} FROM asset_events "
            "WHERE asset = %s AND type = %s ORDER BY id DESC LIMIT 1) WHERE asset = %s",
            (asset, event_type, asset),
        )


def _keep_history(tx: Transaction, run_id: str | None, events: Sequence[NumberedEvent]) -> None:
    tx.send_all(
        f"INSERT INTO asset_events ({HISTORY}) SELECT {LAST_ID} + id, asset, partition, type, time, run_id, body "
        f"FROM {{rows}} AS told ({HISTORY})",
        "int8 text text text float8 text bytea",
        history_rows(run_id, events),
    )


def _turned(tx: Transaction, _run_id: str | None, events: Sequence[NumberedEvent]) -> None:
    tx.send_all(
        f"INSERT INTO freshness_states ({FRESHNESS}) SELECT asset, state, since, {LAST_ID} + event "
        f"FROM {{rows}} AS told ({FRESHNESS}) ON CONFLICT (asset) DO UPDATE "
        "SET state = EXCLUDED.state, since = EXCLUDED.since, event = EXCLUDED.event",
        "text text float8 int8",
        freshness_rows(events),
    )


def _last_of(columns: int, rows: Sequence[Row]) -> list[Row]:
    """Of rows that are alike in so many first columns the last one: a statement changes a row once."""
    return list({row[:columns]: row for row in rows}.values())


_APPLY: Mapping[str, Callable[[Transaction, str | None, Sequence[NumberedEvent]], None]] = {
    "ASSET_MATERIALIZATION_PLANNED": _planned,
    "ASSET_MATERIALIZATION": _made,
    "ASSET_OBSERVATION": _observed,
    "ASSET_CHECK_EVALUATION_PLANNED": _check_planned,
    "ASSET_CHECK_EVALUATION": _checked,
    "ASSET_WIPED": _wiped,
    "FRESHNESS_STATE_CHANGE": _turned,
}
