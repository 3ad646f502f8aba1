"""A code server uploads what grows while a worker lives, and settles what a dead one left; it waits for no store."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from pathlib import Path

import pytest

from penstock.errors import LogStoreError
from penstock.ids import new_run_id
from penstock.locations.log_tending import LogTending
from penstock.locations.storage_calls import StorageCalls
from penstock.logs.local import LocalLogStore
from penstock.logs.object_store import ObjectLogStore


class Store(ObjectLogStore):
    """Tells what was asked of it, and fails when it is told to."""

    def __init__(self, root: Path, interval: float) -> None:
        super().__init__(f"file://{root}/far", LocalLogStore(root / "near"), upload_interval=interval)
        self.uploads = 0
        self.uploaded = threading.Event()
        self.settled: list[str] = []
        self.is_away = False

    def upload(self, run_id: str) -> None:
        self.uploads += 1
        if self.uploads > 1:
            self.uploaded.set()
        if self.is_away:
            raise LogStoreError("The logs are away.")

    def settle(self, run_id: str) -> None:
        self.settled.append(run_id)
        if self.is_away:
            raise LogStoreError("The disk is away.")


class Told:
    """A notifier that nobody listens to."""

    def __init__(self) -> None:
        self.topics: list[str] = []

    def publish(self, topics: Iterable[str]) -> None:
        self.topics += topics

    def subscribe(self) -> None:
        raise AssertionError("nobody listens here")


@pytest.mark.parametrize("is_away", [False, True])
def test_uploads_go_on_until_the_worker_is_gone(tmp_path: Path, is_away: bool) -> None:
    store, run_id = Store(tmp_path, 0.001), new_run_id()
    store.is_away = is_away

    async def main() -> None:
        calls, over = StorageCalls(), asyncio.Event()
        tending = LogTending(store, Told(), calls)  # type: ignore[arg-type]
        following = asyncio.create_task(tending.upload_until(over, run_id))
        assert await asyncio.to_thread(store.uploaded.wait, 20)
        over.set()
        await asyncio.wait_for(following, 20)
        calls.close()

    asyncio.run(main())


def test_nothing_is_uploaded_where_files_stay_where_they_are(tmp_path: Path) -> None:
    async def main() -> None:
        calls = StorageCalls()
        tending = LogTending(LocalLogStore(tmp_path), Told(), calls)  # type: ignore[arg-type]
        await tending.upload_until(asyncio.Event(), new_run_id())
        calls.close()

    asyncio.run(main())


@pytest.mark.parametrize("is_away", [False, True])
def test_what_a_dead_worker_left_is_settled_and_told(tmp_path: Path, is_away: bool) -> None:
    store, told, run_id = Store(tmp_path, 30), Told(), new_run_id()
    store.is_away = is_away

    async def main() -> None:
        calls = StorageCalls()
        await LogTending(store, told, calls).settle(run_id)  # type: ignore[arg-type]
        calls.close()

    asyncio.run(main())
    assert (store.settled, told.topics) == ([run_id], [f"logs:{run_id}"])
