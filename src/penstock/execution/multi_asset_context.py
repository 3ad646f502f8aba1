"""What the functions of multi-asset sensors see as `context`: what was made of each asset since they last looked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, TypeAlias

import msgspec

from ..codec import decode_json, encode_json
from ..definitions.assets.definition import AssetsDefinition
from ..definitions.assets.graph import AssetNode
from ..definitions.assets.selection import CoercibleToAssetSelection
from ..definitions.automation.asset_sensor import monitored_keys
from ..definitions.definitions import Definitions
from ..definitions.repository import RepositoryDefinition
from ..errors import DefinitionError, UsageError
from ..partitions.definition import PartitionsDefinition
from ..records.asset import EVER_MATERIALIZED, AssetEvent, PartitionStatuses
from ..records.keys import AssetKey, CoercibleToAssetKey
from ..storage.protocols import Storage
from .downstream_partitions import downstream_keys
from .event_log import EventLogRecord, read_records
from .sensor_context import SensorEvaluationContext
from .step_partitions import StoredDynamicPartitions
from .tick_context import given_definitions, given_resources

__all__ = ["MultiAssetSensorEvaluationContext", "build_multi_asset_sensor_context"]

_PAGE = 1000
_MADE = ("ASSET_MATERIALIZATION",)

Handled: TypeAlias = EventLogRecord | Mapping[str, EventLogRecord] | Iterable[EventLogRecord] | None
"""What a sensor says it has seen of an asset: a record, records, or records by partition."""


class _Seen(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far an asset was seen.

    Args:
        event: The newest event that was seen.
        partition: Its partition.
        left: By partition, the events before it that were passed over.
    """

    event: int = 0
    partition: str | None = None
    left: dict[str, int] = {}


class MultiAssetSensorEvaluationContext(SensorEvaluationContext):
    """The context of a multi-asset sensor's function.

    It keeps for each asset how far the function has seen it. What `advance_cursor` names counts as seen, with all of
    its asset (or of its partition) that came before.

    Args:
        monitored_assets: The assets: keys, or a selection.
        others: What the contexts of all sensors take.
    """

    def __init__(self, *, monitored_assets: CoercibleToAssetSelection, **others: Any) -> None:
        super().__init__(**others)
        known = self._definitions
        graph = None if known is None else known.resolved.asset_graph
        self._assets = {key.to_user_string(): key for key in monitored_keys(monitored_assets, graph)}
        self._seen = _decode(self.cursor)

    # -- the assets ---------------------------------------------------------------------------------------------------

    @property
    def asset_keys(self) -> Sequence[AssetKey]:
        """The keys of the assets."""
        return list(self._assets.values())

    @property
    def assets_defs_by_key(self) -> Mapping[AssetKey, AssetsDefinition | None]:
        """By key, what makes the asset; None where nothing in this code location does."""
        nodes = self.definitions.resolved.asset_graph.assets
        return {key: nodes[text].definition if text in nodes else None for text, key in self._assets.items()}

    # -- what was made ------------------------------------------------------------------------------------------------

    def latest_materialization_records_by_key(
        self, asset_keys: Sequence[CoercibleToAssetKey] | None = None
    ) -> Mapping[AssetKey, EventLogRecord | None]:
        """By asset, its newest materialization that was not seen; None where there is none.

        Args:
            asset_keys: Which of the assets; all if not given.
        """
        wanted = list(self._assets) if asset_keys is None else [self._text(each) for each in asset_keys]
        found: dict[str, AssetEvent | None] = {}
        for text in wanted:
            newest = self._storage.assets.history(text, types=_MADE, after=self._place(text), limit=1)
            found[text] = newest[0] if newest else None
        records = self._records(event for event in found.values() if event is not None)
        by_id = {record.storage_id: record for record in records}
        return {self._assets[text]: None if event is None else by_id[event.id] for text, event in found.items()}

    def materialization_records_for_key(
        self, asset_key: CoercibleToAssetKey, limit: int | None = None
    ) -> Iterable[EventLogRecord]:
        """An asset's materializations after the newest one that was seen, oldest first.

        Args:
            asset_key: The asset.
            limit: The most to give; all if not given.
        """
        return self._records(islice(self._after(self._text(asset_key)), limit))

    def latest_materialization_records_by_partition(
        self, asset_key: CoercibleToAssetKey, after_cursor_partition: bool | None = False
    ) -> Mapping[str, EventLogRecord]:
        """By partition, the asset's newest materialization that was not seen, in the order in which they came.

        Args:
            asset_key: The asset, which has partitions.
            after_cursor_partition: Only of the partitions that come after that of the newest one that was seen.

        Raises:
            DefinitionError: The asset has no partitions.
        """
        text = self._text(asset_key)
        partitions = self._partitions(text)
        newest: dict[str, AssetEvent] = {}
        for event in (*self._left(text), *self._after(text)):
            if event.fact.partition is not None:
                newest.pop(event.fact.partition, None)
                newest[event.fact.partition] = event
        records = {record.partition_key or "": record for record in self._records(newest.values())}
        cursor = self._seen_of(text).partition
        if not after_cursor_partition or cursor is None:
            return records
        space = partitions.space(StoredDynamicPartitions(self._storage))
        least = space.position(cursor)
        places = {partition: space.position(partition) for partition in records}
        return {
            partition: record
            for partition, record in records.items()
            if least is None or (place := places[partition]) is None or place > least
        }

    def latest_materialization_records_by_partition_and_asset(
        self,
    ) -> Mapping[str, Mapping[AssetKey, EventLogRecord]]:
        """By partition and asset, the newest materialization that was not seen."""
        result: dict[str, dict[AssetKey, EventLogRecord]] = {}
        for key in self.asset_keys:
            for partition, record in self.latest_materialization_records_by_partition(key).items():
                result.setdefault(partition, {})[key] = record
        return result

    def get_trailing_unconsumed_events(self, asset_key: CoercibleToAssetKey) -> Sequence[EventLogRecord]:
        """The materializations that are older than the newest one that was seen, and were passed over."""
        return self._records(self._left(self._text(asset_key)))

    def all_partitions_materialized(
        self, asset_key: CoercibleToAssetKey, partitions: Sequence[str] | None = None
    ) -> bool:
        """Whether all partitions of an asset have been made at some time.

        Args:
            asset_key: The asset, which has partitions.
            partitions: Which of them; all that there are now if not given.
        """
        text = self._text(asset_key)
        statuses = self._storage.assets.partition_statuses({text: 0}).get(text, PartitionStatuses())
        made = {key for key, letter in statuses.by_key().items() if letter in EVER_MATERIALIZED}
        if partitions is None:
            space = self._partitions(text).space(StoredDynamicPartitions(self._storage))
            count = space.count(self.clock.now())
            # Each made partition has one place; so counting them tells without listing the whole set.
            places = space.positions(made)
            return sum(place is not None and place < count for place in places) == count
        return made.issuperset(partitions)

    def get_downstream_partition_keys(
        self, partition_key: str, from_asset_key: CoercibleToAssetKey, to_asset_key: CoercibleToAssetKey
    ) -> Sequence[str]:
        """The partitions of an asset that depend on a partition of another.

        Args:
            partition_key: The partition.
            from_asset_key: The asset that it is of.
            to_asset_key: The asset that depends on it.

        Raises:
            DefinitionError: One of them has no partitions.
        """
        nodes = self.definitions.resolved.asset_graph.assets
        above, below = (AssetKey.from_coercible(each).to_user_string() for each in (from_asset_key, to_asset_key))
        for text in (above, below):
            self._partitions(text)
        return downstream_keys(
            partition_key,
            nodes[above],
            nodes[below],
            StoredDynamicPartitions(self._storage),
            now=self.clock.now(),
        )

    # -- the cursor ---------------------------------------------------------------------------------------------------

    @property
    def cursor_advanced(self) -> bool:
        """Whether this evaluation said that it has seen something."""
        return self.cursor_updated

    def get_cursor_partition(self, asset_key: CoercibleToAssetKey | None) -> str | None:
        """The partition of the newest materialization that was seen of an asset.

        Raises:
            UsageError: No asset is named, and there are several.
        """
        if asset_key is None:
            if len(self._assets) != 1:
                raise UsageError("The sensor monitors several assets; name the asset whose partition is meant.")
            return self._seen_of(next(iter(self._assets))).partition
        return self._seen_of(self._text(asset_key)).partition

    def advance_cursor(self, materialization_records_by_key: Mapping[AssetKey, Handled]) -> None:
        """Say what was seen; it counts if this evaluation succeeds.

        Args:
            materialization_records_by_key: By asset a record, records, or records by partition; None is passed over. Of
                an asset with partitions, the others that came before the newest of these stay unseen.
        """
        for key, handled in materialization_records_by_key.items():
            records = _records(handled)
            if records:
                text = self._text(key)
                self._seen[text] = self._advanced(text, records)
        self._store()

    def advance_all_cursors(self) -> None:
        """Say that everything was seen of all assets, also what was passed over before."""
        for text in self._assets:
            newest = self._storage.assets.history(text, types=_MADE, limit=1)
            if newest:
                self._seen[text] = _Seen(event=newest[0].id, partition=newest[0].fact.partition)
        self._store()

    def update_cursor(self, cursor: str | None) -> None:
        """A multi-asset sensor has a cursor for each asset, so its text cannot be set.

        Raises:
            UsageError: Always.
        """
        raise UsageError("A multi-asset sensor has a cursor for each asset; use advance_cursor or advance_all_cursors.")

    def _advanced(self, text: str, records: Sequence[EventLogRecord]) -> _Seen:
        newest = max(records, key=lambda record: record.storage_id)
        before = self._seen_of(text)
        handled: dict[str, int] = {}
        for record in records:
            if record.partition_key is not None:
                handled[record.partition_key] = max(record.storage_id, handled.get(record.partition_key, 0))
        left: dict[str, int] = {}
        if handled:
            for event in (*self._left(text), *self._after(text, newest.storage_id)):
                partition = event.fact.partition
                if partition is not None and event.id > handled.get(partition, 0):
                    left[partition] = event.id
        if newest.storage_id < before.event:
            return _Seen(event=before.event, partition=before.partition, left=left)
        return _Seen(event=newest.storage_id, partition=newest.partition_key, left=left)

    def _store(self) -> None:
        super().update_cursor(encode_json(self._seen).decode())

    # -- reading ------------------------------------------------------------------------------------------------------

    @property
    def _storage(self) -> Storage:
        storage: Storage = self.instance.storage
        return storage

    def _text(self, asset_key: CoercibleToAssetKey) -> str:
        text = AssetKey.from_coercible(asset_key).to_user_string()
        if text not in self._assets:
            raise UsageError(f"This sensor does not monitor the asset {text}; it monitors {', '.join(self._assets)}.")
        return text

    def _node(self, text: str) -> AssetNode | None:
        return self.definitions.resolved.asset_graph.assets.get(text)

    def _partitions(self, text: str) -> PartitionsDefinition:
        node = self._node(text)
        if node is None or node.partitions_def is None:
            raise DefinitionError(f"The asset {text} has no partitions that this code location knows of.")
        return node.partitions_def

    def _seen_of(self, text: str) -> _Seen:
        return self._seen.get(text, _Seen())

    def _place(self, text: str) -> int:
        return self._seen_of(text).event

    def _after(self, text: str, until: int | None = None) -> Iterable[AssetEvent]:
        """What was made after the newest event that was seen (and before the event `until`), oldest first."""
        after = self._place(text)
        while page := self._storage.assets.history(
            text, types=_MADE, after=after, before=until, ascending=True, limit=_PAGE
        ):
            yield from page
            after = page[-1].id

    def _left(self, text: str) -> Iterable[AssetEvent]:
        for place in sorted(self._seen_of(text).left.values()):
            yield from self._storage.assets.history(text, types=_MADE, after=place - 1, before=place + 1, limit=1)

    def _records(self, events: Iterable[AssetEvent]) -> list[EventLogRecord]:
        return read_records(self._storage, events)


def _records(handled: Handled) -> list[EventLogRecord]:
    match handled:
        case None:
            return []
        case EventLogRecord():
            return [handled]
        case Mapping():
            return list(handled.values())
    return list(handled)


def _decode(cursor: str | None) -> dict[str, _Seen]:
    if cursor is None:
        return {}
    try:
        return decode_json(cursor.encode(), dict[str, _Seen])
    except (msgspec.MsgspecError, ValueError) as error:
        raise UsageError(
            f"The cursor {cursor!r} is none of a multi-asset sensor; clear it at the sensor, or pass one that such a "
            "sensor has left."
        ) from error


def build_multi_asset_sensor_context(
    *,
    monitored_assets: CoercibleToAssetSelection,
    repository_def: Definitions | RepositoryDefinition | None = None,
    instance: Any = None,
    cursor: str | None = None,
    repository_name: str | None = None,
    cursor_from_latest_materializations: bool = False,
    resources: Mapping[str, Any] | None = None,
    definitions: Definitions | None = None,
    last_sensor_start_time: float | None = None,
    sensor_name: str | None = None,
) -> MultiAssetSensorEvaluationContext:
    """A context for calling a multi-asset sensor directly, or for `evaluate_tick`.

    Args:
        monitored_assets: The assets: keys, or a selection.
        repository_def: The definitions of the code location, by the name that older code uses.
        instance: The instance.
        cursor: What the last evaluation left.
        repository_name: The name of the code location's repository.
        cursor_from_latest_materializations: Begin as if all that was made until now had been seen.
        resources: By key, what `Definitions` takes as resources; those of the definitions if not given.
        definitions: The definitions of the code location.
        last_sensor_start_time: When the sensor was last turned on, in seconds since the epoch.
        sensor_name: The sensor's name.

    Raises:
        UsageError: A cursor is given, and it shall be that of the latest materializations.
    """
    if cursor is not None and cursor_from_latest_materializations:
        raise UsageError(
            "build_multi_asset_sensor_context takes cursor or cursor_from_latest_materializations, not both; drop one."
        )
    found = given_definitions(repository_def if definitions is None else definitions)

    def build(own_cursor: str | None) -> MultiAssetSensorEvaluationContext:
        return MultiAssetSensorEvaluationContext(
            monitored_assets=monitored_assets,
            cursor=own_cursor,
            repository_name=repository_name,
            last_sensor_start_time=last_sensor_start_time,
            sensor_name=sensor_name,
            instance=instance,
            **given_resources(resources, found),
        )

    context = build(cursor)
    if not cursor_from_latest_materializations:
        return context
    context.advance_all_cursors()
    return build(context.cursor)
