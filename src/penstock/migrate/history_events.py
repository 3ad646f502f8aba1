"""Loads the events of an old history: those of runs, what no run told, and that assets were wiped."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TypeAlias

import msgspec

from ..records.event import (
    AssetCheckEvaluation,
    AssetFact,
    AssetMaterialization,
    AssetObservation,
    AssetWiped,
    EngineNote,
    Event,
)
from ..records.keys import AssetKey
from ..storage.archive import Archive, LoadedRun, LoggedEvent
from ..storage.protocols import Storage
from .history_facts import FactReader, read_entry
from .history_log import read_log
from .history_order import in_order
from .history_records import Names
from .history_runs import WantedRun, WantedRuns
from .history_tables import EVENTS_AT_ONCE, HistorySource
from .history_tally import UNREADABLE, Tally
from .history_values import Values

__all__ = ["EventImport", "Progress"]

Progress: TypeAlias = Callable[[int, int, int], None]
"""Is told now and then: runs done, runs in all, events done."""

_BATCH = 5000
_SAME_TIME = 1e-6

Told: TypeAlias = tuple[str | None, Event]
"""The new id of a run (None: no run told it) and an event."""


class EventImport:
    """One import of events, in the order of time over all runs: the latest of an asset is what was loaded last.

    Args:
        source: Where they are.
        storage: Where they go.
        archive: The way in; None to store nothing.
        names: What things are called here.
        wanted: The runs.
        tally: Counts.
        since: Only what happened outside of runs at that time or later.
    """

    def __init__(
        self,
        source: HistorySource,
        storage: Storage,
        archive: Archive | None,
        names: Names,
        wanted: WantedRuns,
        tally: Tally,
        *,
        since: float | None,
    ) -> None:
        self._source = source
        self._storage = storage
        self._archive = archive
        self._names = names
        self._wanted = wanted
        self._tally = tally
        self._since = since
        self._values = Values(names.label, names.run_id, tally.note)
        self._last = storage.events.last_id()
        self._is_first = self._last == 0  # then nothing is there already
        self._runs: list[LoadedRun] = []
        self._made_at = {
            key: state.materialized_at
            for key, state in storage.assets.states().items()
            if state.materialized_at is not None
        }

    def work(self, progress: Progress, lease: Callable[[], object]) -> None:
        """Load all of them.

        Args:
            progress: Is told how far it is.
            lease: Is called before each batch is stored.
        """
        runs = self._wanted.runs
        wiped = self._wiped()
        last_wiped = dict(wiped)
        logs: list[tuple[float, Callable[[], Iterable[tuple[float, Told]]]]] = [
            (0.0, partial(self._outside, last_wiped)),
            (0.0, partial(self._wipes, wiped)),
            *((each.row.created, partial(self._of_run, each)) for each in runs.values()),
        ]
        told = in_order(logs)
        while batch := list(itertools.islice(told, _BATCH)):
            lease()
            self._store(batch)
            progress(self._tally.runs, len(runs), self._tally.events)
        self._store([])  # what runs without any events are left
        progress(self._tally.runs, len(runs), self._tally.events)

    def _store(self, batch: list[Told]) -> None:
        runs, self._runs = self._runs, []
        of_runs = sum(run_id is not None for run_id, _ in batch)
        self._tally.runs += sum(each.run.run_id not in self._wanted.begun for each in runs)
        self._tally.events += of_runs
        self._tally.reports += len(batch) - of_runs
        if self._archive is None:
            return
        if runs:
            self._archive.load_runs(runs)
        if batch:
            ids = itertools.count(self._last + 1)
            self._archive.load_events(
                [LoggedEvent(id=next(ids), run_id=run_id, event=event) for run_id, event in batch]
            )
            self._last += len(batch)

    # -- runs ---------------------------------------------------------------------------------------------------------

    def _of_run(self, wanted: WantedRun) -> Iterable[tuple[float, Told]]:
        reader = FactReader(self._values, self._names.label, self._tally.note)
        log = read_log(wanted.run, wanted.row, self._lines(wanted.row.run_id), reader, self._tally)
        self._runs.append(LoadedRun(run=log.run, steps=log.steps))
        run_id = log.run.run_id
        known = self._wanted.begun.get(run_id, frozenset())
        return [(each.time, (run_id, self._not_too_late(each))) for each in log.events if each.seq not in known]

    def _lines(self, run_id: str) -> Iterator[tuple[int, str]]:
        after = 0
        while found := self._source.events(run_id, after):
            yield from found
            after = found[-1][0]
            if len(found) < EVENTS_AT_ONCE:
                break

    def _not_too_late(self, event: Event) -> Event:
        """A materialization that is older than the one an earlier import has brought must not become the latest."""
        fact = event.fact
        if (
            not isinstance(fact, AssetMaterialization)
            or fact.partition is not None
            or event.time >= self._made_at.get(fact.asset, 0.0)
        ):
            return event
        self._tally.note("materializations older than what an earlier import has brought of the asset")
        return msgspec.structs.replace(event, fact=EngineNote(message=event.message, metadata=fact.metadata))

    # -- what no run told ---------------------------------------------------------------------------------------------

    def _outside(self, last_wiped: dict[str, float]) -> Iterator[tuple[float, Told]]:
        reader = FactReader(self._values, self._names.label, lambda _: None)  # what it does not know is left out
        for number, text in self._lines(""):
            try:
                entry = read_entry(text)
                fact = reader.fact(entry)
            except UNREADABLE as error:
                self._tally.unreadable(f"event {number} of no run", error)
                continue
            time = entry.timestamp
            if not isinstance(fact, AssetMaterialization | AssetObservation | AssetCheckEvaluation):
                kind = entry.dagster_event.event_type_value if entry.dagster_event is not None else "log line"
                self._tally.leave_out(f"events of no run of the type {kind}")
            elif self._since is not None and time < self._since:
                self._tally.leave_out("events of no run before the time that --since gives")
            elif time <= last_wiped.get(fact.asset, 0.0) and not isinstance(fact, AssetCheckEvaluation):
                self._tally.leave_out("events of assets that were wiped after them")
            elif not self._is_stored(fact, time):
                yield time, (None, Event(time=time, fact=fact))

    def _wiped(self) -> list[tuple[str, float]]:
        found = []
        for path, time in self._source.wiped():
            try:
                found.append((AssetKey(json.loads(path)).to_user_string(), time))
            except UNREADABLE as error:
                self._tally.unreadable(f"the wiped asset {path}", error)
        return sorted(found, key=lambda each: each[1])

    def _wipes(self, wiped: Iterable[tuple[str, float]]) -> Iterator[tuple[float, Told]]:
        for asset, time in wiped:
            fact = AssetWiped(asset=asset)
            if (self._since is None or time >= self._since) and not self._is_stored(fact, time):
                yield time, (None, Event(time=time, fact=fact))

    def _is_stored(self, fact: AssetFact, time: float) -> bool:
        """Whether an earlier import has brought it."""
        if self._is_first:
            return False
        kind = fact.__struct_config__.tag
        assert isinstance(kind, str)
        since, until = time - _SAME_TIME, time + _SAME_TIME
        if isinstance(fact, AssetWiped):
            found = self._storage.events.of_types([kind], since=since, until=until)
            return any(each.event.fact == fact for each in found)
        history = self._storage.assets.history(fact.asset, types=[kind], since=since, until=until)
        return any(each.run_id is None and each.fact == fact for each in history)
