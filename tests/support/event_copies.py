"""Processes that bring events to Redis, over and over or until they halt at a chosen place."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from custom_run_storage.redis_events import RedisEventLogStorage
from penstock.storage.composite.storage import TendedCompositeStorage
from penstock.storage.event_catalog import CopiedEvent
from penstock.storage.sqlite import SqliteStorage

__all__ = ["follow_and_halt", "follow_forever"]


class _HaltingEvents(RedisEventLogStorage):
    """Says so, and waits to be killed, before or after it has stored the page of that number."""

    def __init__(self, url: str, tell: Connection, page: int, *, after: bool) -> None:
        super().__init__(url)
        self._tell = tell
        self._left = page
        self._after = after

    def put(self, events: Sequence[CopiedEvent], *, reached: int) -> None:
        self._left -= 1
        if self._left or self._after:
            super().put(events, reached=reached)
        if not self._left:
            self._tell.send(reached)
            signal.pause()


def follow_and_halt(path: Path, url: str, tell: Connection, page: int, after: bool) -> None:
    """Bring events over, page by page."""
    storage = TendedCompositeStorage(SqliteStorage(path), events=_HaltingEvents(url, tell, page, after=after))
    while storage.followers[0].follow():
        pass


def follow_forever(path: Path, url: str, tell: Connection) -> None:
    """Bring events over as they come, and say after each page how far that is."""
    catalog = RedisEventLogStorage(url)
    storage = TendedCompositeStorage(SqliteStorage(path), events=catalog)
    while True:
        storage.followers[0].follow()
        tell.send(catalog.reached())
