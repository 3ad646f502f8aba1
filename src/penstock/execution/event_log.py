"""The event log as users read it: entries and records, views made of stored events on reading.

An instance has it at hand, and so have services that show no user any of it: what users write is loaded at first use.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from ..records import event as facts
from ..records.asset import AssetEvent
from ..records.errors import ErrorInfo
from ..records.event import Event, StoredEvent
from ..records.event_type import EventType
from ..records.keys import AssetKey
from ..records.phrases import level_of
from ..storage.protocols import RunFilter, Storage

if TYPE_CHECKING:
    from ..definitions.events import AssetCheckEvaluation, AssetMaterialization, AssetObservation

__all__ = ["EventLogEntry", "EventLogRecord", "read_records"]


class EventLogEntry(msgspec.Struct, frozen=True):
    """One line of the event log: an event, or a line that user code logged.

    Args:
        error_info: The error that it tells of.
        level: How loud it is, as the module `logging` counts.
        user_message: What happened, as a sentence; or the line that user code logged.
        run_id: The run; empty for an event of no run.
        timestamp: When it happened, in seconds since the epoch.
        step_key: The step.
        job_name: The run's job.
        event: The event; None for a line that user code logged.
    """

    error_info: ErrorInfo | None
    level: int
    user_message: str
    run_id: str
    timestamp: float
    step_key: str | None = None
    job_name: str | None = None
    event: Event | None = None

    @property
    def message(self) -> str:
        """What happened, as a sentence; or the line that user code logged."""
        return self.user_message or (self.event.message if self.event is not None else "")

    @property
    def is_event(self) -> bool:
        """Whether it is an event, and no line that user code logged."""
        return self.event is not None

    def get_event(self) -> Event:
        """The event.

        Raises:
            ValueError: It is a line that user code logged.
        """
        if self.event is None:
            raise ValueError("This entry is a line that user code logged, and no event; ask is_event first.")
        return self.event

    @property
    def event_type(self) -> EventType | None:
        """The type of the event."""
        return None if self.event is None else self.event.event_type

    @property
    def asset_key(self) -> AssetKey | None:
        """The asset that it is about, if it is about one."""
        return None if self.event is None else self.event.asset_key

    @property
    def partition_key(self) -> str | None:
        """The partition that it is about, if it is about one."""
        return None if self.event is None else self.event.partition

    @property
    def asset_materialization(self) -> AssetMaterialization | None:
        """The materialization, if it is one."""
        from .reported import materializations

        return next(iter(materializations(self._events())), None)

    @property
    def asset_observation(self) -> AssetObservation | None:
        """The observation, if it is one."""
        from .reported import observations

        return next(iter(observations(self._events())), None)

    @property
    def asset_check_evaluation(self) -> AssetCheckEvaluation | None:
        """The outcome of a check, if it is one."""
        from .reported import evaluations

        return next(iter(evaluations(self._events())), None)

    def _events(self) -> list[Event]:
        return [] if self.event is None else [self.event]


class EventLogRecord(msgspec.Struct, frozen=True):
    """An entry of the event log with its place there.

    Args:
        storage_id: The place, which grows.
        event_log_entry: The entry.
    """

    storage_id: int
    event_log_entry: EventLogEntry

    @property
    def run_id(self) -> str:
        """The run; empty for an event of no run."""
        return self.event_log_entry.run_id

    @property
    def timestamp(self) -> float:
        """When it happened, in seconds since the epoch."""
        return self.event_log_entry.timestamp

    @property
    def event_type(self) -> EventType | None:
        """The type of the event."""
        return self.event_log_entry.event_type

    @property
    def asset_key(self) -> AssetKey | None:
        """The asset that it is about, if it is about one."""
        return self.event_log_entry.asset_key

    @property
    def partition_key(self) -> str | None:
        """The partition that it is about, if it is about one."""
        return self.event_log_entry.partition_key

    @property
    def asset_materialization(self) -> AssetMaterialization | None:
        """The materialization, if it is one."""
        return self.event_log_entry.asset_materialization

    @property
    def asset_observation(self) -> AssetObservation | None:
        """The observation, if it is one."""
        return self.event_log_entry.asset_observation

    @property
    def asset_event(self) -> AssetMaterialization | AssetObservation | None:
        """The materialization or observation, if it is one."""
        return self.asset_materialization or self.asset_observation


def read_records(storage: Storage, events: Iterable[StoredEvent | AssetEvent]) -> list[EventLogRecord]:
    """Stored events as users read them, with the jobs of their runs.

    Args:
        storage: Where the runs are.
        events: The events.
    """
    found = [_stored(each) for each in events]
    jobs = _jobs(storage, {each.run_id for each in found if each.run_id is not None})
    return [EventLogRecord(each.id, _entry(each, jobs.get(each.run_id or ""))) for each in found]


def _stored(event: StoredEvent | AssetEvent) -> StoredEvent:
    """An event of an asset's history in the form in which the log has it."""
    if isinstance(event, StoredEvent):
        return event
    return StoredEvent(
        id=event.id, event=Event(time=event.time, fact=event.fact, step_key=event.step_key), run_id=event.run_id
    )


def _entry(given: StoredEvent, job: str | None) -> EventLogEntry:
    event = given.event
    is_line = isinstance(event.fact, facts.LogLine)
    return EventLogEntry(
        error_info=event.error,
        level=logging.getLevelNamesMapping()[level_of(event)],
        user_message=event.message,
        run_id=given.run_id or "",
        timestamp=event.time,
        step_key=event.step_key,
        job_name=job,
        event=None if is_line else event,
    )


def _jobs(storage: Storage, run_ids: set[str]) -> dict[str, str]:
    wanted: Sequence[str] = sorted(run_ids)
    if not wanted:
        return {}
    runs = storage.runs.page(RunFilter(run_ids=tuple(wanted)), limit=len(wanted))
    return {run.run_id: run.job for run in runs}
