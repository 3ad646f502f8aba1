"""Ticks are read as the storage has them, however far the catalog is, and also those that end late."""

from __future__ import annotations

import random
from collections.abc import Iterator

import msgspec
import pytest

from penstock.errors import StorageUnavailableError
from penstock.records.automation import InstigatorKind, InstigatorStatus, Tick, TickStatus
from penstock.records.lease import Lease
from penstock.storage.composite import CompositeStorage
from penstock.storage.composite.ticks import SETTLED_AFTER
from penstock.storage.protocols import Storage
from penstock.storage.sqlite import SqliteStorage
from penstock.testing import FakeClock
from penstock.testing.storage_contract.builders import NOW
from support.memory_events import MemoryTicks

_SENSOR = "shop/sensor/s"
_SCHEDULE = "shop/schedule/t"


@pytest.fixture
def log() -> Iterator[SqliteStorage]:
    log = SqliteStorage(None)
    yield log
    log.close()


@pytest.fixture
def catalog() -> MemoryTicks:
    return MemoryTicks()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def storage(log: SqliteStorage, catalog: MemoryTicks, clock: FakeClock) -> CompositeStorage:
    return CompositeStorage(log, ticks=catalog, clock=clock)


def lease_of(storage: Storage) -> Lease:
    lease = storage.leases.acquire("sensors", "daemon", ttl=1e6, now=NOW)
    assert lease is not None
    return lease


def begin(storage: Storage, due: float, instigator: str = _SENSOR, *, at: float | None = None) -> Tick:
    tick = storage.instigators.begin_tick(instigator, due, lease=lease_of(storage), now=due if at is None else at)
    assert tick is not None
    return tick


def end(storage: Storage, tick: Tick, status: TickStatus = TickStatus.SUCCESS) -> Tick:
    ended = msgspec.structs.replace(tick, status=status)
    return storage.instigators.complete_tick(ended, lease=lease_of(storage), now=tick.started + 1)


def test_readers_see_what_the_storage_has_however_far_the_catalog_is(
    log: SqliteStorage, catalog: MemoryTicks, storage: CompositeStorage, clock: FakeClock
) -> None:
    chance = random.Random(23)
    began = []
    for number in range(24):
        tick = begin(storage, NOW + 10 * number, chance.choice((_SENSOR, _SCHEDULE)))
        began.append(tick)
        if chance.random() < 0.8:
            end(storage, tick, chance.choice((TickStatus.SUCCESS, TickStatus.SKIPPED)))
    clock.advance(SETTLED_AFTER - 5)
    for number in range(40):
        storage.followers[0].follow()
        if number == 20:
            for tick in log.instigators.ticks(_SENSOR, statuses=[TickStatus.STARTED]):
                end(storage, begin(storage, tick.due, at=NOW + 300), TickStatus.FAILURE)
        for statuses in (None, [TickStatus.STARTED], [TickStatus.FAILURE, TickStatus.SKIPPED]):
            before = chance.choice((None, chance.choice(began).id))
            limit = chance.choice((1, 3, 50))
            after_time = chance.choice((None, NOW + chance.randrange(240)))
            for name in (_SENSOR, _SCHEDULE):
                asked = {"before": before, "limit": limit, "statuses": statuses, "after_time": after_time}
                expected = log.instigators.ticks(name, **asked)  # type: ignore[arg-type]
                assert storage.instigators.ticks(name, **asked) == expected, asked  # type: ignore[arg-type]
        clock.advance(10)
    assert catalog.reached() == began[-1].id
    clock.advance(SETTLED_AFTER)
    storage.followers[0].follow()
    for name in (_SENSOR, _SCHEDULE):
        assert catalog.ticks(name) == log.instigators.ticks(name)


def test_a_tick_is_brought_over_once_it_is_settled(
    catalog: MemoryTicks, storage: CompositeStorage, clock: FakeClock
) -> None:
    (follower,) = storage.followers
    tick = end(storage, begin(storage, NOW))
    follower.follow()
    assert (catalog.reached(), follower.behind_since()) == (0, None)
    clock.advance(SETTLED_AFTER)
    assert (follower.setting, follower.behind_since()) == ("schedule_storage", NOW)
    follower.follow()
    assert (catalog.reached(), follower.behind_since()) == (tick.id, None)
    assert catalog.ticks(_SENSOR) == [tick]


def test_a_tick_that_a_dead_daemon_left_is_told_as_it_is_once_it_has_ended(
    log: SqliteStorage, catalog: MemoryTicks, storage: CompositeStorage, clock: FakeClock
) -> None:
    left = begin(storage, NOW)
    clock.advance(SETTLED_AFTER)
    storage.followers[0].follow()
    assert catalog.ticks(_SENSOR) == storage.instigators.ticks(_SENSOR) == [left]
    ended = end(storage, begin(storage, NOW, at=NOW + 500))
    assert storage.instigators.ticks(_SENSOR) == [ended]
    assert storage.instigators.ticks(_SENSOR, statuses=[TickStatus.SUCCESS]) == [ended]
    assert storage.instigators.ticks(_SENSOR, statuses=[TickStatus.STARTED]) == []
    assert catalog.ticks(_SENSOR) == [left]
    storage.followers[0].follow()
    assert catalog.ticks(_SENSOR) == [ended]
    assert catalog.open() == []


def test_while_it_is_away_ticks_go_on_and_the_storage_answers(
    catalog: MemoryTicks, storage: CompositeStorage, clock: FakeClock
) -> None:
    first = end(storage, begin(storage, NOW))
    clock.advance(SETTLED_AFTER)
    storage.followers[0].follow()
    catalog.is_away = True
    second = end(storage, begin(storage, NOW + 1))
    assert storage.instigators.ticks(_SENSOR) == [second, first]
    with pytest.raises(StorageUnavailableError):
        storage.followers[0].follow()


def test_switches_and_cursors_are_shown_when_they_have_changed(
    catalog: MemoryTicks, storage: CompositeStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.instigators.set_cursor(_SENSOR, "shop", "s", "1", now=NOW)
    storage.followers[0].follow()
    assert catalog.states() == storage.instigators.states()
    with monkeypatch.context() as patched:
        patched.delattr(MemoryTicks, "show")
        storage.followers[0].follow()  # nothing to show
    storage.instigators.switch(_SENSOR, "shop", InstigatorKind.SENSOR, "s", InstigatorStatus.STOPPED, now=NOW + 1)
    storage.followers[0].follow()
    assert catalog.states() == storage.instigators.states()
