"""The routes of live push: a stream of server-sent events, and the change of its topics."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from ..codec import decode_json, encode_json
from ..version import __version__
from .api import TooLargeError, read_body
from .live import Hub, Stream, TooManyStreamsError, unknown_topics

__all__ = ["EventStream", "LiveEndpoint"]

_MOST_BYTES = 1 << 16
_MOST_TOPICS = 200
_HEARTBEAT_SECONDS = 15.0
_PAUSE_SECONDS = 0.1
_SLOWEST_SEND_SECONDS = 30.0


class Topics(msgspec.Struct, frozen=True):
    """The body of both requests."""

    topics: list[str]


class LiveEndpoint:
    """Answers `/live` and `/live/<id>`."""

    def __init__(self, hub: Hub, *, heartbeat: float = _HEARTBEAT_SECONDS) -> None:
        self._hub = hub
        self._heartbeat = heartbeat

    async def open(self, request: Request) -> Response | EventStream:
        """Open a stream on the topics of the body."""
        topics = await _topics(request)
        if isinstance(topics, Response):
            return topics
        try:
            stream = self._hub.open(topics)
        except TooManyStreamsError:
            return _refused(503, "No more live streams can be opened now; close some pages, or try again later.")
        return EventStream(self._hub, stream, heartbeat=self._heartbeat)

    async def retarget(self, request: Request) -> Response:
        """Let a stream listen to the topics of the body from now on."""
        topics = await _topics(request)
        if isinstance(topics, Response):
            return topics
        if not self._hub.retarget(request.path_params["stream_id"], topics):
            return _refused(404, "There is no such stream; open a new one.")
        return Response(status_code=204)


class EventStream:
    """An ASGI answer that lasts until the client goes or the server stops."""

    def __init__(self, hub: Hub, stream: Stream, *, heartbeat: float) -> None:
        self._hub = hub
        self._stream = stream
        self._heartbeat = heartbeat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def write(data: bytes, *, more: bool = True) -> None:
            async with asyncio.timeout(_SLOWEST_SEND_SECONDS):
                await send({"type": "http.response.body", "body": data, "more_body": more})

        gone = asyncio.create_task(self._close_when_gone(receive))
        stream = self._stream
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await write(_event("hello", {"id": stream.id, "version": __version__}))
            while not stream.closed.is_set():
                change = await stream.next(self._heartbeat)
                if change is None:
                    await write(b": still here\n\n")
                elif change[0]:
                    await write(_event("change", {"topics": change[0], "cursor": change[1]}))
                    await _pause(stream)
            await write(b"", more=False)
        except (OSError, TimeoutError):
            stream.close()  # the client went, or reads nothing any more
        finally:
            gone.cancel()
            self._hub.drop(stream)

    async def _close_when_gone(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._stream.close()


_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store, no-transform"),
    (b"x-accel-buffering", b"no"),
]


def _event(name: str, data: dict[str, Any]) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + encode_json(data) + b"\n\n"


async def _pause(stream: Stream) -> None:
    """Let changes gather; ends at once with the stream."""
    try:
        async with asyncio.timeout(_PAUSE_SECONDS):
            await stream.closed.wait()
    except TimeoutError:
        return


async def _topics(request: Request) -> list[str] | Response:
    try:
        body = await read_body(request, _MOST_BYTES)
        topics = decode_json(body, Topics).topics
    except TooLargeError:
        return _refused(413, f"The request is larger than {_MOST_BYTES:,} bytes.")
    except msgspec.DecodeError as error:
        return _refused(400, f'The request is not {{"topics": [...]}} as JSON: {error}.')
    if len(topics) > _MOST_TOPICS:
        return _refused(400, f"{len(topics)} topics are too many for one stream; at most {_MOST_TOPICS} are.")
    unknown = unknown_topics(topics)
    if unknown:
        return _refused(400, f"There is no topic {unknown[0][:200]!r}.")
    return topics


def _refused(status: int, message: str) -> Response:
    return JSONResponse({"error": message}, status)
