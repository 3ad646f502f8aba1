"""Where a code server listens: a Unix socket that only its user may open, or a TCP port that wants a token."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from pathlib import Path

from ..errors import AddressInUseError, EnvironmentalError, SettingsError

__all__ = ["address_of", "bind_tcp", "bind_unix", "is_loopback"]

_LONGEST_PATH = 107  # bytes: what the kernel's sockaddr_un holds, without the closing zero
_BACKLOG = 128


def bind_unix(path: Path) -> socket.socket:
    """Listen on a Unix socket at `path`, open to this user alone; a socket file that a dead server left is replaced.

    Raises:
        SettingsError: The path is longer than the system allows.
        AddressInUseError: A living server answers there.
        EnvironmentalError: The folder cannot be made or written.
    """
    path = path.absolute()
    if len(os.fsencode(path)) > _LONGEST_PATH:
        raise SettingsError(f"The socket path {path} is longer than {_LONGEST_PATH} bytes; name a shorter one.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if path.is_socket():
            if _answers(path):
                raise AddressInUseError(f"Another code server listens on {path}; stop it or name another socket.")
            path.unlink()
        return _bind_privately(path)
    except OSError as error:
        raise EnvironmentalError(
            f"Cannot listen on the socket {path}: {error.strerror}. Name a path that this user may write."
        ) from error


def bind_tcp(host: str, port: int, *, token: str | None) -> socket.socket:
    """Listen on a TCP port; 0 lets the system choose one.

    Raises:
        SettingsError: The host is not loopback and there is no token, or the host has no address.
        AddressInUseError: The port is taken.
    """
    if token is None and not is_loopback(host):
        raise SettingsError(
            f"A code server on {host} could be used by anybody who reaches it. Give it a token (--token-file, or "
            "PENSTOCK_CODE_SERVER_TOKEN), or listen on 127.0.0.1."
        )
    try:
        family, _kind, _protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise SettingsError(f"The host {host!r} has no address ({error.strerror}); give an IP address.") from error
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise AddressInUseError(
                f"Port {port} on {host} is taken; choose another port or stop who has it."
            ) from error
        raise EnvironmentalError(
            f"Cannot listen on {host}:{port}: {error.strerror}; choose another address or port."
        ) from error
    return listener


def address_of(listener: socket.socket) -> str:
    """The address that clients use: `unix:/path`, or `http://host:port`."""
    name = listener.getsockname()
    if isinstance(name, str):
        return f"unix:{name}"
    host = f"[{name[0]}]" if ":" in name[0] else name[0]
    return f"http://{host}:{name[1]}"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bind_privately(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(before)
    return listener


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
