"""What is asked of a Postgres database by those who tend it."""

from __future__ import annotations

from ..upkeep import DatabaseFacts, Schema, SchemaDifference, StrayClaim, TableSize, compare_schemas
from .connection import Database
from .migration import SCHEMA_VERSION, make_schema, stored_version
from .transaction import Transaction

__all__ = ["PostgresUpkeep"]

_SCRATCH = "penstock_as_expected"

# Partitions of a table, and what they have, are as their table is.
_COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
"""
_INDEXES = """
SELECT t.relname || '.' || c.relname, pg_get_indexdef(c.oid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
WHERE c.relnamespace = %s::regnamespace AND NOT t.relispartition AND i.indisvalid
"""
_TRIGGERS = """
SELECT t.relname || '.' || g.tgname, pg_get_triggerdef(g.oid)
FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid
WHERE t.relnamespace = %s::regnamespace AND NOT t.relispartition AND NOT g.tgisinternal AND g.tgenabled <> 'D'
"""
# The months of the event log, and whether their partitions are there.
_MONTHS = """
SELECT 'events_' || log, EXISTS (
    SELECT 1 FROM pg_inherits WHERE inhparent = to_regclass('events') AND inhrelid = to_regclass('events_' || log)
) FROM event_logs
"""
_TABLES = """
SELECT root.relname, SUM(GREATEST(part.reltuples, 0))::bigint, SUM(pg_total_relation_size(part.oid))::bigint
FROM pg_class root
JOIN LATERAL (SELECT relid FROM pg_partition_tree(root.oid) UNION SELECT root.oid) AS tree (oid) ON TRUE
JOIN pg_class part ON part.oid = tree.oid AND part.relkind = 'r'
WHERE root.relnamespace = current_schema()::regnamespace AND root.relkind IN ('r', 'p') AND NOT root.relispartition
GROUP BY root.relname ORDER BY 3 DESC, 1
"""

_STRAY = """
SELECT c.pool, c.run_id, c.step_key FROM pool_claims c LEFT JOIN runs r ON r.run_id = c.run_id
WHERE r.run_id IS NULL OR r.attempt <> c.attempt OR r.status NOT IN ('STARTING', 'STARTED', 'CANCELING')
ORDER BY c.pool, c.run_id, c.step_key
"""


class PostgresUpkeep:
    """`Upkeep` of one Postgres database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def known_version(self) -> int:
        """The schema that this version of Penstock reads and writes."""
        return SCHEMA_VERSION

    def stored_version(self) -> int:
        """The schema that the database has; 0 for an empty one."""
        return stored_version(self._database)

    def differences(self) -> list[SchemaDifference]:
        """What is not as the migrations make it; they are run beside it, in a schema that nobody else ever sees."""
        return self._database.write("compare the schema", _differences)

    def tables(self) -> list[TableSize]:
        """Every table, the largest first."""
        found = self._database.read("read the sizes of tables", _TABLES)
        return [TableSize(name=name, rows=rows, bytes=size) for name, rows, size in found]

    def facts(self) -> DatabaseFacts:
        """The database as it stands. Its files and its disk are its server's own affair."""
        self._database.read("read the clock", "SELECT 1")  # whatever is read, the clock is asked for where that is due
        return DatabaseFacts(place=self._database.name, skew=self._database.clock.skew)

    def stray_claims(self) -> list[StrayClaim]:
        """Claims of slots that count no more."""
        found = self._database.read("read the claims of slots", _STRAY)
        return [StrayClaim(pool=pool, run_id=run_id, step_key=step_key) for pool, run_id, step_key in found]


def _differences(tx: Transaction) -> list[SchemaDifference]:
    ((here,),) = tx.rows("SELECT current_schema()")
    found = _schema(tx, here)
    months = tx.rows(_MONTHS) if ("table", "event_logs") in found else []
    found |= {("table", name): "" for name, is_there in months if is_there}
    tx.send(f"CREATE SCHEMA {_SCRATCH}")
    tx.send(f"SET LOCAL search_path TO {_SCRATCH}")
    make_schema(tx)
    expected = _schema(tx, _SCRATCH) | {("table", name): "" for name, _ in months}
    tx.send("SET LOCAL client_min_messages TO warning")
    tx.send(f"DROP SCHEMA {_SCRATCH} CASCADE")
    return compare_schemas(expected, found)


def _schema(tx: Transaction, name: str) -> Schema:
    parts: Schema = {}
    for table, column, declared in tx.rows(_COLUMNS, (name,)):
        parts["table", table] = ""
        if column is not None:
            parts["column", f"{table}.{column}"] = declared
    for index, declared in tx.rows(_INDEXES, (name,)):
        parts["index", index] = _without_schema(declared, name)
    for trigger, declared in tx.rows(_TRIGGERS, (name,)):
        parts["trigger", trigger] = _without_schema(declared, name)
    return parts


def _without_schema(declared: str, name: str) -> str:
    return declared.replace(f"{name}.", "").replace(f'"{name}".', "")
