"""Requests of other systems to a webhook sensor of a real deployment: each taken once, in order, whatever is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penstock.auth.webhook_tokens import inbox_of
from penstock.records.automation import TickStatus
from penstock.records.run import Run, Tag
from penstock.storage.protocols import RunFilter
from support.deployment import Deployment

pytestmark = [pytest.mark.system, pytest.mark.timeout(150)]

PROJECT = """
from penstock import DefaultSensorStatus, Definitions, RunRequest, job, op, webhook_sensor

@op
def work():
    pass

@job
def nightly():
    work()

@webhook_sensor(job=nightly, headers=["X-Kind"], default_status=DefaultSensorStatus.RUNNING)
def orders(context):
    for request in context.webhook_requests:
        yield RunRequest(tags={"order": str(request.json()["number"]), "kind": request.headers.get("X-Kind", "")})

defs = Definitions(jobs=[nightly], sensors=[orders])
"""
SENSOR = "project.py/sensor/orders"


@pytest.fixture
def dev(start: Callable[..., Deployment], tmp_path: Path) -> Deployment:
    (tmp_path / "project.py").write_text(PROJECT)
    return start("-f", str(tmp_path / "project.py"))


def penstock(dev: Deployment, *arguments: str) -> str:
    command = [sys.executable, "-m", "penstock.cli.main", *arguments]
    environment = {**os.environ, "PENSTOCK_HOME": str(dev.home)}
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()


def send(dev: Deployment, token: str, body: bytes, *, path: str = "/hooks/project.py/orders", **headers: str) -> Any:
    """The status and the JSON of the answer."""
    request = urllib.request.Request(
        f"{dev.url}{path}",
        data=body,
        headers={
            "Authorization": f"Bearer {token}",
            **{name.replace("_", "-"): text for name, text in headers.items()},
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def order(number: int) -> bytes:
    return json.dumps({"number": number}).encode()


def runs_of(dev: Deployment) -> list[Run]:
    return dev.instance.storage.runs.page(RunFilter(tags={Tag.SENSOR: "orders"}), limit=1000)


def test_each_request_is_taken_once_and_in_order_also_when_the_daemon_is_killed(dev: Deployment) -> None:
    instigators = dev.instance.storage.instigators
    dev.wait(lambda: instigators.ticks(SENSOR, statuses=[TickStatus.SKIPPED]))
    token = penstock(dev, "sensor", "token", "create", "orders")
    status, first = send(dev, token, order(0), Idempotency_Key="order-0", X_Kind="new", Content_Type="text/plain")
    assert (status, first["repeated"]) == (202, False)
    assert send(dev, token, order(0), Idempotency_Key="order-0") == (202, {"id": first["id"], "repeated": True})
    assert send(dev, token, order(7), Idempotency_Key="order-0")[0] == 422
    for number in range(1, 20):
        assert send(dev, token, order(number), Idempotency_Key=f"order-{number}")[0] == 202
        if number in (5, 12):
            for daemon in dev.processes("daemon"):
                os.kill(daemon, signal.SIGKILL)
    found: list[Run] = dev.wait(lambda: len(runs := runs_of(dev)) >= 20 and runs, seconds=60)
    dev.wait(lambda: inbox_of(dev.instance.storage).pending(SENSOR) == 0)
    assert [int(run.tags["order"]) for run in reversed(runs_of(dev))] == list(range(20))
    assert found[-1].tags["kind"] == "new"


def test_only_those_with_a_token_of_the_sensor_are_let_in(dev: Deployment) -> None:
    token = penstock(dev, "sensor", "token", "create", "orders")
    assert send(dev, token, order(1))[0] == 202
    assert send(dev, "pswh_wrong", order(1))[0] == 401
    assert send(dev, token, order(1), path="/hooks/project.py/others")[0] == 401
    assert send(dev, token, b"", Content_Length=str((1 << 20) + 1))[0] == 413  # before any of it is sent
    assert send(dev, token, order(1), Idempotency_Key="x" * 201)[0] == 400
    ask = """{ sensorOrError(sensorSelector: {repositoryName: "__repository__", repositoryLocationName: "project.py",
        sensorName: "orders"}) { ... on Sensor { onEvents webhook { path headers tokens { id hint }
        requests { status size idempotencyKey } } } } }"""
    told = dev.graphql(ask)["sensorOrError"]
    assert told["webhook"]["path"] == "/hooks/project.py/orders"
    assert told["webhook"]["tokens"] == [{"id": 1, "hint": token[-4:]}]
    assert len(told["webhook"]["requests"]) == 1
    penstock(dev, "sensor", "token", "revoke", "orders", "1")
    assert send(dev, token, order(1))[0] == 401
