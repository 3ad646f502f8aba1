"""What else changes runs than their own storage does, and has the change shown in the catalog."""

from __future__ import annotations

from collections.abc import Sequence

from ...records.automation import Tick
from ...records.backfill import Backfill
from ...records.conditions.evaluation import EvaluationRecord
from ...records.event import AssetFact, Event
from ...records.lease import Lease
from ...records.one_off import OneOffStatus
from ...records.pool import ClaimOutcome, SlotRequest
from ..archive import Archive, LoadedRun
from ..derive import RUN_EVENTS
from ..protocols import (
    BackfillAdvance,
    BackfillStorage,
    EventStorage,
    InstigatorStorage,
    NewRun,
    OneOffStorage,
    RunStorage,
    SlotStorage,
    StoredBackfill,
)
from .run_follower import RunFollower

__all__ = ["ShownArchive", "ShownBackfills", "ShownEvents", "ShownInstigators", "ShownOneOffs", "ShownSlots"]


class ShownArchive:
    """`Archive` that shows in the catalog the runs that are loaded."""

    def __init__(self, log: Archive, follower: RunFollower) -> None:
        self._log = log
        self._follower = follower
        self.log, self.ticks, self.used_keys, self.tags = log.log, log.ticks, log.used_keys, log.tags
        self.partition_sets, self.load_events = log.partition_sets, log.load_events
        self.load_instigators, self.load_ticks = log.load_instigators, log.load_ticks

    def load_runs(self, runs: Sequence[LoadedRun]) -> int:
        """Store ended runs; gives how many were new."""
        with self._follower.changing(each.run.run_id for each in runs):
            return self._log.load_runs(runs)


class ShownBackfills:
    """`BackfillStorage` that shows in the catalog the runs of backfills."""

    def __init__(self, log: BackfillStorage, follower: RunFollower) -> None:
        self._log = log
        self._follower = follower
        self.add, self.get, self.plan, self.log, self.page = log.add, log.get, log.plan, log.log, log.page
        self.search, self.open, self.counts, self.parts = log.search, log.open, log.counts, log.parts
        self.made, self.change, self.load, self.delete = log.made, log.change, log.load, log.delete

    def advance(self, backfill_id: str, step: BackfillAdvance, *, lease: Lease, now: float) -> Backfill:
        """Store what the daemon has decided, all of it or nothing."""
        if not step.runs:
            return self._log.advance(backfill_id, step, lease=lease, now=now)
        with self._follower.changing(new.run.run_id for _, new in step.runs):
            return self._log.advance(backfill_id, step, lease=lease, now=now)


class ShownEvents:
    """`EventStorage` that shows in the catalog what a batch makes of its run."""

    def __init__(self, log: EventStorage, follower: RunFollower) -> None:
        self._log = log
        self._follower = follower
        self.of_run, self.of_types, self.get = log.of_run, log.of_types, log.get
        self.last_id, self.failures = log.last_id, log.failures
        self.step_stats, self.steps_of = log.step_stats, log.steps_of

    def append(self, run_id: str, attempt: int, events: Sequence[Event], *, now: float) -> int:
        """Store a batch of a run worker's numbered events; those before one that moves the run need the log alone."""
        moving = next((place for place, event in enumerate(events) if event.type in RUN_EVENTS), len(events))
        if moving or not events:
            last = self._log.append(run_id, attempt, events[:moving], now=now)
            if moving == len(events):
                return last
        with self._follower.changing([run_id]):
            return self._log.append(run_id, attempt, events[moving:], now=now)


class ShownInstigators:
    """`InstigatorStorage` that shows in the catalog the runs which a tick makes."""

    def __init__(self, log: InstigatorStorage, follower: RunFollower) -> None:
        self._log = log
        self._follower = follower
        self.states, self.get, self.switch, self.set_cursor = log.states, log.get, log.switch, log.set_cursor
        self.override, self.retire, self.restore = log.override, log.retire, log.restore
        self.plan, self.begin_tick, self.evaluations = log.plan, log.begin_tick, log.evaluations
        self.ticks, self.latest_ticks = log.ticks, log.latest_ticks

    def complete_tick(
        self,
        tick: Tick,
        *,
        lease: Lease,
        runs: Sequence[tuple[str | None, NewRun]] = (),
        backfill: StoredBackfill | None = None,
        facts: Sequence[AssetFact] = (),
        evaluations: Sequence[EvaluationRecord] = (),
        cursor: str | None = None,
        next_due: float | None = None,
        fingerprint: str | None = None,
        now: float,
    ) -> Tick:
        """End a tick, in one transaction with everything it causes."""

        def complete() -> Tick:
            return self._log.complete_tick(
                tick,
                lease=lease,
                runs=runs,
                backfill=backfill,
                facts=facts,
                evaluations=evaluations,
                cursor=cursor,
                next_due=next_due,
                fingerprint=fingerprint,
                now=now,
            )

        if not runs:
            return complete()
        with self._follower.changing(new.run.run_id for _, new in runs):
            return complete()


class ShownOneOffs:
    """`OneOffStorage` that shows in the catalog the run which one of them becomes."""

    def __init__(self, log: OneOffStorage, follower: RunFollower) -> None:
        self._log = log
        self._follower = follower
        self.plan, self.get, self.page = log.plan, log.get, log.page
        self.waiting, self.cancel = log.waiting, log.cancel

    def settle(
        self,
        number: int,
        status: OneOffStatus,
        *,
        lease: Lease,
        run: NewRun | None = None,
        note: str | None,
        now: float,
    ) -> bool:
        """Say what became of one that waits."""

        def settle() -> bool:
            return self._log.settle(number, status, lease=lease, run=run, note=note, now=now)

        if run is None:
            return settle()
        with self._follower.changing([run.run.run_id]):
            return settle()


class ShownSlots:
    """`SlotStorage` that shows in the catalog whose lease was ended for the sake of its slots."""

    def __init__(self, log: SlotStorage, runs: RunStorage, follower: RunFollower) -> None:
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
