"""A run's log, read in pages for those who need all events of some types, and what is counted in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..records.event import Event, RunEnqueued
from .protocols import EventStorage

__all__ = ["lost_workers", "run_log"]

_PAGE = 1000


def run_log(
    events: EventStorage, run_id: str, types: Sequence[str] | None = None, step_keys: Sequence[str] | None = None
) -> Iterator[Event]:
    """A run's events, all or of these types, in the order in which they were stored."""
    after = 0
    while True:
        page = events.of_run(run_id, after=after, limit=_PAGE, types=types, step_keys=step_keys)
        yield from (stored.event for stored in page)
        if len(page) < _PAGE:
            return
        after = page[-1].id


def lost_workers(events: EventStorage, run_id: str) -> int:
    """How many workers of a run were lost and replaced."""
    return sum(
        isinstance(event.fact, RunEnqueued) and event.fact.lost_worker
        for event in run_log(events, run_id, ("RUN_ENQUEUED",))
    )
