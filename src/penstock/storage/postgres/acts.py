"""The record of acts in Postgres: written by whoever changes what an act is upon, in its transaction."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Sequence
from typing import Any

from ...records.act import Act
from .. import act_rows as rows
from ..protocols import EVERY_ACT, ActFilter
from ..rows import NEWEST
from .connection import Database
from .transaction import Transaction

__all__ = ["PostgresActs", "record_acts"]


class PostgresActs:
    """`ActStorage` on one Postgres database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, where: ActFilter = EVERY_ACT, *, before: int | None = None, limit: int = 50) -> list[Act]:
        """Acts, the last one stored first."""
        values: dict[str, Any] = {"before": NEWEST if before is None else before, "limit": limit}
        conditions = ["id < %(before)s"]
        if where.subject is not None:
            conditions.append("subject = %(subject)s")
            values["subject"] = where.subject
        if where.actor is not None:
            conditions.append("actor = %(actor)s")
            values["actor"] = where.actor
        if where.kinds is not None:
            conditions.append("kind = %(kind)s")
        if where.since is not None:
            # Where the page may end: else the search for the last ones would read all that is older. With the sum, that
            # is looked for among those alone, and not from the oldest act on.
            conditions.append("time >= %(since)s AND id >= (SELECT MIN(id + 0) FROM acts WHERE time >= %(since)s)")
            values["since"] = where.since
        statement = f"SELECT {rows.ACT} FROM acts WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT %(limit)s"
        found = [
            self._database.read("read acts", statement, {**values, "kind": kind})
            for kind in (dict.fromkeys(where.kinds) if where.kinds is not None else (None,))
        ]
        merged = heapq.merge(*found, key=lambda row: row[0], reverse=True)
        return [rows.act(row) for row in itertools.islice(merged, limit)]

    def add(self, acts: Sequence[Act]) -> None:
        """Store acts that change nothing in a storage."""
        self._database.write("store acts", lambda tx: record_acts(tx, acts))


def record_acts(tx: Transaction, acts: Sequence[Act]) -> None:
    """Store acts under the next numbers."""
    statement = f"INSERT INTO acts ({rows.NEW_ACT}) VALUES (%s, %s, %s, %s, %s)"
    tx.send_each(statement, [rows.act_values(act) for act in acts])
