"""What is asked of a SQLite database by those who tend it."""

from __future__ import annotations

import shutil
import sqlite3
from collections import defaultdict

from ..upkeep import DatabaseFacts, Schema, SchemaDifference, StrayClaim, TableSize, compare_schemas
from .connection import WAL_LIMIT_BYTES, Database
from .event_logs import ensure_log, event_table, known_logs, log_of_table
from .migration import SCHEMA_VERSION, migrate, stored_version
from .sizes import bytes_of_tables

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
        with self._database.read("read the schema") as connection:
            found = _schema(connection)
            logs = known_logs(connection) if ("table", "event_logs") in found else []
        fresh = Database(None)
        migrate(fresh)
        with fresh.write("make the same months") as connection:
            for log in logs:
                if log:
                    ensure_log(connection, log)
            expected = _schema(connection)
        fresh.close()
        # A month that was taken away, and is not cleared away yet, is nobody's.
        kept = {event_table(log) for log in (0, *logs)}
        found = {
            part: declared
            for part, declared in found.items()
            if log_of_table(table := part[1].partition(".")[0]) is None or table in kept
        }
        return compare_schemas(expected, found)

    def tables(self) -> list[TableSize]:
        """Every table, the largest first; the months of the event log are one."""
        with self._database.read("read the sizes of tables") as connection:
            names = [
                row[0]
                for row in connection.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
                )
            ]
            sizes = bytes_of_tables(connection)
            counts: dict[str, int] = defaultdict(int)
            totals: dict[str, int] = defaultdict(int)
            for name in names:
                whole = name if log_of_table(name) is None else "events"
                counts[whole] += connection.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0]
                totals[whole] += 0 if sizes is None else sizes.get(name, 0)
        found = [
            TableSize(name=name, rows=count, bytes=None if sizes is None else totals[name])
            for name, count in counts.items()
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
