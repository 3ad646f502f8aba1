"""Tells that files have grown, once each, without looking at them: by Linux's inotify, and elsewhere not at all."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from pathlib import Path

__all__ = ["GrowthWatch"]

_MODIFIED = 0x00000002
_ONCE = 0x80000000
_FLAGS = os.O_NONBLOCK | os.O_CLOEXEC
_EVENT = struct.Struct("iIII")
_READ_BYTES = 1 << 16
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class GrowthWatch:
    """Watches files, each until it is written to for the first time."""

    def __init__(self) -> None:
        self._descriptor = -1 if _libc is None else _libc.inotify_init1(_FLAGS)

    def fileno(self) -> int:
        """Readable when a file was written to; -1 where nothing can be watched: too many watch already, or no Linux."""
        return self._descriptor

    def watch(self, path: Path) -> int | None:
        """Watch a file until it is written to; gives the watch's number, or None if it cannot be watched."""
        if _libc is None or self._descriptor < 0:
            return None
        number = _libc.inotify_add_watch(self._descriptor, os.fsencode(path), _MODIFIED | _ONCE)
        return number if number >= 0 else None

    def drop(self, number: int) -> None:
        """Watch a file no more; harmless when it was written to meanwhile."""
        if _libc is not None:
            _libc.inotify_rm_watch(self._descriptor, number)

    def written(self) -> set[int]:
        """The watches whose files were written to; they are over."""
        numbers: set[int] = set()
        if self._descriptor < 0:
            return numbers
        while True:
            try:
                data = os.read(self._descriptor, _READ_BYTES)
            except BlockingIOError:
                return numbers
            at = 0
            while at < len(data):
                number, _, _, name_bytes = _EVENT.unpack_from(data, at)
                numbers.add(number)
                at += _EVENT.size + name_bytes

    def close(self) -> None:
        """Watch nothing any more."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
