"""Carries over what is stored of schedules and sensors: ticks, used run keys, switches, cursors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from ..records.automation import InstigatorKind, InstigatorState, InstigatorStatus, instigator_id
from ..records.run import Run, Tag
from ..storage.archive import Archive, UsedKey
from ..storage.protocols import Storage
from .history_records import Names, OldCursor, OldInstigator, OldTick, instigator_of, tick_of
from .history_tables import HistorySource
from .history_tally import UNREADABLE, Tally

__all__ = ["import_run_keys", "import_states", "import_ticks", "read_instigators"]

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
    archive: Archive | None,
    instigators: Instigators,
    names: Names,
    tally: Tally,
    *,
    since: float | None,
) -> dict[str, OldTick]:
    """Carry ticks over, and the run keys that they used; gives the last tick of each schedule and sensor, by id.

    Without an archive, all is read and counted only. Run keys stay used also where their tick is left out.
    """
    latest: dict[str, OldTick] = {}
    for page in _pages(source, instigators, names, tally):
        keys = [
            UsedKey(instigator=each.tick.instigator, run_key=key, run_id=run_id)
            for each in page
            for key, run_id in each.runs
            if key is not None
        ]
        kept = [each for each in page if since is None or each.tick.due >= since]
        if len(kept) < len(page):
            tally.leave_out("ticks before the time that --since gives", len(page) - len(kept))
        latest.update((each.tick.instigator, each) for each in kept)
        if archive is None:
            tally.ticks += len(kept)
        else:
            archive.load_instigators([], keys)
            tally.ticks += archive.load_ticks([each.tick for each in kept])
    return latest


def import_run_keys(archive: Archive, runs: Iterable[Run]) -> None:
    """Keep the run keys of these runs used, for those whose ticks are gone."""
    keys = []
    for run in runs:
        for tag, kind in ((Tag.SENSOR, InstigatorKind.SENSOR), (Tag.SCHEDULE, InstigatorKind.SCHEDULE)):
            if tag in run.tags and Tag.RUN_KEY in run.tags:
                instigator = instigator_id(run.location, kind, run.tags[tag])
                keys.append(UsedKey(instigator=instigator, run_key=run.tags[Tag.RUN_KEY], run_id=run.run_id))
    archive.load_instigators([], keys)


def _pages(source: HistorySource, instigators: Instigators, names: Names, tally: Tally) -> Iterator[Sequence[OldTick]]:
    after = 0
    while rows := source.ticks(after):
        after = rows[-1].number
        page: list[OldTick] = []
        for row in rows:
            owner = instigators.get(row.selector)
            if owner is None:
                tally.leave_out("ticks of schedules and sensors that nothing else is stored of")
                continue
            try:
                old = tick_of(row.body, owner.id, names)
            except UNREADABLE as error:
                tally.unreadable(f"tick {row.number}", error)
                continue
            if old is None:
                tally.leave_out("ticks that have not ended")
            else:
                page.append(old)
        yield page


def import_states(
    storage: Storage,
    archive: Archive | None,
    instigators: Instigators,
    latest: Mapping[str, OldTick],
    tally: Tally,
    *,
    now: float,
) -> None:
    """Carry switches and cursors over, when all events are there. What is stored here already stays.

    Args:
        storage: Where they go.
        archive: The way in; None to store nothing.
        instigators: Those of the history.
        latest: The last tick of each, by id.
        tally: Counts.
        now: The time.
    """
    newest = storage.events.last_id()
    before = storage.instigators.states()
    fresh: list[InstigatorState] = []
    for old in instigators.values():
        if old.cursor is not None and old.meaning is OldCursor.FOREIGN:
            tally.leave_out("cursors of sensors on several assets, which count the events of the old log")
        stored = before.get(old.id)
        if stored is None:
            fresh.append(_state_here(old, latest.get(old.id), newest, now))
            tally.cursors += fresh[-1].cursor is not None
            tally.switches += old.status is not InstigatorStatus.DECLARED_IN_CODE
        elif old.meaning is OldCursor.PLACE and stored.cursor is not None and stored.cursor != str(newest):
            tally.cursors += 1  # what has come with this import is not new to it
            if archive is not None:
                storage.instigators.set_cursor(old.id, old.location, old.name, str(newest), now=now)
    if archive is not None and fresh:
        archive.load_instigators(fresh, [])


def _state_here(old: OldInstigator, latest: OldTick | None, newest: int, now: float) -> InstigatorState:
    cursor = None
    if old.cursor is not None:
        cursor = {OldCursor.OWN: old.cursor, OldCursor.PLACE: str(newest), OldCursor.FOREIGN: None}[old.meaning]
    tick = None if latest is None else latest.tick
    return InstigatorState(
        id=old.id,
        location=old.location,
        kind=old.kind,
        name=old.name,
        status=old.status,
        cursor=cursor,
        last_run_key=tick.run_keys[-1] if tick is not None and tick.run_keys else None,
        last_tick=None if tick is None else tick.ended,
        turned_on=now if old.status is InstigatorStatus.RUNNING else None,
        updated=now,
    )
