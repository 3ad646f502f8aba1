"""Runs in Redis, the example of a run storage of one's own, keep every promise together with a log in SQLite."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import redis

from custom_run_storage.redis_runs import RedisRunStorage
from penstock.errors import StorageError, StorageUnavailableError
from penstock.records.run import RunStatus
from penstock.storage.composite import CompositeStorage
from penstock.storage.protocols import RunFilter, Storage
from penstock.storage.run_catalog import CatalogRow, RunCatalog
from penstock.storage.sqlite import SqliteStorage
from penstock.testing.storage_contract import MultiProcessStorageContract, RunStorageContract
from penstock.testing.storage_contract.builders import new_run
from support.redis_server import RedisServer, composite_opener
from support.run_changes import CHANGES, change_runs_and_halt

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

    @pytest.mark.parametrize("halts_at", range(1, CHANGES + 1))
    def test_a_writer_killed_between_the_log_and_redis_has_its_change_copied(
        self, storage: CompositeStorage, server: RedisServer, catalog: RedisRunStorage, tmp_path: Path, halts_at: int
    ) -> None:
        path = tmp_path / "home" / "penstock.db"
        context = multiprocessing.get_context("forkserver")
        told, tell = context.Pipe(duplex=False)
        child = context.Process(target=change_runs_and_halt, args=(path, server.url, tell, halts_at))
        child.start()
        tell.close()
        assert told.poll(_DEADLINE)
        run_id = told.recv()
        told.close()
        child.kill()
        child.join(_DEADLINE)
        log = SqliteStorage(path)
        assert catalog.get(run_id) != log.runs.get(run_id)
        storage.followers[0].follow()
        assert catalog.get(run_id) == log.runs.get(run_id)
        in_log = log.runs.page(RunFilter(), limit=100)
        log.close()
        assert catalog.page(RunFilter(), limit=100) == in_log
        for status in RunStatus:
            expected = [run for run in in_log if run.status is status]
            assert catalog.page(RunFilter(statuses=(status,)), limit=100) == expected


@pytest.fixture
def catalog(server: RedisServer) -> Iterator[RedisRunStorage]:
    server.flush()
    catalog = RedisRunStorage(server.url)
    yield catalog
    catalog.close()


def test_a_server_that_forgets_is_refused(server: RedisServer, catalog: RedisRunStorage) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.config_set("appendonly", "no")
        try:
            with pytest.raises(StorageError, match="Set `appendonly yes`"):
                catalog.migrate()
        finally:
            client.config_set("appendonly", "yes")
    catalog.migrate()


def test_keys_that_are_laid_out_otherwise_are_refused(server: RedisServer, catalog: RedisRunStorage) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.set("penstock:layout", "7")
    with pytest.raises(StorageError, match=r"version 7.*Name another `prefix`"):
        catalog.migrate()


def test_instances_share_a_database_by_their_prefixes(server: RedisServer, catalog: RedisRunStorage) -> None:
    run = new_run(tags={"team": "sales"}).run
    assert catalog.put([CatalogRow(run_id=run.run_id, run=run, version=0)]) == []
    other = RedisRunStorage(server.url, prefix="other:")
    assert (other.get(run.run_id), other.tag_keys(), other.count(RunFilter())) == (None, [], 0)
    other.close()


def test_a_wrong_password_is_no_outage_and_is_not_shown(server: RedisServer) -> None:
    locked_out = RedisRunStorage(server.url.replace("unix://", "unix://:hush@"))
    with redis.Redis.from_url(server.url) as client:
        client.config_set("requirepass", "another")
        try:
            with pytest.raises(StorageError, match="Correct the password") as caught:
                locked_out.migrate()
        finally:
            client.config_set("requirepass", "")
    assert not isinstance(caught.value, StorageUnavailableError)
    assert "hush" not in f"{caught.value} {locked_out.describe()}"
    locked_out.close()


def test_a_server_that_is_not_there_may_come_back(tmp_path: Path) -> None:
    nowhere = RedisRunStorage(f"unix://{tmp_path}/s.sock")
    with pytest.raises(StorageUnavailableError, match=r"Redis is away: it could not count runs: .*[^.]\.$"):
        nowhere.count(RunFilter())
    nowhere.close()
