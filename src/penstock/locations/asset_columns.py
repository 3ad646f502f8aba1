"""The definitions of all assets in columns, for pages that show all of them at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..records.keys import AssetKey
from ..records.location import AssetDescription

__all__ = ["AssetColumns", "columns_of"]


class AssetColumns(NamedTuple):
    """Assets in the order of their keys (text form): in each column, what belongs to an asset is at its position.

    `dependencies` are positions; those from the number of assets on are in `outside`, the keys that nobody describes.
    """

    assets: list[AssetDescription]
    keys: list[str]
    path: list[list[str]]
    description: list[str | None]
    group_name: list[str]
    kinds: list[tuple[str, ...]]
    owners: list[tuple[str, ...]]
    location_name: list[str]
    is_executable: list[bool]
    is_materializable: list[bool]
    is_partitioned: list[bool]
    dependencies: list[list[int]]
    total_checks: list[int]
    outside_path: list[list[str]]


def columns_of(assets: Mapping[str, tuple[str, AssetDescription]]) -> AssetColumns:
    """The columns of assets, given by key, each with the name of its location."""
    keys = sorted(assets)
    described = [assets[key][1] for key in keys]
    places = {key: place for place, key in enumerate(keys)}
    dependencies = [[places.setdefault(key, len(places)) for key in asset.deps] for asset in described]
    return AssetColumns(
        assets=described,
        keys=keys,
        path=[_path(key) for key in keys],
        description=[asset.description for asset in described],
        group_name=[asset.group for asset in described],
        kinds=[asset.kinds for asset in described],
        owners=[asset.owners for asset in described],
        location_name=[assets[key][0] for key in keys],
        is_executable=[asset.executable for asset in described],
        is_materializable=[asset.materializable for asset in described],
        is_partitioned=[asset.partitions is not None for asset in described],
        dependencies=dependencies,
        total_checks=[len(asset.checks) for asset in described],
        outside_path=[_path(key) for key in list(places)[len(keys) :]],
    )


def _path(key: str) -> list[str]:
    return AssetKey.from_user_string(key).path
