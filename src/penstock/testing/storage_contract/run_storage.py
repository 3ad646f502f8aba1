"""A run storage of one's own, beside a log in SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ...storage.composite import CompositeStorage
from ...storage.protocols import Storage
from ...storage.run_catalog import RunCatalog
from ...storage.sqlite import SqliteStorage
from .acts import ActContract
from .catalog import RunCatalogContract
from .whole import StorageContract

__all__ = ["RunStorageContract"]


class RunStorageContract(RunCatalogContract, StorageContract, ActContract):
    """Its own promises, and all those of a storage that has it for its runs."""

    @pytest.fixture
    def storage(self, catalog: RunCatalog, tmp_path: Path) -> Iterator[Storage]:
        """A SQLite file with this catalog."""
        storage = CompositeStorage(SqliteStorage(tmp_path / "home" / "penstock.db"), catalog)
        storage.migrate()
        yield storage
        storage.close()
