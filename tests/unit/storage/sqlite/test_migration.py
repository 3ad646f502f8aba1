"""The schema is made once, by whoever comes first."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from penstock.errors import StorageError
from penstock.records.event import AssetMaterialization
from penstock.storage.sqlite import SqliteStorage, migration
from penstock.storage.sqlite.connection import Database
from penstock.storage.sqlite.migration import SCHEMA_VERSION, migrate, stored_version


def _version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return stored_version(connection)


def test_an_empty_file_gets_the_whole_schema_and_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "new" / "home" / "penstock.db"
    storage = SqliteStorage(path)
    storage.migrate()
    storage.migrate()
    assert storage.describe()["schema"] == str(SCHEMA_VERSION)
    assert storage.describe()["place"] == str(path)
    storage.close()
    assert _version(path) == SCHEMA_VERSION >= 1


def test_a_migration_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "0999_broken.sql"
    broken.write_text("CREATE TABLE extra (x);\nINSERT INTO missing VALUES (1);\n")
    whole = migration._FILES
    database = Database(tmp_path / "penstock.db")
    monkeypatch.setattr(migration, "_FILES", {**whole, 999: broken})
    monkeypatch.setattr(migration, "SCHEMA_VERSION", 999)
    with pytest.raises(StorageError, match="missing"):
        migrate(database)
    assert _version(tmp_path / "penstock.db") == 0
    broken.write_text("CREATE TABLE extra (x);\n")
    migrate(database)
    database.close()
    assert _version(tmp_path / "penstock.db") == 999


def test_an_older_database_gets_only_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(tmp_path / "penstock.db")
    migrate(database)
    with database.write("write") as connection:
        connection.execute("INSERT INTO named_values VALUES ('kept', 'yes')")
    addition = tmp_path / "0999_addition.sql"
    addition.write_text("ALTER TABLE named_values ADD COLUMN note TEXT;\n")
    monkeypatch.setattr(migration, "_FILES", {**migration._FILES, 999: addition})
    monkeypatch.setattr(migration, "SCHEMA_VERSION", 999)
    migrate(database)
    with database.read("read") as connection:
        assert connection.execute("SELECT key, value, note FROM named_values").fetchall() == [("kept", "yes", None)]
    database.close()


def test_who_waits_for_anothers_migration_is_more_patient_than_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(tmp_path / "penstock.db", patience=0.0)
    waits = threading.Event()
    monkeypatch.setattr("penstock.storage.sqlite.connection.time.sleep", lambda _seconds: waits.set())
    with closing(sqlite3.connect(tmp_path / "penstock.db", isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="locked"), database.write("write"):
            pass
        with ThreadPoolExecutor(1) as thread:
            migration = thread.submit(migrate, database)
            assert waits.wait(60)
            other.execute("COMMIT")
            migration.result(60)
    database.close()
    assert _version(tmp_path / "penstock.db") == SCHEMA_VERSION


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="Could not make the folder"):
        SqliteStorage(tmp_path / "file" / "penstock.db").migrate()


def test_no_program_moves_a_run_out_of_its_end(tmp_path: Path) -> None:
    storage = SqliteStorage(tmp_path / "penstock.db")
    storage.migrate()
    storage.close()
    with closing(sqlite3.connect(tmp_path / "penstock.db")) as connection:
        columns = "run_id, location, job, status, created, updated, ended, body"
        connection.execute(f"INSERT INTO runs ({columns}) VALUES ('r', 'l', 'j', 'SUCCESS', 1, 1, 1, x'80')")
        with pytest.raises(sqlite3.IntegrityError, match="ended"):
            connection.execute("UPDATE runs SET status = 'STARTED'")
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(f"INSERT INTO runs ({columns}) VALUES ('s', 'l', 'j', 'SUCCESS', 1, 1, NULL, x'80')")


def test_partitions_of_an_older_database_get_places_and_letters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (own,) = (number for number, file in migration._FILES.items() if "partition_statuses" in file.name)
    before = {number: file for number, file in migration._FILES.items() if number < own}
    monkeypatch.setattr(migration, "_FILES", before)
    monkeypatch.setattr(migration, "SCHEMA_VERSION", max(before))
    path = tmp_path / "penstock.db"
    migrate(database := Database(path))
    rows: list[tuple[str, str, str, int | None]] = [("a", f"{number:04}", "MATERIALIZED", 1) for number in range(1_100)]
    rows += [("b", "x", "FAILED", None), ("b", "y", "MATERIALIZING", 2), ("b", "z", "FAILED", 3)]
    with database.write("write") as connection:
        connection.executemany(
            "INSERT INTO partition_states (asset, partition, status, event, updated) VALUES (?, ?, ?, ?, 0)", rows
        )
    database.close()
    monkeypatch.undo()
    storage = SqliteStorage(path)
    storage.migrate()
    storage.assets.report([AssetMaterialization(asset="b", partition="new")], now=1.0)
    found = storage.assets.partition_statuses({"a": 1_098, "b": 0})
    assert (found["a"].letters, found["a"].keys) == ("M" * 1_100, ("1098", "1099"))
    assert found["b"].by_key() == {"x": "f", "y": "I", "z": "F", "new": "M"}
    storage.close()
