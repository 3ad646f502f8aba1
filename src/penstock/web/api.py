"""The HTTP edge of GraphQL: bodies in, JSON out; resolvers run in a bounded pool of threads, off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from ..auth.permissions import Actor
from ..codec import decode_json, encode_json
from .admission import actor_of
from .graphql.context import Context
from .graphql.execute import GraphQLRequest, Outcome, is_mutation, run_request
from .threads import ThreadPool

__all__ = ["GraphQLEndpoint", "TooLargeError", "read_body"]

_MOST_BYTES = 1 << 20
_THREADS = 8
_MOST_WAITING = 64


class TooLargeError(Exception):
    """The body is larger than what is read."""


class GraphQLEndpoint:
    """Answers `/graphql`.

    Args:
        context_for: Makes the context of a request; the arguments say whether it may change something, and who asks.
    """

    def __init__(self, context_for: Callable[[bool, Actor], Context]) -> None:
        self._context_for = context_for
        self._pool = ThreadPool(_THREADS, "graphql")
        self._waiting = 0

    async def post(self, request: Request) -> Response:
        """Answer a query or mutation given as a JSON body."""
        try:
            body = await read_body(request, _MOST_BYTES)
            asked = decode_json(body, GraphQLRequest)
        except TooLargeError:
            return _answer(413, f"The request is larger than {_MOST_BYTES:,} bytes.")
        except msgspec.DecodeError as error:
            return _answer(400, f'The request is not {{"query": ..., "variables": ...}} as JSON: {error}.')
        return await self._run(asked, actor_of(request), allow_mutation=True)

    async def get(self, request: Request) -> Response:
        """Answer a query given in the address."""
        parameters = request.query_params
        try:
            asked = GraphQLRequest(
                query=parameters.get("query", ""),
                variables=decode_json(parameters.get("variables") or "null", dict[str, Any] | None),  # type: ignore[arg-type]
                operation_name=parameters.get("operationName"),
            )
        except msgspec.DecodeError as error:
            return _answer(400, f"The variables are not a JSON object: {error}.")
        return await self._run(asked, actor_of(request), allow_mutation=False)

    def close(self) -> None:
        """Let the threads end; the process does not wait for what they are doing."""
        self._pool.shutdown()

    async def _run(self, asked: GraphQLRequest, actor: Actor, *, allow_mutation: bool) -> Response:
        if self._waiting >= _MOST_WAITING:
            return _answer(503, "The server is busy; try again.", {"retry-after": "1"})

        def work() -> tuple[int, bytes]:
            mutation = is_mutation(asked)
            if mutation and not allow_mutation:
                outcome = Outcome(405, {"errors": [{"message": "Mutations are answered to POST alone."}]})
            else:
                outcome = run_request(asked, self._context_for(mutation, actor))
            return outcome.status, encode_json(outcome.body)

        self._waiting += 1
        try:
            status, body = await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1
        return Response(
            body, status, media_type="application/json", headers={"allow": "POST"} if status == 405 else None
        )


async def read_body(request: Request, most: int) -> bytes:
    """The body of a request.

    Raises:
        TooLargeError: It has more than `most` bytes; no more than that were read.
    """
    if int(request.headers.get("content-length") or 0) > most:
        raise TooLargeError
    parts = bytearray()
    async for part in request.stream():
        parts += part
        if len(parts) > most:
            raise TooLargeError
    return bytes(parts)


def _answer(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    body = encode_json({"errors": [{"message": message}]})
    return Response(body, status, media_type="application/json", headers=headers)
