"""Runs a code server: binds, serves HTTP, and stops in good order when it is told to or when its starter is gone."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from ..clock import Clock
from ..logs.store import LogStore
from ..storage.protocols import Storage
from ..storage.remote.server import Dispatcher
from .gateway import StorageGateway
from .http import create_app
from .supervisor import Supervisor, SupervisorSettings

__all__ = ["serve"]

_GRACE_SECONDS = 3


def serve(
    settings: SupervisorSettings,
    listener: socket.socket,
    storage: Storage,
    logs: LogStore,
    clock: Clock,
    *,
    token: str | None = None,
    lifeline: int | None = None,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve one code location in this process until a signal ends it: INT, TERM, or the end of the lifeline.

    Args:
        settings: What to serve and how.
        listener: A bound, listening socket; it is closed at the end, and a Unix socket's file removed.
        storage: The instance's storage; whoever opened it closes it.
        logs: Where what steps print is kept.
        clock: Tells the time.
        token: What callers must show, for TCP.
        lifeline: A descriptor whose other end the starter holds: when that closes, this server stops.
        ready: Called when the server answers; the code may still be loading.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    for library in ("uvicorn", "watchfiles"):
        logging.getLogger(library).setLevel(logging.WARNING)
    supervisor = Supervisor(settings, storage, logs, clock)
    gateway = StorageGateway(Dispatcher(storage, clock)) if settings.gateway is not None else None

    def stop() -> None:
        supervisor.refuse_work()
        if gateway is not None:
            gateway.close()

    server = _Server(create_app(supervisor, token=token, gateway=gateway), stop, lifeline)

    async def main() -> None:
        await supervisor.start()
        ready()
        try:
            await server.serve(sockets=[listener])
        finally:
            await supervisor.stop()

    path = listener.getsockname()
    try:
        asyncio.run(main())  # asyncio's own loop: uvloop lets nobody else hear of child processes
    finally:
        listener.close()
        if isinstance(path, str) and path:
            with contextlib.suppress(FileNotFoundError):
                Path(path).unlink()


class _Server(uvicorn.Server):
    """uvicorn, told to stop by an event instead of looking ten times a second whether it should."""

    def __init__(self, app: ASGIApp, stopping: Callable[[], None], lifeline: int | None) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http="httptools",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        self._stopping = stopping
        self._lifeline = lifeline

    async def main_loop(self) -> None:
        """Serve until a signal comes or the lifeline is cut; a second signal lets nothing be waited for."""
        loop = asyncio.get_running_loop()
        told = asyncio.Event()

        def stop() -> None:
            self.force_exit = told.is_set()
            told.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)
        if self._lifeline is not None:
            loop.add_reader(self._lifeline, told.set)
        await told.wait()
        if self._lifeline is not None:
            loop.remove_reader(self._lifeline)
        self.should_exit = True
        self._stopping()
