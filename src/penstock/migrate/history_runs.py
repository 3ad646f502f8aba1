"""Which runs of an old history are carried over, and under which ids."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..records.run import Run
from ..storage.derive import END_EVENTS
from ..storage.protocols import RunFilter, Storage
from .history_log import has_ended
from .history_records import Names, run_of
from .history_tables import HistorySource, RunRow, run_row
from .history_tally import UNREADABLE, Tally

__all__ = ["WantedRun", "WantedRuns", "wanted_runs"]

_AT_ONCE = 500
_ENDS = tuple(sorted(END_EVENTS))


class WantedRun(NamedTuple):
    """A run to carry over: its row, and how it was made."""

    row: RunRow
    run: Run


class WantedRuns(NamedTuple):
    """Runs of the history.

    Args:
        runs: Those to carry over, by old id.
        begun: The new ids of those among them that a broken-off import has begun to store, and the numbers of their
            events that are there.
    """

    runs: dict[str, WantedRun]
    begun: dict[str, frozenset[int | None]]


def wanted_runs(
    source: HistorySource, storage: Storage, names: Names, tally: Tally, *, since: float | None, unfinished: bool
) -> WantedRuns:
    """Find them. `names` gets to know the new ids of all runs of the history."""
    found = WantedRuns({}, {})
    rows: list[RunRow] = []
    for raw in source.runs():
        tally.runs_there += 1
        try:
            row = run_row(raw)
        except UNREADABLE as error:
            tally.unreadable(f"run {raw[1]}", error)
            continue
        names.know_run(row.run_id, row.created)
        if since is not None and row.created < since:
            tally.leave_out("runs made before the time that --since gives")
        elif not has_ended(row) and not unfinished:
            tally.leave_out("runs that have not ended: import again when they have, or give --unfinished")
        else:
            rows.append(row)
    for start in range(0, len(rows), _AT_ONCE):
        _take(rows[start : start + _AT_ONCE], found, source, storage, names, tally)
    return found


def _take(
    rows: list[RunRow], found: WantedRuns, source: HistorySource, storage: Storage, names: Names, tally: Tally
) -> None:
    ids = tuple(names.run_id(row.run_id) for row in rows)
    here = {run.run_id: run for run in storage.runs.page(RunFilter(run_ids=ids), limit=len(ids))}
    tags = source.tags([row.run_id for row in rows])
    for row, new_id in zip(rows, ids, strict=True):
        if new_id in here and storage.events.of_run(new_id, types=_ENDS, limit=1):
            tally.runs_here += 1
            continue
        try:
            run = run_of(row, tags.get(row.run_id, {}), names)
        except UNREADABLE as error:
            tally.unreadable(f"run {row.run_id}", error)
            continue
        found.runs[row.run_id] = WantedRun(row, run)
        if new_id in here:
            found.begun[new_id] = frozenset(_numbers(storage, new_id))


def _numbers(storage: Storage, run_id: str) -> Iterator[int | None]:
    after = 0
    while page := storage.events.of_run(run_id, after=after):
        yield from (each.event.seq for each in page)
        after = page[-1].id
