"""Storage calls from the event loop."""

from __future__ import annotations

import asyncio

import pytest

from penstock.errors import StorageError
from penstock.locations import storage_calls
from penstock.locations.storage_calls import StorageCalls


def test_what_must_not_be_lost_is_tried_until_the_storage_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_calls, "_RETRY_SECONDS", 0.0)
    refusals = [StorageError("the disk is full"), StorageError("still full")]

    def store(value: str) -> str:
        if refusals:
            raise refusals.pop()
        return value

    async def main() -> str:
        calls = StorageCalls()
        try:
            return await calls.until_done(store, "kept")
        finally:
            calls.close()

    assert asyncio.run(main()) == "kept"
    assert not refusals


def test_a_single_call_raises_what_it_raises() -> None:
    def refuse() -> None:
        raise StorageError("the disk is full")

    async def main() -> None:
        calls = StorageCalls()
        try:
            await calls.once(refuse)
        finally:
            calls.close()

    with pytest.raises(StorageError, match="full"):
        asyncio.run(main())
