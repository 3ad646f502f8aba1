"""A whole deployment on Postgres: work gets done, and a server that goes away and comes back fails no run."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from penstock.errors import StorageError
from penstock.records.event import LogLine
from penstock.records.run import RunStatus
from penstock.storage.postgres import PostgresStorage
from support.deployment import Deployment
from support.postgres import PostgresServer, scratch_database

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

_AWAY_SECONDS = 20.0
_PASSWORD = "pa ss:w/o@rd%"

PROJECT = """
from penstock import Config, Definitions, asset, job, op, in_process_executor

class Gate(Config):
    gate: str
    lines: int

@op
def begin():
    print("hello from begin")

@op
def talk(context, config: Gate, before):
    open(config.gate).read()
    for number in range(config.lines):
        context.log.info(f"line {number}")

@op
def finish(before):
    pass

@job
def forked():
    finish(talk(begin()))

@job(executor_def=in_process_executor)
def inside():
    finish(talk(begin()))

@asset
def orders():
    return [1, 2, 3]

defs = Definitions(jobs=[forked, inside], assets=[orders])
"""


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A server of the test's own, since it is stopped."""
    server = PostgresServer(password=_PASSWORD)
    yield server
    server.close()


@pytest.fixture
def dev(server: PostgresServer, start: Callable[..., Deployment], home: Path, tmp_path: Path) -> Iterator[Deployment]:
    with scratch_database(server.url()) as url:
        name = url.rpartition("dbname=")[2].split()[0]
        database = {
            "username": "penstock",
            "password": {"env": "DATABASE_PASSWORD"},
            "hostname": "127.0.0.1",
            "db_name": name,
            "port": server.port,
            "params": {"sslmode": "prefer"},
        }
        home.mkdir()
        (home / "penstock.yaml").write_text(yaml.safe_dump({"storage": {"postgres": {"postgres_db": database}}}))
        (tmp_path / "project.py").write_text(PROJECT)
        os.environ["DATABASE_PASSWORD"] = _PASSWORD
        try:
            deployment = start("-f", str(tmp_path / "project.py"))
            yield deployment
            deployment.close()
        finally:
            del os.environ["DATABASE_PASSWORD"]


def _launch(dev: Deployment, job: str, gate: Path, lines: int = 50) -> str:
    os.mkfifo(gate)
    config = {"ops": {"talk": {"config": {"gate": str(gate), "lines": lines}}}}
    run_id = dev.launch(job, location="project.py", runConfigData=config)
    events = dev.instance.storage.events
    dev.wait(lambda: events.of_run(run_id, types=["STEP_START"], step_keys=["talk"]))
    return run_id


def _lines(dev: Deployment, run_id: str) -> list[str]:
    facts = [each.event.fact for each in dev.instance.storage.events.of_run(run_id, types=["LOG"], step_keys=["talk"])]
    return [fact.message for fact in facts if isinstance(fact, LogLine)]


def _status(dev: Deployment, run_id: str) -> str:
    found: dict[str, Any] = dev.graphql(
        "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }", id=run_id
    )["runOrError"]
    return str(found["status"])


def test_jobs_and_assets_are_worked_on_and_no_password_is_shown(dev: Deployment, tmp_path: Path) -> None:
    assert isinstance(dev.instance.storage, PostgresStorage)
    runs = [_launch(dev, job, tmp_path / job) for job in ("forked", "inside")]
    for job, run_id in zip(("forked", "inside"), runs, strict=True):
        (tmp_path / job).write_text("go")
        assert dev.wait_until_finished(run_id).status is RunStatus.SUCCESS
        assert _lines(dev, run_id) == [f"line {number}" for number in range(50)]
    made = dev.launch("__ASSET_JOB", location="project.py")
    assert dev.wait_until_finished(made).status is RunStatus.SUCCESS
    assert dev.instance.storage.assets.states(["orders"])["orders"].materialized_run == made
    assert _PASSWORD not in str(dev.instance.storage.describe()) + "".join(dev.output)
    assert dev.stop() == 0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["fast", "immediate"])
def test_a_server_that_is_away_fails_no_run_and_loses_nothing(
    server: PostgresServer, dev: Deployment, tmp_path: Path, how: signal.Signals
) -> None:
    jobs = {job: _launch(dev, job, tmp_path / job) for job in ("forked", "inside")}
    server.stop(how)
    for job in jobs:
        (tmp_path / job).write_text("go")  # what the steps say meanwhile has to wait
    with pytest.raises(StorageError, match="See that the server runs"):
        dev.instance.storage.runs.get(jobs["forked"])
    server.stay_away(_AWAY_SECONDS)
    server.start()
    assert _status(dev, jobs["forked"]) in {"STARTED", "SUCCESS"}  # the first request after the outage
    for run_id in jobs.values():
        assert dev.wait_until_finished(run_id, seconds=30).status is RunStatus.SUCCESS
        assert _lines(dev, run_id) == [f"line {number}" for number in range(50)]
        numbers = [each.event.seq for each in dev.instance.storage.events.of_run(run_id) if each.event.seq is not None]
        assert numbers == list(range(1, len(numbers) + 1))
    run_id = _launch(dev, "forked", tmp_path / "again")
    (tmp_path / "again").write_text("go")
    assert dev.wait_until_finished(run_id).status is RunStatus.SUCCESS
    assert dev.stop() == 0
    assert "Traceback" not in "".join(dev.output)
