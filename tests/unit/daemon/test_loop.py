"""Leases of duties and the loops under them: one holder at a time, handed over when the holder is gone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from penstock.daemon.keeper import LEASE_SECONDS, Held, LeaseKeeper, parts_of
from penstock.daemon.loop import Loop, Waker
from penstock.daemon.process import Daemon
from penstock.errors import FencedError, StorageError, StorageUnavailableError
from penstock.instance.instance import Instance
from penstock.records.lease import Lease, ProcessInfo
from penstock.storage.sqlite.storage import SqliteStorage
from penstock.testing.clock import FakeClock

DEADLINE = 10.0


class Counting:
    """A duty that tells when it ticks, and fails as it is told to."""

    name = "counting"
    parts = 1
    topics = frozenset({"queue"})

    def __init__(self) -> None:
        self.leases: list[Lease] = []
        self.failures: list[Exception] = []
        self.ticked = threading.Semaphore(0)

    def tick(self, held: Held) -> float | None:
        self.leases.append(held.lease)
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


def keeper(storage: SqliteStorage, holder: str, clock: FakeClock, names: tuple[str, ...] = ("queue",)) -> LeaseKeeper:
    built = LeaseKeeper(storage.leases, holder, clock)
    built.watch(names)
    return built


def look(looking: LeaseKeeper, clock: FakeClock, *, takes: float = 0.0) -> float:
    def sign_of_life(now: float) -> ProcessInfo:
        clock.advance(takes)
        return ProcessInfo(id=looking.holder, kind="daemon", host="h", pid=1, version="1", started=now, seen=now)

    return looking.look(sign_of_life)


def test_a_duty_has_one_holder_and_passes_on_when_that_one_is_gone(storage: SqliteStorage) -> None:
    clock = FakeClock()
    first, second = keeper(storage, "daemon-1", clock), keeper(storage, "daemon-2", clock)
    look(first, clock)
    held = first.held(["queue"]).lease
    look(second, clock)
    assert not second.held(["queue"])
    for _ in range(3):
        clock.advance(LEASE_SECONDS * 0.75)
        look(first, clock)
        look(second, clock)
    assert (len(first.held(["queue"])), len(second.held(["queue"]))) == (1, 0)
    clock.advance(look(second, clock))  # the first is heard of no more
    while not second.held(["queue"]):
        clock.advance(look(second, clock))
    assert clock.monotonic() <= 3 * LEASE_SECONDS * 0.75 + LEASE_SECONDS + 1
    assert second.held(["queue"]).lease.epoch == held.epoch + 1
    look(first, clock)
    assert not first.held(["queue"])


def test_what_a_lost_daemon_had_is_shared_out_with_the_first_look_after_its_leases_end(storage: SqliteStorage) -> None:
    clock = FakeClock()
    names = parts_of("sensors", 4)
    first, second = keeper(storage, "daemon-1", clock, names), keeper(storage, "daemon-2", clock, names)
    for _ in range(2):
        look(second, clock)
        look(first, clock, takes=0.5)
    assert (len(first.held(names)), len(second.held(names))) == (2, 2)
    lost, pause = clock.monotonic(), 0.0
    while len(second.held(names)) < 4:
        clock.advance(pause)
        pause = look(second, clock)
    assert clock.monotonic() - lost < LEASE_SECONDS + 0.1


def test_who_reaches_for_what_another_daemon_takes_looks_for_the_rest_soon(
    storage: SqliteStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    names = parts_of("sensors", 4)
    lost, first, second = (keeper(storage, f"daemon-{number}", clock, names) for number in range(3))
    look(lost, clock)
    clock.advance(LEASE_SECONDS + 0.1)
    acquire = storage.leases.acquire

    def too_late(name: str, holder: str, *, ttl: float, now: float) -> Lease | None:
        monkeypatch.undo()
        look(second, clock)  # it has read what is free, and the other one takes all of it
        return acquire(name, holder, ttl=ttl, now=now)

    monkeypatch.setattr(storage.leases, "acquire", too_late)
    assert look(first, clock) <= 0.1
    assert len(second.held(names)) == 4
    assert len(first.held(names)) == 0
    clock.advance(0.1)
    assert look(first, clock) > 0.5


def test_a_daemon_that_dies_before_the_clock_is_set_back_is_followed_at_once(storage: SqliteStorage) -> None:
    clock = FakeClock()
    names = parts_of("sensors", 4)
    first, second = keeper(storage, "daemon-1", clock, names), keeper(storage, "daemon-2", clock, names)
    look(first, clock)
    clock.jump(-3600)
    look(second, clock)
    assert len(second.held(names)) == 4


def test_the_parts_of_a_duty_are_shared_when_another_daemon_comes_but_not_those_at_work(
    storage: SqliteStorage,
) -> None:
    clock = FakeClock()
    names = parts_of("sensors", 4)
    first, second = keeper(storage, "daemon-1", clock, names), keeper(storage, "daemon-2", clock, names)
    look(first, clock)
    look(second, clock)
    held = first.held(names)
    assert (len(held), len(second.held(names))) == (4, 0)
    by_name = {part.lease.name: part for key in range(100) if (part := held.part_of(str(key))) is not None}
    assert set(by_name) == set(names)
    with by_name["sensors/3"].used():
        look(first, clock)
        look(second, clock)
        assert (len(first.held(names)), len(second.held(names))) == (3, 1)
    look(first, clock)
    look(second, clock)
    assert (len(first.held(names)), len(second.held(names))) == (2, 2)
    owners = {lease.name: lease.holder for lease in storage.leases.all()}
    assert sorted(owners.values()) == ["daemon-1", "daemon-1", "daemon-2", "daemon-2"]


def test_what_is_given_up_is_free_at_once(storage: SqliteStorage) -> None:
    clock = FakeClock()
    first, second = keeper(storage, "daemon-1", clock), keeper(storage, "daemon-2", clock)
    look(first, clock)
    first.release_all()
    look(second, clock)
    assert second.held(["queue"])


def held_for_long(storage: SqliteStorage) -> LeaseKeeper:
    return LeaseKeeper(storage.leases, "daemon-1", FakeClock())


@pytest.fixture
def stopping() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_a_loop_ticks_whenever_its_topic_is_published(storage: SqliteStorage, stopping: threading.Event) -> None:
    duty = Counting()
    waker = Waker(storage.notifier)
    ours = held_for_long(storage)
    loop = Loop(duty, ours, waker.listen(duty.topics), stopping)
    look(ours, FakeClock())
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
    monkeypatch.setattr("penstock.daemon.loop._LOOK_AGAIN", 0.01)
    monkeypatch.setattr("penstock.daemon.loop._LONGEST_PAUSE", 0.01)
    duty = Counting()
    duty.failures = [error, error]
    ours = held_for_long(storage)
    loop = Loop(duty, ours, threading.Event(), stopping)
    look(ours, FakeClock())
    loop.start()
    for _ in range(3):
        assert duty.ticked.acquire(timeout=DEADLINE)
    stopping.set()
    loop.join(DEADLINE)
    assert loop.error is None


def test_a_look_that_does_not_end_is_told(
    storage: SqliteStorage, stopping: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    duty, clock = Counting(), FakeClock()
    begun, go_on = threading.Event(), threading.Event()

    def hang(_held: Held) -> None:
        begun.set()
        assert go_on.wait(DEADLINE)

    monkeypatch.setattr(duty, "tick", hang)
    ours = held_for_long(storage)
    loop = Loop(duty, ours, threading.Event(), stopping, clock=clock)
    look(ours, FakeClock())
    loop.start()
    assert begun.wait(DEADLINE)
    assert loop.trouble() is None
    clock.advance(61)
    assert loop.trouble() == "counting: one look has taken 61 s and has not ended (see its log)"
    stopping.set()
    go_on.set()
    loop.join(DEADLINE)
    assert loop.trouble() is None


def test_a_daemon_lives_on_whatever_a_look_at_its_leases_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    looks, failures, really = threading.Semaphore(0), [KeyError("a bug")], LeaseKeeper.look

    def failing(looking: LeaseKeeper, sign_of_life: Callable[[float], ProcessInfo]) -> float:
        looks.release()
        if failures:
            raise failures.pop()
        return really(looking, sign_of_life)

    monkeypatch.setattr(LeaseKeeper, "look", failing)
    monkeypatch.setattr("penstock.daemon.process.LOOK_SECONDS", 0.01)
    with Instance.ephemeral() as instance:
        daemon = Daemon(instance)
        daemon.start()
        for _ in range(2):
            assert looks.acquire(timeout=DEADLINE)
        daemon.stop()


def test_a_daemon_knows_since_when_it_has_been_at_work_without_a_break(
    storage: SqliteStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    ours = keeper(storage, "daemon-1", clock)

    def away(_leases: object) -> None:
        raise StorageUnavailableError("the database is away")

    look(ours, clock)
    began = clock.now()
    for _ in range(5):
        clock.advance(1)
        look(ours, clock)
    assert ours.held(["queue"]).steady_since == began
    with monkeypatch.context() as patched:
        patched.setattr(type(storage.leases), "all", away)
        for _ in range(5):
            clock.advance(1)
            with pytest.raises(StorageUnavailableError):
                look(ours, clock)
    clock.advance(1)
    look(ours, clock)
    assert ours.held(["queue"]).steady_since == clock.now()
