"""Captured stdout and stderr in files: `<root>/<run id>/<file key>.out` and `.err`.

The descriptors themselves are pointed at the files, opened for appending: what a program prints is in the file at
once, whatever language wrote it, and stays there when the process is killed.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from .store import LogKey, Stream, check_log_key, log_key

__all__ = ["LocalLogStore"]

_SUFFIX: dict[Stream, str] = {"stdout": ".out", "stderr": ".err"}


class LocalLogStore:
    """Keeps captures in a folder of this machine.

    Args:
        root: The folder; it is made when the first capture begins.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, key: LogKey, stream: Stream) -> Path:
        """The file of a capture, whether it exists or not."""
        run_id, file_key = check_log_key(key)
        return self.root / run_id / (file_key + _SUFFIX[stream])

    @contextlib.contextmanager
    def capture(self, key: LogKey) -> Iterator[None]:
        """Point descriptors 1 and 2 at the files until the context ends; captures may be nested."""
        run_id, file_key = check_log_key(key)
        stem = f"{self.root}/{run_id}/{file_key}"
        with _pointed(1, stem + _SUFFIX["stdout"]), _pointed(2, stem + _SUFFIX["stderr"]):
            yield

    def read(self, key: LogKey, stream: Stream, *, offset: int = 0, limit: int = 1 << 20) -> tuple[bytes, int]:
        """At most `limit` bytes from `offset` on, and the offset after them."""
        try:
            with self.path(key, stream).open("rb") as file:
                file.seek(offset)
                data = file.read(limit)
        except FileNotFoundError:
            return b"", offset
        return data, offset + len(data)

    def size(self, key: LogKey, stream: Stream) -> int:
        """How many bytes there are; 0 when nothing was captured."""
        try:
            return self.path(key, stream).stat().st_size
        except FileNotFoundError:
            return 0

    def exists(self, key: LogKey) -> bool:
        """Whether a capture under this key has begun."""
        return self.path(key, "stdout").exists()

    def keys(self, run_id: str) -> list[LogKey]:
        """The captures of a run, sorted."""
        folder = self.path(log_key(run_id, "any"), "stdout").parent
        return [log_key(run_id, path.name.removesuffix(".out")) for path in sorted(folder.glob("*.out"))]

    def delete(self, run_id: str) -> None:
        """Remove all captures of a run."""
        folder = self.path(log_key(run_id, "any"), "stdout").parent
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(folder)


@contextlib.contextmanager
def _pointed(descriptor: int, path: str) -> Iterator[None]:
    """Point a standard descriptor at a file, and afterwards back at what it was."""
    _flush(descriptor)
    try:
        before = os.dup(descriptor)
    except OSError:  # closed: a process without a terminal may have none
        before = os.open(os.devnull, os.O_WRONLY)
    try:
        file = _open_to_append(path)
        os.dup2(file, descriptor)
        os.close(file)
        with contextlib.ExitStack() as stack:
            for stream in _streams(descriptor):
                stack.enter_context(_by_line(stream, descriptor))
            yield
    finally:
        _flush(descriptor)
        os.dup2(before, descriptor)
        os.close(before)


def _open_to_append(path: str) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o644)
    except FileNotFoundError:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, flags, 0o644)


@contextlib.contextmanager
def _by_line(stream: TextIO, descriptor: int) -> Iterator[None]:
    """Let a Python stream write each line at once: a killed process has then lost none."""
    if not isinstance(stream, io.TextIOWrapper) or stream.line_buffering or _descriptor_of(stream) != descriptor:
        yield
        return
    stream.reconfigure(line_buffering=True)
    try:
        yield
    finally:
        if not stream.closed:
            stream.reconfigure(line_buffering=False)


def _descriptor_of(stream: TextIO) -> int | None:
    """What a stream writes to; None if it is closed or writes to memory."""
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return None


def _flush(descriptor: int) -> None:
    """Write out what Python's own streams hold for this descriptor, so that it lands where it was printed to."""
    for stream in _streams(descriptor):
        with contextlib.suppress(ValueError, OSError):  # closed by user code: nothing is left to flush
            stream.flush()


def _streams(descriptor: int) -> list[TextIO]:
    """Python's streams for a standard descriptor: the present one, and the first one where it was replaced."""
    pair = (sys.stdout, sys.__stdout__) if descriptor == 1 else (sys.stderr, sys.__stderr__)
    return list({id(each): each for each in pair if each is not None}.values())
