"""Runs in Redis, the example of a run storage of one's own, keep every promise together with a log in SQLite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from custom_run_storage.redis_runs import RedisRunStorage
from penstock.storage.composite import CompositeStorage
from penstock.storage.protocols import Storage
from penstock.storage.run_catalog import RunCatalog
from penstock.testing.storage_contract import MultiProcessStorageContract, RunStorageContract
from support.redis_server import RedisServer, composite_opener

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
