"""What is known of assets, in SQLite."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Mapping, Sequence

from ...codec import decode_json, encode_json
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
from .listed import listed

__all__ = ["SqliteAssets"]


class SqliteAssets:
    """`AssetStorage` on one SQLite database."""

    def __init__(self, database: Database, notifier: Notifier) -> None:
        self._database = database
        self._notifier = notifier

    def states(self, assets: Sequence[str] | None = None) -> dict[str, AssetState]:
        """The latest facts of these assets (None: of all that were ever planned, made or observed)."""
        statement = f"SELECT {rows.ASSET_STATE} FROM asset_states"
        values: tuple[str, ...] = ()
        if assets is not None:
            statement += " WHERE asset IN (SELECT value FROM json_each(?))"
            values = (listed(assets),)
        with self._database.read("read the states of assets") as connection:
            found = connection.execute(statement, values).fetchall()
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
        index, condition = "asset_events_by_asset", "asset = :asset"
        in_time = before is None and after is None and partition is None and not since is until is None
        if in_time or (until if ascending else since) is not None:
            index = "asset_events_by_time"
        if partition is not None:
            index = "asset_events_by_partition"
            condition += " AND partition = :partition AND partition IS NOT NULL"
        bounds = {"id < :before": before, "id > :after": after, "time > :since": since, "time < :until": until}
        condition += "".join(f" AND {bound}" for bound, value in bounds.items() if value is not None)
        direction = "ASC" if ascending else "DESC"
        order = f"time {direction}, id {direction}" if in_time else f"id {direction}"
        statement = (
            f"SELECT id, run_id, body, time FROM asset_events INDEXED BY {index} "
            f"WHERE {condition} AND type = :type ORDER BY {order} LIMIT :limit"
        )
        values = {
            "asset": asset,
            "partition": partition,
            "before": before,
            "after": after,
            "since": since,
            "until": until,
            "limit": limit,
        }
        with self._database.read("read an asset's history") as connection:
            found = [
                connection.execute(statement, {**values, "type": event_type}).fetchall()
                for event_type in dict.fromkeys(types)
            ]
        merged = heapq.merge(*found, key=lambda row: (in_time and row[3], row[0]), reverse=not ascending)
        return [rows.asset_event(row[:3]) for row in itertools.islice(merged, limit)]

    def latest_materializations(self, assets: Sequence[str]) -> dict[str, AssetEvent]:
        """The newest materialization of each asset."""
        with self._database.read("read materializations") as connection:
            found = connection.execute(
                "SELECT s.asset, e.id, e.run_id, e.body FROM asset_states s CROSS JOIN asset_events e "
                "ON e.id = s.materialized_event WHERE s.asset IN (SELECT value FROM json_each(?))",
                (listed(assets),),
            ).fetchall()
        return {row[0]: rows.asset_event(row[1:]) for row in found}

    def partition_states(self, asset: str, partitions: Sequence[str] | None = None) -> dict[str, PartitionState]:
        """What is known of these partitions (None: of all), by key; those of which nothing is are left out."""
        statement = f"SELECT {rows.PARTITION_STATE} FROM partition_states WHERE asset = ?"
        values: tuple[str, ...] = (asset,)
        if partitions is not None:
            statement += " AND partition IN (SELECT value FROM json_each(?))"
            values = (asset, listed(partitions))
        with self._database.read("read the states of partitions") as connection:
            found = connection.execute(statement, values).fetchall()
        return {row[1]: rows.partition_state(row) for row in found}

    def partition_statuses(self, assets: Mapping[str, int]) -> dict[str, PartitionStatuses]:
        """Where all partitions of assets stand, in short. Assets without any are left out."""
        with self._database.read("read the statuses of partitions") as connection:
            found = connection.execute(
                "WITH asked (name, known) AS "
                "(SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?)) "
                "SELECT name, (SELECT group_concat(letters, '') FROM "
                "(SELECT letters FROM partition_letters WHERE asset = name ORDER BY segment)) AS all_letters, "
                "(SELECT json_group_array(partition) FROM "
                "(SELECT partition FROM partition_states WHERE asset = name AND place >= known ORDER BY place)) "
                "FROM asked WHERE all_letters IS NOT NULL",
                (encode_json(list(assets.items())).decode(),),
            ).fetchall()
        return {row[0]: rows.partition_statuses(row) for row in found}

    def planned(self, run_ids: Sequence[str] | None = None) -> list[PlannedAsset]:
        """What these runs announced to make (None: what runs that have not ended are still to make)."""
        condition = "state = 'OPEN'" if run_ids is None else "run_id IN (SELECT value FROM json_each(?))"
        values = () if run_ids is None else (listed(run_ids),)
        with self._database.read("read what runs announced") as connection:
            found = connection.execute(
                f"SELECT run_id, asset, partition FROM planned_assets WHERE {condition}", values
            ).fetchall()
        return [PlannedAsset(run_id=run_id, asset=asset, partition=key or None) for run_id, asset, key in found]

    def data_versions(self, assets: Sequence[str], *, partition: str | None = None) -> dict[str, DataVersionState]:
        """Which content each asset holds, or its partition of that key; those that were never made are left out."""
        with self._database.read("read data versions") as connection:
            found = connection.execute(
                f"SELECT {rows.DATA_VERSION} FROM data_versions "
                "WHERE asset IN (SELECT value FROM json_each(?)) AND partition = ?",
                (listed(assets), partition or ""),
            ).fetchall()
        return {row[0]: rows.data_version(row) for row in found}

    def partition_data_versions(self, asset: str, partitions: Sequence[str]) -> dict[str, DataVersionState]:
        """Which content each of these partitions of an asset holds; those that were never made are left out."""
        with self._database.read("read data versions of partitions") as connection:
            found = connection.execute(
                f"SELECT {rows.DATA_VERSION} FROM data_versions "
                "WHERE asset = ? AND partition <> '' AND partition IN (SELECT value FROM json_each(?))",
                (asset, listed(partitions)),
            ).fetchall()
        return {row[1]: rows.data_version(row) for row in found}

    def check_states(self, assets: Sequence[str]) -> dict[str, CheckState]:
        """The latest execution of each check on these assets, by check key (`asset:name`)."""
        with self._database.read("read the states of checks") as connection:
            found = connection.execute(
                f"SELECT {rows.CHECK_STATE} FROM check_states s CROSS JOIN check_executions c ON c.id = s.execution "
                "WHERE s.asset IN (SELECT value FROM json_each(?))",
                (listed(assets),),
            ).fetchall()
        return {f"{row[0]}:{row[1]}": rows.check_state(row) for row in found}

    def check_history(self, asset: str, check: str, *, before: int | None = None, limit: int = 50) -> list[CheckState]:
        """Executions of one check, newest first; `before` is the `event` of the last one seen."""
        condition = "" if before is None else " AND c.event < :before"
        with self._database.read("read a check's history") as connection:
            found = connection.execute(
                f"SELECT {rows.CHECK_STATE} FROM check_executions c INDEXED BY check_executions_by_check "
                f"WHERE c.asset = :asset AND c.name = :name{condition} ORDER BY c.event DESC LIMIT :limit",
                {"asset": asset, "name": check, "before": before, "limit": limit},
            ).fetchall()
        return [rows.check_state(row) for row in found]

    def freshness(
        self, assets: Sequence[str] | None = None, *, state: FreshnessState | None = None
    ) -> dict[str, AssetFreshness]:
        """How fresh these assets are, as it was told last."""
        conditions = ["TRUE"]
        if assets is not None:
            conditions.append("asset IN (SELECT value FROM json_each(:assets))")
        if state is not None:
            conditions.append(f"state = '{state.value}'")  # by its name, so that the index of one of them is taken
        with self._database.read("read how fresh assets are") as connection:
            found = connection.execute(
                f"SELECT {rows.FRESHNESS} FROM freshness_states WHERE {' AND '.join(conditions)}",
                {"assets": listed(assets or ())},
            ).fetchall()
        return {row[0]: rows.freshness(row) for row in found}

    def turn_freshness(self, changes: Sequence[FreshnessStateChange], *, lease: Lease, now: float) -> None:
        """Store that the freshness of assets has changed."""
        with self._database.write("store how fresh assets are") as connection:
            require_lease(connection, lease)
            report(connection, changes, now)
        self._notifier.publish({"assets"})

    def report(self, facts: Sequence[AssetFact], *, now: float) -> list[int]:
        """Store facts about assets that no run made; gives the event ids."""
        with self._database.write("store facts about assets") as connection:
            ids = report(connection, facts, now)
            record_acts(connection, reported_facts(facts))
        self._notifier.publish({"assets"})
        return list(ids)

    # -- dynamic partitions -------------------------------------------------------------------------------------------

    def dynamic_partitions(self, name: str) -> list[str]:
        """The keys of a dynamic partition set, in the order they were added."""
        with self._database.read("read dynamic partitions") as connection:
            (keys,) = connection.execute(
                "SELECT json_group_array(key) FROM (SELECT key FROM dynamic_partitions WHERE name = ? ORDER BY place)",
                (name,),
            ).fetchone()
        return decode_json(keys, list[str])

    def add_dynamic_partitions(self, name: str, keys: Sequence[str]) -> list[str]:
        """Add keys; gives those that were new."""
        with self._database.write("add dynamic partitions") as connection:
            new = add_keys(connection, name, keys)
            record_acts(connection, added_partitions(name, new))
        self._notifier.publish({"assets"})
        return new

    def delete_dynamic_partitions(self, name: str, keys: Sequence[str]) -> None:
        """Remove keys."""
        with self._database.write("remove dynamic partitions") as connection:
            gone = remove_keys(connection, name, keys)
            record_acts(connection, removed_partitions(name, gone))
        self._notifier.publish({"assets"})
