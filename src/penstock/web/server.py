"""Serves the web application: binds the port, tells when it is ready, and stops at once even with open streams."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
from collections.abc import Callable, Iterator

import uvicorn
from uvicorn.server import HANDLED_SIGNALS

from ..errors import SettingsError
from ..instance.instance import Instance
from ..locations.binding import address_of, is_loopback
from ..locations.catalog import Catalog
from .app import WebApp, create_app
from .gate import LOOPBACK_NAMES
from .graphql.schema import load_api
from .listen import bind

__all__ = ["serve"]

_GRACE_SECONDS = 5
_GC_THRESHOLD = 50_000  # objects made between two collections
_TICK_SECONDS = 1.0


def serve(
    instance: Instance,
    *,
    host: str = "127.0.0.1",
    port: int = 3000,
    mode: str = "dev",
    insecure_allow_anonymous: bool = False,
    require_token: bool = False,
    lifeline: int | None = None,
    on_ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGINT or SIGTERM, or until the lifeline closes.

    Args:
        instance: The instance; it stays open.
        host: Where to listen.
        port: The port; 0 lets the system choose one.
        mode: What kind of server this is, for the pages to know.
        insecure_allow_anonymous: Listen on an address that others reach, although nobody has to log in.
        require_token: Answer to those alone who show a token of an account.
        lifeline: The descriptor of a pipe whose other end our starter holds; we stop when it closes.
        on_ready: Called once the server answers.

    Raises:
        SettingsError: Others would reach the host and that is not allowed, or it has no address; or everybody is to be
            let in, and not everybody.
        AddressInUseError: The port is taken.
    """
    if require_token and insecure_allow_anonymous:
        raise SettingsError(
            "--require-token and --insecure-allow-anonymous say the opposite of each other; give one of them."
        )
    if not is_loopback(host) and not require_token and not insecure_allow_anonymous:
        raise SettingsError(
            f"Everybody who reaches {host} could do everything. Give --require-token, so that whoever asks must show a "
            "token of an account (`penstock account`); or listen on 127.0.0.1; or give --insecure-allow-anonymous if "
            "only people you trust reach it."
        )
    listener = bind(host, port)
    address = address_of(listener)
    names = (LOOPBACK_NAMES | {address.removeprefix("http://").rpartition(":")[0]}) if is_loopback(host) else None
    load_api()
    # An answer of many objects would set off collections that look at every one of them again and again.
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD, 10, 10)
    app = create_app(instance, Catalog(instance.storage.locations), mode=mode, names=names, require_token=require_token)
    config = uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    try:
        _Server(config, app, lifeline, on_ready).run(sockets=[listener])
    finally:
        listener.close()


class _Server(uvicorn.Server):
    """Uvicorn that says when it is ready, ends open streams first, sleeps while idle, and returns when stopped."""

    def __init__(self, config: uvicorn.Config, app: WebApp, lifeline: int | None, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._app = app
        self._lifeline = lifeline
        self._on_ready = on_ready
        self._stop = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        if self._lifeline is not None:
            asyncio.get_running_loop().add_reader(self._lifeline, self._look_at_lifeline, self._lifeline)
        if not self.should_exit:
            self._on_ready()

    async def main_loop(self) -> None:
        """Wait for the end; a tick now and then keeps the `Date` header right."""
        while not await self.on_tick(0):
            try:
                async with asyncio.timeout(_TICK_SECONDS):
                    await self._stop.wait()
            except TimeoutError:
                continue

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End; streams at once, other answers have a few seconds."""
        self._app.end_streams()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End at SIGINT and SIGTERM. They are not raised again afterwards: whoever called has things to close, too."""
        loop = asyncio.get_running_loop()
        before = {number: signal.getsignal(number) for number in HANDLED_SIGNALS}
        for number in before:
            loop.add_signal_handler(number, self._asked_to_stop, number)
        try:
            yield
        finally:
            for number, handler in before.items():
                loop.remove_signal_handler(number)
                signal.signal(number, handler)

    def _look_at_lifeline(self, lifeline: int) -> None:
        if not os.read(lifeline, 1024):
            asyncio.get_running_loop().remove_reader(lifeline)
            self._asked_to_stop(signal.SIGTERM)

    def _asked_to_stop(self, number: int) -> None:
        self.handle_exit(number, None)
        self._stop.set()
