"""What is remembered of the places of partitions, and what their letters come to in the order of their set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.partitions.space import open_space
from penstock.partitions.spec import DynamicSpec, PartitionsSpec, StaticSpec, TimeWindowSpec
from penstock.records.asset import PartitionState, PartitionStatus, PartitionStatuses
from penstock.records.event import AssetMaterialization, AssetWiped
from penstock.storage.protocols import AssetStorage
from penstock.storage.sqlite import SqliteStorage
from penstock.web.graphql.partition_places import PartitionPlaces, SetStatuses, no_letters

ABC = StaticSpec(keys=("a", "b", "c", "d"))
DAYS = TimeWindowSpec(cron="0 0 * * *", start="2024-01-01", fmt="%Y-%m-%d")
MADE, FAILED, AT_WORK = PartitionStatus.MATERIALIZED, PartitionStatus.FAILED, PartitionStatus.MATERIALIZING


class Counting:
    """Asset storage that says of how many places the keys were asked for."""

    def __init__(self, assets: AssetStorage) -> None:
        self._assets = assets
        self.asked: list[Mapping[str, int]] = []

    def partition_statuses(self, assets: Mapping[str, int]) -> dict[str, PartitionStatuses]:
        self.asked.append(assets)
        return self._assets.partition_statuses(assets)

    def __getattr__(self, name: str) -> object:
        return getattr(self._assets, name)


@pytest.fixture
def storage() -> Iterator[SqliteStorage]:
    found = SqliteStorage(None)
    found.migrate()
    yield found
    found.close()


def make(storage: SqliteStorage, *keys: str, asset: str = "x") -> None:
    storage.assets.report([AssetMaterialization(asset=asset, partition=key) for key in keys], now=1.0)


def wipe(storage: SqliteStorage, *keys: str) -> None:
    storage.assets.report([AssetWiped(asset="x", partitions=keys)], now=1.0)


def read(
    places: PartitionPlaces, assets: AssetStorage, spec: PartitionsSpec = ABC, keys: Sequence[str] = (), size: int = 4
) -> SetStatuses:
    found = places.read(assets, {"x": spec})
    return found.get("x", no_letters(spec)).of(open_space(spec, lambda _: keys), size)


def test_keys_are_asked_for_once_and_statuses_each_time(storage: SqliteStorage) -> None:
    places, counting = PartitionPlaces(), Counting(storage.assets)
    assert read(places, counting).in_order == b"...."  # type: ignore[arg-type]
    make(storage, "d", "a")
    assert read(places, counting).in_order == b"M..M"  # type: ignore[arg-type]
    make(storage, "c")
    assert read(places, counting).in_order == b"M.MM"  # type: ignore[arg-type]
    wipe(storage, "d")
    make(storage, "d", "b")
    wipe(storage, "d", "a")
    assert read(places, counting).in_order == b".MM."  # type: ignore[arg-type]
    make(storage, "a")
    assert read(places, counting).in_order == b"MMM."  # type: ignore[arg-type]
    assert [each["x"] for each in counting.asked] == [0, 0, 2, 3, 5]


def test_what_is_not_of_the_set_does_not_count(storage: SqliteStorage) -> None:
    make(storage, "a", "gone")
    found = read(PartitionPlaces(), storage.assets)
    assert (found.in_order, found.count(MADE)) == (b"M...", 1)
    make(storage, "2024-01-01", "2024-01-09")
    places = PartitionPlaces()
    for size, count in ((4, 1), (9, 2), (4, 1)):  # a window is not of the set until it has ended
        found = read(places, storage.assets, DAYS, size=size)
        assert (found.count(MADE), found.in_order.count(b"M")) == (count, count)


def test_another_definition_of_the_set_reads_the_keys_again(storage: SqliteStorage) -> None:
    make(storage, "a", "d")
    places = PartitionPlaces()
    assert read(places, storage.assets).in_order == b"M..M"
    assert read(places, storage.assets, StaticSpec(keys=("d", "e")), size=2).in_order == b"M."
    assert read(places, storage.assets).in_order == b"M..M"


def test_positions_of_keys_that_come_and_go_are_those_of_now(storage: SqliteStorage) -> None:
    make(storage, "p", "r", "q")
    places, spec = PartitionPlaces(), DynamicSpec(name="files")
    assert read(places, storage.assets, spec, ["p", "q", "new", "r"]).in_order == b"MM.M"
    found = read(places, storage.assets, spec, ["new", "r", "q"], size=3)
    assert (found.in_order, found.count(MADE)) == (b".MM", 2)


def test_another_database_with_fewer_places_is_read_from_the_start(storage: SqliteStorage) -> None:
    make(storage, "a", "b", "c")
    places = PartitionPlaces()
    read(places, storage.assets)
    other = SqliteStorage(None)
    other.migrate()
    make(other, "d")
    assert read(places, other.assets).in_order == b"...M"
    other.close()


def test_no_more_is_remembered_than_is_allowed(storage: SqliteStorage) -> None:
    counting = Counting(storage.assets)
    for asset in "xyz":
        make(storage, "a", "b", "c", asset=asset)
    places = PartitionPlaces(most=6)
    for asset in "xyzzyx":
        places.read(counting, {asset: ABC})  # type: ignore[arg-type]
    assert counting.asked == [{"x": 0}, {"y": 0}, {"z": 0}, {"z": 3}, {"y": 3}, {"x": 0}]


LETTERS = st.text(alphabet=".MfFiI", max_size=40)


@given(LETTERS)
def test_stretches_and_counts_are_those_of_the_letters(letters: str) -> None:
    found = SetStatuses(letters, range(len(letters)), len(letters), are_all_inside=True)
    status_of = {"M": MADE, "f": FAILED, "F": FAILED, "i": AT_WORK, "I": AT_WORK, ".": None}
    told: list[PartitionStatus | None] = [None] * len(letters)
    before = None
    for start, stop, status in found.stretches():
        assert start < stop
        assert before != (start, status)  # neighbours of the same status are one stretch
        before = (stop, status)
        told[start:stop] = [status] * (stop - start)
    assert told == [status_of[letter] for letter in letters]
    for status in PartitionStatus:
        assert found.count(status) == told.count(status)


@pytest.mark.parametrize("status", PartitionStatus)
@pytest.mark.parametrize("event", [None, 7])
def test_a_letter_of_a_row_says_its_status(status: PartitionStatus, event: int | None) -> None:
    letter = PartitionState(asset="x", partition="a", status=status, event=event).letter
    found = SetStatuses(letter, [0], 1, are_all_inside=True)
    assert [each for _, _, each in found.stretches()] == [status]
    assert letter.isupper() == (event is not None or status is MADE)
