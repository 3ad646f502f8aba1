"""One transaction, whose statements go to the server without waiting for answers that nobody reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

__all__ = ["Row", "Transaction", "Values"]

Row = tuple[Any, ...]
Values = Sequence[Any] | Mapping[str, Any]


class Transaction:
    """A transaction that is under way on a connection."""

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self._connection = connection

    def rows(self, statement: str, values: Values = ()) -> list[Row]:
        """Run a statement and wait for its rows."""
        return self._connection.execute(statement, values).fetchall()

    def row(self, statement: str, values: Values = ()) -> Row | None:
        """Run a statement and wait for its first row."""
        return self._connection.execute(statement, values).fetchone()

    def send(self, statement: str, values: Values = ()) -> None:
        """Run a statement; whether it failed shows at the next wait, or at the end."""
        self._connection.execute(statement, values)

    def send_each(self, statement: str, rows: Sequence[Values]) -> None:
        """Run a statement with each of the rows."""
        if rows:
            self._connection.cursor().executemany(statement, rows)
