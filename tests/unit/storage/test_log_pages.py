"""The log read on by type, in pages, and places that are kept for whoever reads next."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from penstock.errors import StorageError
from penstock.records.event import AssetFact, AssetMaterialization, AssetObservation
from penstock.storage.log_pages import KeptPlace, pages_of_types
from penstock.storage.sqlite.storage import SqliteStorage

MADE = ["ASSET_MATERIALIZATION"]


@pytest.fixture
def storage() -> Iterator[SqliteStorage]:
    built = SqliteStorage(None)
    yield built
    built.close()


def make(storage: SqliteStorage, number: int) -> list[int]:
    """So many materializations, with an observation between; gives the ids of the former."""
    facts: list[AssetFact] = []
    for _ in range(number):
        facts += [AssetMaterialization(asset="a"), AssetObservation(asset="a")]
    return storage.assets.report(facts, now=1.0)[::2]


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 5])
def test_pages_give_each_event_of_the_types_once_in_order(storage: SqliteStorage, number: int) -> None:
    (passed,) = make(storage, 1)
    ids = make(storage, number)
    pages = list(pages_of_types(storage.events, MADE, after=passed, limit=2))
    assert [each.id for page in pages for each in page] == ids
    assert all(1 <= len(page) <= 2 for page in pages)
    assert list(pages_of_types(storage.events, [], after=0, limit=2)) == []


def read(place: KeptPlace, epoch: int = 1) -> list[int]:
    return [each.id for page in place.read_on(MADE, epoch=epoch, limit=2) for each in page]


def test_a_place_begins_at_the_end_and_another_holder_goes_on_from_it(storage: SqliteStorage) -> None:
    make(storage, 3)
    first, second = KeptPlace(storage, "mine"), KeptPlace(storage, "mine")
    assert read(first) == []
    ids = make(storage, 5)
    assert read(second) == ids
    assert read(first) == ids, "under the same lease nobody else has moved it"
    more = make(storage, 1)
    assert read(second) == more
    assert read(first, epoch=3) == []
    assert read(KeptPlace(storage, "another")) == []


def test_a_place_moves_behind_what_was_done_alone(storage: SqliteStorage) -> None:
    read(KeptPlace(storage, "mine"))
    ids = make(storage, 5)
    seen = []
    with pytest.raises(StorageError):  # noqa: PT012 - the loop is what is tried
        for page in KeptPlace(storage, "mine").read_on(MADE, epoch=1, limit=2):
            seen += [each.id for each in page]
            if len(seen) == 4:
                raise StorageError("away")
    assert read(KeptPlace(storage, "mine")) == ids[2:]


def test_what_is_passed_over_is_not_read(storage: SqliteStorage) -> None:
    place = KeptPlace(storage, "mine")
    place.pass_over()
    assert storage.locations.get_value("mine") is None, "it begins with what comes after its first use"
    read(place)
    make(storage, 2)
    place.pass_over()
    ids = make(storage, 1)
    assert read(KeptPlace(storage, "mine")) == ids
