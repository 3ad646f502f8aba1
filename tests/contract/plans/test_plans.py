"""No page costs more the longer the history is. `sqlite.md` and `postgres.md` list what each asks, and how it is found.

`PENSTOCK_WRITE=1 pytest tests/contract/plans` writes the lists anew; read what changed before it is stored.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
import yaml

from penstock.instance.instance import Instance
from penstock.locations.catalog import Catalog
from penstock.storage import backfill_page, run_search
from penstock.storage.postgres import run_query as postgres_run_query
from penstock.storage.postgres import runs as postgres_runs
from penstock.storage.sqlite import runs as sqlite_runs
from penstock.web.graphql import context as graphql_context
from support.postgres import scratch_database
from support.statements import Plan, PostgresStatements, SqliteStatements, Statement, Statements
from support.ui_documents import QUERIES

from .pages import DAEMON, PAGES, Deployment, names
from .past import fill

_MOST = 15
"""Statements of one page."""

_SMALL = {
    "event_logs": "one row a month",
    "instigators": "one row for each schedule and sensor",
    "leases": "one row for each part of the daemon's work",
    "locations": "one row for each code location",
    "pool_claims": "the claims of runs at work",
    "pool_limits": "one row for each pool with a limit",
    "processes": "one row for each process that is heard of",
}
"""Tables that are read as a whole, and why they are small."""

_OPEN = {
    "backfills_open": "the backfills under way",
    "freshness_states_failed": "the assets that are too old",
    "planned_assets_open": "what is still to be made",
    "runs_in_queue": "the runs that wait",
}
"""Indexes of few rows, and of which."""

_SORTED = {
    **{f"FROM {table}": reason for table, reason in _SMALL.items()},
    "_of_runs LEFT JOIN": "the events of whole runs in the stretch of time that is asked for",
    "e.time > %(since)s": "the events of whole runs in the stretch of time that is asked for",
    "INDEXED BY asset_events_by_time": "the events of an asset in the stretch of time that is asked for",
    "FROM backfill_counts": "the groups of the backfills that are shown",
    "FROM backfills WHERE status = ": "no more of each status than the page has",
    "FROM asset_events": "those of one instant, or in the stretch of time that is asked for",
    "INDEXED BY runs_by_owner": "the runs at work",
    "FROM runs WHERE owner = ": "the runs at work",
    "FROM runs WHERE lease_until": "the runs at work",
    "FROM runs WHERE status = ANY": "the runs at work",
    "INDEXED BY runs_by_status WHERE status IN": "the runs at work",
    "INDEXED BY runs_by_created": "no more runs than one search looks at",
    "INDEXED BY runs_by_ended": "no more runs than one search looks at",
    "INDEXED BY runs_by_updated": "no more runs than one search looks at",
    "WHERE r.created": "no more runs than one search looks at",
    "WHERE r.ended": "no more runs than one search looks at",
    "WHERE r.updated": "no more runs than one search looks at",
    "WHERE status = 'QUEUED'": "the runs that wait",
    "FROM steps": "the steps of the runs that are shown",
    "INDEXED BY ticks_by_age": "the ticks that failed in the last hour",
    "(status, started) >": "the ticks that failed in the last hour",
    "JOIN steps": "the steps of the runs that are shown",
}
"""What the database puts in order, by a part of the statement, and why that is little."""

_PAGED = re.compile(r"FROM \w+ (r )?(ORDER BY [\w.]+ (ASC |DESC )?)?LIMIT")
"""A table that is read from an end without a condition: as far as a page or a count goes."""

_OF_CODE = "SELECT name, status, digest, updated FROM locations"
"""By this every page looks whether any code is new."""

_PAST = 120
_LOOKS = 20
_FOLDER = Path(__file__).parent
_HEAD = """# What each page asks of {name}, and how it is found

`test_plans.py` compares what is asked with this list, and sees to it that no plan reads a table from end to end that
grows with the history, or puts an unbounded number of rows in order. A page is followed by the number of its
statements; those that are alike are shown once, with the plan of {version}.
"""


class Found(NamedTuple):
    """What the pages ask of a database."""

    database: str
    version: str
    asked: Mapping[str, list[Statement]]
    plan: Callable[[Statement], Plan]

    def different(self, page: str) -> dict[str, Statement]:
        """The different statements of a page."""
        return {each.text: each for each in self.asked[page]}

    def plans(self) -> Iterator[tuple[str, Plan]]:
        """Each different statement with its plan."""
        for text, statement in {
            text: each for page in self.asked for text, each in self.different(page).items()
        }.items():
            yield text, self.plan(statement)


@contextmanager
def _deployment(home: Path, runs: int, **more: Any) -> Iterator[Deployment]:
    settings = {"run_retries": {"enabled": True}, "run_queue": {"max_concurrent_runs": 2}, **more}
    (home / "penstock.yaml").write_text(yaml.safe_dump(settings))
    with Instance.open(home) as instance:
        yield Deployment(instance, Catalog(instance.storage.locations), fill(instance, runs))


def _short_searches(patch: pytest.MonkeyPatch) -> None:
    """Let a past that is quickly made be longer than one search looks and counts."""
    for module in (run_search, postgres_run_query, sqlite_runs, postgres_runs, backfill_page):
        patch.setattr(module, "LOOKS", _LOOKS)
    patch.setattr(graphql_context, "MOST_COUNTED", _LOOKS)


def _ask(deployment: Deployment, statements: Statements) -> tuple[dict[str, list[Statement]], dict[str, int]]:
    """The statements of every page, and the work that it was."""
    asked, steps = {}, {}
    for page in PAGES:
        before = statements.steps
        with statements.recording() as found:
            page.ask(deployment)
        asked[page.name] = [each for each in found if not each.text.startswith(_OF_CODE)]
        steps[page.name] = statements.steps - before
    return asked, steps


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Found]:
    """What the pages ask of either database."""
    home = tmp_path_factory.mktemp("plans")
    with ExitStack() as cleanup:
        patch = cleanup.enter_context(pytest.MonkeyPatch.context())
        _short_searches(patch)
        if request.param == "sqlite":
            on_sqlite = SqliteStatements(patch)
            deployment = cleanup.enter_context(_deployment(home, _PAST))
            connection = sqlite3.connect(home / "penstock.db")
            cleanup.callback(connection.close)
            on_sqlite.explain_with(connection)
            asked, _ = _ask(deployment, on_sqlite)
            yield Found("SQLite", f"SQLite {sqlite3.sqlite_version}", asked, on_sqlite.plan)
            return
        url = cleanup.enter_context(scratch_database(request.getfixturevalue("postgres_server")))
        deployment = cleanup.enter_context(_deployment(home, _PAST, storage={"postgres": {"postgres_url": url}}))
        with psycopg.connect(url, autocommit=True) as explaining:
            explaining.execute("VACUUM ANALYZE")
            on_postgres = PostgresStatements(patch, explaining)
            asked, _ = _ask(deployment, on_postgres)
            version = f"Postgres {explaining.info.server_version // 10_000}"
            yield Found("Postgres", version, asked, on_postgres.plan)


def _sections(found: Found) -> dict[str, str]:
    """The list, page by page."""
    shown: set[str] = set()
    sections = {}
    for page, asked in found.asked.items():
        lines = [f"\n## {page} ({len(asked)})\n"]
        for text, statement in {_any_month(text): each for text, each in found.different(page).items()}.items():
            if text in shown:
                lines.append(f"\nAs above: `{text if len(text) < 90 else text[:90] + '...'}`\n")
                continue
            shown.add(text)
            plan = _any_month("\n".join(found.plan(statement).lines))
            lines.append(f"\n```sql\n{text}\n```\n\n```text\n{plan}\n```\n")
        sections[page] = "".join(lines)
    return sections


def _any_month(text: str) -> str:
    """A text without the month of a table of events: one is that of the day on which the test runs."""
    return re.sub(r"events_\d{6}", "events_MONTH", text)


def _written(text: str) -> dict[str, str]:
    """A stored list, page by page."""
    parts = re.split(r"^(?=\n## )", text, flags=re.MULTILINE)
    return {part.splitlines()[1].removeprefix("## ").rpartition(" (")[0]: part for part in parts[1:]}


def _statements_of(section: str) -> list[str]:
    return re.findall(r"```sql\n(.*?)\n```|^As above: (.*)$|^## (.*)$", section, re.DOTALL | re.MULTILINE)


def test_the_list_has_what_is_asked(found: Found) -> None:
    path = _FOLDER / f"{found.database.lower()}.md"
    head = _HEAD.format(name=found.database, version=found.version)
    sections = _sections(found)
    if "PENSTOCK_WRITE" in os.environ:
        path.write_text(head + "".join(sections.values()), encoding="utf-8")
    text = path.read_text(encoding="utf-8")
    stored = _written(text)
    # Another SQLite may find another plan, and Postgres goes by how much there is; what is asked is the same.
    has_same_plans = text.startswith(head) and found.database == "SQLite"
    assert list(stored) == list(sections)
    for page, section in sections.items():
        if has_same_plans:
            assert section == stored[page]
        else:
            assert _statements_of(section) == _statements_of(stored[page])


def test_every_page_of_the_ui_is_asked_for() -> None:
    assert names() == set(QUERIES)


def test_no_table_that_grows_is_read_from_end_to_end(found: Found) -> None:
    for text, plan in found.plans():
        along = {table for table, index in plan.along if index not in _OPEN}
        assert {*plan.whole, *along} <= _SMALL.keys() or _PAGED.search(text), text


def test_little_is_put_in_order(found: Found) -> None:
    for text, plan in found.plans():
        assert not plan.sorts or any(part in text for part in _SORTED), text


def test_a_page_asks_a_few_things(found: Found) -> None:
    pages = {page.name for page in PAGES if page.operation is not None or page.name.startswith("penstock ")}
    many = {page: len(asked) for page, asked in found.asked.items() if page in pages and len(asked) > _MOST}
    assert many == {}


def test_a_page_is_the_same_work_however_long_the_past_is(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    _short_searches(monkeypatch)
    listening = SqliteStatements(monkeypatch)
    steps = []
    for runs in (1450, 2200):
        with _deployment(tmp_path_factory.mktemp("past"), runs) as deployment:
            steps.append(_ask(deployment, listening)[1])
    short, long = steps
    short.pop(DAEMON)  # it removes what is old as well, which here is all of the past
    assert {page: (short[page], long[page]) for page in short if long[page] > 1.1 * short[page] + 200} == {}
