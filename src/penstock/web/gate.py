"""The outermost layer: turns away what a foreign web page could send through somebody's browser.

* The `Host` header must be one of our names, so that no foreign name that was made to point here (DNS rebinding)
  speaks to us with a browser's trust in that name.
* A request that may change something, or that opens a stream, carries JSON, and a browser must say that it comes from
  our own pages. One route is for machines, which show a token.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .headers import SECURITY_HEADERS

__all__ = ["LOOPBACK_NAMES", "Gate"]

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})

_READING = frozenset({"GET", "HEAD"})
_KNOWN_METHODS = frozenset({"GET", "HEAD", "POST"})
_BODIES = frozenset({"application/json", "application/msgpack"})  # no page of another site may send these unasked
_OWN_SITE = frozenset({"same-origin", "none"})


class Gate:
    """Checks each request before anything else sees it, and puts the security headers on each answer.

    Args:
        app: What is behind the gate.
        names: Host names under which the server may be asked, without a port; None for any, where whoever set the
            server up has decided so.
        for_machines: The route that lets in by a token in a header alone, which no web page of others has; what comes
            there may be of any kind and from anywhere.
    """

    def __init__(self, app: ASGIApp, *, names: Iterable[str] | None, for_machines: Route | None = None) -> None:
        self._app = app
        self._for_machines = for_machines
        self._names = None if names is None else frozenset(name.lower() for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.setdefault("headers", [])
                given = {name.lower() for name, _ in headers}
                headers += [each for each in SECURITY_HEADERS.items() if each[0] not in given]
            await send(message)

        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008, "reason": "There are no web sockets here."})
            return
        refusal = self._refusal(scope, Headers(scope=scope))
        await (refusal or self._app)(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        method = scope["method"]
        host = headers.get("host", "").lower()
        if not host:
            return PlainTextResponse("The request names no host.\n", 400)
        if self._names is not None and _without_port(host) not in self._names:
            known = ", ".join(sorted(self._names))
            return PlainTextResponse(
                f"This server does not answer under the name {host[:200]!r}; its names are {known}.\n", 421
            )
        if method not in _KNOWN_METHODS:
            return PlainTextResponse(
                f"The method {method[:20]} is not known here.\n", 405, headers={"allow": "GET, HEAD, POST"}
            )
        if method in _READING:
            return None
        if self._for_machines is not None and self._for_machines.matches(scope)[0] is Match.FULL:
            return None
        if headers.get("content-type", "").partition(";")[0].strip().lower() not in _BODIES:
            return PlainTextResponse("Send JSON: the header must be `Content-Type: application/json`.\n", 415)
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host:
            return PlainTextResponse(f"Requests from pages of {origin[:200]!r} are not accepted.\n", 403)
        if headers.get("sec-fetch-site", "none") not in _OWN_SITE:
            return PlainTextResponse("Requests from pages of other sites are not accepted.\n", 403)
        return None


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]
