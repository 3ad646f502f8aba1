"""Streams of a storage's topics to any number of listeners, from one subscription that one thread waits for."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable

from starlette.types import Receive, Send

from ..errors import StorageError
from ..storage.notifier import Notifier, Subscription
from ..storage.remote.server import RefusedError
from ..storage.remote.token import RunScope, Scope

__all__ = ["Listener", "TopicStreams"]

logger = logging.getLogger("penstock.storage")

_MOST_STREAMS = 1000
_MOST_TOPICS = 1000
_EVERYTHING = "*"
_SILENCE_SECONDS = 15.0
_LOOK_SECONDS = 1.0


class TopicStreams:
    """The listeners of one storage's topics. The subscription is there as long as somebody listens."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier
        self._lock = threading.Lock()
        self._listeners: set[Listener] = set()
        self._thread: threading.Thread | None = None
        self._closed = False

    def listen(self, loop: asyncio.AbstractEventLoop) -> Listener:
        """A listener that hears everything from now on; called in a thread, since a storage may block.

        Raises:
            RefusedError: There are too many, or the storage is away.
        """
        with self._lock:
            if self._closed or len(self._listeners) >= _MOST_STREAMS:
                raise RefusedError(503, "The server cannot serve another stream now; try again.")
            if self._thread is None:
                try:
                    subscription = self._notifier.subscribe()
                except StorageError as error:
                    raise RefusedError(503, str(error)) from error
                self._thread = threading.Thread(
                    target=self._hear, args=(subscription,), name="penstock-topics", daemon=True
                )
                self._thread.start()
            listener = Listener(loop, self._leave)
            self._listeners.add(listener)
        return listener

    def close(self) -> None:
        """End all streams."""
        with self._lock:
            self._closed = True
            listeners, self._listeners = self._listeners, set()
        for each in listeners:
            each.end()

    def _leave(self, listener: Listener) -> None:
        with self._lock:
            self._listeners.discard(listener)

    def _hear(self, subscription: Subscription) -> None:
        try:
            while True:
                topics = subscription.wait(_LOOK_SECONDS)
                with self._lock:
                    if not self._listeners:
                        self._thread = None
                        return
                    listeners = list(self._listeners)
                for each in listeners if topics else ():
                    each.tell(topics)
        except StorageError as error:
            logger.warning("The storage cannot be listened to; its listeners come again: %s", error)
            with self._lock:
                self._thread = None
                lost, self._listeners = self._listeners, set()
            for each in lost:
                each.end()
        finally:
            subscription.close()


class Listener:
    """One stream."""

    def __init__(self, loop: asyncio.AbstractEventLoop, leave: Callable[[Listener], None]) -> None:
        self._loop = loop
        self._leave = leave
        self._lock = threading.Lock()
        self._topics: set[str] = set()
        self._ended = False
        self._wake = asyncio.Event()

    def tell(self, topics: frozenset[str]) -> None:
        """Pass topics on; from any thread."""
        with self._lock:
            self._topics |= topics
            if len(self._topics) > _MOST_TOPICS:
                self._topics = {_EVERYTHING}
        self._loop.call_soon_threadsafe(self._wake.set)

    def end(self) -> None:
        """End the stream; from any thread."""
        self._ended = True
        self._loop.call_soon_threadsafe(self._wake.set)

    async def stream(
        self, scope: Scope | None, still_allowed: Callable[[], Awaitable[bool]], receive: Receive, send: Send
    ) -> None:
        """Send what is told, until the listener goes, may listen no more, or the stream is ended.

        Args:
            scope: What the listener's token is for: a run hears nothing of other runs. None hears everything.
            still_allowed: Asked in times of silence.
            receive, send: Those of ASGI.
        """
        gone = asyncio.create_task(_gone(receive))
        gone.add_done_callback(lambda _task: self._wake.set())
        try:
            headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"\n", "more_body": True})
            while not gone.done() and not self._ended:
                lines = await self._next(scope)
                if lines is None:
                    if not await still_allowed():
                        break
                    lines = b"\n"
                if lines and not gone.done():
                    await send({"type": "http.response.body", "body": lines, "more_body": True})
            if not gone.done():
                await send({"type": "http.response.body", "body": b""})
        finally:
            self._leave(self)
            gone.cancel()

    async def _next(self, scope: Scope | None) -> bytes | None:
        """What was told, as lines; nothing where none of it is for the listener; None after a time of silence."""
        try:
            async with asyncio.timeout(_SILENCE_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            return None
        self._wake.clear()
        with self._lock:
            topics, self._topics = self._topics, set()
        return b"".join(f"{topic}\n".encode() for topic in sorted(topics) if _may_hear(scope, topic))


def _may_hear(scope: Scope | None, topic: str) -> bool:
    return not isinstance(scope, RunScope) or ":" not in topic or topic == f"run:{scope.run_id}"


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
