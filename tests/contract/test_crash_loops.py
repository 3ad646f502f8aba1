"""Writers are killed and the database is ended without a word, again and again: what was acknowledged is stored, once.

PENSTOCK_STORAGE_SECONDS says for how long; by default there are a few rounds. PENSTOCK_STORAGE_SEED makes the same
choices again.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from penstock.storage.notifier import Subscription
from penstock.storage.postgres import PostgresStorage
from penstock.storage.protocols import Storage
from penstock.storage.sqlite import SqliteStorage
from penstock.testing.storage_contract.processes import Opener
from support.postgres import PostgresServer, scratch_database
from support.writers import Writer, acknowledged, long_seconds, start_writer, wrong_with

pytestmark = pytest.mark.timeout(240 + (long_seconds() or 0) * 2)

SEED = int(os.environ.get("PENSTOCK_STORAGE_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)
_WRITERS = 4
_ROUNDS = 3
_NOTES_AT_MOST = 12
_LOOK = 0.005
_PATIENCE = 60.0


class Crowd:
    """Some writers, each of whom is replaced when it dies."""

    def __init__(self, opener: Opener, diaries: Path) -> None:
        self._opener = opener
        self._diaries = diaries
        self._names = itertools.count()
        self._patience = time.monotonic() + 10_000 + (long_seconds() or 0)
        self.writers = [self._start() for _ in range(_WRITERS)]
        self.kills = 0

    def _start(self) -> BaseProcess:
        name = next(self._names)
        writer = Writer(self._diaries / f"{name}", SEED + name, until=self._patience, patient=True)
        return start_writer(writer, self._opener)

    def notes(self) -> int:
        """How much has been noted, in bytes."""
        return sum(diary.stat().st_size for diary in self._diaries.iterdir())

    def write_more(self, notes: int) -> None:
        """Wait until about so many further batches were acknowledged."""
        enough = self.notes() + notes * 40
        deadline = time.monotonic() + _PATIENCE
        while self.notes() < enough:
            assert all(writer.is_alive() for writer in self.writers), "a writer gave up"
            assert time.monotonic() < deadline, "nothing is acknowledged any more"
            threading.Event().wait(_LOOK)

    def kill(self, place: int) -> None:
        """End one without a word, and put another in its place."""
        self.writers[place].kill()
        self.writers[place].join()
        self.writers[place] = self._start()
        self.kills += 1

    def end(self) -> None:
        """End all of them without a word."""
        for writer in self.writers:
            writer.kill()
        for writer in self.writers:
            writer.join()


def _rounds() -> Iterator[int]:
    seconds = long_seconds()
    until = None if seconds is None else time.monotonic() + seconds
    for number in itertools.count():
        if number == _ROUNDS if until is None else time.monotonic() >= until:
            return
        yield number


def _crash(
    storage: Storage, opener: Opener, diaries: Path, break_down: Callable[[int], None] = lambda _round: None
) -> None:
    print(f"PENSTOCK_STORAGE_SEED={SEED}")
    chance = random.Random(SEED)
    diaries.mkdir()
    crowd = Crowd(opener, diaries)
    listener = storage.notifier.subscribe()
    try:
        for number in _rounds():
            crowd.write_more(chance.randrange(_NOTES_AT_MOST))
            crowd.kill(chance.randrange(_WRITERS))
            crowd.write_more(chance.randrange(_NOTES_AT_MOST))
            break_down(number)
        crowd.write_more(_NOTES_AT_MOST)
        _hears_of_runs(listener)
    finally:
        crowd.end()
        listener.close()
    told = acknowledged(diaries)
    assert wrong_with(storage, told) == []
    print(f"{crowd.kills} writers killed; {len(told)} runs, {sum(told.values())} events acknowledged")


def _hears_of_runs(listener: Subscription) -> None:
    """Wait until it hears of a run by name: who lost the connection hears "anything" first."""
    deadline = time.monotonic() + _PATIENCE
    while not any(topic.startswith("run:") for topic in listener.wait(1)):
        assert time.monotonic() < deadline, "nothing is heard any more"


def test_killed_writers_on_sqlite(tmp_path: Path) -> None:
    opener = partial(SqliteStorage, tmp_path / "penstock.db")
    storage = opener()
    storage.migrate()
    _crash(storage, opener, tmp_path / "diaries")
    storage.close()


@contextmanager
def _own_server() -> Iterator[PostgresServer]:
    server = PostgresServer()
    try:
        yield server
    finally:
        server.close()


def test_killed_writers_on_a_postgres_that_is_killed_as_well(tmp_path: Path) -> None:
    with _own_server() as server, scratch_database(server.url()) as url:
        opener = partial(PostgresStorage, url)
        storage = opener()
        storage.migrate()

        def break_down(number: int) -> None:
            server.stop(signal.SIGQUIT if number % 3 else signal.SIGINT)
            server.start()

        _crash(storage, opener, tmp_path / "diaries", break_down)
        storage.close()
