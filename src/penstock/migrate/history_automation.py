"""Carries over what is stored of schedules and sensors: ticks, used run keys, switches, cursors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

import msgspec

from ..records.automation import InstigatorState, InstigatorStatus
from ..records.lease import Lease
from ..storage.protocols import NewRun, Storage
from .history_records import Names, OldCursor, OldInstigator, OldTick, instigator_of, tick_of
from .history_runs import WantedRuns
from .history_tables import HistorySource
from .history_tally import UNREADABLE, Tally

__all__ = ["import_switches", "import_ticks", "read_instigators"]

Stored: TypeAlias = Mapping[str, InstigatorState]
"""What is stored here of schedules and sensors, by id."""


Instigators: TypeAlias = Mapping[str, OldInstigator]
"""Schedules and sensors by what their ticks call them."""


def read_instigators(source: HistorySource, names: Names, tally: Tally) -> Instigators:
    """All of the history."""
    found: dict[str, OldInstigator] = {}
    for row in source.instigators():
        try:
            found[row.selector] = instigator_of(row.body, names)
        except UNREADABLE as error:
            tally.unreadable(f"schedule or sensor {row.selector}", error)
    return found


def import_ticks(
    source: HistorySource,
    storage: Storage,
    instigators: Instigators,
    wanted: WantedRuns,
    tally: Tally,
    *,
    since: float | None,
    lease: Callable[[], Lease] | None,
) -> None:
    """Carry ticks over. A run that a tick asked for is made with the tick, which uses its run key for good.

    Without a lease, all is read and counted only.
    """
    for old in _ticks(source, instigators, tally, since):
        if any(run_id in wanted.unfinished for _, run_id in old.runs):
            tally.leave_out("ticks whose runs have not ended")
            continue
        runs = [(key, wanted.runs[run_id].run) for key, run_id in old.runs if run_id in wanted.runs]
        new = [(key, NewRun(run=run)) for key, run in runs if run.run_id not in wanted.made]
        if lease is None:
            tally.ticks += 1
        elif _store(storage, old, new, lease()):
            tally.ticks += 1
            wanted.made.update(each.run.run_id for _, each in new)


def import_switches(
    storage: Storage, instigators: Instigators, tally: Tally, *, now: float, before: Stored, write: bool
) -> None:
    """Carry switches and cursors over, when all events are there. What was set here already stays.

    Args:
        storage: Where they go.
        instigators: Those of the history.
        tally: Counts.
        now: The time.
        before: What was stored of them before the import.
        write: Whether to store anything.
    """
    newest = storage.events.last_id()
    for old in instigators.values():
        stored = before.get(old.id)
        cursor = _cursor_here(old, None if stored is None else stored.cursor, newest, tally)
        if cursor is not None:
            tally.cursors += 1
            if write:
                storage.instigators.set_cursor(old.id, old.location, old.name, cursor, now=now)
        declared = InstigatorStatus.DECLARED_IN_CODE
        if old.status is not declared and (stored is None or stored.status is declared):
            tally.switches += 1
            if write:
                storage.instigators.switch(old.id, old.location, old.kind, old.name, old.status, now=now)


def _cursor_here(old: OldInstigator, stored: str | None, newest: int, tally: Tally) -> str | None:
    """The cursor to set; None where there is nothing to set."""
    if old.cursor is None:
        return None
    match old.meaning:
        case OldCursor.OWN:
            return old.cursor if stored is None else None
        case OldCursor.PLACE:
            return str(newest) if stored is None or (stored.isdecimal() and int(stored) < newest) else None
        case OldCursor.FOREIGN:
            tally.leave_out("cursors of sensors on several assets, which count the events of the old log")
            return None


def _store(storage: Storage, old: OldTick, runs: Sequence[tuple[str | None, NewRun]], lease: Lease) -> bool:
    """Store a tick with the runs that it asked for; False if it is stored already."""
    tick = old.tick
    begun = storage.instigators.begin_tick(tick.instigator, tick.due, lease=lease, now=tick.started)
    if begun is None:
        return False
    ended = msgspec.structs.replace(tick, id=begun.id, attempt=begun.attempt)
    storage.instigators.complete_tick(ended, lease=lease, runs=runs, now=old.ended)
    return True


def _ticks(source: HistorySource, instigators: Instigators, tally: Tally, since: float | None) -> Iterator[OldTick]:
    after = 0
    while rows := source.ticks(after):
        after = rows[-1].number
        for row in rows:
            owner = instigators.get(row.selector)
            if owner is None:
                tally.leave_out("ticks of schedules and sensors that nothing else is stored of")
                continue
            try:
                old = tick_of(row.body, owner.id)
            except UNREADABLE as error:
                tally.unreadable(f"tick {row.number}", error)
                continue
            if old is None:
                tally.leave_out("ticks that have not ended")
            elif since is not None and old.tick.due < since:
                tally.leave_out("ticks before the time that --since gives")
            else:
                yield old
