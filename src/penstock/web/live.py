"""Live push: what the storage publishes, fanned out to the pages that listen.

One thread waits for the storage's topics. Each stream keeps only the set of topics that changed since it last sent
something, so a slow reader costs no memory; it gets at most ten messages a second.
"""

from __future__ import annotations

import asyncio
import os
import re
import select
import threading
from collections.abc import Callable, Iterable

from ..ids import new_holder_id
from ..storage.notifier import Notifier

__all__ = ["EVERYTHING", "Hub", "Stream", "TooManyStreamsError", "unknown_topics"]

EVERYTHING = "*"
"""What the storage reports when anything may have changed."""

_PLAIN = frozenset(
    {
        "alerts",
        "assets",
        "backfills",
        "instigators",
        "locations",
        "one_offs",
        "pools",
        "processes",
        "queue",
        "retention",
        "runs",
        "slots",
        "ticks",
        "webhooks",
    }
)
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_NAMED = re.compile(rf"(?:run|logs):{_UUID}")
_MOST_STREAMS = 1000
_IDLE_LOOK_SECONDS = 1.0


class TooManyStreamsError(Exception):
    """No more streams can be opened now."""


def unknown_topics(topics: Iterable[str]) -> list[str]:
    """Those that are no topics."""
    return [topic for topic in topics if topic not in _PLAIN and not _NAMED.fullmatch(topic)]


class Stream:
    """One listener. Everything but `id` belongs to the event loop's thread."""

    def __init__(self, topics: Iterable[str]) -> None:
        self.id = new_holder_id("stream")
        self.topics = frozenset(topics)
        self.closed = asyncio.Event()
        self._changed: set[str] = set()
        self._cursor = 0
        self._ready = asyncio.Event()

    def push(self, topics: frozenset[str], cursor: int) -> None:
        """Note what changed."""
        changed = self.topics if EVERYTHING in topics else self.topics & topics
        if changed:
            self._changed |= changed
            self._cursor = max(self._cursor, cursor)
            self._ready.set()

    def close(self) -> None:
        """End the stream."""
        self.closed.set()
        self._ready.set()

    async def next(self, patience: float) -> tuple[list[str], int] | None:
        """The topics that changed since the last call, and the newest event's id; None after `patience` seconds."""
        try:
            async with asyncio.timeout(patience):
                await self._ready.wait()
        except TimeoutError:
            return None
        changed = sorted(self._changed & self.topics)
        self._changed.clear()
        if not self.closed.is_set():
            self._ready.clear()
        return changed, self._cursor


class Hub:
    """Carries what the storage publishes to the streams.

    Args:
        notifier: Where topics come from.
        last_event: Gives the id of the newest event.
    """

    def __init__(self, notifier: Notifier, last_event: Callable[[], int]) -> None:
        self._notifier = notifier
        self._last_event = last_event
        self._streams: dict[str, Stream] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._wake, self._woken = os.pipe()
        self._closed = False

    def __len__(self) -> int:
        return len(self._streams)

    def start(self) -> None:
        """Begin to listen; to be called in the event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._listen, name="live", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End every stream and the listening."""
        if self._closed:
            return
        self._closed = True
        for stream in self._streams.values():
            stream.close()
        os.write(self._woken, b"x")
        if self._thread is not None:
            self._thread.join(5.0)
        os.close(self._woken)
        os.close(self._wake)

    def open(self, topics: Iterable[str]) -> Stream:
        """A new stream."""
        if self._closed or len(self._streams) >= _MOST_STREAMS:
            raise TooManyStreamsError
        stream = Stream(topics)
        self._streams[stream.id] = stream
        return stream

    def retarget(self, stream_id: str, topics: Iterable[str]) -> bool:
        """Let a stream listen to other topics; False when there is no such stream."""
        stream = self._streams.get(stream_id)
        if stream is None:
            return False
        stream.topics = frozenset(topics)
        return True

    def drop(self, stream: Stream) -> None:
        """Forget a stream that has ended."""
        self._streams.pop(stream.id, None)

    def publish(self, topics: frozenset[str], cursor: int) -> None:
        """Tell the streams what changed."""
        for stream in self._streams.values():
            stream.push(topics, cursor)

    def _listen(self) -> None:
        subscription = self._notifier.subscribe()
        try:
            while not self._closed:
                select.select([subscription.fileno(), self._wake], [], [], _IDLE_LOOK_SECONDS)
                topics = subscription.wait(0)
                if topics and self._streams and not self._closed:
                    assert self._loop is not None
                    self._loop.call_soon_threadsafe(self.publish, topics, self._last_event())
        finally:
            subscription.close()
