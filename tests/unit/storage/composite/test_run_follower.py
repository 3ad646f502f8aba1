"""A catalog shows what the log has, whoever dies at whichever moment, and in whatever order copies arrive."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec
import pytest

from penstock.errors import FencedError, StorageError, StorageUnavailableError
from penstock.instance.instance import Instance
from penstock.instance.retention import Sweeper
from penstock.records.automation import TickStatus
from penstock.records.event import LogLine, RunCanceled, RunEnqueued, RunSuccess
from penstock.records.retention import OldRuns
from penstock.records.run import Run, RunStatus
from penstock.storage.archive import Archived, LoadedRun
from penstock.storage.composite import CompositeStorage
from penstock.storage.composite.run_follower import FORGOTTEN_AFTER
from penstock.storage.composite.storage import composite
from penstock.storage.outbox import Posting
from penstock.storage.protocols import NewRun, RunFilter, Storage
from penstock.storage.retention import Retained
from penstock.storage.run_catalog import CatalogRow
from penstock.storage.sqlite import SqliteStorage
from penstock.storage.upkeep import Tended
from penstock.testing import FakeClock
from penstock.testing.storage_contract.builders import NOW, events_from, given_run, new_run, queued_run, started_run
from support.memory_catalog import Died, MemoryCatalog

_SENSOR = "shop/sensor/s"


@pytest.fixture
def log() -> Iterator[SqliteStorage]:
    log = SqliteStorage(None)
    yield log
    log.close()


@pytest.fixture
def catalog() -> MemoryCatalog:
    return MemoryCatalog()


@pytest.fixture
def storage(log: SqliteStorage, catalog: MemoryCatalog) -> CompositeStorage:
    return CompositeStorage(log, catalog)


def rows(storage: Storage | MemoryCatalog) -> list[Run]:
    runs = storage if isinstance(storage, MemoryCatalog) else storage.runs
    return runs.page(RunFilter(), limit=10_000)


def create(storage: Storage, _run: Run) -> None:
    storage.runs.create([new_run(RunEnqueued()), new_run()])


def claim(storage: Storage, _run: Run) -> None:
    waiting = [each.run_id for each in storage.runs.queued(limit=10)]
    assert storage.runs.claim(waiting, owner="server-2", until=NOW + 60, now=NOW + 3)


def record(storage: Storage, run: Run) -> None:
    assert storage.runs.record(run.run_id, [RunCanceled()], now=NOW + 3)


def end(storage: Storage, run: Run) -> None:
    storage.events.append(run.run_id, 1, events_from(2, [LogLine(level="INFO", message="x"), RunSuccess()]), now=NOW)


def tag(storage: Storage, run: Run) -> None:
    storage.runs.add_tags(run.run_id, {"team": "sales"})


def explain(storage: Storage, _run: Run) -> None:
    storage.runs.explain_waiting({each.run_id: "It waits." for each in storage.runs.queued(limit=10)})


def delete(storage: Storage, _run: Run) -> None:
    (ended,) = storage.runs.page(RunFilter(statuses=(RunStatus.CANCELED,)), limit=2)
    assert storage.runs.delete(ended.run_id)


def tick(storage: Storage, _run: Run) -> None:
    lease = storage.leases.acquire("sensors", "daemon", ttl=60, now=NOW)
    assert lease is not None
    begun = storage.instigators.begin_tick(_SENSOR, NOW, lease=lease, now=NOW)
    assert begun is not None
    over = msgspec.structs.replace(begun, status=TickStatus.SUCCESS)
    storage.instigators.complete_tick(over, lease=lease, runs=[("key", new_run(RunEnqueued()))], now=NOW + 1)


CHANGES: Sequence[Callable[[Storage, Run], None]] = (create, claim, record, end, tag, explain, delete, tick)


@pytest.mark.parametrize("dies_at", ["announce", "put", "answer"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_whose_maker_dies_is_in_both_or_in_none(
    log: SqliteStorage,
    catalog: MemoryCatalog,
    storage: CompositeStorage,
    change: Callable[[Storage, Run], None],
    dies_at: str,
) -> None:
    queued_run(storage)
    canceled = queued_run(storage)
    storage.runs.record(canceled.run_id, [RunCanceled()], now=NOW + 1)
    run = started_run(storage)
    before = rows(log)
    catalog.dies_at = {dies_at}
    with pytest.raises(Died):
        change(storage, run)
    catalog.dies_at = set()
    assert (rows(log) == before) == (dies_at == "announce")
    assert len(catalog.announced()) == (dies_at == "put")
    assert rows(catalog) == (before if dies_at in ("announce", "put") else rows(log))

    another = CompositeStorage(log, catalog)
    heard = another.notifier.subscribe()
    another.followers[0].follow()
    assert rows(catalog) == rows(log)
    assert ("runs" in heard.wait(0)) == (dies_at == "put")
    heard.close()


def test_a_renewal_that_is_cut_off_is_shown_by_the_next(
    log: SqliteStorage, catalog: MemoryCatalog, storage: CompositeStorage
) -> None:
    started_run(storage, owner="server-1")
    catalog.dies_at = {"put"}
    with pytest.raises(Died):
        storage.runs.renew("server-1", until=NOW + 90)
    catalog.dies_at = set()
    assert storage.runs.expired(NOW + 60) == []  # the log knows of it: nobody is taken for dead
    storage.runs.renew("server-1", until=NOW + 90)
    assert rows(catalog) == rows(log)


def test_an_older_copy_never_covers_a_newer_one(
    log: SqliteStorage, catalog: MemoryCatalog, storage: CompositeStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = queued_run(storage)
    put = catalog.put

    def overtaken(copied: Sequence[CatalogRow], *, settles: str | None = None) -> list[str]:
        monkeypatch.setattr(catalog, "put", put)
        record(CompositeStorage(log, catalog), run)  # after the row of the other change was looked up
        return put(copied, settles=settles)

    monkeypatch.setattr(catalog, "put", overtaken)
    storage.runs.add_tags(run.run_id, {"team": "sales"})
    (shown,) = rows(catalog)
    assert (shown.status, shown.tags) == (RunStatus.CANCELED, {"team": "sales"})
    assert [shown] == rows(log)
    assert catalog.announced() == []


def test_a_refusal_changes_nothing_and_leaves_nothing_to_do(catalog: MemoryCatalog, storage: CompositeStorage) -> None:
    run = started_run(storage)
    before = rows(catalog)
    with pytest.raises(StorageError, match=run.run_id):
        storage.runs.create([NewRun(run=run)])
    with pytest.raises(FencedError):
        storage.events.append(run.run_id, 7, events_from(1, [RunSuccess()]), now=NOW)
    assert rows(catalog) == before
    assert catalog.announced() == []


def test_a_log_that_is_away_may_have_made_the_change(
    log: SqliteStorage, catalog: MemoryCatalog, storage: CompositeStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_in_log = log.runs.create

    def cut_off(runs: Sequence[NewRun]) -> list[Run]:
        create_in_log(runs)
        raise StorageUnavailableError("The connection broke.")

    monkeypatch.setattr(log.runs, "create", cut_off)
    with pytest.raises(StorageUnavailableError):
        storage.runs.create([new_run()])
    assert rows(catalog) == []
    storage.followers[0].follow()
    assert rows(catalog) == rows(log) != []


def test_what_moves_no_run_does_not_come_to_the_catalog(catalog: MemoryCatalog, storage: CompositeStorage) -> None:
    run = started_run(storage)
    catalog.dies_at = {"announce", "versions", "put", "settle"}
    storage.events.append(run.run_id, 1, events_from(2, [LogLine(level="INFO", message="x")]), now=NOW)
    storage.runs.explain_waiting({run.run_id: None, "unknown": "It waits."})
    storage.runs.explain_waiting({})
    assert storage.events.of_run(run.run_id)[-1].event.fact == LogLine(level="INFO", message="x")


def test_what_came_before_the_end_is_stored_also_without_the_catalog(
    catalog: MemoryCatalog, storage: CompositeStorage
) -> None:
    run = started_run(storage)
    batch = events_from(2, [LogLine(level="INFO", message="x"), RunSuccess()])
    catalog.dies_at = {"announce"}
    with pytest.raises(Died):
        storage.events.append(run.run_id, 1, batch, now=NOW)
    assert [each.event for each in storage.events.of_run(run.run_id, after=0, types=["LOG"])] == batch[:1]
    catalog.dies_at = set()
    storage.events.append(run.run_id, 1, batch, now=NOW)
    assert [each.event for each in storage.events.of_run(run.run_id)][-2:] == batch


def test_it_is_known_since_when_the_catalog_lacks_a_change(log: SqliteStorage, catalog: MemoryCatalog) -> None:
    storage = CompositeStorage(log, catalog, clock=FakeClock(NOW))
    (follower,) = storage.followers
    given_run(storage)
    assert (follower.setting, follower.behind_since()) == ("run_storage", None)
    catalog.dies_at = {"put"}
    with pytest.raises(Died):
        given_run(storage)
    catalog.dies_at = set()
    assert follower.behind_since() == NOW
    assert not follower.follow()
    assert len(catalog.announced()) == 1  # whoever announced it may yet live
    assert follower.behind_since() is None


def test_an_announcement_of_a_dead_process_is_forgotten_in_the_end(log: SqliteStorage, catalog: MemoryCatalog) -> None:
    clock = FakeClock(NOW)
    storage = CompositeStorage(log, catalog, clock=clock)
    catalog.dies_at = {"put"}
    with pytest.raises(Died):
        given_run(storage)
    catalog.dies_at = set()
    clock.advance(FORGOTTEN_AFTER)
    storage.followers[0].follow()
    assert len(catalog.announced()) == 1
    clock.advance(1)
    storage.followers[0].follow()
    assert catalog.announced() == []


def test_a_new_catalog_is_filled_also_when_the_first_to_fill_it_died(
    log: SqliteStorage, catalog: MemoryCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.runs.create([new_run() for _ in range(1100)])
    put, left = catalog.put, [1]

    def dying(copied: Sequence[CatalogRow], *, settles: str | None = None) -> list[str]:
        if not left:
            raise Died("put")
        left.pop()
        return put(copied, settles=settles)

    monkeypatch.setattr(catalog, "put", dying)
    with pytest.raises(Died):
        CompositeStorage(log, catalog).migrate()
    assert 0 < len(rows(catalog)) < 1100
    monkeypatch.setattr(catalog, "put", put)
    CompositeStorage(log, catalog).migrate()
    assert rows(catalog) == rows(log)
    assert catalog.announced() == []
    ended = [run.run_id for run in rows(log)[:7]]
    for run_id in ended:
        log.runs.record(run_id, [RunCanceled()], now=NOW)
    log.runs.create([new_run(), new_run()])
    CompositeStorage(log, catalog).migrate()  # it may have lost its last rows
    assert rows(catalog) == rows(log)
    versions = catalog.versions(ended)
    CompositeStorage(log, catalog).migrate()
    assert catalog.versions(ended) == versions  # what has ended is not copied again


def test_both_are_described(storage: CompositeStorage) -> None:
    facts = storage.describe()
    assert (facts["kind"], facts["runs kind"]) == ("SQLite", "memory")


def test_a_history_that_is_loaded_is_shown(log: SqliteStorage, catalog: MemoryCatalog) -> None:
    storage = composite(log, catalog)
    assert isinstance(storage, Archived)
    assert isinstance(storage, Tended)
    assert storage.upkeep.stored_version() == storage.upkeep.known_version
    ended = msgspec.structs.replace(new_run().run, status=RunStatus.SUCCESS, ended=NOW + 1)
    assert storage.archive.load_runs([LoadedRun(run=ended)]) == 1
    assert storage.archive.log() == []
    assert rows(catalog) == rows(log)
    assert [run.run_id for run in rows(catalog)] == [ended.run_id]


def test_old_runs_that_are_removed_go_from_the_catalog_too(log: SqliteStorage, catalog: MemoryCatalog) -> None:
    storage = composite(log, catalog)
    assert isinstance(storage, Retained)
    old, going = started_run(storage), started_run(storage)
    storage.events.append(old.run_id, 1, events_from(2, [RunSuccess()]), now=NOW + 3)
    with Instance.ephemeral() as instance:
        removed, _ = Sweeper(storage, instance.logs, FakeClock()).step(OldRuns(before=NOW + 60))
    assert removed.rows == 1
    assert [run.run_id for run in rows(catalog)] == [run.run_id for run in rows(log)] == [going.run_id]
    assert not isinstance(CompositeStorage(log, catalog), Retained)


def test_messages_stay_with_the_log(log: SqliteStorage, catalog: MemoryCatalog) -> None:
    storage = composite(log, catalog)
    assert isinstance(storage, Posting)
    assert storage.outbox is log.outbox
    assert not isinstance(CompositeStorage(log, catalog), Posting)
