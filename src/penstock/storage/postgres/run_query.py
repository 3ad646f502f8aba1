"""A `RunFilter` as SQL for Postgres. What is to be followed first stands in a query of its own: the planner takes
conditions to be independent of each other, and might look for what is never together along the wrong one."""

from __future__ import annotations

from collections.abc import Sequence

from ..run_search import LOOKS, Condition, Query, RunQueries, Source, where_text

__all__ = ["PostgresRunQueries", "merged"]

_INDEXED = 500
"""How many characters of a tag's value the index has."""


class PostgresRunQueries(RunQueries):
    """`RunQueries` in the words of Postgres."""

    mark = "%s"
    tag_columns = ("t.key", f"left(t.value, {_INDEXED})")

    def among(self, column: str, values: Sequence[str]) -> Condition:
        """The condition that a column has one of these values."""
        return f"{column} = ANY(%s)", ([str(each) for each in values],)

    def tagged(self, table: str, key: str, value: str) -> Condition:
        """The condition that a row of the tags has this key and value; the index has the beginning of a value.

        The whole value is compared only where it is longer: the planner would take that for one more condition, and
        expect so few rows that it puts all of them in order instead of following the index.
        """
        begins = f"{table}.key = %s AND left({table}.value, {_INDEXED}) = %s"
        if len(value) < _INDEXED:
            return begins, (key, value)
        return f"{begins} AND {table}.value = %s", (key, value[:_INDEXED], value)

    def bound(self, source: Source, arm: Sequence[Condition], direction: str, run_id: str) -> Condition:
        """The condition that a stretch of a source begins or ends at a run id.

        It is said of all that the index has up to there. A condition on the run id alone would lead the planner to an
        index that begins with it, and there past all that is not looked for.
        """
        fixed = [value for _, values in arm for value in values][: len(source.columns)]
        columns = ", ".join((*source.columns, source.key))
        return f"({columns}) {direction} ({', '.join(['%s'] * (len(fixed) + 1))})", (*fixed, run_id)

    def run_of(self, source: Source) -> str:
        """The column with the run id, in filters."""
        return "f.run_id"

    def indexed(self, source: Source) -> str:
        """The table of a source; the planner finds its index."""
        return source.table

    def found(
        self, columns: str, source: Source, along: Sequence[Condition], filters: Sequence[Condition], limit: int
    ) -> Query:
        """The statement that follows a source where `along` holds, and gives as many as `limit` of what passes."""
        text, values = where_text(along)
        order = f"{source.group} ORDER BY {source.key} {self._direction} LIMIT %s"
        if not filters and source.is_of_runs:
            return f"SELECT {columns} FROM {source.table}{text}{order}", [*values, limit]
        # On a way no more runs are looked at; without that number the planner would take it that all are wanted.
        most = limit if not filters else LOOKS if source.in_order else None
        followed = f"(SELECT {source.key} FROM {source.table}{text}{order}) AS f"
        passing, more = where_text(filters)
        joined = f"SELECT {columns} FROM {followed} JOIN runs r ON r.run_id = f.run_id{passing}"
        return f"{joined} ORDER BY f.run_id {self._direction} LIMIT %s", [*values, most, *more, limit]


def merged(queries: Sequence[Query], *, limit: int, ascending: bool) -> Query:
    """One statement for the pages of several; their first column is the run id."""
    if len(queries) == 1:
        return queries[0]
    text = " UNION ALL ".join(f"({each})" for each, _ in queries)
    order = f"ORDER BY 1 {'ASC' if ascending else 'DESC'} LIMIT %s"
    return f"{text} {order}", [value for _, values in queries for value in values] + [limit]
