"""What users get from an instance: pages of events, runs with their times, and what is known of an asset."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Generic, TypeVar

import msgspec

from ..execution.event_log import EventLogEntry, EventLogRecord
from ..records.keys import AssetKey
from ..records.run import Run

__all__ = ["AssetEntry", "AssetRecord", "EventRecordsResult", "PaginatedResults", "RunRecord", "RunStats"]

T = TypeVar("T")


class EventRecordsResult(msgspec.Struct, frozen=True):
    """A page of events.

    Args:
        records: The events.
        cursor: Where the next page begins.
        has_more: Whether there is a next page.
    """

    records: Sequence[EventLogRecord]
    cursor: str
    has_more: bool


class PaginatedResults(msgspec.Struct, Generic[T], frozen=True):
    """A page of anything.

    Args:
        results: The items.
        cursor: Where the next page begins.
        has_more: Whether there is a next page.
    """

    results: Sequence[T]
    cursor: str
    has_more: bool


class RunRecord(msgspec.Struct, frozen=True):
    """A run with the times of its life.

    Args:
        run: The run.
    """

    run: Run

    @property
    def storage_id(self) -> str:
        """Its place among runs: its id, which sorts by creation."""
        return self.run.run_id

    @property
    def create_timestamp(self) -> datetime:
        """When it was made."""
        return datetime.fromtimestamp(self.run.created, UTC)

    @property
    def update_timestamp(self) -> datetime:
        """When it last changed."""
        return datetime.fromtimestamp(self.run.updated, UTC)

    @property
    def start_time(self) -> float | None:
        """When its worker began, in seconds since the epoch."""
        return self.run.started

    @property
    def end_time(self) -> float | None:
        """When it ended, in seconds since the epoch."""
        return self.run.ended


class RunStats(msgspec.Struct, frozen=True, kw_only=True):
    """What a run came to so far. Times are in seconds since the epoch."""

    run_id: str
    steps_succeeded: int
    steps_failed: int
    materializations: int
    enqueued_time: float | None
    launch_time: float | None
    start_time: float | None
    end_time: float | None


class AssetEntry(msgspec.Struct, frozen=True):
    """What is known of an asset.

    Args:
        asset_key: The asset.
        last_materialization_record: Its newest materialization.
        last_observation_record: Its newest observation.
        last_run_id: The run that last announced or made it.
    """

    asset_key: AssetKey
    last_materialization_record: EventLogRecord | None = None
    last_observation_record: EventLogRecord | None = None
    last_run_id: str | None = None

    @property
    def last_materialization(self) -> EventLogEntry | None:
        """Its newest materialization."""
        record = self.last_materialization_record
        return None if record is None else record.event_log_entry

    @property
    def last_materialization_storage_id(self) -> int | None:
        """The place of its newest materialization in the log."""
        record = self.last_materialization_record
        return None if record is None else record.storage_id


class AssetRecord(msgspec.Struct, frozen=True):
    """An asset with what is known of it.

    Args:
        asset_entry: What is known of it.
    """

    asset_entry: AssetEntry

    @property
    def asset_key(self) -> AssetKey:
        """The asset."""
        return self.asset_entry.asset_key
