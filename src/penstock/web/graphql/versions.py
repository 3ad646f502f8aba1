"""Which content assets hold, for one request: of the assets that it asks for, and of all that those are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...engine.staleness import Staleness
from ...records.data_version import DataVersionState
from ...records.location import AssetDescription
from ...storage.protocols import AssetStorage

__all__ = ["AssetVersions"]


class AssetVersions:
    """Data versions, read for all assets together that were announced.

    Args:
        storage: Where they are stored.
        assets: All assets by key.
    """

    def __init__(self, storage: AssetStorage, assets: Mapping[str, AssetDescription]) -> None:
        self._storage = storage
        self._assets = assets
        self._announced: list[str] = []
        self._read: set[str] = set()
        self._versions: dict[str, DataVersionState] = {}
        self._staleness = Staleness(assets, self._versions)
        self._of_partitions: dict[tuple[str, str], Staleness] = {}

    def expect(self, keys: Iterable[str]) -> None:
        """Announce assets that may be asked for soon."""
        self._announced += keys

    def get(self, key: str) -> DataVersionState | None:
        """Which content an asset holds; None where it was never made."""
        self._need(key)
        return self._versions.get(key)

    def staleness(self, key: str) -> Staleness:
        """What is stale, of this asset and of what it is made of."""
        self._need(key)
        return self._staleness

    def staleness_of(self, asset: AssetDescription, partition: str) -> Staleness:
        """The same for one partition, of this asset and of those that it is made of and that have its partitions."""
        place = (asset.key, partition)
        if place not in self._of_partitions:
            self._need(asset.key)
            upstream = [each for each in self._with_upstream([asset.key]) if each in self._assets]
            alike = [each for each in upstream if self._assets[each].partitions == asset.partitions]
            whole = (each for each in upstream if self._assets[each].partitions is None and each in self._versions)
            versions = {each: self._versions[each] for each in whole}
            versions |= self._storage.data_versions(alike, partition=partition)
            self._of_partitions[place] = Staleness(self._assets, versions, partition=partition)
        return self._of_partitions[place]

    def _need(self, key: str) -> None:
        if key in self._read:
            return
        new = self._with_upstream([key, *self._announced]) - self._read
        self._announced.clear()
        self._read |= new
        self._versions |= self._storage.data_versions(sorted(new))

    def _with_upstream(self, keys: Iterable[str]) -> set[str]:
        found = set(keys)
        waiting = list(found)
        for key in waiting:  # grows while it is walked
            asset = self._assets.get(key)
            new = [dep for dep in (asset.deps if asset is not None else ()) if dep not in found]
            found.update(new)
            waiting += new
        return found
