"""Faults at random points of many runs: every run comes to its true end, and nothing is lost, doubled or left behind.

PENSTOCK_CHAOS_RUNS says how many runs (a short form by default), PENSTOCK_CHAOS_SEED which random faults; a failure
prints the seed. `make chaos` runs the long form.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.faults import FAULTS
from chaos.world import MemoryLimit, SmallDisk, SqliteStore, World, end_by

RUNS = int(os.environ.get("PENSTOCK_CHAOS_RUNS", "12"))
SEED = int(os.environ.get("PENSTOCK_CHAOS_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)
AT_ONCE = 8
HEALED_SECONDS = 60.0

pytestmark = [pytest.mark.system, pytest.mark.timeout(120 + 20 * RUNS)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    diary = tmp_path / "diary"
    diary.mkdir()
    disk = SmallDisk(tmp_path / "disk") if os.geteuid() == 0 else None
    memory = MemoryLimit() if os.geteuid() == 0 else None
    home = tmp_path / "disk" / "home" if disk is not None else tmp_path / "home"
    world = World(home, diary, SqliteStore(home), disk, memory)
    try:
        yield world
    finally:
        world.close()
        if disk is not None:
            disk.close()
        if memory is not None:
            memory.close()


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
