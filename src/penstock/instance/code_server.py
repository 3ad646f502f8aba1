"""A code server put together: an instance, the origin of one code location, and the commands of its processes."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from ..errors import SettingsError
from ..locations.binding import address_of, bind_tcp, bind_unix
from ..locations.origin import LocationOrigin
from ..locations.server import serve
from ..locations.supervisor import SupervisorSettings
from ..locations.user_code import LoadCode
from .instance import Instance
from .reference import WITHHELD_SETTINGS, InstanceRef
from .settings_file import variables_named

__all__ = ["serve_code_location"]

_OF_SERVERS = frozenset({"PENSTOCK_HOME", "PENSTOCK_CODE_SERVER_TOKEN"})
"""What leads to the settings and to other servers: user code that reaches the storage with a token does not get it."""


def serve_code_location(
    instance: Instance,
    origin: LocationOrigin,
    *,
    socket_path: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    advertise: str | None = None,
    token_file: Path | None = None,
    watch: bool = False,
    kill_workers: bool = False,
    lifeline: int | None = None,
    ready: Callable[[str], None] = lambda _address: None,
) -> None:
    """Serve one code location in this process until INT or TERM, or until the lifeline is cut.

    Args:
        instance: The instance that runs belong to; whoever opened it closes it.
        origin: What to load; its `target` is set.
        socket_path: Listen on this Unix socket, and not on TCP.
        host: The address to listen on.
        port: The port to listen on; 0 lets the system choose.
        advertise: The address that others use, where it is not the one listened on: `http://shop-code:4000`.
        token_file: A file with the token that callers must show; by default PENSTOCK_CODE_SERVER_TOKEN, if set.
        watch: Reload when one of the user's files changes.
        kill_workers: End run workers with this server; otherwise they live on and keep their own leases.
        lifeline: A descriptor whose other end the starter holds: when that closes, this server stops.
        ready: Called with the address when the server answers; the code may still be loading.

    Raises:
        SettingsError: The origin is no code of this machine, the instance has no home, or a token is needed.
        AddressInUseError: The address is taken.
    """
    if origin.target is None:
        raise SettingsError(f"The location {origin.name!r} is served elsewhere, at {origin.address}; start it there.")
    if instance.home is None:
        raise SettingsError("A code server needs an instance with a home; set PENSTOCK_HOME.")
    token = _token(token_file)
    listener = _listen(socket_path, host, port, token)
    address = advertise or address_of(listener)
    python = origin.executable or sys.executable
    reference = InstanceRef.of(instance.home, instance.settings)
    withheld = variables_named(instance.home, WITHHELD_SETTINGS) | _OF_SERVERS if reference.withheld else frozenset()
    given = instance.settings.code_servers
    settings = SupervisorSettings(
        order=LoadCode(
            name=origin.name,
            target=origin.target,
            environment=reference.encode(),
            never_fork='code_servers.start_method is "spawn"' if given.start_method == "spawn" else None,
        ),
        origin=origin.words(),
        address=address,
        zygote_command=(python, "-P", "-m", "penstock.instance.zygote"),
        fresh_command=(python, "-P", "-m", "penstock.instance.fresh"),
        folders=origin.folders(),
        watch=watch,
        kill_workers=kill_workers,
        startup_timeout=given.local_startup_timeout,
        reload_timeout=given.reload_timeout,
        ready_processes=given.ready_processes,
        ready_memory=given.ready_memory_mb * 2**20,
        evaluations_per_process=given.evaluations_per_process,
        renew_after_forks=given.renew_after_forks,
        renew_after_growth=given.renew_after_growth_mb * 2**20,
        max_resume_run_attempts=instance.settings.run_monitoring.max_resume_run_attempts,
        variables={} if reference.withheld else {"PENSTOCK_HOME": str(instance.home)},
        withheld=withheld,
        gateway=address_of(listener) if reference.withheld else None,
        fallback=instance.settings.run_workers.gateway_url,
    )
    serve(
        settings,
        listener,
        instance.storage,
        instance.logs,
        instance.clock,
        token=token if socket_path is None else None,
        lifeline=lifeline,
        ready=lambda: ready(address),
    )


def _listen(socket_path: Path | None, host: str, port: int, token: str | None) -> socket.socket:
    if socket_path is not None:
        return bind_unix(socket_path)
    return bind_tcp(host, port, token=token)


def _token(file: Path | None) -> str | None:
    if file is None:
        return os.environ.get("PENSTOCK_CODE_SERVER_TOKEN") or None
    try:
        token = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(
            f"The token file {file} cannot be read: {error.strerror}; see that it is there and may be read."
        ) from error
    if not token:
        raise SettingsError(f"The token file {file} is empty; write a long random text into it.")
    return token
