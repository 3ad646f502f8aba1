"""Events and ticks in Redis, the examples of such storages of one's own, keep every promise beside a log in SQLite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from custom_run_storage.redis_events import RedisEventLogStorage
from custom_run_storage.redis_ticks import RedisScheduleStorage
from penstock.errors import StorageUnavailableError
from penstock.records.event import EVENT_TYPES
from penstock.storage.event_catalog import EventCatalog
from penstock.storage.tick_catalog import TickCatalog
from penstock.testing.storage_contract import EventLogStorageContract, ScheduleStorageContract
from support.redis_server import RedisServer

_opens_events: Callable[[str], EventCatalog] = RedisEventLogStorage  # the type checker compares each method
_opens_ticks: Callable[[str], TickCatalog] = RedisScheduleStorage


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    server = RedisServer()
    yield server
    server.close()


class TestEventsInRedis(EventLogStorageContract):
    @pytest.fixture
    def catalog(self, server: RedisServer) -> Iterator[RedisEventLogStorage]:
        server.flush()
        catalog = RedisEventLogStorage(server.url)
        catalog.migrate()
        yield catalog
        catalog.close()


class TestTicksInRedis(ScheduleStorageContract):
    @pytest.fixture
    def catalog(self, server: RedisServer) -> Iterator[RedisScheduleStorage]:
        server.flush()
        catalog = RedisScheduleStorage(server.url)
        catalog.migrate()
        yield catalog
        catalog.close()


def test_a_server_that_is_not_there_may_come_back(tmp_path: Path) -> None:
    nowhere = f"unix://{tmp_path}/s.sock"
    events, ticks = RedisEventLogStorage(nowhere), RedisScheduleStorage(nowhere)
    asked: list[Callable[[], object]] = [
        events.reached,
        lambda: events.of_types(EVENT_TYPES),
        lambda: events.of_run("run"),
        lambda: events.forget("run"),
        ticks.open,
        lambda: ticks.ticks("shop/sensor/s"),
        ticks.states,
    ]
    for ask in asked:
        with pytest.raises(StorageUnavailableError, match=r"^Redis is away: it could not .*[^.]\.$"):
            ask()
    events.close()
    ticks.close()
