"""Readers see every event once and in order, however far the catalog is, whoever dies, and while it is away."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from penstock.errors import SettingsError, StorageUnavailableError
from penstock.records.event import EVENT_TYPES, AssetMaterialization, Fact, LogLine, RunSuccess, StepStart
from penstock.records.run import Run
from penstock.storage.archive import Archived
from penstock.storage.composite import CompositeStorage
from penstock.storage.composite.storage import composite
from penstock.storage.protocols import EventStorage, Storage
from penstock.storage.sqlite import SqliteStorage
from penstock.testing.storage_contract.builders import NOW, events_from, started_run
from support.memory_catalog import Died, MemoryCatalog
from support.memory_events import MemoryEvents, MemoryTicks


@pytest.fixture
def log() -> Iterator[SqliteStorage]:
    log = SqliteStorage(None)
    yield log
    log.close()


@pytest.fixture
def catalog() -> MemoryEvents:
    return MemoryEvents()


@pytest.fixture
def storage(log: SqliteStorage, catalog: MemoryEvents) -> CompositeStorage:
    return CompositeStorage(log, events=catalog)


def follow(storage: CompositeStorage) -> None:
    for follower in storage.followers:
        while follower.follow():
            pass


def ended_run(storage: Storage, **fields: object) -> Run:
    run = started_run(storage, **fields)  # type: ignore[arg-type]
    facts: list[Fact] = [StepStart(), LogLine(level="INFO", message="x"), AssetMaterialization(asset="a"), RunSuccess()]
    storage.events.append(run.run_id, 1, events_from(2, facts, step_key="s"), now=NOW)
    return run


def everything(events: EventStorage) -> list[int]:
    return [each.id for each in events.of_types(EVENT_TYPES, limit=10_000)]


def test_readers_see_what_the_log_has_however_far_the_catalog_is(
    log: SqliteStorage, catalog: MemoryEvents, storage: CompositeStorage
) -> None:
    runs = [ended_run(storage, job=job) for job in ("nightly", "hourly", "nightly")]
    storage.runs.delete(runs[1].run_id)  # a gap
    runs.append(started_run(storage, job="hourly"))
    last = log.events.last_id()
    chance = random.Random(19)
    whole = MemoryEvents()
    follow(CompositeStorage(log, events=whole))
    for reached in range(last + 1):
        copied = [whole._events[key] for key in sorted(whole._events) if key <= reached]
        catalog.put(copied, reached=reached)
        for ascending in (True, False):
            after, before = (
                chance.choice((None, chance.randint(0, last))),
                chance.choice((None, chance.randint(1, last))),
            )
            for jobs in (None, ["nightly"]):
                asked = {"after": after, "before": before, "ascending": ascending, "limit": chance.choice((1, 3, 99))}
                found = storage.events.of_types(EVENT_TYPES, jobs=jobs, **asked)  # type: ignore[arg-type]
                assert found == log.events.of_types(EVENT_TYPES, jobs=jobs, **asked)  # type: ignore[arg-type]
        for run in runs:
            after_id, limit = chance.randint(0, last), chance.choice((1, 2, 99))
            for types in (None, ["LOG", "RUN_SUCCESS", "RUN_START"]):
                found = storage.events.of_run(run.run_id, after=after_id, limit=limit, types=types)
                assert found == log.events.of_run(run.run_id, after=after_id, limit=limit, types=types)
        assert [storage.events.get(key) for key in range(last + 2)] == [log.events.get(key) for key in range(last + 2)]
    assert storage.events.last_id() == last


def test_the_catalog_answers_for_what_it_has(
    log: SqliteStorage, catalog: MemoryEvents, storage: CompositeStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ended_run(storage)
    expected = log.events.of_run(run.run_id)
    follow(storage)

    def of_run(*_: object, after: int = 0, **__: object) -> list[object]:
        assert after == catalog.reached()
        return []

    monkeypatch.setattr(log.events, "of_run", of_run)
    assert storage.events.of_run(run.run_id) == expected


def test_a_log_of_many_pages_is_brought_over_in_order(
    log: SqliteStorage, catalog: MemoryEvents, storage: CompositeStorage
) -> None:
    run = started_run(storage)
    lines = [LogLine(level="INFO", message=str(number)) for number in range(2300)]
    storage.events.append(run.run_id, 1, events_from(2, lines), now=NOW)
    (follower,) = storage.followers
    steps = []
    while follower.follow():
        steps.append(catalog.reached())
    assert steps == [1000, 2000]
    assert catalog.reached() == log.events.last_id()
    assert catalog.of_run(run.run_id, limit=10_000) == log.events.of_run(run.run_id, limit=10_000)
    assert not follower.follow()


def test_what_a_deleted_run_leaves_of_its_assets_is_no_part_of_the_log(
    log: SqliteStorage, catalog: MemoryEvents, storage: CompositeStorage
) -> None:
    storage.runs.delete(ended_run(storage).run_id)
    follow(storage)
    assert catalog.reached() == log.events.last_id()
    assert everything(storage.events) == everything(log.events) == []
    assert len(storage.assets.history("a")) == 1


def test_while_it_is_away_the_log_answers(log: SqliteStorage, catalog: MemoryEvents, storage: CompositeStorage) -> None:
    run = ended_run(storage)
    follow(storage)
    catalog.is_away = True
    ended_run(storage)  # nothing waits for it
    assert everything(storage.events) == everything(log.events)
    assert storage.events.of_run(run.run_id) == log.events.of_run(run.run_id)
    first = log.events.of_run(run.run_id)[0]
    assert storage.events.get(first.id) == first
    assert storage.events.get(99) is None
    with pytest.raises(StorageUnavailableError):
        storage.followers[0].follow()
    with pytest.raises(StorageUnavailableError):
        storage.runs.delete(run.run_id)
    assert log.runs.get(run.run_id) is not None
    catalog.is_away = False
    follow(storage)
    assert catalog.reached() == log.events.last_id()
    assert [each.id for each in catalog.of_types(EVENT_TYPES)] == everything(log.events)


def test_a_deleted_run_is_gone_from_both_whoever_dies(
    log: SqliteStorage, catalog: MemoryEvents, storage: CompositeStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, going = ended_run(storage), started_run(storage)
    follow(storage)
    assert not storage.runs.delete(going.run_id)
    assert catalog.of_run(going.run_id) == log.events.of_run(going.run_id) != []
    with monkeypatch.context() as patched:

        def die(_run_id: str) -> bool:
            raise Died("delete")

        patched.setattr(log.runs, "delete", die)
        with pytest.raises(Died):
            CompositeStorage(log, events=catalog).runs.delete(run.run_id)
    assert catalog.of_run(run.run_id) == []
    assert storage.runs.delete(run.run_id)
    assert everything(storage.events) == everything(log.events)


def test_a_copy_that_comes_after_the_deletion_brings_nothing_back(
    log: SqliteStorage, catalog: MemoryEvents, storage: CompositeStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ended_run(storage)
    put = catalog.put

    def late(*arguments: object, **named: object) -> None:
        monkeypatch.setattr(catalog, "put", put)
        assert storage.runs.delete(run.run_id)
        put(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(catalog, "put", late)
    storage.followers[0].follow()
    assert everything(storage.events) == everything(log.events) == []
    assert storage.events.of_run(run.run_id) == []


def test_it_is_known_since_when_the_catalog_lacks_something(catalog: MemoryEvents, storage: CompositeStorage) -> None:
    (follower,) = storage.followers
    assert (follower.setting, follower.behind_since()) == ("event_log_storage", None)
    run = started_run(storage)
    assert follower.behind_since() == storage.events.of_run(run.run_id)[0].event.time
    follow(storage)
    assert follower.behind_since() is None


def test_all_three_stores_at_once(log: SqliteStorage) -> None:
    runs, events, ticks = MemoryCatalog(), MemoryEvents(), MemoryTicks()
    storage = composite(log, runs, events=events, ticks=ticks)
    assert isinstance(storage, Archived)
    storage.migrate()
    kept, gone = ended_run(storage), ended_run(storage)
    follow(storage)
    assert storage.runs.delete(gone.run_id)
    assert runs.get(gone.run_id) is None
    assert runs.get(kept.run_id) == log.runs.get(kept.run_id)
    assert everything(storage.events) == everything(log.events)
    facts = storage.describe()
    assert [facts[f"{name} kind"] for name in ("runs", "events", "ticks")] == ["memory"] * 3
    assert [follower.setting for follower in storage.followers] == [
        "run_storage",
        "event_log_storage",
        "schedule_storage",
    ]
    assert [follower.behind_since() for follower in storage.followers] == [None] * 3


def test_a_storage_that_cannot_be_read_in_bulk_cannot_be_followed(log: SqliteStorage) -> None:
    plain = CompositeStorage(log, MemoryCatalog())
    with pytest.raises(SettingsError, match=r"^event_log_storage follows .* CompositeStorage cannot.*Remove"):
        CompositeStorage(plain, events=MemoryEvents())
    with pytest.raises(SettingsError, match=r"^schedule_storage follows"):
        CompositeStorage(plain, ticks=MemoryTicks())
