"""Months of the event log come when they are needed and go when they are old, whichever database has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from penstock.errors import FencedError
from penstock.instance.doctor.verify import verify
from penstock.records.event import AssetMaterialization, Fact, LogLine, RunSuccess
from penstock.records.run import Run, RunStatus
from penstock.storage.months import month_end, month_of
from penstock.storage.postgres import PostgresStorage
from penstock.storage.postgres import event_logs as postgres_logs
from penstock.storage.retention import OldLog
from penstock.storage.sqlite import SqliteStorage
from penstock.storage.sqlite import event_logs as sqlite_logs
from penstock.testing.storage_contract.builders import NOW, events_from, given_run, queued_run, started_run

Storage = SqliteStorage | PostgresStorage

_DAY = 86400.0
_OLD = NOW - 100 * _DAY


@pytest.fixture(params=["sqlite", "postgres"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Storage]:
    """Opens the same database anew."""
    if request.param == "sqlite":
        return lambda: SqliteStorage(tmp_path / "penstock.db")
    url = request.getfixturevalue("postgres_url")
    return lambda: PostgresStorage(url)


@pytest.fixture
def storage(opener: Callable[[], Storage]) -> Iterator[Storage]:
    storage = opener()
    storage.migrate()
    yield storage
    storage.close()


def old_logs(storage: Storage, before: float = NOW) -> Sequence[OldLog]:
    if isinstance(storage, SqliteStorage):
        return sqlite_logs.old_logs(storage._database, before)
    return postgres_logs.old_logs(storage._database, before)


def drop_log(storage: Storage, log: int) -> None:
    if isinstance(storage, SqliteStorage):
        sqlite_logs.drop_log(storage._database, log, now=NOW)
    else:
        postgres_logs.drop_log(storage._database, log, now=NOW)


def clear_step(storage: Storage) -> bool:
    if isinstance(storage, SqliteStorage):
        return sqlite_logs.clear_step(storage._database, at_most=10)
    return postgres_logs.clear_step(storage._database)


def clear(storage: Storage) -> int:
    """Clear everything away; gives the number of steps."""
    steps = 0
    while clear_step(storage):
        steps += 1
    return steps


def ended_run(storage: Storage, *, created: float, lines: int = 3) -> Run:
    run = started_run(storage, created=created)
    made = AssetMaterialization(asset="orders", partition="p")
    facts: list[Fact] = [*[LogLine(level="INFO", message="at work")] * lines, made, RunSuccess()]
    storage.events.append(run.run_id, 1, events_from(2, facts), now=created)
    ended = storage.runs.get(run.run_id)
    assert ended is not None
    return ended


def test_a_month_that_is_taken_away_takes_raw_events_alone(storage: Storage) -> None:
    old, new = ended_run(storage, created=_OLD), ended_run(storage, created=NOW)
    before = storage.events.of_run(old.run_id)
    steps, history = storage.events.step_stats(old.run_id), storage.assets.history("orders")
    states = storage.assets.states(["orders"])
    drop_log(storage, month_of(_OLD))
    if isinstance(storage, PostgresStorage):
        clear(storage)  # until then it is there as it was
    for _ in range(2):  # not cleared away yet, and cleared away
        assert storage.events.of_run(old.run_id) == []
        assert storage.runs.get(old.run_id) == old
        assert storage.events.step_stats(old.run_id) == steps
        assert storage.assets.history("orders") == history
        assert storage.assets.states(["orders"]) == states
        assert len(storage.events.of_run(new.run_id)) == len(before)
        clear(storage)
    assert {each.run_id for each in storage.events.of_types(["LOG"])} == {new.run_id}
    assert storage.events.get(before[0].id) is None
    kept = [each for each in storage.archive.log() if each.run_id == old.run_id]
    assert [(each.kept, each.event.type) for each in kept] == [(True, "ASSET_MATERIALIZATION")]
    assert list(verify(storage, now=NOW)) == []
    assert storage.upkeep.differences() == []


def test_what_is_old_is_told(storage: Storage) -> None:
    queued_run(storage, created=_OLD)
    ended_run(storage, created=_OLD, lines=20)
    ended_run(storage, created=_OLD + 40 * _DAY)
    ended_run(storage, created=NOW)
    if isinstance(storage, PostgresStorage):
        storage._database.tell("ANALYZE", ())
    first, second = month_of(_OLD), month_of(_OLD + 40 * _DAY)
    found = old_logs(storage)
    assert [(each.log, each.until, each.unended) for each in found] == [
        (first, month_end(first), 1),
        (second, month_end(second), 0),
    ]
    assert found[0].rows > found[1].rows > 0
    assert all(each.bytes is None or each.bytes > 0 for each in found)
    assert old_logs(storage, month_end(first) - 1) == []
    drop_log(storage, first)
    assert [each.log for each in old_logs(storage)] == [second]


def test_a_run_that_has_not_ended_takes_its_log_along(storage: Storage) -> None:
    run, waiting = started_run(storage, created=_OLD), given_run(storage, created=_OLD)
    gone = ended_run(storage, created=_OLD)
    storage.events.append(run.run_id, 1, events_from(2, [LogLine(level="INFO", message="a")]), now=_OLD)
    log = storage.events.of_run(run.run_id)
    drop_log(storage, month_of(_OLD))
    clear(storage)
    assert storage.events.of_run(run.run_id) == log
    assert storage.events.of_run(gone.run_id) == []
    assert storage.events.append(run.run_id, 1, [each.event for each in log[-1:]], now=NOW) == log[-1].id
    storage.events.append(run.run_id, 1, events_from(3, [RunSuccess()]), now=NOW)
    assert storage.events.of_run(run.run_id)[:-1] == log
    assert [each.run_id for each in storage.runs.claim([waiting.run_id], owner="o", until=NOW + 9, now=NOW)] == [
        waiting.run_id
    ]
    assert list(verify(storage, now=NOW)) == []


def test_what_comes_late_is_refused_and_what_is_left_can_go(storage: Storage) -> None:
    run = ended_run(storage, created=_OLD)
    last = storage.events.of_run(run.run_id)[-1].event
    drop_log(storage, month_of(_OLD))
    clear(storage)
    with pytest.raises(FencedError):
        storage.events.append(run.run_id, 1, [last], now=NOW)
    assert storage.events.append(run.run_id, 1, [], now=NOW) == 0
    assert not storage.runs.record(run.run_id, [RunSuccess()], now=NOW)
    assert storage.runs.delete(run.run_id)
    assert storage.runs.get(run.run_id) is None


def test_room_is_freed_in_steps_that_anybody_may_go_on_with(opener: Callable[[], Storage], storage: Storage) -> None:
    for _ in range(3):
        ended_run(storage, created=_OLD, lines=30)
    kept = ended_run(storage, created=NOW)
    drop_log(storage, month_of(_OLD))
    assert clear_step(storage)
    another = opener()
    steps = clear(another)
    another.close()
    assert (steps > 3) == isinstance(storage, SqliteStorage)  # Postgres drops each month at once
    assert not clear_step(storage)
    assert {each.run_id for each in storage.events.of_types(["LOG"])} == {kept.run_id}
    assert storage.upkeep.differences() == []


@pytest.mark.parametrize("is_cleared", [False, True])
def test_a_month_may_come_again(storage: Storage, is_cleared: bool) -> None:
    ended_run(storage, created=_OLD)
    drop_log(storage, month_of(_OLD))
    if is_cleared:
        clear(storage)
    late = ended_run(storage, created=_OLD)
    (reported,) = storage.assets.report([AssetMaterialization(asset="orders")], now=_OLD)
    clear(storage)
    assert [each.event.type for each in storage.events.of_run(late.run_id)][-1] == "RUN_SUCCESS"
    assert storage.events.get(reported) is not None
    assert list(verify(storage, now=NOW)) == []


def test_a_reader_or_writer_at_work_puts_the_clearing_off(opener: Callable[[], Storage], storage: Storage) -> None:
    ended_run(storage, created=_OLD)
    run = started_run(storage)
    drop_log(storage, month_of(_OLD))
    if isinstance(storage, SqliteStorage):
        with storage._database.read("read") as connection:
            assert connection.execute("SELECT COUNT(*) FROM runs").fetchone() == (2,)
            assert clear(storage) > 0
    else:
        reader = storage._database.pool.connect()
        with reader.transaction():
            reader.execute("SELECT COUNT(*) FROM events")
            assert clear_step(storage), "not done, and not refused"
            assert clear_step(storage)
        storage._database.pool.discard(reader)
        assert clear(storage) > 0
    storage.events.append(run.run_id, 1, events_from(2, [RunSuccess()]), now=NOW)
    assert storage.runs.get(run.run_id).status is RunStatus.SUCCESS  # type: ignore[union-attr]


def test_months_that_begin_at_once_in_many_threads_are_made_once(
    opener: Callable[[], Storage], storage: Storage
) -> None:
    def work(index: int) -> list[str]:
        mine = opener()
        made = [queued_run(mine, created=NOW + month * 31 * _DAY).run_id for month in range(6)]
        mine.assets.report([AssetMaterialization(asset="a")], now=NOW + (6 + index % 2) * 31 * _DAY)
        mine.close()
        return made

    with ThreadPoolExecutor(4) as threads:
        made = [run_id for part in threads.map(work, range(4)) for run_id in part]
    assert len(made) == 24
    assert {each.run_id for each in storage.events.of_types(["RUN_ENQUEUED"], limit=100)} == set(made)
    assert len(storage.events.of_types(["ASSET_MATERIALIZATION"])) == 4
    assert [each.log for each in old_logs(storage, NOW + 400 * _DAY)] == sorted(
        {month_of(NOW + month * 31 * _DAY) for month in range(8)}
    )
