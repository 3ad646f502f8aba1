"""Connections: transactions, errors in words, locks, forks."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from penstock.errors import StorageError, StorageUnavailableError
from penstock.storage.sqlite.connection import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "test.db", patience=5.0)
    with database.write("make a table") as connection:
        connection.execute("CREATE TABLE t (x INTEGER UNIQUE)")
    yield database
    database.close()


def _rows(database: Database) -> list[int]:
    with database.read("read") as connection:
        return [row[0] for row in connection.execute("SELECT x FROM t ORDER BY x")]


def _in_child(work: Callable[[], None]) -> int:
    """The exit code of a forked child that does this: 0 when nothing was raised."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001 - a child of a test must end here, whatever happened
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_an_exception_undoes_the_whole_transaction(database: Database) -> None:
    def fail_midway() -> None:
        with database.write("write") as connection:
            connection.execute("INSERT INTO t VALUES (1)")
            raise KeyError

    with pytest.raises(KeyError):
        fail_midway()
    assert _rows(database) == []
    with database.write("write") as connection:
        connection.execute("INSERT INTO t VALUES (2)")
    assert _rows(database) == [2]


def test_a_read_sees_one_state_throughout(database: Database) -> None:
    with database.read("read") as connection:
        before = connection.execute("SELECT COUNT(*) FROM t").fetchone()
        with database.write("write") as writer:
            writer.execute("INSERT INTO t VALUES (1)")
        assert connection.execute("SELECT COUNT(*) FROM t").fetchone() == before
    assert _rows(database) == [1]


def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(StorageError, match="readonly"), database.read("read") as connection:
        connection.execute("INSERT INTO t VALUES (1)")


def test_an_error_names_the_deed_the_file_and_the_way_out(database: Database, tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught, database.read("read the runs") as connection:
        connection.execute("SELECT * FROM runs")
    assert isinstance(caught.value, StorageUnavailableError)  # as after the file was moved away
    text = str(caught.value)
    assert "read the runs" in text
    assert str(database.path) in text
    assert "migrate()" in text
    assert isinstance(caught.value.__cause__, sqlite3.Error)
    (tmp_path / "text.db").write_text("this is no database, only some text that is long enough" * 50)
    damaged = Database(tmp_path / "text.db")
    with pytest.raises(StorageError, match="backup"), damaged.write("write"):
        pass
    damaged.close()
    nowhere = Database(tmp_path / "no" / "folder" / "x.db")
    with pytest.raises(StorageUnavailableError, match="folder exist"), nowhere.read("read"):
        pass


def test_text_that_is_no_unicode_is_refused_in_words(database: Database) -> None:
    with pytest.raises(StorageError, match="not valid Unicode"), database.write("write") as connection:
        connection.execute("INSERT INTO t VALUES (?)", ("\udc80",))


def test_a_lock_of_another_process_is_waited_for(database: Database) -> None:
    assert database.path is not None
    other = sqlite3.connect(database.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO t VALUES (1)")
    waiting = threading.Event()
    release = threading.Timer(0.2, lambda: waiting.wait(5) and other.execute("COMMIT"))
    release.start()
    waiting.set()
    with database.write("write") as connection:
        connection.execute("INSERT INTO t VALUES (2)")
    release.join()
    other.close()
    assert _rows(database) == [1, 2]


def test_patience_ends_with_words(database: Database) -> None:
    assert database.path is not None
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    impatient = Database(database.path, patience=0.01)
    with pytest.raises(StorageUnavailableError, match="Another process held the database"), impatient.write("write"):
        pass
    other.close()
    impatient.close()
    with database.write("write") as connection:
        connection.execute("INSERT INTO t VALUES (1)")


def test_threads_share_a_database(database: Database) -> None:
    def work(first: int) -> None:
        for number in range(first, first + 50):
            with database.write("write") as connection:
                connection.execute("INSERT INTO t VALUES (?)", (number,))
            assert number in _rows(database)

    threads = [threading.Thread(target=work, args=(first * 1000,)) for first in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(_rows(database)) == 300


def test_a_use_after_close_opens_anew(database: Database) -> None:
    database.close()
    database.close()
    assert _rows(database) == []


# -- fork -------------------------------------------------------------------------------------------------------------


def test_parent_and_child_go_on_with_connections_of_their_own(database: Database) -> None:
    assert _rows(database) == []

    def child() -> None:
        with database.write("write") as connection:
            connection.execute("INSERT INTO t VALUES (1)")
        assert _rows(database) == [1]

    assert _in_child(child) == 0
    with database.write("write") as connection:
        connection.execute("INSERT INTO t VALUES (2)")
    assert _rows(database) == [1, 2]


def test_no_connection_is_open_at_a_fork(database: Database) -> None:
    watch = database.watch()
    watch.changed()
    assert _rows(database) == []

    def child() -> None:
        for number in range(3, 256):
            with contextlib.suppress(OSError):
                assert "test.db" not in str(Path(f"/proc/self/fd/{number}").readlink())

    assert _in_child(child) == 0


def test_a_fork_waits_for_the_transactions_of_other_threads(database: Database) -> None:
    inside, may_end = threading.Event(), threading.Event()

    def write() -> None:
        with database.write("write") as connection:
            connection.execute("INSERT INTO t VALUES (1)")
            inside.set()
            may_end.wait(5)

    writer = threading.Thread(target=write)
    writer.start()
    inside.wait(5)
    end = threading.Timer(0.05, may_end.set)
    end.start()

    def child() -> None:
        assert _rows(database) == [1]

    assert _in_child(child) == 0
    writer.join()
    end.join()


def test_a_fork_inside_a_transaction_leaves_the_child_without_the_database(database: Database) -> None:
    def child() -> None:
        with pytest.raises(StorageError, match="forkserver"):
            _rows(database)

    with database.write("write") as connection:
        connection.execute("INSERT INTO t VALUES (1)")
        assert _in_child(child) == 0
    assert _rows(database) == [1]


def test_a_database_in_memory_is_its_process_s_own() -> None:
    memory = Database(None)
    with memory.write("write") as connection:
        connection.execute("CREATE TABLE t (x)")

    def child() -> None:
        with pytest.raises(StorageError, match="use a file"):
            _rows(memory)

    assert _in_child(child) == 0
    assert _rows(memory) == []
    memory.close()


def test_a_watch_tells_of_changes_by_others_only_once(database: Database) -> None:
    watch = database.watch()
    assert not watch.changed()
    with database.write("write") as connection:
        connection.execute("INSERT INTO t VALUES (1)")
    assert watch.changed()
    assert not watch.changed()
    watch.rest()
    assert not watch.changed()
