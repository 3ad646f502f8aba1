"""Very many writers at once: nobody is told of a lock, nothing is lost, and all that is derived is as the log says.

PENSTOCK_STORAGE_SECONDS says for how long they write; by default each writes one run.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import psycopg
import pytest

from penstock.storage.postgres import PostgresStorage
from penstock.storage.sqlite import SqliteStorage
from support.writers import Writer, acknowledged, long_seconds, start_writer, wrong_with

pytestmark = pytest.mark.timeout(240 + (long_seconds() or 0) * 2)

_PROCESSES = 50
_CLIENTS = 200
_POOL = 20


def _until() -> float | None:
    seconds = long_seconds()
    return None if seconds is None else time.monotonic() + seconds


@pytest.fixture
def diaries(tmp_path: Path) -> Path:
    folder = tmp_path / "diaries"
    folder.mkdir()
    return folder


def test_fifty_processes_write_at_once(tmp_path: Path, diaries: Path) -> None:
    opener = partial(SqliteStorage, tmp_path / "penstock.db")
    storage = opener()
    storage.migrate()
    until = _until()
    writers = [start_writer(Writer(diaries / f"{seed}", seed, until=until), opener) for seed in range(_PROCESSES)]
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * _PROCESSES
    told = acknowledged(diaries)
    assert len(told) >= _PROCESSES
    assert wrong_with(storage, told) == []
    storage.close()
    print(f"{len(told)} runs, {sum(told.values())} events acknowledged")


def test_two_hundred_clients_share_twenty_connections(postgres_url: str, diaries: Path) -> None:
    shared = PostgresStorage(postgres_url, pool_size=_POOL, pool_patience=120, application_name="clients")
    shared.migrate()
    until = _until()
    open_now = "SELECT COUNT(*) FROM pg_stat_activity WHERE application_name = 'clients'"
    most = 0
    done = threading.Event()

    def watch() -> None:
        nonlocal most
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            while not done.wait(0.01):
                ((count,),) = connection.execute(open_now).fetchall()
                most = max(most, count)

    with ThreadPoolExecutor(_CLIENTS + 1) as threads:
        watching = threads.submit(watch)
        together = threading.Barrier(_CLIENTS)

        def work(seed: int) -> None:
            together.wait()
            Writer(diaries / f"{seed}", seed, until=until).work(shared)

        clients = [threads.submit(work, seed) for seed in range(_CLIENTS)]
        try:
            for client in clients:
                client.result()
        finally:
            done.set()
        watching.result()
    assert 1 < most <= _POOL
    told = acknowledged(diaries)
    assert len(told) >= _CLIENTS
    assert wrong_with(shared, told) == []
    shared.close()
    print(f"{len(told)} runs, {sum(told.values())} events acknowledged")
