"""Runs in Redis, the example of a run storage of one's own, keep every promise together with a log in SQLite."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from custom_run_storage.redis_runs import RedisRunStorage
from penstock.storage.composite import CompositeStorage
from penstock.storage.protocols import RunFilter, Storage
from penstock.storage.run_catalog import RunCatalog
from penstock.storage.sqlite import SqliteStorage
from penstock.testing.storage_contract import MultiProcessStorageContract, RunStorageContract
from penstock.testing.storage_contract.builders import NOW
from support.redis_server import RedisServer, composite_opener
from support.run_changes import change_runs_for_ever

_KILLS = 10
_DEADLINE = 60.0

_opens_a_catalog: Callable[[str], RunCatalog] = RedisRunStorage  # the type checker compares each method
_is_a_storage: Callable[[Storage, RunCatalog], Storage] = CompositeStorage


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    server = RedisServer()
    yield server
    server.close()


class TestRunsInRedis(RunStorageContract, MultiProcessStorageContract):
    @pytest.fixture
    def catalog(self, server: RedisServer) -> Iterator[RedisRunStorage]:
        server.flush()
        catalog = RedisRunStorage(server.url)
        catalog.migrate()
        yield catalog
        catalog.close()

    @pytest.fixture
    def opener(self, server: RedisServer, catalog: RedisRunStorage, tmp_path: Path) -> partial[CompositeStorage]:
        return composite_opener(tmp_path / "home" / "penstock.db", server.url)

    def test_wherever_writers_are_killed_redis_shows_what_the_log_has(
        self, storage: Storage, opener: partial[CompositeStorage], catalog: RedisRunStorage, tmp_path: Path
    ) -> None:
        context = multiprocessing.get_context("forkserver")
        made: set[str] = set()
        for number in range(_KILLS):
            told, tell = context.Pipe(duplex=False)
            child = context.Process(target=change_runs_for_ever, args=(opener, tell))
            child.start()
            tell.close()
            for _ in range(2 + number):
                assert told.poll(_DEADLINE)
                made.add(told.recv())
            child.kill()
            child.join(_DEADLINE)
            told.close()
        storage.runs.expired(NOW)
        log = SqliteStorage(tmp_path / "home" / "penstock.db")
        in_log = log.runs.page(RunFilter(), limit=10_000)
        log.close()
        assert catalog.page(RunFilter(), limit=10_000) == in_log
        assert {run.run_id for run in in_log} >= made
        for status in {run.status for run in in_log}:
            where = RunFilter(statuses=(status,))
            assert catalog.page(where, limit=10_000) == [run for run in in_log if run.status is status]
