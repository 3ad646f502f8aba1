"""Postgres keeps every promise of the storage seams."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from penstock.storage.postgres import PostgresStorage
from penstock.storage.protocols import Storage
from penstock.testing.storage_contract import (
    ActContract,
    ArchiveContract,
    InboxContract,
    MultiProcessStorageContract,
    OutboxContract,
    RetentionContract,
    StorageContract,
)

_opens_a_storage: Callable[[str], Storage] = PostgresStorage  # the type checker compares each method


class TestPostgres(
    StorageContract,
    ActContract,
    MultiProcessStorageContract,
    ArchiveContract,
    RetentionContract,
    OutboxContract,
    InboxContract,
):
    @pytest.fixture
    def opener(self, postgres_url: str) -> partial[PostgresStorage]:
        return partial(PostgresStorage, postgres_url)

    @pytest.fixture
    def storage(self, opener: partial[PostgresStorage]) -> Iterator[PostgresStorage]:
        storage = opener()
        storage.migrate()
        yield storage
        storage.close()
