"""Code locations as last heard of, and named values."""

from __future__ import annotations

import msgspec

from ...records.errors import ErrorInfo
from ...records.wire import LoadStatus
from ...storage.protocols import Storage, StoredLocation
from .builders import NOW

__all__ = ["LocationContract"]


class LocationContract:
    """`LocationStorage`."""

    def test_a_location_comes_back_as_it_was_given(self, storage: Storage) -> None:
        location = StoredLocation(
            name="shop",
            status=LoadStatus.LOADED,
            digest="d1",
            description=b'{"name": "shop"}',
            loaded_at=NOW,
            updated=NOW + 1,
            origin="shop.py",
        )
        storage.locations.put(location)
        assert storage.locations.get("shop") == location
        assert storage.locations.get("unknown") is None
        assert storage.locations.digests() == {"shop": (LoadStatus.LOADED, "d1", NOW + 1)}

    def test_a_failed_load_keeps_the_last_good_description(self, storage: Storage) -> None:
        storage.locations.put(
            StoredLocation(name="shop", status=LoadStatus.LOADED, digest="d1", description=b"{}", updated=NOW)
        )
        failed = StoredLocation(
            name="shop", status=LoadStatus.FAILED, error=ErrorInfo(cls="SyntaxError", message="no"), updated=NOW + 5
        )
        storage.locations.put(failed)
        assert storage.locations.get("shop") == msgspec.structs.replace(failed, digest="d1", description=b"{}")
        assert storage.locations.digests() == {"shop": (LoadStatus.FAILED, "d1", NOW + 5)}

    def test_locations_that_the_workspace_no_longer_names_are_forgotten(self, storage: Storage) -> None:
        for name in ("a", "b", "c"):
            storage.locations.put(StoredLocation(name=name, status=LoadStatus.LOADING))
        storage.locations.forget(["a", "c", "unknown"])
        assert set(storage.locations.digests()) == {"b"}

    def test_values_are_kept_by_name(self, storage: Storage) -> None:
        assert storage.locations.get_value("token") is None
        storage.locations.set_value("token", "1")
        storage.locations.set_value("token", "2")
        assert storage.locations.get_value("token") == "2"

    def test_a_value_is_settled_once(self, storage: Storage) -> None:
        assert storage.locations.settle_value("key", "first") == "first"
        assert storage.locations.settle_value("key", "second") == "first"
        assert storage.locations.get_value("key") == "first"
        storage.locations.set_value("key", "third")
        assert storage.locations.settle_value("key", "fourth") == "third"
