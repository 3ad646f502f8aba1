"""Carries over what is stored of schedules and sensors: ticks, used run keys, switches, cursors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from ..clock import Clock
from ..records.automation import InstigatorState, InstigatorStatus
from ..records.lease import Lease
from ..storage.protocols import NewRun, Storage
from .history_records import Names, OldInstigator, OldTick, instigator_of, tick_of
from .history_runs import WantedRuns
from .history_tables import HistorySource
from .history_tally import UNREADABLE, Tally

__all__ = ["import_automation"]


def import_automation(
    source: HistorySource,
    storage: Storage,
    names: Names,
    wanted: WantedRuns,
    tally: Tally,
    *,
    clock: Clock,
    since: float | None,
    lease: Callable[[], Lease] | None,
) -> None:
    """Carry it over. A run that a tick asked for is made with the tick, which uses its run key for good.

    A switch or cursor that is set here already stays. Without a lease, all is read and counted only.
    """
    before = storage.instigators.states()
    instigators = _instigators(source, names, tally)
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
    for each in instigators.values():
        _set_up(storage, each, before.get(each.id), tally, clock=clock, write=lease is not None)


def _store(storage: Storage, old: OldTick, runs: Sequence[tuple[str | None, NewRun]], lease: Lease) -> bool:
    """Store a tick with the runs that it asked for; False if it is stored already."""
    tick = old.tick
    begun = storage.instigators.begin_tick(tick.instigator, tick.due, lease=lease, now=tick.started)
    if begun is None:
        return False
    ended = msgspec.structs.replace(tick, id=begun.id, attempt=begun.attempt)
    storage.instigators.complete_tick(ended, lease=lease, runs=runs, now=old.ended)
    return True


def _set_up(
    storage: Storage, old: OldInstigator, stored: InstigatorState | None, tally: Tally, *, clock: Clock, write: bool
) -> None:
    if old.foreign_cursor:
        tally.leave_out("cursors of sensors on assets and runs, which count the events of the old log")
    if old.cursor is not None and (stored is None or stored.cursor is None):
        tally.cursors += 1
        if write:
            storage.instigators.set_cursor(old.id, old.location, old.name, old.cursor, now=clock.now())
    declared = InstigatorStatus.DECLARED_IN_CODE
    if old.status is not declared and (stored is None or stored.status is declared):
        tally.switches += 1
        if write:
            storage.instigators.switch(old.id, old.location, old.kind, old.name, old.status, now=clock.now())


def _instigators(source: HistorySource, names: Names, tally: Tally) -> dict[str, OldInstigator]:
    """By what their ticks call them."""
    found: dict[str, OldInstigator] = {}
    for row in source.instigators():
        try:
            found[row.selector] = instigator_of(row.body, names)
        except UNREADABLE as error:
            tally.unreadable(f"schedule or sensor {row.selector}", error)
    return found


def _ticks(
    source: HistorySource, instigators: Mapping[str, OldInstigator], tally: Tally, since: float | None
) -> Iterator[OldTick]:
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
