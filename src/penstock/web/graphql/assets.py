"""Definitions of assets, and the latest that is known of each."""

from __future__ import annotations

from collections.abc import Iterable

from ...codec import digest
from ...records.asset import AssetState
from ...records.event import StoredEvent
from ...records.location import AssetDescription
from ...records.run import Run
from .asset_status import WAITING, AssetStatus, latest_run_id, status_of
from .checks import checks_of, latest_checks
from .context import Context
from .fields import Fields
from .find import asset_named, job_named, location_named
from .history import history_of, stored_event
from .inputs import AssetGroupSelector, AssetKeyInput, PipelineSelector
from .keys import Pair, pairs
from .metadata import Entry, entries
from .nodes import AssetNode, CheckNode, place
from .partition_places import SetStatuses, no_letters
from .partitions import (
    OpenSet,
    PartitionKeys,
    PartitionPositions,
    PartitionRange,
    PartitionStats,
    count_partitions,
    keys_page,
    open_set,
    positions_of,
    ranges_of,
)

__all__ = ["TABLES", "count_failed_checks", "count_warned_checks", "partition_counts", "standing"]

_QUERY = Fields("Query", source=type(None))
_NODE = Fields("AssetNode", source=AssetNode)
_INFO = Fields("AssetLatestInfo", source=AssetNode)

TABLES = (_QUERY, _NODE, _INFO)


def _defined(context: Context, keys: Iterable[str]) -> list[AssetNode]:
    found = (context.catalog.asset(key) for key in keys)
    return [AssetNode(*each) for each in found if each is not None]


@_QUERY.field
def asset_nodes(
    _source: None,
    context: Context,
    group: AssetGroupSelector | None = None,
    pipeline: PipelineSelector | None = None,
    asset_keys: list[AssetKeyInput] | None = None,
    failed_checks: bool | None = None,
) -> list[AssetNode]:
    if asset_keys is not None:
        nodes = _defined(context, dict.fromkeys(key.text for key in asset_keys))
    elif pipeline is not None:
        nodes = _defined(context, job_named(context, pipeline, pipeline.job).job.assets)
    elif group is not None:
        location = location_named(context, group)
        nodes = _defined(context, sorted(location.assets))
    else:
        nodes = _defined(context, context.catalog.asset_columns.keys)
    if group is not None:
        name = group.repository_location_name
        nodes = [node for node in nodes if node.asset.group == group.group_name and node.location.stored.name == name]
    context.expect_assets(node.asset for node in nodes)
    return [node for node in nodes if count_failed_checks(node.asset, context)] if failed_checks else nodes


@_QUERY.field
def asset_node_or_error(_source: None, context: Context, asset_key: AssetKeyInput) -> AssetNode:
    return asset_named(context, asset_key.text)


@_QUERY.field
def assets_latest_info(_source: None, context: Context, asset_keys: list[AssetKeyInput]) -> list[AssetNode]:
    nodes = _defined(context, dict.fromkeys(key.text for key in asset_keys))
    context.expect_assets(node.asset for node in nodes)
    return nodes


# -- the definition ----------------------------------------------------------------------------------------------------

_NODE.rename(
    asset_key="asset.key",
    description="asset.description",
    group_name="asset.group",
    kinds="asset.kinds",
    owners="asset.owners",
    repository="location",
    op_name="asset.op",
    job_names="asset.jobs",
    dependency_keys="asset.deps",
    is_executable="asset.executable",
    is_observable="asset.observable",
    is_virtual="asset.is_virtual",
    code_version="asset.code_version",
    io_manager_key="asset.io_manager",
)


@_NODE.named("id")
def node_id(node: AssetNode, _: Context) -> str:
    return f"{node.location.stored.name}/{node.asset.key}"


@_NODE.field
def compute_kind(node: AssetNode, _: Context) -> str | None:
    return node.asset.kinds[0] if node.asset.kinds else None


@_NODE.field
def tags(node: AssetNode, _: Context) -> Iterable[Pair]:
    return pairs(node.asset.tags)


@_NODE.field
def depended_by_keys(node: AssetNode, context: Context) -> tuple[str, ...]:
    return context.catalog.dependents(node.asset.key)


@_NODE.field
def is_materializable(node: AssetNode, _: Context) -> bool:
    return node.asset.materializable


@_NODE.field
def is_partitioned(node: AssetNode, _: Context) -> bool:
    return node.asset.partitions is not None


@_NODE.field
def source_ref(node: AssetNode, _: Context) -> str | None:
    return place(node.asset.source)


@_NODE.field
def metadata_entries(node: AssetNode, _: Context) -> list[Entry]:
    return entries(node.asset.metadata)


@_NODE.field
def asset_checks(node: AssetNode, context: Context) -> list[CheckNode]:
    context.expect_assets((node.asset,))
    return checks_of(node)


# -- partitions --------------------------------------------------------------------------------------------------------


@_NODE.field
def partition_definition(node: AssetNode, context: Context) -> OpenSet | None:
    return None if node.asset.partitions is None else open_set(context, node.asset.partitions)


@_NODE.field
def partition_set_id(node: AssetNode, _: Context) -> str | None:
    return None if node.asset.partitions is None else digest(node.asset.partitions)


@_NODE.field
def partition_key_connection(
    node: AssetNode,
    context: Context,
    cursor: str | None = None,
    limit: int | None = None,
    reverse: bool | None = None,
) -> PartitionKeys:
    if node.asset.partitions is None:
        return PartitionKeys()
    return keys_page(open_set(context, node.asset.partitions), cursor, limit, reverse)


@_NODE.field
def partition_stats(node: AssetNode, context: Context) -> PartitionStats | None:
    return partition_counts(node.asset, context)


def partition_counts(asset: AssetDescription, context: Context) -> PartitionStats | None:
    """How many partitions of an asset stand where; None where it has none."""
    found = _statuses(asset, context)
    return None if found is None else count_partitions(*found)


@_NODE.field
def partition_ranges(node: AssetNode, context: Context) -> list[PartitionRange]:
    found = _statuses(node.asset, context)
    return [] if found is None else ranges_of(*found)


@_NODE.field
def partition_positions(node: AssetNode, context: Context) -> PartitionPositions | None:
    found = _statuses(node.asset, context)
    return None if found is None else positions_of(found[1])


def _statuses(asset: AssetDescription, context: Context) -> tuple[OpenSet, SetStatuses] | None:
    """The asset's partitions and where they stand; None where it has none."""
    spec = asset.partitions
    if spec is None:
        return None
    keys = open_set(context, spec)
    letters = context.partition_letters.get(asset.key) or no_letters(spec)
    return keys, letters.of(keys.space, keys.size)


# -- what is known of it -----------------------------------------------------------------------------------------------


@_NODE.field
def asset_materializations(
    node: AssetNode,
    context: Context,
    partitions: list[str] | None = None,
    before_timestamp_millis: str | None = None,
    limit: int | None = None,
) -> list[StoredEvent]:
    return history_of(context, node.asset.key, "ASSET_MATERIALIZATION", partitions, before_timestamp_millis, limit)


@_NODE.field
def asset_observations(
    node: AssetNode,
    context: Context,
    partitions: list[str] | None = None,
    before_timestamp_millis: str | None = None,
    limit: int | None = None,
) -> list[StoredEvent]:
    return history_of(context, node.asset.key, "ASSET_OBSERVATION", partitions, before_timestamp_millis, limit)


@_NODE.field
def latest_info(node: AssetNode, _: Context) -> AssetNode:
    return node


_INFO.rename(id="asset.key", asset_key="asset.key")


def _working_run(state: AssetState | None, context: Context) -> Run | None:
    """The run that has announced to make the asset, or more of its partitions, and has not ended."""
    run = None if state is None or state.planned_run is None else context.runs.get(state.planned_run)
    return None if run is None or run.is_finished else run


def standing(asset: AssetDescription, context: Context) -> AssetStatus:
    """Where an asset stands."""
    state = context.asset_states.get(asset.key)
    return status_of(state, _working_run(state, context), executable=asset.materializable)


@_INFO.field
def status(node: AssetNode, context: Context) -> AssetStatus:
    return standing(node.asset, context)


@_INFO.field
def latest_materialization(node: AssetNode, context: Context) -> StoredEvent | None:
    event = context.latest_materializations.get(node.asset.key)
    return None if event is None else stored_event(event)


@_INFO.field
def latest_materialization_timestamp(node: AssetNode, context: Context) -> float | None:
    state = context.asset_states.get(node.asset.key)
    return None if state is None else state.materialized_at


@_INFO.field
def unstarted_run_ids(node: AssetNode, context: Context) -> list[str]:
    run = _working_run(context.asset_states.get(node.asset.key), context)
    return [run.run_id] if run is not None and run.status in WAITING else []


@_INFO.field
def in_progress_run_ids(node: AssetNode, context: Context) -> list[str]:
    run = _working_run(context.asset_states.get(node.asset.key), context)
    return [run.run_id] if run is not None and run.status not in WAITING else []


@_INFO.field
def latest_run(node: AssetNode, context: Context) -> Run | None:
    run_id = latest_run_id(context.asset_states.get(node.asset.key))
    if run_id is None:
        return None
    if not context.runs.knows(run_id):
        latest = (latest_run_id(state) for state in context.asset_states.known())
        context.runs.expect(each for each in latest if each is not None)
    return context.runs.get(run_id)


@_INFO.field
def failed_checks(node: AssetNode, context: Context) -> int:
    return count_failed_checks(node.asset, context)


def count_failed_checks(asset: AssetDescription, context: Context) -> int:
    """Of how many of an asset's checks the latest execution did not go well."""
    if not asset.checks:
        return 0
    return sum(1 for state in latest_checks(context, asset) if state.status in ("FAILED", "EXECUTION_FAILED"))


@_INFO.field
def warned_checks(node: AssetNode, context: Context) -> int:
    return count_warned_checks(node.asset, context)


def count_warned_checks(asset: AssetDescription, context: Context) -> int:
    """How many of an asset's failed checks were only to warn."""
    if not asset.checks:
        return 0
    failed = [state.evaluation for state in latest_checks(context, asset) if state.status == "FAILED"]
    return sum(1 for evaluation in failed if evaluation is not None and evaluation.severity == "WARN")


@_INFO.field
def total_checks(node: AssetNode, _: Context) -> int:
    return len(node.asset.checks)


@_INFO.named("partitionStats")
def info_partition_stats(node: AssetNode, context: Context) -> PartitionStats | None:
    return partition_stats(node, context)
