"""A `RunFilter` as SQL. Where a page follows a tag, its rows are walked in the order of the page; otherwise the planner
finds the index."""

from __future__ import annotations

from typing import Any

from ..protocols import RunFilter
from ..rows import RUN

__all__ = ["count_query", "page_query"]

Query = tuple[str, list[Any]]
_Condition = tuple[str, tuple[Any, ...]]

_COLUMNS = ", ".join(f"r.{column.strip()}" for column in RUN.split(","))
_IS_VALUE = "left({0}.value, 500) = left(%s, 500) AND {0}.value = %s"


def page_query(where: RunFilter, *, limit: int, before: str | None, ascending: bool) -> Query:
    """The statement whose rows (of `rows.RUN`) are the page."""
    direction, beyond = ("ASC", ">") if ascending else ("DESC", "<")
    tables, key, conditions = _source(where)
    if before is not None:
        conditions.append((f"{key} {beyond} %s", (before,)))
    text, values = _where(conditions)
    return f"SELECT {_COLUMNS} FROM {tables}{text} ORDER BY {key} {direction} LIMIT %s", [*values, limit]


def count_query(where: RunFilter, *, at_most: int) -> Query:
    """The statement whose number is the count."""
    tables, _, conditions = _source(where)
    text, values = _where(conditions)
    return f"SELECT COUNT(*) FROM (SELECT 1 FROM {tables}{text} LIMIT %s) AS counted", [*values, at_most]


def _source(where: RunFilter) -> tuple[str, str, list[_Condition]]:
    """Tables, the column that orders their rows, and all conditions."""
    filters = _filters(where)
    if where.run_ids is None:
        for key, value in where.tags.items():
            if isinstance(value, str):
                tagged = (f"t.key = %s AND {_IS_VALUE.format('t')}", (key, value, value))
                return "run_tags t JOIN runs r ON r.run_id = t.run_id", "t.run_id", [tagged, *filters]
    return "runs r", "r.run_id", filters


def _filters(where: RunFilter) -> list[_Condition]:
    conditions: list[_Condition] = []
    for column, wanted in (("run_id", where.run_ids), ("status", where.statuses)):
        if wanted is not None:
            conditions.append((f"r.{column} = ANY(%s)", ([str(each) for each in wanted],)))
    for text, value in (
        ("r.job = %s", where.job),
        ("r.location = %s", where.location),
        ("r.created > %s", where.created_after),
        ("r.created < %s", where.created_before),
        ("r.updated > %s", where.updated_after),
        ("r.updated < %s", where.updated_before),
        ("(r.ended IS NULL OR r.ended > %s)", where.ended_after),
        ("r.run_id IN (SELECT p.run_id FROM planned_assets p WHERE p.asset = %s)", where.asset),
    ):
        if value is not None:
            conditions.append((text, (value,)))
    has_tag = "EXISTS (SELECT 1 FROM run_tags x WHERE x.run_id = r.run_id AND x.key = %s"
    for key, tag in where.tags.items():
        match tag:
            case None:
                conditions.append((f"{has_tag})", (key,)))
            case str():
                conditions.append((f"{has_tag} AND x.value = %s)", (key, tag)))
            case _:
                conditions.append((f"{has_tag} AND x.value = ANY(%s))", (key, list(tag))))
    conditions += [(f"NOT {has_tag})", (key,)) for key in where.without_tags]
    return conditions


def _where(conditions: list[_Condition]) -> Query:
    if not conditions:
        return "", []
    texts = " AND ".join(text for text, _ in conditions)
    return f" WHERE {texts}", [value for _, values in conditions for value in values]
