"""A deployment with an old history: a daemon removes what is too old, and another goes on where that one was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from penstock.engine.retention import DAY
from penstock.ids import run_id_derived_from
from penstock.instance.doctor.verify import verify
from penstock.instance.instance import Instance
from penstock.instance.retention import last_report
from penstock.logs.store import log_key
from penstock.records.automation import Tick, TickStatus
from penstock.records.event import AssetMaterialization, Fact, RunSuccess
from penstock.records.run import Run
from penstock.storage.archive import Archived
from penstock.testing.storage_contract.builders import events_from, started_run

pytestmark = pytest.mark.system

SENSOR = "shop/sensor/s"
MANY = 40_000


@contextmanager
def daemon(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A daemon at work, which is killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "penstock.cli.main", "daemon"],
        env={**os.environ, "PENSTOCK_HOME": str(home)},
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def until(instance: Instance, holds: Callable[[], bool], *, seconds: float = 40.0) -> None:
    """Wait until something holds, woken by what is published."""
    deadline = time.monotonic() + seconds
    subscription = instance.storage.notifier.subscribe()
    try:
        while not holds():
            assert time.monotonic() < deadline
            subscription.wait(0.02)
    finally:
        subscription.close()


def is_done(instance: Instance, since: float) -> bool:
    """Whether a daemon that began to look after that time has removed what was too old."""
    report = last_report(instance.storage)
    return report is not None and report.looked >= since and report.done is not None


@pytest.fixture
def instance(home: Path) -> Iterator[Instance]:
    home.mkdir()
    with Instance.open(home) as opened:
        yield opened


def ended(instance: Instance, days_ago: float, now: float) -> Run:
    """A run that made an asset and printed something so many days ago."""
    at = now - days_ago * DAY
    run = started_run(instance.storage, created=at, run_id=run_id_derived_from(f"run {days_ago}", at))
    facts: list[Fact] = [AssetMaterialization(asset=f"asset_{days_ago:g}"), RunSuccess()]
    instance.storage.events.append(run.run_id, 1, events_from(2, facts, at=at + 5), now=at + 5)
    assert instance.logs.files is not None
    path = instance.logs.files.path(log_key(run.run_id, "a"), "stdout")
    path.parent.mkdir(parents=True)
    path.write_text("x")
    found = instance.storage.runs.get(run.run_id)
    assert found is not None
    return found


def ticked(instance: Instance, times: Iterator[float]) -> None:
    assert isinstance(instance.storage, Archived)
    instance.storage.archive.load_ticks(
        [Tick(instigator=SENSOR, due=at, started=at, ended=at, status=TickStatus.SKIPPED) for at in times]
    )


def ticks_left(instance: Instance) -> int:
    return len(instance.storage.instigators.ticks(SENSOR, limit=2 * MANY))


def test_the_daemon_removes_what_is_too_old_and_keeps_the_rest(home: Path, instance: Instance) -> None:
    (home / "penstock.yaml").write_text(yaml.safe_dump({"retention": {"runs": {"purge_after_days": 300}}}))
    now = time.time()
    gone, bare, fresh = (ended(instance, days, now) for days in (400, 200, 5))
    going = started_run(
        instance.storage,
        created=now - 150 * DAY,
        run_id=run_id_derived_from("going", now - 150 * DAY),
        owner="elsewhere",
    )
    instance.storage.runs.take_over(going.run_id, attempt=1, owner="elsewhere", until=now + 3600)
    ticked(instance, (now - days * DAY for days in (90, 60, 20, 1)))
    events = {run.run_id: instance.storage.events.of_run(run.run_id) for run in (fresh, going)}
    with daemon(home):
        until(instance, lambda: is_done(instance, now))
    assert instance.storage.runs.get(gone.run_id) is None
    assert instance.storage.runs.get(bare.run_id) == bare
    assert instance.storage.events.of_run(bare.run_id) == []
    assert {run_id: instance.storage.events.of_run(run_id) for run_id in events} == events
    assert sorted(instance.storage.assets.states()) == ["asset_200", "asset_400", "asset_5"]
    assert list(instance.logs.runs()) == [fresh.run_id]
    assert ticks_left(instance) == 2
    assert list(verify(instance.storage, now=now)) == []


def test_a_daemon_that_is_killed_at_it_leaves_the_rest_to_the_next(home: Path, instance: Instance) -> None:
    now = time.time()
    ticked(instance, (now - 90 * DAY + n for n in range(MANY)))
    with daemon(home):
        until(instance, lambda: ticks_left(instance) < MANY)
    left = ticks_left(instance)
    assert left > 1
    began = time.time()
    with daemon(home):
        until(instance, lambda: is_done(instance, began))
    assert ticks_left(instance) == 1
