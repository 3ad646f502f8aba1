"""The code server's HTTP face: JSON bodies of `records/wire.py` in and out, and nothing decided here."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ..codec import decode_json, encode_json
from ..errors import EnvironmentalError
from ..records.run import Run
from ..records.wire import PROTOCOL, CancelRun, CheckRunConfig, EvaluatePartitions, EvaluateSchedule, EvaluateSensor
from ..version import __version__
from .supervisor import Supervisor

__all__ = ["create_app"]

_LARGEST_BODY_BYTES = 64 * 1024 * 1024
_LONGEST_WAIT_SECONDS = 60.0

T = TypeVar("T")


class _RefusedError(Exception):
    """A request that cannot be answered; `status` says whose fault it is."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def create_app(supervisor: Supervisor, *, token: str | None, gateway: ASGIApp | None = None) -> ASGIApp:
    """The ASGI application of a code server.

    Args:
        supervisor: Who does what is asked.
        token: What a caller must show; None lets everybody in who can reach the server.
        gateway: Answers calls of the storage, each by the token of its run or evaluation; None if nobody makes them.
    """

    async def healthz(_request: Request) -> Response:
        return _answer({"ok": True, "location": supervisor.settings.order.name, "version": __version__})

    async def state(request: Request) -> Response:
        after, wait = _number(request, "after"), _number(request, "wait")
        if after is None:
            return _answer(supervisor.loader.state)
        patience = min(wait or 0.0, _LONGEST_WAIT_SECONDS)
        return _answer(await supervisor.loader.state_after(int(after), patience))

    async def description(request: Request) -> Response:
        digest = request.path_params["digest"]
        found = await supervisor.description(digest)
        if found is None:
            raise _RefusedError(404, f"This server has no description {digest!r}; ask for its state again.")
        return Response(found, media_type="application/json")

    async def reload(_request: Request) -> Response:
        return _answer(await supervisor.reload())

    async def launch(request: Request) -> Response:
        return _answer(await supervisor.runs.launch(await _body(request, Run)))

    async def cancel(request: Request) -> Response:
        wanted = await _body(request, CancelRun)
        return _answer({"signalled": supervisor.runs.cancel(wanted.run_id, force=wanted.force)})

    async def evaluate(request: Request) -> Response:
        work = await _body(request, EvaluateSchedule | EvaluateSensor)  # type: ignore[arg-type]  # a union is a kind too
        return _answer(await supervisor.evaluations.answer(work))

    async def check(request: Request) -> Response:
        return _answer(await supervisor.evaluations.answer(await _body(request, CheckRunConfig)))

    async def partitions(request: Request) -> Response:
        return _answer(await supervisor.evaluations.answer(await _body(request, EvaluatePartitions)))

    routes = (
        ("/healthz", "GET", healthz),
        ("/state", "GET", state),
        ("/description/{digest}", "GET", description),
        ("/reload", "POST", reload),
        ("/runs", "POST", launch),
        ("/runs/cancel", "POST", cancel),
        ("/evaluate", "POST", evaluate),
        ("/check", "POST", check),
        ("/partitions", "POST", partitions),
    )
    served = [Route(path, _guarded(endpoint), methods=[method]) for path, method, endpoint in routes]
    calls = Route("/storage/{part}/{method}", gateway or _no_gateway, methods=["POST"])
    app: ASGIApp = Starlette(routes=[*served, calls])
    return _TokenGate(app, token, calls) if token is not None else app


async def _no_gateway(_request: Request) -> Response:
    reason = "The storage is not served here: run_workers.storage is `direct`."
    return _answer({"error": reason}, 404)


def _guarded(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint with its refusals as answers."""

    async def guarded(request: Request) -> Response:
        try:
            # A page in somebody's browser can send plain forms to a local port, but not JSON without being asked first.
            if request.method == "POST" and request.headers.get("content-type") != "application/json":
                raise _RefusedError(415, "Send JSON, with the content type application/json.")
            return await endpoint(request)
        except _RefusedError as refused:
            return _answer({"error": str(refused)}, refused.status)
        except EnvironmentalError as error:
            return _answer({"error": str(error)}, 503)

    return guarded


async def _body(request: Request, kind: type[T]) -> T:
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > _LARGEST_BODY_BYTES:
            raise _RefusedError(413, f"The body is longer than {_LARGEST_BODY_BYTES} bytes.")
    try:
        return decode_json(bytes(data) or b"null", kind)
    except msgspec.MsgspecError as error:
        raise _RefusedError(
            400, f"The body of {request.url.path} is not what protocol {PROTOCOL} says: {error}"
        ) from error


def _number(request: Request, name: str) -> float | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        return float(text)
    except ValueError as error:
        raise _RefusedError(400, f"{name} must be a number, not {text!r}.") from error


def _answer(value: object, status: int = 200) -> Response:
    return Response(encode_json(value), status, media_type="application/json")


class _TokenGate:
    """Lets only those in who show the token; `/healthz` is open, and calls of the storage show tokens of their own."""

    def __init__(self, app: ASGIApp, token: str, calls: Route) -> None:
        self._app = app
        self._wanted = f"Bearer {token}".encode()
        self._calls = calls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] != "/healthz" and self._calls.matches(scope)[0] is not Match.FULL:
            shown = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
            if not hmac.compare_digest(shown, self._wanted):
                refusal = _answer({"error": "This code server wants a token: Authorization: Bearer ..."}, 401)
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)
