"""Tends what the runs of a code server print: brings it where it stays, and settles what dead workers left behind."""

from __future__ import annotations

import asyncio
import logging

from ..errors import EnvironmentalError
from ..logs.keeper import topic_of
from ..logs.store import LogStore
from ..storage.notifier import Notifier
from .storage_calls import StorageCalls

__all__ = ["LogTending"]

logger = logging.getLogger("penstock.code_server")


class LogTending:
    """What a code server does for captured output.

    Args:
        logs: Where output is kept.
        notifier: Told of what has changed.
        calls: How to call both; their threads may wait for a network.
    """

    def __init__(self, logs: LogStore, notifier: Notifier, calls: StorageCalls) -> None:
        self._logs = logs
        self._notifier = notifier
        self._calls = calls

    async def upload_until(self, over: asyncio.Event, run_id: str) -> None:
        """Upload what has come of a run, again and again until its worker is gone; nothing where none is needed."""
        pause = self._logs.upload_interval
        while pause is not None and not over.is_set():
            try:
                async with asyncio.timeout(pause):
                    await over.wait()
            except TimeoutError:
                await self.upload(run_id)

    async def settle(self, run_id: str) -> None:
        """Write the ends down that the run's dead worker could not."""
        await self._calls.once(self._settle, run_id)

    async def upload(self, run_id: str) -> None:
        """Upload what has come of a run; where that fails, the next time makes good."""
        if self._logs.upload_interval is not None:
            await self._calls.once(self._upload, run_id)

    def _settle(self, run_id: str) -> None:
        try:
            self._logs.settle(run_id)
        except EnvironmentalError as error:
            logger.warning("Run %s: %s", run_id, error)
        self._notifier.publish([topic_of(run_id)])

    def _upload(self, run_id: str) -> None:
        try:
            self._logs.upload(run_id)
        except EnvironmentalError as error:
            logger.warning("Run %s: %s", run_id, error)
