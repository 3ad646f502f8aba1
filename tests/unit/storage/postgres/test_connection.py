"""Connections: transactions, what is tried again, errors in words, forks."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from penstock.errors import StorageError, StorageUnavailableError
from penstock.storage.postgres.connection import Database
from penstock.storage.postgres.pool import Connection, Pool
from penstock.storage.postgres.storage import PostgresStorage
from penstock.storage.postgres.transaction import Transaction
from penstock.testing import FakeClock
from support.postgres import PostgresServer


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    database = Database(psycopg.conninfo.conninfo_to_dict(postgres_url))
    database.write("make a table", lambda tx: tx.send("CREATE TABLE t (x BIGINT UNIQUE)"))
    yield database
    database.pool.close()


@pytest.fixture
def other(postgres_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        yield connection


def _rows(database: Database) -> list[int]:
    return [row[0] for row in database.read("read", "SELECT x FROM t ORDER BY x")]


def _insert(database: Database, *numbers: int) -> None:
    database.write("write", lambda tx: tx.send_each("INSERT INTO t VALUES (%s)", [(each,) for each in numbers]))


def _end_all_others(connection: psycopg.Connection) -> None:
    """End every other connection to this database, as a server that restarts does, and wait until they are gone."""
    there = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    connection.execute(f"SELECT pg_terminate_backend(pid, 10000) {there}")
    assert connection.execute(f"SELECT COUNT(*) {there}").fetchone() == (0,)


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
    def fail_midway(tx: Transaction) -> None:
        tx.send("INSERT INTO t VALUES (1)")
        raise KeyError

    with pytest.raises(KeyError):
        database.write("write", fail_midway)
    assert _rows(database) == []
    _insert(database, 2)
    assert _rows(database) == [2]


def test_a_refusal_that_shows_at_the_commit_undoes_all_of_it(database: Database) -> None:
    with pytest.raises(StorageError, match="duplicate key") as caught:
        _insert(database, 1, 2, 1)
    assert not isinstance(caught.value, StorageUnavailableError)
    assert _rows(database) == []


def test_a_read_outlives_the_loss_of_its_connection(database: Database, other: psycopg.Connection) -> None:
    _insert(database, 1)
    _end_all_others(other)
    assert _rows(database) == [1]
    lost = "SELECT pg_terminate_backend(pg_backend_pid()) FROM t WHERE NOT EXISTS (SELECT 1 FROM lost)"
    database.write("make a table", lambda tx: tx.send("CREATE TABLE lost ()"))
    with pytest.raises(StorageUnavailableError):
        database.read("read", lost)  # twice lost is lost
    assert _rows(database) == [1]


def test_a_write_that_was_lost_before_its_end_is_done_again(database: Database) -> None:
    tries: list[int] = []

    def end_the_first_one(tx: Transaction) -> None:
        tries.append(len(tries))
        tx.send("INSERT INTO t VALUES (1)")
        if len(tries) == 1:
            tx.row("SELECT pg_terminate_backend(pg_backend_pid())")

    database.write("write", end_the_first_one)
    assert (_rows(database), tries) == ([1], [0, 1])


def test_a_write_whose_end_is_not_known_is_not_done_again(database: Database) -> None:
    tries: list[int] = []

    def end_at_the_commit(tx: Transaction) -> None:
        tries.append(len(tries))
        tx.send("INSERT INTO t VALUES (1)")
        tx.send("SELECT pg_terminate_backend(pg_backend_pid())")  # seen when COMMIT has been sent

    with pytest.raises(StorageUnavailableError, match="look before you do it again"):
        database.write("write", end_at_the_commit)
    assert tries == [0]


def test_what_may_happen_twice_is_done_again_whatever_became_of_it(database: Database) -> None:
    tries: list[int] = []

    def end_the_first_one_at_the_commit(tx: Transaction) -> None:
        tries.append(len(tries))
        tx.send("INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING")
        if len(tries) == 1:
            tx.send("SELECT pg_terminate_backend(pg_backend_pid())")

    database.write("write", end_the_first_one_at_the_commit, repeatable=True)
    assert (_rows(database), tries) == ([1], [0, 1])


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["fast", "immediate"])
def test_a_server_that_restarts_is_waited_for_but_not_by_who_has_better_to_do(how: signal.Signals) -> None:
    server = PostgresServer()
    clock = FakeClock()
    database = Database(psycopg.conninfo.conninfo_to_dict(server.url()), outage_patience=60, own_clock=clock)
    assert database.read("read", "SELECT 1") == [(1,)]
    server.stop(how)
    with pytest.raises(StorageUnavailableError, match="See that the server runs"):
        database.write("write", lambda tx: tx.send("SELECT 1"), patient=False)
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(database.read, "read", "SELECT 2")
        server.start()
        assert answer.result() == [(2,)]
    database.write("write", lambda tx: tx.send("CREATE TABLE t (x BIGINT)"))
    server.stop(how)
    with pytest.raises(StorageUnavailableError):
        database.write("write", lambda tx: tx.send("SELECT 1"), patient=False)
    clock.advance(60)
    with pytest.raises(StorageUnavailableError):
        database.read("read", "SELECT 1")  # for long enough now: nobody waits any more
    database.pool.close()
    server.close()


def test_a_process_that_is_stopped_inside_of_a_transaction_does_not_hold_up_the_others(
    postgres_url: str, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    _insert(database, 1)
    impatient = "-c idle_in_transaction_session_timeout=100ms"
    stopped = Database(psycopg.conninfo.conninfo_to_dict(postgres_url, options=impatient))
    others: list[object] = []

    def work(tx: Transaction) -> None:
        tx.row("SELECT 1 FROM t WHERE x = 1 FOR UPDATE")
        others.append(database.write("write", lambda other: other.row("UPDATE t SET x = 2 WHERE x = 1 RETURNING x")))
        tx.row("UPDATE t SET x = 3 RETURNING x")

    stopped.write("write", work)
    assert others == [(2,), None]  # it went through; the stopped one then began again
    assert _rows(database) == [3]
    assert caplog.records == []  # it is told once, by the error
    stopped.pool.close()


def test_rivals_that_wait_for_each_other_both_get_through(database: Database) -> None:
    _insert(database, 1, 2)
    both_hold_one = threading.Barrier(2, timeout=30)
    tries = []

    def cross(first: int, second: int) -> None:
        def work(tx: Transaction) -> None:
            tries.append(first)
            tx.rows("SELECT 1 FROM t WHERE x = %s FOR UPDATE", (first,))
            if len(tries) <= 2:
                both_hold_one.wait()
            tx.rows("SELECT 1 FROM t WHERE x = %s FOR UPDATE", (second,))
            tx.send("UPDATE t SET x = x + 10 WHERE x IN (%s, %s)", (first, second))

        database.write("write", work)

    threads = [threading.Thread(target=cross, args=order) for order in ((1, 2), (2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _rows(database) == [11, 12]
    # One of them had to begin again; more than once where it locks its row anew before the server lets the other go on,
    # for a waiting one has no right to a row that was set free.
    assert len(tries) > 2


def test_an_error_names_the_deed_the_database_and_the_way_out_but_no_password() -> None:
    database = Database({"host": "127.0.0.1", "port": 1, "dbname": "runs", "user": "me", "password": "hush"})
    with pytest.raises(StorageUnavailableError) as caught:
        database.read("read the runs", "SELECT 1")
    text = str(caught.value)
    assert "read the runs" in text
    assert "'runs' on 127.0.0.1:1" in text
    assert "See that the server runs" in text
    assert "hush" not in text


def test_what_is_missing_is_said_with_its_remedy(database: Database) -> None:
    with pytest.raises(StorageError, match=r"migrate\(\)"):
        database.read("read", "SELECT * FROM runs")
    storage = PostgresStorage("postgresql://127.0.0.1/x", password="hush")
    assert "hush" not in storage._database.name


def test_text_that_is_no_unicode_is_refused_in_words(database: Database) -> None:
    with pytest.raises(StorageError, match="not valid Unicode"):
        database.read("read", "SELECT %s", ("\udc9f",))


def test_text_with_a_zero_is_refused_and_not_taken_for_an_outage(database: Database) -> None:
    with pytest.raises(StorageError, match="NUL") as caught:
        database.read("read", "SELECT %s", ("a\x00b",))
    assert not isinstance(caught.value, StorageUnavailableError)


def test_a_server_that_may_only_be_read_is_away_for_writers(database: Database, other: psycopg.Connection) -> None:
    name = other.info.dbname
    other.execute(f"ALTER DATABASE {name} SET default_transaction_read_only TO on")
    database.pool.close()
    with pytest.raises(StorageUnavailableError, match="target_session_attrs"):
        _insert(database, 1)


def _at_once(count: int, act: Callable[[int], object]) -> list[object]:
    """What `act` gives in each of so many threads, which begin together."""
    together = threading.Barrier(count, timeout=30)

    def begin(index: int) -> object:
        together.wait()
        return act(index)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(begin, range(count)))


def _is_open(connection: Connection) -> bool:
    return not connection.closed


def test_connections_are_used_again_and_closed_when_nobody_needs_them(postgres_url: str) -> None:
    clock = FakeClock()
    pool = Pool(psycopg.conninfo.conninfo_to_dict(postgres_url), size=3, patience=30, clock=clock)
    first, second = pool.take(), pool.take()
    pool.give_back(first)
    pool.give_back(second)
    assert pool.take() is second
    clock.advance(59)
    pool.give_back(second)
    assert _is_open(first)
    clock.advance(1)
    assert pool.take() is second
    pool.give_back(second)
    assert not _is_open(first)
    pool.close()
    assert not _is_open(second)


def test_many_share_few_connections(postgres_url: str, database: Database, other: psycopg.Connection) -> None:
    small = Database(psycopg.conninfo.conninfo_to_dict(postgres_url, application_name="small"), pool_size=2)
    open_now = "SELECT COUNT(*) FROM pg_stat_activity WHERE application_name = 'small'"

    def work(index: int) -> object:
        small.write("write", lambda tx: tx.send("INSERT INTO t VALUES (%s)", (index,)))
        return (other.execute(open_now).fetchone() or (0,))[0]

    assert set(_at_once(30, work)) <= {1, 2}
    assert _rows(database) == list(range(30))
    small.pool.close()


def test_who_finds_no_free_connection_is_told_what_to_do(postgres_url: str, database: Database) -> None:
    small = Database(psycopg.conninfo.conninfo_to_dict(postgres_url), pool_size=1, pool_patience=0.01)

    def work(_tx: Transaction) -> None:
        with pytest.raises(StorageUnavailableError, match=r"read the rows .* all 1 connections .*pool_size"):
            small.read("read the rows", "SELECT 1")
        small.tell("SELECT pg_notify(%s, %s)", ("x", "y"))  # a hint is left out

    small.write("write", work)
    assert small.read("read", "SELECT 1") == [(1,)]
    small.pool.close()


def test_the_server_s_default_isolation_does_not_count(database: Database, other: psycopg.Connection) -> None:
    other.execute(f"ALTER DATABASE {other.info.dbname} SET default_transaction_isolation TO serializable")
    database.pool.close()
    assert database.read("read", "SHOW transaction_isolation") == [("read committed",)]


def test_rivals_under_a_strict_isolation_all_get_through(postgres_url: str, database: Database) -> None:
    options = "-c default_transaction_isolation=serializable"
    strict = Database(psycopg.conninfo.conninfo_to_dict(postgres_url, options=options))
    assert strict.read("read", "SHOW transaction_isolation") == [("serializable",)]
    _insert(database, 0)
    both_have_read = threading.Barrier(2, timeout=30)
    tries: list[int] = []

    def add_one(index: int) -> None:
        def work(tx: Transaction) -> None:
            tries.append(index)
            row = tx.row("SELECT x FROM t")
            assert row is not None
            if len(tries) <= 2:
                both_have_read.wait()  # neither has seen the other's, so one of them must begin again
            tx.send("UPDATE t SET x = %s", (row[0] + 1,))

        strict.write("write", work)

    _at_once(2, add_one)
    assert _rows(database) == [2]
    assert len(tries) > 2
    strict.pool.close()


def test_parent_and_child_go_on_with_connections_of_their_own(database: Database) -> None:
    _insert(database, 1)
    inherited = [connection.fileno() for connection in database.pool._open]

    def in_child() -> None:
        for descriptor in inherited:
            with pytest.raises(OSError, match="Bad file descriptor"):
                os.fstat(descriptor)
        _insert(database, 2)
        assert _rows(database) == [1, 2]
        database.pool.close()

    assert _in_child(in_child) == 0
    assert [connection.fileno() for connection in database.pool._open] == inherited
    assert _rows(database) == [1, 2]


def test_a_fork_inside_a_transaction_leaves_both_sides_whole(database: Database) -> None:
    def in_child() -> None:
        _insert(database, 5)
        os._exit(0)  # as a worker's child does: without a word on the parent's connection

    def work(tx: Transaction) -> None:
        tx.rows("INSERT INTO t VALUES (1) RETURNING x")
        assert _in_child(in_child) == 0

    database.write("write", work)
    assert _rows(database) == [1, 5]
