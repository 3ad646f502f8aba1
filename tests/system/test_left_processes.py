"""Steps that start processes, in a real code server: whatever ends, and however, nothing of it goes on."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import pytest

from penstock.records.event import RunCanceling
from penstock.records.run import RunStatus
from support.deployment import alive
from support.served_code import LIMIT, ServedCode, served

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

CODE = """
import os, subprocess
from pathlib import Path
from penstock import Config, Definitions, in_process_executor, job, op

class Meeting(Config):
    folder: str

def start(folder, name, **how):
    # Known to the test once its environment can be seen.
    told = subprocess.Popen(["sh", "-c", "echo; exec sleep 1000 > /dev/null"], stdout=subprocess.PIPE, **how)
    told.stdout.readline()
    Path(folder, name).write_text(str(told.pid))

@op
def leaves(config: Meeting):
    start(config.folder, "plain")
    start(config.folder, "daemon", start_new_session=True)
    Path(config.folder, "step").write_text(str(os.getpid()))
    Path(config.folder, "gate").read_text()

@op
def waits(config: Meeting, before):
    Path(config.folder, "second").write_text(str(os.getpid()))
    Path(config.folder, "second_gate").read_text()

@job
def forked():
    leaves()

@job(executor_def=in_process_executor)
def in_process():
    leaves()

@job
def goes_on():
    waits(leaves())

defs = Definitions(jobs=[forked, in_process, goes_on])
"""


class Meeting:
    """A run whose step has started processes and waits."""

    def __init__(self, code: ServedCode, job: str, *ops: str) -> None:
        self.code = code
        self.folder = code.folder / f"meeting-{job}"
        self.folder.mkdir()
        for gate in ("gate", "second_gate"):
            os.mkfifo(self.folder / gate)
        config = {op: {"config": {"folder": str(self.folder)}} for op in ("leaves", *ops)}
        self.run_id = code.launch(job, ops=config)
        self.step = self.pid("step")
        self.left = [self.pid("plain"), self.pid("daemon")]
        assert all(alive(pid) for pid in self.left)

    def pid(self, name: str) -> int:
        """The process that has written its number."""

        def found() -> int | None:
            path = self.folder / name
            return int(text) if path.exists() and (text := path.read_text()) else None

        return self.code.wait(name, found)

    def until_gone(self, *pids: int) -> None:
        """Wait for the end of processes."""
        self.code.wait(f"the end of {pids}", lambda: None if any(alive(pid) for pid in pids) else True)


def end_well(meeting: Meeting) -> None:
    (meeting.folder / "gate").write_text("go")


def kill_the_step(meeting: Meeting) -> None:
    os.kill(meeting.step, signal.SIGKILL)


def cancel(meeting: Meeting) -> None:
    meeting.code.instance.storage.runs.record(meeting.run_id, [RunCanceling()], now=time.time())
    assert meeting.code.client.cancel(meeting.run_id)


def cancel_by_force(meeting: Meeting) -> None:
    meeting.code.instance.storage.runs.record(meeting.run_id, [RunCanceling()], now=time.time())
    assert meeting.code.client.cancel(meeting.run_id, force=True)


@pytest.mark.parametrize("job", ["forked", "in_process"])
@pytest.mark.parametrize("end", [end_well, kill_the_step, cancel, cancel_by_force])
def test_nothing_outlives_its_run(job: str, end: Callable[[Meeting], None]) -> None:
    with served(CODE) as code:
        code.loaded()
        meeting = Meeting(code, job)
        end(meeting)
        meeting.until_gone(meeting.step, *meeting.left)


def test_what_a_killed_step_has_started_ends_while_its_run_goes_on() -> None:
    retried = CODE.replace("job, op", "RetryPolicy, job, op").replace(
        "@op\ndef leaves", "@op(retry_policy=RetryPolicy(max_retries=1))\ndef leaves"
    )
    with served(retried) as code:
        code.loaded()
        meeting = Meeting(code, "forked")
        (meeting.folder / "step").unlink()
        kill_the_step(meeting)
        meeting.until_gone(meeting.step, *meeting.left)
        assert meeting.pid("step") != meeting.step  # the next attempt waits at the gate
        end_well(meeting)
        assert code.finished(meeting.run_id).status is RunStatus.SUCCESS


def test_what_a_step_has_started_in_its_group_ends_with_it() -> None:
    with served(CODE) as code:
        code.loaded()
        meeting = Meeting(code, "goes_on", "waits")
        end_well(meeting)
        meeting.pid("second")
        meeting.until_gone(meeting.left[0])
        (meeting.folder / "second_gate").write_text("go")
        assert code.finished(meeting.run_id).status is RunStatus.SUCCESS
        meeting.until_gone(*meeting.left)


def test_a_server_that_is_stopped_and_one_that_is_killed_leave_no_process_behind() -> None:
    with served(CODE) as code:
        code.loaded()
        code.process.send_signal(signal.SIGTERM)
        assert code.process.wait(LIMIT) == 0
        code.wait("the end of all", lambda: None if code.processes() else True)
    with served(CODE) as code:
        code.loaded()
        code.process.kill()
        code.process.wait()
        code.wait("the end of all", lambda: None if code.processes() else True)
