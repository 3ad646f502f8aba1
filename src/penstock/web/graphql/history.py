"""An asset's past: materializations and observations newest first, and assets known from events alone."""

from __future__ import annotations

from ...records.asset import AssetEvent, PartitionState
from ...records.event import Event, StoredEvent
from ...records.keys import AssetKey
from .context import Context
from .failures import AssetNotFoundError, RefusedError, Result
from .fields import Fields
from .inputs import AssetKeyInput
from .nodes import AssetNode
from .pages import page_size

__all__ = ["TABLES", "history_of", "stored_event"]

_QUERY = Fields("Query", source=type(None))
_ASSET = Fields("Asset", source=str)
_PARTITION_OF = Fields("AssetNode", source=AssetNode)
_PARTITION = Fields("AssetPartition", source=PartitionState)

TABLES = (_QUERY, _ASSET, _PARTITION_OF, _PARTITION)


class AssetConnection(Result, frozen=True, kw_only=True):
    """A page of assets by key; `cursor` is the last one's text form."""

    nodes: tuple[str, ...]
    cursor: str | None


def stored_event(event: AssetEvent) -> StoredEvent:
    """An asset's event in the form that the run's log has it."""
    return StoredEvent(
        id=event.id, event=Event(time=event.time, fact=event.fact, step_key=event.step_key), run_id=event.run_id
    )


def history_of(
    context: Context, key: str, kind: str, partitions: list[str] | None, before_millis: str | None, limit: int | None
) -> list[StoredEvent]:
    """Events of one kind, newest first, of these partitions (None: of all), before a time in milliseconds."""
    size = page_size(limit, 50)
    try:
        until = None if before_millis is None else float(before_millis) / 1000
    except ValueError:
        raise RefusedError(AssetNotFoundError(message=f"{before_millis!r} is no time in milliseconds.")) from None
    found: list[AssetEvent] = []
    for partition in [None] if partitions is None else dict.fromkeys(partitions):
        found += context.storage.assets.history(key, types=(kind,), partition=partition, until=until, limit=size)
    found.sort(key=lambda event: event.id, reverse=True)
    context.steps.expect(event.run_id for event in found[:size] if event.run_id is not None)
    return [stored_event(event) for event in found[:size]]


# -- assets, defined or known from events ------------------------------------------------------------------------------


@_QUERY.field
def asset_or_error(_source: None, context: Context, asset_key: AssetKeyInput) -> str:
    key = asset_key.text
    if context.catalog.asset(key) is None and context.asset_states.get(key) is None:
        message = f"There is no asset {key!r}: no code location defines it, and no event is of it."
        raise RefusedError(AssetNotFoundError(message=message))
    return key


@_QUERY.field
def assets_or_error(
    _source: None,
    context: Context,
    prefix: list[str] | None = None,
    asset_keys: list[AssetKeyInput] | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> AssetConnection:
    states = context.storage.assets.states(None if asset_keys is None else [key.text for key in asset_keys])
    for key, state in states.items():
        context.asset_states.put(key, state)
    known = {*states, *(key for location in context.catalog.locations.values() for key in location.assets)}
    if asset_keys is not None:
        known &= {key.text for key in asset_keys}
    if prefix:
        begins = AssetKey(prefix).to_user_string()
        known = {key for key in known if key == begins or key.startswith(begins + "/")}
    keys = sorted(key for key in known if cursor is None or key > cursor)
    if limit is not None:
        keys = keys[: page_size(limit, most=10_000)]
    context.asset_states.expect(keys)
    return AssetConnection(nodes=tuple(keys), cursor=keys[-1] if keys else cursor)


_ASSET.rename()


@_ASSET.named("id", "key")
def asset_id(key: str, _: Context) -> str:
    return key


@_ASSET.field
def definition(key: str, context: Context) -> AssetNode | None:
    found = context.catalog.asset(key)
    return None if found is None else AssetNode(*found)


@_ASSET.field
def latest_materialization_timestamp(key: str, context: Context) -> float | None:
    state = context.asset_states.get(key)
    return None if state is None else state.materialized_at


@_ASSET.field
def latest_observation_timestamp(key: str, context: Context) -> float | None:
    state = context.asset_states.get(key)
    return None if state is None else state.observed_at


@_ASSET.field
def asset_materializations(
    key: str,
    context: Context,
    partitions: list[str] | None = None,
    before_timestamp_millis: str | None = None,
    limit: int | None = None,
) -> list[StoredEvent]:
    return history_of(context, key, "ASSET_MATERIALIZATION", partitions, before_timestamp_millis, limit)


@_ASSET.field
def asset_observations(
    key: str,
    context: Context,
    partitions: list[str] | None = None,
    before_timestamp_millis: str | None = None,
    limit: int | None = None,
) -> list[StoredEvent]:
    return history_of(context, key, "ASSET_OBSERVATION", partitions, before_timestamp_millis, limit)


# -- one partition -----------------------------------------------------------------------------------------------------


@_PARTITION_OF.field
def partition(node: AssetNode, context: Context, key: str) -> PartitionState | None:
    return context.storage.assets.partition_states(node.asset.key, [key]).get(key)


_PARTITION.rename(key="partition")


@_PARTITION.field
def latest_materialization(state: PartitionState, context: Context) -> StoredEvent | None:
    kinds = ("ASSET_MATERIALIZATION",)
    found = context.storage.assets.history(state.asset, types=kinds, partition=state.partition, limit=1)
    return stored_event(found[0]) if found else None
