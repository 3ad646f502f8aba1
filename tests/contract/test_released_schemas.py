"""A database of any released version is brought up to date by whoever comes first, and nothing in it is lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import psycopg
import pytest

from penstock.errors import StorageError
from penstock.instance.doctor.verify import verify
from penstock.records.event import RunSuccess
from penstock.records.run import RunStatus
from penstock.storage.postgres import PostgresStorage
from penstock.storage.postgres import migration as postgres_migration
from penstock.storage.protocols import RunFilter
from penstock.storage.sqlite import SqliteStorage
from penstock.storage.sqlite import migration as sqlite_migration
from penstock.testing.storage_contract.builders import NOW, events_from, queued_run
from support.released import SCHEMAS, load_postgres, load_sqlite
from support.together import Together

Storage = SqliteStorage | PostgresStorage
Opener = Callable[[], Storage]

_PROCESSES = 10
_ALL = 100_000
DUMPS = sorted(SCHEMAS.glob("*/*.sql"))
EMPTY = [SCHEMAS / dialect / "empty" for dialect in ("sqlite", "postgres")]


def _name(dump: Path) -> str:
    return f"{dump.parent.name}-{dump.stem}"


@pytest.fixture
def opener(request: pytest.FixtureRequest, dump: Path, tmp_path: Path) -> Opener:
    """Opens a database that is as the dump has it."""
    if dump.parent.name == "sqlite":
        path = tmp_path / "penstock.db"
        if dump.exists():
            load_sqlite(dump, path)
        return partial(SqliteStorage, path)
    url = request.getfixturevalue("postgres_url")
    if dump.exists():
        load_postgres(dump, url)
    return partial(PostgresStorage, url)


@pytest.fixture
def storage(opener: Opener) -> Iterator[Storage]:
    storage = opener()
    yield storage
    storage.close()


def rows_of(storage: Storage, query: str) -> list[tuple[object, ...]]:
    """What a query past the storage gives."""
    if isinstance(storage, SqliteStorage):
        with storage._database.read("look") as connection:
            return connection.execute(query).fetchall()
    return storage._database.read("look", query)


def counts(storage: Storage) -> dict[str, int]:
    """How many rows each table has; the tables of events are one."""
    found: dict[str, int] = {}
    catalog = (
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        if isinstance(storage, SqliteStorage)
        else "SELECT tablename::text FROM pg_tables JOIN pg_class c ON c.oid = tablename::regclass "
        "WHERE schemaname = 'public' AND NOT c.relispartition"
    )
    for (name,) in rows_of(storage, catalog):
        table = "events" if str(name).startswith("events") else str(name)
        ((number,),) = rows_of(storage, f"SELECT COUNT(*) FROM {name}")
        assert isinstance(number, int)
        found[table] = found.get(table, 0) + number
    return found


@pytest.mark.parametrize("dump", DUMPS, ids=_name)
def test_nothing_in_it_is_lost_and_all_of_it_can_be_read(storage: Storage) -> None:
    before = counts(storage)
    assert 0 not in before.values(), "a dump has rows in every table"
    storage.migrate()
    assert storage.upkeep.differences() == []
    after = counts(storage)
    assert {table: after[table] for table in before if table != "schema_version"} == {
        table: number for table, number in before.items() if table != "schema_version"
    }
    assert list(verify(storage, now=NOW)) == []

    runs = storage.runs.page(RunFilter(), limit=_ALL)
    assert len(runs) == before["runs"]
    assert {run.status for run in runs} == set(RunStatus) - {RunStatus.MANAGED, RunStatus.SUSPENDED}
    snapshots = {run.snapshot for run in runs if run.snapshot is not None}
    assert all(storage.runs.snapshot(digest) for digest in snapshots)
    assert sum(len(storage.events.step_stats(run.run_id)) for run in runs) <= before["steps"]
    logged = [each for each in storage.archive.log(limit=_ALL) if not each.kept]
    assert len(logged) == before["events"]
    assert len({each.id for run in runs for each in storage.events.of_run(run.run_id)}) == sum(
        each.run_id is not None for each in logged
    )
    assets = storage.assets.states()
    assert len(assets) == before["asset_states"]
    assert sum(len(storage.assets.partition_states(asset)) for asset in assets) == before["partition_states"]
    assert storage.assets.check_states(list(assets))
    assert storage.assets.data_versions(list(assets))
    assert storage.assets.planned()
    assert storage.assets.dynamic_partitions("areas") == ["north", "south"]
    assert len(storage.archive.ticks(limit=_ALL)) == before["ticks"]
    assert len(storage.archive.used_keys(limit=_ALL)) == before["run_keys"]
    assert storage.instigators.states()["shop/sensor/s"].cursor == "17"
    assert len(storage.instigators.evaluations("a")) == before["automation_evaluations"]
    assert len(storage.leases.all()) == before["leases"]
    assert len(storage.leases.processes(seen_after=0)) == before["processes"]
    assert len(storage.locations.digests()) == before["locations"]
    assert storage.locations.get_value("key") == "value"
    assert [(pool.pool, len(pool.held)) for pool in storage.slots.pools(now=NOW)] == [("db", 1)]


@pytest.mark.parametrize("dump", DUMPS, ids=_name)
def test_its_runs_go_on(storage: Storage) -> None:
    storage.migrate()
    last = storage.events.last_id()
    (at_work, *_) = storage.runs.page(RunFilter(statuses=(RunStatus.STARTED,)), limit=1)
    log = storage.events.of_run(at_work.run_id)
    end = events_from(10_000, [RunSuccess()])
    assert storage.events.append(at_work.run_id, at_work.attempt, end, now=NOW) == last + 1
    assert storage.events.of_run(at_work.run_id)[:-1] == log
    (waiting, *_) = storage.runs.queued(limit=1)
    assert storage.runs.claim([waiting.run_id], owner="server", until=NOW + 30, now=NOW)
    fresh = queued_run(storage)
    assert storage.events.of_types(["RUN_ENQUEUED"], ascending=False, limit=1)[0].run_id == fresh.run_id
    (ended, *_) = storage.runs.page(RunFilter(statuses=(RunStatus.SUCCESS,)), limit=1)
    assert storage.runs.delete(ended.run_id)
    assert list(verify(storage, now=NOW)) == []


# -- many at once -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def at_once() -> Iterator[Callable[[Opener], list[str]]]:
    """Has ten processes open a database, migrate it and make a run; gives the versions that they see."""
    with Together(_PROCESSES) as together:
        yield together.come_up


@pytest.mark.parametrize("dump", [*EMPTY, *DUMPS], ids=_name)
def test_ten_processes_bring_it_up_to_date_once(
    opener: Opener, dump: Path, at_once: Callable[[Opener], list[str]]
) -> None:
    assert at_once(opener) == [str(sqlite_migration.SCHEMA_VERSION)] * _PROCESSES
    storage = opener()
    files = sqlite_migration._FILES if isinstance(storage, SqliteStorage) else postgres_migration._FILES
    versions = [version for (version,) in rows_of(storage, "SELECT version FROM schema_version ORDER BY version")]
    assert versions == sorted(files)
    assert storage.upkeep.differences() == []
    storage.close()


@pytest.mark.parametrize("dump", EMPTY, ids=_name)
def test_a_newer_one_is_refused_in_one_sentence_and_left_alone(storage: Storage, tmp_path: Path) -> None:
    storage.migrate()
    newer = f"INSERT INTO schema_version VALUES ({sqlite_migration.SCHEMA_VERSION + 1}, 0)"
    if isinstance(storage, SqliteStorage):
        with closing(sqlite3.connect(tmp_path / "penstock.db")) as connection, connection:
            connection.execute(newer)
    else:
        with psycopg.connect(**storage._database._parameters) as session:
            session.execute(newer)
    with pytest.raises(StorageError) as refusal:
        storage.migrate()
    assert str(refusal.value).count(". ") == 0
    assert f"made by a newer version of Penstock (schema {sqlite_migration.SCHEMA_VERSION + 1}" in str(refusal.value)
    assert "upgrade this Penstock" in str(refusal.value)
