"""Listens to the topics of a storage behind an address: one request whose answer goes on, a topic a line.

No thread reads it. What has arrived is taken from the socket when somebody asks, so that the socket's descriptor is
readable exactly when there is something to hear.
"""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Callable

from ...clock import SYSTEM_CLOCK
from ...errors import PenstockError, StorageError
from .calls import SUBSCRIBE
from .connection import Connections, UnsentError

__all__ = ["RemoteSubscription"]

EVERYTHING = "*"
"""The topic that stands for all topics."""

_CHUNK = 1 << 16
_LONGEST_HEAD = 1 << 16
_PAUSE_SECONDS = 1.0
_NOT_CONNECTED = -1


class RemoteSubscription:
    """One listener's queue of topics; for one thread.

    When the connection is lost it is made again, a second later at the earliest, by whoever waits; after that
    everything may have changed, and so `*` is heard.

    Args:
        connections: Opens a connection.
        headers: The headers of a request, with the token.
        refused: Makes the error of an answer that is no 200.

    Raises:
        StorageError: The server or its database is away.
        FencedError: The token is good no more.
    """

    def __init__(
        self,
        connections: Connections,
        headers: Callable[[], dict[str, str]],
        refused: Callable[[str, int, bytes], PenstockError],
    ) -> None:
        self._connections = connections
        self._headers = headers
        self._refused = refused
        self._pid = os.getpid()
        self._closed = False
        self._retry_at = 0.0
        self._socket: socket.socket | None = None
        self._chunks = _Chunks()
        self._text = b""
        self._connect()

    def wait(self, timeout: float | None) -> frozenset[str]:
        """Block until something is published or the timeout (seconds) is over; gives the topics, maybe none.

        Raises:
            FencedError: The token is good no more.
        """
        deadline = None if timeout is None else SYSTEM_CLOCK.monotonic() + timeout
        while True:
            topics = self._heard()
            if topics:
                return topics
            now = SYSTEM_CLOCK.monotonic()
            if deadline is not None and now >= deadline:
                return frozenset()
            until = [each for each in (deadline, None if self._socket else self._retry_at) if each is not None]
            ready = select.poll()  # select() refuses the high descriptors of a process with many open files
            if self._socket is not None:
                ready.register(self._socket, select.POLLIN)
            ready.poll(max(0.0, min(until) - now) * 1000 if until else None)

    def fileno(self) -> int:
        """A descriptor that is readable when `wait(0)` would give something; another one after the connection was lost,
        and -1 while it is."""
        return _NOT_CONNECTED if self._socket is None else self._socket.fileno()

    def close(self) -> None:
        """Stop listening."""
        self._closed = True
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _heard(self) -> frozenset[str]:
        if self._socket is None:
            return frozenset({EVERYTHING}) if self._connected_again() else frozenset()
        ended = False
        while True:
            try:
                data = self._socket.recv(_CHUNK)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            if not data:
                ended = True
                break
            self._text += self._chunks.feed(data)
        *lines, self._text = self._text.split(b"\n")
        if ended or self._chunks.over:
            self._lose()
        return frozenset(line.decode("utf-8", "replace") for line in lines if line)

    def _lose(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self._retry_at = SYSTEM_CLOCK.monotonic() + _PAUSE_SECONDS

    def _connected_again(self) -> bool:
        if self._closed or SYSTEM_CLOCK.monotonic() < self._retry_at:
            return False
        try:
            self._connect()
        except StorageError:
            self._lose()
            return False
        return True

    def _connect(self) -> None:
        """Ask for the topics, and read the answer's head: from then on everything is heard."""
        try:
            made = self._connections.open_socket()
        except UnsentError as error:
            raise StorageError(f"The storage cannot be listened to: {error}") from error
        try:
            made.sendall(_request(self._headers()))
            status, rest = _head(made)
            if status != 200:
                while data := made.recv(_CHUNK):
                    rest += data
                raise self._refused(SUBSCRIBE, status, _Chunks().feed(rest) or rest)
            chunks = _Chunks()
            text = chunks.feed(rest)
            while not text:  # the first line, an empty one, says that it listens
                more = made.recv(_CHUNK)
                if not more:
                    raise ConnectionResetError("the connection ended before the stream")
                text = chunks.feed(more)
            made.setblocking(False)
        except OSError as error:
            made.close()
            raise StorageError(f"The storage cannot be listened to: {type(error).__name__}: {error}") from error
        except BaseException:
            made.close()
            raise
        self._socket, self._chunks, self._text = made, chunks, text


class _Chunks:
    """Undoes the transfer coding "chunked": a length in hex, a line's end, so many bytes, a line's end."""

    def __init__(self) -> None:
        self._raw = b""
        self.over = False

    def feed(self, data: bytes) -> bytes:
        """The bytes that are whole by now."""
        self._raw += data
        given = b""
        while not self.over:
            head, found, rest = self._raw.partition(b"\r\n")
            if not found:
                break
            try:
                size = int(head.partition(b";")[0], 16)
            except ValueError:
                self.over = True  # not what a server sends; the connection is of no use
                break
            if size == 0:
                self.over = True
            elif len(rest) < size + 2:
                break
            given += rest[:size]
            self._raw = rest[size + 2 :]
        return given


def _request(headers: dict[str, str]) -> bytes:
    given = {"Host": "localhost", "Content-Length": "0", "Connection": "close", **headers}
    lines = [
        f"POST /storage/{SUBSCRIBE.replace('.', '/')} HTTP/1.1",
        *(f"{name}: {value}" for name, value in given.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _head(connection: socket.socket) -> tuple[int, bytes]:
    """The status of an answer, and what came after its head."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(_CHUNK)
        if not more or len(data) > _LONGEST_HEAD:
            raise ConnectionResetError("the connection ended before the answer")
        data += more
    head, _, rest = data.partition(b"\r\n\r\n")
    words = head.split(b"\r\n", 1)[0].split(b" ")
    if len(words) < 2 or not words[1].isdigit():
        raise ConnectionResetError("the answer is not of HTTP")
    return int(words[1]), rest
