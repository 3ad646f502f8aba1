"""Reads what a process prints to stderr: passes it on, and keeps the last lines for the message of its failure."""

from __future__ import annotations

import os
import select
from threading import Event

__all__ = ["StderrTail"]

_LINES = 20
_BYTES = 4000
_LOOK_EVERY_MS = 50


class StderrTail:
    """Reads a pipe to its end.

    Args:
        descriptor: The pipe.
        forward: Pass on to this process's stderr what is read.
    """

    def __init__(self, descriptor: int, *, forward: bool) -> None:
        self._descriptor = descriptor
        self._forward = forward
        self._last = b""

    def read(self, over: Event) -> None:
        """Read until the pipe ends, or until what was in it when `over` was set is read.

        A process that is gone may have left a child that holds the pipe open, so its end alone is no sign.
        """
        waiting = select.poll()
        waiting.register(self._descriptor, select.POLLIN)
        while True:
            last = over.is_set()
            if waiting.poll(0 if last else _LOOK_EVERY_MS):
                data = os.read(self._descriptor, 1 << 16)
                if not data:
                    return
                self._last = (self._last + data)[-_BYTES:]
                while self._forward and data:
                    data = data[os.write(2, data) :]
            elif last:
                return

    @property
    def text(self) -> str:
        """The last lines."""
        lines = self._last.decode("utf-8", errors="replace").splitlines()
        return "\n".join(lines[-_LINES:]).strip()
