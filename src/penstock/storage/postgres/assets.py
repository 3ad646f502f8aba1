"""What is known of assets, in Postgres."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...codec import decode_json
from ...records.asset import AssetEvent, AssetState, CheckState, PartitionState, PartitionStatuses, PlannedAsset
from ...records.data_version import DataVersionState
from ...records.event import AssetFact, FreshnessStateChange
from ...records.freshness_state import AssetFreshness, FreshnessState
from ...records.lease import Lease
from .. import rows
from ..deeds import added_partitions, removed_partitions, reported_facts
from ..notifier import Notifier
from .acts import record_acts
from .connection import Database
from .dynamic_partitions import add_keys, remove_keys
from .leases import require_lease
from .ledger import report
from .transaction import Answer, Transaction

__all__ = ["PostgresAssets"]


class PostgresAssets:
    """`AssetStorage` on one Postgres database."""

    def __init__(self, database: Database, notifier: Notifier) -> None:
        self._database = database
        self._notifier = notifier

    def states(self, assets: Sequence[str] | None = None) -> dict[str, AssetState]:
        """The latest facts of these assets (None: of all that were ever planned, made or observed)."""
        statement = f"SELECT {rows.ASSET_STATE} FROM asset_states"
        values: list[Any] = []
        if assets is not None:
            statement += " WHERE asset = ANY(%s)"
            values = [list(assets)]
        found = self._database.read("read the states of assets", statement, values)
        return {row[0]: rows.asset_state(row) for row in found}

    def history(
        self,
        asset: str,
        *,
        types: Sequence[str] = ("ASSET_MATERIALIZATION", "ASSET_OBSERVATION"),
        partition: str | None = None,
        before: int | None = None,
        after: int | None = None,
        since: float | None = None,
        until: float | None = None,
        ascending: bool = False,
        limit: int = 100,
    ) -> list[AssetEvent]:
        """An asset's events, newest first or oldest first."""
        if not types:
            return []
        bounds = {
            "partition = %(partition)s": partition,
            "id < %(before)s": before,
            "id > %(after)s": after,
            "time > %(since)s": since,
            "time < %(until)s": until,
        }
        condition = "".join(f" AND {bound}" for bound, value in bounds.items() if value is not None)
        values: dict[str, Any] = {
            "asset": asset,
            "partition": partition,
            "before": before,
            "after": after,
            "since": since,
            "until": until,
            "limit": limit,
        }
        direction = "ASC" if ascending else "DESC"
        in_time = before is None and after is None and partition is None and not since is until is None
        order = f"ORDER BY {f'time {direction}, ' if in_time else ''}id {direction} LIMIT %(limit)s"
        walks = []
        for number, event_type in enumerate(dict.fromkeys(types)):
            values[f"type{number}"] = event_type
            walks.append(
                "(SELECT id, run_id, body, time FROM asset_events "
                f"WHERE asset = %(asset)s AND type = %(type{number})s{condition} {order})"
            )
        statement = f"{' UNION ALL '.join(walks)} {order}" if len(walks) > 1 else walks[0]
        found = self._database.read("read an asset's history", statement, values)
        return [rows.asset_event(row[:3]) for row in found]

    def latest_materializations(self, assets: Sequence[str]) -> dict[str, AssetEvent]:
        """The newest materialization of each asset."""
        found = self._database.read(
            "read materializations",
            "SELECT s.asset, e.id, e.run_id, e.body FROM asset_states s JOIN asset_events e "
            "ON e.id = s.materialized_event WHERE s.asset = ANY(%s)",
            (list(assets),),
        )
        return {row[0]: rows.asset_event(row[1:]) for row in found}

    def partition_states(self, asset: str, partitions: Sequence[str] | None = None) -> dict[str, PartitionState]:
        """What is known of these partitions (None: of all), by key; those of which nothing is are left out."""
        statement = f"SELECT {rows.PARTITION_STATE} FROM partition_states WHERE asset = %s"
        values: list[Any] = [asset]
        if partitions is not None:
            statement += " AND partition = ANY(%s)"
            values.append(list(partitions))
        found = self._database.read("read the states of partitions", statement, values)
        return {row[1]: rows.partition_state(row) for row in found}

    def partition_statuses(self, assets: Mapping[str, int]) -> dict[str, PartitionStatuses]:
        """Where all partitions of assets stand, in short. Assets without any are left out."""
        found = self._database.read(
            "read the statuses of partitions",
            "SELECT a.asset, l.letters, coalesce((SELECT json_agg(p.partition ORDER BY p.place)::text "
            "FROM partition_states p WHERE p.asset = a.asset AND p.place >= a.known), '[]') "
            "FROM unnest(%s::text[], %s::bigint[]) AS a (asset, known), LATERAL (SELECT "
            "string_agg(letters, '' ORDER BY segment) AS letters FROM partition_letters WHERE asset = a.asset) AS l "
            "WHERE l.letters IS NOT NULL",
            (list(assets), list(assets.values())),
        )
        return {row[0]: rows.partition_statuses(row) for row in found}

    def planned(self, run_ids: Sequence[str] | None = None) -> list[PlannedAsset]:
        """What these runs announced to make (None: what runs that have not ended are still to make)."""
        condition = "state = 'OPEN'" if run_ids is None else "run_id = ANY(%s)"
        found = self._database.read(
            "read what runs announced",
            f"SELECT run_id, asset, partition FROM planned_assets WHERE {condition}",
            () if run_ids is None else (list(run_ids),),
        )
        return [PlannedAsset(run_id=run_id, asset=asset, partition=key or None) for run_id, asset, key in found]

    def data_versions(self, assets: Sequence[str], *, partition: str | None = None) -> dict[str, DataVersionState]:
        """Which content each asset holds, or its partition of that key; those that were never made are left out."""
        found = self._database.read(
            "read data versions",
            f"SELECT {rows.DATA_VERSION} FROM data_versions WHERE asset = ANY(%s) AND partition = %s",
            (list(assets), partition or ""),
        )
        return {row[0]: rows.data_version(row) for row in found}

    def partition_data_versions(self, asset: str, partitions: Sequence[str]) -> dict[str, DataVersionState]:
        """Which content each of these partitions of an asset holds; those that were never made are left out."""
        found = self._database.read(
            "read data versions of partitions",
            f"SELECT {rows.DATA_VERSION} FROM data_versions "
            "WHERE asset = %s AND partition <> '' AND partition = ANY(%s)",
            (asset, list(partitions)),
        )
        return {row[1]: rows.data_version(row) for row in found}

    def check_states(self, assets: Sequence[str]) -> dict[str, CheckState]:
        """The latest execution of each check on these assets, by check key (`asset:name`)."""
        found = self._database.read(
            "read the states of checks",
            f"SELECT {rows.CHECK_STATE} FROM check_states s JOIN check_executions c ON c.id = s.execution "
            "WHERE s.asset = ANY(%s)",
            (list(assets),),
        )
        return {f"{row[0]}:{row[1]}": rows.check_state(row) for row in found}

    def check_history(self, asset: str, check: str, *, before: int | None = None, limit: int = 50) -> list[CheckState]:
        """Executions of one check, newest first; `before` is the `event` of the last one seen."""
        condition = "" if before is None else " AND c.event < %(before)s"
        found = self._database.read(
            "read a check's history",
            f"SELECT {rows.CHECK_STATE} FROM check_executions c "
            f"WHERE c.asset = %(asset)s AND c.name = %(name)s{condition} ORDER BY c.event DESC LIMIT %(limit)s",
            {"asset": asset, "name": check, "before": before, "limit": limit},
        )
        return [rows.check_state(row) for row in found]

    def freshness(
        self, assets: Sequence[str] | None = None, *, state: FreshnessState | None = None
    ) -> dict[str, AssetFreshness]:
        """How fresh these assets are, as it was told last."""
        conditions = ["TRUE"]
        if assets is not None:
            conditions.append("asset = ANY(%(assets)s)")
        if state is not None:
            conditions.append(f"state = '{state.value}'")  # by its name, so that the index of one of them is taken
        found = self._database.read(
            "read how fresh assets are",
            f"SELECT {rows.FRESHNESS} FROM freshness_states WHERE {' AND '.join(conditions)}",
            {"assets": list(assets or ())},
        )
        return {row[0]: rows.freshness(row) for row in found}

    def turn_freshness(self, changes: Sequence[FreshnessStateChange], *, lease: Lease, now: float) -> None:
        """Store that the freshness of assets has changed."""

        def turn(tx: Transaction) -> None:
            require_lease(tx, lease)
            report(tx, changes, now)

        self._database.write("store how fresh assets are", turn)
        self._notifier.publish({"assets"})

    def report(self, facts: Sequence[AssetFact], *, now: float) -> list[int]:
        """Store facts about assets that no run made; gives the event ids."""

        def work(tx: Transaction) -> Answer | None:
            record_acts(tx, reported_facts(facts))
            return report(tx, facts, now)

        last_id = self._database.write("store facts about assets", work)
        self._notifier.publish({"assets"})
        return (
            [] if last_id is None else [last + 1 + each for (last,) in last_id.rows() for each in range(-len(facts), 0)]
        )

    # -- dynamic partitions -------------------------------------------------------------------------------------------

    def dynamic_partitions(self, name: str) -> list[str]:
        """The keys of a dynamic partition set, in the order they were added."""
        ((keys,),) = self._database.read(
            "read dynamic partitions",
            "SELECT coalesce(json_agg(key ORDER BY place)::text, '[]') FROM dynamic_partitions WHERE name = %s",
            (name,),
        )
        return decode_json(keys, list[str])

    def add_dynamic_partitions(self, name: str, keys: Sequence[str]) -> list[str]:
        """Add keys; gives those that were new."""

        def work(tx: Transaction) -> list[str]:
            new = add_keys(tx, name, keys)
            record_acts(tx, added_partitions(name, new))
            return new

        new = self._database.write("add dynamic partitions", work)
        self._notifier.publish({"assets"})
        return new

    def delete_dynamic_partitions(self, name: str, keys: Sequence[str]) -> None:
        """Remove keys."""
        self._database.write(
            "remove dynamic partitions",
            lambda tx: record_acts(tx, removed_partitions(name, remove_keys(tx, name, keys))),
            repeatable=True,
        )
        self._notifier.publish({"assets"})
