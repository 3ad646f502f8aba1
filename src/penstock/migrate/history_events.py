"""Stores the events of an old history: those of runs in batches, and what no run told."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from ..clock import Clock
from ..records.event import (
    AssetCheckEvaluation,
    AssetCheckEvaluationPlanned,
    AssetFact,
    AssetMaterialization,
    AssetMaterializationPlanned,
    AssetObservation,
    AssetWiped,
    EngineNote,
    Event,
)
from ..records.keys import AssetKey
from ..records.lease import Lease
from ..storage.protocols import NewRun, Storage
from .history_facts import FactReader, read_entry
from .history_log import ImportedLog
from .history_order import Line, lines_in_order
from .history_records import Names
from .history_runs import WantedRuns
from .history_tables import HistorySource
from .history_tally import UNREADABLE, Tally
from .history_values import Values

if TYPE_CHECKING:
    from .history import Progress

__all__ = ["EventImport"]

_BATCH = 2000
_SAME_TIME = 1e-6
_ABOUT_ASSETS = (
    AssetMaterialization,
    AssetMaterializationPlanned,
    AssetObservation,
    AssetCheckEvaluation,
    AssetCheckEvaluationPlanned,
)


class EventImport:
    """One import of events.

    The latest event of an asset is the one that was stored last. So no two runs have events on one asset in the same
    batch, and batches are stored in the order of time.

    Args:
        storage: Where they go.
        names: What things are called here.
        wanted: The runs.
        tally: Counts.
        clock: Says what time it is.
        lease: Gives the import's lease; None to store nothing.
        since: Only what happened outside of runs at that time or later.
    """

    def __init__(
        self,
        storage: Storage,
        names: Names,
        wanted: WantedRuns,
        tally: Tally,
        *,
        clock: Clock,
        lease: Callable[[], Lease] | None,
        since: float | None,
    ) -> None:
        self._storage = storage
        self._names = names
        self._wanted = wanted
        self._tally = tally
        self._clock = clock
        self._lease = lease
        self._since = since
        self._values = Values(names.label, names.run_id, tally.note)
        self._reports = FactReader(self._values, names.label, lambda _: None)  # what it does not know is left out
        self._logs: dict[str, ImportedLog] = {}
        self._waiting: dict[str, list[Event]] = {}  # by the run's old id
        self._waits = 0
        self._hands: dict[str, str] = {}  # by asset, the run whose events on it wait
        self._made_at = {
            key: state.materialized_at
            for key, state in storage.assets.states().items()
            if state.materialized_at is not None
        }

    def work(self, source: HistorySource, progress: Progress) -> None:
        """Store all of them."""
        wiped = self._wiped(source)
        last_wiped = dict(wiped)
        wipes = iter(wiped)
        wipe = next(wipes, None)
        runs = [(each.row.created, run_id) for run_id, each in self._wanted.runs.items()]
        for line in lines_in_order(source, runs):
            while wipe is not None and wipe[1] <= line.time:
                self._wipe(*wipe)
                wipe = next(wipes, None)
            if line.run_id:
                self._of_run(line)
            else:
                self._outside(line, last_wiped)
            if self._waits >= _BATCH:
                self._flush()
                progress(self._tally.runs, len(runs), self._tally.events)
        self._flush()
        while wipe is not None:
            self._wipe(*wipe)
            wipe = next(wipes, None)
        progress(self._tally.runs, len(runs), self._tally.events)

    def _reader(self) -> FactReader:
        return FactReader(self._values, self._names.label, self._tally.note)

    # -- runs ---------------------------------------------------------------------------------------------------------

    def _of_run(self, line: Line) -> None:
        log = self._logs.get(line.run_id)
        if log is None:
            wanted = self._wanted.runs[line.run_id]
            log = self._logs[line.run_id] = ImportedLog(wanted.run, wanted.row, self._reader(), self._tally)
        events = log.close() if line.text is None else log.read(line.number, line.text)
        for event in events:
            self._wait(line.run_id, event)
        if line.text is None:
            self._tally.runs += 1

    def _wait(self, run_id: str, event: Event) -> None:
        if isinstance(event.fact, _ABOUT_ASSETS):
            asset = event.fact.asset
            if self._hands.setdefault(asset, run_id) != run_id:
                self._flush()
                self._hands[asset] = run_id
            event = self._not_too_late(event)
        self._waiting.setdefault(run_id, []).append(event)
        self._waits += 1

    def _not_too_late(self, event: Event) -> Event:
        """A materialization that is older than the one an earlier import has brought must not become the latest."""
        fact = event.fact
        if (
            isinstance(fact, AssetMaterialization)
            and fact.partition is None
            and event.time < self._made_at.get(fact.asset, 0.0)
        ):
            self._tally.note("materializations older than what an earlier import has brought of the asset")
            return msgspec.structs.replace(event, fact=EngineNote(message=event.message, metadata=fact.metadata))
        return event

    def _flush(self) -> None:
        ready = [run_id for run_id in self._waiting if self._logs[run_id].may_be_stored]
        if self._lease is not None:
            self._lease()
            made = self._wanted.made
            new = [run for run in (self._logs[run_id].run for run_id in ready) if run.run_id not in made]
            if new:
                self._storage.runs.create([NewRun(run=run) for run in new])
                made.update(run.run_id for run in new)
        for run_id in ready:
            log = self._logs[run_id]
            events = self._waiting.pop(run_id)
            self._tally.events += len(events)
            if self._lease is not None:
                self._storage.events.append(log.run.run_id, log.run.attempt, events, now=self._clock.now())
            if log.reached.is_finished:
                del self._logs[run_id]
        self._waits = 0
        self._hands.clear()

    # -- what no run told ---------------------------------------------------------------------------------------------

    def _outside(self, line: Line, last_wiped: dict[str, float]) -> None:
        assert line.text is not None
        try:
            entry = read_entry(line.text)
            fact = self._reports.fact(entry)
        except UNREADABLE as error:
            self._tally.unreadable(f"event {line.number} of no run", error)
            return
        if not isinstance(fact, AssetMaterialization | AssetObservation | AssetCheckEvaluation):
            kind = entry.dagster_event.event_type_value if entry.dagster_event is not None else "log line"
            self._tally.leave_out(f"events of no run of the type {kind}")
        elif self._since is not None and entry.timestamp < self._since:
            self._tally.leave_out("events of no run before the time that --since gives")
        elif entry.timestamp <= last_wiped.get(fact.asset, 0.0) and not isinstance(fact, AssetCheckEvaluation):
            self._tally.leave_out("events of assets that were wiped after them")
        elif not self._is_stored(fact, entry.timestamp):
            self._report(fact, entry.timestamp)

    def _is_stored(self, fact: AssetFact, time: float) -> bool:
        kind = fact.__struct_config__.tag
        assert isinstance(kind, str)
        since, until = time - _SAME_TIME, time + _SAME_TIME
        if isinstance(fact, AssetWiped):
            found = self._storage.events.of_types([kind], since=since, until=until)
            return any(isinstance(each.event.fact, AssetWiped) and each.event.fact == fact for each in found)
        history = self._storage.assets.history(fact.asset, types=[kind], since=since, until=until)
        return any(each.run_id is None and each.fact == fact for each in history)

    def _report(self, fact: AssetFact, time: float) -> None:
        self._flush()
        self._tally.reports += 1
        if self._lease is not None:
            self._storage.assets.report([fact], now=time)

    # -- wiped assets -------------------------------------------------------------------------------------------------

    def _wiped(self, source: HistorySource) -> list[tuple[str, float]]:
        found = []
        for path, time in source.wiped():
            try:
                found.append((AssetKey(json.loads(path)).to_user_string(), time))
            except UNREADABLE as error:
                self._tally.unreadable(f"the wiped asset {path}", error)
        return sorted(found, key=lambda each: each[1])

    def _wipe(self, asset: str, time: float) -> None:
        fact = AssetWiped(asset=asset)
        if (self._since is None or time >= self._since) and not self._is_stored(fact, time):
            self._report(fact, time)
