"""Runs, events and ticks in Redis: work gets done, and whoever is away or killed, nothing that was told is lost."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from custom_run_storage.redis_events import RedisEventLogStorage
from custom_run_storage.redis_runs import RedisRunStorage
from custom_run_storage.redis_ticks import RedisScheduleStorage
from penstock.records.automation import InstigatorKind, InstigatorStatus, instigator_id
from penstock.records.event import EVENT_TYPES, StoredEvent
from penstock.records.run import RunStatus
from penstock.storage.protocols import RunFilter
from penstock.storage.sqlite import SqliteStorage
from support.deployment import Deployment, processes_of
from support.redis_server import RedisServer

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

EXAMPLES = Path(__file__).parents[2] / "examples"
_ALL = 100_000


def settings() -> dict[str, Any]:
    """Those of the example's README."""
    text = (EXAMPLES / "custom_run_storage" / "README.md").read_text()
    block: dict[str, Any] = yaml.safe_load(text.partition("```yaml\n")[2].partition("```")[0])
    assert list(block) == ["run_storage", "event_log_storage", "schedule_storage"]
    return block


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """A server of the test's own, since it is killed."""
    server = RedisServer()
    yield server
    server.close()


@pytest.fixture
def begin(
    server: RedisServer, home: Path, start: Callable[..., Deployment], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Deployment]:
    """Starts a deployment with these settings."""
    monkeypatch.setenv("REDIS_URL", server.url)
    monkeypatch.setenv("PYTHONPATH", str(EXAMPLES))
    home.mkdir()
    (home / "penstock.yaml").write_text(yaml.safe_dump(settings()))
    return start


def events_of_both(dev: Deployment, server: RedisServer) -> tuple[list[StoredEvent], list[StoredEvent]]:
    """All events once Redis has come to the end, as it has them, and as the log has them."""
    log, catalog = SqliteStorage(dev.home / "penstock.db"), RedisEventLogStorage(server.url)
    try:
        dev.wait(lambda: catalog.reached() == log.events.last_id(), seconds=60)
        return catalog.of_types(EVENT_TYPES, limit=_ALL), log.events.of_types(EVENT_TYPES, limit=_ALL)
    finally:
        catalog.close()
        log.close()


def test_the_flights_are_made_and_all_of_it_is_found_in_redis(
    begin: Callable[..., Deployment], server: RedisServer
) -> None:
    dev = begin("-w", str(EXAMPLES / "workspace.yaml"))
    chosen = [{"path": [name]} for name in ("raw_airlines", "raw_airports")]
    selector = {"jobName": "__ASSET_JOB", "repositoryLocationName": "flights", "assetSelection": chosen}
    run_id = dev.launch("__ASSET_JOB", location="flights", selector=selector)
    run = dev.wait_until_finished(run_id, seconds=90)
    assert run.status is RunStatus.SUCCESS
    in_redis, in_log = events_of_both(dev, server)
    assert in_redis == in_log
    assert dev.instance.storage.events.of_run(run_id) == [each for each in in_redis if each.run_id == run_id]
    runs = RedisRunStorage(server.url)
    assert runs.page(RunFilter(), limit=10) == [run]
    runs.close()
    kind, name = InstigatorKind.SENSOR, "new_files"
    sensor = instigator_id("flights", kind, name)
    dev.instance.storage.instigators.switch(sensor, "flights", kind, name, InstigatorStatus.RUNNING, now=time.time())
    ticks = RedisScheduleStorage(server.url)
    dev.wait(lambda: (shown := ticks.states().get(sensor)) is not None and shown.last_tick is not None)
    assert ticks.states()[sensor].status is InstigatorStatus.RUNNING
    ticks.close()
    shown = dev.graphql(
        f'{{ logsForRun(runId: "{run_id}") {{ ... on EventConnection {{ events {{ __typename }} }} }} }}'
    )
    assert len(shown["logsForRun"]["events"]) >= len(dev.instance.storage.events.of_run(run_id)) - 1


def test_a_store_that_is_away_holds_up_no_step_and_is_brought_up_after_it_by_whichever_daemon_lives(
    begin: Callable[..., Deployment], server: RedisServer, home: Path
) -> None:
    kept = {key: value for key, value in settings().items() if key != "run_storage"}  # which a run's end waits for
    (home / "penstock.yaml").write_text(yaml.safe_dump(kept))
    dev = begin("-f", str(EXAMPLES / "tour" / "definitions.py"))

    def checkout() -> str:
        config = {"ops": {"find_orders": {"config": {"orders": 4}}}}
        return dev.launch("checkout", location="definitions.py", runConfigData=config)

    first = dev.wait_until_finished(checkout())
    server.kill()
    second = dev.wait_until_finished(checkout())
    assert [run.status for run in (first, second)] == [RunStatus.SUCCESS] * 2
    told = [each.id for each in dev.instance.storage.events.of_types(EVENT_TYPES, limit=_ALL)]
    for pid, words in processes_of(home).items():
        if " daemon" in words:
            os.kill(pid, signal.SIGKILL)  # another is started
    server.start()
    third = dev.wait_until_finished(checkout(), seconds=90)
    assert third.status is RunStatus.SUCCESS
    in_redis, in_log = events_of_both(dev, server)
    assert in_redis == in_log
    assert [each.id for each in in_redis][: len(told)] == told
    assert sum(each.event.type == "RUN_SUCCESS" for each in in_redis) == 3
