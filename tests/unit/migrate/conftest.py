"""The spellings that tests move code with: a few of each kind, and those that users have."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from penstock.cli.migrate import spellings
from penstock.migrate.model import Spellings
from penstock.storage.sqlite import SqliteStorage

from .old_history import OldTable, old_tables


@pytest.fixture
def few() -> Spellings:
    """Spellings that no later name changes."""
    return Spellings(
        names={"DagsterRun": "Run", "DagsterType": "ValueType", "usable_as_dagster_type": "usable_as_type"},
        parameters={"In": {"dagster_type": "python_type"}},
        attributes={
            "OpExecutionContext": {"dagster_run": "run"},
            "Definitions": {"resolve_job_def": "get_job_def"},
            "Odd": {"dagster_x": "a"},
            "Odder": {"dagster_x": "b"},
        },
        label_prefixes={"dagster/": "penstock/", ".dagster/": ".penstock/"},
        known=frozenset({"Run", "ValueType", "usable_as_type", "In", "op", "asset", "Config", "MetadataValue"}),
        left_out={"old_thing": "nobody needs it; use the new thing."},
    )


@pytest.fixture(scope="session")
def all_of_them() -> Spellings:
    """Those of the command."""
    return spellings()


@pytest.fixture
def tables() -> dict[str, OldTable]:
    """The old rows."""
    return old_tables()


@pytest.fixture
def storage() -> Iterator[SqliteStorage]:
    """Where the history goes."""
    storage = SqliteStorage(None)
    yield storage
    storage.close()
