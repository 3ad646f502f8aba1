"""Messages over a pipe or socket: a length of four bytes (big-endian), then MessagePack of one record."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from ..codec import decode_msgpack, encode_msgpack
from ..errors import InternalError

__all__ = ["LARGEST", "FrameReader", "encode_frame", "write_frame"]

T = TypeVar("T")

LARGEST = 64 << 20
"""No frame is larger, in bytes: a wrong length is found before memory is spent on it."""

_HEAD = struct.Struct(">I")


def encode_frame(message: object) -> bytes:
    """The bytes of one message. Raises `InternalError` when it is larger than `LARGEST`."""
    body = encode_msgpack(message)
    if len(body) > LARGEST:
        raise InternalError(f"A message of {len(body)} bytes is larger than the {LARGEST} that a frame may have.")
    return _HEAD.pack(len(body)) + body


def write_frame(descriptor: int, message: object) -> None:
    """Write one message whole; blocks while the other side does not read. Raises `BrokenPipeError` when it is gone."""
    data = memoryview(encode_frame(message))
    while data:
        data = data[os.write(descriptor, data) :]


class FrameReader(Generic[T]):
    """Takes bytes as they come and gives the messages that are complete.

    Args:
        kind: The record type, or union of record types, of the messages.
    """

    def __init__(self, kind: Any) -> None:
        self._kind = kind
        self._buffer = bytearray()

    @property
    def pending(self) -> int:
        """How many bytes of a message that is not complete there are."""
        return len(self._buffer)

    def feed(self, data: bytes) -> Iterator[T]:
        """The messages that are complete now.

        Raises:
            InternalError: The bytes are no frames.
            msgspec.ValidationError: A frame is not of the declared kind.
        """
        buffer = self._buffer
        buffer += data
        start = 0
        try:
            while len(buffer) - start >= _HEAD.size:
                (length,) = _HEAD.unpack_from(buffer, start)
                if length > LARGEST:
                    raise InternalError(f"A frame says that it has {length} bytes; no frame has more than {LARGEST}.")
                end = start + _HEAD.size + length
                if len(buffer) < end:
                    return
                body = bytes(buffer[start + _HEAD.size : end])
                start = end
                yield decode_msgpack(body, self._kind)
        finally:
            del buffer[:start]
