"""The storage served to processes without its credentials: one ASGI application, mounted by code server and web server.

`POST /storage/<part>/<method>` is one call. The caller's token is looked at before the body is read. Calls run in a
small pool of threads, since a storage blocks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias, TypeVar

from starlette.types import Receive, Scope, Send

from ..codec import encode_msgpack
from ..storage.remote.calls import LARGEST_BODY, SUBSCRIBE, Refusal
from ..storage.remote.server import Answer, Dispatcher, RefusedError
from ..storage.remote.token import Scope as TokenScope
from .topic_streams import TopicStreams

__all__ = ["StorageGateway"]

T = TypeVar("T")

_THREADS = 8
_MOST_WAITING = 256

Authorize: TypeAlias = Callable[[str], TokenScope | None]
"""From a shown token to what it allows; None allows everything. Raises `RefusedError`."""


class StorageGateway:
    """Answers calls for one storage.

    Args:
        dispatcher: Answers them.
        authorize: What a shown token allows; by default what it was signed for.
    """

    def __init__(self, dispatcher: Dispatcher, authorize: Authorize | None = None) -> None:
        self._dispatcher = dispatcher
        self._authorize = authorize or dispatcher.scope_of
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="penstock-gateway")
        self._streams = TopicStreams(dispatcher.storage.notifier)
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        _, _, part, method = scope["path"].split("/", 3)
        name = f"{part}.{method}"
        try:
            token = _shown_token(scope)
            if self._dispatcher.tokens.is_ready:
                allowed = self._authorize(token)  # that is arithmetic; a thread would take longer
            else:
                allowed = await self._in_thread(lambda: self._authorize(token))
            if name == SUBSCRIBE:
                await self._in_thread(lambda: self._dispatcher.stream_allowed(allowed))
                loop = asyncio.get_running_loop()
                listener = await self._in_thread(lambda: self._streams.listen(loop))
            else:
                body = await _body(scope, receive)
                answer = await self._in_thread(lambda: self._dispatcher.answer(allowed, name, body))
        except RefusedError as refused:
            await _respond(send, refused.status, Answer(encode_msgpack(Refusal(error=str(refused)))))
            return
        if name != SUBSCRIBE:
            await _respond(send, 200, answer)
            return

        async def still_allowed() -> bool:
            try:
                await self._in_thread(lambda: self._dispatcher.stream_allowed(allowed))
            except RefusedError:
                return False
            return True

        await listener.stream(allowed, still_allowed, receive, send)

    def close(self) -> None:
        """End the streams, and take no more calls."""
        self._streams.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _in_thread(self, call: Callable[[], T]) -> T:
        if self._waiting >= _MOST_WAITING:
            raise RefusedError(503, "The server is busy; try again.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, call)
        except RuntimeError as error:
            raise RefusedError(503, f"The server is stopping: {error}.") from error
        finally:
            self._waiting -= 1


def _shown_token(scope: Scope) -> str:
    shown = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    kind, _, token = shown.decode("latin-1").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise RefusedError(401, "A call of the storage shows a token: Authorization: Bearer ...")
    return token


async def _body(scope: Scope, receive: Receive) -> bytes:
    told = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    too_large = RefusedError(413, f"The body of a call has at most {LARGEST_BODY:,} bytes.")
    if told.isdigit() and int(told) > LARGEST_BODY:
        raise too_large
    data = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RefusedError(400, "The call ended in the middle.")
        data += message.get("body", b"")
        if len(data) > LARGEST_BODY:
            raise too_large
        if not message.get("more_body", False):
            return bytes(data)


async def _respond(send: Send, status: int, answer: Answer) -> None:
    headers = [(b"content-type", b"application/msgpack"), (b"content-length", str(len(answer.body)).encode())]
    if answer.token is not None:
        headers.append((b"penstock-token", answer.token.encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
