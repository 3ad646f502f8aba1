"""Our log stores keep every promise of their seam: files of one machine, and object stores that machines share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.errors import LogStoreError
from penstock.ids import new_run_id
from penstock.logs.local import LocalLogStore
from penstock.logs.object_store import ObjectLogStore
from penstock.logs.store import LogStore, log_key
from penstock.testing.log_store_contract import LogStoreContract, OpenLogStore

_makes_a_store: Callable[[Path], LogStore] = LocalLogStore  # the type checker compares each method
_makes_another: Callable[[str, LocalLogStore], LogStore] = ObjectLogStore


class TestLocal(LogStoreContract):
    @pytest.fixture
    def opener(self, tmp_path: Path) -> OpenLogStore:
        return lambda _machine: LocalLogStore(tmp_path / "logs")


class TestFilesThatMachinesShare(LogStoreContract):
    @pytest.fixture
    def opener(self, tmp_path: Path) -> OpenLogStore:
        url = f"file://{tmp_path}/shared"
        return lambda machine: ObjectLogStore(url, LocalLogStore(tmp_path / machine))


class TestObjects(LogStoreContract):
    @pytest.fixture
    def opener(self, tmp_path: Path) -> OpenLogStore:
        url = f"memory://{new_run_id()}/logs"
        return lambda machine: ObjectLogStore(url, LocalLogStore(tmp_path / machine))


def test_a_place_that_cannot_be_reached_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where a folder should be")
    store = ObjectLogStore(f"file://{tmp_path}/taken", LocalLogStore(tmp_path / "here"))
    key = log_key(new_run_id(), "a")
    with store.capture(key):
        pass
    with pytest.raises(LogStoreError, match=r"The logs at file://.*taken cannot be reached"):
        store.upload(key[0])
    assert store.read(key, "stdout") == (b"", 0)
