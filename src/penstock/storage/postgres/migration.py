"""Brings a database to this version's schema: numbered SQL files, each applied once, by one process at a time."""

from __future__ import annotations

from pathlib import Path

from ...clock import SYSTEM_CLOCK
from ...errors import StorageError
from .connection import Database
from .transaction import Row, Transaction

__all__ = ["SCHEMA_VERSION", "make_schema", "migrate", "stored_version"]

_FILES = {int(file.name[:4]): file for file in sorted((Path(__file__).parent / "schema").glob("[0-9]*.sql"))}
_LOCK = 0x70656E73746F636B  # an advisory lock's number; these are the letters of our name

SCHEMA_VERSION = max(_FILES)
"""The schema that this version of Penstock reads and writes."""

_KNOWN = "SELECT to_regclass('schema_version') IS NOT NULL, current_setting('server_encoding')"
_VERSIONS = "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, applied DOUBLE PRECISION NOT NULL)"
_VERSION = "SELECT COALESCE(MAX(version), 0) FROM schema_version"


def migrate(database: Database) -> None:
    """Apply what is missing, in one transaction. Several processes may call this at once: one works, the others wait.

    Raises:
        StorageError: The database was made by a newer version, does not hold all text, or cannot be written.
    """
    if not _is_current(stored_version(database), database):
        database.write("bring the schema up to date", lambda tx: _apply(tx, database), repeatable=True)


def stored_version(database: Database) -> int:
    """The newest migration that the database has seen; 0 for an empty one."""
    is_known, encoding = database.read("read the schema version", _KNOWN)[0]
    if encoding != "UTF8":
        raise StorageError(
            f"{database.name} keeps text as {encoding}, which does not hold all characters; make one with the "
            "encoding UTF8: createdb --encoding UTF8 --template template0 NAME."
        )
    return _number(database.read("read the schema version", _VERSION)) if is_known else 0


def _apply(tx: Transaction, database: Database) -> None:
    # Who waits here waits for another's migration, however long that takes.
    tx.send("SET LOCAL statement_timeout TO 0")
    tx.rows("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
    tx.send(_VERSIONS)
    version = _number(tx.rows(_VERSION))
    if _is_current(version, database):
        return
    make_schema(tx, version)


def make_schema(tx: Transaction, version: int = 0) -> None:
    """Bring what the search path names from a version to this one's."""
    tx.send(_VERSIONS)
    for number in sorted(number for number in _FILES if number > version):
        for statement in _statements(_FILES[number].read_text(encoding="utf-8")):
            tx.send(statement)
        tx.send("INSERT INTO schema_version VALUES (%s, %s)", (number, SYSTEM_CLOCK.now()))


def _number(found: list[Row]) -> int:
    number: int = found[0][0]
    return number


def _is_current(version: int, database: Database) -> bool:
    if version > SCHEMA_VERSION:
        raise StorageError(
            f"{database.name} was made by a newer version of Penstock (schema {version}, this one knows "
            f"{SCHEMA_VERSION}); upgrade this Penstock, or name another database."
        )
    return version == SCHEMA_VERSION


def _statements(script: str) -> list[str]:
    """The statements of a file; each ends with a semicolon at the end of a line, outside of a function's body."""
    found = []
    pending: list[str] = []
    in_body = False
    for line in script.splitlines():
        text = line.partition("--")[0].rstrip()
        in_body ^= text.count("$$") % 2 == 1
        if text:
            pending.append(text)
        if text.endswith(";") and not in_body:
            found.append("\n".join(pending))
            pending = []
    return found
