"""How the messages of an external process are read: the seam, and readers that follow a file."""

from __future__ import annotations

import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, BinaryIO

from penstock_pipes.wire import PipesOpenedData

from .background import Background

if TYPE_CHECKING:
    from .messages import PipesLaunchedData, PipesMessageHandler

__all__ = [
    "WRITERS",
    "PipesCompositeMessageReader",
    "PipesFileMessageReader",
    "PipesMessageReader",
    "PipesTempFileMessageReader",
]

_LOOK_EVERY = 0.05
"""Seconds between two looks at a file: soon enough for a reader of the log, and next to nothing to do."""

WRITERS = "writers"
"""Under this name the parameters of a reader of several processes hold those of each."""


class PipesMessageReader(ABC):
    """Reads messages and gives them to the handler. Make one of your own for other ways."""

    @abstractmethod
    @contextmanager
    def read_messages(self, handler: PipesMessageHandler) -> Iterator[Mapping[str, Any]]:
        """Read until the block ends, and then what is left; gives the parameters that the message writer needs."""

    def on_opened(self, opened_payload: PipesOpenedData) -> None:  # noqa: B027 - few readers need it
        """Take what the process tells when it is there; override it where that is needed."""

    def on_launched(self, launched_payload: PipesLaunchedData) -> None:  # noqa: B027 - as above
        """Take what is known of a process that was started; override it where that is needed."""

    @property
    def expected_writer_count(self) -> int:
        """How many processes send messages."""
        return 1

    def no_messages_debug_text(self) -> str:
        """What to look at when a process sends nothing, as one sentence."""
        return f"Its messages were awaited by {type(self).__name__}."


class PipesFileMessageReader(PipesMessageReader):
    """Follows a file.

    Args:
        path: The file. The external process must see it under the same path. Lines from before the session are skipped.
        include_stdio_in_messages: Have the process send what it prints as messages too; for processes whose output
            cannot be had otherwise.
        cleanup_file: Remove the file afterwards.
    """

    def __init__(self, path: str, include_stdio_in_messages: bool = False, cleanup_file: bool = True) -> None:
        self._path = path
        self._include_stdio = include_stdio_in_messages
        self._cleanup = cleanup_file

    @contextmanager
    def read_messages(self, handler: PipesMessageHandler) -> Iterator[Mapping[str, Any]]:
        """Follow the file until the block ends, and then to its end."""
        Path(self._path).touch(mode=0o600)
        with open(self._path, "rb", buffering=0) as file:
            file.seek(0, os.SEEK_END)
            with Background(lambda over: _follow(file, over, handler), "pipes-messages"):
                yield {"path": self._path, "include_stdio_in_messages": self._include_stdio}
        if self._cleanup:
            Path(self._path).unlink(missing_ok=True)


class PipesTempFileMessageReader(PipesMessageReader):
    """Follows a file in a folder of its own, which is removed afterwards.

    Args:
        include_stdio_in_messages: As of `PipesFileMessageReader`.
    """

    def __init__(self, include_stdio_in_messages: bool = False) -> None:
        self._include_stdio = include_stdio_in_messages

    @contextmanager
    def read_messages(self, handler: PipesMessageHandler) -> Iterator[Mapping[str, Any]]:
        """Follow the file until the block ends, and then to its end."""
        with tempfile.TemporaryDirectory(prefix="penstock-pipes-") as folder:
            reader = PipesFileMessageReader(f"{folder}/messages", self._include_stdio, cleanup_file=False)
            with reader.read_messages(handler) as params:
                yield params


class PipesCompositeMessageReader(PipesMessageReader):
    """Reads the messages of several processes of one session, each by a reader of its own.

    `PipesSession.get_per_writer_bootstrap_env_vars` gives the variables for each process.

    Args:
        readers: One for each process.
    """

    def __init__(self, readers: Sequence[PipesMessageReader]) -> None:
        self._readers = list(readers)

    @contextmanager
    def read_messages(self, handler: PipesMessageHandler) -> Iterator[Mapping[str, Any]]:
        """Read from all until the block ends; gives the parameters for each process as `writers`."""
        with ExitStack() as stack:
            yield {WRITERS: [stack.enter_context(reader.read_messages(handler)) for reader in self._readers]}

    def on_opened(self, opened_payload: PipesOpenedData) -> None:
        """Pass it to all."""
        for reader in self._readers:
            reader.on_opened(opened_payload)

    def on_launched(self, launched_payload: PipesLaunchedData) -> None:
        """Pass it to all."""
        for reader in self._readers:
            reader.on_launched(launched_payload)

    @property
    def expected_writer_count(self) -> int:
        """How many processes send messages."""
        return sum(reader.expected_writer_count for reader in self._readers)


def _follow(file: BinaryIO, over: Event, handler: PipesMessageHandler) -> None:
    rest = b""
    last_look = False
    while True:
        while data := file.read(1 << 20):
            whole, newline, rest = (rest + data).rpartition(b"\n")
            if newline:
                for line in whole.split(b"\n"):
                    handler.handle_line(line)
        if last_look:
            handler.handle_line(rest)  # whole after all, or named as torn
            return
        last_look = over.wait(_LOOK_EVERY)
