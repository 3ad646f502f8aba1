"""The tour with its runs in Redis: work gets done, and whoever is killed, nothing that was told is lost."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from custom_run_storage.redis_runs import RedisRunStorage
from penstock.records.event import RunStart
from penstock.records.run import Run, RunStatus, StepStatus
from penstock.storage.protocols import RunFilter
from penstock.storage.sqlite import SqliteStorage
from support.deployment import Deployment
from support.redis_server import RedisServer

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

EXAMPLES = Path(__file__).parents[2] / "examples"
LOCATION = "definitions.py"
_RUNS = 6


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """A server of the test's own, since it is killed."""
    server = RedisServer()
    yield server
    server.close()


@pytest.fixture
def dev(
    server: RedisServer, home: Path, start: Callable[..., Deployment], monkeypatch: pytest.MonkeyPatch
) -> Deployment:
    home.mkdir()
    component = {
        "module": "custom_run_storage.redis_runs",
        "class": "RedisRunStorage",
        "config": {"url": {"env": "RUNS_URL"}},
    }
    (home / "penstock.yaml").write_text(yaml.safe_dump({"run_storage": component}))
    monkeypatch.setenv("RUNS_URL", server.url)
    return start("-f", str(EXAMPLES / "tour" / "definitions.py"), extra_env={"PYTHONPATH": str(EXAMPLES)})


def checkout(dev: Deployment, orders: int = 6) -> str:
    config = {"ops": {"find_orders": {"config": {"orders": orders}}}}
    return dev.launch("checkout", location=LOCATION, runConfigData=config)


def both(dev: Deployment, server: RedisServer) -> tuple[list[Run], list[Run]]:
    """All runs as Redis has them, and as the log has them."""
    catalog, log = RedisRunStorage(server.url), SqliteStorage(dev.home / "penstock.db")
    try:
        return catalog.page(RunFilter(), limit=100), log.runs.page(RunFilter(), limit=100)
    finally:
        catalog.close()
        log.close()


def successes(dev: Deployment, run_id: str) -> Counter[str | None]:
    log = dev.instance.storage.events.of_run(run_id, types=["STEP_SUCCESS"])
    return Counter(each.event.step_key for each in log)


def test_a_run_is_found_in_redis_and_its_log_in_sqlite(dev: Deployment, server: RedisServer) -> None:
    done = dev.wait_until_finished(checkout(dev))
    failed = dev.wait_until_finished(dev.launch("fails_on_purpose", location=LOCATION))
    assert (done.status, failed.status) == (RunStatus.SUCCESS, RunStatus.FAILURE)
    in_redis, in_log = both(dev, server)
    assert in_redis == in_log == [failed, done]
    shown = dev.graphql("{ runsOrError(limit: 10) { ... on Runs { results { runId status jobName } } } }")
    assert [each["status"] for each in shown["runsOrError"]["results"]] == ["FAILURE", "SUCCESS"]
    assert set(successes(dev, done.run_id).values()) == {1}


def test_a_run_whose_worker_is_killed_is_resumed(dev: Deployment, server: RedisServer) -> None:
    run_id = checkout(dev, orders=12)
    start = dev.wait_for_event(run_id, "RUN_START").fact
    assert isinstance(start, RunStart)
    dev.wait(lambda: len(successes(dev, run_id)) >= 3)
    assert start.pid is not None
    os.kill(start.pid, signal.SIGKILL)
    run = dev.wait_until_finished(run_id)
    assert (run.status, run.attempt) == (RunStatus.SUCCESS, 2)
    counted = successes(dev, run_id)
    assert set(counted.values()) == {1}
    assert sum((key or "").startswith("charge[") for key in counted) == 12
    in_redis, in_log = both(dev, server)
    assert in_redis == in_log == [run]


def test_a_redis_that_is_killed_loses_nothing_that_was_told(dev: Deployment, server: RedisServer) -> None:
    told = [checkout(dev) for _ in range(_RUNS)]
    dev.wait_for_event(told[0], "RUN_START")
    server.kill()
    server.start()
    runs = [dev.wait_until_finished(run_id, seconds=100) for run_id in told]
    assert [run.status for run in runs] == [RunStatus.SUCCESS] * _RUNS
    for run in runs:
        steps = dev.instance.storage.events.step_stats(run.run_id)
        assert {step.status for step in steps} <= {StepStatus.SUCCESS, StepStatus.SKIPPED}
        assert set(successes(dev, run.run_id).values()) == {1}
    in_redis, in_log = both(dev, server)
    assert [run.run_id for run in in_redis] == sorted(told, reverse=True)
    assert in_redis == in_log


def test_steps_go_on_while_redis_is_away_and_the_run_ends_when_it_is_back(dev: Deployment, server: RedisServer) -> None:
    run_id = checkout(dev)
    dev.wait_for_event(run_id, "STEP_SUCCESS")
    server.kill()
    dev.wait(lambda: successes(dev, run_id)["write_receipt"] == 1)
    assert not dev.instance.storage.events.of_run(run_id, types=["RUN_SUCCESS"])
    server.start()
    run = dev.wait_until_finished(run_id)
    assert (run.status, run.attempt) == (RunStatus.SUCCESS, 1)
    in_redis, in_log = both(dev, server)
    assert in_redis == in_log == [run]
