"""External processes of real run workers: they are heard, and they end when their step does."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from penstock.logs.store import log_key
from penstock.records.event import LogLine, RunCanceling, StepFailure, StepOutput
from penstock.records.run import RunStatus
from support.run_worker import Worker, has_ended

pytestmark = pytest.mark.system

JOBS = pytest.mark.parametrize("job", ["piped", "piped_in_one_process"])


def outside(**config: bool) -> dict[str, Any]:
    return {"ops": {"outside": {"config": {"deaf": False, "forward": True, **config}}}}


def process_of(worker: Worker) -> int:
    """A handle of the external process."""
    return os.pidfd_open(int((worker.home / "outside.pid").read_text()))


@JOBS
def test_an_external_process_is_heard_while_it_runs(worker: Worker, job: str) -> None:
    worker.start(job, outside())
    worker.awaits("held")
    worker.wait_until(
        lambda: any(isinstance(e.fact, LogLine) and e.fact.message == "outside has begun" for e in worker.events()),
        "its log line is stored",
    )
    key = log_key(worker.run_id, "outside")
    assert worker.logs.read(key, "stdout")[0] == b"outside is at work\n"
    worker.releases("held")
    assert worker.end() == 0
    assert worker.status() is RunStatus.SUCCESS
    assert [e.fact.output for e in worker.events() if isinstance(e.fact, StepOutput)] == ["result"]


@JOBS
def test_a_cancel_ends_the_external_process(worker: Worker, job: str) -> None:
    worker.start(job, outside())
    worker.awaits("held")
    handle = process_of(worker)
    assert worker.storage.runs.record(worker.run_id, [RunCanceling()], now=worker.now())
    os.kill(worker.pid, signal.SIGTERM)
    assert worker.end() == 0
    assert has_ended(handle)
    os.close(handle)
    assert (worker.home / "outside.asked").exists()
    assert worker.status() is RunStatus.CANCELED


def test_an_external_process_that_does_not_stop_is_killed(worker: Worker) -> None:
    worker.start("piped", outside(deaf=True))
    worker.awaits("held")
    handle = process_of(worker)
    os.kill(worker.pid, signal.SIGTERM)
    assert worker.end() == 0
    assert has_ended(handle)
    os.close(handle)
    assert (worker.home / "outside.asked").exists()
    (failure,) = [e.fact for e in worker.events() if isinstance(e.fact, StepFailure)]
    assert failure.source == "INTERRUPT"


def test_an_external_process_ends_with_a_killed_step(worker: Worker) -> None:
    worker.start("piped", outside())
    worker.awaits("held")
    handle = process_of(worker)
    os.kill(worker.pid_of("outside"), signal.SIGKILL)
    assert worker.end() == 0
    assert has_ended(handle)
    os.close(handle)
    assert worker.status() is RunStatus.FAILURE


def test_an_external_process_goes_on_by_itself_where_that_is_asked_for(worker: Worker) -> None:
    worker.start("piped", outside(forward=False))
    worker.awaits("held")
    handle = process_of(worker)
    os.killpg(worker.pid, signal.SIGTERM)
    assert worker.end() == 0
    assert worker.status() is RunStatus.CANCELED
    worker.releases("held")  # it still waits for that
    assert has_ended(handle)
    os.close(handle)
    assert not (worker.home / "outside.asked").exists()


def test_an_external_process_that_is_killed_fails_its_step_with_the_signal_named(worker: Worker) -> None:
    worker.start("piped", outside())
    worker.awaits("held")
    handle = process_of(worker)
    signal.pidfd_send_signal(handle, signal.SIGKILL)
    assert worker.end() == 0
    os.close(handle)
    (failure,) = [e.fact for e in worker.events() if isinstance(e.fact, StepFailure)]
    assert failure.error.cls == "SubprocessError"
    assert "killed by signal 9 (SIGKILL)" in failure.error.message
    assert any(isinstance(e.fact, LogLine) and "did not say that no more" in e.fact.message for e in worker.events())
