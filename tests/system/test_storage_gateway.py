"""Runs and evaluations without the database: user code reaches the storage through its code server, with a token."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.errors import FencedError
from penstock.records.automation import InstigatorKind, InstigatorStatus
from penstock.records.event import AssetMaterialization
from penstock.records.run import RunStatus, Tag
from penstock.records.wire import StorageAccess
from penstock.storage.protocols import RunFilter
from penstock.storage.remote.client import RemoteStorage
from penstock.storage.remote.token import Tokens
from support.deployment import RUN_SECONDS, Deployment

pytestmark = [pytest.mark.system, pytest.mark.timeout(150)]

SETTINGS = """
storage:
  sqlite: {base_dir: {env: SHOP_DATABASE_FOLDER}}
run_workers: {storage: gateway}
"""

PROJECT = '''
import json
import os
from pathlib import Path
from penstock import (
    AssetCheckResult, AssetMaterialization, Config, Definitions, DynamicPartitionsDefinition, Instance,
    LaunchingExecutor, ProcessStepLauncher, executor, multiple_process_executor_requirements,
    RetryPolicy, RunRequest, SensorResult, asset, asset_check, define_asset_job, in_process_executor, job, op, schedule,
    sensor,
)

FILES = DynamicPartitionsDefinition(name="files")
HERE = Path(__file__).parent

def findings(context):
    """What user code finds of the database, wherever it looks."""
    files = []
    for each in Path("/proc/self/fd").iterdir():
        try:
            files.append(os.readlink(each))
        except OSError:
            pass
    try:
        Instance.get()
        instance = "opened"
    except Exception as error:
        instance = f"{type(error).__name__}: {error}"
    storage = context.instance.storage
    return {
        "environment": dict(os.environ),
        "files": files,
        "settings": repr(context.instance.settings),
        "storage": [type(storage).__module__, *storage.describe().values()],
        "instance": instance,
    }

@op
def look(context):
    (HERE / "found.json").write_text(json.dumps(findings(context)))

@job
def looking():
    look()

@job(executor_def=in_process_executor)
def looking_in_process():
    look()

@executor(name="elsewhere", requirements=multiple_process_executor_requirements())
def elsewhere(context):
    return LaunchingExecutor(ProcessStepLauncher(), max_concurrent=2)

@job(executor_def=elsewhere)
def looking_elsewhere():
    look()

@op(retry_policy=RetryPolicy(max_retries=2))
def third_time_lucky(context):
    if context.retry_number < 2:
        raise ValueError(f"attempt {context.retry_number}")
    context.instance.add_run_tags(context.run_id, {"lucky": "yes"})
    return context.instance.get_run_by_id(context.run_id).job_name

@op
def reads(context, name: str):
    assert name == "retried", name
    instance = context.instance
    assert [run.run_id for run in instance.get_runs(limit=1)], "its own location's runs"
    event = instance.get_latest_materialization_event(FILES_KEY)
    instance.add_dynamic_partitions("files", ["three"])
    instance.delete_dynamic_partition("files", "two")
    instance.report_runless_asset_event(AssetMaterialization("reported", metadata={"by": "an op"}))
    refused = []
    for act in (lambda: instance.delete_run(context.run_id), lambda: instance.wipe_assets([FILES_KEY])):
        try:
            act()
        except Exception as error:
            refused.append(f"{type(error).__name__}: {error}")
    context.log.info(json.dumps({"keys": instance.get_dynamic_partitions("files"), "refused": refused,
                                 "partition": event.asset_materialization.partition}))

@job
def retried():
    reads(third_time_lucky())

@asset(partitions_def=FILES, code_version="1")
def by_file(context):
    return context.partition_key

FILES_KEY = by_file.key

@asset_check(asset=by_file)
def is_named(context):
    return AssetCheckResult(passed=context.instance.get_latest_materialization_event(FILES_KEY) is not None)

by_file_job = define_asset_job("by_file_job", selection=[by_file])

class Gate(Config):
    path: str

@op
def wait_at(context, config: Gate):
    """Until somebody writes into the named pipe, many lines later."""
    for number in range(300):
        context.log.info(f"line {number}")
    Path(config.path).open().read()
    for number in range(300, 600):
        context.log.info(f"line {number}")
    if context.run.tags.get("meet"):
        Path(config.path).open("w").close()

@op
def after(context):
    return [run.run_id for run in context.instance.get_runs()]

@job
def gated():
    wait_at()
    after()

@job(executor_def=in_process_executor)
def gated_in_process():
    wait_at()
    after()

@sensor(job=looking, minimum_interval_seconds=1)
def watcher(context):
    (HERE / "sensor.json").write_text(json.dumps(findings(context)))
    known = context.instance.get_dynamic_partitions("files")
    return SensorResult(
        run_requests=[RunRequest(run_key="once")],
        dynamic_partitions_requests=[] if "sensed" in known else [FILES.build_add_request(["sensed"])],
        cursor=str(len(context.instance.get_runs())),
    )

defs = Definitions(
    assets=[by_file],
    asset_checks=[is_named],
    jobs=[looking, looking_in_process, looking_elsewhere, retried, by_file_job, gated, gated_in_process],
    sensors=[watcher],
)
'''
LOCATION = "project.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the project; `secret-place` in it has the database, which only a variable names."""
    folder = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHOP_DATABASE_FOLDER", str(folder / "secret-place"))
        yield folder


@pytest.fixture(scope="module")
def dev(folder: Path) -> Iterator[Deployment]:
    """One deployment for all tests: it outlives what is done to it."""
    deployment = deploy(folder, PROJECT)
    yield deployment
    deployment.close()


def deploy(folder: Path, project: str) -> Deployment:
    (folder / "project.py").write_text(project)
    home = folder / "home"
    home.mkdir()
    (home / "penstock.yaml").write_text(SETTINGS)
    return Deployment(home, ["-f", str(folder / "project.py")], cwd=folder)


def assert_found_nothing(file: Path) -> None:
    """User code has looked everywhere, and has seen no database and no way to one."""
    found = json.loads(file.read_text())
    assert "secret-place" not in json.dumps(found)
    assert "penstock.db" not in json.dumps(found)
    assert not {"SHOP_DATABASE_FOLDER", "PENSTOCK_HOME", "PENSTOCK_CODE_SERVER_TOKEN"} & found["environment"].keys()
    assert found["storage"][:2] == ["penstock.storage.remote.client", "gateway"]
    assert "Set PENSTOCK_HOME" in found["instance"]
    assert "pst1." not in json.dumps(found)  # no token where it could be read by accident


@pytest.mark.parametrize("job", ["looking", "looking_in_process", "looking_elsewhere"])
def test_user_code_finds_no_database(dev: Deployment, folder: Path, job: str) -> None:
    run_id = dev.launch(job, location=LOCATION)
    assert dev.wait_until_finished(run_id).status is RunStatus.SUCCESS
    assert_found_nothing(folder / "found.json")
    assert (folder / "secret-place" / "penstock.db").exists()  # where everybody else found it


def test_runs_with_all_that_they_ask_of_the_instance(dev: Deployment) -> None:
    storage = dev.instance.storage
    storage.assets.add_dynamic_partitions("files", ["one", "two"])
    made = dev.launch(
        "by_file_job", location=LOCATION, executionMetadata={"tags": [{"key": Tag.PARTITION, "value": "one"}]}
    )
    assert dev.wait_until_finished(made).status is RunStatus.SUCCESS
    assert storage.assets.partition_states("by_file").keys() == {"one"}
    assert storage.assets.data_versions(["by_file"]).keys() == {"by_file"}
    assert [state.status for state in storage.assets.check_states(["by_file"]).values()] == ["SUCCEEDED"]

    run_id = dev.launch("retried", location=LOCATION)
    run = dev.wait_until_finished(run_id)
    log = [stored.event for stored in storage.events.of_run(run_id)]
    assert run.status is RunStatus.SUCCESS, [event.error.render() for event in log if event.error]
    assert run.tags["lucky"] == "yes"
    assert [event.type for event in log].count("STEP_UP_FOR_RETRY") == 2
    (told,) = [json.loads(event.message) for event in log if event.type == "LOG"]
    assert {"one", "two", "three"} & set(told["keys"]) == {"one", "three"}
    assert told["partition"] == "one"
    assert [each.split(":")[0] for each in told["refused"]] == ["UsageError", "UsageError"]
    assert "runs.delete is refused" in told["refused"][0]
    assert "assets.report is refused" in told["refused"][1]
    (reported,) = storage.assets.history("reported")
    assert isinstance(reported.fact, AssetMaterialization)


def test_a_sensor_is_evaluated_and_what_it_asks_for_is_run(dev: Deployment, folder: Path) -> None:
    instigators = dev.instance.storage.instigators
    kind, status = InstigatorKind.SENSOR, InstigatorStatus.RUNNING
    instigators.switch(f"{LOCATION}/sensor/watcher", LOCATION, kind, "watcher", status, now=time.time())
    runs = dev.wait(lambda: dev.instance.storage.runs.page(RunFilter(tags={Tag.SENSOR: "watcher"}), limit=5))
    assert dev.wait_until_finished(runs[0].run_id).status is RunStatus.SUCCESS
    assert_found_nothing(folder / "sensor.json")
    assert "sensed" in dev.instance.storage.assets.dynamic_partitions("files")
    instigators.switch(
        f"{LOCATION}/sensor/watcher", LOCATION, kind, "watcher", InstigatorStatus.STOPPED, now=time.time()
    )


def gate_of(tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    return gate, {"ops": {"wait_at": {"config": {"path": str(gate)}}}}


def lines_of(dev: Deployment, run_id: str) -> list[str]:
    found = dev.instance.storage.events.of_run(run_id, types=["LOG"], limit=10_000)
    return [stored.event.message for stored in found]


def begun(dev: Deployment, job: str, config: dict[str, Any], tags: dict[str, str] | None = None) -> str:
    """A run whose step has told its first lines and waits at the gate."""
    given = [{"key": key, "value": value} for key, value in (tags or {}).items()]
    run_id = dev.launch(job, location=LOCATION, runConfigData=config, executionMetadata={"tags": given})
    dev.wait(lambda: "line 299" in lines_of(dev, run_id))
    return run_id


def assert_succeeded(dev: Deployment, run_id: str, *, attempt: int = 1) -> None:
    run = dev.wait_until_finished(run_id)
    assert run.status is RunStatus.SUCCESS, run.note
    assert run.attempt == attempt


@pytest.mark.parametrize("job", ["gated", "gated_in_process"])
def test_a_run_goes_on_while_its_code_server_is_dead(dev: Deployment, tmp_path: Path, job: str) -> None:
    gate, config = gate_of(tmp_path)
    run_id = begun(dev, job, config)
    (server,) = dev.processes("code-server")
    os.kill(server, signal.SIGKILL)
    gate.write_text("go")  # while nobody listens
    assert_succeeded(dev, run_id)
    assert lines_of(dev, run_id) == [f"line {number}" for number in range(600)]


@pytest.mark.parametrize("job", ["gated", "gated_in_process"])
def test_a_worker_keeps_its_lease_through_the_next_code_server(dev: Deployment, tmp_path: Path, job: str) -> None:
    gate, config = gate_of(tmp_path)
    run_id = begun(dev, job, config)
    (server,) = dev.processes("code-server")
    os.kill(server, signal.SIGKILL)
    dev.wait_for_run(run_id, lambda run: run.owner is not None and run.owner.startswith("worker-"))
    gate.write_text("go")
    assert_succeeded(dev, run_id)
    assert lines_of(dev, run_id) == [f"line {number}" for number in range(600)]


def test_a_run_goes_on_while_the_database_is_away(dev: Deployment, folder: Path, tmp_path: Path) -> None:
    gate, config = gate_of(tmp_path)
    run_id = begun(dev, "gated", config, {"meet": "yes"})
    with contextlib.closing(sqlite3.connect(folder / "secret-place" / "penstock.db", timeout=20)) as connection:
        connection.execute("ALTER TABLE counters RENAME TO counters_away")
        gate.write_text("go")
        gate.read_text()  # by now the step has told everything
        connection.execute("ALTER TABLE counters_away RENAME TO counters")
    assert_succeeded(dev, run_id)
    assert lines_of(dev, run_id) == [f"line {number}" for number in range(600)]


def test_a_killed_worker_is_followed_by_one_with_a_token_of_its_own(dev: Deployment, tmp_path: Path) -> None:
    gate, config = gate_of(tmp_path)
    run_id = begun(dev, "gated", config)
    worker = dev.wait_for_event(run_id, "RUN_START").fact.pid
    os.kill(worker, signal.SIGKILL)
    dev.wait_for_run(run_id, lambda run: run.attempt == 2 and run.status is RunStatus.STARTED)
    dev.wait(lambda: lines_of(dev, run_id).count("line 299") == 2)
    gate.write_text("go")
    assert_succeeded(dev, run_id, attempt=2)


def test_where_a_fork_is_not_safe_a_fresh_process_is_given_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_DATABASE_FOLDER", str(tmp_path / "secret-place"))
    thread = "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()"
    dev = deploy(tmp_path, PROJECT + thread)
    try:
        run_id = dev.launch("looking_in_process", location=LOCATION)
        assert_succeeded(dev, run_id)
        notes = [stored.event.message for stored in dev.instance.storage.events.of_run(run_id, types=["ENGINE_EVENT"])]
        assert any("fresh process" in note for note in notes)
        assert_found_nothing(tmp_path / "found.json")
    finally:
        dev.close()


def test_the_web_server_answers_the_same_calls(dev: Deployment, tmp_path: Path) -> None:
    gate, config = gate_of(tmp_path)
    run_id = begun(dev, "gated", config)
    run = dev.instance.storage.runs.get(run_id)
    assert run is not None
    tokens = Tokens(dev.instance.storage.locations)
    token = tokens.sign(tokens.scope_of_run(run, now=time.time()))
    storage = RemoteStorage(StorageAccess(address=dev.url, token=token))
    subscription = storage.notifier.subscribe()
    assert storage.runs.get(run_id) is not None
    assert len(storage.events.of_run(run_id, types=["LOG"])) == 300
    gate.write_text("go")
    heard: set[str] = set()
    while f"run:{run_id}" not in heard:
        heard |= subscription.wait(RUN_SECONDS)
    subscription.close()
    assert_succeeded(dev, run_id)
    with pytest.raises(FencedError, match="is SUCCESS under attempt 1"):
        storage.runs.get(run_id)
    forged = RemoteStorage(StorageAccess(address=dev.url, token=token[:-1] + ("A" if token[-1] != "A" else "B")))
    with pytest.raises(FencedError, match=r"not signed for this instance|not one that Penstock gives"):
        forged.events.last_id()
    storage.close()
    forged.close()
