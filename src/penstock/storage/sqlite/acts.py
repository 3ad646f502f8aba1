"""The record of acts in SQLite: written by whoever changes what an act is upon, in its transaction."""

from __future__ import annotations

import heapq
import itertools
import sqlite3
from collections.abc import Iterable, Sequence

from ...records.act import Act
from .. import act_rows as rows
from ..protocols import EVERY_ACT, ActFilter
from ..rows import NEWEST
from .connection import Database

__all__ = ["SqliteActs", "record_acts"]


class SqliteActs:
    """`ActStorage` on one SQLite database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, where: ActFilter = EVERY_ACT, *, before: int | None = None, limit: int = 50) -> list[Act]:
        """Acts, the last one stored first."""
        values: dict[str, object] = {"before": NEWEST if before is None else before, "limit": limit}
        conditions = ["id < :before"]
        if where.subject is not None:
            conditions.append("subject = :subject")
            values["subject"] = where.subject
        if where.actor is not None:
            conditions.append("actor = :actor")
            values["actor"] = where.actor
        if where.kinds is not None:
            conditions.append("kind = :kind")
        if where.since is not None:
            # Where the page may end: else the search for the last ones would read all that is older. With the sum, that
            # is looked for among those alone, and not from the oldest act on.
            conditions.append("time >= :since AND id >= (SELECT MIN(id + 0) FROM acts WHERE time >= :since)")
            values["since"] = where.since
        statement = f"SELECT {rows.ACT} FROM acts WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT :limit"
        with self._database.read("read acts") as connection:
            found = [
                connection.execute(statement, {**values, "kind": kind}).fetchall()
                for kind in (dict.fromkeys(where.kinds) if where.kinds is not None else (None,))
            ]
        merged = heapq.merge(*found, key=lambda row: row[0], reverse=True)
        return [rows.act(row) for row in itertools.islice(merged, limit)]

    def add(self, acts: Sequence[Act]) -> None:
        """Store acts that change nothing in a storage."""
        with self._database.write("store acts") as connection:
            record_acts(connection, acts)


def record_acts(connection: sqlite3.Connection, acts: Iterable[Act]) -> None:
    """Store acts under the next numbers."""
    connection.executemany(f"INSERT INTO acts ({rows.NEW_ACT}) VALUES (?, ?, ?, ?, ?)", map(rows.act_values, acts))
