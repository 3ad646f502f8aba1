"""Searches find what fits, whichever way they take and however short it is, and tell where they have ended."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.ids import least_run_id
from penstock.records.event import AssetMaterializationPlanned, RunCanceled, RunEnqueued
from penstock.records.run import Run, RunStatus
from penstock.storage import run_search
from penstock.storage.postgres import PostgresStorage
from penstock.storage.protocols import NewRun, RunFilter, Storage
from penstock.storage.run_catalog import fits
from penstock.storage.sqlite import SqliteStorage
from penstock.testing.storage_contract.builders import NOW, new_run

_RUNS = 60
_DAY = 86_400.0
_VALUES = ("a", "b", "a" * 500, "a" * 499 + "b" * 200)
_STATUSES = (RunStatus.NOT_STARTED, RunStatus.QUEUED, RunStatus.CANCELED, RunStatus.FAILURE)
_times = st.none() | st.integers(-1, _RUNS + 1).map(lambda place: NOW + place * _DAY)
_filters = st.builds(
    RunFilter,
    statuses=st.none() | st.lists(st.sampled_from(_STATUSES), unique=True, max_size=3).map(tuple),
    job=st.sampled_from((None, "nightly", "hourly")),
    location=st.sampled_from((None, "shop", "office")),
    tags=st.dictionaries(st.sampled_from("kl"), st.sampled_from((*_VALUES, ("a", "b"), _VALUES, None)), max_size=2),
    without_tags=st.sampled_from(((), ("k",))),
    asset=st.sampled_from((None, "orders")),
    created_after=_times,
    created_before=_times,
    updated_after=_times,
    ended_after=_times,
)


@pytest.fixture(params=["sqlite", "postgres"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    is_sqlite = request.param == "sqlite"
    path = tmp_path / "penstock.db"
    opened = SqliteStorage(path) if is_sqlite else PostgresStorage(request.getfixturevalue("postgres_url"))
    opened.migrate()
    yield opened
    opened.close()


def _fill(storage: Storage) -> dict[str, bool]:
    """Runs a day apart; gives, by id, whether each planned the asset."""
    chance = random.Random(5)
    made: dict[str, bool] = {}
    for place in range(_RUNS):
        facts = [AssetMaterializationPlanned(asset="orders", partition=key) for key in "abc"[: chance.randrange(4)]]
        new: NewRun = new_run(
            *facts,
            *([RunEnqueued()] if chance.random() < 0.6 else []),
            run_id=least_run_id(NOW + place * _DAY),
            created=NOW + place * _DAY,
            job=chance.choice(("nightly", "hourly")),
            location=chance.choice(("shop", "office")),
            tags={key: chance.choice(_VALUES) for key in "kl" if chance.random() < 0.7},
        )
        storage.runs.create([new])
        if chance.random() < 0.4:
            storage.runs.record(new.run.run_id, [RunCanceled()], now=NOW + (place + 1) * _DAY)
        made[new.run.run_id] = bool(facts)
    return made


def test_a_search_is_a_part_of_the_page_that_says_where_it_ends(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_search, "LOOKS", 4)
    planned = _fill(storage)
    runs = [run for run_id in sorted(planned) if (run := storage.runs.get(run_id)) is not None]

    @settings(max_examples=60)
    @given(_filters, st.integers(1, 6), st.booleans(), st.none() | st.sampled_from(runs))
    def holds(where: RunFilter, limit: int, ascending: bool, before: Run | None) -> None:
        cursor = None if before is None else before.run_id
        expected = [run for run in runs if fits(run, where) and (where.asset is None or planned[run.run_id])]
        assert storage.runs.count(where) == len(expected)
        assert storage.runs.count(where, at_most=3) == min(3, len(expected))
        if not ascending:
            expected.reverse()
        ids = [run.run_id for run in expected]
        if cursor is not None:
            ids = [run_id for run_id in ids if (run_id > cursor if ascending else run_id < cursor)]
        page = storage.runs.page(where, limit=limit, before=cursor, ascending=ascending)
        assert [run.run_id for run in page] == ids[:limit]
        found: list[str] = []
        for _ in range(2 * _RUNS):
            part = storage.runs.search(where, limit=limit, before=cursor, ascending=ascending)
            found += [run.run_id for run in part.runs]
            assert len(part.runs) <= limit
            if len(part.runs) == limit:
                cursor = found[-1]
            elif part.until is None:
                break
            else:
                cursor = part.until
        assert found == ids
        tally = storage.runs.tally(where)
        assert tally.number == len(expected) if tally.until is None else tally.number <= len(expected)

    holds()


def test_a_search_that_finds_nothing_ends_all_the_same(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_search, "LOOKS", 4)
    made = storage.runs.create([new_run(tags={"k": "a" if n % 2 else "b"}, job=f"j{n % 2}") for n in range(40)])
    never = RunFilter(tags={"k": "a"}, job="j0")
    first = storage.runs.search(never, limit=10)
    assert (first.runs, first.until) == ((), sorted(run.run_id for run in made)[-8])
    assert storage.runs.tally(never).until == first.until
    assert storage.runs.page(never, limit=10) == []
