"""A lease on Postgres passes on also when its last holder was stopped in the middle of a transaction under it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from penstock.errors import FencedError
from penstock.records.lease import Lease
from penstock.storage.postgres.connection import Database
from penstock.storage.postgres.leases import PostgresLeases, require_lease
from penstock.storage.postgres.notifier import PostgresNotifier
from penstock.storage.postgres.storage import PostgresStorage
from penstock.storage.postgres.transaction import Transaction


class _Stopped:
    """A process that writes under its lease and goes no further, until it is told to."""

    def __init__(self, database: Database, lease: Lease) -> None:
        self._database = database
        self._lease = lease
        self._stopped = threading.Event()
        self.goes_on = threading.Event()
        self._threads = ThreadPoolExecutor(1)
        self.outcome = self._threads.submit(database.write, "stop in the middle", self._work, repeatable=True)
        assert self._stopped.wait(10)

    def _work(self, tx: Transaction) -> None:
        require_lease(tx, self._lease)
        tx.rows("UPDATE counters SET value = value RETURNING value")  # what all wait for who store events
        self._stopped.set()
        assert self.goes_on.wait(30)
        tx.rows("SELECT 1")

    def close(self) -> None:
        self.goes_on.set()
        self._threads.shutdown()


@pytest.fixture
def storage(postgres_url: str) -> Iterator[PostgresStorage]:
    storage = PostgresStorage(postgres_url)
    storage.migrate()
    yield storage
    storage.close()


@pytest.fixture
def database(postgres_url: str, storage: PostgresStorage) -> Iterator[Database]:
    """As another process has it."""
    database = Database(psycopg.conninfo.conninfo_to_dict(postgres_url))
    yield database
    database.pool.close()


def test_the_write_of_a_stopped_process_is_ended_by_who_takes_over(
    storage: PostgresStorage, database: Database
) -> None:
    lease = storage.leases.acquire("sensors/3", "first", ttl=4.0, now=100.0)
    assert lease is not None
    stopped = _Stopped(database, lease)
    try:
        assert storage.leases.renew([lease], ttl=4.0, now=101.0), "a lease is prolonged beside a write under it"
        assert storage.leases.acquire("sensors/3", "second", ttl=4.0, now=104.9) is None, "it is not over"
        assert not stopped.outcome.done()
        assert storage.leases.acquire("sensors/3", "second", ttl=4.0, now=105.1) is None, (
            "it is waited for, for a moment"
        )
        assert not stopped.outcome.done()
        impatient = PostgresLeases(database, PostgresNotifier(database), patience=0.0)
        taken = impatient.acquire("sensors/3", "second", ttl=4.0, now=105.1)
        assert taken is not None
        assert (taken.holder, taken.epoch) == ("second", lease.epoch + 1)
    finally:
        stopped.close()
    with pytest.raises(FencedError, match="is held by second, epoch 2"):
        stopped.outcome.result(10)  # it was lost with its session, and refused when it was tried again


def test_what_is_written_under_another_lease_goes_on(storage: PostgresStorage, database: Database) -> None:
    leases = [storage.leases.acquire(name, "first", ttl=4.0, now=100.0) for name in ("sensors/3", "sensors/4")]
    assert leases[0] is not None
    stopped = _Stopped(database, leases[0])
    try:
        assert storage.leases.acquire("sensors/4", "second", ttl=4.0, now=105.0) is not None
    finally:
        stopped.close()
    stopped.outcome.result(10)
