"""A log lets go of what its catalogs have, of nothing else; readers see all of it, or are told that it is away."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from penstock.errors import StorageUnavailableError
from penstock.records.automation import InstigatorKind, Tick, TickStatus
from penstock.records.event import EVENT_TYPES, AssetMaterialization, Fact, LogLine, RunSuccess
from penstock.records.retention import OldEvents, OldTicks, Removed, StorageCut
from penstock.records.run import Run
from penstock.storage.composite.storage import TendedCompositeStorage
from penstock.storage.protocols import Storage
from penstock.storage.sqlite import SqliteStorage
from penstock.testing import FakeClock
from penstock.testing.storage_contract.builders import NOW, events_from, started_run
from support.memory_events import MemoryEvents, MemoryTicks

_DAY = 86_400.0
_LATER = NOW + 200 * _DAY
_OLD_EVENTS = OldEvents(before=NOW + 100 * _DAY)
_OLD_TICKS = OldTicks(
    before=NOW + 100 * _DAY, of=InstigatorKind.SENSOR, statuses=(TickStatus.SUCCESS, TickStatus.SKIPPED)
)
_SENSOR = "shop/sensor/s"


@pytest.fixture
def log() -> Iterator[SqliteStorage]:
    log = SqliteStorage(None)
    yield log
    log.close()


@pytest.fixture
def events() -> MemoryEvents:
    return MemoryEvents()


@pytest.fixture
def ticks() -> MemoryTicks:
    return MemoryTicks()


@pytest.fixture
def storage(log: SqliteStorage, events: MemoryEvents, ticks: MemoryTicks) -> TendedCompositeStorage:
    return TendedCompositeStorage(log, events=events, ticks=ticks, clock=FakeClock(_LATER))


def remove(storage: TendedCompositeStorage, cut: StorageCut) -> None:
    while storage.retention.remove(cut, at_most=100).more:
        pass


def ended_run(storage: Storage, *, created: float = NOW, lines: int = 3) -> Run:
    run = started_run(storage, created=created)
    facts: list[Fact] = [
        *(LogLine(level="INFO", message=str(n)) for n in range(lines)),
        AssetMaterialization(asset="a"),
    ]
    storage.events.append(run.run_id, 1, events_from(2, [*facts, RunSuccess()]), now=created)
    return run


def load_ticks(log: SqliteStorage, *given: tuple[float, TickStatus]) -> None:
    log.archive.load_ticks(
        [Tick(instigator=_SENSOR, due=at, started=at, status=status, ended=at) for at, status in given]
    )


def test_events_that_the_log_let_go_of_are_read_from_the_catalog(
    log: SqliteStorage, storage: TendedCompositeStorage
) -> None:
    old, going, new = ended_run(storage), started_run(storage), ended_run(storage, created=_LATER)
    whole = log.events.of_types(EVENT_TYPES)
    of_runs = {run.run_id: log.events.of_run(run.run_id) for run in (old, going, new)}
    remove(storage, _OLD_EVENTS)
    assert log.events.of_run(old.run_id) == []
    assert log.events.of_run(going.run_id) == of_runs[going.run_id]
    assert storage.events.of_types(EVENT_TYPES) == whole
    assert storage.events.of_types(EVENT_TYPES, ascending=False) == whole[::-1]
    assert [storage.events.get(each.id) for each in whole] == whole
    for run_id, expected in of_runs.items():
        assert storage.events.of_run(run_id) == expected
    assert storage.runs.delete(old.run_id)
    assert storage.events.of_run(old.run_id) == []


def test_while_the_catalog_is_away_it_is_told_what_the_log_may_lack(
    log: SqliteStorage, events: MemoryEvents, storage: TendedCompositeStorage
) -> None:
    old = ended_run(storage)
    kept = ended_run(storage, created=_LATER)
    first = storage.events.of_run(old.run_id)[0].id
    remove(storage, _OLD_EVENTS)
    place = log.events.last_id()
    new = ended_run(storage, created=_LATER)
    events.is_away = True
    for run in (kept, new):
        assert storage.events.of_run(run.run_id) == log.events.of_run(run.run_id) != []
        assert storage.events.of_run(run.run_id, types=["RUN_CANCELED"]) == []
    newest = storage.events.of_types(EVENT_TYPES, after=place)
    assert [each.run_id for each in newest] == [new.run_id] * len(newest) != []
    assert storage.events.of_types(EVENT_TYPES, ascending=False, limit=2) == newest[::-1][:2]
    assert storage.events.get(newest[0].id) == newest[0]
    assert storage.events.get(newest[-1].id + 1) is None
    for ask in (
        lambda: storage.events.of_run(old.run_id),
        lambda: storage.events.of_types(EVENT_TYPES),
        lambda: storage.events.of_types(EVENT_TYPES, ascending=False, limit=99),
        lambda: storage.events.get(first),
    ):
        with pytest.raises(StorageUnavailableError):
            ask()


def test_the_log_lets_go_of_no_event_before_the_catalog_has_it(
    log: SqliteStorage, events: MemoryEvents, storage: TendedCompositeStorage
) -> None:
    run = ended_run(storage, lines=1500)
    events.is_away = True
    with pytest.raises(StorageUnavailableError):
        storage.retention.remove(_OLD_EVENTS, at_most=100)
    events.is_away = False
    assert storage.retention.remove(_OLD_EVENTS, at_most=100) == Removed(rows=0, more=True)
    assert events.reached() == 1000
    assert len(log.events.of_run(run.run_id, limit=5000)) > 1500
    remove(storage, _OLD_EVENTS)
    assert log.events.of_run(run.run_id) == []
    assert len(storage.events.of_run(run.run_id, limit=5000)) > 1500


def test_ticks_that_the_log_let_go_of_are_read_from_the_catalog(
    log: SqliteStorage, ticks: MemoryTicks, storage: TendedCompositeStorage
) -> None:
    load_ticks(log, *((NOW + number, TickStatus.SKIPPED) for number in range(8)))
    whole = log.instigators.ticks(_SENSOR)
    remove(storage, _OLD_TICKS)
    assert log.instigators.ticks(_SENSOR) == whole[:1]
    assert storage.instigators.ticks(_SENSOR) == whole
    assert storage.instigators.ticks(_SENSOR, before=whole[2].id, limit=3) == whole[3:6]
    latest = storage.instigators.latest_ticks
    assert latest([_SENSOR], limit=3) == {_SENSOR: whole[:3]}
    assert latest([_SENSOR], limit=50, after_time=whole[4].started) == {_SENSOR: whole[:4]}
    assert latest([_SENSOR], limit=50, statuses=[TickStatus.FAILURE]) == {}
    ticks.is_away = True
    assert storage.instigators.ticks(_SENSOR, limit=1) == whole[:1]
    assert latest([_SENSOR], limit=3, after_time=_OLD_TICKS.before) == {}
    with pytest.raises(StorageUnavailableError):
        latest([_SENSOR], limit=3)
    assert storage.instigators.ticks(_SENSOR, after_time=_OLD_TICKS.before) == []
    assert storage.instigators.ticks(_SENSOR, statuses=[TickStatus.STARTED]) == []
    with pytest.raises(StorageUnavailableError):
        storage.instigators.ticks(_SENSOR)
    with pytest.raises(StorageUnavailableError):
        storage.retention.remove(_OLD_TICKS, at_most=100)


def test_ticks_behind_one_that_is_at_work_stay_until_they_were_brought_over(
    log: SqliteStorage, ticks: MemoryTicks, storage: TendedCompositeStorage
) -> None:
    load_ticks(log, (NOW, TickStatus.SKIPPED))
    lease = log.leases.acquire("sensors", "daemon", ttl=1e9, now=NOW)
    assert lease is not None
    left = log.instigators.begin_tick(_SENSOR, NOW + 1, lease=lease, now=NOW + 1)
    load_ticks(log, *((NOW + number, TickStatus.SKIPPED) for number in range(2, 6)))
    assert left is not None
    again = log.instigators.begin_tick(_SENSOR, left.due, lease=lease, now=_LATER - 1)
    assert again is not None
    whole = log.instigators.ticks(_SENSOR)
    remove(storage, _OLD_TICKS)
    assert ticks.reached() == again.id - 1
    assert log.instigators.ticks(_SENSOR) == whole[:-1]
    assert storage.instigators.ticks(_SENSOR) == whole
    ended = log.instigators.complete_tick(
        msgspec.structs.replace(again, status=TickStatus.SUCCESS), lease=lease, now=_LATER
    )
    later = TendedCompositeStorage(log, events=MemoryEvents(), ticks=ticks, clock=FakeClock(_LATER + 1000))
    remove(later, _OLD_TICKS)
    assert log.instigators.ticks(_SENSOR) == [whole[0], ended]
    assert [tick.id for tick in later.instigators.ticks(_SENSOR)] == [tick.id for tick in whole]
