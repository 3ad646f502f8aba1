"""Copies a Penstock history from SQLite to Postgres, table by table: both dialects name tables and columns alike."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

__all__ = ["copy_to_postgres"]

_OWN = "schema_version"  # what each dialect knows of itself
_TABLES = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1
"""
_COLUMNS = """
    SELECT column_name, data_type FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name = %s ORDER BY ordinal_position
"""
# Plain indexes alone: those of keys and constraints stay, and a partition's goes with its table's.
_INDEXES = """
    SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND NOT c.relispartition
    AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = i.indexrelid)
"""
_SERIALS = """
    SELECT table_name, column_name, pg_get_serial_sequence(table_name, column_name) FROM information_schema.columns
    WHERE table_schema = 'public' AND is_identity = 'YES'
"""


def copy_to_postgres(source: Path, url: str) -> None:
    """Fill the migrated, empty database at `url` with what the SQLite file holds; indexes are made at the end."""
    with sqlite3.connect(source) as lite, psycopg.connect(url, autocommit=True) as post:
        lite.execute("PRAGMA query_only = 1")
        post.execute("SET session_replication_role = replica")  # what triggers keep is copied, too
        tables = [name for (name,) in post.execute(_TABLES) if name != _OWN]
        indexes = post.execute(_INDEXES).fetchall()
        for name, _ in indexes:
            post.execute(sql.SQL("DROP INDEX {}").format(sql.SQL(name)))
        for log in _logs(lite):
            if log:  # the first is there
                post.execute(f"CREATE TABLE events_{log} PARTITION OF events FOR VALUES IN ({log})")
        post.execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(map(sql.Identifier, tables))))
        for table in tables:
            _copy(lite, post, table)
        for _, definition in indexes:
            post.execute(definition.replace(" ON ONLY ", " ON "))
        for table, column, sequence in post.execute(_SERIALS).fetchall():
            _go_on_from(post, sequence, table, column)
        _go_on_from(post, "run_numbers", "runs", "num")
        post.execute("VACUUM ANALYZE")


def _copy(lite: sqlite3.Connection, post: psycopg.Connection[Any], table: str) -> None:
    kinds = dict(post.execute(_COLUMNS, (table,)).fetchall())
    for rows, columns in _sources(lite, table):
        wanted = [column for column in columns if column in kinds]
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, wanted))
        )
        flags = [place for place, column in enumerate(wanted) if kinds[column] == "boolean"]
        with post.cursor().copy(statement) as copy:
            for row in _with_flags(rows, flags):
                copy.write_row(row)


def _sources(lite: sqlite3.Connection, table: str) -> Iterator[tuple[Iterable[tuple[Any, ...]], list[str]]]:
    """Rows that belong into a table, with the names of their columns. SQLite has a table for each month's events."""
    parts = [f"SELECT *, {log} AS log FROM events_{log}" for log in _logs(lite)]
    for part in parts if table == "events" else [f"SELECT * FROM {table}"]:
        cursor = lite.execute(part)
        yield cursor, [each[0] for each in cursor.description]


def _logs(lite: sqlite3.Connection) -> list[int]:
    return [log for (log,) in lite.execute("SELECT log FROM event_logs ORDER BY log")]


def _with_flags(rows: Iterable[tuple[Any, ...]], flags: list[int]) -> Iterable[tuple[Any, ...]]:
    """The rows, with what SQLite keeps as 0 or 1 in these places as what it means."""
    if not flags:
        return rows
    return (tuple(bool(value) if place in flags else value for place, value in enumerate(row)) for row in rows)


def _go_on_from(post: psycopg.Connection[Any], sequence: str, table: str, column: str) -> None:
    statement = sql.SQL("SELECT setval({}, (SELECT COALESCE(MAX({}), 0) + 1 FROM {}), false)")
    post.execute(statement.format(sql.Literal(sequence), sql.Identifier(column), sql.Identifier(table)))
