"""What an instance tells users of assets and partitions, and what they report and change there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..clock import Clock
from ..errors import PartitionNotFoundError, UsageError
from ..execution.event_log import EventLogEntry, EventLogRecord, read_records
from ..records.asset import EVER_MATERIALIZED, AssetEvent, AssetPartitionStatus, PartitionStatuses
from ..records.event import AssetWiped
from ..records.keys import AssetKey, CoercibleToAssetKey
from ..storage.protocols import Storage
from .pages import AssetEntry, AssetRecord

if TYPE_CHECKING:
    from ..partitions.definition import PartitionsDefinition

__all__ = ["AssetReading"]

_CODE_VERSION = "penstock/code_version"
_MADE, _SEEN = "ASSET_MATERIALIZATION", "ASSET_OBSERVATION"


class AssetReading:
    """The part of an instance that is about assets and partitions."""

    storage: Storage
    clock: Clock

    # -- assets -------------------------------------------------------------------------------------------------------

    def get_asset_keys(
        self, prefix: Sequence[str] | None = None, limit: int | None = None, cursor: str | None = None
    ) -> Sequence[AssetKey]:
        """The keys of the assets that were ever announced, made or observed, in the order of their text form.

        Args:
            prefix: Only those that begin with these parts.
            limit: The most to give; all if not given.
            cursor: The text form of the last key that was seen.
        """
        texts = sorted(text for text in self.storage.assets.states() if cursor is None or text > cursor)
        keys = map(AssetKey.from_user_string, texts)
        found = [key for key in keys if prefix is None or key.has_prefix(prefix)]
        return found if limit is None else found[:limit]

    def has_asset_key(self, asset_key: AssetKey) -> bool:
        """Whether the asset was ever announced, made or observed."""
        text = asset_key.to_user_string()
        return text in self.storage.assets.states([text])

    def get_asset_records(self, asset_keys: Sequence[AssetKey] | None = None) -> Sequence[AssetRecord]:
        """What is known of assets.

        Args:
            asset_keys: Which; all that are known if not given. Those of which nothing is known are left out.
        """
        texts = None if asset_keys is None else [key.to_user_string() for key in asset_keys]
        states = self.storage.assets.states(texts)
        made = self._by_asset(self.storage.assets.latest_materializations(list(states)))
        seen = self._by_asset(
            {
                text: event
                for text, state in states.items()
                if state.observed_event is not None
                for event in self.storage.assets.history(text, types=[_SEEN], limit=1)
            }
        )
        return [
            AssetRecord(
                AssetEntry(
                    asset_key=AssetKey.from_user_string(text),
                    last_materialization_record=made.get(text),
                    last_observation_record=seen.get(text),
                    last_run_id=states[text].planned_run or states[text].materialized_run,
                )
            )
            for text in (states if texts is None else texts)
            if text in states
        ]

    def get_latest_materialization_event(self, asset_key: AssetKey) -> EventLogEntry | None:
        """The newest materialization of an asset, if it was ever made."""
        return self.get_latest_materialization_events([asset_key])[asset_key]

    def get_latest_materialization_events(
        self, asset_keys: Sequence[AssetKey]
    ) -> Mapping[AssetKey, EventLogEntry | None]:
        """By key, the newest materialization of each of these assets; None where it was never made."""
        found = self._by_asset(
            self.storage.assets.latest_materializations([key.to_user_string() for key in asset_keys])
        )
        records = {key: found.get(key.to_user_string()) for key in asset_keys}
        return {key: None if record is None else record.event_log_entry for key, record in records.items()}

    def get_latest_materialization_code_versions(self, asset_keys: Sequence[AssetKey]) -> Mapping[AssetKey, str | None]:
        """By key, the code version with which each of these assets was last made; None where it is not known."""
        found = self.storage.assets.latest_materializations([key.to_user_string() for key in asset_keys])
        tags = {text: event.fact.tags for text, event in found.items() if hasattr(event.fact, "tags")}
        return {key: tags.get(key.to_user_string(), {}).get(_CODE_VERSION) for key in asset_keys}

    def get_latest_data_version_record(
        self, key: AssetKey, is_source: bool | None = None, partition_key: str | None = None
    ) -> EventLogRecord | None:
        """The event that tells the present data version of an asset: its newest materialization, or where it was never
        made, its newest observation.

        Args:
            key: The asset.
            is_source: Whether something else makes the asset, so that observations alone count; both do if not given.
            partition_key: The partition, if one is meant.
        """
        kinds = [[_MADE], [_SEEN]] if is_source is None else [[_SEEN] if is_source else [_MADE]]
        for types in kinds:
            found = self.storage.assets.history(key.to_user_string(), types=types, partition=partition_key, limit=1)
            if found:
                return read_records(self.storage, found)[0]
        return None

    def report_runless_asset_event(self, asset_event: Any) -> None:
        """Store a materialization, an observation or the outcome of a check that no run made.

        Raises:
            UsageError: It is none of these.
        """
        from ..execution.facts import fact_of_no_run  # with what users write, which no service does

        self.storage.assets.report([fact_of_no_run(asset_event)], now=self.clock.now())

    def wipe_assets(self, asset_keys: Sequence[AssetKey]) -> None:
        """Forget what is known of these assets: their history, state and partitions. The logs of runs keep their lines,
        and values that IO managers have stored stay where they are."""
        facts = [AssetWiped(asset=key.to_user_string()) for key in asset_keys]
        self.storage.assets.report(facts, now=self.clock.now())

    def wipe_asset_partitions(self, asset_key: AssetKey, partition_keys: Sequence[str]) -> None:
        """Forget what is known of these partitions of an asset."""
        fact = AssetWiped(asset=asset_key.to_user_string(), partitions=tuple(partition_keys))
        self.storage.assets.report([fact], now=self.clock.now())

    def _by_asset(self, events: Mapping[str, AssetEvent]) -> dict[str, EventLogRecord]:
        return dict(zip(events, read_records(self.storage, events.values()), strict=True))

    # -- partitions ---------------------------------------------------------------------------------------------------

    def get_materialized_partitions(
        self, asset_key: CoercibleToAssetKey, before_cursor: int | None = None, after_cursor: int | None = None
    ) -> set[str]:
        """The partitions of an asset that were made.

        Args:
            asset_key: The asset.
            before_cursor: Only those last made before this place in the event log.
            after_cursor: Only those last made after this place in the event log.
        """
        text = AssetKey.from_coercible(asset_key).to_user_string()
        if before_cursor is None and after_cursor is None:
            statuses = self.storage.assets.partition_statuses({text: 0}).get(text, PartitionStatuses())
            return {key for key, letter in statuses.by_key().items() if letter in EVER_MATERIALIZED}
        states = self.storage.assets.partition_states(text)
        return {
            each.partition
            for each in states.values()
            if each.event is not None
            and (before_cursor is None or each.event < before_cursor)
            and (after_cursor is None or each.event > after_cursor)
        }

    def get_status_by_partition(
        self, asset_key: AssetKey, partition_keys: Sequence[str], partitions_def: PartitionsDefinition
    ) -> Mapping[str, AssetPartitionStatus | None]:
        """By partition, where it stands; None where it was never announced nor made.

        Args:
            asset_key: The asset.
            partition_keys: The partitions.
            partitions_def: The set of the asset's partitions.

        Raises:
            PartitionNotFoundError: The set has no such partition.
        """
        space = partitions_def.space(self)
        for key, position in zip(partition_keys, space.positions(partition_keys), strict=True):
            if position is None:
                raise PartitionNotFoundError(f"The partitions of {asset_key.to_user_string()} have no key {key!r}.")
        states = self.storage.assets.partition_states(asset_key.to_user_string(), partition_keys)
        return {key: AssetPartitionStatus.of(states[key].status) if key in states else None for key in partition_keys}

    def get_dynamic_partitions(self, partitions_def_name: str) -> Sequence[str]:
        """The keys of a dynamic partition set, in the order in which they were added."""
        return self.storage.assets.dynamic_partitions(partitions_def_name)

    def has_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> bool:
        """Whether a dynamic partition set has a key."""
        return partition_key in self.storage.assets.dynamic_partitions(partitions_def_name)

    def add_dynamic_partitions(self, partitions_def_name: str, partition_keys: Sequence[str]) -> None:
        """Add keys to a dynamic partition set; those that are there already change nothing.

        Raises:
            UsageError: The keys are one text; a list is needed, even for one.
        """
        if isinstance(partition_keys, str):
            raise UsageError(f"add_dynamic_partitions was given the text {partition_keys!r}; give a list of keys.")
        self.storage.assets.add_dynamic_partitions(partitions_def_name, partition_keys)

    def delete_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> None:
        """Remove a key from a dynamic partition set."""
        self.storage.assets.delete_dynamic_partitions(partitions_def_name, [partition_key])
