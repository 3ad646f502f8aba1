"""Where single messages go: a file, a stream, or a stream at the end."""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from threading import Lock
from typing import TextIO

from .wire import PipesMessage

__all__ = [
    "PipesBufferedStreamMessageWriterChannel",
    "PipesFileMessageWriterChannel",
    "PipesMessageWriterChannel",
    "PipesStreamMessageWriterChannel",
]


class PipesMessageWriterChannel(ABC):
    """Takes messages, in order and from any thread."""

    @abstractmethod
    def write_message(self, message: PipesMessage) -> None:
        """Send a message; a value that JSON cannot hold is refused before anything is sent."""


class PipesFileMessageWriterChannel(PipesMessageWriterChannel):
    """Appends each message to a file as one line. It is in the file when `write_message` returns.

    Args:
        path: The file.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = Lock()

    def write_message(self, message: PipesMessage) -> None:
        """Append a message."""
        line = (json.dumps(message) + "\n").encode("utf-8")
        with self._lock:
            # Opened for each message: a process that was forked meanwhile, or a file system that shows what was written
            # only when a file is closed, does no harm then.
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                while line:
                    line = line[os.write(descriptor, line) :]
            finally:
                os.close(descriptor)


class PipesStreamMessageWriterChannel(PipesMessageWriterChannel):
    """Writes each message to a stream as one line.

    Args:
        stream: A text stream.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = Lock()

    def write_message(self, message: PipesMessage) -> None:
        """Write a message."""
        line = json.dumps(message) + "\n"
        with self._lock:
            self._stream.write(line)
            self._stream.flush()


class PipesBufferedStreamMessageWriterChannel(PipesMessageWriterChannel):
    """Keeps messages and writes all of them to a stream when it is flushed: between them nobody else writes.

    Args:
        stream: A text stream.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = Lock()
        self._lines: list[str] = []

    def write_message(self, message: PipesMessage) -> None:
        """Keep a message."""
        line = json.dumps(message) + "\n"
        with self._lock:
            self._lines.append(line)

    def flush(self) -> None:
        """Write what is kept."""
        with self._lock:
            self._stream.write("".join(self._lines))
            self._lines.clear()
            self._stream.flush()
