"""A storage whose runs are found in a run storage of the user's own, and which otherwise is another storage."""

from __future__ import annotations

from collections.abc import Sequence

from ...clock import SYSTEM_CLOCK, Clock
from ...records.automation import Tick
from ...records.conditions.evaluation import EvaluationRecord
from ...records.event import AssetFact, Event
from ...records.lease import Lease
from ...records.pool import ClaimOutcome, SlotRequest
from ..archive import Archive, Archived, LoadedRun
from ..derive import RUN_EVENTS
from ..notifier import Notifier
from ..protocols import (
    AssetStorage,
    EventStorage,
    InstigatorStorage,
    LeaseStorage,
    LocationStorage,
    NewRun,
    RunStorage,
    SlotStorage,
    Storage,
)
from ..retention import Retained, Retention
from ..run_catalog import RunCatalog
from ..upkeep import Tended, Upkeep
from .follower import Follower
from .runs import CompositeRuns

__all__ = ["CompositeStorage", "TendedCompositeStorage", "composite"]


class CompositeStorage:
    """`Storage` of a log that decides, and a catalog that shows runs.

    Args:
        log: Keeps everything, and decides what becomes of a run in the transaction that writes its events.
        catalog: Keeps the runs for whoever looks for them.
        clock: Tells the time.
    """

    def __init__(self, log: Storage, catalog: RunCatalog, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self._log = log
        self._catalog = catalog
        self._follower = Follower(log.runs, catalog, log.notifier, clock)
        self._runs = CompositeRuns(log.runs, catalog, self._follower)
        self._events = _Events(log.events, self._follower)
        self._instigators = _Instigators(log.instigators, self._follower)
        self._slots = _Slots(log.slots, log.runs, self._follower)

    @property
    def runs(self) -> RunStorage:
        """Runs and their states."""
        return self._runs

    @property
    def events(self) -> EventStorage:
        """The event log."""
        return self._events

    @property
    def assets(self) -> AssetStorage:
        """What is known of assets."""
        return self._log.assets

    @property
    def instigators(self) -> InstigatorStorage:
        """Schedules and sensors."""
        return self._instigators

    @property
    def leases(self) -> LeaseStorage:
        """Leases and processes."""
        return self._log.leases

    @property
    def locations(self) -> LocationStorage:
        """Code locations and named values."""
        return self._log.locations

    @property
    def slots(self) -> SlotStorage:
        """Slots of concurrency pools."""
        return self._slots

    @property
    def notifier(self) -> Notifier:
        """Wakes whoever waits."""
        return self._log.notifier

    def migrate(self) -> None:
        """Bring both up to this version, and copy what the catalog lacks."""
        self._log.migrate()
        self._catalog.migrate()
        self._follower.catch_up()

    def describe(self) -> dict[str, str]:
        """Facts for people: those of the log, and those of the catalog with "runs" before them."""
        runs = {f"runs {name}": fact for name, fact in self._catalog.describe().items()}
        return self._log.describe() | runs

    def close(self) -> None:
        """Let go of every connection of this process."""
        self._catalog.close()
        self._log.close()


class TendedCompositeStorage(CompositeStorage):
    """One whose log can tell of its database and remove what is old, and has a bulk way out and in."""

    @property
    def archive(self) -> Archive:
        """The bulk way out and in; runs that are loaded are shown in the catalog."""
        assert isinstance(self._log, Archived)
        return _Archive(self._log.archive, self._follower)

    @property
    def upkeep(self) -> Upkeep:
        """What the log's database tells those who tend it."""
        assert isinstance(self._log, Tended)
        return self._log.upkeep

    @property
    def retention(self) -> Retention:
        """What is old in the log, and its removal; old runs are deleted by `runs`, which shows it in the catalog."""
        assert isinstance(self._log, Retained)
        return self._log.retention


def composite(log: Storage, catalog: RunCatalog) -> CompositeStorage:
    """The composite of both, which can tell of its database and remove what is old, and has a bulk way, if the log can
    and has."""
    is_tended = isinstance(log, Tended) and isinstance(log, Archived) and isinstance(log, Retained)
    return (TendedCompositeStorage if is_tended else CompositeStorage)(log, catalog)


class _Archive:
    """`Archive` that shows in the catalog the runs that are loaded."""

    def __init__(self, log: Archive, follower: Follower) -> None:
        self._log = log
        self._follower = follower
        self.log, self.ticks, self.used_keys, self.tags = log.log, log.ticks, log.used_keys, log.tags
        self.partition_sets, self.load_events = log.partition_sets, log.load_events
        self.load_instigators, self.load_ticks = log.load_instigators, log.load_ticks

    def load_runs(self, runs: Sequence[LoadedRun]) -> int:
        """Store ended runs; gives how many were new."""
        with self._follower.changing(each.run.run_id for each in runs):
            return self._log.load_runs(runs)


class _Events:
    """`EventStorage` that shows in the catalog what a batch makes of its run."""

    def __init__(self, log: EventStorage, follower: Follower) -> None:
        self._log = log
        self._follower = follower
        self.of_run, self.of_types, self.get = log.of_run, log.of_types, log.get
        self.last_id, self.step_stats = log.last_id, log.step_stats

    def append(self, run_id: str, attempt: int, events: Sequence[Event], *, now: float) -> int:
        """Store a batch of a run worker's numbered events; those before one that moves the run need the log alone."""
        moving = next((place for place, event in enumerate(events) if event.type in RUN_EVENTS), len(events))
        if moving or not events:
            last = self._log.append(run_id, attempt, events[:moving], now=now)
            if moving == len(events):
                return last
        with self._follower.changing([run_id]):
            return self._log.append(run_id, attempt, events[moving:], now=now)


class _Instigators:
    """`InstigatorStorage` that shows in the catalog the runs which a tick makes."""

    def __init__(self, log: InstigatorStorage, follower: Follower) -> None:
        self._log = log
        self._follower = follower
        self.states, self.get, self.switch, self.set_cursor = log.states, log.get, log.switch, log.set_cursor
        self.plan, self.begin_tick, self.ticks, self.evaluations = log.plan, log.begin_tick, log.ticks, log.evaluations

    def complete_tick(
        self,
        tick: Tick,
        *,
        lease: Lease,
        runs: Sequence[tuple[str | None, NewRun]] = (),
        facts: Sequence[AssetFact] = (),
        evaluations: Sequence[EvaluationRecord] = (),
        cursor: str | None = None,
        next_due: float | None = None,
        now: float,
    ) -> Tick:
        """End a tick, in one transaction with everything it causes."""

        def complete() -> Tick:
            return self._log.complete_tick(
                tick,
                lease=lease,
                runs=runs,
                facts=facts,
                evaluations=evaluations,
                cursor=cursor,
                next_due=next_due,
                now=now,
            )

        if not runs:
            return complete()
        with self._follower.changing(new.run.run_id for _, new in runs):
            return complete()


class _Slots:
    """`SlotStorage` that shows in the catalog whose lease was ended for the sake of its slots."""

    def __init__(self, log: SlotStorage, runs: RunStorage, follower: Follower) -> None:
        self._log = log
        self._runs = runs
        self._follower = follower
        self.limits, self.set_limit, self.delete_limit, self.pools = (
            log.limits,
            log.set_limit,
            log.delete_limit,
            log.pools,
        )

    def claim(
        self,
        run_id: str,
        attempt: int,
        requests: Sequence[SlotRequest],
        *,
        now: float,
        default_limit: int | None = None,
        at_most: int | None = None,
        dead_before: float | None = None,
    ) -> ClaimOutcome:
        """Take the slots that can be taken, and wait for the others."""
        outcome = self._log.claim(
            run_id,
            attempt,
            requests,
            now=now,
            default_limit=default_limit,
            at_most=at_most,
            dead_before=dead_before,
        )
        self._follower.copy([run.run_id for run in self._runs.expired(now if dead_before is None else dead_before)])
        return outcome

    def free(self, run_id: str, step_key: str | None = None, *, now: float) -> int:
        """Take away the slots of a run that is gone, or of one of its steps."""
        freed = self._log.free(run_id, step_key, now=now)
        self._follower.copy([run_id])
        return freed
