"""A deployment in which everything that a daemon does acts: what it has, what goes wrong with it, and for how long."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from penstock.records.errors import ErrorInfo
from penstock.records.event import AssetCheckEvaluation, AssetFact, AssetMaterialization, AssetWiped
from penstock.records.freshness import AnyFreshnessPolicy, FreshnessPolicy
from penstock.records.location import AssetDescription
from penstock.records.run import Tag
from penstock.records.wire import EvaluateSensor, Evaluation
from penstock.storage.protocols import Storage
from simulation.code_server import HANGING, Code
from simulation.conditions import CONDITIONS, EAGER, LETTERS, MISSING, SOURCES, conditioned, evaluated
from simulation.deployment import Deployment, Faults, location_of, on_schedule, on_sensor
from simulation.people import OVERRULED
from simulation.targets import DEAF
from simulation.virtual import Simulation

__all__ = [
    *("CRONS", "FAILING", "FIRST", "INTERVALS", "JUMPS", "LATE", "LATEST", "MAX_RETRIES", "POLICIES", "ROUGH"),
    *("SECONDS", "SEEDS", "START", "STUCK", "THROTTLE", "simulated"),
]

START = 1_767_261_600.0  # 2026-01-01T10:00 UTC
SEEDS = int(os.environ.get("PENSTOCK_SIMULATIONS", "3"))
FIRST = int(os.environ.get("PENSTOCK_SEED", "1"))
SECONDS = float(os.environ.get("PENSTOCK_SIMULATED_DAYS", "0.02")) * 86_400
LATEST = 20.0
"""A tick's code runs within so many seconds of its due time: a lease, a look, another daemon's, and errors between."""

MINUTE = timedelta(minutes=1)
CRONS = {f"every-{minutes}": f"*/{minutes} * * * *" for minutes in (1, 5, 20)} | {"hourly": "7 * * * *"}
INTERVALS = {"quick": 30.0, "slow": 300.0, "other": 45.0}
FAILING = "failing"
"""A sensor of which every other evaluation fails."""

POLICIES: dict[str, AnyFreshnessPolicy] = {
    **{f"window-{number}": FreshnessPolicy.time_window(fail_window=number * MINUTE) for number in (1, 4, 9)},
    "warned": FreshnessPolicy.time_window(fail_window=5 * MINUTE, warn_window=MINUTE),
    "by-ten": FreshnessPolicy.cron(deadline_cron="*/10 * * * *", lower_bound_delta=2 * MINUTE),
}

ROUGH = Faults(
    storage=0.01,
    death=0.001,
    evaluation=0.02,
    kills=600.0,
    freezes=300.0,
    server_kills=900.0,
    runs=0.15,
    targets=120.0,
)
JUMPS = msgspec.structs.replace(ROUGH, server_kills=0.0, jumps=3000.0)

MAX_RETRIES = 1
TAGS = {
    "every-5": {Tag.MAX_RETRIES: "3"},
    "every-20": {Tag.MAX_RETRIES: "0"},
    "quick": {Tag.MAX_RETRIES: "2", Tag.RETRY_ON_STEP_FAILURE: "false"},
}
"""How often runs are run again, where it is not `MAX_RETRIES` times."""

LATE, STUCK, THROTTLE = 20.0, 60.0, 200.0
_SLACK = {"slack": {"url": "http://slack"}}
_WEBHOOK = {"webhook": {"url": "http://webhook"}}
SETTINGS: dict[str, Any] = {
    "run_monitoring": {"max_resume_run_attempts": 1},
    "run_retries": {"enabled": True, "max_retries": MAX_RETRIES},
    "alerts": {
        "late_after_seconds": LATE,
        "stuck_after_seconds": STUCK,
        "rules": [
            {
                "name": "all",
                "when": [
                    *("run_failure", "run_late", "run_stuck", "tick_failure"),
                    *("check_failed", "freshness_violated", "daemon_lost"),
                ],
                "to": [_WEBHOOK],
                "throttle_seconds": 0,
            },
            {
                "name": "few",
                "when": ["run_failure", "tick_failure", "check_failed"],
                "to": [_SLACK, _WEBHOOK],
                "throttle_seconds": THROTTLE,
            },
            {"name": DEAF, "when": ["daemon_lost"], "to": [_WEBHOOK], "throttle_seconds": 0},
        ],
    },
}

_SEEN_BEFORE = {"retries/place": "0", "alerts/place": "0", "alerts/since": repr(START - 86_400)}
"""How far earlier daemons have come: a first one would pass over what is there when it looks for the first time."""


def simulated(
    seed: int, folder: Path, faults: Faults, *, daemons: int = 3, immediate: bool = False, hanging: int = 0
) -> Deployment:
    """A deployment that went on for `SECONDS`, and for a while in which nothing more went wrong."""
    location = location_of(
        [on_schedule(name, cron) for name, cron in {**CRONS, OVERRULED: "*/2 * * * *"}.items()],
        [
            *(on_sensor(name, interval) for name, interval in {**INTERVALS, FAILING: 60.0}.items()),
            *(on_sensor(f"{HANGING}{number}", 30.0) for number in range(hanging)),
        ],
        [AssetDescription(key=key, op=key, freshness=policy) for key, policy in POLICIES.items()],
    )
    built = Deployment(
        Simulation(seed, START),
        conditioned(location),
        folder,
        daemons=daemons,
        faults=faults,
        immediate=immediate,
        places=5,
        people=60.0,
        code=Code(sensors={CONDITIONS: evaluated, FAILING: _fails}, tags=TAGS),
        settings=SETTINGS,
        makes=_made_elsewhere,
        makes_each=15.0,
    )
    for name, value in _SEEN_BEFORE.items():
        built.storage.locations.settle_value(name, value)
    built.run(SECONDS)
    return built


def _made_elsewhere(chance: Random) -> AssetFact:
    """Something that runs do not make, a partition that is lost or made by hand, or a check that fails at times."""
    key = chance.choice((*POLICIES, *SOURCES, *SOURCES, *SOURCES, *MISSING, *EAGER))
    what = chance.random()
    if what < 0.1:
        return AssetCheckEvaluation(asset=key, check="sums", passed=chance.random() < 0.5)
    if what < (0.7 if key in MISSING else 0.2):
        return AssetWiped(asset=key)
    return AssetMaterialization(asset=key, partition=chance.choice(LETTERS) if key in MISSING else None)


def _fails(simulation: Simulation, _storage: Storage, _work: EvaluateSensor) -> Evaluation:
    if simulation.random.random() < 0.5:
        return Evaluation(error=ErrorInfo(cls="ValueError", message="no"))
    return Evaluation(skip_reason="nothing is wrong")
