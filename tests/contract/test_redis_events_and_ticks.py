"""Events and ticks in Redis, the examples of such storages of one's own, keep every promise beside a log in SQLite."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from custom_run_storage.redis_events import RedisEventLogStorage
from custom_run_storage.redis_ticks import RedisScheduleStorage
from penstock.errors import StorageUnavailableError
from penstock.records.event import EVENT_TYPES, LogLine, RunSuccess
from penstock.storage.composite import CompositeStorage
from penstock.storage.composite.storage import TendedCompositeStorage
from penstock.storage.event_catalog import EventCatalog
from penstock.storage.sqlite import SqliteStorage
from penstock.storage.tick_catalog import TickCatalog
from penstock.testing.storage_contract import EventLogStorageContract, ScheduleStorageContract
from penstock.testing.storage_contract.builders import NOW, events_from, started_run
from support.event_copies import follow_and_halt, follow_forever
from support.redis_server import RedisServer

_DEADLINE = 60.0

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


@pytest.fixture
def storage(server: RedisServer, tmp_path: Path) -> Iterator[CompositeStorage]:
    server.flush()
    path = tmp_path / "penstock.db"
    storage = TendedCompositeStorage(SqliteStorage(path), events=RedisEventLogStorage(server.url))
    storage.migrate()
    yield storage
    storage.close()


def ids_in_both(storage: CompositeStorage, server: RedisServer, tmp_path: Path) -> tuple[list[int], list[int]]:
    """The ids of all events, as Redis has them and as the log has them."""
    log, catalog = SqliteStorage(tmp_path / "penstock.db"), RedisEventLogStorage(server.url)
    while storage.followers[0].follow():
        pass
    found = [[each.id for each in of.of_types(EVENT_TYPES, limit=100_000)] for of in (catalog, log.events)]
    log.close()
    catalog.close()
    return found[0], found[1]


@contextmanager
def told_by(target: Callable[..., None], *arguments: object) -> Iterator[tuple[Connection, Callable[[], None]]]:
    """What a child process tells, and what kills it."""
    context = multiprocessing.get_context("forkserver")
    told, tell = context.Pipe(duplex=False)
    path, url, *others = arguments
    child = context.Process(target=target, args=(path, url, tell, *others))
    child.start()
    tell.close()

    def kill() -> None:
        child.kill()
        child.join(_DEADLINE)

    yield told, kill
    kill()
    told.close()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("page", [1, 2, 3])
def test_of_a_copier_that_is_killed_nothing_is_lost_or_there_twice(
    storage: CompositeStorage, server: RedisServer, tmp_path: Path, page: int, after: bool
) -> None:
    run = started_run(storage)
    lines = [LogLine(level="INFO", message=str(number)) for number in range(2500)]
    storage.events.append(run.run_id, 1, events_from(2, lines), now=NOW)
    with told_by(follow_and_halt, tmp_path / "penstock.db", server.url, page, after) as (told, kill):
        assert told.poll(_DEADLINE)
        told.recv()
        kill()
    seen = [each.event.fact for each in storage.events.of_run(run.run_id, types=["LOG"], limit=10_000)]
    assert seen == lines
    in_redis, in_log = ids_in_both(storage, server, tmp_path)
    assert in_redis == in_log


def test_a_reader_sees_each_event_once_while_copiers_are_killed_and_others_go_on(
    storage: CompositeStorage, server: RedisServer, tmp_path: Path
) -> None:
    run, deleted = started_run(storage), started_run(storage)
    seen: list[int] = []
    sent = 1

    def read_on() -> None:
        while page := storage.events.of_run(run.run_id, after=seen[-1] if seen else 0, types=["LOG"], limit=70):
            seen.extend(each.id for each in page)

    def write(count: int) -> None:
        nonlocal sent
        for _ in range(count):
            lines = [LogLine(level="INFO", message=str(number)) for number in range(40)]
            storage.events.append(run.run_id, 1, events_from(sent + 1, lines), now=NOW)
            sent += 40
            read_on()

    for _ in range(3):
        with (
            told_by(follow_forever, tmp_path / "penstock.db", server.url) as (first, kill),
            told_by(follow_forever, tmp_path / "penstock.db", server.url) as (other, _),
        ):
            write(2)
            assert first.poll(_DEADLINE)
            kill()
            write(2)
            assert other.poll(_DEADLINE)
            other.recv()
    storage.events.append(deleted.run_id, 1, events_from(2, [RunSuccess()]), now=NOW)
    assert storage.runs.delete(deleted.run_id)
    in_redis, in_log = ids_in_both(storage, server, tmp_path)
    assert in_redis == in_log
    logged = storage.events.of_run(run.run_id, types=["LOG"], limit=100_000)
    assert [each.id for each in logged] == seen
    assert len(seen) == sent - 1


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
