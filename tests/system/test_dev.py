"""`penstock dev` with real processes: work gets done, deaths are seen and mended, and nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penstock.records.event import RunFailure, RunResumed, RunStart
from penstock.records.run import RunStatus
from penstock.records.wire import LoadStatus
from support.deployment import Deployment, processes_of

pytestmark = [pytest.mark.system, pytest.mark.timeout(150)]

PROJECT = """
import time
from penstock import Config, Definitions, In, Nothing, job, op

class Gate(Config):
    gate: str

@op
def quick():
    print("hello from quick")

@op
def slow():
    print("slow has begun", flush=True)
    time.sleep(120)

@op
def gated(config: Gate, before):
    open(config.gate).read()

class Marker(Config):
    file: str

@op
def second_run_lucky(config: Marker, number: int):
    from pathlib import Path
    if not Path(config.file).exists():
        Path(config.file).touch()
        raise ValueError("not in this run")
    Path(config.file).write_text(str(number))

@op
def counted(config: Marker) -> int:
    with open(config.file, "a") as lines:
        lines.write("x")
    return 7

@job
def lucky_job():
    second_run_lucky(counted())

@job
def gated_job():
    gated(quick())

@op(pool="gates")
def pooled(config: Gate):
    open(config.gate).read()

@job
def pooled_job():
    pooled()

@job
def quick_job():
    quick()

@job
def slow_job():
    slow()

defs = Definitions(jobs=[quick_job, slow_job, gated_job, pooled_job, lucky_job])
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    path = tmp_path / "project.py"
    path.write_text(PROJECT)
    return path


@pytest.fixture
def dev(start: Callable[..., Deployment], project: Path) -> Deployment:
    return start("-f", str(project))


def first_event(deployment: Deployment, run_id: str, kind: type) -> Any:
    return deployment.wait_for_event(run_id, kind.__struct_config__.tag).fact  # type: ignore[attr-defined]


def reached(deployment: Deployment, run_id: str, step: str) -> None:
    """Wait until a step has begun."""
    events = deployment.instance.storage.events
    deployment.wait(lambda: events.of_run(run_id, types=["STEP_START"], step_keys=[step]))


def test_a_run_is_launched_over_graphql_and_followed_live_to_its_success(dev: Deployment) -> None:
    request = urllib.request.Request(
        f"{dev.url}/live",
        data=json.dumps({"topics": ["runs"]}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert b"hello" in stream.readline()
        run_id = dev.launch("quick_job", location="project.py")
        status = None
        while status != "SUCCESS":
            while not (line := stream.readline()).startswith(b"event: change"):
                assert line, "the live stream ended"
            status = dev.graphql("query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }", id=run_id)[
                "runOrError"
            ]["status"]
    logs = dev.graphql(
        "query($key: [String!]!) { capturedLogs(logKey: $key) { stdout } }", key=[run_id, "compute_logs", "quick"]
    )
    assert logs["capturedLogs"]["stdout"] == "hello from quick\n"


def test_a_run_outlives_a_killed_worker_and_repeats_no_step_that_was_done(dev: Deployment, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    config = {"ops": {"gated": {"config": {"gate": str(gate)}}}}
    run_id = dev.launch("gated_job", location="project.py", runConfigData=config)
    started: RunStart = first_event(dev, run_id, RunStart)
    reached(dev, run_id, "gated")
    assert started.pid is not None
    os.kill(started.pid, signal.SIGKILL)
    resumed: RunResumed = first_event(dev, run_id, RunResumed)
    assert resumed.done == 1
    gate.write_text("go")
    run = dev.wait_until_finished(run_id)
    assert (run.status, run.attempt) == (RunStatus.SUCCESS, 2)
    types = [(each.event.type, each.event.step_key) for each in dev.instance.storage.events.of_run(run_id)]
    assert types.count(("STEP_SUCCESS", "quick")) == 1
    assert types.count(("STEP_SUCCESS", "gated")) == 1


def test_a_failed_run_is_run_again_by_itself_from_where_it_failed(
    start: Callable[..., Deployment], project: Path, home: Path, tmp_path: Path
) -> None:
    home.mkdir()
    (home / "penstock.yaml").write_text("run_retries: {enabled: true, max_retries: 1}")
    dev = start("-f", str(project))
    marker, count = tmp_path / "marker", tmp_path / "count"
    config = {
        "ops": {
            "counted": {"config": {"file": str(count)}},
            "second_run_lucky": {"config": {"file": str(marker)}},
        }
    }
    run_id = dev.launch("lucky_job", location="project.py", runConfigData=config)
    assert dev.wait_until_finished(run_id).status is RunStatus.FAILURE
    failed = dev.wait_for_run(run_id, lambda run: "penstock/auto_retry_run_id" in run.tags)
    retry = dev.wait_until_finished(failed.tags["penstock/auto_retry_run_id"])
    assert (retry.status, retry.parent_run_id, retry.step_keys) == (RunStatus.SUCCESS, run_id, ("second_run_lucky",))
    assert marker.read_text() == "7"
    assert count.read_text() == "x"


def test_a_run_outlives_its_worker_and_its_code_server(dev: Deployment, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    config = {"ops": {"gated": {"config": {"gate": str(gate)}}}}
    run_id = dev.launch("gated_job", location="project.py", runConfigData=config)
    started: RunStart = first_event(dev, run_id, RunStart)
    reached(dev, run_id, "gated")
    (server,) = dev.processes("code-server")
    assert started.pid is not None
    os.kill(server, signal.SIGKILL)
    os.kill(started.pid, signal.SIGKILL)
    resumed: RunResumed = first_event(dev, run_id, RunResumed)  # when its lease is over
    assert resumed.done == 1
    gate.write_text("go")
    assert dev.wait_until_finished(run_id).status is RunStatus.SUCCESS


def test_a_killed_worker_ends_a_run_that_must_not_go_on_as_failed_with_the_cause(dev: Deployment) -> None:
    tags = [{"key": "penstock/max_resume_run_attempts", "value": "0"}]
    run_id = dev.launch("slow_job", location="project.py", executionMetadata={"tags": tags})
    started: RunStart = first_event(dev, run_id, RunStart)
    dev.wait_for_event(run_id, "STEP_START")
    assert started.pid is not None
    os.kill(started.pid, signal.SIGKILL)
    run = dev.wait_until_finished(run_id, seconds=10)
    assert run.status is RunStatus.FAILURE
    failure: RunFailure = first_event(dev, run_id, RunFailure)
    assert "SIGKILL" in failure.message


def test_a_run_waits_in_the_queue_for_a_pool_until_the_holder_is_killed(dev: Deployment, tmp_path: Path) -> None:
    slots = dev.instance.storage.slots
    slots.set_limit("gates", 1)
    gates = [tmp_path / "first", tmp_path / "second"]
    for gate in gates:
        os.mkfifo(gate)

    def launch(gate: Path) -> str:
        config = {"ops": {"pooled": {"config": {"gate": str(gate)}}}}
        tags = [{"key": "penstock/max_resume_run_attempts", "value": "0"}]
        return dev.launch("pooled_job", location="project.py", runConfigData=config, executionMetadata={"tags": tags})

    first = launch(gates[0])
    started: RunStart = first_event(dev, first, RunStart)
    dev.wait_for_event(first, "STEP_START")
    second = launch(gates[1])
    rule = f"Waits for the pool gates: 1 of 1 slot taken by run {first[-8:]} step pooled. Place 1 in the queue."

    def note() -> str | None:
        run = dev.instance.storage.runs.get(second)
        assert run is not None
        return run.note

    dev.wait(lambda: note() == rule, seconds=10)
    assert started.pid is not None
    os.kill(started.pid, signal.SIGKILL)
    assert dev.wait_until_finished(first, seconds=10).status is RunStatus.FAILURE
    gates[1].write_text("go")
    assert dev.wait_until_finished(second, seconds=20).status is RunStatus.SUCCESS
    assert [(each.pool, each.held, each.waiting) for each in slots.pools(now=dev.instance.clock.now())] == [
        ("gates", (), ())
    ]
    slots.delete_limit("gates")


def test_a_canceled_run_ends_and_leaves_no_process(dev: Deployment) -> None:
    run_id = dev.launch("slow_job", location="project.py")
    started: RunStart = first_event(dev, run_id, RunStart)
    dev.wait_for_event(run_id, "STEP_START")
    dev.graphql("mutation($id: String!) { terminateRun(runId: $id) { __typename } }", id=run_id)
    run = dev.wait_until_finished(run_id, seconds=20)
    assert run.status is RunStatus.CANCELED
    assert started.pid is not None
    dev.wait(lambda: not Path(f"/proc/{started.pid}").exists(), seconds=10)


def test_a_killed_daemon_comes_back_and_goes_on_with_the_queue(dev: Deployment) -> None:
    (daemon,) = dev.wait(lambda: dev.processes("daemon"))
    os.kill(daemon, signal.SIGKILL)
    run_id = dev.launch("quick_job", location="project.py")
    assert dev.wait_until_finished(run_id).status is RunStatus.SUCCESS
    assert dev.wait(lambda: [pid for pid in dev.processes("daemon") if pid != daemon])


def test_a_killed_code_server_comes_back_and_its_run_goes_on_or_ends(dev: Deployment) -> None:
    (server,) = dev.wait(lambda: dev.processes("code-server"))
    os.kill(server, signal.SIGKILL)
    dev.wait(lambda: [pid for pid in dev.processes("code-server") if pid != server])
    run_id = dev.launch("quick_job", location="project.py")
    assert dev.wait_until_finished(run_id).status is RunStatus.SUCCESS


def test_a_killed_web_server_comes_back(dev: Deployment) -> None:
    (server,) = dev.wait(lambda: dev.processes("webserver"))
    os.kill(server, signal.SIGKILL)
    dev.wait(lambda: [pid for pid in dev.processes("webserver") if pid != server])

    def answers() -> bool:
        try:
            return bool(dev.graphql("{ version }")["version"])
        except OSError:
            return False

    assert dev.wait(answers)


def test_services_are_forks_that_say_what_they_are_and_programs_when_they_come_back(dev: Deployment) -> None:
    (daemon,) = dev.wait(lambda: dev.processes("daemon"))
    assert Path(f"/proc/{daemon}/cmdline").read_bytes().startswith(b"penstock\0daemon\0")
    assert int(Path(f"/proc/{daemon}/stat").read_text().rpartition(")")[2].split()[1]) == dev.process.pid
    os.kill(daemon, signal.SIGKILL)
    (again,) = dev.wait(lambda: [pid for pid in dev.processes("daemon") if pid != daemon])
    assert b"penstock.cli.main\0daemon\0" in Path(f"/proc/{again}/cmdline").read_bytes()


def test_every_process_ends_when_dev_is_killed(dev: Deployment, home: Path) -> None:
    assert dev.wait(lambda: dev.processes("daemon") and dev.processes("webserver") and dev.processes("code-server"))
    dev.stop(signal.SIGKILL)
    dev.wait(lambda: not [pid for pid in processes_of(home) if pid != os.getpid()])


def test_ctrl_c_ends_every_process(start: Callable[..., Deployment], project: Path, home: Path) -> None:
    dev = start("-f", str(project))
    run_id = dev.launch("slow_job", location="project.py")
    dev.wait_for_event(run_id, "STEP_START")
    assert len(processes_of(home)) >= 5  # dev, web server, daemon, code server, zygote, worker, step
    code = dev.stop()
    assert code == 0, dev.output
    left = {pid: command for pid, command in processes_of(home).items() if pid != os.getpid()}
    assert left == {}
    run = dev.instance.storage.runs.get(run_id)
    assert run is not None
    assert run.is_finished


def test_a_broken_edit_keeps_the_last_good_definitions_and_shows_the_user_s_line(
    dev: Deployment, project: Path
) -> None:
    def stored() -> Any:
        return dev.instance.storage.locations.get("project.py")

    good = dev.wait(lambda: (found := stored()) and found.status is LoadStatus.LOADED and found)
    project.write_text(PROJECT + "\nundefined_name\n")
    broken = dev.wait(lambda: (found := stored()) and found.status is LoadStatus.FAILED and found)
    assert broken.digest == good.digest
    assert broken.error.cls == "NameError"
    assert [frame.code for frame in broken.error.frames if frame.user][-1] == "undefined_name"
    run_id = dev.launch("quick_job", location="project.py")
    assert dev.wait_until_finished(run_id).status is RunStatus.SUCCESS
    project.write_text(PROJECT.replace("quick_job", "renamed_job"))
    dev.wait(lambda: (found := stored()) and found.status is LoadStatus.LOADED and found.digest != good.digest)
    run_id = dev.launch("renamed_job", location="project.py")
    assert dev.wait_until_finished(run_id).status is RunStatus.SUCCESS


def test_a_second_dev_on_one_home_is_refused(dev: Deployment, project: Path) -> None:
    second = run_dev(dev.home, project)
    assert second.returncode == 1
    assert str(dev.home) in second.stderr
    assert "another `penstock dev`" in second.stderr.lower()


def run_dev(home: Path, project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `penstock dev` where it is expected to refuse at once."""
    return subprocess.run(
        [sys.executable, "-m", "penstock.cli.main", "dev", "-f", str(project), *arguments],
        env={**os.environ, "PENSTOCK_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
