"""Schedules and sensors of a real deployment: each tick's effect once, also when the daemon is killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
import pytest

from penstock import AssetKey, AssetMaterialization
from penstock.records.automation import InstigatorKind, InstigatorState, InstigatorStatus, Tick, TickStatus
from penstock.records.event import AssetFact
from penstock.records.event import AssetMaterialization as MadeRecord
from penstock.records.metadata import IntMetadataValue
from penstock.records.one_off import OneOffStatus
from penstock.records.run import Run, RunStatus, Tag
from penstock.storage.protocols import ActFilter, RunFilter
from support.deployment import Deployment

pytestmark = [pytest.mark.system, pytest.mark.timeout(150)]

PROJECT = """
import time
from pathlib import Path
from penstock import (
    AssetKey, AssetMaterialization, AssetObservation, Definitions, DynamicPartitionsDefinition, RunRequest, RunStatus,
    SensorResult, SkipReason, asset, asset_sensor, define_asset_job, job, multi_asset_sensor, op, run_failure_sensor,
    run_status_sensor, schedule, sensor,
)

FILES = DynamicPartitionsDefinition(name="files")
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

def hanging(number):
    @sensor(name=f"hangs_{number}", job=nightly, minimum_interval_seconds=1)
    def hangs(context):
        time.sleep(3600)
    return hangs

@sensor(job=nightly, minimum_interval_seconds=1, timeout_seconds=1)
def sleeps(context):
    context.log.info("about to sleep")
    time.sleep(3600)

@sensor(job=nightly, minimum_interval_seconds=1, timeout_seconds=1)
def cannot_be_interrupted(context):
    context.log.info("about to hang")
    while True:
        try:
            time.sleep(3600)
        except BaseException:
            pass

@asset_sensor(AssetKey("report"), job=nightly, timeout_seconds=2)
def stuck_at_the_third(context, event):
    number = event.asset_materialization.metadata["number"].value
    if number == 3 and INBOX.exists():
        time.sleep(3600)
    return RunRequest(tags={"number": str(number)})

@op
def breaks():
    raise ValueError("broken on purpose")

@job
def broken():
    breaks()

@asset(partitions_def=FILES)
def by_file(context):
    return context.partition_key

@asset
def report():
    return 1

by_file_job = define_asset_job("by_file_job", selection=[by_file])

@run_failure_sensor(minimum_interval_seconds=1, request_job=nightly)
def on_failure(context):
    (step,) = context.get_step_failure_events()
    return RunRequest(run_key=context.run.run_id, tags={"why": f"{step.step_key}: {step.error.root().message}"})

@run_status_sensor(RunStatus.SUCCESS, minimum_interval_seconds=1, monitored_jobs=[nightly])
def on_success(context):
    return SensorResult(asset_events=[AssetObservation("seen", metadata={"run": context.run.run_id})])

@sensor(job=by_file_job, minimum_interval_seconds=1)
def new_files(context):
    names = sorted(path.stem for path in INBOX.glob("*.csv"))
    new = [name for name in names if name not in FILES.get_partition_keys(dynamic_partitions_store=context.instance)]
    return SensorResult(
        run_requests=[RunRequest(partition_key=name) for name in new],
        dynamic_partitions_requests=[FILES.build_add_request(new)] if new else [],
    )

@asset_sensor(AssetKey("by_file"), job=nightly, minimum_interval_seconds=1)
def on_file(context, event):
    return RunRequest(run_key=context.cursor, tags={"file": event.asset_materialization.partition})

@multi_asset_sensor([AssetKey("by_file"), AssetKey("report")], job=nightly, minimum_interval_seconds=1)
def on_both(context):
    if not all(context.latest_materialization_records_by_key().values()):
        return SkipReason("not yet")
    context.advance_all_cursors()
    return RunRequest()

defs = Definitions(
    assets=[by_file, report],
    jobs=[nightly, broken, by_file_job],
    schedules=[at_three],
    sensors=[
        files, sleeps, cannot_be_interrupted, stuck_at_the_third, on_failure, on_success, new_files, on_file, on_both,
        *(hanging(number) for number in range(36)),
    ],
)
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


def test_hung_sensors_and_a_failing_one_do_not_harm_the_rest(dev: Deployment, tmp_path: Path) -> None:
    # More than the daemon evaluates at once (8), and the code server (32).
    hung = [turn_on(dev, InstigatorKind.SENSOR, f"hangs_{number}") for number in range(36)]
    for each in hung:
        dev.wait(partial(ticks, dev, each, TickStatus.STARTED))
    (tmp_path / "inbox" / "poison.txt").touch()
    key = turn_on(dev, InstigatorKind.SENSOR, "files")
    (failed, *_) = dev.wait(lambda: ticks(dev, key, TickStatus.FAILURE))
    assert failed.error.cls == "ValueError"
    assert failed.error.frames[-1].code == 'raise ValueError("a poisoned file")'
    (tmp_path / "inbox" / "poison.txt").unlink()
    (tmp_path / "inbox" / "good.txt").touch()
    (run,) = dev.wait(lambda: runs_of(dev, Tag.SENSOR, "files"))
    assert dev.wait_until_finished(run.run_id).status is RunStatus.SUCCESS
    assert all(ticks(dev, each, TickStatus.STARTED) for each in hung)


def test_an_evaluation_that_takes_too_long_is_ended_and_tells_where_it_was(dev: Deployment) -> None:
    slept = turn_on(dev, InstigatorKind.SENSOR, "sleeps")
    hung = turn_on(dev, InstigatorKind.SENSOR, "cannot_be_interrupted")
    for key, line in ((slept, "INFO about to sleep"), (hung, "INFO about to hang")):
        (tick, *_) = dev.wait(partial(ticks, dev, key, TickStatus.FAILURE))
        assert tick.error is not None
        assert tick.error.cls == "TimeLimitExceededError"
        assert "longer than its limit of 1 seconds" in tick.error.message
        assert any(frame.code == "time.sleep(3600)" for frame in tick.error.frames)
        assert tick.log == (line,)


def test_what_an_evaluation_had_handed_over_before_it_hung_counts_once(dev: Deployment, tmp_path: Path) -> None:
    key = turn_on(dev, InstigatorKind.SENSOR, "stuck_at_the_third")
    dev.wait(lambda: ticks(dev, key, TickStatus.SKIPPED))
    events: list[AssetFact] = [
        MadeRecord(asset="report", metadata={"number": IntMetadataValue(number)}) for number in range(1, 5)
    ]
    dev.instance.storage.assets.report(events, now=time.time())
    tick: Tick = dev.wait(lambda: next(iter(ticks(dev, key, TickStatus.FAILURE)), None))
    assert len(tick.run_ids) == 2
    (tmp_path / "inbox").rmdir()
    found: list[Run] = dev.wait(
        lambda: len(runs := runs_of(dev, Tag.SENSOR, "stuck_at_the_third")) >= 4 and runs, seconds=60
    )
    assert sorted(run.tags["number"] for run in found) == ["1", "2", "3", "4"]


def test_no_event_is_missed_and_none_comes_twice_while_daemons_are_killed(dev: Deployment, tmp_path: Path) -> None:
    (tmp_path / "inbox").rmdir()
    key = turn_on(dev, InstigatorKind.SENSOR, "stuck_at_the_third")
    dev.wait(lambda: ticks(dev, key, TickStatus.SKIPPED))
    wanted = [str(number) for number in range(1, 61)]
    for number in wanted:
        event = MadeRecord(asset="report", metadata={"number": IntMetadataValue(int(number))})
        dev.instance.storage.assets.report([event], now=time.time())
        if int(number) % 12 == 0:
            (daemon,) = dev.wait(lambda: dev.processes("daemon"))
            os.kill(daemon, signal.SIGKILL)

    def numbers() -> list[str]:
        runs = dev.instance.storage.runs.page(RunFilter(tags={Tag.SENSOR: "stuck_at_the_third"}), limit=1000)
        return [run.tags["number"] for run in reversed(runs)]

    dev.wait(lambda: len(numbers()) >= len(wanted), seconds=60)
    assert numbers() == wanted


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
    (passed,) = ticks(dev, key, TickStatus.SKIPPED)
    assert passed.skip_reason is not None
    assert passed.skip_reason.startswith("2 instants passed over")
    assert dev.wait_until_finished(run.run_id).status is RunStatus.SUCCESS
    state = instigators.get(key)
    assert state is not None
    assert state.next_due == planned.next_due


PLAN = """mutation Plan($params: ExecutionParams!, $at: Float!) {
    planOneOffRun(executionParams: $params, timestamp: $at, reason: "by hand") {
        __typename ... on Error { message } ... on PlanOneOffRunSuccess { oneOffRun { id } } } }"""


def test_one_off_runs_are_made_once_though_the_daemon_is_killed(dev: Deployment) -> None:
    params = {"selector": {"jobName": "nightly", "repositoryLocationName": LOCATION}}
    for after in (1.0, 1.5, 2.0):
        answer = dev.graphql(PLAN, params=params, at=time.time() + after)["planOneOffRun"]
        assert answer["__typename"] == "PlanOneOffRunSuccess", answer
    (daemon,) = dev.wait(lambda: dev.processes("daemon"))
    os.kill(daemon, signal.SIGKILL)
    one_offs = dev.instance.storage.one_offs
    dev.wait(lambda: len(one_offs.page(statuses=[OneOffStatus.LAUNCHED])) == 3, seconds=60)
    made = one_offs.page()
    runs = dev.instance.storage.runs.page(RunFilter(tags={Tag.ONE_OFF: None}), limit=10)
    assert {run.run_id for run in runs} == {each.run_id for each in made}
    assert sorted(run.tags[Tag.ONE_OFF] for run in runs) == sorted(str(each.id) for each in made)
    for run in runs:
        assert dev.wait_until_finished(run.run_id).status is RunStatus.SUCCESS


OVERRIDE = """mutation Override($id: ID!, $override: InstigationOverrideInput!) {
    overrideInstigation(id: $id, override: $override) { __typename ... on Error { message } } }"""


def test_a_paused_sensor_goes_on_by_itself_with_what_was_said_of_its_runs(dev: Deployment, tmp_path: Path) -> None:
    key = turn_on(dev, InstigatorKind.SENSOR, "files")
    dev.wait(lambda: ticks(dev, key, TickStatus.SKIPPED))
    until = time.time() + 6.0
    override = {"pausedUntil": until, "tags": [{"key": "said", "value": "by hand"}], "reason": "let it rest"}
    answer = dev.graphql(OVERRIDE, id=key, override=override)["overrideInstigation"]
    assert answer["__typename"] == "InstigationState", answer
    begun = max(tick.due for tick in ticks(dev, key))
    (tmp_path / "inbox" / "new.txt").touch()
    (run,) = dev.wait(lambda: runs_of(dev, Tag.SENSOR, "files"))
    assert run.tags["said"] == "by hand"
    assert run.created >= until
    in_pause = [tick.due for tick in ticks(dev, key) if begun + 2.0 < tick.due < until]
    assert in_pause == []
    assert [act.by.reason for act in dev.instance.storage.acts.page(ActFilter(subject=key))] == ["let it rest", None]


def test_runs_that_fail_and_succeed_wake_the_sensors_that_watch_them(dev: Deployment) -> None:
    for name in ("on_failure", "on_success"):
        key = turn_on(dev, InstigatorKind.SENSOR, name)
        dev.wait(partial(ticks, dev, key, TickStatus.SKIPPED))
    failed = [dev.launch("broken", location=LOCATION) for _ in range(3)]
    for run_id in failed:
        assert dev.wait_until_finished(run_id).status is RunStatus.FAILURE
    followed: list[Run] = dev.wait(lambda: len(runs := runs_of(dev, Tag.SENSOR, "on_failure")) >= 3 and runs)
    assert sorted(run.tags[Tag.RUN_KEY] for run in followed) == sorted(failed)
    assert {run.tags["why"] for run in followed} == {"breaks: broken on purpose"}
    for run in followed:
        assert dev.wait_until_finished(run.run_id).status is RunStatus.SUCCESS
    seen = AssetKey("seen")
    observed = dev.wait(
        lambda: len(page := dev.instance.fetch_observations(seen, limit=9).records) >= 3 and page, seconds=60
    )
    told = [record.asset_observation.metadata["run"].value for record in observed]
    assert sorted(told) == sorted(run.run_id for run in followed)


def test_files_become_partitions_and_wake_the_sensors_of_their_asset(dev: Deployment, tmp_path: Path) -> None:
    for name in ("new_files", "on_file", "on_both"):
        turn_on(dev, InstigatorKind.SENSOR, name)
    for name in ("a", "b"):
        (tmp_path / "inbox" / f"{name}.csv").touch()
    made: list[Run] = dev.wait(lambda: len(runs := runs_of(dev, Tag.SENSOR, "new_files")) >= 2 and runs)
    assert sorted(run.partition or "" for run in made) == ["a", "b"]
    assert sorted(dev.instance.get_dynamic_partitions("files")) == ["a", "b"]
    woken: list[Run] = dev.wait(lambda: len(runs := runs_of(dev, Tag.SENSOR, "on_file")) >= 2 and runs, seconds=60)
    assert sorted(run.tags["file"] for run in woken) == ["a", "b"]
    assert runs_of(dev, Tag.SENSOR, "on_both") == []
    dev.instance.report_runless_asset_event(AssetMaterialization("report"))
    dev.wait(lambda: runs_of(dev, Tag.SENSOR, "on_both"), seconds=60)
