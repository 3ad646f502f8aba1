"""Faults at random points of many runs: every run comes to its true end, and nothing is lost, doubled or left behind.

PENSTOCK_CHAOS_RUNS says how many runs (a short form by default), PENSTOCK_CHAOS_SEED which random faults; a failure
prints the seed. `make chaos` runs the long form.
"""

from __future__ import annotations

import contextlib
import os
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.faults import FAULTS
from chaos.world import MemoryLimit, PostgresStore, SmallDisk, SqliteStore, Store, World, end_by
from support.postgres import PostgresServer, scratch_database

RUNS = int(os.environ.get("PENSTOCK_CHAOS_RUNS", "12"))
SEED = int(os.environ.get("PENSTOCK_CHAOS_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)
AT_ONCE = 8
HEALED_SECONDS = 60.0

pytestmark = [pytest.mark.system, pytest.mark.timeout(120 + 20 * RUNS)]


@pytest.fixture(params=["sqlite", "postgres"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    may = os.geteuid() == 0
    with contextlib.ExitStack() as cleanup:
        memory = cleanup.enter_context(contextlib.closing(MemoryLimit())) if may else None
        disk = cleanup.enter_context(contextlib.closing(SmallDisk(tmp_path / "disk"))) if may else None
        home = (tmp_path if disk is None else disk.folder) / "home"
        store: Store = SqliteStore(home)
        if request.param == "postgres":
            server = cleanup.enter_context(contextlib.closing(PostgresServer()))
            store = PostgresStore(server, cleanup.enter_context(scratch_database(server.url())))
        diary = tmp_path / "diary"
        diary.mkdir()
        yield cleanup.enter_context(contextlib.closing(World(home, diary, store, disk, memory)))


def test_every_run_comes_to_its_true_end(world: World) -> None:
    print(f"PENSTOCK_CHAOS_SEED={SEED}")
    chance = random.Random(SEED)
    launched = 0
    done: list[str] = []
    while launched < RUNS:
        for _ in range(2):
            if launched < RUNS and world.unfinished() < AT_ONCE:
                world.launch(chance)
                launched += 1
        if chance.random() < 0.1:
            world.cancel(chance)
        name = chance.choices(list(FAULTS), [weight for weight, _ in FAULTS.values()])[0]
        done.append(name)
        outage = FAULTS[name][1](world, chance)
        if outage is not None:
            world.outages.append(outage)
        threading.Event().wait(chance.uniform(0.2, 1.5))  # the distance of two faults
    ended = end_by(world, HEALED_SECONDS)
    wrong = world.verdict() + world.left_behind()
    story = "\n".join([f"seed {SEED}, {RUNS} runs, faults: {', '.join(done)}", *wrong, *world.deployment.output[-60:]])
    assert ended, story
    assert not wrong, story
    assert not world.stop(), story
