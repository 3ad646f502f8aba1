"""What a database is asked for by those who tend it: its schema beside the one that is expected, its tables, its size.

Not every storage can tell this; one that can has the property `upkeep`, and is `Tended`.
"""

from __future__ import annotations

from typing import Literal, Protocol, runtime_checkable

import msgspec

__all__ = [
    "DatabaseFacts",
    "Schema",
    "SchemaDifference",
    "SchemaPart",
    "StrayClaim",
    "TableSize",
    "Tended",
    "Upkeep",
    "compare_schemas",
]

SchemaPart = Literal["table", "column", "index", "trigger"]
Schema = dict[tuple[SchemaPart, str], str]
"""(kind, name) of each part of a schema, and how it is declared."""
_How = Literal["missing", "unexpected", "different"]


class SchemaDifference(msgspec.Struct, frozen=True, kw_only=True):
    """Something of the schema that is not as the migrations make it; `name` has its table: `runs.job`, for a column."""

    kind: SchemaPart
    name: str
    how: _How


class TableSize(msgspec.Struct, frozen=True, kw_only=True):
    """A table: its rows (of a large one, as the database estimates), and its bytes with its indexes.

    `bytes` is None where the database does not say.
    """

    name: str
    rows: int
    bytes: int | None


class StrayClaim(msgspec.Struct, frozen=True, kw_only=True):
    """A claim of a pool's slot that nobody has any more."""

    pool: str
    run_id: str
    step_key: str


class DatabaseFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A database as it stands; None for what there is not, or what it does not say.

    Args:
        place: The database in words.
        skew: By how many seconds this machine's clock is ahead of its clock.
        log_bytes: The size of its write-ahead log.
        log_limit: The size up to which that log grows by itself.
        disk_free: The bytes that are free where its files are.
        disk_total: The bytes that there are.
        files: Its files on this machine.
    """

    place: str
    skew: float | None = None
    log_bytes: int | None = None
    log_limit: int | None = None
    disk_free: int | None = None
    disk_total: int | None = None
    files: tuple[str, ...] = ()


class Upkeep(Protocol):
    """The one who tends a database asks this; none of it changes anything."""

    @property
    def known_version(self) -> int:
        """The schema that this version of Penstock reads and writes."""
        ...

    def stored_version(self) -> int:
        """The schema that the database has; 0 for an empty one, and for one that is not there yet."""
        ...

    def differences(self) -> list[SchemaDifference]:
        """Tables, columns, indexes and triggers that are not as the migrations make them, by kind and name."""
        ...

    def tables(self) -> list[TableSize]:
        """Every table, the largest first."""
        ...

    def facts(self) -> DatabaseFacts:
        """The database as it stands."""
        ...

    def stray_claims(self) -> list[StrayClaim]:
        """Claims of pools' slots that count no more: their run has ended, is gone, or has another attempt by now."""
        ...


@runtime_checkable
class Tended(Protocol):
    """A storage whose database can be asked about itself."""

    @property
    def upkeep(self) -> Upkeep: ...


def compare_schemas(expected: Schema, found: Schema) -> list[SchemaDifference]:
    """What of two schemas differs, by kind and name."""
    differences = []
    for kind, name in sorted(expected.keys() | found.keys()):
        before, now = expected.get((kind, name)), found.get((kind, name))
        if before != now:
            how: _How = "missing" if now is None else "unexpected" if before is None else "different"
            differences.append(SchemaDifference(kind=kind, name=name, how=how))
    return differences
