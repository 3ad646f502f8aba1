"""The seam of what is known of assets, partitions and checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from ...records.asset import AssetEvent, AssetState, CheckState, PartitionState, PartitionStatuses, PlannedAsset
from ...records.data_version import DataVersionState
from ...records.event import AssetFact, FreshnessStateChange
from ...records.freshness_state import AssetFreshness, FreshnessState
from ...records.lease import Lease

__all__ = ["AssetStorage"]


class AssetStorage(Protocol):
    """What is known of assets. Keys are in text form."""

    def states(self, assets: Sequence[str] | None = None) -> dict[str, AssetState]:
        """The latest facts of these assets (None: of all that were ever planned, made or observed)."""
        ...

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
        """An asset's events, newest first or, if `ascending`, oldest first: those with ids between `after` and `before`
        and with times between `since` and `until`, these bounds left out. They are in the order of their ids, or of
        their times where these alone bound them."""
        ...

    def latest_materializations(self, assets: Sequence[str]) -> dict[str, AssetEvent]:
        """The newest materialization of each asset."""
        ...

    def partition_states(self, asset: str, partitions: Sequence[str] | None = None) -> dict[str, PartitionState]:
        """What is known of these partitions (None: of all), by key; those of which nothing is are left out."""
        ...

    def partition_statuses(self, assets: Mapping[str, int]) -> dict[str, PartitionStatuses]:
        """Where all partitions of assets stand, in short. Assets without any are left out.

        Args:
            assets: For each asset, of how many places the keys are known to whoever asks; 0 for none. The letters of
                those places are given as of all others.
        """
        ...

    def planned(self, run_ids: Sequence[str] | None = None) -> list[PlannedAsset]:
        """What these runs announced to make (None: what runs that have not ended are still to make)."""
        ...

    def data_versions(self, assets: Sequence[str], *, partition: str | None = None) -> dict[str, DataVersionState]:
        """Which content each asset holds, or its partition of that key; those that were never made are left out.

        Without a partition it is what the asset's latest event says, of whichever partition that is.
        """
        ...

    def partition_data_versions(self, asset: str, partitions: Sequence[str]) -> dict[str, DataVersionState]:
        """Which content each of these partitions of an asset holds; those that were never made are left out."""
        ...

    def check_states(self, assets: Sequence[str]) -> dict[str, CheckState]:
        """The latest execution of each check on these assets, by check key (`asset:name`)."""
        ...

    def check_history(self, asset: str, check: str, *, before: int | None = None, limit: int = 50) -> list[CheckState]:
        """Executions of one check, newest first; `before` is the `event` of the last one seen."""
        ...

    def freshness(
        self, assets: Sequence[str] | None = None, *, state: FreshnessState | None = None
    ) -> dict[str, AssetFreshness]:
        """How fresh these assets are (None: all of which it was told), as it was told last; with `state`, only those
        that are in it."""
        ...

    def turn_freshness(self, changes: Sequence[FreshnessStateChange], *, lease: Lease, now: float) -> None:
        """Store that the freshness of assets has changed: for each, how it is from now on, and the fact in the log.
        Raises `FencedError` when the lease has passed on."""
        ...

    def report(self, facts: Sequence[AssetFact], *, now: float) -> list[int]:
        """Store facts about assets that no run made; gives the event ids. After `AssetWiped` nothing is known of what
        it names but its checks, and its history is gone."""
        ...

    def dynamic_partitions(self, name: str) -> list[str]:
        """The keys of a dynamic partition set, in the order they were added."""
        ...

    def add_dynamic_partitions(self, name: str, keys: Sequence[str]) -> list[str]:
        """Add keys; gives those that were new."""
        ...

    def delete_dynamic_partitions(self, name: str, keys: Sequence[str]) -> None:
        """Remove keys."""
        ...
