"""Messages over a stream socket between processes of one host, with descriptors alongside.

Descriptors travel with the first byte of their message, so they arrive in the order of the messages that announce them;
the reader of the messages knows which of them carry one.
"""

from __future__ import annotations

import os
import socket
import sys
from collections import deque
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from ..errors import InternalError
from ..execution.frames import FrameReader, encode_frame

__all__ = ["FrameSocket", "tell"]

_READ_BYTES = 256 * 1024
_MAX_DESCRIPTORS = 16

Message = TypeVar("Message")


class FrameSocket(Generic[Message]):
    """A blocking end of such a socket.

    Args:
        connection: The socket; whoever made it closes it.
        kind: What is received.
    """

    def __init__(self, connection: socket.socket, kind: Any) -> None:
        self.connection = connection
        self._reader: FrameReader[Message] = FrameReader(kind)
        self._ready: deque[Message] = deque()
        self._descriptors: deque[int] = deque()

    def send(self, message: object, descriptors: Sequence[int] = ()) -> None:
        """Send a message; raises `OSError` when nobody reads any more."""
        data = encode_frame(message)
        sent = socket.send_fds(self.connection, [data], descriptors) if descriptors else 0
        if sent < len(data):
            self.connection.sendall(memoryview(data)[sent:])

    def receive(self) -> Message | None:
        """The next message, waited for; None when the other end has closed."""
        while not self._ready:
            if not self.fill():
                return None
        return self._ready.popleft()

    def waiting(self) -> Message | None:
        """The next message that has arrived already."""
        return self._ready.popleft() if self._ready else None

    def fill(self) -> bool:
        """Read once from the socket; False when the other end has closed."""
        try:
            data, descriptors, _flags, _address = socket.recv_fds(self.connection, _READ_BYTES, _MAX_DESCRIPTORS)
        except ConnectionResetError:
            return False
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
        self._descriptors.extend(descriptors)
        self._ready.extend(self._reader.feed(data))
        return bool(data)

    def take_descriptor(self) -> int:
        """The descriptor that came with the message received last; each is given once, in order."""
        if not self._descriptors:
            raise InternalError("A message that carries a descriptor came without one.")
        return self._descriptors.popleft()


def tell(frames: FrameSocket[Any], message: object) -> bool:
    """Send a message to whoever may have gone, which is printed then; whether it was sent."""
    try:
        frames.send(message)
    except OSError as error:
        print(f"Nobody waits for the answer any more: {error}", file=sys.stderr)  # noqa: T201 - the process's log
        return False
    return True
