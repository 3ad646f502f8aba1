"""All assets in columns: what is defined of them is ready-made, and where they stand is read for all together."""

from __future__ import annotations

from ...locations.asset_columns import AssetColumns
from .asset_status import AssetStatus
from .assets import count_failed_checks, count_warned_checks, partition_counts, standing
from .context import Context
from .fields import Fields
from .partitions import PartitionStats

__all__ = ["TABLES"]

_QUERY = Fields("Query", source=type(None))
_COLUMNS = Fields("AssetColumns", source=AssetColumns)

TABLES = (_QUERY, _COLUMNS)


@_QUERY.field
def asset_columns(_source: None, context: Context) -> AssetColumns:
    columns = context.catalog.asset_columns
    context.expect_assets(columns.assets)
    return columns


@_COLUMNS.field
def status(columns: AssetColumns, context: Context) -> list[AssetStatus]:
    return [standing(asset, context) for asset in columns.assets]


@_COLUMNS.field
def latest_materialization_timestamp(columns: AssetColumns, context: Context) -> list[float | None]:
    states = map(context.asset_states.get, columns.keys)
    return [None if state is None else state.materialized_at for state in states]


@_COLUMNS.field
def failed_checks(columns: AssetColumns, context: Context) -> list[int]:
    return [count_failed_checks(asset, context) for asset in columns.assets]


@_COLUMNS.field
def warned_checks(columns: AssetColumns, context: Context) -> list[int]:
    return [count_warned_checks(asset, context) for asset in columns.assets]


@_COLUMNS.field
def partition_stats(columns: AssetColumns, context: Context) -> list[PartitionStats | None]:
    return [partition_counts(asset, context) for asset in columns.assets]
