"""One transaction, whose statements go to the server without waiting for answers that nobody reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg

from .columns import column

__all__ = ["Answer", "Row", "Transaction", "Values"]

Row = tuple[Any, ...]
Values = Sequence[Any] | Mapping[str, Any]


class Answer:
    """What the server says to a statement that nobody waits for: to be read when its transaction is over, or synced."""

    def __init__(self, cursor: psycopg.Cursor[Row]) -> None:
        self._cursor = cursor

    @property
    def count(self) -> int:
        """How many rows the statement changed or gave."""
        return self._cursor.rowcount

    def rows(self) -> list[Row]:
        """Its rows, once."""
        return self._cursor.fetchall()


class Transaction:
    """A transaction that is under way on a connection, in a pipeline of it if one is given."""

    def __init__(self, connection: psycopg.Connection[Row], pipeline: psycopg.Pipeline | None) -> None:
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
        self.sync()
        return cursor

    def sync(self) -> None:
        """End a stretch of statements: the answers to those before this may be waited for."""
        if self._pipeline is not None:
            # Else the server would take us to be in the middle of a message, and wait for the rest without limit.
            self._pipeline.sync()

    def ask(self, statement: str, values: Values = ()) -> Answer:
        """Run a statement whose answer is read later."""
        return Answer(self._connection.execute(statement, values))

    def send(self, statement: str, values: Values = ()) -> None:
        """Run a statement; whether it failed shows at the next wait, or at the end."""
        self._connection.execute(statement, values)

    def send_each(self, statement: str, rows: Sequence[Values]) -> None:
        """Run a statement with each of the rows."""
        if rows:
            self._connection.cursor().executemany(statement, rows)

    def send_all(self, statement: str, types: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement once with all of the rows; where there are none, not at all.

        Args:
            statement: It names the rows as a table: `{rows} AS given`.
            types: The table's columns, each one of `int8`, `float8`, `text`, `bytea` and `bool`; with spaces between.
            rows: The table's rows.
        """
        if rows:
            self.ask_all(statement, types, rows)

    def ask_all(self, statement: str, types: str, rows: Sequence[Sequence[Any]], values: Sequence[Any] = ()) -> Answer:
        """Run a statement once with all of the rows, of which there is one at least; its answer is read later.

        The arguments are those of `send_all`, and the values that stand in the statement before the rows.
        """
        given = types.split()
        # As columns of a SELECT, since the server gathers what a function gives in FROM, one store for each array. In
        # subqueries, since a planner that sees how few rows there are plans the statement anew each time.
        table = f"(SELECT {', '.join(f'unnest((SELECT %b::{each}[]))' for each in given)})"
        columns = [column(kind, cells) for kind, cells in zip(given, zip(*rows, strict=True), strict=True)]
        return self.ask(statement.replace("{rows}", table), [*values, *columns])

    def copy(self, table: str, types: str, rows: Iterable[Sequence[Any]]) -> None:
        """Add rows to a table in bulk (COPY, in binary form), which cannot be done in a pipeline.

        Args:
            table: The table with its columns: `t (x, y)`.
            types: The columns' types, with spaces between.
            rows: The rows.
        """
        with self._connection.cursor().copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(types.split())
            for row in rows:
                copy.write_row(row)

    @contextmanager
    def pipelined(self) -> Iterator[None]:
        """Send what comes meanwhile in a pipeline, in a transaction that else has none."""
        with self._connection.pipeline() as self._pipeline:
            yield
        self._pipeline = None
