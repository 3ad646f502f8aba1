"""Brings a database file to this version's schema: numbered SQL files, each applied once, by one process at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from ...clock import SYSTEM_CLOCK
from ...errors import StorageError
from .connection import Database
from .event_logs import each_log

__all__ = ["SCHEMA_VERSION", "migrate", "stored_version"]

_FILES = {int(file.name[:4]): file for file in sorted((Path(__file__).parent / "schema").glob("[0-9]*.sql"))}

_PATIENCE = 600.0
"""Seconds to wait for another process that brings the same database up to date: a large one takes a while."""

SCHEMA_VERSION = max(_FILES)
"""The schema that this version of Penstock reads and writes."""


def migrate(database: Database) -> None:
    """Apply what is missing, in one transaction. Several processes may call this at once: one works, the others wait.

    Raises:
        StorageError: The database was made by a newer version, or cannot be written.
    """
    if database.path is not None:
        try:
            database.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"Could not make the folder of {database.name}: {error}.") from error
        if database.path.exists():
            with database.read("read the schema version") as connection:
                version = stored_version(connection)
            if _is_current(version, database):
                return
    with database.write("bring the schema up to date", patience=_PATIENCE) as connection:
        version = stored_version(connection)
        if _is_current(version, database):
            return
        connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, applied REAL NOT NULL)"
        )
        for number in sorted(number for number in _FILES if number > version):
            for statement in _statements(_FILES[number].read_text(encoding="utf-8")):
                for each in each_log(connection, statement):
                    connection.execute(each)
            connection.execute("INSERT INTO schema_version VALUES (?, ?)", (number, SYSTEM_CLOCK.now()))


def stored_version(connection: sqlite3.Connection) -> int:
    """The newest migration that the database has seen; 0 for an empty one."""
    known = connection.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'"
    ).fetchone()
    if known is None:
        return 0
    version: int | None = connection.execute("SELECT MAX(version) FROM schema_version").fetchone()[0]
    return version or 0


def _is_current(version: int, database: Database) -> bool:
    if version > SCHEMA_VERSION:
        raise StorageError(
            f"{database.name} was made by a newer version of Penstock (schema {version}, this one knows "
            f"{SCHEMA_VERSION}); upgrade this Penstock, or name another home."
        )
    return version == SCHEMA_VERSION


def _statements(script: str) -> Iterator[str]:
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
