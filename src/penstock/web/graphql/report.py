"""Reporting events of assets that no run made."""

from __future__ import annotations

from ...auth.permissions import Permission
from ...records.event import AssetMaterialization, AssetObservation
from .context import Context
from .failures import AssetNotFoundError, RefusedError, Result
from .fields import Fields
from .inputs import ReportRunlessAssetEventsParams

__all__ = ["TABLES"]

_MUTATION = Fields("Mutation", source=type(None))

TABLES = (_MUTATION,)


class ReportRunlessAssetEventsSuccess(Result, frozen=True, kw_only=True):
    """The events are stored."""

    asset_key: str


@_MUTATION.named("reportRunlessAssetEvents", needs=Permission.REPORT_EVENT)
def report_runless_asset_events(
    _source: None, context: Context, event_params: ReportRunlessAssetEventsParams
) -> ReportRunlessAssetEventsSuccess:
    params = event_params
    key = params.asset_key.text
    defined = context.catalog.asset(key)
    if defined is None and context.asset_states.get(key) is None:
        message = f"There is no asset {key!r}: no code location defines it, and no event is of it."
        raise RefusedError(AssetNotFoundError(message=message))
    context.require(Permission.REPORT_EVENT, None if defined is None else defined[0].stored.name)
    kind = AssetMaterialization if params.event_type == "ASSET_MATERIALIZATION" else AssetObservation
    partitions: list[str | None] = [*params.partition_keys] if params.partition_keys else [None]
    facts = [kind(asset=key, partition=partition, description=params.description) for partition in partitions]
    context.storage.assets.report(facts, now=context.now)
    return ReportRunlessAssetEventsSuccess(asset_key=key)
