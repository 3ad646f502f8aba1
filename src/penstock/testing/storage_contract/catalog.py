"""A run storage of one's own: rows that are compared and set, and found again by all that a filter can ask."""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from ...records.run import Run, RunStatus
from ...storage.protocols import RunFilter
from ...storage.run_catalog import Announcement, CatalogRow, RunCatalog, fits
from .builders import NOW, ordered_run_id

__all__ = ["RunCatalogContract"]

_MANY = 450
_THREADS = 6
_TIMES = 25


def _run(**fields: Any) -> Run:
    return Run(**{"run_id": ordered_run_id(), "location": "shop", "job": "nightly", "created": NOW, **fields})


def _put(catalog: RunCatalog, *runs: Run) -> list[str]:
    versions = catalog.versions([run.run_id for run in runs])
    return catalog.put(
        [CatalogRow(run_id=run.run_id, run=run, version=version) for run, version in zip(runs, versions, strict=True)]
    )


def _page(catalog: RunCatalog, where: RunFilter) -> list[Run]:
    return catalog.page(where, limit=_MANY + 1)


class RunCatalogContract:
    """`RunCatalog`."""

    # -- rows ---------------------------------------------------------------------------------------------------------

    def test_a_row_comes_back_as_it_was_put(self, catalog: RunCatalog) -> None:
        run = _run(
            status=RunStatus.STARTED,
            run_config={"ops": {"load": {"config": {"rows": 10, "ratio": 0.5, "none": None, "ключ": ["значение"]}}}},
            tags={"team": "sales", "empty": "", "a=b": "c=d", "ключ": "значение"},
            step_keys=("load",),
            attempt=3,
            owner="server-1",
            lease_until=NOW + 15.25,
            updated=NOW + 0.125,
        )
        assert catalog.get(run.run_id) is None
        assert _put(catalog, run) == []
        assert catalog.get(run.run_id) == run
        assert _page(catalog, RunFilter()) == [run]

    def test_a_row_is_taken_only_while_its_version_is_as_it_was_seen(self, catalog: RunCatalog) -> None:
        run, other = _run(), _run()
        assert catalog.versions([run.run_id, other.run_id]) == [0, 0]
        (seen,) = catalog.versions([run.run_id])
        assert _put(catalog, run) == []
        newer = msgspec.structs.replace(run, note="newer")
        rows = [
            CatalogRow(run_id=newer.run_id, run=newer, version=seen),
            CatalogRow(run_id=other.run_id, run=other, version=0),
        ]
        assert catalog.put(rows) == [run.run_id]
        assert catalog.get(run.run_id) == run
        assert catalog.get(other.run_id) == other
        assert _put(catalog, newer) == []
        assert catalog.get(run.run_id) == newer
        assert catalog.versions([run.run_id])[0] > seen + 1

    def test_of_writers_at_once_one_is_taken(self, catalog: RunCatalog) -> None:
        run = _run()

        def write(number: int) -> int:
            taken = 0
            while taken < _TIMES:
                taken += not _put(catalog, msgspec.structs.replace(run, note=str(number)))
            return taken

        with ThreadPoolExecutor(_THREADS) as threads:
            assert sum(threads.map(write, range(_THREADS))) == _THREADS * _TIMES
        assert catalog.versions([run.run_id]) == [_THREADS * _TIMES]

    def test_a_removed_row_is_found_by_nothing_and_its_version_goes_on(self, catalog: RunCatalog) -> None:
        run, stays = _run(tags={"team": "sales", "tier": "1"}), _run(tags={"team": "sales"})
        _put(catalog, run, stays)
        (version,) = catalog.versions([run.run_id])
        assert catalog.put([CatalogRow(run_id=run.run_id, run=None, version=version)]) == []
        assert catalog.get(run.run_id) is None
        for where in (RunFilter(), RunFilter(run_ids=(run.run_id, stays.run_id)), RunFilter(tags={"team": "sales"})):
            assert _page(catalog, where) == [stays]
            assert catalog.count(where) == 1
        assert _page(catalog, RunFilter(tags={"tier": "1"})) == []
        assert catalog.tag_keys() == ["team"]
        assert catalog.tag_values("tier") == []
        assert catalog.versions([run.run_id])[0] > version
        assert catalog.put([CatalogRow(run_id=run.run_id, run=run, version=version)]) == [run.run_id]

    def test_a_row_that_changes_is_found_at_its_new_place_alone(self, catalog: RunCatalog) -> None:
        before = _run(status=RunStatus.QUEUED, tags={"team": "sales"}, updated=NOW)
        after = msgspec.structs.replace(
            before, status=RunStatus.SUCCESS, tags={"team": "support"}, updated=NOW + 9, ended=NOW + 9
        )
        _put(catalog, before)
        _put(catalog, after)
        for where in (
            RunFilter(statuses=(RunStatus.QUEUED,)),
            RunFilter(tags={"team": "sales"}),
            RunFilter(ended_after=NOW + 9),
            RunFilter(updated_before=NOW + 9),
        ):
            assert (_page(catalog, where), catalog.count(where)) == ([], 0), where
        for where in (
            RunFilter(statuses=(RunStatus.SUCCESS,)),
            RunFilter(tags={"team": "support"}),
            RunFilter(updated_after=NOW + 8),
            RunFilter(),
        ):
            assert (_page(catalog, where), catalog.count(where)) == ([after], 1), where
        assert catalog.tag_values("team") == ["support"]

    # -- finding ------------------------------------------------------------------------------------------------------

    def test_pages_hold_what_fits_and_nothing_else(self, catalog: RunCatalog) -> None:
        chance = random.Random(7)  # noqa: S311 - the same runs and filters each time
        runs = [_any_run(chance) for _ in range(_MANY)]
        for start in range(0, _MANY, 100):
            assert _put(catalog, *runs[start : start + 100]) == []
        for where in [RunFilter(), *(_any_filter(chance, runs) for _ in range(120))]:
            expected = [run for run in runs if fits(run, where)]
            assert catalog.page(where, limit=_MANY, ascending=True) == expected, where
            assert _page(catalog, where) == expected[::-1], where
            assert catalog.count(where) == len(expected), where
            assert catalog.count(where, at_most=3) == min(3, len(expected)), where
            cursor = chance.choice(runs).run_id
            before = [run for run in expected if run.run_id < cursor]
            assert catalog.page(where, limit=4, before=cursor) == before[::-1][:4], where
            after = [run for run in expected if run.run_id > cursor]
            assert catalog.page(where, limit=4, before=cursor, ascending=True) == after[:4], where

    def test_tags_in_use_are_listed_in_order(self, catalog: RunCatalog) -> None:
        for value in ("b", "a%", "a", "ab", "б", "a"):
            _put(catalog, _run(tags={"team": value, f"key {value}": "x"}))
        assert catalog.tag_keys() == ["key a", "key a%", "key ab", "key b", "key б", "team"]
        assert catalog.tag_values("team") == ["a", "a%", "ab", "b", "б"]
        assert catalog.tag_values("team", prefix="a") == ["a", "a%", "ab"]
        assert catalog.tag_values("team", prefix="a", limit=2) == ["a", "a%"]
        assert catalog.tag_values("other") == []

    # -- changes ------------------------------------------------------------------------------------------------------

    def test_an_announcement_stays_until_it_is_settled(self, catalog: RunCatalog) -> None:
        known = _run()
        _put(catalog, known)
        assert catalog.announce("first", ["a", "b"], now=NOW) == [0, 0]
        assert catalog.announce("second", [], now=NOW + 1) == []
        assert catalog.announce("third", [known.run_id, "a"], now=NOW) == [1, 0]
        assert catalog.put([CatalogRow(run_id=known.run_id, run=known, version=0)], settles="third") == [known.run_id]
        assert "third" in {each.change for each in catalog.announced()}
        assert catalog.put([CatalogRow(run_id=known.run_id, run=known, version=1)], settles="third") == []
        first = Announcement(change="first", run_ids=("a", "b"), at=NOW)
        second = Announcement(change="second", run_ids=(), at=NOW + 1)
        assert sorted(catalog.announced(), key=lambda each: each.at) == [first, second]
        catalog.settle(["first", "unknown"])
        catalog.settle([])
        assert catalog.announced() == [second]

    def test_it_may_be_made_ready_again(self, catalog: RunCatalog) -> None:
        run = _run()
        _put(catalog, run)
        catalog.migrate()
        assert catalog.get(run.run_id) == run
        assert catalog.describe()["kind"]


def _any_run(chance: random.Random) -> Run:
    created = NOW + chance.randrange(100)
    ended = created + chance.randrange(50) if chance.random() < 0.6 else None
    status = chance.choice(list(RunStatus) if ended is None else [RunStatus.SUCCESS, RunStatus.FAILURE])
    tags = {key: chance.choice("abc") for key in ("team", "tier") if chance.random() < 0.5}
    return _run(
        created=created,
        updated=created + chance.randrange(60),
        ended=ended,
        status=status,
        tags=tags,
        job=chance.choice(("nightly", "hourly")),
        location=chance.choice(("shop", "office")),
    )


def _any_filter(chance: random.Random, runs: Sequence[Run]) -> RunFilter:
    """A filter of one to three conditions."""

    def instant() -> float:
        return NOW + chance.randrange(160)

    conditions: dict[str, Any] = {
        "run_ids": tuple(run.run_id for run in chance.sample(list(runs), 9)),
        "statuses": tuple(chance.sample(list(RunStatus), chance.randrange(4))),
        "job": chance.choice(("nightly", "hourly", "unknown")),
        "location": chance.choice(("shop", "office")),
        "tags": {chance.choice(("team", "tier")): chance.choice(("a", ("a", "b"), (), None))},
        "without_tags": ("tier",),
        "created_after": instant(),
        "created_before": instant(),
        "updated_after": instant(),
        "updated_before": instant(),
        "ended_after": instant(),
    }
    names = chance.sample(sorted(conditions), chance.randint(1, 3))
    return RunFilter(**{name: conditions[name] for name in names})
