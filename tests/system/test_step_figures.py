"""What real processes of steps and workers used is recorded, also of those that were killed, and why they were."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from penstock.records.event import RunFailure, StepFailure, StepWorkerStarted
from penstock.records.run import FailureReason, RunStatus, StepAttempt
from penstock.records.step_figures import StepFigures
from support.deployment import Deployment
from support.memory_group import memory_group

pytestmark = [pytest.mark.system, pytest.mark.timeout(150)]

MIB = 1 << 20
LIMIT = 512 * MIB

PROJECT = """
import signal
import time
from penstock import Definitions, RetryPolicy, in_process_executor, job, op, resource

@resource
def slow_to_start():
    burn(0.02)
    return 1

def burn(seconds):
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass

@op(retry_policy=RetryPolicy(max_retries=1), required_resource_keys={"slow_to_start"})
def works(context):
    kept = bytearray(64 << 20)
    burn(0.05)
    if context.retry_number == 0:
        raise ValueError("once")
    return len(kept)

@op
def after(size):
    return size

@job(resource_defs={"slow_to_start": slow_to_start})
def measured():
    after(works())

@op
def greedy():
    kept = []
    while True:
        kept.append(bytearray(8 << 20))

@job
def greedy_step():
    greedy()

@job(executor_def=in_process_executor)
def greedy_worker():
    greedy()

@op
def waits():
    signal.pause()

@job
def waiting():
    waits()

defs = Definitions(jobs=[measured, greedy_step, greedy_worker, waiting])
"""


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A deployment with little memory, where the kernel can be made to limit it."""
    folder = tmp_path_factory.mktemp("figures")
    (folder / "project.py").write_text(PROJECT)
    with memory_group(LIMIT) as within:
        made = Deployment(folder / "home", ["-f", "project.py"], cwd=folder, within=within or ())
        yield made
        made.close()


def attempts_of(deployment: Deployment, run_id: str, step: str) -> tuple[StepAttempt, ...]:
    (found,) = (each for each in deployment.instance.storage.events.step_stats(run_id) if each.step_key == step)
    return found.attempts


def figures_of(attempt: StepAttempt) -> StepFigures:
    assert attempt.figures is not None
    return attempt.figures


def test_each_attempt_of_a_step_says_where_its_time_went(deployment: Deployment) -> None:
    run_id = deployment.launch("measured", location="project.py")
    assert deployment.wait_until_finished(run_id).status is RunStatus.SUCCESS
    for attempt in attempts_of(deployment, run_id, "works"):
        figures = figures_of(attempt)
        assert attempt.end is not None
        assert figures.starting is not None
        assert figures.starting >= 0.02  # the resource used so much of the CPU
        assert figures.computing is not None
        assert figures.computing >= 0.05
        assert figures.cpu is not None
        assert figures.cpu >= 0.07
        assert figures.peak_memory is not None
        assert figures.peak_memory >= 64 * MIB
        assert not figures.shared
        assert None not in (figures.queued, figures.loading, figures.storing)
    assert len(attempts_of(deployment, run_id, "works")) == 2
    (after,) = attempts_of(deployment, run_id, "after")
    assert figures_of(after).loading  # it was loaded from a file


def test_a_killed_step_has_the_figures_that_the_system_tells(deployment: Deployment) -> None:
    run_id = deployment.launch("waiting", location="project.py")
    deployment.wait_for_event(run_id, "STEP_START")
    events = [each.event.fact for each in deployment.instance.storage.events.of_run(run_id)]
    (started,) = (fact for fact in events if isinstance(fact, StepWorkerStarted))
    os.kill(started.pid, signal.SIGKILL)
    assert deployment.wait_until_finished(run_id).status is RunStatus.FAILURE
    events = [each.event.fact for each in deployment.instance.storage.events.of_run(run_id)]
    (failure,) = (fact for fact in events if isinstance(fact, StepFailure))
    assert failure.error.cls == "StepProcessEnded"
    if deployment.within:
        assert "The kernel counts no kill for want of memory here" in failure.error.message
    figures = figures_of(attempts_of(deployment, run_id, "waits")[0])
    assert figures == failure.figures
    assert (figures.starting, figures.computing) == (None, None)
    assert figures.queued is not None
    assert figures.cpu is not None
    assert figures.peak_memory


def test_a_step_that_the_kernel_killed_for_want_of_memory_says_so(deployment: Deployment) -> None:
    if not deployment.within:
        pytest.skip("the memory of a process cannot be limited here (that needs root and cgroups)")
    run_id = deployment.launch("greedy_step", location="project.py")
    assert deployment.wait_until_finished(run_id).failure_reason is FailureReason.STEP_FAILURE
    events = [each.event.fact for each in deployment.instance.storage.events.of_run(run_id)]
    (failure,) = (fact for fact in events if isinstance(fact, StepFailure))
    assert failure.error.cls == "StepOutOfMemory"
    assert "It was killed because memory ran out (limit 512 MiB, peak " in failure.error.message
    assert failure.figures is not None
    assert failure.figures.peak_memory is not None
    assert failure.figures.peak_memory > LIMIT // 4


def test_a_worker_that_the_kernel_killed_for_want_of_memory_says_so(deployment: Deployment) -> None:
    if not deployment.within:
        pytest.skip("the memory of a process cannot be limited here (that needs root and cgroups)")
    run_id = deployment.launch("greedy_worker", location="project.py")
    assert deployment.wait_until_finished(run_id).failure_reason is FailureReason.UNEXPECTED_TERMINATION
    events = [each.event.fact for each in deployment.instance.storage.events.of_run(run_id)]
    (failure,) = (fact for fact in events if isinstance(fact, RunFailure))
    assert "SIGKILL" in failure.message
    assert "It was killed because memory ran out (limit 512 MiB);" in failure.message
