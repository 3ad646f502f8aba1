"""A whole storage that `penstock.yaml` names keeps every promise, and is asked for nothing but the protocols."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from penstock.cli.instance import instance as command
from penstock.errors import SettingsError
from penstock.instance.instance import Instance
from penstock.storage.protocols import Storage
from penstock.testing.storage_contract import ActContract, StorageContract
from support.memory_events import MemoryEvents
from support.plain_storage import PlainStorage

_opens_a_storage: Callable[[str], Storage] = PlainStorage  # the type checker compares each method


def open_named(folder: Path, **more: object) -> Instance:
    named = {"module": "support.plain_storage", "class": "PlainStorage", "config": {"path": str(folder / "all.db")}}
    return Instance.local_temp(folder, {"storage": named, **more})


class TestNamedStorage(StorageContract, ActContract):
    @pytest.fixture
    def storage(self, tmp_path: Path) -> Iterator[Storage]:
        with open_named(tmp_path) as opened:
            assert isinstance(opened.storage, PlainStorage)
            yield opened.storage


def test_it_is_looked_at_and_nothing_is_asked_of_it_that_it_has_not(tmp_path: Path) -> None:
    open_named(tmp_path).close()
    info = CliRunner().invoke(command, ["info", "--home", str(tmp_path)])
    assert (info.exit_code, "plain" in info.output) == (0, True)
    for arguments in (["doctor"], ["doctor", "--verify"]):
        looked = CliRunner().invoke(command, [*arguments, "--home", str(tmp_path)])
        assert (looked.exit_code, looked.output) == (0, "Nothing is wrong.\n")


def test_what_follows_it_in_the_order_of_ids_needs_one_that_can_be_read_in_bulk(tmp_path: Path) -> None:
    named = {"module": MemoryEvents.__module__, "class": MemoryEvents.__name__}
    with pytest.raises(SettingsError, match="event_log_storage follows a storage that can be read in bulk, and Plain"):
        open_named(tmp_path, event_log_storage=named)
