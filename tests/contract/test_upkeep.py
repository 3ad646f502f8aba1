"""Both databases tell those who tend them the same: their schema, what of it somebody changed, what is left behind."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from penstock.records.pool import SlotRequest
from penstock.storage.months import month_of
from penstock.storage.postgres import PostgresStorage
from penstock.storage.sqlite import SqliteStorage
from penstock.storage.sqlite.event_logs import event_table
from penstock.storage.upkeep import Tended
from penstock.testing.storage_contract.builders import NOW, started_run

Storage = SqliteStorage | PostgresStorage
Execute = Callable[[str], object]


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Storage, Execute]]:
    """A storage that nobody has migrated, and a way past it into its database."""
    if request.param == "sqlite":
        path = tmp_path / "penstock.db"

        def execute(statement: str) -> None:
            connection = sqlite3.connect(path, isolation_level=None)
            connection.execute(statement)
            connection.close()

        storage: Storage = SqliteStorage(path)
        yield storage, execute
    else:
        url = request.getfixturevalue("postgres_url")
        with psycopg.connect(url, autocommit=True) as connection:
            storage = PostgresStorage(url)
            yield storage, connection.execute
    storage.close()


def test_versions(store: tuple[Storage, Execute], tmp_path: Path) -> None:
    storage, execute = store
    assert isinstance(storage, Tended)
    assert storage.upkeep.stored_version() == 0
    assert not list(tmp_path.glob("*.db")), "asking must not make the file"
    storage.migrate()
    assert storage.upkeep.stored_version() == storage.upkeep.known_version > 0
    execute("INSERT INTO schema_version VALUES (99, 0)")
    assert storage.upkeep.stored_version() == 99


def test_the_schema_that_migrations_make_has_no_differences(store: tuple[Storage, Execute]) -> None:
    storage, _ = store
    storage.migrate()
    assert storage.upkeep.differences() == []
    assert storage.upkeep.differences() == [], "asking changes nothing"


def test_what_somebody_changed_is_found(store: tuple[Storage, Execute]) -> None:
    storage, execute = store
    storage.migrate()
    execute("DROP INDEX runs_by_job")
    execute("CREATE INDEX mine ON runs (created, job)")
    started_run(storage)
    events = event_table(month_of(NOW)) if isinstance(storage, SqliteStorage) else "events"
    execute(f"DROP INDEX {events}_by_type")
    execute(f"CREATE INDEX {events}_by_type ON {events} (type)")
    execute("ALTER TABLE ticks ADD COLUMN extra TEXT")
    execute("DROP TABLE named_values")
    execute("CREATE TABLE theirs (a INTEGER)")
    found = {(each.kind, each.name, each.how) for each in storage.upkeep.differences()}
    assert found >= {
        ("column", "named_values.key", "missing"),
        ("column", "theirs.a", "unexpected"),
        ("column", "ticks.extra", "unexpected"),
        ("index", f"{events}.{events}_by_type", "different"),
        ("index", "runs.mine", "unexpected"),
        ("index", "runs.runs_by_job", "missing"),
        ("table", "named_values", "missing"),
        ("table", "theirs", "unexpected"),
    }
    # Postgres has an index of its own for the primary key that is gone with the table.
    assert {name.partition(".")[0] for _, name, _ in found} == {"named_values", "theirs", "ticks", events, "runs"}


def test_a_month_of_the_event_log_that_is_not_there_is_found(store: tuple[Storage, Execute]) -> None:
    storage, execute = store
    storage.migrate()
    started_run(storage)
    assert storage.upkeep.differences() == []
    execute(f"DROP TABLE events_{month_of(NOW)}")
    found = {(each.kind, each.name, each.how) for each in storage.upkeep.differences()}
    assert ("table", f"events_{month_of(NOW)}", "missing") in found


def test_tables_have_sizes(store: tuple[Storage, Execute]) -> None:
    storage, execute = store
    storage.migrate()
    started_run(storage)
    if isinstance(storage, PostgresStorage):
        execute("ANALYZE")
    tables = {each.name: each for each in storage.upkeep.tables()}
    assert tables["runs"].rows == 1
    assert tables["events"].rows == 3
    assert all(each.bytes is None or each.bytes > 0 for each in tables.values())
    facts = storage.upkeep.facts()
    assert facts.place
    assert (facts.skew is None) == isinstance(storage, SqliteStorage)
    assert facts.disk_free is None or 0 < facts.disk_free <= (facts.disk_total or 0)


def test_claims_that_are_left_are_found(store: tuple[Storage, Execute]) -> None:
    storage, execute = store
    storage.migrate()
    run = started_run(storage)
    storage.slots.claim(run.run_id, 1, [SlotRequest(step_key="a", pools=("db",), since=NOW)], now=NOW)
    assert storage.upkeep.stray_claims() == []
    execute("UPDATE runs SET attempt = 2")
    (left,) = storage.upkeep.stray_claims()
    assert (left.pool, left.run_id, left.step_key) == ("db", run.run_id, "a")
