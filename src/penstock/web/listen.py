"""Takes the web server's port, or says which other one is free. Apart from the server, so that asking is cheap."""

from __future__ import annotations

import errno
import socket

from ..errors import AddressInUseError, EnvironmentalError, SettingsError

__all__ = ["bind"]

_BACKLOG = 512
_PORTS_TRIED = 20


def bind(host: str, port: int) -> socket.socket:
    """Listen on a TCP port.

    Raises:
        SettingsError: The host has no address here.
        AddressInUseError: The port is taken; the message names one that is free.
        EnvironmentalError: The system refuses.
    """
    try:
        return _listen(host, port)
    except socket.gaierror as error:
        raise SettingsError(f"The host {host!r} has no address ({error.strerror}); give an IP address.") from error
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise EnvironmentalError(
                f"Cannot listen on {host}:{port}: {error.strerror}; choose another address or port."
            ) from error
        free = _free_port(host, port)
        other = f"take another port, for example {free}" if free else "take another port"
        raise AddressInUseError(
            f"Port {port} on {host} is taken by another process, maybe another `penstock dev`; stop that, or {other}."
        ) from error


def _listen(host: str, port: int) -> socket.socket:
    family, kind, _protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _free_port(host: str, taken: int) -> int | None:
    for port in range(taken + 1, min(taken + 1 + _PORTS_TRIED, 65536)):
        try:
            _listen(host, port).close()
        except OSError:
            continue
        return port
    return None
