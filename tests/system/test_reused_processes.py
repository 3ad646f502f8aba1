"""Processes that take one step after another: what a step sees is the same, and a process goes when it must."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import pytest

from penstock.logs.store import log_key
from penstock.records.event import RunCanceling, StepFailure, StepRestarted, StepUpForRetry
from penstock.records.run import RunStatus
from support.run_worker import Worker, has_ended

pytestmark = pytest.mark.system


def reusing(max_concurrent: int = 1) -> dict[str, Any]:
    config = {"reuse_processes": True, "max_concurrent": max_concurrent}
    return {"execution": {"config": {"multiprocess": config}}}


def pids(worker: Worker, *steps: str) -> list[int]:
    return [worker.pid_of(step) for step in steps]


ROW = ("one", "second", "third", "fourth", "fifth")


def test_one_process_takes_all_steps_and_each_is_told_and_captured_by_itself(worker: Worker) -> None:
    worker.start("dynamic", reusing())
    assert worker.end() == 0
    assert worker.status() is RunStatus.SUCCESS
    steps = ["one", "several", "double[k0]", "double[k1]", "double[k2]", "total"]
    (pid,) = set(pids(worker, *steps))
    assert pid != worker.pid
    assert worker.types("one") == [
        "STEP_WORKER_STARTING",
        "STEP_WORKER_STARTED",
        "LOGS_CAPTURED",
        "RESOURCE_INIT_STARTED",
        "RESOURCE_INIT_SUCCESS",
        "STEP_START",
        "STEP_OUTPUT",
        "HANDLED_OUTPUT",
        "STEP_SUCCESS",
    ]
    assert worker.logs.read(log_key(worker.run_id, "one"), "stdout")[0] == b"one says hello\n"
    assert worker.logs.size(log_key(worker.run_id, "total"), "stdout") == 0


def test_there_are_no_more_processes_than_steps_at_once(worker: Worker) -> None:
    worker.start("holding", reusing(2))
    worker.awaits("held")
    worker.wait_until(lambda: "STEP_SUCCESS" in worker.types("one"), "the other step has ended")
    worker.releases("held")
    assert worker.end() == 0
    held, one, double = pids(worker, "held", "one", "double")
    assert held != one
    assert double in (held, one)


def test_a_process_is_replaced_after_so_many_steps(worker: Worker) -> None:
    worker.start("five_in_a_row", reusing(), MOST_ATTEMPTS="2")
    assert worker.end() == 0
    assert worker.status() is RunStatus.SUCCESS
    first, second, third, fourth, fifth = pids(worker, *ROW)
    assert first == second != third == fourth != fifth


def test_a_process_is_replaced_when_its_memory_has_grown(worker: Worker) -> None:
    worker.start("five_in_a_row", reusing(), MOST_GROWTH=str(6 << 20))
    assert worker.end() == 0
    first, second, third, fourth, fifth = pids(worker, *ROW)
    assert first == second == third != fourth == fifth


def test_a_process_that_dies_is_replaced_and_only_its_step_has_failed(worker: Worker) -> None:
    worker.start("dying", reusing())
    assert worker.end() == 0
    assert worker.status() is RunStatus.FAILURE
    assert worker.types("killed")[-1] == "STEP_SUCCESS"
    again = [e.fact.error.message for e in worker.events() if isinstance(e.fact, StepUpForRetry)]
    assert any("SIGKILL" in each for each in again)
    assert any("ended with exit code 9" in each for each in again)
    (failure,) = [e.fact for e in worker.events() if isinstance(e.fact, StepFailure)]
    assert "SIGSEGV" in failure.error.message


def test_an_idle_process_that_dies_is_replaced(worker: Worker) -> None:
    worker.start("holding", reusing(2))
    worker.awaits("held")
    worker.wait_until(lambda: "STEP_SUCCESS" in worker.types("one"), "the other step has ended")
    idle = worker.pid_of("one")
    handle = os.pidfd_open(idle)
    os.kill(idle, signal.SIGKILL)
    assert has_ended(handle)
    os.close(handle)
    worker.releases("held")
    assert worker.end() == 0
    assert worker.status() is RunStatus.SUCCESS
    assert worker.pid_of("double") == worker.pid_of("held")


def test_a_step_that_failed_takes_its_process_with_it(worker: Worker) -> None:
    worker.start("retrying", reusing())
    assert worker.end() == 0
    assert worker.status() is RunStatus.SUCCESS
    tries = [e.fact for e in worker.events() if isinstance(e.fact, StepRestarted)]
    assert len(tries) == 3
    started = {e.fact.pid for e in worker.events() if e.type == "STEP_WORKER_STARTED"}  # type: ignore[union-attr]
    assert len(started) == 4  # one for each attempt that failed, and the one that did the rest


def test_a_cancel_interrupts_the_step(worker: Worker) -> None:
    worker.start("holding", reusing(2))
    worker.awaits("held")
    worker.wait_until(lambda: "STEP_SUCCESS" in worker.types("one"), "the other step has ended")
    assert worker.storage.runs.record(worker.run_id, [RunCanceling()], now=time.time())
    os.killpg(worker.pid, signal.SIGTERM)
    assert worker.end() == 0
    assert worker.status() is RunStatus.CANCELED
    failures = {e.step_key: e.fact.source for e in worker.events() if isinstance(e.fact, StepFailure)}
    assert failures == {"held": "INTERRUPT"}
    assert (worker.home / "held.cleaned").exists()


def test_a_step_that_takes_too_long_is_stopped(worker: Worker) -> None:
    worker.start("overdue", reusing(2), GRACE="0.2")
    assert worker.end() == 0
    errors = [e.fact.error.cls for e in worker.events() if isinstance(e.fact, StepFailure | StepUpForRetry)]
    assert errors == ["StepTimeoutError"] * 3


def test_processes_die_with_their_worker(worker: Worker) -> None:
    worker.start("holding", reusing(2))
    worker.awaits("held")
    worker.wait_until(lambda: "STEP_SUCCESS" in worker.types("one"), "the other step has ended")
    handles = [os.pidfd_open(pid) for pid in pids(worker, "held", "one")]
    os.kill(worker.pid, signal.SIGKILL)
    worker.end()
    for handle in handles:
        assert has_ended(handle)
        os.close(handle)


def test_a_new_worker_goes_on_where_a_killed_one_stopped(worker: Worker) -> None:
    worker.start("holding", reusing(2))
    worker.awaits("held")
    worker.wait_until(lambda: "STEP_SUCCESS" in worker.types("one"), "the other step has ended")
    worker.kill()
    worker.resume()
    worker.awaits("held")
    worker.releases("held")
    assert worker.end() == 0
    assert worker.status() is RunStatus.SUCCESS
    assert worker.types("one").count("STEP_WORKER_STARTED") == 1
    assert worker.types("held").count("STEP_WORKER_STARTED") == 2
