"""Probes, and the deployment as the API tells it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from penstock.errors import StorageError
from penstock.records.lease import ProcessInfo
from penstock.version import __version__
from penstock.web.app import WebApp
from penstock.web.health import Health


def test_probes(client: TestClient) -> None:
    assert client.get("/healthz").text == "ok\n"
    assert client.get("/readyz").text == "ok\n"
    info = client.get("/server_info").json()
    assert info == {"name": "penstock-webserver", "version": __version__, "mode": "dev"}


def test_not_ready_while_the_storage_is_away() -> None:
    def away() -> Any:
        raise StorageError("The database is away; try again.")

    storage: Any = SimpleNamespace(locations=SimpleNamespace(digests=away))
    health = Health(storage, mode="dev")
    with TestClient(Starlette(routes=[Route("/healthz", health.up), Route("/readyz", health.ready)])) as client:
        assert client.get("/healthz").status_code == 200
        answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "The database is away" in answer.text


def test_the_server_is_one_of_the_processes(app: WebApp, deployment: Any, ask: Any) -> None:
    query = "{ instance { processes { kind version } } }"
    heard = deployment.storage.notifier.subscribe()
    with TestClient(app):
        assert "processes" in heard.wait(20)
        assert ask(query)["instance"]["processes"] == [{"kind": "webserver", "version": __version__}]
    assert ask(query)["instance"]["processes"] == []
    heard.close()


def test_the_deployment(deployment: Any, ask: Any) -> None:
    storage, now = deployment.storage, deployment.instance.clock.now()
    storage.leases.acquire("queue", "daemon-1", ttl=60.0, now=now)
    storage.leases.acquire("sensors", "daemon-1", ttl=60.0, now=now)
    storage.leases.acquire("schedules", "daemon-0", ttl=-60.0, now=now)
    storage.leases.beat(
        ProcessInfo(
            id="daemon-1",
            kind="daemon",
            host="here",
            pid=7,
            version="1",
            started=now,
            seen=now,
            duties=("queue", "sensors"),
            error="sensors: boom",
        )
    )
    told = ask(
        """{ instance { id info storage { key value } queuedRuns activeRuns runQueuingSupported
            runQueueConfig { maxConcurrentRuns tagConcurrencyLimitsYaml jobLimitsYaml fairShare }
            processes { kind duties error }
            daemonHealth { allDaemonStatuses { daemonType healthy holder lastHeartbeatTime
                lastHeartbeatErrors { message } } } } }"""
    )["instance"]
    assert told["runQueueConfig"] == {
        "maxConcurrentRuns": 10,
        "tagConcurrencyLimitsYaml": None,
        "jobLimitsYaml": None,
        "fairShare": True,
    }
    assert "max_concurrent_runs: 10" in told["info"]
    assert {"key": "kind", "value": "SQLite"} in told["storage"]
    assert told["processes"] == [{"kind": "daemon", "duties": ["queue", "sensors"], "error": "sensors: boom"}]
    by_type = {each["daemonType"]: each for each in told["daemonHealth"]["allDaemonStatuses"]}
    assert {kind: each["healthy"] for kind, each in by_type.items()} == {
        "SCHEDULER": False,
        "SENSOR": False,
        "QUEUED_RUN_COORDINATOR": True,
        "BACKFILL": False,
        "MONITORING": False,
        "FRESHNESS_DAEMON": False,
    }
    assert by_type["SENSOR"]["lastHeartbeatErrors"] == [{"message": "boom"}]
    assert by_type["QUEUED_RUN_COORDINATOR"]["lastHeartbeatErrors"] == []
    assert by_type["QUEUED_RUN_COORDINATOR"]["lastHeartbeatTime"] == now
    assert by_type["MONITORING"]["holder"] is None


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/server_info"])
def test_probes_need_no_more_than_a_get(client: TestClient, path: str) -> None:
    assert client.head(path).status_code == 200
    assert client.post(path, json={}).status_code == 405
