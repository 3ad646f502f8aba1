"""The contract suite of log stores: every promise of `penstock.logs.store.LogStore`, as tests.

An implementation passes it by a test class of its own:

    class TestMyLogStore(LogStoreContract):
        @pytest.fixture
        def opener(self, tmp_path): ...    # gives, for the name of a machine, the store as that machine has it

Two machines share what has been uploaded. A store that only one machine sees gives the same store for every name.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from ..errors import NotFoundError
from ..ids import new_run_id
from ..logs.gaps import words_of
from ..logs.store import STREAMS, LogKey, LogStore, Stream, log_key

__all__ = ["LogStoreContract", "OpenLogStore"]

OpenLogStore = Callable[[str], LogStore]
"""Gives the store as the machine of that name has it."""

_HERE, _THERE = "here", "there"


def _printed(store: LogStore, key: LogKey, out: bytes, err: bytes = b"") -> None:
    with store.capture(key):
        os.write(1, out)
        os.write(2, err)


def _whole(store: LogStore, key: LogKey, stream: Stream, limit: int) -> bytes:
    data, offset = b"", 0
    while True:
        part, after = store.read(key, stream, offset=offset, limit=limit)
        if not part:
            assert after == offset == store.size(key, stream)
            return data
        assert after > offset
        data, offset = data + part, after


class LogStoreContract:
    """All promises of the seam."""

    def test_what_is_captured_is_read(self, opener: OpenLogStore) -> None:
        store, key = opener(_HERE), log_key(new_run_id(), "a")
        assert not store.exists(key)
        assert (store.read(key, "stdout"), store.size(key, "stderr")) == ((b"", 0), 0)
        _printed(store, key, b"0123456789", b"bad")
        assert store.exists(key)
        assert (_whole(store, key, "stdout", 4), _whole(store, key, "stderr", 4)) == (b"0123456789", b"bad")
        assert store.read(key, "stdout", offset=10) == (b"", 10)
        assert store.read(key, "stdout", offset=8, limit=100) == (b"89", 10)

    def test_what_grows_is_read_on(self, opener: OpenLogStore) -> None:
        store, key = opener(_HERE), log_key(new_run_id(), "a")
        with store.capture(key):
            os.write(1, b"one")
            assert store.read(key, "stdout") == (b"one", 3)
            assert not store.marks(key).complete
            os.write(1, b"two")
            assert store.read(key, "stdout", offset=3) == (b"two", 6)
        assert store.marks(key).complete
        assert store.marks(key).points[-1].stdout == 6

    def test_another_attempt_goes_on_where_the_last_one_ended(self, opener: OpenLogStore) -> None:
        store, key = opener(_HERE), log_key(new_run_id(), "a")
        _printed(store, key, b"first ")
        with store.capture(key):
            os.write(1, b"second")
            assert not store.marks(key).complete
        assert store.read(key, "stdout")[0] == b"first second"

    def test_captures_are_listed(self, opener: OpenLogStore) -> None:
        store, runs = opener(_HERE), sorted([new_run_id(), new_run_id()])
        for run_id in runs:
            for step in ("b", "a[1]"):
                _printed(store, log_key(run_id, step), b"x")
        assert store.keys(runs[0]) == [log_key(runs[0], "a[1]"), log_key(runs[0], "b")]
        assert store.keys(new_run_id()) == []
        assert list(store.runs()) == runs

    def test_another_machine_reads_what_was_uploaded(self, opener: OpenLogStore) -> None:
        here, there, run_id = opener(_HERE), opener(_THERE), new_run_id()
        key = log_key(run_id, "a")
        with here.capture(key):
            os.write(1, "früh\n".encode())
            here.upload(run_id)
            assert there.read(key, "stdout") == ("früh\n".encode(), 6)
            assert not there.marks(key).complete
            os.write(1, b"late\n")
            os.write(2, b"bad\n")
        here.upload(run_id)
        here.upload(run_id)
        for stream in STREAMS:
            assert _whole(there, key, stream, 4) == _whole(here, key, stream, 4)
        assert there.exists(key)
        assert there.marks(key) == here.marks(key)
        assert there.keys(run_id) == [key]
        assert list(there.runs()) == [run_id]

    def test_another_machine_knows_what_is_left_out(self, opener: OpenLogStore) -> None:
        here, there, run_id = opener(_HERE), opener(_THERE), new_run_id()
        key, files = log_key(run_id, "a"), here.files
        if files is None:
            pytest.skip("its captures are in no files of this machine, so nobody shortens them")
        files.most_bytes = 20_000
        _printed(here, key, b"0123456789abcde\n" * 10_000, b"short")
        if not files.shorten(key, "stdout"):
            pytest.skip("the file system under the test cannot drop the middle of a file")
        gap = files.gap(key, "stdout")
        assert gap is not None
        here.upload(run_id)
        expected = _whole(here, key, "stdout", 3000)
        assert words_of(gap.end - gap.start) in expected
        assert _whole(there, key, "stdout", 3000) == expected
        assert there.size(key, "stdout") == 160_000
        assert there.read(key, "stdout", offset=gap.end - 7) == (words_of(7), gap.end)
        assert there.read(key, "stdout", offset=159_990)[0] == b"6789abcde\n"
        assert there.read(key, "stderr")[0] == b"short"

    def test_what_a_dead_worker_left_is_settled(self, opener: OpenLogStore) -> None:
        here, there, run_id = opener(_HERE), opener(_THERE), new_run_id()
        key, files = log_key(run_id, "a"), here.files
        if files is None:
            pytest.skip("its captures are in no files of this machine")
        path = files.path(key, "stdout")
        path.parent.mkdir(parents=True)
        path.write_bytes(b"last wor")
        path.with_suffix(".err").touch()
        for _ in range(2):
            here.settle(run_id)
            here.upload(run_id)
        assert there.read(key, "stdout")[0] == b"last wor"
        assert there.marks(key).complete
        assert len(there.marks(key).points) == 1

    def test_a_run_is_deleted_everywhere(self, opener: OpenLogStore) -> None:
        here, there = opener(_HERE), opener(_THERE)
        kept, gone = sorted([new_run_id(), new_run_id()])
        for run_id in (kept, gone):
            _printed(here, log_key(run_id, "a"), b"x")
            here.upload(run_id)
        for _ in range(2):
            here.delete(gone)
        for store in (here, there):
            assert store.keys(gone) == []
            assert not store.exists(log_key(gone, "a"))
            assert list(store.runs()) == [kept]

    @pytest.mark.parametrize("file_key", ["../../etc/passwd", "..", "", "a/b", "a\n"])
    def test_a_key_leads_nowhere_else(self, opener: OpenLogStore, file_key: str) -> None:
        key = (new_run_id(), "compute_logs", file_key)
        with pytest.raises(NotFoundError, match="no captured logs"):
            opener(_HERE).read(key, "stdout")
