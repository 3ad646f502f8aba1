"""For probes and for people: whether the process is up, whether the storage answers, and what runs here."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from ..errors import EnvironmentalError
from ..storage.protocols import Storage
from ..version import __version__

__all__ = ["Health"]

_PATIENCE_SECONDS = 5.0


class Health:
    """Answers `/healthz`, `/readyz` and `/server_info`."""

    def __init__(self, storage: Storage, *, mode: str) -> None:
        self._storage = storage
        self._mode = mode

    async def up(self, _request: Request) -> Response:
        """The process answers."""
        return PlainTextResponse("ok\n")

    async def ready(self, _request: Request) -> Response:
        """The storage answers too."""
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await asyncio.to_thread(self._storage.locations.digests)
        except EnvironmentalError as error:
            return PlainTextResponse(f"{error}\n", 503)
        except TimeoutError:
            return PlainTextResponse(f"The storage did not answer within {_PATIENCE_SECONDS:g} s.\n", 503)
        return PlainTextResponse("ok\n")

    async def info(self, _request: Request) -> Response:
        """The version, and what kind of server this is."""
        return JSONResponse({"name": "penstock-webserver", "version": __version__, "mode": self._mode})
