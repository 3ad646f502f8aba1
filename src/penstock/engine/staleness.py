"""Whether an asset is up to date: decided from what its code says now and from what its latest event was made of.

An asset is stale when its code has a new version, when it depends on other assets than it was made of, when one of
these has other content now, or when one of them is stale itself. Versions of partitions are compared where both assets
have the same partitions and no mapping of their own stands between; other partitions are not compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

import msgspec

from ..records.data_version import DataVersionState
from ..records.location import AssetDescription

__all__ = ["StaleCause", "StaleCauseCategory", "StaleStatus", "Staleness"]


class StaleStatus(StrEnum):
    """Whether an asset is up to date; MISSING when it was never made."""

    MISSING = "MISSING"
    STALE = "STALE"
    FRESH = "FRESH"


class StaleCauseCategory(StrEnum):
    """What has changed: the code, the content of an input, or which assets it depends on."""

    CODE = "CODE"
    DATA = "DATA"
    DEPENDENCIES = "DEPENDENCIES"


class StaleCause(msgspec.Struct, frozen=True, kw_only=True):
    """One reason why an asset is stale; `asset` is where the reason lies, the asset itself or one that it builds on."""

    asset: str
    category: StaleCauseCategory
    reason: str
    dependency: str | None = None
    partition: str | None = None


class Staleness:
    """Answers for assets that are described, each decided once.

    Args:
        assets: The assets by key in text form.
        versions: What their latest events say; of those that have the partition, for that partition.
        partition: The partition that is asked about, if one.
    """

    def __init__(
        self,
        assets: Mapping[str, AssetDescription],
        versions: Mapping[str, DataVersionState],
        *,
        partition: str | None = None,
    ) -> None:
        self._assets = assets
        self._versions = versions
        self._partition = partition
        self._status: dict[str, StaleStatus] = {}

    def status(self, key: str) -> StaleStatus:
        """The status of an asset; FRESH for one that is not described."""
        waiting = [key]
        while waiting:  # assets build on each other deeper than Python likes to call
            current = waiting[-1]
            asset = self._assets.get(current)
            open_deps = [
                dep for dep in (asset.deps if asset is not None else ()) if dep not in self._status and dep != current
            ]
            if open_deps:
                waiting += open_deps
                continue
            waiting.pop()
            if current not in self._status:
                self._status[current] = self._decide(current, asset)
        return self._status[key]

    def causes(self, key: str) -> list[StaleCause]:
        """The reasons why an asset is stale, those that lie in what it builds on included; none unless it is stale."""
        if self.status(key) is not StaleStatus.STALE:
            return []
        found: list[StaleCause] = []
        seen = {key}
        waiting = [key]
        for current in waiting:  # grows while it is walked
            asset = self._assets[current]
            found += self._own_causes(asset)
            for dep in asset.deps:
                if dep not in seen and self._status.get(dep) is StaleStatus.STALE:
                    seen.add(dep)
                    waiting.append(dep)
        return found

    def stale(self, keys: Iterable[str]) -> set[str]:
        """Those of these assets that are stale or missing."""
        return {key for key in keys if self.status(key) is not StaleStatus.FRESH}

    def _decide(self, key: str, asset: AssetDescription | None) -> StaleStatus:
        if asset is None or not asset.materializable:
            return StaleStatus.FRESH
        if key not in self._versions and not asset.is_virtual:
            return StaleStatus.MISSING
        if any(self._status[dep] is StaleStatus.STALE for dep in asset.deps if dep != key):
            return StaleStatus.STALE
        return StaleStatus.STALE if next(self._own_causes(asset), None) is not None else StaleStatus.FRESH

    def _own_causes(self, asset: AssetDescription) -> Iterator[StaleCause]:
        made = self._versions.get(asset.key)
        if made is None or made.code_version is None or made.observed:
            return  # a report from outside says nothing of what it was made of
        partition = made.partition
        if asset.code_version is not None and asset.code_version != made.code_version:
            yield StaleCause(
                asset=asset.key,
                category=StaleCauseCategory.CODE,
                reason=f"its code has the new version {asset.code_version!r}",
                partition=partition,
            )
        for dep in asset.deps:
            if dep == asset.key or not self._is_comparable(asset, dep):
                continue
            before = made.inputs.get(dep)
            now = self._versions.get(dep)
            if before is None:
                yield StaleCause(
                    asset=asset.key,
                    category=StaleCauseCategory.DEPENDENCIES,
                    reason=f"it depends on {dep} now",
                    dependency=dep,
                    partition=partition,
                )
            elif now is not None and now.version != before:
                yield StaleCause(
                    asset=asset.key,
                    category=StaleCauseCategory.DATA,
                    reason=f"{dep} has other content than it was made of",
                    dependency=dep,
                    partition=partition,
                )
        for dep in sorted(made.inputs.keys() - set(asset.deps)):
            yield StaleCause(
                asset=asset.key,
                category=StaleCauseCategory.DEPENDENCIES,
                reason=f"it depends on {dep} no more",
                dependency=dep,
                partition=partition,
            )

    def _is_comparable(self, asset: AssetDescription, dep: str) -> bool:
        other = self._assets.get(dep)
        if other is None or other.partitions is None:
            return True
        return self._partition is not None and other.partitions == asset.partitions and dep not in asset.mapped_deps
