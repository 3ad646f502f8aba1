"""No page of anything reads a table from end to end: each query is asked how it would go about it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from itertools import product

import pytest

from penstock.records.automation import TickStatus
from penstock.records.run import RunStatus
from penstock.storage.protocols import RunFilter
from penstock.storage.sqlite import SqliteStorage
from penstock.storage.sqlite.connection import Database
from penstock.storage.sqlite.migration import migrate
from penstock.storage.sqlite.run_query import count_queries, page_queries

_SMALL = {"asset_states", "event_logs", "instigators", "locations", "leases"}
"""Tables that are meant to be read as a whole: one row for each thing that people have declared, or for a month."""

_FILTERS = [
    RunFilter(),
    RunFilter(run_ids=("a", "b")),
    RunFilter(statuses=(RunStatus.QUEUED, RunStatus.STARTED)),
    RunFilter(statuses=(RunStatus.SUCCESS, RunStatus.FAILURE)),
    RunFilter(job="j"),
    RunFilter(job="j", statuses=(RunStatus.FAILURE,)),
    RunFilter(location="l"),
    RunFilter(tags={"k": "v"}),
    RunFilter(tags={"k": "v", "l": "w", "m": None}, job="j", statuses=(RunStatus.SUCCESS,)),
    RunFilter(tags={"k": None}),
    RunFilter(asset="a"),
    RunFilter(asset="a", statuses=(RunStatus.SUCCESS,), location="l"),
    RunFilter(created_after=1.0),
    RunFilter(created_before=1.0),
    RunFilter(updated_after=1.0),
    RunFilter(ended_after=1.0),
    RunFilter(ended_after=1.0, created_before=2.0),
]


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    database = Database(None)
    migrate(database)
    with database.read("explain") as connection:
        yield connection
    database.close()


def _plan(connection: sqlite3.Connection, statement: str, values: object) -> list[str]:
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]  # type: ignore[arg-type]


def _scanned(plan: list[str]) -> list[str]:
    """Tables that the plan reads from end to end, and not along an index."""
    scans = (re.fullmatch(r"SCAN (\w+)", step) for step in plan)
    return [scan[1] for scan in scans if scan is not None]


@pytest.mark.parametrize("where", _FILTERS, ids=lambda where: repr(where)[10:60])
@pytest.mark.parametrize(("before", "ascending"), list(product((None, "m"), (False, True))))
def test_a_page_of_runs_uses_an_index(
    connection: sqlite3.Connection, where: RunFilter, before: str | None, ascending: bool
) -> None:
    for statement, values in page_queries(where, limit=50, before=before, ascending=ascending):
        assert _scanned(_plan(connection, statement, values)) == []
    for statement, values in count_queries(where, at_most=100):
        assert _scanned(_plan(connection, statement, values)) in ([], ["r"] if where.created_before else [])


@pytest.mark.parametrize(
    "where",
    [
        RunFilter(),
        RunFilter(statuses=(RunStatus.SUCCESS, RunStatus.FAILURE)),
        RunFilter(job="j"),
        RunFilter(job="j", statuses=(RunStatus.SUCCESS, RunStatus.FAILURE)),
        RunFilter(location="l"),
        RunFilter(tags={"k": "v", "l": "w"}),
        RunFilter(asset="a", job="j"),
    ],
    ids=lambda where: repr(where)[10:60],
)
def test_the_filters_of_the_runs_page_need_no_sorting(connection: sqlite3.Connection, where: RunFilter) -> None:
    for statement, values in page_queries(where, limit=50, before="m", ascending=False):
        assert not [step for step in _plan(connection, statement, values) if "TEMP B-TREE" in step]


def test_no_other_read_scans_a_table_that_grows() -> None:
    """Every statement that the reading methods execute, as the database itself reports them."""
    storage = SqliteStorage(None)
    statements: list[str] = []
    with storage._database.read("watch") as connection:
        connection.set_trace_callback(statements.append)
    storage.runs.get("r")
    storage.runs.queued(limit=5)
    storage.runs.queued(limit=5, by_share=True)
    storage.runs.active()
    storage.runs.expired(1.0)
    storage.runs.renew("o", until=1.0)
    storage.runs.tag_keys()
    storage.runs.tag_values("k", prefix="p")
    storage.events.of_run("r", types=["LOG"], step_keys=["s"])
    storage.events.of_run("r")
    storage.events.of_types(["LOG", "RUN_START"], after=5)
    storage.events.of_types(["RUN_START"], before=9, since=1.0, until=2.0, jobs=["j"], ascending=False)
    storage.events.get(5)
    storage.events.step_stats("r")
    storage.assets.states(["a"])
    storage.assets.states()
    storage.assets.history("a", before=5)
    storage.assets.history("a", partition="p")
    storage.assets.history("a", since=1.0, until=2.0, after=3, ascending=True)
    storage.assets.latest_materializations(["a"])
    storage.assets.partition_states("a")
    storage.assets.check_states(["a"])
    storage.assets.check_history("a", "c", before=5)
    storage.assets.dynamic_partitions("d")
    storage.instigators.states()
    storage.instigators.ticks("i")
    storage.instigators.ticks("i", before=9, statuses=[TickStatus.FAILURE], after_time=3.0)
    storage.leases.all()
    storage.leases.processes(seen_after=1.0)
    storage.locations.digests()
    with storage._database.read("explain") as connection:
        connection.set_trace_callback(None)
        reads = [statement for statement in statements if statement.lstrip().startswith(("SELECT", "WITH", "UPDATE"))]
        scans = {statement: _scanned(_plan(connection, statement, ())) for statement in reads}
    storage.close()
    assert len(reads) > 25
    # `found` is a recursion that leaps along an index, `turns` has no more than a page for each share that waits
    allowed = _SMALL | {"found", "turns"}
    assert {statement: tables for statement, tables in scans.items() if set(tables) - allowed} == {}
