"""Schedules and sensors of a real deployment: each tick's effect once, also when the daemon is killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from penstock.records.automation import InstigatorKind, InstigatorState, InstigatorStatus, Tick, TickStatus
from penstock.records.run import Run, RunStatus, Tag
from penstock.storage.protocols import RunFilter
from support.deployment import Deployment

pytestmark = [pytest.mark.system, pytest.mark.timeout(150)]

PROJECT = """
import time
from pathlib import Path
from penstock import Definitions, RunRequest, SensorResult, SkipReason, job, op, schedule, sensor

INBOX = Path(__file__).parent / "inbox"

@op
def work():
    pass

@job
def nightly():
    work()

@schedule(cron_schedule="0 3 * * *", job=nightly, execution_timezone="Europe/Berlin")
def at_three(context):
    return RunRequest(run_key=context.scheduled_execution_time.isoformat(), tags={"from": "schedule"})

@sensor(job=nightly, minimum_interval_seconds=1)
def files(context):
    names = sorted(path.name for path in INBOX.glob("*.txt")) if INBOX.exists() else []
    if not names:
        return SkipReason("nothing in the inbox")
    if "poison.txt" in names:
        raise ValueError("a poisoned file")
    return SensorResult(run_requests=[RunRequest(run_key=name) for name in names], cursor=str(len(names)))

@sensor(job=nightly, minimum_interval_seconds=1)
def hangs(context):
    time.sleep(3600)

defs = Definitions(jobs=[nightly], schedules=[at_three], sensors=[files, hangs])
"""
LOCATION = "project.py"


@pytest.fixture
def dev(start: Callable[..., Deployment], tmp_path: Path) -> Deployment:
    (tmp_path / "project.py").write_text(PROJECT)
    (tmp_path / "inbox").mkdir()
    return start("-f", str(tmp_path / "project.py"))


def turn_on(dev: Deployment, kind: InstigatorKind, name: str) -> str:
    key = f"{LOCATION}/{kind.value.lower()}/{name}"
    dev.instance.storage.instigators.switch(key, LOCATION, kind, name, InstigatorStatus.RUNNING, now=time.time())
    return key


def ticks(dev: Deployment, key: str, *statuses: TickStatus) -> list[Tick]:
    return dev.instance.storage.instigators.ticks(key, statuses=statuses or None)


def runs_of(dev: Deployment, tag: str, name: str) -> list[Run]:
    return dev.instance.storage.runs.page(RunFilter(tags={tag: name}), limit=100)


def test_a_sensor_makes_one_run_for_each_key_also_when_the_daemon_is_killed(dev: Deployment, tmp_path: Path) -> None:
    key = turn_on(dev, InstigatorKind.SENSOR, "files")
    (skipped, *_) = dev.wait(lambda: ticks(dev, key, TickStatus.SKIPPED))
    assert skipped.skip_reason == "nothing in the inbox"
    for number in range(6):
        (tmp_path / "inbox" / f"{number}.txt").touch()
        if number in (2, 4):
            (daemon,) = dev.wait(lambda: dev.processes("daemon"))
            os.kill(daemon, signal.SIGKILL)
    found: list[Run] = dev.wait(lambda: len(runs := runs_of(dev, Tag.SENSOR, "files")) >= 6 and runs, seconds=60)
    for run in found:
        assert dev.wait_until_finished(run.run_id).status is RunStatus.SUCCESS
    # One more evaluation sees all the files again and makes nothing of them.
    seen = len(ticks(dev, key))
    dev.wait(lambda: len(ticks(dev, key, TickStatus.SUCCESS, TickStatus.SKIPPED)) > seen)
    made = runs_of(dev, Tag.SENSOR, "files")
    assert sorted(run.tags[Tag.RUN_KEY] for run in made) == [f"{number}.txt" for number in range(6)]


def test_a_hung_sensor_and_a_failing_one_do_not_harm_the_rest(dev: Deployment, tmp_path: Path) -> None:
    turn_on(dev, InstigatorKind.SENSOR, "hangs")
    (tmp_path / "inbox" / "poison.txt").touch()
    key = turn_on(dev, InstigatorKind.SENSOR, "files")
    (failed, *_) = dev.wait(lambda: ticks(dev, key, TickStatus.FAILURE))
    assert failed.error.cls == "ValueError"
    assert failed.error.frames[-1].code == 'raise ValueError("a poisoned file")'
    (tmp_path / "inbox" / "poison.txt").unlink()
    (tmp_path / "inbox" / "good.txt").touch()
    (run,) = dev.wait(lambda: runs_of(dev, Tag.SENSOR, "files"))
    assert dev.wait_until_finished(run.run_id).status is RunStatus.SUCCESS


def test_a_missed_schedule_is_made_up_once(dev: Deployment) -> None:
    key = turn_on(dev, InstigatorKind.SCHEDULE, "at_three")
    instigators = dev.instance.storage.instigators
    planned: InstigatorState = dev.wait(
        lambda: (state := instigators.get(key)) is not None and state.next_due is not None and state
    )
    assert planned.next_due is not None
    assert planned.next_due > time.time()
    # As if every daemon had been down since the day before yesterday.
    instigators.plan([msgspec.structs.replace(planned, next_due=planned.next_due - 3 * 86_400)])
    (tick,) = dev.wait(lambda: ticks(dev, key, TickStatus.SUCCESS))
    (run,) = runs_of(dev, Tag.SCHEDULE, "at_three")
    assert tick.run_ids == (run.run_id,)
    assert abs(tick.due - (planned.next_due - 86_400)) <= 3600  # the latest missed one; the clocks may have changed
    assert dev.wait_until_finished(run.run_id).status is RunStatus.SUCCESS
    state = instigators.get(key)
    assert state is not None
    assert state.next_due == planned.next_due
