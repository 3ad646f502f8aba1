"""What is derived from the log is compared with it: silent on healthy stores of both kinds, and any damage is found."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from penstock.instance.doctor.verify import verify
from penstock.records.event import RunSuccess
from penstock.storage.months import month_of
from penstock.storage.postgres import PostgresStorage
from penstock.storage.sqlite import SqliteStorage
from penstock.storage.sqlite.event_logs import drop_log, event_table, old_logs
from penstock.testing.storage_contract.backfills import added_backfill, begun_parts, end_run, made_facts
from penstock.testing.storage_contract.builders import NOW
from support.histories import ACTIONS, History, actions

Storage = SqliteStorage | PostgresStorage
Execute = Callable[[str], object]

_one_store = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


def differences(storage: Storage) -> list[str]:
    return [f"{each.kind} {each.where}: {each.what}" for each in verify(storage, now=NOW)]


# The newest run is gone, and what it has announced is known all the same.
_NEWEST_DELETED = [("create", 28), ("claim", 0), ("start", 0), *[("work", 28 + n) for n in range(4)], ("end", 28)]


@given(actions())
@example([*_NEWEST_DELETED, ("delete", 0)])
@settings(max_examples=100)
def test_healthy_histories_in_sqlite_have_no_differences(history: list[tuple[str, int]]) -> None:
    storage = SqliteStorage(None)
    world = History(storage)
    for name, seed in history:
        world.act(name, seed)
    assert differences(storage) == []
    storage.close()


# An asset that a run has failed whose month is gone, while there is no gap in the ids of the months that are left.
_FAILED_LONG_AGO = [*[("create", 0)] * 16, ("create", 11304), ("claim", 0), ("start", 0), ("end", 0)]


@given(actions(most=100), st.integers(0, 300))
@example(_FAILED_LONG_AGO, 17)
@settings(max_examples=40)
def test_what_is_left_when_months_are_gone_has_no_differences(history: list[tuple[str, int]], days: int) -> None:
    storage = SqliteStorage(None)
    world = History(storage, pace=86400.0)
    for name, seed in history:
        world.act(name, seed)
    for old in old_logs(storage._database, min(NOW + days * 86400.0, world.now)):
        drop_log(storage._database, old.log, now=world.now)
    assert differences(storage) == []
    for name, seed in history:
        world.act(name, seed)
    assert differences(storage) == []
    storage.close()


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[PostgresStorage]:
    storage = PostgresStorage(postgres_url)
    storage.migrate()
    yield storage
    storage.close()


@given(st.data())
@_one_store
def test_healthy_histories_in_postgres_have_no_differences(postgres: PostgresStorage, data: st.DataObject) -> None:
    # One history that goes on from example to example: a database of its own for each would take far longer.
    world = History(postgres)
    for name, seed in data.draw(actions(most=30)):
        world.act(name, seed)
    assert differences(postgres) == []


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Storage, Execute]]:
    """A storage with a history in which everything occurs, and a way past it into its database."""
    if request.param == "sqlite":
        path = tmp_path / "penstock.db"

        def execute(statement: str) -> None:
            connection = sqlite3.connect(path, isolation_level=None)
            assert connection.execute(statement).rowcount > 0, statement
            connection.close()

        storage: Storage = SqliteStorage(path)
        storage.migrate()
        _fill(storage)
        yield storage, execute
        storage.close()
        return
    storage = PostgresStorage(request.getfixturevalue("postgres_url"))
    storage.migrate()
    _fill(storage)
    with psycopg.connect(request.getfixturevalue("postgres_url"), autocommit=True) as connection:

        def change(statement: str) -> None:
            assert connection.execute(statement).rowcount > 0, statement

        yield storage, change
    storage.close()


def _fill(storage: Storage) -> None:
    world = History(storage)
    lively = ["create", "claim", "start", "work", "work", "work", "report", "end", "tag"]
    for seed in range(150):
        world.act(lively[seed % len(lively)], seed)
    assert set(lively) <= set(ACTIONS)
    backfill = added_backfill(storage)
    first, second, _ = begun_parts(storage, backfill, 0, 1, 2)
    end_run(storage, first, *made_facts(0, "x", "y"), RunSuccess())
    end_run(storage, second, *made_facts(1, "x"), RunSuccess())


@pytest.mark.parametrize(
    ("damage", "kinds"),
    [
        ("UPDATE runs SET started = started + 1 WHERE started IS NOT NULL", {"run"}),
        ("UPDATE runs SET failure_reason = 'UNKNOWN' WHERE status = 'FAILURE'", {"run"}),
        ("UPDATE steps SET status = 'SKIPPED' WHERE status = 'SUCCESS'", {"step"}),
        ("DELETE FROM steps WHERE step_key = 'one'", {"step"}),
        ("DELETE FROM run_tags", {"tags"}),
        ("UPDATE asset_states SET materialized_event = 1", {"asset"}),
        ("DELETE FROM asset_states WHERE asset = 'a'", {"asset"}),
        ("UPDATE partition_states SET status = 'FAILED' WHERE status = 'MATERIALIZED'", {"partition"}),
        ("DELETE FROM partition_states", {"partition"}),
        ("UPDATE partition_letters SET letters = replace(letters, 'M', 'F')", {"partition"}),
        ("UPDATE partition_letters SET letters = '.'", {"partition"}),
        ("UPDATE check_executions SET status = 'SKIPPED'", {"check"}),
        ("DELETE FROM check_states", {"check"}),
        ("UPDATE data_versions SET version = 'other'", {"data version"}),
        ("DELETE FROM asset_events WHERE id = (SELECT MAX(id) FROM asset_events)", {"history"}),
        ("UPDATE backfill_counts SET done = done + 1", {"backfill"}),
        ("UPDATE backfill_parts SET status = 'OPEN' WHERE status = 'DONE'", {"backfill"}),
        ("UPDATE backfill_parts SET status = 'DONE' WHERE status = 'OPEN'", {"backfill"}),
        ("UPDATE planned_assets SET state = 'OPEN' WHERE state = 'MADE'", {"plan"}),
    ],
)
def test_damage_is_found(store: tuple[Storage, Execute], damage: str, kinds: set[str]) -> None:
    storage, execute = store
    assert differences(storage) == []
    execute(damage)
    assert {each.kind for each in verify(storage, now=NOW)} == kinds


def test_a_gap_in_the_log_of_a_run_is_found(store: tuple[Storage, Execute]) -> None:
    storage, execute = store
    events = event_table(month_of(NOW)) if isinstance(storage, SqliteStorage) else "events"
    execute(f"DELETE FROM {events} WHERE type = 'RUN_STARTING'")
    assert any("RUN_START, which the run's state did not allow" in each for each in differences(storage))


def test_one_run_is_verified_alone(store: tuple[Storage, Execute]) -> None:
    storage, execute = store
    execute("UPDATE runs SET started = started + 1 WHERE started IS NOT NULL")
    damaged = sorted({each.where for each in verify(storage, now=NOW)})
    assert len(damaged) > 1
    assert {each.where for each in verify(storage, now=NOW, run_id=damaged[0])} == {damaged[0]}
