"""SQLite keeps every promise of the storage seams: in a file that processes share, and in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from penstock.storage.protocols import Storage
from penstock.storage.sqlite import SqliteStorage
from penstock.testing.storage_contract import (
    ActContract,
    ArchiveContract,
    InboxContract,
    MultiProcessStorageContract,
    OutboxContract,
    RetentionContract,
    StorageContract,
)

_opens_a_storage: Callable[[Path | None], Storage] = SqliteStorage  # the type checker compares each method


class TestSqliteFile(
    StorageContract,
    ActContract,
    MultiProcessStorageContract,
    ArchiveContract,
    RetentionContract,
    OutboxContract,
    InboxContract,
):
    @pytest.fixture
    def opener(self, tmp_path: Path) -> partial[SqliteStorage]:
        return partial(SqliteStorage, tmp_path / "home" / "penstock.db")

    @pytest.fixture
    def storage(self, opener: partial[SqliteStorage]) -> Iterator[SqliteStorage]:
        storage = opener()
        storage.migrate()
        yield storage
        storage.close()


class TestSqliteInMemory(
    StorageContract, ActContract, ArchiveContract, RetentionContract, OutboxContract, InboxContract
):
    @pytest.fixture
    def storage(self) -> Iterator[SqliteStorage]:
        storage = SqliteStorage(None)
        yield storage
        storage.close()
