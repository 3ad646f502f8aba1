"""A limit on a whole exchange over the network: a socket knows one for each wait alone, and a peer may send a byte now
and then."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any

__all__ = ["Deadline"]


class Deadline:
    """In its block, connections that were made `watched` end when the time is over; who waits for them gets an error.

    Args:
        seconds: How long the block may take.
    """

    def __init__(self, seconds: float) -> None:
        self._connections: list[Any] = []
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self.is_over = False

    def __enter__(self) -> Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_failure: object) -> None:
        self._timer.cancel()

    def watched(self, kind: Any) -> Any:
        """A class of connections like this one, which has its socket as `sock`."""
        connections = self._connections

        class Watched(kind):  # type: ignore[misc]
            def __init__(self, *arguments: Any, **named: Any) -> None:
                connections.append(self)
                super().__init__(*arguments, **named)

        return Watched

    def _end(self) -> None:
        self.is_over = True
        for connection in self._connections:
            if connection.sock is not None:
                with contextlib.suppress(OSError):  # it has ended already
                    connection.sock.shutdown(socket.SHUT_RDWR)
