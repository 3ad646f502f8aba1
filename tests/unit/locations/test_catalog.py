"""The read view of stored locations."""

from __future__ import annotations

from datetime import timedelta

import pytest

from penstock.codec import digest, encode_json
from penstock.config.schema import Shape
from penstock.errors import CodeServerUnreachableError
from penstock.locations.addresses import AddressBook
from penstock.locations.catalog import Catalog
from penstock.records.freshness import FreshnessPolicy
from penstock.records.location import AssetDescription, JobDescription, LocationDescription
from penstock.records.wire import LoadStatus
from penstock.storage.protocols import StoredLocation
from penstock.storage.sqlite.storage import SqliteStorage


@pytest.fixture
def storage() -> SqliteStorage:
    return SqliteStorage(None)


def store(
    storage: SqliteStorage, description: LocationDescription, *, updated: float, address: str = "unix:/a"
) -> None:
    storage.locations.put(
        StoredLocation(
            name=description.name,
            status=LoadStatus.LOADED,
            digest=digest(description),
            description=encode_json(description),
            updated=updated,
            address=address,
        )
    )


def shop(*assets: AssetDescription, name: str = "shop") -> LocationDescription:
    return LocationDescription(name=name, jobs=(JobDescription(name="nightly", config_schema=Shape()),), assets=assets)


def test_it_takes_in_what_has_changed(storage: SqliteStorage) -> None:
    catalog = Catalog(storage.locations)
    assert not catalog.refresh()
    store(storage, shop(AssetDescription(key="orders", op="orders")), updated=1.0)
    assert catalog.refresh()
    assert not catalog.refresh()
    assert catalog.job("shop", "nightly") is not None
    assert catalog.job("shop", "absent") is None
    assert catalog.job("absent", "nightly") is None
    storage.locations.forget(["shop"])
    assert catalog.refresh()
    assert not catalog.locations


def test_the_same_content_is_decoded_once(storage: SqliteStorage) -> None:
    catalog = Catalog(storage.locations)
    store(storage, shop(), updated=1.0)
    catalog.refresh()
    before = catalog.locations["shop"].description
    storage.locations.put(StoredLocation(name="shop", status=LoadStatus.LOADING, updated=2.0))
    assert catalog.refresh()
    assert catalog.locations["shop"].stored.status is LoadStatus.LOADING
    assert catalog.locations["shop"].description is before


def test_an_asset_is_found_where_it_is_made(storage: SqliteStorage) -> None:
    made = AssetDescription(key="orders", op="orders")
    store(
        storage,
        shop(AssetDescription(key="orders"), AssetDescription(key="report", deps=("orders",), op="r"), name="a"),
        updated=1.0,
    )
    store(storage, shop(made, AssetDescription(key="bill", deps=("orders",), op="b"), name="b"), updated=1.0)
    catalog = Catalog(storage.locations)
    catalog.refresh()
    found = catalog.asset("orders")
    assert found is not None
    assert (found[0].stored.name, found[1]) == ("b", made)
    assert catalog.dependents("orders") == ("bill", "report")
    assert catalog.dependents("bill") == ()
    assert catalog.asset("absent") is None


def test_all_assets_stand_in_columns(storage: SqliteStorage) -> None:
    store(
        storage,
        shop(
            AssetDescription(key="orders", op="orders", group="raw", deps=("far/away", "mart/bill")),
            AssetDescription(key="mart/bill", op="bill", observable=True, deps=("orders", "a\\/b"), checks=("whole",)),
        ),
        updated=1.0,
    )
    catalog = Catalog(storage.locations)
    catalog.refresh()
    columns = catalog.asset_columns
    assert columns.path == [["mart", "bill"], ["orders"]]
    assert columns.dependencies == [[1, 2], [3, 0]]
    assert columns.outside_path == [["a/b"], ["far", "away"]]
    assert (columns.group_name, columns.location_name) == (["default", "raw"], ["shop", "shop"])
    assert (columns.is_executable, columns.is_materializable) == ([True, True], [False, True])
    assert columns.total_checks == [1, 0]
    assert catalog.asset_columns is columns
    store(storage, shop(AssetDescription(key="orders")), updated=2.0)
    catalog.refresh()
    assert catalog.asset_columns.keys == ["orders"]


def test_clients_answer_to_the_stored_address(storage: SqliteStorage) -> None:
    catalog, book = Catalog(storage.locations), AddressBook(storage.locations)
    for client_of in (catalog.client, book.client):
        with pytest.raises(CodeServerUnreachableError, match="No code server serves the location 'shop'"):
            client_of("shop")
    store(storage, shop(), updated=1.0)
    catalog.refresh()
    assert catalog.client("shop").address == book.client("shop").address == "unix:/a"
    assert catalog.client("shop") is catalog.client("shop")
    store(storage, shop(), updated=2.0, address="unix:/b")
    catalog.refresh()
    assert catalog.client("shop").address == book.client("shop").address == "unix:/b"


@pytest.mark.parametrize(
    ("known", "unknown"), [(b'"Europe/Berlin"', b'"Mars/Base_1"'), (b'"type":"cron"', b'"type":"moon"')]
)
def test_a_description_that_is_not_understood_counts_as_not_loaded(
    storage: SqliteStorage, known: bytes, unknown: bytes
) -> None:
    store(storage, shop(), updated=1.0)
    policy = FreshnessPolicy.cron(
        deadline_cron="0 12 * * *", lower_bound_delta=timedelta(hours=1), timezone="Europe/Berlin"
    )
    newer = LocationDescription(name="newer", jobs=(), assets=(AssetDescription(key="a", freshness=policy),))
    description = encode_json(newer).replace(known, unknown)
    assert unknown in description
    storage.locations.put(
        StoredLocation(name="newer", status=LoadStatus.LOADED, digest="x", description=description, updated=1.0)
    )
    catalog = Catalog(storage.locations)
    catalog.refresh()
    assert catalog.locations["newer"].description is None
    assert catalog.job("shop", "nightly") is not None
