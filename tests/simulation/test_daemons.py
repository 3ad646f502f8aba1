"""Daemons that die, freeze and err, under clocks that jump: each tick makes its runs exactly once, and none is late.

A short form runs with the other tests; `PENSTOCK_SIMULATIONS` says how many seeds, `PENSTOCK_SIMULATED_DAYS` how long
each, `PENSTOCK_SEED` which is the first. A seed that fails fails again.
"""

from __future__ import annotations

import os
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from penstock.engine.freshness import freshness_of, made_at
from penstock.partitions.cron import parse, ticks_between
from penstock.records.automation import TickStatus
from penstock.records.event import FreshnessStateChange
from penstock.records.freshness import AnyFreshnessPolicy, FreshnessPolicy
from penstock.records.freshness_state import FreshnessState
from penstock.records.location import AssetDescription
from penstock.records.one_off import OneOffStatus
from penstock.records.run import RunStatus, Tag
from penstock.storage.protocols import RunFilter
from simulation.deployment import HANGING, OVERRULED, Deployment, Faults, location_of, on_schedule, on_sensor
from simulation.virtual import Simulation

START = 1_767_261_600.0  # 2026-01-01T10:00 UTC
SEEDS = int(os.environ.get("PENSTOCK_SIMULATIONS", "3"))
FIRST = int(os.environ.get("PENSTOCK_SEED", "1"))
SECONDS = float(os.environ.get("PENSTOCK_SIMULATED_DAYS", "0.02")) * 86_400
LATEST = 20.0
"""A tick's code runs within so many seconds of its due time: a lease, a look, another daemon's, and errors between."""

MINUTE = timedelta(minutes=1)
CRONS = {f"every-{minutes}": f"*/{minutes} * * * *" for minutes in (1, 5, 20)} | {"hourly": "7 * * * *"}
INTERVALS = {"quick": 30.0, "slow": 300.0, "other": 45.0}

POLICIES: dict[str, AnyFreshnessPolicy] = {
    **{f"window-{number}": FreshnessPolicy.time_window(fail_window=number * MINUTE) for number in (1, 4, 9)},
    "warned": FreshnessPolicy.time_window(fail_window=5 * MINUTE, warn_window=MINUTE),
    "by-ten": FreshnessPolicy.cron(deadline_cron="*/10 * * * *", lower_bound_delta=2 * MINUTE),
}

CALM = Faults()
ROUGH = Faults(storage=0.01, death=0.001, evaluation=0.02, kills=600.0, freezes=300.0, server_kills=900.0)
JUMPS = Faults(storage=0.01, death=0.001, evaluation=0.02, kills=600.0, freezes=300.0, jumps=3000.0)


def simulated(
    seed: int, folder: Path, faults: Faults, *, daemons: int = 3, immediate: bool = False, hanging: int = 0
) -> Deployment:
    location = location_of(
        [on_schedule(name, cron) for name, cron in {**CRONS, OVERRULED: "*/2 * * * *"}.items()],
        [
            *(on_sensor(name, interval) for name, interval in INTERVALS.items()),
            *(on_sensor(f"{HANGING}{number}", 30.0) for number in range(hanging)),
        ],
        [AssetDescription(key=key, op=key, freshness=policy) for key, policy in POLICIES.items()],
    )
    built = Deployment(
        Simulation(seed, START),
        location,
        folder,
        daemons=daemons,
        faults=faults,
        immediate=immediate,
        places=5,
        people=60.0,
        makes=20.0,
    )
    built.run(SECONDS)
    return built


def check(deployment: Deployment) -> None:
    """What was promised, against what is stored."""
    assert deployment.broken == []
    check_people(deployment)
    check_freshness(deployment)
    end = deployment.simulation.now()
    runs = deployment.storage.runs.page(RunFilter(), limit=1_000_000)
    by_tick = Counter(run.tags.get(Tag.TICK) for run in runs)
    assert [run for run in runs if run.status is not RunStatus.SUCCESS and run.created < end - 120] == []
    for name, cron in CRONS.items():
        ticks = deployment.storage.instigators.ticks(f"code/schedule/{name}", limit=1_000_000)
        done = {tick.due for tick in ticks if tick.status is TickStatus.SUCCESS}
        assert [tick for tick in ticks if tick.status is TickStatus.FAILURE] == []
        assert {tick.due: by_tick[str(tick.id)] for tick in ticks if tick.due in done} == dict.fromkeys(done, 1)
        wanted = set(ticks_between(parse(cron), START, end - 60, "UTC"))
        # Of those that the time of day was set forward over only the latest is made up.
        missing = {due for due in wanted - done if not deployment.leapt(due, LATEST)}
        assert missing == set(), f"{name} was not evaluated for {sorted(missing)}"
    for name, interval in INTERVALS.items():
        keys = sorted(int(run.tags[Tag.RUN_KEY].rpartition(":")[2]) for run in runs if run.tags.get(Tag.SENSOR) == name)
        assert keys == list(range(len(keys))), f"{name} made its runs in this order: {keys}"
        if not deployment.jumped:
            passed = deployment.simulation.monotonic()
            assert len(keys) >= passed / (interval + LATEST) - 1
    if not deployment.jumped:
        late = {key: at - key[1] for key, at in deployment.asked.items() if key[0] in CRONS and at - key[1] > LATEST}
        assert late == {}


def check_people(deployment: Deployment) -> None:
    """That one-off runs were made once or called off, and that nothing was due in a pause."""
    people, storage = deployment.people, deployment.storage
    runs = Counter(run.tags.get(Tag.ONE_OFF) for run in storage.runs.page(RunFilter(), limit=1_000_000))
    end = deployment.simulation.now()
    for asked in people.planned:
        stands = storage.one_offs.get(asked.id)
        assert stands is not None
        if asked.id in people.canceled and stands.status is OneOffStatus.CANCELED:
            assert runs[str(asked.id)] == 0
        elif stands.status is OneOffStatus.WAITING:
            assert asked.due > end - LATEST
        else:
            assert (stands.status, runs[str(asked.id)]) == (OneOffStatus.LAUNCHED, 1)
            assert stands.ended is not None
            if not deployment.jumped:
                assert 0.0 <= stands.ended - asked.due < LATEST
    ticks = storage.instigators.ticks(f"code/schedule/{OVERRULED}", limit=1_000_000)
    by_tick = Counter(run.tags.get(Tag.TICK) for run in storage.runs.page(RunFilter(), limit=1_000_000))
    assert {by_tick[str(tick.id)] for tick in ticks if tick.status is TickStatus.SUCCESS} <= {1}
    if not deployment.jumped:
        assert not [tick for tick in ticks if any(since < tick.due < until for since, until in people.pauses)]


def check_freshness(deployment: Deployment) -> None:
    """Each change was told once, and the last one is true."""
    storage, now = deployment.storage, deployment.simulation.now()
    told = dict.fromkeys(POLICIES, FreshnessState.UNKNOWN)
    for stored in storage.events.of_types(["FRESHNESS_STATE_CHANGE"], limit=1_000_000):
        fact = stored.event.fact
        assert isinstance(fact, FreshnessStateChange)
        assert fact.previous is told[fact.asset] is not fact.state
        told[fact.asset] = fact.state
    states = storage.assets.states(list(POLICIES))
    assert told == {
        key: freshness_of(policy, made_at(states.get(key), materializable=True), now)
        for key, policy in POLICIES.items()
    }
    assert {key: row.state for key, row in storage.assets.freshness().items()}.items() <= told.items()


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_a_rough_day(seed: int, tmp_path: Path) -> None:
    check(simulated(seed, tmp_path, ROUGH))


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_a_rough_day_without_a_queue(seed: int, tmp_path: Path) -> None:
    check(simulated(seed, tmp_path, ROUGH, immediate=True))


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_clocks_that_jump(seed: int, tmp_path: Path) -> None:
    check(simulated(seed, tmp_path, JUMPS))


def test_sensors_that_hang_hold_up_no_others(tmp_path: Path) -> None:
    deployment = simulated(FIRST, tmp_path, ROUGH, daemons=2, hanging=40)
    check(deployment)
    late = {key: at - key[1] for key, at in deployment.asked.items() if key[0] in INTERVALS and at - key[1] > LATEST}
    assert late == {}


def test_a_calm_day_is_told_the_same_each_time(tmp_path: Path) -> None:
    def told() -> list[tuple[str, str, float]]:
        deployment = simulated(1, tmp_path, ROUGH, daemons=2)
        runs = deployment.storage.runs.page(RunFilter(), limit=1_000_000)
        return sorted((run.tags.get(Tag.TICK, ""), run.status, run.created) for run in runs)

    assert told() == told()
