"""What an external process is told of its step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock_pipes.wire import PipesContextData, PipesDataProvenance, PipesTimeWindow

from ...codec import encode_json
from ...errors import UsageError, UserCodeError
from ...records.keys import AssetKey
from ..context import OpExecutionContext
from ..own_instance import OwnInstance

__all__ = ["context_data", "reported_assets"]


def context_data(context: OpExecutionContext, extras: Mapping[str, Any] | None) -> PipesContextData:
    """The context of a step as it goes to an external process.

    Args:
        context: The step's context.
        extras: What the step's code passes on.

    Raises:
        UserCodeError: JSON cannot hold the extras.
    """
    try:
        encode_json(extras)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise UserCodeError(
            f"The extras of a Pipes session cannot be sent as JSON: {error}. Pass plain values, for example text."
        ) from error
    assets = reported_assets(context)
    return {
        "asset_keys": [key.to_user_string() for key in assets] or None,
        "code_version_by_asset_key": _code_versions(context, assets) if assets else None,
        "provenance_by_asset_key": {key.to_user_string(): _provenance(context, key) for key in assets} or None,
        "partition_key": str(context.partition_key) if context.has_partition_key else None,
        "partition_key_range": (
            {"start": str(context.partition_key_range.start), "end": str(context.partition_key_range.end)}
            if context.has_partitions
            else None
        ),
        "partition_time_window": _time_window(context),
        "run_id": context.run_id,
        "job_name": context.job_name or None,
        "retry_number": context.retry_number,
        "extras": dict(extras or {}),
    }


def reported_assets(context: OpExecutionContext) -> list[AssetKey]:
    """The assets that a process may report on: those that the step makes, or else those that it checks."""
    made = context.selected_asset_keys
    return sorted(made or {each.asset_key for each in context.selected_asset_check_keys})


def _code_versions(context: OpExecutionContext, assets: list[AssetKey]) -> dict[str, str | None]:
    declared = {
        output.asset_key: output.definition.code_version
        for output in context._attempt.outputs.values()
        if output.asset_key is not None
    }
    return {key.to_user_string(): declared.get(key.to_user_string()) for key in assets}


def _time_window(context: OpExecutionContext) -> PipesTimeWindow | None:
    if not context.has_partitions:
        return None
    try:
        window = context.partition_time_window
    except UsageError:  # the partitions are no stretches of time
        return None
    return {"start": window.start.isoformat(), "end": window.end.isoformat()}


def _provenance(context: OpExecutionContext, key: AssetKey) -> PipesDataProvenance | None:
    """What an asset was last made from; None where it was not, or where no instance was given that would know."""
    found = None if isinstance(context._attempt.instance, OwnInstance | None) else context.get_asset_provenance(key)
    if found is None:
        return None
    return {
        "code_version": found.code_version,
        "input_data_versions": {
            each.to_user_string(): version.value for each, version in found.input_data_versions.items()
        },
        "is_user_provided": found.is_user_provided,
    }
