"""What is asked of a SQLite database by those who tend it."""

from __future__ import annotations

import shutil
import sqlite3

from ..upkeep import DatabaseFacts, Schema, SchemaDifference, StrayClaim, TableSize, compare_schemas
from .connection import WAL_LIMIT_BYTES, Database
from .migration import SCHEMA_VERSION, migrate, stored_version

__all__ = ["SqliteUpkeep"]

_STRAY = """
SELECT c.pool, c.run_id, c.step_key FROM pool_claims c LEFT JOIN runs r ON r.run_id = c.run_id
WHERE r.run_id IS NULL OR r.attempt <> c.attempt OR r.status NOT IN ('STARTING', 'STARTED', 'CANCELING')
ORDER BY c.pool, c.run_id, c.step_key
"""


class SqliteUpkeep:
    """`Upkeep` of one SQLite database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def known_version(self) -> int:
        """The schema that this version of Penstock reads and writes."""
        return SCHEMA_VERSION

    def stored_version(self) -> int:
        """The schema that the database has; 0 for an empty one, and for one that is not there yet."""
        path = self._database.path
        if path is not None and not path.exists():
            return 0  # to open it would make it
        with self._database.read("read the schema version") as connection:
            return stored_version(connection)

    def differences(self) -> list[SchemaDifference]:
        """What is not as the migrations make it."""
        fresh = Database(None)
        migrate(fresh)
        with fresh.read("read the schema") as connection:
            expected = _schema(connection)
        fresh.close()
        with self._database.read("read the schema") as connection:
            found = _schema(connection)
        return compare_schemas(expected, found)

    def tables(self) -> list[TableSize]:
        """Every table, the largest first."""
        with self._database.read("read the sizes of tables") as connection:
            names = [
                row[0]
                for row in connection.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
                )
            ]
            sizes = _bytes_of_tables(connection)
            found = [
                TableSize(
                    name=name,
                    rows=connection.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0],
                    bytes=None if sizes is None else sizes.get(name, 0),
                )
                for name in names
            ]
        return sorted(found, key=lambda table: (-(table.bytes or 0), -table.rows, table.name))

    def facts(self) -> DatabaseFacts:
        """The database as it stands."""
        path = self._database.path
        if path is None:
            return DatabaseFacts(place=self._database.name)
        folder = next(each for each in path.absolute().parents if each.exists())
        disk = shutil.disk_usage(folder)
        parts = [path, *(path.with_name(f"{path.name}-{end}") for end in ("wal", "shm"))]
        there = [part for part in parts if part.exists()]
        log = parts[1]
        return DatabaseFacts(
            place=self._database.name,
            log_bytes=log.stat().st_size if log.exists() else 0,
            log_limit=WAL_LIMIT_BYTES,
            disk_free=disk.free,
            disk_total=disk.total,
            files=tuple(str(part) for part in there),
        )

    def stray_claims(self) -> list[StrayClaim]:
        """Claims of slots that count no more."""
        with self._database.read("read the claims of slots") as connection:
            found = connection.execute(_STRAY).fetchall()
        return [StrayClaim(pool=pool, run_id=run_id, step_key=step_key) for pool, run_id, step_key in found]


def _schema(connection: sqlite3.Connection) -> Schema:
    parts: Schema = {}
    for kind, name, table, declared in connection.execute(
        "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    ).fetchall():
        if kind == "table":
            parts["table", name] = ""
            for column in connection.execute(f'PRAGMA table_info("{name}")'):
                parts["column", f"{name}.{column[1]}"] = f"{column[2]} {column[3]} {column[5]}"
        elif kind in ("index", "trigger"):
            parts[kind, f"{table}.{name}"] = " ".join((declared or "").split())
    return parts


def _bytes_of_tables(connection: sqlite3.Connection) -> dict[str, int] | None:
    """The bytes of each table with its indexes; None where SQLite was built without the table that says so."""
    try:
        found = connection.execute(
            "SELECT m.tbl_name, SUM(s.pgsize) FROM dbstat s JOIN sqlite_master m ON m.name = s.name "
            "WHERE s.aggregate = TRUE GROUP BY m.tbl_name"
        ).fetchall()
    except sqlite3.OperationalError as error:
        if "dbstat" not in str(error):
            raise
        return None
    return dict(found)
