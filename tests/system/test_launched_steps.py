"""Steps that a launcher runs in processes which know nothing of the worker: what is in the log, and what lives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.logs.store import log_key
from penstock.records.data_version import VersionTag, computed_version
from penstock.records.event import (
    AssetMaterialization,
    EngineNote,
    RunCanceling,
    RunFailure,
    RunStart,
    StepFailure,
    StepRestarted,
    StepUpForRetry,
    StepWorkerStarted,
)
from penstock.records.run import FailureReason, RunStatus
from support.deployment import Deployment
from support.run_worker import Worker, has_ended

pytestmark = pytest.mark.system


def left_behind(worker: Worker) -> list[str]:
    return [path.name for path in (worker.home / "steps").iterdir()]


def test_a_whole_job_runs_each_step_in_a_process_of_its_own(worker: Worker) -> None:
    worker.start("paired", LAUNCHED="1")
    assert worker.end() == 0
    assert worker.status() is RunStatus.SUCCESS
    steps = ["pair", "double[k0]", "double[k1]", "total"]
    assert len({worker.pid, *(worker.pid_of(step) for step in steps)}) == 5
    assert worker.types("pair") == [
        "STEP_WORKER_STARTING",
        "STEP_WORKER_STARTED",
        "LOGS_CAPTURED",
        "RESOURCE_INIT_STARTED",
        "RESOURCE_INIT_SUCCESS",
        "STEP_START",
        "STEP_OUTPUT",
        "HANDLED_OUTPUT",
        "STEP_OUTPUT",
        "HANDLED_OUTPUT",
        "STEP_SUCCESS",
    ]
    assert worker.types("total").count("LOADED_INPUT") == 2
    assert worker.events()[-1].type == "RUN_SUCCESS"
    assert worker.logs.read(log_key(worker.run_id, "pair"), "stdout")[0] == b"a pair\n"
    assert left_behind(worker) == []


def test_a_killed_step_fails_with_the_signal_named_and_the_others_go_on(worker: Worker) -> None:
    worker.start("holding", LAUNCHED="1")
    worker.awaits("held")
    worker.wait_until(lambda: "STEP_SUCCESS" in worker.types("one"), "the other step has ended")
    os.kill(worker.pid_of("held"), signal.SIGKILL)
    assert worker.end() == 0
    (failure,) = [e.fact for e in worker.events() if isinstance(e.fact, StepFailure)]
    assert failure.source == "UNEXPECTED_ERROR"
    assert "SIGKILL" in failure.error.message
    (end,) = [e.fact for e in worker.events() if isinstance(e.fact, RunFailure)]
    assert (end.reason, end.failed_steps) == (FailureReason.STEP_FAILURE, ("held",))
    assert left_behind(worker) == []


def test_deaths_and_failures_are_tried_again_as_declared(worker: Worker) -> None:
    worker.start("dying", LAUNCHED="1")
    assert worker.end() == 0
    assert worker.types("killed")[-1] == "STEP_SUCCESS"
    again = [e.fact.error.message for e in worker.events() if isinstance(e.fact, StepUpForRetry)]
    assert sum("SIGKILL" in each for each in again) == 1
    assert sum("ended with exit code 9" in each for each in again) == 1
    (failure,) = [e.fact for e in worker.events() if isinstance(e.fact, StepFailure)]
    assert "SIGSEGV" in failure.error.message


def test_a_retry_is_told_in_the_same_log(worker: Worker) -> None:
    worker.start("retrying", LAUNCHED="1")
    assert worker.end() == 0
    assert worker.status() is RunStatus.SUCCESS
    lucky = [e.fact for e in worker.events() if e.step_key == "second_time_lucky"]
    assert [each.retry for each in lucky if isinstance(each, StepRestarted)] == [1, 2]
    numbers = [e.seq for e in worker.events() if e.seq is not None]
    assert len(numbers) == len(set(numbers))


def test_a_cancel_reaches_the_steps(worker: Worker) -> None:
    worker.start("holding", LAUNCHED="1")
    worker.awaits("held")
    assert worker.storage.runs.record(worker.run_id, [RunCanceling()], now=time.time())
    os.kill(worker.pid, signal.SIGTERM)
    assert worker.end() == 0
    assert worker.status() is RunStatus.CANCELED
    failures = {e.step_key: e.fact.source for e in worker.events() if isinstance(e.fact, StepFailure)}
    assert failures["held"] == "INTERRUPT"
    assert (worker.home / "held.cleaned").exists()
    assert left_behind(worker) == []


def test_a_step_that_does_not_stop_is_killed_after_the_grace_period(worker: Worker) -> None:
    worker.start("stubborn", LAUNCHED="1", GRACE="0.1")
    worker.awaits("held")
    os.kill(worker.pid, signal.SIGTERM)
    assert worker.end() == 0
    assert worker.status() is RunStatus.CANCELED
    (failure,) = [e.fact for e in worker.events() if isinstance(e.fact, StepFailure)]
    assert failure.source == "INTERRUPT"


def test_a_step_that_takes_too_long_is_stopped_also_if_it_does_not_heed_it(worker: Worker) -> None:
    worker.start("overdue", LAUNCHED="1", GRACE="0.2")
    assert worker.end() == 0
    errors = [e.fact.error for e in worker.events() if isinstance(e.fact, StepFailure | StepUpForRetry)]
    assert [each.cls for each in errors] == ["StepTimeoutError"] * 3
    assert sum("was killed: it did not stop within 0.2 s" in each.message for each in errors) == 2


def test_steps_die_with_their_worker(worker: Worker) -> None:
    worker.start("holding", LAUNCHED="1")
    worker.awaits("held")
    handle = os.pidfd_open(worker.pid_of("held"))
    os.kill(worker.pid, signal.SIGKILL)
    assert worker.end() == -signal.SIGKILL
    assert has_ended(handle)
    os.close(handle)


def test_a_new_worker_goes_on_where_a_killed_one_stopped(worker: Worker) -> None:
    worker.start("holding", LAUNCHED="1")
    worker.awaits("held")
    worker.wait_until(lambda: "STEP_SUCCESS" in worker.types("one"), "the other step has ended")
    worker.kill()
    worker.resume(LAUNCHED="1")
    worker.awaits("held")
    worker.releases("held")
    assert worker.end() == 0
    assert worker.status() is RunStatus.SUCCESS
    assert worker.types("one").count("STEP_WORKER_STARTED") == 1
    assert worker.types("held").count("STEP_WORKER_STARTED") == 2
    assert worker.types("held").count("STEP_SUCCESS") == 1
    assert "STEP_SUCCESS" in worker.types("double")


def test_a_run_that_is_over_refuses_what_a_step_still_says(worker: Worker) -> None:
    worker.start("holding", LAUNCHED="1")
    worker.awaits("held")
    worker.wait_until(lambda: "STEP_SUCCESS" in worker.types("one"), "the other step has ended")
    handle = os.pidfd_open(worker.pid_of("held"))
    ended = RunFailure(reason=FailureReason.UNEXPECTED_TERMINATION, message="taken for dead")
    assert worker.storage.runs.record(worker.run_id, [ended], now=time.time())
    worker.releases("held")
    worker.end()
    assert has_ended(handle)
    os.close(handle)
    assert worker.events()[-1].type == "RUN_FAILURE"


def test_assets_are_told_with_their_data_versions(worker: Worker) -> None:
    worker.start("assets_of_all_kinds", LAUNCHED="1")
    assert worker.end() == 0
    assert worker.status() is RunStatus.SUCCESS
    made = {e.fact.asset: e.fact.tags for e in worker.events() if isinstance(e.fact, AssetMaterialization)}
    of_base = computed_version("1", {})
    assert made["base"][VersionTag.DATA_VERSION] == of_base
    assert made["grown"][VersionTag.DATA_VERSION] == computed_version("1", {"base": of_base})


def test_a_launcher_that_fails_fails_the_attempt_and_one_that_does_not_answer_is_asked_again(worker: Worker) -> None:
    worker.start("dying", LAUNCHED="broken")
    assert worker.end() == 0
    first = next(e.fact for e in worker.events() if isinstance(e.fact, StepUpForRetry) and e.step_key == "killed")
    assert first.error.message == (
        "The launcher BrokenLauncher could not launch the step: ConnectionError: nobody is there"
    )
    assert worker.types("killed")[-1] == "STEP_SUCCESS"
    notes = [e.fact.message for e in worker.events() if isinstance(e.fact, EngineNote)]
    assert notes == ["BrokenLauncher could not check the step: ConnectionError: nobody answers"]


PROJECT = Path(__file__).with_name("executors_project.py")


@pytest.mark.timeout(120)
def test_a_code_location_s_run_has_its_steps_launched(start: Callable[..., Deployment]) -> None:
    dev = start("-f", str(PROJECT))
    run = dev.wait_until_finished(dev.launch("elsewhere", location=PROJECT.name))
    assert run.status is RunStatus.SUCCESS
    events = [each.event for each in dev.instance.storage.events.of_run(run.run_id)]
    pids = {each.step_key: each.fact.pid for each in events if isinstance(each.fact, StepWorkerStarted)}
    assert set(pids) == {"loads_by_itself", "double"}
    (worker,) = [each.fact.pid for each in events if isinstance(each.fact, RunStart)]
    assert len({worker, *pids.values()}) == 3


@pytest.mark.parametrize("selection", [[], ["loads_by_itself"]])
def test_a_program_s_own_run_has_its_steps_launched(tmp_path: Path, selection: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, str(PROJECT), str(tmp_path / "home"), *selection], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    steps, difference = done.stdout.splitlines()
    assert steps.split() == (selection or ["loads_by_itself", "double"])
    assert difference == "0"  # the process that ran the step had loaded the code itself
