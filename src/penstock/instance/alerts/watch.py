"""Finds what people want to be told of: in the event log, and in how things stand now."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ...clock import Clock
from ...engine.alert_texts import (
    check_failed,
    code_server_lost,
    daemon_lost,
    freshness_violated,
    location_broken,
    one_off_failed,
    run_failed,
    run_late,
    run_stuck,
    tick_failed,
)
from ...engine.freshness import freshness_of, made_at
from ...locations.catalog import Catalog
from ...records.alert import Alert, AlertKind
from ...records.automation import Tick, TickStatus
from ...records.event import AssetCheckEvaluation, RunFailure, StoredEvent
from ...records.freshness_state import FreshnessState
from ...records.lease import ProcessInfo
from ...records.one_off import OneOffStatus
from ...records.run import RunStatus
from ...records.wire import LoadStatus
from ...storage.log_pages import KeptPlace
from ...storage.protocols import RunFilter, Storage
from ..settings import AlertSettings

__all__ = ["LOST_SECONDS", "Watch", "pass_over_events"]

LOST_SECONDS = 30.0
"""A daemon or code server is lost that was not heard of for so long."""

_OLDEST = 86_400.0
"""What happened so long ago is no news any more."""

_TICKS_OVERLAP = 3600.0
"""A tick that began so long ago may have failed since the last look."""

_TICKS = 20
"""So many ticks of one schedule or sensor that have failed since the last look are told, the newest ones."""

_SKEW = 5.0
"""By so many seconds the clocks of two daemons may differ, the one that had a sensor and the one that has it now."""

_ONE_OFFS = 500
"""Of one-off runs that came to nothing, so many that were asked for last are looked at."""

_RUNS = 1000
"""So many runs that wait are looked at each time."""

_PAGE = 100
_PLACE = "alerts/place"
_SINCE = "alerts/since"


def pass_over_events(storage: Storage) -> None:
    """Let only what is stored from now on be told. No daemon may be at work."""
    KeptPlace(storage, _PLACE).pass_over()


class Watch:
    """Looks at an instance. It begins with what happens after alerts were turned on for the first time.

    Args:
        storage: The instance's storage.
        catalog: What the code locations define.
        settings: The rules: what none of them asks for is not looked for.
        clock: Tells the time.
    """

    def __init__(self, storage: Storage, catalog: Catalog, settings: AlertSettings, clock: Clock) -> None:
        self._storage = storage
        self._catalog = catalog
        self._settings = settings
        self._clock = clock
        self._kinds: frozenset[AlertKind] = frozenset(kind for rule in settings.rules for kind in rule.when)
        wanted: dict[AlertKind, str] = {"run_failure": "RUN_FAILURE", "check_failed": "ASSET_CHECK_EVALUATION"}
        self._types = [event_type for kind, event_type in wanted.items() if kind in self._kinds]
        self._place = KeptPlace(storage, _PLACE)
        self._since: float | None = None
        self._looked: float | None = None
        self._ticked: dict[str, float] = {}
        self._late_before: str | None = None
        self._late: set[str] = set()
        self._still_late: set[str] = set()
        self._silent_before = -math.inf  # who was last heard of then or before is lost

    # -- the event log ------------------------------------------------------------------------------------------------

    def logged(self, *, epoch: int) -> Iterator[list[Alert]]:
        """What the log tells since it was last read, page by page, under a lease of that epoch. A page counts as read
        when the next one is asked for: what it told is in the outbox by then."""
        for events in self._place.read_on(self._types, epoch=epoch, limit=_PAGE):
            oldest = self._clock.now() - _OLDEST
            found = (self._alert_of(event) for event in events if event.event.time > oldest)
            yield [alert for alert in found if alert is not None]

    def _alert_of(self, stored: StoredEvent) -> Alert | None:
        time = stored.event.time
        match stored.event.fact:
            case AssetCheckEvaluation() as check if not check.passed:
                run = None if stored.run_id is None else self._storage.runs.get(stored.run_id)
                return check_failed(check, run, event_id=stored.id, time=time)
            case RunFailure() as failure if stored.run_id is not None:
                run = self._storage.runs.get(stored.run_id)
                return None if run is None else run_failed(run, failure, event_id=stored.id, time=time)
        return None

    # -- how things stand ---------------------------------------------------------------------------------------------

    def standing(self, *, steady_since: float = -math.inf) -> Iterator[list[Alert]]:
        """The ticks that have failed since the last look, and what is as it should not be now, which is there again at
        each look under the same names. A part counts as told when the next one is asked for.

        Args:
            steady_since: Since when whoever looks has been at work without a break. After one, a machine's sleep or a
                clock that was set forward, all others have been silent too.
        """
        now = self._clock.now()
        self._note_silence(now, steady_since)
        since = self._news_from(now)
        self._catalog.refresh()
        if "tick_failure" in self._kinds:
            yield from self._failed_ticks(now, since)
        if "run_late" in self._kinds:
            yield from self._late_runs(now)
        yield [
            alert
            for kind, look in (
                ("tick_failure", self._failed_one_offs),
                ("location_broken", self._broken_locations),
                ("freshness_violated", self._old_assets),
                ("run_stuck", self._stuck_runs),
                ("daemon_lost", self._lost_daemons),
            )
            if kind in self._kinds
            for alert in look(now, since)
        ]
        self._looked = now

    def _failed_ticks(self, now: float, since: float) -> Iterator[list[Alert]]:
        instigators = self._storage.instigators
        ticked = {
            state.id: state.last_tick
            for state in instigators.states().values()
            if state.last_tick is not None and state.last_tick > since
        }
        news = [key for key, last in ticked.items() if last != self._ticked.get(key)]
        began = since if self._looked is None else max(since, min(self._looked, now) - _TICKS_OVERLAP)
        failed = instigators.latest_ticks(news, limit=_TICKS, statuses=[TickStatus.FAILURE], after_time=began)
        yield [
            tick_failed(tick)
            for key, ticks in failed.items()
            for tick in reversed(ticks)
            if self._is_news(tick, ticked[key])
        ]
        self._ticked = ticked

    def _is_news(self, tick: Tick, last: float) -> bool:
        """Whether it ended since the last look, if the last one of its schedule or sensor ended then."""
        known = self._ticked.get(tick.instigator)
        if known is None or known > last:  # the clock was set back
            return True
        return tick.ended is not None and tick.ended != known and tick.ended > known - _SKEW

    def _failed_one_offs(self, _now: float, since: float) -> Iterator[Alert]:
        failed = self._storage.one_offs.page(statuses=[OneOffStatus.MISSED, OneOffStatus.FAILED], limit=_ONE_OFFS)
        yield from (one_off_failed(each) for each in reversed(failed) if (each.ended or 0.0) > since)

    def _broken_locations(self, now: float, since: float) -> Iterator[Alert]:
        yield from self._silent_code_servers(now, since)
        for name, entry in self._catalog.locations.items():
            stored = entry.stored
            if stored.status is LoadStatus.FAILED:
                yield location_broken(name, stored.error, loaded_at=stored.loaded_at, time=stored.updated)

    def _silent_code_servers(self, now: float, since: float) -> Iterator[Alert]:
        newest: dict[str, ProcessInfo] = {}
        for process in self._storage.leases.processes(seen_after=since):
            if process.kind == "code-server":
                for location in process.duties:
                    if location not in newest or newest[location].seen < process.seen:
                        newest[location] = process
        for location, process in newest.items():
            if process.seen <= self._silent_before:
                yield code_server_lost(location, process, now=now)

    def _old_assets(self, now: float, _since: float) -> Iterator[Alert]:
        # One that was told to be too old may have been made since.
        failed = self._storage.assets.freshness(state=FreshnessState.FAIL)
        states = self._storage.assets.states(list(failed)) if failed else {}
        for key, state in states.items():
            location, asset = self._catalog.asset(key) or (None, None)
            if location is not None and asset is not None and asset.freshness is not None:
                made = made_at(state, materializable=asset.materializable)
                if made is not None and freshness_of(asset.freshness, made, now) is FreshnessState.FAIL:
                    yield freshness_violated(key, location.stored.name, made_at=made, now=now)

    def _late_runs(self, now: float) -> Iterator[list[Alert]]:
        """Those that are late among the next `_RUNS` of the runs that wait, in the order in which they were made.

        Each look goes on where the last one ended, and begins anew after the last run. So every run is told, if it goes
        on waiting, within as many looks as it takes to look at all that wait: with 10,000 of them ten.
        """
        before = now - self._settings.late_after_seconds
        waiting = RunFilter(statuses=(RunStatus.QUEUED,), created_before=before)
        found = self._storage.runs.page(waiting, limit=_RUNS, before=self._late_before, ascending=True)
        late = [run for run in found if (run.created if run.queued is None else run.queued) < before]
        yield [run_late(run, now=now) for run in late if run.run_id not in self._late]
        ids = {run.run_id for run in late}
        self._late |= ids
        self._still_late |= ids
        self._late_before = found[-1].run_id if len(found) == _RUNS else None
        if self._late_before is None:
            self._late, self._still_late = self._still_late, set()

    def _stuck_runs(self, now: float, _since: float) -> Iterator[Alert]:
        before = now - self._settings.stuck_after_seconds
        for run in self._storage.runs.active():
            if run.launched is not None and run.launched < before:
                yield run_stuck(run, now=now)

    def _lost_daemons(self, now: float, since: float) -> Iterator[Alert]:
        for process in self._storage.leases.processes(seen_after=since):
            if process.kind == "daemon" and process.seen <= self._silent_before:
                yield daemon_lost(process, now=now)

    # -- for whoever is no daemon -------------------------------------------------------------------------------------

    def last_daemons(self, *, steady_since: float = -math.inf) -> list[Alert]:
        """The daemons that are lost, if rules ask for that and no daemon is left to tell it.

        Args:
            steady_since: As for `standing`.
        """
        now = self._clock.now()
        since = self._news_from(now)
        self._note_silence(now, steady_since)
        heard_of = self._storage.leases.processes(seen_after=now - LOST_SECONDS)
        if "daemon_lost" not in self._kinds or any(process.kind == "daemon" for process in heard_of):
            return []
        return list(self._lost_daemons(now, since))

    def _note_silence(self, now: float, steady_since: float) -> None:
        self._silent_before = now - LOST_SECONDS if now - steady_since >= LOST_SECONDS else -math.inf

    def _news_from(self, now: float) -> float:
        """From when on something is news; from now on, if it was to be news later and then the clock was set back."""
        if self._since is None:
            self._since = float(self._storage.locations.settle_value(_SINCE, repr(now)))
        self._since = min(self._since, now)
        return max(self._since, now - _OLDEST)
