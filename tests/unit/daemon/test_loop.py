"""Leases of duties and the loops under them: one holder at a time, handed over when the holder is gone."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from penstock.daemon.loop import LEASE_SECONDS, LeaseKeeper, Loop, Waker
from penstock.errors import FencedError, StorageError
from penstock.records.lease import Lease
from penstock.storage.sqlite.storage import SqliteStorage
from penstock.testing.clock import FakeClock

DEADLINE = 10.0


class Counting:
    """A duty that tells when it ticks, and fails as it is told to."""

    name = "counting"
    topics = frozenset({"queue"})

    def __init__(self) -> None:
        self.leases: list[Lease] = []
        self.failures: list[Exception] = []
        self.ticked = threading.Semaphore(0)

    def tick(self, lease: Lease) -> float | None:
        self.leases.append(lease)
        self.ticked.release()
        if self.failures:
            raise self.failures.pop(0)
        return None

    def close(self) -> None:
        """Nothing is under way."""


@pytest.fixture
def storage() -> Iterator[SqliteStorage]:
    opened = SqliteStorage(None)
    yield opened
    opened.close()


def keeper(storage: SqliteStorage, holder: str, clock: FakeClock) -> LeaseKeeper:
    return LeaseKeeper(storage.leases, holder, clock)


def test_a_duty_has_one_holder_and_passes_on_when_that_one_is_gone(storage: SqliteStorage) -> None:
    clock = FakeClock()
    first, second = keeper(storage, "daemon-1", clock), keeper(storage, "daemon-2", clock)
    held = first.acquire("queue")
    assert held is not None
    assert second.acquire("queue") is None
    clock.advance(LEASE_SECONDS * 0.75)
    first.renew_all()
    clock.advance(LEASE_SECONDS * 0.75)
    assert second.acquire("queue") is None
    clock.advance(LEASE_SECONDS)
    taken = second.acquire("queue")
    assert taken is not None
    assert taken.epoch == held.epoch + 1
    first.renew_all()
    assert (first.held(), second.held()) == ((), ("queue",))
    assert first.acquire("queue") is None


def test_what_is_given_up_is_free_at_once(storage: SqliteStorage) -> None:
    clock = FakeClock()
    first, second = keeper(storage, "daemon-1", clock), keeper(storage, "daemon-2", clock)
    assert first.acquire("queue") is not None
    first.release_all()
    assert second.acquire("queue") is not None


@pytest.fixture
def stopping() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_a_loop_ticks_whenever_its_topic_is_published(storage: SqliteStorage, stopping: threading.Event) -> None:
    duty = Counting()
    waker = Waker(storage.notifier)
    loop = Loop(duty, keeper(storage, "daemon-1", FakeClock()), waker.listen(duty.topics), stopping)
    waker.start()
    loop.start()
    assert duty.ticked.acquire(timeout=DEADLINE)
    storage.notifier.publish(["assets"])
    storage.notifier.publish(["queue"])
    assert duty.ticked.acquire(timeout=DEADLINE)
    stopping.set()
    waker.stop()
    loop.join(DEADLINE)
    waker.join(DEADLINE)
    assert not loop.is_alive()
    assert {lease.holder for lease in duty.leases} == {"daemon-1"}


@pytest.mark.parametrize("error", [StorageError("the database is away"), ValueError("a bug"), FencedError("too late")])
def test_a_duty_that_fails_is_done_again(
    storage: SqliteStorage, stopping: threading.Event, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.daemon.loop.LEASE_SECONDS", 0.02)  # the pauses are fractions of it
    monkeypatch.setattr("penstock.daemon.loop._LONGEST_PAUSE", 0.01)
    duty = Counting()
    duty.failures = [error, error]
    loop = Loop(duty, keeper(storage, "daemon-1", FakeClock()), threading.Event(), stopping)
    loop.start()
    for _ in range(3):
        assert duty.ticked.acquire(timeout=DEADLINE)
    stopping.set()
    loop.join(DEADLINE)
    assert loop.error is None
