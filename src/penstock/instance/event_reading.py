"""What an instance tells users of its event log over all runs, and of the history of assets."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from itertools import islice

from ..errors import UsageError
from ..execution.event_log import EventLogRecord, read_records
from ..records.asset import AssetEvent
from ..records.event import StoredEvent
from ..records.event_type import EventType
from ..records.keys import AssetKey
from ..storage.protocols import Storage
from .filters import (
    AssetRecordsFilter,
    EventRecordsFilter,
    RunShardedEventsCursor,
    RunStatusChangeRecordsFilter,
    seconds_of,
)
from .pages import EventRecordsResult

__all__ = ["EventReading"]

_PAGE = 500
_HISTORY = frozenset({EventType.ASSET_MATERIALIZATION, EventType.ASSET_OBSERVATION, EventType.ASSET_CHECK_EVALUATION})
"""The types that an asset's history keeps, also when the run's log is gone."""


class EventReading:
    """The part of an instance that is about events over all runs."""

    storage: Storage

    def fetch_materializations(
        self,
        records_filter: AssetKey | AssetRecordsFilter,
        limit: int,
        cursor: str | None = None,
        ascending: bool = False,
    ) -> EventRecordsResult:
        """A page of an asset's materializations, newest first.

        Args:
            records_filter: The asset, or which of its materializations.
            limit: The most to give.
            cursor: Where the page begins, as the page before told it.
            ascending: Oldest first.
        """
        return self._history(EventType.ASSET_MATERIALIZATION, records_filter, limit, cursor, ascending=ascending)

    def fetch_observations(
        self,
        records_filter: AssetKey | AssetRecordsFilter,
        limit: int,
        cursor: str | None = None,
        ascending: bool = False,
    ) -> EventRecordsResult:
        """A page of an asset's observations, newest first; it takes what `fetch_materializations` takes."""
        return self._history(EventType.ASSET_OBSERVATION, records_filter, limit, cursor, ascending=ascending)

    def fetch_run_status_changes(
        self,
        records_filter: EventType | RunStatusChangeRecordsFilter,
        limit: int,
        cursor: str | None = None,
        ascending: bool = False,
    ) -> EventRecordsResult:
        """A page of the events that brought runs into a state, newest first.

        Args:
            records_filter: The event, or which of them.
            limit: The most to give.
            cursor: Where the page begins, as the page before told it.
            ascending: Oldest first.
        """
        where = records_filter
        if not isinstance(where, RunStatusChangeRecordsFilter):
            where = RunStatusChangeRecordsFilter(where)
        after, before = _bounds(where.after_storage_id, where.before_storage_id, cursor, ascending=ascending)
        if where.storage_ids is not None:
            found = self._at(where.storage_ids, where.event_type, after, before, ascending=ascending)
            since, until = seconds_of(where.after_timestamp), seconds_of(where.before_timestamp)
            found = [each for each in found if _within(each.event.time, since, until)]
            if where.job_names is not None:
                jobs = {record.storage_id: record.event_log_entry.job_name for record in self._records(found)}
                found = [each for each in found if jobs[each.id] in where.job_names]
        else:
            found = self.storage.events.of_types(
                [where.event_type],
                after=after,
                before=before,
                since=seconds_of(where.after_timestamp),
                until=seconds_of(where.before_timestamp),
                jobs=where.job_names,
                ascending=ascending,
                limit=limit + 1,
            )
        return self._page(found, limit, cursor)

    def get_event_records(
        self,
        event_records_filter: EventRecordsFilter,
        limit: int | None = None,
        ascending: bool = False,
    ) -> Sequence[EventLogRecord]:
        """Events of one type over all runs, newest first.

        Args:
            event_records_filter: Which.
            limit: The most to give; all if not given.
            ascending: Oldest first.

        Raises:
            UsageError: Partitions are named without an asset.
        """
        where = event_records_filter
        if where.asset_partitions is not None and where.asset_key is None:
            raise UsageError("An EventRecordsFilter has asset_partitions and no asset_key; name the asset.")
        found: list[EventLogRecord] = []
        cursor: str | None = None
        while limit is None or len(found) < limit:
            size = _PAGE if limit is None else min(_PAGE, limit - len(found))
            page = self._log_page(where, size, cursor, ascending=ascending)
            found += page.records
            if not page.has_more:
                break
            cursor = page.cursor
        return found

    def _log_page(
        self, where: EventRecordsFilter, limit: int, cursor: str | None, *, ascending: bool
    ) -> EventRecordsResult:
        after, after_time = _place(where.after_cursor)
        before, _ = _place(where.before_cursor)
        since = max(
            (each for each in (seconds_of(where.after_timestamp), after_time) if each is not None), default=None
        )
        if where.asset_key is not None and where.event_type in _HISTORY:
            asked = AssetRecordsFilter(
                where.asset_key,
                where.asset_partitions,
                after_timestamp=since,
                before_timestamp=where.before_timestamp,
                after_storage_id=after,
                before_storage_id=before,
                storage_ids=where.storage_ids,
            )
            return self._history(where.event_type, asked, limit, cursor, ascending=ascending)
        lower, upper = _bounds(after, before, cursor, ascending=ascending)
        until = seconds_of(where.before_timestamp)
        if where.storage_ids is not None:
            found = self._at(where.storage_ids, where.event_type, lower, upper, ascending=ascending)
            found = [each for each in found if _within(each.event.time, since, until)]
        else:
            found = self.storage.events.of_types(
                [where.event_type],
                after=lower,
                before=upper,
                since=since,
                until=until,
                ascending=ascending,
                limit=limit + 1,
            )
        page = self._page(found, limit, cursor)
        if where.asset_key is None:
            return page
        chosen = [record for record in page.records if _is_about(record, where)]
        return EventRecordsResult(chosen, page.cursor, page.has_more)

    def _history(
        self,
        event_type: EventType,
        records_filter: AssetKey | AssetRecordsFilter,
        limit: int,
        cursor: str | None,
        *,
        ascending: bool,
    ) -> EventRecordsResult:
        where = records_filter if isinstance(records_filter, AssetRecordsFilter) else AssetRecordsFilter(records_filter)
        after, before = _bounds(where.after_storage_id, where.before_storage_id, cursor, ascending=ascending)
        asset = where.asset_key.to_user_string()
        partitions: Sequence[str | None] = [None] if where.asset_partitions is None else list(where.asset_partitions)

        def read(partition: str | None, lower: int | None, upper: int | None) -> list[AssetEvent]:
            return self.storage.assets.history(
                asset,
                types=[event_type],
                partition=partition,
                after=lower,
                before=upper,
                since=seconds_of(where.after_timestamp),
                until=seconds_of(where.before_timestamp),
                ascending=ascending,
                limit=limit + 1,
            )

        if where.storage_ids is None:
            parts = [read(partition, after, before) for partition in partitions]
        else:
            places = [place for place in sorted(set(where.storage_ids)) if _within(place, after, before)]
            ordered = places if ascending else places[::-1]
            parts = [
                [event for place in ordered for event in read(partition, place - 1, place + 1)]
                for partition in partitions
            ]
        merged = heapq.merge(*parts, key=lambda event: event.id, reverse=not ascending)
        return self._page(list(islice(merged, limit + 1)), limit, cursor)

    def _at(
        self,
        places: Sequence[int],
        event_type: EventType,
        after: int | None,
        before: int | None,
        *,
        ascending: bool,
    ) -> list[StoredEvent]:
        found = (self.storage.events.get(place) for place in sorted(set(places), reverse=not ascending))
        return [
            event
            for event in found
            if event is not None and event.event.type == event_type and _within(event.id, after, before)
        ]

    def _page(
        self, found: Sequence[StoredEvent] | Sequence[AssetEvent], limit: int, cursor: str | None
    ) -> EventRecordsResult:
        page = found[:limit]
        return EventRecordsResult(
            records=self._records(page),
            cursor=str(page[-1].id) if page else cursor or "",
            has_more=len(found) > limit,
        )

    def _records(self, events: Sequence[StoredEvent] | Sequence[AssetEvent]) -> list[EventLogRecord]:
        return read_records(self.storage, events)


def _place(cursor: int | RunShardedEventsCursor | None) -> tuple[int | None, float | None]:
    if isinstance(cursor, RunShardedEventsCursor):
        return cursor.id, seconds_of(cursor.run_updated_after)
    return cursor, None


def _bounds(
    after: int | None, before: int | None, cursor: str | None, *, ascending: bool
) -> tuple[int | None, int | None]:
    """The places between which a page lies: those of the filter, and the end of the page before."""
    if not cursor:
        return after, before
    place = int(cursor)
    if ascending:
        return max(place, after or 0), before
    return after, min(place, before) if before is not None else place


def _within(value: float, after: float | None, before: float | None) -> bool:
    return (after is None or value > after) and (before is None or value < before)


def _is_about(record: EventLogRecord, where: EventRecordsFilter) -> bool:
    if record.asset_key != where.asset_key:
        return False
    return where.asset_partitions is None or record.partition_key in where.asset_partitions
