"""What user code prints while it is loaded or evaluated, passed on line by line with the location's name before it."""

from __future__ import annotations

import asyncio
import os
import sys

__all__ = ["forward_lines"]

_LONGEST_LINE = 64 * 1024


async def forward_lines(descriptor: int, name: str) -> None:
    """Read a pipe to its end and write its lines to stderr; closes the descriptor."""
    reader = asyncio.StreamReader(limit=_LONGEST_LINE)
    transport, _protocol = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", buffering=0)
    )
    prefix = f"[{name}] ".encode()
    try:
        while line := await _line(reader):
            sys.stderr.buffer.write(prefix + line + (b"" if line.endswith(b"\n") else b"\n"))
            sys.stderr.buffer.flush()
    finally:
        transport.close()


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil()
    except asyncio.IncompleteReadError as end:
        return end.partial
    except asyncio.LimitOverrunError as error:
        return await reader.readexactly(error.consumed)
