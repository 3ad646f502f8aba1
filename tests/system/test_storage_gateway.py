"""Runs and evaluations without the database: user code reaches the storage through its code server, with a token."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penstock.records.automation import InstigatorKind, InstigatorStatus
from penstock.records.event import AssetMaterialization
from penstock.records.run import RunStatus, Tag
from penstock.storage.protocols import RunFilter
from support.deployment import Deployment

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
    jobs=[looking, looking_in_process, retried, by_file_job, gated, gated_in_process],
    sensors=[watcher],
)
'''
LOCATION = "project.py"


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the database, which only a variable names."""
    folder = tmp_path / "secret-place"
    monkeypatch.setenv("SHOP_DATABASE_FOLDER", str(folder))
    return folder


@pytest.fixture
def dev(start: Callable[..., Deployment], home: Path, tmp_path: Path, database: Path) -> Deployment:
    (tmp_path / "project.py").write_text(PROJECT)
    home.mkdir()
    (home / "penstock.yaml").write_text(SETTINGS)
    return start("-f", str(tmp_path / "project.py"))


def assert_found_nothing(found: dict[str, Any], database: Path) -> None:
    """User code has looked everywhere, and has seen no database and no way to one."""
    assert database.name not in json.dumps(found)
    assert "penstock.db" not in json.dumps(found)
    assert not {"SHOP_DATABASE_FOLDER", "PENSTOCK_HOME", "PENSTOCK_CODE_SERVER_TOKEN"} & found["environment"].keys()
    assert found["storage"][:2] == ["penstock.storage.remote.client", "gateway"]
    assert "Set PENSTOCK_HOME" in found["instance"]
    assert "pst1." not in json.dumps(found)  # no token where it could be read by accident


@pytest.mark.parametrize("job", ["looking", "looking_in_process"])
def test_user_code_finds_no_database(dev: Deployment, tmp_path: Path, database: Path, job: str) -> None:
    run_id = dev.launch(job, location=LOCATION)
    assert dev.wait_until_finished(run_id).status is RunStatus.SUCCESS
    assert_found_nothing(json.loads((tmp_path / "found.json").read_text()), database)
    assert (database / "penstock.db").exists()  # where everybody else found it


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
    assert told["keys"] == ["one", "three"]
    assert told["partition"] == "one"
    assert [each.split(":")[0] for each in told["refused"]] == ["UsageError", "UsageError"]
    assert "runs.delete is refused" in told["refused"][0]
    assert "assets.report is refused" in told["refused"][1]
    (reported,) = storage.assets.history("reported")
    assert isinstance(reported.fact, AssetMaterialization)


def test_a_sensor_is_evaluated_and_what_it_asks_for_is_run(dev: Deployment, tmp_path: Path, database: Path) -> None:
    instigators = dev.instance.storage.instigators
    kind, status = InstigatorKind.SENSOR, InstigatorStatus.RUNNING
    instigators.switch(f"{LOCATION}/sensor/watcher", LOCATION, kind, "watcher", status, now=time.time())
    runs = dev.wait(lambda: dev.instance.storage.runs.page(RunFilter(tags={Tag.SENSOR: "watcher"}), limit=5))
    assert dev.wait_until_finished(runs[0].run_id).status is RunStatus.SUCCESS
    assert_found_nothing(json.loads((tmp_path / "sensor.json").read_text()), database)
    assert dev.instance.storage.assets.dynamic_partitions("files") == ["sensed"]


def gate_of(tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    return gate, {"ops": {"wait_at": {"config": {"path": str(gate)}}}}


def lines_of(dev: Deployment, run_id: str) -> list[str]:
    found = dev.instance.storage.events.of_run(run_id, types=["LOG"], limit=10_000)
    return [stored.event.message for stored in found]


@pytest.mark.parametrize("job", ["gated", "gated_in_process"])
def test_a_run_goes_on_when_its_code_server_is_killed(dev: Deployment, tmp_path: Path, job: str) -> None:
    gate, config = gate_of(tmp_path)
    run_id = dev.launch(job, location=LOCATION, runConfigData=config)
    dev.wait(lambda: "line 299" in lines_of(dev, run_id))
    (server,) = dev.processes("code-server")
    os.kill(server, signal.SIGKILL)
    gate.write_text("go")  # while nobody listens
    run = dev.wait_until_finished(run_id)
    assert run.status is RunStatus.SUCCESS, run.note
    assert lines_of(dev, run_id) == [f"line {number}" for number in range(600)]
    assert run.attempt == 1
