"""A sensor that watches an asset, under daemons that die, freeze and err: each event once, in order, and soon."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.records.automation import TickStatus
from penstock.records.run import Tag
from penstock.storage.protocols import RunFilter
from simulation.code_server import Code
from simulation.deployment import Deployment, Faults, location_of
from simulation.events import EVENT, WATCHING, materialize_now_and_then, on_asset, seen_by_sensor
from simulation.virtual import Process, Simulation

START = 1_767_261_600.0  # 2026-01-01T10:00 UTC
SEEDS = int(os.environ.get("PENSTOCK_SIMULATIONS", "3"))
FIRST = int(os.environ.get("PENSTOCK_SEED", "1"))
SECONDS = float(os.environ.get("PENSTOCK_SIMULATED_DAYS", "0.02")) * 86_400
LATEST = 45.0
"""An event leads to a run within so many seconds: those of a schedule's tick, and a long evaluation before it."""

SOON = 1.0
JUMPS = Faults(storage=0.01, death=0.001, evaluation=0.02, kills=600.0, freezes=300.0, jumps=600.0)
ROUGH = Faults(storage=0.01, death=0.001, evaluation=0.02, kills=600.0, freezes=300.0, server_kills=900.0)


def watched(seed: int, folder: Path, faults: Faults) -> dict[str, list[float]]:
    """How late the run of each event was made, checked to be one and in order."""
    simulation = Simulation(seed, START)
    deployment = Deployment(
        simulation,
        location_of([], [on_asset()]),
        folder,
        daemons=3,
        faults=faults,
        places=1000,
        code=Code(sensors={WATCHING: seen_by_sensor}),
    )
    storage = deployment.storage
    events: list[tuple[int, float]] = []
    simulation.run(60.0)
    outside = materialize_now_and_then(simulation, storage, 40.0, events, SECONDS)
    simulation.spawn(Process("outside"), outside)
    deployment.run(SECONDS)
    runs = storage.runs.page(RunFilter(tags={Tag.SENSOR: WATCHING}), limit=1_000_000, ascending=True)
    (first, *_) = storage.instigators.ticks(f"code/sensor/{WATCHING}", limit=1_000_000)[::-1]
    assert first.ended is not None
    assert first.ended < START + 60
    assert [int(run.tags[EVENT]) for run in runs] == [event for event, _ in events]
    assert len(events) > 20
    left = storage.instigators.ticks(f"code/sensor/{WATCHING}", statuses=[TickStatus.STARTED], limit=10)
    assert left == [], "a tick that a daemon left was not taken up again"
    return {"late": [run.created - at for run, (_, at) in zip(runs, events, strict=True)]}


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_a_rough_day_of_events(seed: int, tmp_path: Path) -> None:
    assert max(watched(seed, tmp_path, ROUGH)["late"]) < LATEST


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_events_under_clocks_that_jump(seed: int, tmp_path: Path) -> None:
    late = sorted(watched(seed, tmp_path, JUMPS)["late"])
    assert late[len(late) // 2] < LATEST


def test_a_calm_day_of_events(tmp_path: Path) -> None:
    late = sorted(watched(FIRST, tmp_path, Faults())["late"])
    assert late[len(late) // 2] < SOON
