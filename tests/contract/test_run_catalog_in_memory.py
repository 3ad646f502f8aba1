"""The catalog in memory that other tests use keeps every promise of a run storage within one process."""

from __future__ import annotations

import pytest

from penstock.testing.storage_contract import RunStorageContract
from support.memory_catalog import MemoryCatalog


class TestRunsInMemory(RunStorageContract):
    @pytest.fixture
    def catalog(self) -> MemoryCatalog:
        return MemoryCatalog()
