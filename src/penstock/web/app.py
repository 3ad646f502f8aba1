"""The web application: which route is answered by what, behind one gate."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ..auth.permissions import LOCAL_ACTOR
from ..instance.instance import Instance
from ..locations.catalog import Catalog
from .api import GraphQLEndpoint
from .downloads import LogDownloads
from .event_stream import LiveEndpoint
from .gate import LOOPBACK_NAMES, Gate
from .graphql.context import Context
from .health import Health
from .heartbeat import Heartbeat
from .live import Hub
from .static import BuiltUi

__all__ = ["WebApp", "create_app"]

_QUERY_SECONDS = 30.0
_MUTATION_SECONDS = 300.0  # a reload waits for the user's imports


class WebApp:
    """An ASGI application; `hub` is its live push, which whoever serves it stops before the connections are closed."""

    def __init__(self, gate: Gate, hub: Hub) -> None:
        self._gate = gate
        self.hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._gate(scope, receive, send)


def create_app(
    instance: Instance, catalog: Catalog, *, mode: str = "dev", names: Iterable[str] | None = LOOPBACK_NAMES
) -> WebApp:
    """The web application of an instance.

    Args:
        instance: The instance.
        catalog: What its code locations define; the application refreshes it.
        mode: What kind of server this is, for the pages to know.
        names: Host names under which it may be asked; None for any.
    """
    storage, logs = instance.storage, instance.logs

    def context_for(mutation: bool) -> Context:
        catalog.refresh()
        patience = _MUTATION_SECONDS if mutation else _QUERY_SECONDS
        return Context(instance, catalog, LOCAL_ACTOR, deadline=instance.clock.monotonic() + patience)

    hub = Hub(storage.notifier, storage.events.last_id)
    graphql = GraphQLEndpoint(context_for)
    live = LiveEndpoint(hub)
    health = Health(storage, mode=mode)
    ui = BuiltUi(mode=mode)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        heartbeat = Heartbeat(storage.leases, instance.clock)
        hub.start()
        beating = asyncio.create_task(heartbeat.run())
        try:
            yield
        finally:
            beating.cancel()
            hub.stop()
            graphql.close()
            heartbeat.end()

    routes = [
        Route("/graphql", graphql.post, methods=["POST"]),
        Route("/graphql", graphql.get, methods=["GET"]),
        Route("/live", live.open, methods=["POST"]),
        Route("/live/{stream_id}", live.retarget, methods=["POST"]),
        Route("/logs/{run_id}/{file_key}/{stream}", LogDownloads(logs).download, methods=["GET"]),
        Route("/healthz", health.up, methods=["GET"]),
        Route("/readyz", health.ready, methods=["GET"]),
        Route("/server_info", health.info, methods=["GET"]),
        Route("/assets-static/{name:path}", ui.file, methods=["GET"]),
        Route("/{rest:path}", ui.page, methods=["GET"]),
    ]
    return WebApp(Gate(Starlette(routes=routes, lifespan=lifespan), names=names), hub)
