"""The web application: which route is answered by what, behind one gate."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ..auth.permissions import Actor
from ..instance.instance import Instance
from ..locations.catalog import Catalog
from ..locations.gateway import StorageGateway
from ..storage.inbox import Receiving
from ..storage.remote.server import Dispatcher
from .admission import Admission
from .api import GraphQLEndpoint
from .downloads import LogDownloads
from .event_stream import LiveEndpoint
from .gate import LOOPBACK_NAMES, Gate
from .graphql.context import Context
from .graphql.partition_places import PartitionPlaces
from .health import Health
from .heartbeat import Heartbeat
from .last_watch import last_watch
from .live import Hub
from .static import BuiltUi
from .webhooks import WebhookEndpoint

__all__ = ["WebApp", "create_app"]

_QUERY_SECONDS = 30.0
_MUTATION_SECONDS = 300.0  # a reload waits for the user's imports


class WebApp:
    """An ASGI application. Whoever serves it ends its streams before the connections are closed."""

    def __init__(self, gate: Gate, routes: Sequence[Route], hub: Hub, gateway: StorageGateway | None) -> None:
        self._gate = gate
        self.routes = routes
        self.hub = hub
        self._gateway = gateway

    def end_streams(self) -> None:
        """End live push, and the streams of those who listen to the storage through this server."""
        self.hub.stop()
        if self._gateway is not None:
            self._gateway.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._gate(scope, receive, send)


def create_app(
    instance: Instance,
    catalog: Catalog,
    *,
    mode: str = "dev",
    names: Iterable[str] | None = LOOPBACK_NAMES,
    require_token: bool = False,
) -> WebApp:
    """The web application of an instance.

    Args:
        instance: The instance.
        catalog: What its code locations define; the application refreshes it.
        mode: What kind of server this is, for the pages to know.
        names: Host names under which it may be asked; None for any.
        require_token: Whether who asks must show a token of an account; else whoever reaches it may do everything.
    """
    storage, logs = instance.storage, instance.logs

    places = PartitionPlaces()

    def context_for(mutation: bool, actor: Actor) -> Context:
        catalog.refresh()
        patience = _MUTATION_SECONDS if mutation else _QUERY_SECONDS
        deadline = instance.clock.monotonic() + patience
        return Context(instance, catalog, actor, deadline=deadline, places=places)

    hub = Hub(storage.notifier, storage.events.last_id)
    graphql = GraphQLEndpoint(context_for)
    live = LiveEndpoint(hub)
    health = Health(storage, mode=mode)
    ui = BuiltUi(mode=mode)
    is_gateway = instance.settings.run_workers.storage == "gateway"
    gateway = StorageGateway(Dispatcher(storage, instance.clock)) if is_gateway else None

    inbox = storage.inbox if isinstance(storage, Receiving) else None
    webhooks = WebhookEndpoint(inbox, catalog, instance.settings.webhooks, instance.clock)
    hooks = Route("/hooks/{location:path}/{sensor}", webhooks.receive, methods=["POST"])
    watching = last_watch(instance, catalog)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        heartbeat = Heartbeat(storage.leases, instance.clock)
        hub.start()
        tasks = [asyncio.create_task(heartbeat.run())]
        if watching is not None:
            tasks.append(asyncio.create_task(watching.run()))
        try:
            yield
        finally:
            if watching is not None:
                watching.stop()
            for task in tasks:
                task.cancel()
            app.end_streams()
            graphql.close()
            heartbeat.end()

    guarded = [
        Route("/graphql", graphql.post, methods=["POST"]),
        Route("/graphql", graphql.get, methods=["GET"]),
        Route("/live", live.open, methods=["POST"]),
        Route("/live/{stream_id}", live.retarget, methods=["POST"]),
        Route("/logs/{run_id}/{file_key}/{stream}", LogDownloads(logs).download, methods=["GET"]),
        Route("/server_info", health.info, methods=["GET"]),
    ]
    # What says nothing of the deployment's data, or lets in by tokens of other kinds.
    for_all = [
        hooks,
        Route("/storage/{part}/{method}", gateway or _no_gateway, methods=["POST"]),
        Route("/healthz", health.up, methods=["GET"]),
        Route("/readyz", health.ready, methods=["GET"]),
        Route("/assets-static/{name:path}", ui.file, methods=["GET"]),
        Route("/{rest:path}", ui.page, methods=["GET"]),
    ]
    routes = [*guarded, *for_all]
    admission = Admission(
        Starlette(routes=routes, lifespan=lifespan),
        routes=routes,
        for_all=for_all,
        accounts=storage.accounts if require_token else None,
        clock=instance.clock,
    )
    gate = Gate(admission, names=names, for_machines=hooks)
    app = WebApp(gate, routes, hub, gateway)
    return app


async def _no_gateway(_request: Request) -> Response:
    return PlainTextResponse("The storage is not served here: run_workers.storage is `direct`.\n", 404)
