"""Checks on assets, and how their executions ended."""

from __future__ import annotations

from ...records.asset import CheckState
from ...records.location import AssetDescription
from .context import Context
from .fields import Fields
from .inputs import AssetKeyInput
from .nodes import AssetNode, CheckNode
from .pages import page_size

__all__ = ["TABLES", "checks_of", "latest_checks"]

_QUERY = Fields("Query", source=type(None))
_CHECK = Fields("AssetCheck", source=CheckNode)
_EXECUTION = Fields("AssetCheckExecution", source=CheckState)

TABLES = (_QUERY, _CHECK, _EXECUTION)


def checks_of(node: AssetNode) -> list[CheckNode]:
    """The checks that an asset's location defines on it, by name."""
    found = (node.location.checks.get(f"{node.asset.key}:{name}") for name in sorted(node.asset.checks))
    return [CheckNode(node.location, check) for check in found if check is not None]


def latest_checks(context: Context, asset: AssetDescription) -> list[CheckState]:
    """The latest execution of each check that is defined on the asset and ever ran."""
    states = context.check_states.get(asset.key) or {}
    return [states[name] for name in asset.checks if name in states]


@_QUERY.field
def asset_check_executions(
    _source: None,
    context: Context,
    asset_key: AssetKeyInput,
    check_name: str,
    limit: int,
    cursor: str | None = None,
    partition: str | None = None,
) -> list[CheckState]:
    size = page_size(limit)
    before = int(cursor) if cursor and cursor.isdecimal() else None
    found = context.storage.assets.check_history(asset_key.text, check_name, before=before, limit=size)
    context.asset_states.expect((asset_key.text,))
    if partition is None:
        return found
    return [state for state in found if state.evaluation is not None and state.evaluation.partition == partition]


_CHECK.rename(
    name="check.name",
    asset_key="check.asset",
    description="check.description",
    blocking="check.blocking",
    job_names="check.jobs",
)


@_CHECK.field
def latest_execution(node: CheckNode, context: Context) -> CheckState | None:
    return (context.check_states.get(node.check.asset) or {}).get(node.check.name)


@_CHECK.field
def execution_for_latest_materialization(node: CheckNode, context: Context) -> CheckState | None:
    found = latest_execution(node, context)
    return None if found is None or stale(found, context) else found


_EXECUTION.rename(timestamp="updated")


@_EXECUTION.named("id")
def execution_id(state: CheckState, _: Context) -> str:
    return str(state.event or state.run_id or state.check)


@_EXECUTION.field
def stale(state: CheckState, context: Context) -> bool:
    asset = context.asset_states.get(state.asset)
    if asset is None or asset.materialized_at is None:
        return False
    return asset.materialized_at > (state.asset_materialized_at or 0.0)
