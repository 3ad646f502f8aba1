"""Three daemons on Postgres, killed and stopped past their leases: no tick is doubled or lost, and others take over.

PENSTOCK_CHAOS_DAEMON_SECONDS says for how long (a short form by default), PENSTOCK_CHAOS_DAEMON_COUNT how many
schedules and how many sensors there are.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from penstock.daemon.keeper import LEASE_SECONDS
from penstock.records.automation import Tick, TickStatus
from penstock.records.run import Tag
from penstock.storage.protocols import RunFilter
from support.deployment import Deployment, alive
from support.postgres import PostgresServer, scratch_database

SECONDS = float(os.environ.get("PENSTOCK_CHAOS_DAEMON_SECONDS", "15"))
COUNT = int(os.environ.get("PENSTOCK_CHAOS_DAEMON_COUNT", "10"))
SEED = int(os.environ.get("PENSTOCK_CHAOS_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)
CODE = Path(__file__).with_name("daemon_code.py")
TAKEN_OVER_SECONDS = 20.0
"""By then at the latest a lost daemon's share is in other hands, also on a machine with much else to do; what was
measured is printed."""

pytestmark = [pytest.mark.system, pytest.mark.timeout(180 + 2 * SECONDS)]


class Daemons:
    """Two daemons beside the one of `penstock dev`, and what happens to all three."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.started: dict[int, subprocess.Popen[bytes]] = {}
        self.take_overs: list[float] = []
        for _ in range(2):
            self.start()
        deployment.wait(lambda: len(self.alive()) == 3)

    def start(self) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "penstock.cli.main", "daemon"],
            env={**os.environ, "PENSTOCK_HOME": str(self.deployment.home)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.started[process.pid] = process

    def alive(self) -> dict[str, int]:
        """Holder name -> pid of each that lives."""
        seen = self.deployment.instance.storage.leases.processes(seen_after=time.time() - LEASE_SECONDS)
        return {each.id: each.pid for each in seen if each.kind == "daemon" and alive(each.pid)}

    def lose_one(self, chance: random.Random) -> None:
        """Kill one, or stop it until another one has its share; it wakes up late, or is replaced."""
        holder, pid = chance.choice(sorted(self.alive().items()))
        how = chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGSTOP])
        os.kill(pid, how)
        lost = time.monotonic()
        while any(lease.holder == holder for lease in self.deployment.instance.storage.leases.all()):
            assert time.monotonic() < lost + TAKEN_OVER_SECONDS, f"{holder} was lost and still holds leases"
            threading.Event().wait(0.02)  # how long it takes is what is looked at
        self.take_overs.append(time.monotonic() - lost)
        if how is signal.SIGSTOP:
            os.kill(pid, signal.SIGCONT)
        elif (process := self.started.pop(pid, None)) is not None:
            process.wait()
            self.start()
        self.deployment.wait(lambda: len(self.alive()) == 3)

    def close(self) -> None:
        for process in self.started.values():
            process.kill()
            process.wait()


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with contextlib.ExitStack() as cleanup:
        server = cleanup.enter_context(contextlib.closing(PostgresServer()))
        url = cleanup.enter_context(scratch_database(server.url()))
        home = tmp_path / "home"
        home.mkdir()
        (home / "penstock.yaml").write_text(yaml.safe_dump({"storage": {"postgres": {"postgres_url": url}}}))
        started = Deployment(home, ["-f", str(CODE)], cwd=tmp_path, extra_env={"DAEMON_CHAOS_COUNT": str(COUNT)})
        yield cleanup.enter_context(contextlib.closing(started))


def test_ticks_are_neither_doubled_nor_lost(deployment: Deployment) -> None:
    print(f"PENSTOCK_CHAOS_SEED={SEED}")
    chance = random.Random(SEED)
    began = time.time()
    with contextlib.closing(Daemons(deployment)) as daemons:
        while time.time() < began + SECONDS:
            daemons.lose_one(chance)
            threading.Event().wait(chance.uniform(0.0, 3.0))  # the distance of two losses
        ended = time.time()
        runs = deployment.instance.storage.runs
        before = RunFilter(created_before=ended)
        deployment.wait(lambda: all(run.is_finished for run in runs.page(before, limit=100_000)), seconds=60)
        deployment.wait(lambda: all(_last(deployment, number) >= ended for number in range(COUNT)), seconds=60)
    print(f"{len(daemons.take_overs)} daemons lost; taken over after {sorted(daemons.take_overs)[-3:]} s at most")
    made = Counter(run.tags[Tag.TICK] for run in runs.page(RunFilter(), limit=100_000))
    for number in range(COUNT):
        ticks = _ticks(deployment, f"sensor/counting_{number}")
        assert [int(tick.cursor or 0) for tick in ticks] == list(range(1, len(ticks) + 1))
        assert [made[str(tick.id)] for tick in ticks] == [int(index % 10 == 0) for index in range(len(ticks))]
        ticks = _ticks(deployment, f"schedule/minutely_{number}")
        minutes = [tick.due for tick in ticks]
        assert minutes == [minutes[0] + 60 * index for index in range(len(minutes))] if minutes else True
        assert len(minutes) >= int((ended - began) // 60)
        assert [made[str(tick.id)] for tick in ticks] == [int(number % 10 == 0)] * len(ticks)


def _ticks(deployment: Deployment, name: str) -> list[Tick]:
    """The ticks of a schedule or sensor that are over, oldest first."""
    found = deployment.instance.storage.instigators.ticks(f"daemon_code.py/{name}", limit=100_000)
    assert [tick for tick in found if tick.status is TickStatus.FAILURE] == []
    return sorted((tick for tick in found if tick.status is not TickStatus.STARTED), key=lambda tick: tick.due)


def _last(deployment: Deployment, number: int) -> float:
    ticks = _ticks(deployment, f"sensor/counting_{number}")
    return ticks[-1].due if ticks else 0.0
