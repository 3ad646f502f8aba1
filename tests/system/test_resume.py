"""Run workers that are killed, and others that go on with their runs: no step's success is lost or repeated."""

from __future__ import annotations

import os
import signal
from collections import Counter

import pytest

from penstock.execution.lease import EXIT_FENCED
from penstock.records.data_version import VersionTag, computed_version
from penstock.records.event import AssetMaterialization, RunCanceling, RunFailure, RunResumed, StepRestarted
from penstock.records.run import RunStatus, StepStatus
from support.run_worker import DEADLINE, Worker

pytestmark = pytest.mark.system


def work(worker: Worker) -> Counter[str]:
    """How often each function was called, as it noted itself."""
    return Counter((worker.home / "work.txt").read_text().splitlines())


def until_stored(worker: Worker, type_: str, *steps: str) -> None:
    worker.wait_until(lambda: all(type_ in worker.types(step) for step in steps), f"{type_} of {steps} is stored")


def until_begun(worker: Worker, step: str, times: int = 1) -> None:
    """Wait until the log has so many begins of a step."""

    def begins() -> int:
        return sum(type_ in ("STEP_START", "STEP_RESTARTED") for type_ in worker.types(step))

    worker.wait_until(lambda: begins() == times, f"begin {times} of {step} is stored")


def restarts(worker: Worker) -> dict[str | None, StepRestarted]:
    return {event.step_key: event.fact for event in worker.events() if isinstance(event.fact, StepRestarted)}


def test_a_new_worker_goes_on_where_a_killed_one_stopped(worker: Worker) -> None:
    worker.start("resumed_in_processes")
    worker.awaits("held")
    until_stored(worker, "STEP_SKIPPED", "left")
    until_stored(worker, "LOG", "after_broken")
    until_begun(worker, "held_work")
    worker.kill()
    worker.resume()
    worker.awaits("held")
    worker.releases("held")
    assert worker.end() == 0
    assert worker.status() is RunStatus.FAILURE  # one step never works
    assert work(worker) == {"worked": 1, "chosen": 1, "always_broken": 1, "held_work": 2, "summed": 1}
    assert (worker.home / "sum.txt").read_text() == "3"
    assert worker.types("left") == ["STEP_SKIPPED"]
    assert worker.types("after_broken") == ["LOG"]
    assert restarts(worker).keys() == {"held_work"}
    again = restarts(worker)["held_work"]
    assert again.retry == 0
    assert "was lost" in (again.reason or "")
    assert worker.types(None).count("RUN_START") == 1
    (resumed,) = [event.fact for event in worker.events() if isinstance(event.fact, RunResumed)]
    assert resumed.done == 4
    (failure,) = [event.fact for event in worker.events() if isinstance(event.fact, RunFailure)]
    assert failure.failed_steps == ("always_broken",)
    stats = {each.step_key: each for each in worker.storage.events.step_stats(worker.run_id)}
    assert (stats["held_work"].status, len(stats["held_work"].attempts)) == (StepStatus.SUCCESS, 2)
    assert all(end is not None for each in stats.values() for end in [one.end for one in each.attempts])


@pytest.mark.parametrize("job", ["resumed_in_one_process", "resumed_by_noting"])
def test_executors_of_one_process_go_on_too(worker: Worker, job: str) -> None:
    worker.start(job)
    worker.awaits("held")
    for step in work(worker):
        if step == "held_work":
            until_begun(worker, step)
        else:
            until_stored(worker, "STEP_FAILURE" if step == "always_broken" else "STEP_SUCCESS", step)
    worker.kill()
    worker.resume()
    worker.awaits("held")
    worker.releases("held")
    assert worker.end() == 0
    assert work(worker)["held_work"] == 2
    assert {count for step, count in work(worker).items() if step != "held_work"} == {1}
    assert (worker.home / "sum.txt").read_text() == "3"


def test_a_step_whose_value_died_with_the_worker_runs_again(worker: Worker) -> None:
    worker.start("resumed_without_values")
    worker.awaits("held")
    until_stored(worker, "STEP_SUCCESS", "worked")
    worker.kill()
    worker.resume()
    worker.awaits("held")
    worker.releases("held")
    assert worker.end() == 0
    assert work(worker)["worked"] == 2
    assert (worker.home / "sum.txt").read_text() == "3"
    assert "memory" in (restarts(worker)["worked"].reason or "")


def test_dynamic_steps_go_on_by_their_keys(worker: Worker) -> None:
    worker.start("resumed_dynamic")
    worker.awaits("held")
    until_stored(worker, "STEP_SUCCESS", "mapped_work[k0]", "mapped_work[k2]")
    until_begun(worker, "mapped_work[k1]")
    worker.kill()
    worker.resume()
    worker.awaits("held")
    worker.releases("held")
    assert worker.end() == 0
    assert worker.status() is RunStatus.SUCCESS
    assert work(worker) == {
        "worked": 1,
        "mapped_work 1": 1,
        "mapped_work 2": 2,
        "mapped_work 3": 1,
        "summed": 1,
    }
    assert (worker.home / "sum.txt").read_text() == "60"
    assert restarts(worker).keys() == {"mapped_work[k1]"}


def test_a_lost_worker_costs_no_retry_of_the_code(worker: Worker) -> None:
    worker.start("resumed_retry")
    worker.awaits("held")
    for times in (2, 3):
        until_begun(worker, "worker_killer", times)
        worker.kill()
        worker.resume()
        worker.awaits("held")
    worker.releases("held")
    assert worker.end() == 0
    assert worker.status() is RunStatus.SUCCESS
    assert work(worker) == {"worker_killer 0": 1, "worker_killer 1": 3}
    assert restarts(worker)["worker_killer"].retry == 1


def test_a_worker_that_was_paused_and_taken_for_dead_writes_no_more(worker: Worker) -> None:
    worker.start("resumed_in_one_process")
    worker.awaits("held")
    until_begun(worker, "held_work")
    paused = worker.process
    assert paused is not None
    os.kill(paused.pid, signal.SIGSTOP)
    worker.resume("It was not heard of.")
    worker.awaits("held")
    worker.releases("held")  # both of them, but the old one does not move
    assert worker.end() == 0
    told = worker.events()
    os.kill(paused.pid, signal.SIGCONT)
    paused.communicate(timeout=DEADLINE)
    assert paused.returncode == EXIT_FENCED
    assert worker.events() == told
    assert worker.types("held_work").count("STEP_SUCCESS") == 1


def cancel(worker: Worker) -> None:
    """Ask for the run's end as its code server does, and wait for it."""
    assert worker.storage.runs.record(worker.run_id, [RunCanceling()], now=worker.now())
    os.killpg(worker.pid, signal.SIGTERM)
    assert worker.end() == 0


@pytest.mark.parametrize("job", ["waiting_in_processes", "waiting_in_one_process"])
def test_a_retry_is_waited_for_by_the_next_worker_too_until_the_run_is_canceled(worker: Worker, job: str) -> None:
    worker.start(job)
    until_stored(worker, "STEP_UP_FOR_RETRY", "waits_long")
    worker.kill()
    worker.resume()
    worker.wait_until(lambda: "RUN_RESUMED" in worker.types(None), "the run goes on")
    cancel(worker)
    assert worker.status() is RunStatus.CANCELED
    assert work(worker) == {"waits_long": 1}
    assert worker.types("double") == []


def test_a_resumed_run_is_canceled_as_any_other(worker: Worker) -> None:
    worker.start("resumed_in_processes")
    worker.awaits("held")
    until_begun(worker, "held_work")
    worker.kill()
    worker.resume()
    worker.awaits("held")
    cancel(worker)
    assert worker.status() is RunStatus.CANCELED
    assert worker.events()[-1].type == "RUN_CANCELED"
    assert worker.types("summed") == []


def test_a_worker_that_is_started_for_a_canceled_run_does_nothing(worker: Worker) -> None:
    worker.start("waiting_in_processes")
    until_stored(worker, "STEP_UP_FOR_RETRY", "waits_long")
    worker.kill()
    worker.resume(before_start=lambda: worker.storage.runs.record(worker.run_id, [RunCanceling()], now=worker.now()))
    assert worker.end() == 0
    assert worker.status() is RunStatus.CANCELED
    assert "RUN_RESUMED" not in worker.types(None)


def test_a_run_of_some_assets_goes_on_with_their_versions(worker: Worker) -> None:
    worker.start("resumed_assets", assets=("made_before", "made_after"))
    worker.awaits("held")
    until_stored(worker, "STEP_SUCCESS", "made_before")
    worker.kill()
    worker.resume()
    worker.awaits("held")
    worker.releases("held")
    assert worker.end() == 0
    assert worker.status() is RunStatus.SUCCESS
    assert work(worker) == {"made_before": 1, "made_after": 2}
    facts = [event.fact for event in worker.events() if isinstance(event.fact, AssetMaterialization)]
    made = {fact.asset: fact.tags[VersionTag.DATA_VERSION] for fact in facts}
    before = computed_version("1", {})
    assert made == {"made_before": before, "made_after": computed_version("1", {"made_before": before})}
