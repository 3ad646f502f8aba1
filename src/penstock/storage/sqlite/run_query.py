"""A `RunFilter` as SQL for SQLite, which is told each index to use: it does not know how many rows there are."""

from __future__ import annotations

from collections.abc import Sequence

from ..run_search import Condition, Query, RunQueries, Source, where_text
from .listed import listed

__all__ = ["SqliteRunQueries"]


class SqliteRunQueries(RunQueries):
    """`RunQueries` in the words of SQLite."""

    mark = "?"
    tag_columns = ("t.key", "t.value")

    def among(self, column: str, values: Sequence[str]) -> Condition:
        """The condition that a column has one of these values."""
        return f"{column} IN (SELECT value FROM json_each(?))", (listed(values),)

    def tagged(self, table: str, key: str, value: str) -> Condition:
        """The condition that a row of the tags has this key and value."""
        return f"{table}.key = ? AND {table}.value = ?", (key, value)

    def bound(self, source: Source, arm: Sequence[Condition], direction: str, run_id: str) -> Condition:
        """The condition that a stretch of a source begins or ends at a run id."""
        return f"{source.key} {direction} ?", (run_id,)

    def run_of(self, source: Source) -> str:
        """The column with the run id, in filters."""
        return source.key

    def indexed(self, source: Source) -> str:
        """The table of a source, to be read along its index."""
        return f"{source.table} INDEXED BY {source.index}" if source.index else source.table

    def found(
        self, columns: str, source: Source, along: Sequence[Condition], filters: Sequence[Condition], limit: int
    ) -> Query:
        """The statement that follows a source where `along` holds, and gives as many as `limit` of what passes."""
        joined = "" if source.is_of_runs else f" CROSS JOIN runs r ON r.run_id = {source.key}"
        text, values = where_text([*along, *filters])
        order = f"{source.group} ORDER BY {source.key} {self._direction} LIMIT ?"
        return f"SELECT {columns} FROM {self.indexed(source)}{joined}{text}{order}", [*values, limit]
