"""What users ask an instance for: filters over runs, events and the history of assets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

import msgspec

from ..errors import UsageError
from ..records.event_type import STATUS_CHANGES, EventType
from ..records.keys import AssetKey
from ..records.labels import LABELS
from ..records.run import RunStatus, Tag
from ..storage.protocols import RunFilter

__all__ = [
    "AssetRecordsFilter",
    "EventRecordsFilter",
    "Moment",
    "RunShardedEventsCursor",
    "RunStatusChangeRecordsFilter",
    "RunsFilter",
    "seconds_of",
]

Moment: TypeAlias = datetime | float
"""A time: a datetime, which without a zone is read as UTC, or seconds since the epoch."""


def seconds_of(moment: Moment | None) -> float | None:
    """A time in seconds since the epoch."""
    if not isinstance(moment, datetime):
        return moment
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


class RunsFilter(msgspec.Struct, frozen=True):
    """Which runs: all given conditions hold.

    Args:
        run_ids: Those of these ids.
        job_name: Those of this job.
        statuses: Those in one of these states.
        tags: Those with these tags; where a tag's value is a list, with one of its items.
        updated_after: Those that changed after this time.
        updated_before: Those that last changed before this time.
        created_after: Those made after this time.
        created_before: Those made before this time.
        exclude_subruns: Leave out those that belong to a backfill.
    """

    run_ids: Sequence[str] | None = None
    job_name: str | None = None
    statuses: Sequence[RunStatus] | None = None
    tags: Mapping[str, str | Sequence[str]] | None = None
    updated_after: Moment | None = None
    updated_before: Moment | None = None
    created_after: Moment | None = None
    created_before: Moment | None = None
    exclude_subruns: bool | None = None

    def where(self) -> RunFilter:
        """The filter in the words of the storage."""
        tags: dict[str, str | tuple[str, ...] | None] = {
            LABELS.read(key): value if isinstance(value, str) else tuple(value)
            for key, value in (self.tags or {}).items()
        }
        return RunFilter(
            run_ids=None if self.run_ids is None else tuple(self.run_ids),
            statuses=None if self.statuses is None else tuple(RunStatus(each) for each in self.statuses),
            job=self.job_name,
            tags=tags,
            without_tags=(Tag.BACKFILL,) if self.exclude_subruns else (),
            updated_after=seconds_of(self.updated_after),
            updated_before=seconds_of(self.updated_before),
            created_after=seconds_of(self.created_after),
            created_before=seconds_of(self.created_before),
        )


class RunShardedEventsCursor(msgspec.Struct, frozen=True):
    """A place in the event log, as code knows it that was written for logs in one file for each run.

    Args:
        id: The place.
        run_updated_after: Only events after this time.
    """

    id: int
    run_updated_after: Moment


class AssetRecordsFilter(msgspec.Struct, frozen=True):
    """Which events of an asset's history: all given conditions hold.

    Args:
        asset_key: The asset.
        asset_partitions: Those of these partitions.
        after_timestamp: Those after this time.
        before_timestamp: Those before this time.
        after_storage_id: Those after this place in the log.
        before_storage_id: Those before this place in the log.
        storage_ids: Those at these places.
    """

    asset_key: AssetKey
    asset_partitions: Sequence[str] | None = None
    after_timestamp: Moment | None = None
    before_timestamp: Moment | None = None
    after_storage_id: int | None = None
    before_storage_id: int | None = None
    storage_ids: Sequence[int] | None = None


class RunStatusChangeRecordsFilter(msgspec.Struct, frozen=True):
    """Which changes of the states of runs: all given conditions hold.

    Args:
        event_type: The event that brings a run into the state.
        after_timestamp: Those after this time.
        before_timestamp: Those before this time.
        after_storage_id: Those after this place in the log.
        before_storage_id: Those before this place in the log.
        storage_ids: Those at these places.
        job_names: Those of runs of these jobs.

    Raises:
        UsageError: The event changes no run's state.
    """

    event_type: EventType
    after_timestamp: Moment | None = None
    before_timestamp: Moment | None = None
    after_storage_id: int | None = None
    before_storage_id: int | None = None
    storage_ids: Sequence[int] | None = None
    job_names: Sequence[str] | None = None

    def __post_init__(self) -> None:
        if self.event_type not in STATUS_CHANGES.values():
            known = ", ".join(STATUS_CHANGES.values())
            raise UsageError(f"The event {self.event_type} changes no run's state; give one of {known}.")


class EventRecordsFilter(msgspec.Struct, frozen=True):
    """Which events of the log: all given conditions hold.

    Args:
        event_type: Those of this type.
        asset_key: Those about this asset.
        asset_partitions: Those about these partitions.
        after_cursor: Those after this place in the log.
        before_cursor: Those before this place in the log.
        after_timestamp: Those after this time.
        before_timestamp: Those before this time.
        storage_ids: Those at these places.
    """

    event_type: EventType
    asset_key: AssetKey | None = None
    asset_partitions: Sequence[str] | None = None
    after_cursor: int | RunShardedEventsCursor | None = None
    before_cursor: int | RunShardedEventsCursor | None = None
    after_timestamp: Moment | None = None
    before_timestamp: Moment | None = None
    storage_ids: Sequence[int] | None = None
