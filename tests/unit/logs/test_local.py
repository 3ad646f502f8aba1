"""The local log store: descriptors pointed at files and back, reading by offset, keys that are no paths."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import NotFoundError
from penstock.ids import new_run_id
from penstock.logs.capture import told_in_events
from penstock.logs.gaps import Gap
from penstock.logs.local import LocalLogStore
from penstock.logs.store import check_log_key, file_key_of, log_key

RUN = new_run_id()


@pytest.fixture
def store(tmp_path: Path) -> LocalLogStore:
    return LocalLogStore(tmp_path / "logs")


def text(store: LocalLogStore, step: str, stream: str = "stdout") -> str:
    return store.read(log_key(RUN, step), "stdout" if stream == "stdout" else "stderr")[0].decode()


def test_everything_written_to_the_descriptors_is_kept(store: LocalLogStore) -> None:
    with store.capture(log_key(RUN, "a")):
        os.write(1, b"from the descriptor\n")
        os.write(2, b"trouble\n")
        subprocess.run(["/bin/echo", "from a child"], check=True)
    os.write(1, b"outside\n")
    assert text(store, "a") == "from the descriptor\nfrom a child\n"
    assert text(store, "a", "stderr") == "trouble\n"


def test_a_stream_that_was_replaced_by_one_in_memory_is_left_alone(
    store: LocalLogStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = io.TextIOWrapper(io.BytesIO(), write_through=True)
    monkeypatch.setattr(sys, "stdout", memory)
    with store.capture(log_key(RUN, "a")):
        sys.stdout.write("to memory")
        os.write(1, b"to the descriptor")
    assert memory.buffer.getvalue() == b"to memory"
    assert text(store, "a") == "to the descriptor"


def test_captures_nest_and_go_back(store: LocalLogStore) -> None:
    with store.capture(log_key(RUN, "outer")):
        os.write(1, b"1")
        with store.capture(log_key(RUN, "inner")):
            os.write(1, b"2")
        os.write(1, b"3")
    assert (text(store, "outer"), text(store, "inner")) == ("13", "2")


def test_a_second_capture_of_a_key_appends(store: LocalLogStore) -> None:
    for word in (b"one ", b"two"):
        with store.capture(log_key(RUN, "a")):
            os.write(1, word)
    assert text(store, "a") == "one two"


def test_descriptors_go_back_when_the_body_raises(store: LocalLogStore, tmp_path: Path) -> None:
    before = os.fstat(1)
    with pytest.raises(ZeroDivisionError), store.capture(log_key(RUN, "a")):
        _ = 1 / 0
    assert os.fstat(1).st_ino == before.st_ino


def test_reading_follows_a_growing_file(store: LocalLogStore) -> None:
    key = log_key(RUN, "a")
    assert store.read(key, "stdout") == (b"", 0)
    assert not store.exists(key)
    with store.capture(key):
        os.write(1, b"0123456789")
        assert store.exists(key)
        assert store.read(key, "stdout", limit=4) == (b"0123", 4)
        assert store.read(key, "stdout", offset=4) == (b"456789", 10)
        assert store.read(key, "stdout", offset=10) == (b"", 10)
        os.write(1, b"x")
        assert store.read(key, "stdout", offset=10) == (b"x", 11)
    assert store.size(key, "stdout") == 11
    assert store.size(key, "stderr") == 0


def test_captures_are_listed_and_deleted(store: LocalLogStore) -> None:
    for step in ("b", "a[1]"):
        with store.capture(log_key(RUN, step)):
            pass
    assert store.keys(RUN) == [log_key(RUN, "a[1]"), log_key(RUN, "b")]
    assert list(store.runs()) == [RUN]
    store.delete(RUN)
    store.delete(RUN)
    assert store.keys(RUN) == []
    assert list(store.runs()) == []


def test_lines_printed_before_a_kill_are_kept(store: LocalLogStore) -> None:
    """In a process of its own, since its Python streams must be the real ones."""
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from penstock.logs.local import LocalLogStore\n"
        "from penstock.logs.store import log_key\n"
        "print('before the capture')\n"
        f"with LocalLogStore(Path({str(store.root)!r})).capture(log_key({RUN!r}, 'a')):\n"
        "    print('a line')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    assert text(store, "a") == "a line\n"
    assert ended.stdout == b"before the capture\n"


@pytest.mark.parametrize(
    "key",
    [
        (RUN, "compute_logs", "../../etc/passwd"),
        (RUN, "compute_logs", ".."),
        (RUN, "compute_logs", ""),
        (RUN, "compute_logs", "a\n"),
        (RUN, "compute_logs", "a/b"),
        (RUN, "elsewhere", "a"),
        ("..", "compute_logs", "a"),
        (RUN + "/x", "compute_logs", "a"),
        (RUN,),
    ],
)
def test_keys_that_are_no_log_keys_never_reach_the_disk(store: LocalLogStore, key: tuple[str, ...]) -> None:
    with pytest.raises(NotFoundError, match="no captured logs"):
        store.read(key, "stdout")


@settings(deadline=None)
@given(st.text(min_size=1))
def test_every_step_has_a_safe_file_key(step: str) -> None:
    run_id, file_key = check_log_key(log_key(RUN, step))
    assert run_id == RUN
    assert "/" not in file_key
    assert file_key.strip(".")


def test_usual_step_keys_are_their_own_file_keys() -> None:
    for step in ("clean", "outer.inner", "shop__orders", "each[k-1]"):
        assert file_key_of(step) == step


def test_unsafe_step_keys_keep_apart() -> None:
    assert file_key_of("é[a/b]") != file_key_of("è[a b]")
    assert len(file_key_of("x" * 500)) <= 200


# -- marks ------------------------------------------------------------------------------------------------------------


def test_marks_say_where_output_stands_among_what_is_told(store: LocalLogStore) -> None:
    key = log_key(RUN, "a")
    with store.capture(key) as capture:
        os.write(1, b"before")
        capture.mark()
        capture.mark()
        assert not store.marks(key).complete
        os.write(2, b"after")
    marks = store.marks(key)
    assert [(each.stdout, each.stderr) for each in marks.points] == [(6, 0), (6, 5)]
    assert marks.complete
    assert store.has_ended(key)
    with store.capture(key):
        assert not store.marks(key).complete
        assert not store.has_ended(key)
    assert store.has_ended(key)


def test_what_is_told_in_events_is_marked_so(store: LocalLogStore) -> None:
    key = log_key(RUN, "a")
    with store.capture(key):
        os.write(2, b"one\n")
        with told_in_events():
            os.write(2, b"told\n")
        os.write(2, b"two\n")
    assert store.marks(key).told == {"stdout": [], "stderr": [Gap(4, 9)]}
    with told_in_events():
        os.write(2, b"where nothing is captured\n")


# -- the limit --------------------------------------------------------------------------------------------------------


def test_the_middle_is_left_out_and_takes_no_room(tmp_path: Path) -> None:
    store = LocalLogStore(tmp_path, most_bytes=64 * 1024)
    key = log_key(RUN, "a")
    lines = [f"line {number:06}\n".encode() for number in range(200_000)]
    whole = b"".join(lines)
    with store.capture(key):
        for at in range(0, len(whole), 100_000):
            os.write(1, whole[at : at + 100_000])
            assert store.shorten(key, "stdout")
    file = store.path(key, "stdout")
    assert store.size(key, "stdout") == file.stat().st_size == len(whole)
    assert file.stat().st_blocks * 512 <= 64 * 1024 * 5 // 4 + 3 * 4096
    gap = store.gap(key, "stdout")
    assert gap is not None
    read, offset = b"", 0
    while offset < len(whole):
        data, after = store.read(key, "stdout", offset=offset, limit=10_000)
        assert after > offset
        read, offset = read + data, after
    words = f"\n... {gap.end - gap.start:,} bytes left out ...\n".encode()
    assert read == whole[: gap.start] + words + whole[gap.end :]
    middle = gap.end - 5000
    assert store.read(key, "stdout", offset=middle) == (b"\n... 5,000 bytes left out ...\n", gap.end)


def test_nothing_is_left_out_without_a_limit(tmp_path: Path) -> None:
    store = LocalLogStore(tmp_path, most_bytes=0)
    key = log_key(RUN, "a")
    with store.capture(key):
        os.write(1, b"x" * 100_000)
    assert store.shorten(key, "stdout")
    assert store.gap(key, "stdout") is None


def test_a_file_system_that_cannot_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = LocalLogStore(tmp_path, most_bytes=10_000)
    key = log_key(RUN, "a")
    with store.capture(key):
        os.write(1, b"x" * 100_000)
    monkeypatch.setattr("penstock.logs.local.punch_hole", lambda *_: False)
    assert not store.shorten(key, "stdout")
    assert store.read(key, "stdout", offset=50_000, limit=3) == (b"xxx", 50_003)


def test_what_a_killed_process_left_is_settled(store: LocalLogStore) -> None:
    done, left = log_key(RUN, "done"), log_key(RUN, "left")
    with store.capture(done):
        os.write(1, b"1")
    store.path(left, "stdout").write_bytes(b"half a li")
    ends = store.marks(done)
    for _ in range(2):
        store.settle(RUN)
        assert store.marks(left).complete
        assert store.marks(left).points[-1].stdout == 9
        assert store.marks(done) == ends


def test_a_full_disk_fails_the_print_and_nothing_else(store: LocalLogStore) -> None:
    key = log_key(RUN, "a")
    path = store.path(key, "stdout")
    path.parent.mkdir(parents=True)
    for suffix in (".out", ".marks"):
        path.with_suffix(suffix).symlink_to("/dev/full")
    before = os.fstat(1)
    with store.capture(key) as capture:
        with pytest.raises(OSError, match="No space left"):
            os.write(1, b"lost")
        os.write(2, b"kept")
        capture.mark()
    assert os.fstat(1).st_ino == before.st_ino
    assert text(store, "a", "stderr") == "kept"
