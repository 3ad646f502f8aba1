"""A year of schedules by the calendar, in zones that change their clocks, and of sensors, with daemons that fail.

What the daemons do while nothing is due is left out. Clocks jump, too: what the time of day was set forward over is
made up, and nothing is done again that it was set back over. A short form runs with the other tests;
`PENSTOCK_SIMULATED_YEAR` says how many days of it, `PENSTOCK_SIMULATED_COUNT` how many schedules and how many sensors.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from penstock.partitions.cron import parse, ticks_between
from penstock.records.automation import Tick, TickStatus
from penstock.records.run import Tag
from penstock.storage.protocols import RunFilter
from simulation.deployment import Deployment, Faults, location_of, on_schedule, on_sensor
from simulation.virtual import Simulation

START = 1_774_130_400.0  # 2026-03-21T22:00 UTC: a week before Europe changes its clocks
DAYS = float(os.environ.get("PENSTOCK_SIMULATED_YEAR", "9"))
COUNT = int(os.environ.get("PENSTOCK_SIMULATED_COUNT", "12"))
SEED = int(os.environ.get("PENSTOCK_SEED", "1"))
LATEST = 20.0 + COUNT * 0.3 / 8
"""As in `test_daemons.py`, and how long eight workers of a single daemon take when all are due at once."""
DAY = 86_400.0
CHECKED_AFTER = 7 * DAY
"""Ticks are looked at while they are kept."""

CRONS = (
    *("0 0 * * *", "30 2 * * 0", "0 6 * * 1", "30 1 * * 0", "0 0 1 * *", "15 2 28-31 * *"),
    *("30 3 * * 6,0", "0 12 1,15 * *", "0 0 1 */3 *", "59 23 31 12 *", "30 2 1-7,25-31 3,10,11 0", "0 5 * * 5"),
)
"""Some for each day, most for some: what changes of clocks and ends of months do is in all of them."""
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Santiago")
INTERVALS = (3 * DAY, 14 * DAY, 30 * DAY)
ROUGH = Faults(
    storage=0.005, death=0.0005, evaluation=0.01, kills=600.0, freezes=300.0, server_kills=900.0, jumps=1800.0
)

SCHEDULES = {f"schedule-{n}": (CRONS[n % len(CRONS)], ZONES[(n + n // len(CRONS)) % len(ZONES)]) for n in range(COUNT)}
SENSORS = {f"sensor-{n}": INTERVALS[n % len(INTERVALS)] for n in range(COUNT)}


@pytest.mark.timeout(120 + DAYS * COUNT)
def test_a_year(tmp_path: Path) -> None:
    location = location_of(
        [on_schedule(name, cron, zone) for name, (cron, zone) in SCHEDULES.items()],
        [on_sensor(name, interval) for name, interval in SENSORS.items()],
    )
    deployment = Deployment(
        Simulation(SEED, START), location, tmp_path, daemons=2, faults=ROUGH, places=50, sensors_ask=5
    )
    seen = _Seen(deployment)
    while deployment.simulation.now() < START + DAYS * DAY:
        deployment.run_and_leap(CHECKED_AFTER)
        seen.look()
    deployment.calm = True
    deployment.simulation.run(300.0)
    seen.look()
    seen.check()


class _Seen:
    """What the deployment has told until now, which keeps ticks and runs for some time only."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._ticks: dict[int, Tick] = {}
        self._runs: dict[str, str] = {}  # run id -> the tick that asked for it
        self._until = START

    def look(self) -> None:
        """Take in what is new since the last look, and a little from before it."""
        after, storage = self._until - DAY, self._deployment.storage
        for kind, names in (("schedule", SCHEDULES), ("sensor", SENSORS)):
            for name in names:
                ticks = storage.instigators.ticks(f"code/{kind}/{name}", limit=100_000, after_time=after)
                self._ticks.update((tick.id, tick) for tick in ticks)
        runs = storage.runs.page(RunFilter(created_after=after), limit=1_000_000)
        self._runs.update((run.run_id, run.tags[Tag.TICK]) for run in runs)
        self._until = self._deployment.simulation.now()

    def check(self) -> None:
        """What was promised."""
        assert self._deployment.broken == []
        end = self._deployment.simulation.now()
        made = Counter(self._runs.values())
        of: dict[str, list[Tick]] = {}
        for tick in sorted(self._ticks.values(), key=lambda tick: tick.due):
            assert tick.status in (TickStatus.SUCCESS, TickStatus.SKIPPED), tick
            of.setdefault(tick.instigator.rpartition("/")[2], []).append(tick)
        for name, (cron, zone) in SCHEDULES.items():
            wanted = list(ticks_between(parse(cron), START, end - 60, zone))
            assert [tick.due for tick in of.get(name, []) if tick.due < end - 60] == wanted, f"{name}: {cron} in {zone}"
            assert [made[str(tick.id)] for tick in of.get(name, [])] == [1] * len(of.get(name, []))
        for name, interval in SENSORS.items():
            assert [tick.cursor for tick in of[name]] == [str(number + 1) for number in range(len(of[name]))]
            assert [made[str(tick.id)] for tick in of[name]] == [int(n % 5 == 0) for n in range(len(of[name]))]
            assert len(of[name]) >= (end - START) / (interval + LATEST) - 1
        leapt = self._deployment.leapt
        late = {
            key: at - key[1]
            for key, at in self._deployment.asked.items()
            if at - key[1] > LATEST and not leapt(key[1], LATEST)
        }
        assert late == {}
