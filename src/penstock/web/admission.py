"""Who asks: the account whose token a request shows, where the server wants to know."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ..auth.api_tokens import actor_behind
from ..auth.permissions import LOCAL_ACTOR, Actor
from ..clock import Clock
from ..errors import EnvironmentalError
from ..storage.protocols import AccountStorage

__all__ = ["Admission", "actor_of"]

_ACTOR = "penstock.actor"
_SHOW_ONE = (
    "This server answers to those who show a token of an account that is good: `Authorization: Bearer pst_...`. "
    "`penstock account token create` makes one.\n"
)


class Admission:
    """Says of each request who asks, and turns away whoever has to show a token and shows none that is good.

    Args:
        app: What is behind it.
        routes: All routes, in the order in which they are tried.
        for_all: Those of them that everybody may ask, or that let in by tokens of other kinds.
        accounts: The accounts; None where whoever reaches the server may do everything.
        clock: Tells the time.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        routes: Sequence[Route],
        for_all: Iterable[Route],
        accounts: AccountStorage | None,
        clock: Clock,
    ) -> None:
        self._app = app
        self._routes = routes
        self._for_all = list(for_all)
        self._accounts = accounts
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or (self._accounts is not None and self._is_for_all(scope)):
            await self._app(scope, receive, send)
            return
        who = await self._who(Headers(scope=scope))
        if isinstance(who, Response):
            await who(scope, receive, send)
        else:
            await self._app({**scope, _ACTOR: who}, receive, send)

    def _is_for_all(self, scope: Scope) -> bool:
        route = next((each for each in self._routes if each.matches(scope)[0] is Match.FULL), None)
        return any(route is each for each in self._for_all)

    async def _who(self, headers: Headers) -> Actor | Response:
        if self._accounts is None:
            return LOCAL_ACTOR
        scheme, _, shown = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            shown = ""
        try:
            actor = await asyncio.to_thread(actor_behind, self._accounts, shown.strip(), now=self._clock.now())
        except EnvironmentalError as error:
            return PlainTextResponse(f"{error}\n", 503, {"retry-after": "10"})
        return actor or PlainTextResponse(_SHOW_ONE, 401, {"www-authenticate": "Bearer"})


def actor_of(request: Request) -> Actor:
    """Who asks, of a request that has come through `Admission`, on a route that is not for all."""
    actor: Actor = request.scope[_ACTOR]
    return actor
