"""The schema of a Postgres database: whole or not there, and the same as SQLite's."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import psycopg
import pytest

from penstock.errors import StorageError
from penstock.records.event import AssetMaterialization
from penstock.storage.postgres import PostgresStorage, migration
from penstock.storage.postgres.migration import SCHEMA_VERSION
from penstock.storage.sqlite import SqliteStorage
from support.postgres import migrated


def test_a_database_that_does_not_hold_all_text_is_refused(postgres_url: str) -> None:
    name = psycopg.conninfo.conninfo_to_dict(postgres_url)["dbname"]
    other = f"{name}_ascii"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {other} ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0"
        )
        try:
            with pytest.raises(StorageError, match="--encoding UTF8"):
                migrated(psycopg.conninfo.make_conninfo(postgres_url, dbname=other))
        finally:
            connection.execute(f"DROP DATABASE {other} WITH (FORCE)")


def test_a_migration_that_breaks_off_leaves_nothing(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.storage.postgres.migration.SYSTEM_CLOCK", None)  # broken at the very end
    with pytest.raises(AttributeError):
        migrated(postgres_url)
    monkeypatch.undo()
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT COUNT(*) FROM pg_class WHERE relname = 'runs'").fetchone() == (0,)
    assert migrated(postgres_url) == str(SCHEMA_VERSION)


def test_both_dialects_have_the_same_tables_with_the_same_columns(postgres_url: str, tmp_path: Path) -> None:
    migrated(postgres_url)
    with psycopg.connect(postgres_url) as connection:
        found = connection.execute(
            "SELECT table_name::text, column_name::text, is_nullable = 'NO' FROM information_schema.columns "
            "WHERE table_schema = 'public'"
        )
        postgres = {tuple(row) for row in found}
    storage = SqliteStorage(tmp_path / "penstock.db")
    storage.migrate()
    storage.close()
    with sqlite3.connect(tmp_path / "penstock.db") as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        sqlite = {
            (table, name, bool(not_null or key))
            for (table,) in tables.fetchall()
            for _, name, _, not_null, _, key in database.execute(f"PRAGMA table_info({table})")
        }
    database.close()
    # Its months are tables in SQLite, and partitions of one in Postgres, which has a column that tells them apart.
    log = {each for each in postgres if each[0] == "events"}
    assert {("events_0", *each[1:]) for each in log - {("events", "log", True)}} <= sqlite
    assert {each for each in postgres - log if each[:2] != ("events_0", "log")} == sqlite


def test_partitions_of_an_older_database_get_places_and_letters(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (own,) = (number for number, file in migration._FILES.items() if "partition_statuses" in file.name)
    before = {number: file for number, file in migration._FILES.items() if number < own}
    monkeypatch.setattr(migration, "_FILES", before)
    monkeypatch.setattr(migration, "SCHEMA_VERSION", max(before))
    migrated(postgres_url)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO partition_states (asset, partition, status, event, updated) SELECT 'a', "
            "to_char(n, 'FM0000'), 'MATERIALIZED', 1, 0 FROM generate_series(0, 1099) AS n UNION ALL VALUES "
            "('b', 'x', 'FAILED', NULL, 0), ('b', 'y', 'MATERIALIZING', 2, 0), ('b', 'z', 'FAILED', 3, 0)"
        )
    monkeypatch.undo()
    storage = PostgresStorage(postgres_url)
    storage.migrate()
    storage.assets.report([AssetMaterialization(asset="b", partition="new")], now=1.0)
    found = storage.assets.partition_statuses({"a": 1_098, "b": 0})
    assert (found["a"].letters, found["a"].keys) == ("M" * 1_100, ("1098", "1099"))
    assert found["b"].by_key() == {"x": "f", "y": "I", "z": "F", "new": "M"}
    storage.close()
