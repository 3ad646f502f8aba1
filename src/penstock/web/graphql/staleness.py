"""Whether assets are up to date and fresh: as decided from their descriptions and their latest events."""

from __future__ import annotations

from datetime import timedelta

from ...engine.freshness import freshness_of, made_at
from ...engine.staleness import StaleCause, Staleness, StaleStatus
from ...records.freshness import (
    AnyFreshnessPolicy,
    CronFreshnessPolicy,
    TimeWindowFreshnessPolicy,
)
from ...records.freshness_state import FreshnessState
from .context import Context
from .fields import Fields
from .nodes import AssetNode

__all__ = ["TABLES"]

_NODE = Fields("AssetNode", source=AssetNode)
_CAUSE = Fields("StaleCause", source=StaleCause)
_WINDOW = Fields("TimeWindowFreshnessPolicy", source=TimeWindowFreshnessPolicy)
_CRON = Fields("CronFreshnessPolicy", source=CronFreshnessPolicy)
_FRESHNESS = Fields("FreshnessStatusInfo", source=FreshnessState)

TABLES = (_NODE, _CAUSE, _WINDOW, _CRON, _FRESHNESS)


def _staleness(node: AssetNode, context: Context, partition: str | None) -> Staleness:
    if partition is None:
        return context.versions.staleness(node.asset.key)
    return context.versions.staleness_of(node.asset, partition)


@_NODE.field
def stale_status(node: AssetNode, context: Context, partition: str | None = None) -> StaleStatus:
    return _staleness(node, context, partition).status(node.asset.key)


@_NODE.field
def stale_causes(node: AssetNode, context: Context, partition: str | None = None) -> list[StaleCause]:
    return _staleness(node, context, partition).causes(node.asset.key)


@_NODE.field
def data_version(node: AssetNode, context: Context, partition: str | None = None) -> str | None:
    if partition is None:
        found = context.versions.get(node.asset.key)
    else:
        found = context.storage.assets.partition_data_versions(node.asset.key, [partition]).get(partition)
    return None if found is None else found.version


@_NODE.field
def internal_freshness_policy(node: AssetNode, _: Context) -> AnyFreshnessPolicy | None:
    return node.asset.freshness


@_NODE.field
def freshness_status_info(node: AssetNode, context: Context) -> FreshnessState | None:
    if node.asset.freshness is None:
        return None
    made = made_at(context.asset_states.get(node.asset.key), materializable=node.asset.materializable)
    return freshness_of(node.asset.freshness, made, context.now)


_CAUSE.rename(key="asset", partition_key="partition")


@_WINDOW.field
def fail_window_seconds(policy: TimeWindowFreshnessPolicy, _: Context) -> int:
    return _seconds(policy.fail_window)


@_WINDOW.field
def warn_window_seconds(policy: TimeWindowFreshnessPolicy, _: Context) -> int | None:
    return None if policy.warn_window is None else _seconds(policy.warn_window)


@_CRON.field
def lower_bound_delta_seconds(policy: CronFreshnessPolicy, _: Context) -> int:
    return _seconds(policy.lower_bound_delta)


@_FRESHNESS.field
def freshness_status(state: FreshnessState, _: Context) -> FreshnessState:
    return state


def _seconds(length: timedelta) -> int:
    return int(length.total_seconds())
