"""HTTP to a storage's server over a Unix socket or TCP: connections that are kept for the next call, safe after a fork.

It starts no thread. A process that forks may go on in its child at once: a connection belongs to the process that
opened it.
"""

from __future__ import annotations

import http.client
import os
import select
import socket
import urllib.parse
from collections.abc import Callable, Sequence

from ...clock import SYSTEM_CLOCK
from ...errors import SettingsError

__all__ = ["Connections", "Reply", "UnansweredError", "UnsentError"]

_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 60.0  # more than a server waits for its database
_IDLE_SECONDS = 3.0  # less than a server keeps a silent connection


class UnsentError(OSError):
    """The server could not be reached, so it has heard nothing."""


class UnansweredError(OSError):
    """The connection broke before the answer, so nobody knows whether the server has acted."""


class Reply:
    """What a server has answered."""

    __slots__ = ("body", "status", "token")

    def __init__(self, status: int, body: bytes, token: str | None) -> None:
        self.status = status
        self.body = body
        self.token = token


class Connections:
    """Connections to one server. It may be used from any thread.

    Args:
        addresses: Where it may be reached, the best first: `unix:/path/to.sock`, `http://host:port` or
            `https://host:port`.

    Raises:
        SettingsError: An address has none of these forms.
    """

    def __init__(self, addresses: Sequence[str]) -> None:
        self._openers = [_opener(address) for address in addresses]
        self._pid = os.getpid()
        self._idle: list[tuple[http.client.HTTPConnection, float]] = []

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        """Send a request; gives its answer.

        Raises:
            UnsentError: The server could not be reached.
            UnansweredError: It did not answer.
        """
        connection = self._take() or self._connected()
        try:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            reply = Reply(response.status, response.read(), response.getheader("penstock-token"))
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise UnansweredError(f"{type(error).__name__}: {error}") from error
        except BaseException:
            connection.close()  # interrupted in the middle of an answer, which nobody else may take for theirs
            raise
        if response.will_close:
            connection.close()
        else:
            self._idle.append((connection, SYSTEM_CLOCK.monotonic()))
        return reply

    def open_socket(self) -> socket.socket:
        """A new connection as a socket, which is the caller's. Raises `UnsentError`."""
        made = self._connected().sock
        assert made is not None
        return made

    def close(self) -> None:
        """Close what is kept; a later call opens anew."""
        self._leave_to_parent()
        while self._idle:
            self._idle.pop()[0].close()

    def _connected(self) -> http.client.HTTPConnection:
        failure: OSError | None = None
        for opener in self._openers:
            connection = opener()
            try:
                connection.connect()
            except OSError as error:
                connection.close()
                failure = failure or error
                continue
            connection.sock.settimeout(_ANSWER_SECONDS)
            return connection
        raise UnsentError(f"{type(failure).__name__}: {failure}") from failure

    def _take(self) -> http.client.HTTPConnection | None:
        """A kept connection that the server has not closed."""
        self._leave_to_parent()
        while self._idle:
            try:
                connection, since = self._idle.pop()
            except IndexError:
                return None  # another thread was faster
            if SYSTEM_CLOCK.monotonic() - since < _IDLE_SECONDS and not _is_readable(connection.sock):
                return connection
            connection.close()
        return None

    def _leave_to_parent(self) -> None:
        """In a child: close our copies of the parent's sockets, which stay open there."""
        if self._pid != os.getpid():
            inherited, self._idle, self._pid = self._idle, [], os.getpid()
            for connection, _ in inherited:
                connection.close()


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_CONNECT_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _opener(address: str) -> Callable[[], http.client.HTTPConnection]:
    if address.startswith("unix:"):
        path = address.removeprefix("unix:")
        return lambda: _UnixConnection(path)
    parts = urllib.parse.urlsplit(address)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if parts.scheme not in {"http", "https"} or not host or parts.path not in {"", "/"}:
        raise SettingsError(
            f"{address!r} is no address of a storage's server; give unix:/path/to.sock, http://host:port or "
            "https://host:port."
        )
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    return lambda: kind(host, port, timeout=_CONNECT_SECONDS)


def _is_readable(connection: socket.socket) -> bool:
    """Whether a connection on which nothing is awaited has something to say: that it has ended."""
    ready = select.poll()  # select() refuses the high descriptors of a process with many open files
    ready.register(connection, select.POLLIN)
    return bool(ready.poll(0))
