"""The routes of a code server on TCP: all want its token but health, and the calls that show tokens of their own."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from penstock.locations.http import create_app

TOKEN = "the server's own"
LIMIT = 20.0


class Gateway:
    """Answers whatever reaches it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def status(path: str, method: str = "POST", *, token: str | None = None, with_gateway: bool = True) -> int:
    """The status of the answer to a request without a body."""
    app = create_app(None, token=TOKEN, gateway=Gateway() if with_gateway else None)  # type: ignore[arg-type]
    shown = [] if token is None else [(b"authorization", f"Bearer {token}".encode())]
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": path,
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json"), *shown],
    }
    statuses: list[int] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    async def go() -> None:
        async with asyncio.timeout(LIMIT):
            await app(scope, receive, send)

    asyncio.run(go())
    return statuses[0]


@pytest.mark.parametrize(
    "path", ["/state", "/runs", "/runs/cancel", "/reload", "/evaluate", "/check", "/partitions", "/x"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_servers_own_routes_want_its_token(path: str, method: str) -> None:
    assert status(path, method) == 401
    assert status(path, method, token="another") == 401


@pytest.mark.parametrize(
    "path",
    [
        "/storage",
        "/storage/",
        "/storage/runs",
        "/storage/runs/",
        "/storage/runs/get/more",
        "//storage/runs/get",
        "/runs?/storage/runs/get",
        "/x/storage/runs/get",
    ],
)
def test_what_only_looks_like_a_call_wants_it_too(path: str) -> None:
    assert status(path) == 401
    assert status("/storage/runs/get", "GET") == 401


def test_a_call_of_the_storage_shows_a_token_of_its_own() -> None:
    assert status("/storage/runs/get") == 299
    assert status("/storage/runs/get", token="of a run") == 299


def test_without_a_gateway_there_are_no_calls() -> None:
    assert status("/storage/runs/get", token=TOKEN, with_gateway=False) == 404
