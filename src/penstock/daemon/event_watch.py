"""What is new in the event log for sensors that watch it: one reader for all of them.

What it finds is a hint: a sensor's own evaluation reads the log from its cursor on, so that none is missed and none
counts twice. Where a sensor comes to this daemon, the newest event of what it watches says whether there is anything
after its cursor; from then on the log is read as it grows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ..clock import Clock
from ..engine.watched import AUTOMATION, MADE, Watched
from ..records.automation import InstigatorState
from ..records.event import StoredEvent
from ..records.location import SensorDescription
from ..records.run import Run
from ..storage.log_pages import pages_of_types
from ..storage.protocols import RunFilter, Storage

__all__ = ["EventWatch"]

_PAGE = 500


class EventWatch:
    """News for sensors.

    Args:
        storage: Where the log is.
        clock: Tells the time.
    """

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock
        self._watched = Watched(())
        self._read = 0
        self._newest: dict[str, int] = {}
        self._begun: dict[str, int] = {}
        # Those for which there is something new that no event tells of, and since when no evaluation has begun: that
        # has no place in the log which could be compared with what an evaluation has seen.
        self._untold: set[str] = set()
        self.since: dict[str, float] = {}
        """Since when there is something new for a sensor, in seconds since the epoch, by its id."""

    def follow(self, sensors: Iterable[tuple[str, SensorDescription]], states: Mapping[str, InstigatorState]) -> None:
        """From now on watch for these sensors, which stand so."""
        before, self._watched = self._watched.ids, Watched(sensors)
        for gone in before - self._watched.ids:
            self.forget(gone)
        if not before:
            self._read = self._storage.events.last_id()
        come = self._watched.ids - before
        if come:
            for event, ids in self._newest_events():
                for key in come.intersection(ids):
                    if _is_after(event, states.get(key)):
                        self._note(key, event)

    def hear(self) -> set[str]:
        """Read on; gives the sensors that there is something new for."""
        heard: set[str] = set()
        for page in pages_of_types(self._storage.events, self._watched.types, after=self._read, limit=_PAGE):
            runs = self._runs_of(page)
            for stored in page:
                for key in self._watchers(stored, runs):
                    self._note(key, stored)
                    heard.add(key)
            self._read = page[-1].id
        return heard

    def note_now(self, key: str) -> None:
        """There is something new for that sensor that no event tells of."""
        self.since.setdefault(key, self._clock.now())
        self._untold.add(key)

    def begun(self, key: str) -> None:
        """An evaluation of that sensor begins: it will see what is known of now."""
        self._begun[key] = self._newest.get(key, 0)
        self._untold.discard(key)

    def ended(self, key: str, state: InstigatorState | None) -> None:
        """It has ended, and the sensor stands so; what came meanwhile is still new, unless it has seen that too."""
        seen = max(self._begun.pop(key, 0), _place(state))
        if self._newest.get(key, 0) <= seen and key not in self._untold:
            self.forget(key)

    def forget(self, key: str) -> None:
        """There is nothing new for that sensor."""
        self._newest.pop(key, None)
        self._untold.discard(key)
        self.since.pop(key, None)

    def _note(self, key: str, stored: StoredEvent) -> None:
        self._newest[key] = max(stored.id, self._newest.get(key, 0))
        self.since.setdefault(key, min(stored.event.time, self._clock.now()))

    def _watchers(self, stored: StoredEvent, runs: Mapping[str, Run]) -> Iterable[str]:
        if stored.event.type in AUTOMATION:
            yield from self._watched.automations
        if stored.event.type == MADE:
            yield from self._watched.of_asset(stored.event)
        elif (run := runs.get(stored.run_id or "")) is not None:
            yield from self._watched.of_run(stored.event.type, run.location, run.job)

    def _runs_of(self, page: list[StoredEvent]) -> dict[str, Run]:
        watched = self._watched.of_type
        wanted = tuple({each.run_id for each in page if each.run_id is not None and each.event.type in watched})
        if not wanted:
            return {}
        return {run.run_id: run for run in self._storage.runs.page(RunFilter(run_ids=wanted), limit=len(wanted))}

    def _newest_events(self) -> Iterator[tuple[StoredEvent, tuple[str, ...]]]:
        """The newest event of each kind that is watched, and who may watch it."""
        for event_type, ids in self._watched.of_type.items():
            for event in self._storage.events.of_types([event_type], ascending=False, limit=1):
                yield event, ids
        if self._watched.automations:
            for event in self._storage.events.of_types(AUTOMATION, ascending=False, limit=1):
                yield event, self._watched.automations
        assets = self._watched.assets
        for asset, state in self._storage.assets.states(list(assets)).items() if assets else ():
            made = None if state.materialized_event is None else self._storage.events.get(state.materialized_event)
            if made is not None:
                yield made, assets[asset]


def _is_after(event: StoredEvent, state: InstigatorState | None) -> bool:
    """Whether a sensor that stands so may not have seen an event."""
    if state is None or state.cursor is None:
        return False  # it has yet to begin, which it does when it is due
    return event.id > _place(state) if _place(state) else event.event.time > (state.last_tick or 0.0)


def _place(state: InstigatorState | None) -> int:
    """The place in the log that a cursor names; 0 where it is none."""
    cursor = None if state is None else state.cursor
    return int(cursor) if cursor is not None and cursor.isdecimal() else 0
