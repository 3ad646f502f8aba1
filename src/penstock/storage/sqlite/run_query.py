"""A `RunFilter` as SQL: one condition drives an index, the others filter along it.

Where it can, the driving index is in the order of the page, so that a page costs the same on a hundred runs and on
millions. Conditions with several values (statuses, "ended later or not at all") become one statement for each value;
the reader merges their rows.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ...records.run import FINISHED
from .. import rows
from ..protocols import RunFilter
from .listed import listed

__all__ = ["count_queries", "page_queries"]

Query = tuple[str, list[Any]]
_Condition = tuple[str, tuple[Any, ...]]

_COLUMNS = ", ".join(f"r.{column.strip()}" for column in rows.RUN.split(","))


class _Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where rows come from: tables with the index to use, the driving conditions, and the column that orders them."""

    tables: str
    conditions: tuple[_Condition, ...] = ()
    key: str = "r.run_id"
    group: str = ""


def page_queries(where: RunFilter, *, limit: int, before: str | None, ascending: bool) -> list[Query]:
    """Statements whose rows (of `rows.RUN`), merged in the order of the run ids and cut at `limit`, are the page."""
    direction, beyond = ("ASC", ">") if ascending else ("DESC", "<")
    filters = _filters(where)
    queries = []
    for source in _sources(where):
        conditions = [*source.conditions, *filters]
        if before is not None:
            conditions.append((f"{source.key} {beyond} ?", (before,)))
        text, values = _where(conditions)
        order = f"ORDER BY {source.key} {direction} LIMIT ?"
        statement = f"SELECT {_COLUMNS} FROM {source.tables}{text}{source.group} {order}"
        queries.append((statement, [*values, limit]))
    return queries


def count_queries(where: RunFilter, *, at_most: int) -> list[Query]:
    """Statements whose numbers, added up and cut at `at_most`, are the count."""
    filters = _filters(where)
    queries = []
    for source in _sources(where):
        text, values = _where([*source.conditions, *filters])
        statement = f"SELECT COUNT(*) FROM (SELECT 1 FROM {source.tables}{text}{source.group} LIMIT ?)"
        queries.append((statement, [*values, at_most]))
    return queries


def _sources(where: RunFilter) -> list[_Source]:
    """The index that promises the fewest rows to look at; its own condition may be named again by a filter."""
    if where.run_ids is not None:
        return [_Source(tables="runs r")]
    for key, value in where.tags.items():
        if isinstance(value, str):
            return [
                _Source(
                    tables="run_tags t INDEXED BY run_tags_by_value CROSS JOIN runs r ON r.run_id = t.run_id",
                    conditions=(("t.key = ? AND t.value = ?", (key, value)),),
                    key="t.run_id",
                )
            ]
    if where.asset is not None:
        return [
            _Source(
                tables="planned_assets p INDEXED BY planned_assets_by_asset CROSS JOIN runs r ON r.run_id = p.run_id",
                conditions=(("p.asset = ?", (where.asset,)),),
                key="p.run_id",
                group=" GROUP BY p.run_id",
            )
        ]
    if where.statuses is not None and not FINISHED & set(where.statuses):
        return _by_status(where)
    if where.ended_after is not None:
        tables = "runs r INDEXED BY runs_by_ended"
        return [
            _Source(tables=tables, conditions=(("r.ended IS NULL", ()),)),
            _Source(tables=tables, conditions=(("r.ended > ?", (where.ended_after,)),)),
        ]
    if where.updated_after is not None:
        return [_Source(tables="runs r INDEXED BY runs_by_updated")]
    if where.created_after is not None:
        return [_Source(tables="runs r INDEXED BY runs_by_created")]
    if where.job is not None and where.statuses is not None:
        return _by_status(where, "runs_by_job_status")
    if where.job is not None:
        return [_Source(tables="runs r INDEXED BY runs_by_job")]
    if where.statuses is not None:
        return _by_status(where)
    if where.location is not None:
        return [_Source(tables="runs r INDEXED BY runs_by_location")]
    return [_Source(tables="runs r")]


def _by_status(where: RunFilter, index: str = "runs_by_status") -> list[_Source]:
    return [
        _Source(tables=f"runs r INDEXED BY {index}", conditions=(("r.status = ?", (status,)),))
        for status in sorted(set(where.statuses or ()))
    ]


def _filters(where: RunFilter) -> list[_Condition]:
    conditions: list[_Condition] = []
    if where.run_ids is not None:
        conditions.append(("r.run_id IN (SELECT value FROM json_each(?))", (listed(where.run_ids),)))
    if where.statuses is not None:
        conditions.append(("r.status IN (SELECT value FROM json_each(?))", (listed(where.statuses),)))
    for text, value in (
        ("r.job = ?", where.job),
        ("r.location = ?", where.location),
        ("r.created > ?", where.created_after),
        ("r.created < ?", where.created_before),
        ("r.updated > ?", where.updated_after),
        ("r.updated < ?", where.updated_before),
        ("(r.ended IS NULL OR r.ended > ?)", where.ended_after),
        ("EXISTS (SELECT 1 FROM planned_assets x WHERE x.run_id = r.run_id AND x.asset = ?)", where.asset),
    ):
        if value is not None:
            conditions.append((text, (value,)))
    has_tag = "EXISTS (SELECT 1 FROM run_tags x WHERE x.run_id = r.run_id AND x.key = ?"
    for key, tag in where.tags.items():
        match tag:
            case None:
                conditions.append((f"{has_tag})", (key,)))
            case str():
                conditions.append((f"{has_tag} AND x.value = ?)", (key, tag)))
            case _:
                fits = f"{has_tag} AND x.value IN (SELECT value FROM json_each(?)))"
                conditions.append((fits, (key, listed(tag))))
    conditions += [(f"NOT {has_tag})", (key,)) for key in where.without_tags]
    return conditions


def _where(conditions: list[_Condition]) -> tuple[str, list[Any]]:
    if not conditions:
        return "", []
    texts = " AND ".join(text for text, _ in conditions)
    return f" WHERE {texts}", [value for _, values in conditions for value in values]
