"""Rests of code servers: they grow, end with a sign of life, and are tried by one thing at a time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from penstock.daemon.rests import FIRST_REST, TAKEN_SECONDS, Rests
from penstock.locations.catalog import Catalog
from penstock.locations.client import Timeouts
from penstock.records.wire import LoadStatus
from penstock.storage.protocols import StoredLocation
from penstock.storage.sqlite.storage import SqliteStorage
from penstock.testing.clock import FakeClock


@pytest.fixture
def storage() -> Iterator[SqliteStorage]:
    opened = SqliteStorage(None)
    yield opened
    opened.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def catalog(storage: SqliteStorage) -> Catalog:
    return Catalog(storage.locations)


@pytest.fixture
def rests(catalog: Catalog, clock: FakeClock) -> Rests:
    return Rests(catalog, clock)


def test_one_thing_is_asked_after_a_rest(rests: Rests, clock: FakeClock) -> None:
    assert rests.may_ask("shop")
    rests.begin("shop")
    assert rests.resting() == {"shop"}
    assert not rests.may_ask("shop")
    assert rests.may_ask("other")
    clock.advance(FIRST_REST)
    assert rests.resting() == set()
    assert [rests.may_ask("shop") for _ in range(2)] == [True, False]
    rests.end("shop")
    assert rests.may_ask("shop")


def test_rests_grow_to_a_bound_and_not_for_what_was_asked_before(rests: Rests, clock: FakeClock) -> None:
    rests.begin("shop")
    rests.begin("shop")  # was under way meanwhile
    lengths = []
    for _ in range(5):
        since = clock.monotonic()
        while not rests.may_ask("shop"):
            clock.advance(1)
        lengths.append(clock.monotonic() - since)
        rests.begin("shop")
    assert lengths == [2, 4, 8, 10, 10]


def test_who_tries_and_has_to_wait_holds_nobody_up(rests: Rests, clock: FakeClock) -> None:
    rests.begin("shop")
    clock.advance(FIRST_REST)
    assert rests.may_ask("shop")
    clock.advance(TAKEN_SECONDS - 1)
    assert not rests.may_ask("shop")
    clock.advance(1)
    assert [rests.may_ask("shop") for _ in range(3)] == [True] * 3
    rests.begin("shop")
    assert not rests.may_ask("shop")


def test_a_connection_is_refused_or_made_before_who_tries_counts_as_waiting() -> None:
    assert Timeouts().connect < TAKEN_SECONDS


def test_a_code_server_that_tells_of_itself_rests_no_longer(
    rests: Rests, storage: SqliteStorage, catalog: Catalog
) -> None:
    rests.begin("shop")
    storage.locations.put(StoredLocation(name="shop", status=LoadStatus.LOADED, updated=1.0))
    catalog.refresh()
    assert rests.resting() == set()
    assert rests.may_ask("shop")
