"""A process that serves SQLite files over HTTP: `python storage_server.py SOCKET`; the token of a call names the file.

It is for the contract suite: whoever shows a token may do everything.
"""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from penstock.clock import SYSTEM_CLOCK
from penstock.locations.binding import bind_unix
from penstock.locations.gateway import StorageGateway
from penstock.storage.remote.server import Dispatcher
from penstock.storage.sqlite import SqliteStorage

__all__ = ["READY"]

READY = "serving"
"""What it prints when it answers."""


class Storages:
    """The gateways of all databases that were asked for."""

    def __init__(self) -> None:
        self._gateways: dict[str, StorageGateway] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = dict(scope["headers"])[b"authorization"].decode().removeprefix("Bearer ")
        await self._gateway(token)(scope, receive, send)

    def _gateway(self, file: str) -> StorageGateway:
        if file not in self._gateways:
            storage = SqliteStorage(Path(file))
            storage.migrate()
            self._gateways[file] = StorageGateway(Dispatcher(storage, SYSTEM_CLOCK), lambda _token: None)
        return self._gateways[file]


class Server(uvicorn.Server):
    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        print(READY, flush=True)


def main() -> None:
    listener = bind_unix(Path(sys.argv[1]))
    app = Starlette(routes=[Route("/storage/{part}/{method}", Storages(), methods=["POST"])])
    config = uvicorn.Config(app, http="httptools", ws="none", lifespan="off", log_config=None, access_log=False)
    Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
