"""What a storage asks its database: every statement, with what it was for and what it cost."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import psycopg
import pytest

from penstock.storage.postgres import connection as postgres_connection
from penstock.storage.postgres import transaction as postgres_transaction

__all__ = ["Plan", "PostgresStatements", "SqliteStatements", "Statement", "Statements"]

Values = Sequence[Any] | Mapping[str, Any]
_ASKS = re.compile(r"\s*(SELECT|WITH|UPDATE|DELETE|INSERT\b.*\bSELECT)\b", re.DOTALL | re.IGNORECASE)
_OF_THE_DATABASE = re.compile(r"\b(sqlite_master|pragma_|schema_version|pg_\w+|to_regclass)\b")
_STRIDE = 10


class Statement(NamedTuple):
    """A statement as the program wrote it, and the values of one time that it was run."""

    text: str
    values: Values


class Plan(NamedTuple):
    """How a database goes about a statement.

    Args:
        lines: For reading.
        whole: The tables that it reads from end to end.
        along: The tables that it reads along an index, which is named, without a place to begin or to end at.
        sorts: Whether it puts rows in order itself.
    """

    lines: tuple[str, ...]
    whole: frozenset[str]
    along: frozenset[tuple[str, str]]
    sorts: bool


class Statements:
    """Records what is asked between `clear` and `asked`. `steps` is the work done so far, where the database tells."""

    def __init__(self) -> None:
        self.steps = 0
        self._found: list[Statement] = []
        self.is_on = False

    @contextmanager
    def recording(self) -> Iterator[list[Statement]]:
        """The statements that are run inside, in their order."""
        self._found = []
        self.is_on = True
        try:
            yield self._found
        finally:
            self.is_on = False

    def heard(self, text: str, values: Values) -> None:
        """A statement is run."""
        if self.is_on and _ASKS.match(text) and not _OF_THE_DATABASE.search(text):
            self._found.append(Statement(" ".join(text.split()), values))

    def plan(self, statement: Statement) -> Plan:
        """How the database would go about it."""
        raise NotImplementedError


class SqliteStatements(Statements):
    """Of every SQLite connection that is opened from now on.

    The steps are those of SQLite's virtual machine, which are the same at every repetition.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        super().__init__()
        heard, count = self.heard, self._count

        class Listening(sqlite3.Connection):
            def __init__(self, *arguments: Any, **options: Any) -> None:
                super().__init__(*arguments, **options)
                self.set_progress_handler(count, _STRIDE)

            def execute(self, text: str, values: Any = (), /) -> sqlite3.Cursor:
                heard(text, values)
                # The test outlives no loss of power.
                return super().execute("PRAGMA synchronous=OFF" if "synchronous" in text else text, values)

            def executemany(self, text: str, values: Any, /) -> sqlite3.Cursor:
                rows = list(values)
                if rows:
                    heard(text, rows[0])
                return super().executemany(text, rows)

        patch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Listening))
        self._explaining: sqlite3.Connection | None = None

    def _count(self) -> int:
        self.steps += _STRIDE
        return 0

    def explain_with(self, connection: sqlite3.Connection) -> None:
        """The connection that `plan` asks."""
        self._explaining = connection

    def plan(self, statement: Statement) -> Plan:
        """How SQLite would go about it."""
        assert self._explaining is not None
        found = self._explaining.execute(f"EXPLAIN QUERY PLAN {statement.text}", statement.values).fetchall()
        depth = {0: -1}
        lines = []
        for number, parent, _, text in found:
            depth[number] = depth[parent] + 1
            lines.append("  " * depth[number] + text)
        names = _aliases(statement.text)
        tables = {row[0] for row in self._explaining.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        whole = {names.get(each, each) for each in _matches(r"SCAN (\w+)$", lines)} & tables
        along = {
            (names.get(scan[1], scan[1]), scan[2])
            for line in lines
            if (scan := re.match(r"\s*SCAN (\w+) USING (?:COVERING )?INDEX (\w+)", line)) is not None
        }
        return Plan(tuple(lines), frozenset(whole), frozenset(along), any("TEMP B-TREE FOR ORDER" in x for x in lines))


class PostgresStatements(Statements):
    """Of every Postgres storage of this process.

    Plans are made with reading from end to end put out of favour, and with each row that is looked at dear, as if there
    were very many; first without sorting, and with it where that spares a walk along a whole index. What is left is
    what no index can spare.
    """

    def __init__(self, patch: pytest.MonkeyPatch, explaining: psycopg.Connection[Any]) -> None:
        super().__init__()
        self._explaining = explaining
        for setting in ("enable_seqscan", "enable_hashjoin", "enable_mergejoin", "jit"):
            self._explaining.execute(f"SET {setting} TO off")
        for setting in ("cpu_tuple_cost", "cpu_index_tuple_cost"):
            self._explaining.execute(f"SET {setting} TO 10")
        heard = self.heard

        def listening(function: Callable[..., Any], place: int) -> Callable[..., Any]:
            def listen(*arguments: Any, **options: Any) -> Any:
                text, *values = arguments[place:]
                heard(text, values[0] if values else ())
                return function(*arguments, **options)

            return listen

        def listening_to_each(function: Callable[..., Any]) -> Callable[..., Any]:
            def listen(transaction: Any, text: str, rows: Sequence[Values]) -> Any:
                if rows:
                    heard(text, rows[0])
                return function(transaction, text, rows)

            return listen

        database, transaction = postgres_connection.Database, postgres_transaction.Transaction
        patch.setattr(database, "read", listening(database.read, 2))
        for name in ("rows", "row", "send", "ask"):
            patch.setattr(transaction, name, listening(getattr(transaction, name), 1))
        patch.setattr(transaction, "send_each", listening_to_each(transaction.send_each))

    def plan(self, statement: Statement) -> Plan:
        """How Postgres would go about it."""
        plans = [self._plan(statement, sort) for sort in ("off", "on")]
        return min(plans, key=lambda plan: len(plan.whole) + len(plan.along))

    def _plan(self, statement: Statement, sort: str) -> Plan:
        self._explaining.execute(f"SET enable_sort TO {sort}")
        row = self._explaining.execute(f"EXPLAIN (FORMAT JSON) {statement.text}", statement.values or None).fetchone()
        assert row is not None
        told = json.loads(row[0]) if isinstance(row[0], str) else row[0]
        nodes = list(_nodes(told[0]["Plan"], 0))
        whole = {node["Relation Name"] for _, node in nodes if node["Node Type"] == "Seq Scan"}
        along = {
            (node["Relation Name"], node["Index Name"])
            for _, node in nodes
            if node["Node Type"] in ("Index Scan", "Index Only Scan") and "Index Cond" not in node
        }
        sorts = any(node["Node Type"] in ("Sort", "Incremental Sort") for _, node in nodes)
        return Plan(tuple(_line(depth, node) for depth, node in nodes), frozenset(whole), frozenset(along), sorts)


def _matches(pattern: str, lines: Sequence[str]) -> list[str]:
    return [found[1] for line in lines if (found := re.match(rf"\s*{pattern}", line)) is not None]


def _aliases(text: str) -> dict[str, str]:
    """The tables of a statement by the short names that it gives them."""
    return {alias: table for table, alias in re.findall(r"\b(?:FROM|JOIN) (\w+) (?:AS )?(\w+)\b", text)}


def _nodes(node: dict[str, Any], depth: int) -> Iterator[tuple[int, dict[str, Any]]]:
    yield depth, node
    for child in node.get("Plans", ()):
        yield from _nodes(child, depth + 1)


def _line(depth: int, node: dict[str, Any]) -> str:
    words = [node["Node Type"]]
    if "Index Name" in node:
        words.append(node["Index Name"])
    if "Relation Name" in node:
        words.append(f"on {node['Relation Name']}")
    return "  " * depth + " ".join(words)
