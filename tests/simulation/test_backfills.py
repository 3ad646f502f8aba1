"""Backfills under daemons that die, freeze and err: each partition has one outcome, and begins when it may.

How many seeds: see the head of `test_daemons.py`.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from penstock.engine.backfill import space_of
from penstock.engine.backfill_progress import positions_of, progress_of
from penstock.instance.backfill_request import BackfillRequest, planned_backfill
from penstock.instance.doctor.verify_backfills import verify_backfills
from penstock.locations.catalog import Catalog
from penstock.partitions.mapping import AllPartitionMapping, TimeWindowPartitionMapping
from penstock.partitions.spec import StaticSpec, TimeWindowSpec
from penstock.records.backfill import Backfill, BackfillLine, BackfillStatus
from penstock.records.run import RunStatus, Tag
from penstock.storage.protocols import BackfillChange, RunFilter
from simulation.deployment import Deployment
from simulation.rough import FIRST, JUMPS, ROUGH, SEEDS, START
from simulation.virtual import Process, Simulation
from support.backfill_house import asset, shop

DAYS = TimeWindowSpec(cron="0 0 * * *", start="2023-01-01T00:00:00", fmt="%Y-%m-%d", end="2023-01-31T00:00:00")
LETTERS = StaticSpec(keys=tuple("abcdef"))
ASSETS = (
    asset("orders", partitions=DAYS),
    asset("daily", "orders", partitions=DAYS, mappings={"orders": TimeWindowPartitionMapping(-1, 0)}),
    asset("chain", "chain", "orders", partitions=DAYS, mappings={"chain": TimeWindowPartitionMapping(-1, -1)}),
    asset("weekly", "daily", partitions=DAYS, max_partitions_per_run=7),
    asset("letters", "orders", partitions=LETTERS, mapped_deps=("orders",)),
    asset("total", "weekly", "letters", mappings={"letters": AllPartitionMapping()}),
)
LOCATION = msgspec.structs.replace(shop(*ASSETS), name="code")


class World:
    """A deployment with one backfill."""

    def __init__(self, seed: int, folder: Path, *, immediate: bool, jumps: bool, fails: float) -> None:
        faults = msgspec.structs.replace(JUMPS if jumps else ROUGH, runs=fails)
        self.deployment = Deployment(
            Simulation(seed, START), LOCATION, folder, daemons=3, faults=faults, immediate=immediate, places=5
        )
        self.storage = self.deployment.storage
        catalog = Catalog(self.storage.locations)
        catalog.refresh()
        asked = BackfillRequest(assets=tuple(each.key for each in ASSETS))
        now = self.deployment.simulation.now()
        self.backfill, self.plan = planned_backfill(catalog, self.storage.assets, asked, now=now)
        self.storage.backfills.add(self.backfill, self.plan, line=BackfillLine(time=now, message="Asked for."))
        self.held = self.told = 0  # runs in the queue when it was paused, and those that said so when it was resumed

    def cancel(self) -> None:
        """Let somebody cancel it after a while."""
        simulation = self.deployment.simulation

        def work() -> None:
            simulation.sleep(simulation.random.uniform(1.0, 60.0))
            self._change(status=BackfillStatus.CANCELING)

        simulation.spawn(Process("somebody"), work)

    def pause_now_and_then(self) -> None:
        """Let somebody pause it and let it go on several times, and look each time what becomes of its runs."""
        simulation = self.deployment.simulation

        def work() -> None:
            for longest in (5.0, 60.0, 60.0):
                simulation.sleep(simulation.random.uniform(1.0, 30.0))
                self._change(paused=True)
                waiting = self._queued()
                simulation.sleep(simulation.random.uniform(longest / 2, longest))
                left = self._queued()
                self.held += len(waiting)
                self.told += sum("which is paused" in (note or "") for note in left.values())
                if not waiting.keys() <= left.keys():
                    self.deployment.broken.append("a run has left the queue although its backfill is paused")
                self._change(paused=False)

        simulation.spawn(Process("somebody"), work)

    def _queued(self) -> dict[str, str | None]:
        """The notes of the runs in the queue."""
        return {run.run_id: run.note for run in self.storage.runs.queued(limit=1000)}

    def _change(self, **wanted: Any) -> None:
        now = self.deployment.simulation.now()
        line = BackfillLine(time=now, message="Changed.")
        self.storage.backfills.change(self.backfill.backfill_id, BackfillChange(**wanted), line=line, now=now)

    def ended(self) -> Backfill:
        """The backfill at its end, after what was promised has been looked at."""
        self.deployment.run(900.0)
        assert self.deployment.broken == []
        found = self.storage.backfills.get(self.backfill.backfill_id)
        assert found is not None
        assert not found.is_open
        assert list(verify_backfills(self.storage)) == []
        parts = self.storage.backfills.parts(found.backfill_id)
        runs = {run.run_id for run in self.storage.runs.page(RunFilter(), limit=100_000)}
        assert Counter(part.run_id for part in parts if part.run_id is not None) == Counter(runs)
        for index, group in enumerate(self.plan.groups):
            own = [part for part in parts if part.group == index]
            for key in group.assets:
                places = positions_of(group.chosen, key, space_of(self.plan, group), own)
                outcomes = (places.materialized, places.failed, places.skipped, places.canceled)
                assert sum(map(len, outcomes)) == len(group.chosen)
                assert not places.waiting
        progress = progress_of(found, self.storage.backfills.counts([found.backfill_id])[found.backfill_id])
        assert (progress.waiting, progress.in_progress) == (0, 0)
        return found

    def made(self) -> Counter[tuple[str, str | None]]:
        """How often each partition was made."""
        return Counter(
            (key.key, event.fact.partition)
            for key in ASSETS
            for event in self.storage.assets.history(key.key, limit=10_000)
        )


@pytest.mark.parametrize("immediate", [False, True])
@pytest.mark.parametrize("jumps", [False, True])
@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_everything_is_made_once(seed: int, jumps: bool, immediate: bool, tmp_path: Path) -> None:
    world = World(seed, tmp_path, immediate=immediate, jumps=jumps, fails=0.0)
    assert world.ended().status is BackfillStatus.COMPLETED_SUCCESS
    assert len(world.made()) == 30 * 4 + 6 + 1
    assert set(world.made().values()) == {1}
    if not jumps:
        ends = {run.run_id: run.ended for run in world.storage.runs.page(RunFilter(), limit=100_000)}
        runs = world.storage.runs.page(RunFilter(tags={Tag.BACKFILL: world.backfill.backfill_id}), limit=100_000)
        of = {(key, run.partition): run for run in runs for key in run.assets or ()}
        for day in range(2, 31):
            needed = of["orders", f"2023-01-{day:02}"]
            below = of["daily", f"2023-01-{day:02}"]
            assert below.created >= (ends[needed.run_id] or 0.0)


@pytest.mark.parametrize("jumps", [False, True])
@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_while_it_is_paused_what_is_in_the_queue_stays_there(seed: int, jumps: bool, tmp_path: Path) -> None:
    world = World(seed, tmp_path, immediate=False, jumps=jumps, fails=0.0)
    world.pause_now_and_then()
    assert world.ended().status is BackfillStatus.COMPLETED_SUCCESS
    assert set(world.made().values()) == {1}
    assert world.held == 0 or world.told > 0


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_what_cannot_be_made_is_told(seed: int, tmp_path: Path) -> None:
    world = World(seed, tmp_path, immediate=False, jumps=False, fails=0.1)
    world.ended()
    assert set(world.made().values()) <= {1}


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_one_that_is_canceled_ends_when_its_runs_have(seed: int, tmp_path: Path) -> None:
    world = World(seed, tmp_path, immediate=False, jumps=False, fails=0.0)
    world.cancel()
    assert world.ended().status is BackfillStatus.CANCELED
    assert world.storage.runs.page(RunFilter(statuses=(RunStatus.QUEUED, RunStatus.STARTED)), limit=10) == []
