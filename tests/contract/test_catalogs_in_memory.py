"""The catalogs in memory that other tests use keep every promise of such a storage within one process."""

from __future__ import annotations

import pytest

from penstock.storage.postgres import PostgresStorage
from penstock.testing.storage_contract import EventLogStorageContract, ScheduleStorageContract
from support.memory_events import MemoryEvents, MemoryTicks


class TestEventsInMemory(EventLogStorageContract):
    @pytest.fixture
    def catalog(self) -> MemoryEvents:
        return MemoryEvents()


class TestTicksInMemory(ScheduleStorageContract):
    @pytest.fixture
    def catalog(self) -> MemoryTicks:
        return MemoryTicks()


class TestTicksBesidePostgres(TestTicksInMemory):
    @pytest.fixture
    def log(self, postgres_url: str) -> PostgresStorage:
        return PostgresStorage(postgres_url)
