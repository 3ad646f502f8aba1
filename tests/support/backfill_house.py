"""A storage in memory with one code location, the backfills duty over it, and runs that tests end by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from penstock.codec import digest, encode_json
from penstock.config.schema import Shape
from penstock.daemon.backfills import BackfillsDuty
from penstock.engine.backfill_progress import Progress, progress_by_asset, progress_of
from penstock.engine.retry import RetryPolicyOfRuns
from penstock.instance.backfill_request import BackfillRequest, planned_backfill
from penstock.launch.coordinators import QueuedRunCoordinator
from penstock.locations.catalog import Catalog
from penstock.records.backfill import Backfill, BackfillLine
from penstock.records.event import AssetMaterialization, Event, RunFailure, RunStart, RunSuccess
from penstock.records.lease import Lease
from penstock.records.location import (
    AssetDescription,
    AssetJobName,
    JobDescription,
    LocationDescription,
    OutputDescription,
    StepDescription,
)
from penstock.records.run import FailureReason, Run, RunStatus, Tag
from penstock.records.wire import LaunchAnswer, LoadStatus
from penstock.storage.protocols import BackfillChange, RunFilter, Storage, StoredLocation
from penstock.storage.sqlite.storage import SqliteStorage
from penstock.testing.clock import FakeClock
from support.held import all_parts

__all__ = ["NOW", "House", "asset", "shop", "worked_on"]

NOW = 1_700_000_000.0


def asset(key: str, *deps: str, **fields: Any) -> AssetDescription:
    """An asset that a location makes."""
    return AssetDescription(key=key, op=key, deps=deps, jobs=(AssetJobName,), **fields)


def shop(*assets: AssetDescription, name: str = "shop", jobs: Sequence[JobDescription] = ()) -> LocationDescription:
    """A code location with these assets."""
    steps = tuple(
        StepDescription(key=each.key, op=each.key, outputs=(OutputDescription(asset=each.key),), assets=(each.key,))
        for each in assets
    )
    whole = JobDescription(
        name=AssetJobName,
        steps=steps,
        config_schema=Shape(fields={}),
        is_asset_job=True,
        assets=tuple(each.key for each in assets),
    )
    return LocationDescription(name=name, jobs=(whole, *jobs), assets=assets)


class _Launcher:
    def launch(self, run: Run) -> LaunchAnswer:
        raise AssertionError

    def cancel(self, run: Run, *, force: bool = False) -> bool:
        return True


class House:
    """What a test asks for, and what becomes of it.

    Args:
        locations: What the code locations define.
        storage: The storage; one in memory if not given.
        retries: When runs are run again by themselves.
        most_open: How many runs a backfill may have open.
    """

    def __init__(
        self,
        *locations: LocationDescription,
        storage: Storage | None = None,
        retries: RetryPolicyOfRuns | None = None,
        most_open: int = 2000,
    ) -> None:
        self.storage: Storage = SqliteStorage(None) if storage is None else storage
        self.clock = FakeClock(NOW)
        self.catalog = Catalog(self.storage.locations)
        self.coordinator = QueuedRunCoordinator(runs=self.storage.runs, launcher=_Launcher(), clock=self.clock)
        self.retries = retries
        self.most_open = most_open
        for location in locations:
            self.put(location)
        self.epoch = 0
        self.begin_anew()

    def put(self, location: LocationDescription) -> None:
        """Let a code location be as described."""
        self.storage.locations.put(
            StoredLocation(
                name=location.name,
                status=LoadStatus.LOADED,
                digest=digest(location),
                description=encode_json(location),
                updated=self.clock.now(),
            )
        )

    def begin_anew(self) -> None:
        """The daemon dies, and another one takes over."""
        self.epoch += 1
        self.duty = BackfillsDuty(
            self.storage, self.coordinator, self.catalog, self.clock, retries=self.retries, most_open=self.most_open
        )
        leases = [
            self.storage.leases.acquire(f"backfills/{part}", f"daemon-{self.epoch}", ttl=4.0, now=self.clock.now())
            for part in range(BackfillsDuty.parts)
        ]
        if None in leases:
            self.clock.advance(5.0)
            self.epoch -= 1
            self.begin_anew()
            return
        self.leases: list[Lease] = [lease for lease in leases if lease is not None]

    def ask(self, **wanted: Any) -> Backfill:
        """Ask for a backfill."""
        self.catalog.refresh()
        backfill, plan = planned_backfill(
            self.catalog, self.storage.assets, BackfillRequest(**wanted), now=self.clock.now()
        )
        self.storage.backfills.add(backfill, plan, line=BackfillLine(time=NOW, message="Asked for."))
        return backfill

    def tick(self) -> float | None:
        """Let the duty look once."""
        return self.duty.tick(all_parts(self.leases))

    def settle(self) -> None:
        """Let the duty look until it has nothing to do at once."""
        while self.tick() == 0.0:
            pass

    def change(self, backfill: Backfill, **wanted: Any) -> None:
        """Let somebody want something of it."""
        line = BackfillLine(time=NOW, message="Changed.")
        self.storage.backfills.change(backfill.backfill_id, BackfillChange(**wanted), line=line, now=self.clock.now())

    def now(self, backfill: Backfill) -> Backfill:
        """The backfill as it is stored."""
        found = self.storage.backfills.get(backfill.backfill_id)
        assert found is not None
        return found

    def runs(self, *statuses: RunStatus) -> list[Run]:
        """Runs in the order they were made; those that wait if no statuses are given."""
        where = RunFilter(statuses=statuses or (RunStatus.QUEUED,))
        return self.storage.runs.page(where, limit=1000, ascending=True)

    def start(self, run: Run) -> int:
        """Let a worker begin; gives the attempt."""
        now = self.clock.now()
        (claimed,) = self.storage.runs.claim([run.run_id], owner="server", until=now + 30, now=now)
        self.storage.events.append(run.run_id, claimed.attempt, [Event(time=now, fact=RunStart(pid=1), seq=1)], now=now)
        return claimed.attempt

    def end(
        self, run: Run, *, attempt: int | None = None, fails: bool = False, makes: Sequence[str] | None = None
    ) -> None:
        """Let a run end, which begins first unless it has this attempt; it makes these assets, or all that it announced
        unless it fails."""
        attempt = self.start(run) if attempt is None else attempt
        now = self.clock.now()
        planned = self.storage.assets.planned([run.run_id])
        made = [each for each in planned if (each.asset in makes if makes is not None else not fails)]
        facts: list[Any] = [AssetMaterialization(asset=each.asset, partition=each.partition) for each in made]
        facts.append(RunFailure(reason=FailureReason.STEP_FAILURE, message="no") if fails else RunSuccess())
        events = [Event(time=now, fact=fact, seq=seq) for seq, fact in enumerate(facts, 2)]
        self.storage.events.append(run.run_id, attempt, events, now=now)

    def progress(self, backfill: Backfill) -> Progress:
        """How far it has come in all."""
        return progress_of(
            backfill, self.storage.backfills.counts([backfill.backfill_id]).get(backfill.backfill_id, [])
        )

    def progress_of_asset(self, backfill: Backfill, key: str) -> Progress:
        """How far it has come with an asset."""
        plan = self.storage.backfills.plan(backfill.backfill_id)
        assert plan is not None
        counts = self.storage.backfills.counts([backfill.backfill_id]).get(backfill.backfill_id, [])
        return progress_by_asset(plan, counts)[key]


def worked_on(run: Run) -> str:
    """The assets and the partitions of a run."""
    assets = "+".join(run.assets or ("*",))
    if run.partition is not None:
        return f"{assets} {run.partition}"
    start = run.tags.get(Tag.PARTITION_RANGE_START)
    return assets if start is None else f"{assets} {start}..{run.tags[Tag.PARTITION_RANGE_END]}"
