"""A run's log, read in pages for those who need all events of some types, and what is counted in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..records.event import Event, RunEnqueued
from ..records.run import Run, StepStatus
from .protocols import EventStorage, RunStorage

__all__ = ["has_log", "lineage", "lost_workers", "run_log", "steps_at_hand"]

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


def has_log(events: EventStorage, run: Run) -> bool:
    """Whether the events of a run are still kept: each run has one from its making on."""
    return not run.is_finished or bool(events.of_run(run.run_id, limit=1))


def lost_workers(events: EventStorage, run_id: str) -> int:
    """How many workers of a run were lost and replaced."""
    return sum(
        isinstance(event.fact, RunEnqueued) and event.fact.lost_worker
        for event in run_log(events, run_id, ("RUN_ENQUEUED",))
    )


def lineage(runs: RunStorage, run: Run) -> Iterator[Run]:
    """A run, the one that it repeats, the one which that repeats, and so on; as far as they are still stored."""
    seen = {run.run_id}
    yield run
    while run.parent_run_id is not None and run.parent_run_id not in seen:
        parent = runs.get(run.parent_run_id)
        if parent is None:
            return
        seen.add(parent.run_id)
        yield parent
        run = parent


def steps_at_hand(runs: RunStorage, events: EventStorage, run: Run) -> frozenset[str]:
    """The steps, as the plan has them, that succeeded in a run, or else in the runs that it repeats.

    Where their values are is told by the logs of these runs, so a run whose log is no longer kept has none at hand.
    """
    known: dict[str, bool] = {}
    for each in lineage(runs, run):
        if not has_log(events, each):
            continue
        own: dict[str, bool] = {}
        for step in events.step_stats(each.run_id):
            key = step.step_key.partition("[")[0]
            own[key] = own.get(key, True) and step.status is StepStatus.SUCCESS
        known = own | known
    return frozenset(key for key, succeeded in known.items() if succeeded)
