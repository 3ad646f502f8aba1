"""Processes that come to a database at the same moment. They import this module, so it imports little."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.synchronize import Barrier
from typing import Self

from penstock.storage.protocols import Storage
from penstock.testing.storage_contract.builders import queued_run

__all__ = ["Together"]

_barrier: Barrier | None = None


class Together:
    """Processes that open a database at the same moment."""

    def __init__(self, count: int) -> None:
        context = multiprocessing.get_context("forkserver")
        self._count = count
        self._pool = ProcessPoolExecutor(count, context, initializer=_share, initargs=(context.Barrier(count),))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def come_up(self, opener: Callable[[], Storage]) -> list[str]:
        """Have each of them bring it up to date and make a run in it; gives the schema versions that they see."""
        return list(self._pool.map(_come_up, [opener] * self._count))


def _share(barrier: Barrier) -> None:
    global _barrier
    _barrier = barrier


def _come_up(opener: Callable[[], Storage]) -> str:
    assert _barrier is not None
    storage = opener()
    _barrier.wait()
    storage.migrate()
    run = queued_run(storage)
    assert storage.events.of_run(run.run_id)
    version = storage.describe()["schema"]
    storage.close()
    return version
