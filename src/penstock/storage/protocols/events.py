"""The seam of the event log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ...records.event import Event, StoredEvent
from ...records.run import StepStats

__all__ = ["EventStorage"]


class EventStorage(Protocol):
    """The event log."""

    def append(self, run_id: str, attempt: int, events: Sequence[Event], *, now: float) -> int:
        """Store a batch of a run worker's numbered events; gives the id of the last one.

        Events whose number is stored already are passed over, so a batch may be sent again, the last one also after it
        has ended the run. Events that the run's state does not allow, and those after its end, are left out. A fact
        that holds what no store can keep becomes an `EngineNote`. Raises `FencedError` when the attempt is not current,
        or the run waits or has ended.
        """
        ...

    def of_run(
        self,
        run_id: str,
        *,
        after: int = 0,
        limit: int = 1000,
        types: Sequence[str] | None = None,
        step_keys: Sequence[str] | None = None,
    ) -> list[StoredEvent]:
        """A run's events in the order they were stored."""
        ...

    def of_types(
        self,
        types: Sequence[str],
        *,
        after: int | None = None,
        before: int | None = None,
        since: float | None = None,
        until: float | None = None,
        jobs: Sequence[str] | None = None,
        ascending: bool = True,
        limit: int = 100,
    ) -> list[StoredEvent]:
        """Events of these types over all runs, oldest first or newest first: those with ids between `after` and
        `before` and with times between `since` and `until`, these bounds left out, of runs of these jobs."""
        ...

    def get(self, event_id: int) -> StoredEvent | None:
        """One event."""
        ...

    def last_id(self) -> int:
        """The id of the newest event; 0 when there is none."""
        ...

    def failures(self, run_ids: Sequence[str]) -> dict[str, StoredEvent]:
        """What ended each of these runs that has failed: its first `StepFailure`, or else its `RunFailure`. Those
        whose events are no longer kept are left out."""
        ...

    def step_stats(self, run_id: str) -> list[StepStats]:
        """What is known of each step that has begun, in the order they began."""
        ...

    def steps_of(self, run_ids: Sequence[str]) -> dict[str, list[StepStats]]:
        """What `step_stats` gives, of several runs; those of which no step has begun are left out."""
        ...
