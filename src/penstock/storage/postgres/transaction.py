"""One transaction, whose statements go to the server without waiting for answers that nobody reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

__all__ = ["Row", "Transaction", "Values"]

Row = tuple[Any, ...]
Values = Sequence[Any] | Mapping[str, Any]


class Transaction:
    """A transaction that is under way on a connection, in a pipeline of it."""

    def __init__(self, connection: psycopg.Connection[Row], pipeline: psycopg.Pipeline) -> None:
        self._connection = connection
        self._pipeline = pipeline

    def rows(self, statement: str, values: Values = ()) -> list[Row]:
        """Run a statement and wait for its rows."""
        return self._waited_for(statement, values).fetchall()

    def row(self, statement: str, values: Values = ()) -> Row | None:
        """Run a statement and wait for its first row."""
        return self._waited_for(statement, values).fetchone()

    def _waited_for(self, statement: str, values: Values) -> psycopg.Cursor[Row]:
        cursor = self._connection.execute(statement, values)
        # Without this the server would take us to be in the middle of a message, and wait for the rest without limit.
        self._pipeline.sync()
        return cursor

    def send(self, statement: str, values: Values = ()) -> None:
        """Run a statement; whether it failed shows at the next wait, or at the end."""
        self._connection.execute(statement, values)

    def send_each(self, statement: str, rows: Sequence[Values]) -> None:
        """Run a statement with each of the rows."""
        if rows:
            self._connection.cursor().executemany(statement, rows)
