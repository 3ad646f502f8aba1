"""Daemons that die, freeze and err, under clocks that jump: each tick makes its runs exactly once, and none is late;
what failed is run again, people are told, and what conditions ask for is made.

A short form runs with the other tests; `PENSTOCK_SIMULATIONS` says how many seeds, `PENSTOCK_SIMULATED_DAYS` how long
each, `PENSTOCK_SEED` which is the first. A seed that fails fails again.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulation.checks.acts import check_acts
from simulation.checks.alerts import check_alerts
from simulation.checks.conditions import check_conditions
from simulation.checks.freshness import check_freshness
from simulation.checks.retries import check_retries
from simulation.checks.ticks import check_ticks
from simulation.deployment import Deployment
from simulation.rough import FIRST, INTERVALS, JUMPS, LATEST, ROUGH, SEEDS, simulated


def check(deployment: Deployment) -> None:
    """What was promised, against what is stored."""
    assert deployment.broken == []
    check_ticks(deployment)
    check_acts(deployment)
    check_freshness(deployment)
    check_retries(deployment)
    check_alerts(deployment)
    check_conditions(deployment)


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


def test_a_seed_is_told_the_same_by_each_process(tmp_path: Path) -> None:
    """Also where sets have their members in another order."""

    def begun(hash_seed: str) -> subprocess.Popen[str]:
        known = {"PYTHONPATH": str(Path(__file__).parents[1]), "PENSTOCK_SIMULATED_DAYS": "0.004"}
        return subprocess.Popen(
            [sys.executable, "-m", "simulation.told", str(FIRST), str(tmp_path / hash_seed)],
            env={**os.environ, **known, "PYTHONHASHSEED": hash_seed},
            stdout=subprocess.PIPE,
            text=True,
        )

    first, second = [process.communicate()[0] for process in [begun("1"), begun("2")]]
    assert first.count("\n") == 6
    assert first == second
