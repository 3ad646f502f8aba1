"""A storage behind an address keeps every promise of the storage seams, by way of a server in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from penstock.records.wire import StorageAccess
from penstock.storage.protocols import Storage
from penstock.storage.remote.client import RemoteStorage
from penstock.testing.storage_contract import MultiProcessStorageContract, StorageContract
from support.storage_server import READY

_opens_a_storage: Callable[[StorageAccess], Storage] = RemoteStorage  # the type checker compares each method

_PROGRAM = Path(__file__).parents[1] / "support" / "storage_server.py"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where one server answers for all databases."""
    with tempfile.TemporaryDirectory(prefix="penstock-") as folder:
        path = Path(folder) / "s.sock"
        server = subprocess.Popen([sys.executable, str(_PROGRAM), str(path)], stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        try:
            assert server.stdout.readline().strip() == READY
            yield f"unix:{path}"
        finally:
            server.terminate()
            server.communicate(timeout=20)


class TestRemoteStorage(StorageContract, MultiProcessStorageContract):
    @pytest.fixture
    def opener(self, address: str, tmp_path: Path) -> partial[RemoteStorage]:
        access = StorageAccess(address=address, token=str(tmp_path / "home" / "penstock.db"))
        return partial(RemoteStorage, access)

    @pytest.fixture
    def storage(self, opener: partial[RemoteStorage]) -> Iterator[RemoteStorage]:
        storage = opener()
        storage.migrate()
        yield storage
        storage.close()
