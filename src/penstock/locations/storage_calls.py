"""Storage calls from the event loop: each in a thread of a small pool; what must not be lost, until it succeeds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from ..errors import StorageError

__all__ = ["StorageCalls"]

logger = logging.getLogger("penstock.code_server")

P = ParamSpec("P")
T = TypeVar("T")

_THREADS = 3
_RETRY_SECONDS = 1.0


class StorageCalls:
    """The door from async code to a blocking storage."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="penstock-storage")

    async def once(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Make the call; it raises what the call raises."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: call(*args, **kwargs))

    async def until_done(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Make the call again and again while the storage is away: what it says must not be lost."""
        told = False
        while True:
            try:
                return await self.once(call, *args, **kwargs)
            except StorageError as error:
                if not told:
                    logger.warning("The storage does not answer, trying on: %s", error)
                    told = True
            await asyncio.sleep(_RETRY_SECONDS)

    def close(self) -> None:
        """Let the calls under way end, and take no more."""
        self._pool.shutdown(wait=True, cancel_futures=True)
