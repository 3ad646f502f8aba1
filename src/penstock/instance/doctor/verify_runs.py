"""Compares each run's row, its steps and its tags with what its events come to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from ...records.event import Event
from ...records.run import Run, RunStatus, StepStats
from ...storage.archive import Archived
from ...storage.derive import RUN_EVENTS, derive
from ...storage.protocols import RunFilter, Storage
from .difference import Difference, differing

__all__ = ["Told", "compare_run", "verify_run", "verify_runs"]

_PAGE = 200
_EVENTS = 1000
_FIELDS = ("status", "queued", "launched", "started", "ended", "updated", "failure_reason")
_STEP_FIELDS = ("status", "worker_started", "started", "ended", "attempts")


class Told:
    """What a run's events come to, read one after the other."""

    def __init__(self, run: Run) -> None:
        self.run = msgspec.structs.replace(
            run,
            status=RunStatus.NOT_STARTED,
            queued=None,
            launched=None,
            started=None,
            ended=None,
            updated=run.created,
            failure_reason=None,
            note=None,
        )
        self.steps: dict[str, StepStats] = {}
        self.refused: list[Event] = []
        self.moves = 0

    def hear(self, events: Sequence[Event]) -> None:
        """Go on with these events."""
        outcome = derive(self.run, self.steps, events)
        self.run = outcome.run
        self.steps |= outcome.steps
        self.refused += outcome.refused
        self.moves += sum(event.type in RUN_EVENTS for event in events)


def verify_runs(storage: Storage) -> Iterator[Difference]:
    """Every difference of every run, oldest runs first; it reads page by page."""
    before: str | None = None
    while page := storage.runs.page(RunFilter(), limit=_PAGE, before=before, ascending=True):
        before = page[-1].run_id
        yield from _tags(storage, page)
        for run in page:
            yield from verify_run(storage, run.run_id)


def verify_run(storage: Storage, run_id: str) -> Iterator[Difference]:
    """Every difference of one run; none for one that is gone."""
    first = storage.runs.get(run_id)
    if first is None:
        return
    told, last = Told(first), 0
    while True:
        while page := storage.events.of_run(run_id, after=last, limit=_EVENTS):
            last = page[-1].id
            told.hear([each.event for each in page])
        run, steps = storage.runs.get(run_id), storage.events.step_stats(run_id)
        if run is None:
            return
        if not storage.events.of_run(run_id, after=last, limit=1):
            break
    yield from compare_run(run, steps, told)


def compare_run(run: Run, steps: Sequence[StepStats], told: Told) -> Iterator[Difference]:
    """How a run's rows differ from what its log tells. A run whose log is gone, or that has none, is not compared."""
    for event in told.refused:
        text = f"the log has {event.type}, which the run's state did not allow"
        yield Difference(kind="run", where=run.run_id, what=text)
    if not told.moves:
        return
    yield from differing("run", run.run_id, run, told.run, _FIELDS)
    if run.is_finished and run.note != told.run.note:
        yield from differing("run", run.run_id, run, told.run, ("note",))
    stored = {step.step_key: step for step in steps}
    for key in sorted(stored.keys() | told.steps.keys()):
        where = f"{run.run_id} {key}"
        if key not in stored:
            yield Difference(kind="step", where=where, what="the log tells of it, and it has no row")
        elif key not in told.steps:
            yield Difference(kind="step", where=where, what="it has a row, and the log does not tell of it")
        else:
            yield from differing("step", where, stored[key], told.steps[key], _STEP_FIELDS)


def _tags(storage: Storage, runs: Sequence[Run]) -> Iterator[Difference]:
    if not isinstance(storage, Archived):
        return
    found = storage.archive.tags([run.run_id for run in runs])
    for run in runs:
        tags = found.get(run.run_id, {})
        if tags == run.tags:
            continue
        again = storage.runs.get(run.run_id)
        tags = storage.archive.tags([run.run_id]).get(run.run_id, {})
        if again is not None and tags != again.tags:
            text = f"it is found by the tags {tags}, and has {again.tags}"
            yield Difference(kind="tags", where=run.run_id, what=text)
