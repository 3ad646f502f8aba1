"""What real steps print, in whatever way, is there whoever is killed; floods are shortened; pages are told at once."""

from __future__ import annotations

import os
import signal
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.codec import encode_json
from penstock.logs.gaps import MOST_BYTES
from penstock.logs.store import LogKey, log_key
from penstock.records.event import LogLine, LogsCaptured
from penstock.records.run import RunStatus
from support.deployment import Deployment
from support.run_worker import Worker

PAGE = """
from penstock import Definitions, job, op


@op
def prints(context):
    import os

    print("before", flush=True)
    with open(os.environ["GATE"]):  # until the test opens it
        print("after", flush=True)


@job
def printing():
    prints()


defs = Definitions(jobs=[printing])
"""
PRINTED = b"by print\nby the system call\nby another program\nby a library\nafter it was told\n"
COMPLAINED = b"to stderr, no end of line"


@pytest.fixture
def talker(worker: Worker) -> Worker:
    worker.program = Path(__file__).with_name("logs_user_code.py")
    return worker


def key_of(worker: Worker, step: str = "talker") -> LogKey:
    return log_key(worker.run_id, step)


@pytest.mark.parametrize("job", ["talking", "talking_here"])
def test_everything_printed_is_there_when_the_worker_is_killed(talker: Worker, job: str) -> None:
    talker.start(job)
    talker.awaits("held")
    os.kill(talker.pid, signal.SIGKILL)
    talker.end()
    key = key_of(talker)
    assert talker.logs.read(key, "stdout")[0] == PRINTED
    assert talker.logs.read(key, "stderr")[0] == COMPLAINED
    assert not talker.logs.marks(key).complete
    talker.logs.settle(talker.run_id)  # as the code server does that watched the worker
    assert talker.logs.marks(key).complete


def test_everything_printed_is_there_when_the_step_is_killed(talker: Worker) -> None:
    talker.start("talking")
    talker.awaits("held")
    os.kill(talker.pid_of("talker"), signal.SIGKILL)
    assert talker.end() == 0
    assert talker.status() is RunStatus.FAILURE
    key = key_of(talker)
    assert talker.logs.read(key, "stdout")[0] == PRINTED
    assert talker.logs.marks(key).complete


@pytest.mark.parametrize("job", ["talking", "talking_here"])
def test_output_is_pushed_and_marked_while_the_step_runs(talker: Worker, job: str) -> None:
    talker.start(job)
    talker.awaits("held")
    key, heard = key_of(talker), set[str]()
    subscription = talker.storage.notifier.subscribe()

    def marked() -> bool:
        heard.update(subscription.wait(0))
        points = talker.logs.marks(key).points
        return bool(points) and points[-1].stdout == len(PRINTED)

    talker.wait_until(marked, "all that was printed so far is marked from outside")
    talker.releases("held")
    assert talker.end() == 0
    heard |= subscription.wait(20)
    subscription.close()
    assert f"logs:{talker.run_id}" in heard
    marks = talker.logs.marks(key)
    assert marks.complete
    (told,) = [e.time for e in talker.events() if isinstance(e.fact, LogLine) and e.fact.message == "told"]
    before = [point for point in marks.points if point.time <= told]
    assert before[-1].stdout == len(PRINTED) - len(b"after it was told\n")
    assert all(point.time > told for point in marks.points if point.stdout >= len(PRINTED))


def test_a_flood_keeps_its_head_and_tail(talker: Worker) -> None:
    talker.start("flooding")
    assert talker.end() == 0
    assert talker.status() is RunStatus.SUCCESS
    key = key_of(talker, "flood")
    file = talker.logs.path(key, "stdout")
    size = talker.logs.size(key, "stdout")
    assert size == 200_000_000 + len("the first line\nthe last line\n")
    assert file.stat().st_blocks * 512 <= MOST_BYTES * 5 // 4 + (1 << 20)
    assert talker.logs.read(key, "stdout", limit=40)[0].startswith(b"the first line\n0123456789abcde\n")
    assert talker.logs.read(key, "stdout", offset=size - 14)[0] == b"the last line\n"
    words, after = talker.logs.read(key, "stdout", offset=MOST_BYTES // 2)
    assert b"bytes left out" in words
    assert talker.logs.read(key, "stdout", offset=after, limit=1000)[0].count(b"0123456789abcde") >= 60
    assert talker.logs.marks(key).complete


def test_a_full_disk_is_the_step_s_to_handle_and_the_run_goes_on(talker: Worker) -> None:
    talker.start("full", FULL_DISK="1")
    assert talker.end() == 0
    assert talker.status() is RunStatus.SUCCESS
    said = [e.fact.message for e in talker.events() if isinstance(e.fact, LogLine)]
    assert any("No space left on device" in each for each in said)
    assert any(isinstance(e.fact, LogsCaptured) for e in talker.events())


def test_an_open_page_is_told_at_once(start: Callable[..., Deployment], tmp_path: Path) -> None:
    """Through the web server's own stream, and what the page then asks for."""
    (tmp_path / "printing.py").write_text(PAGE)
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    deployment = start("-f", "printing.py", extra_env={"GATE": str(gate)})
    run_id = deployment.launch("printing", location="printing.py")
    deployment.wait_for_event(run_id, "LOGS_CAPTURED")
    asked = urllib.request.Request(
        f"{deployment.url}/live",
        data=encode_json({"topics": [f"logs:{run_id}"]}),
        headers={"Content-Type": "application/json"},
    )
    query = "query($run: ID!) { mergedLogs(runId: $run) { ... on MergedLogs { entries { stream text } } } }"

    def output() -> list[str]:
        entries = deployment.graphql(query, run=run_id)["mergedLogs"]["entries"]
        return [each["text"] for each in entries if each["stream"] == "stdout"]

    with urllib.request.urlopen(asked, timeout=30) as stream:
        assert b"hello" in stream.readline()
        deployment.wait(lambda: output() == ["before"])
        gate.open("w").close()
        while output() != ["before", "after"]:
            while not (line := stream.readline()).startswith(b"event: change"):
                assert line, "the live stream ended"
    assert deployment.wait_until_finished(run_id).status is RunStatus.SUCCESS
