"""How a process sends its messages: the writers that need nothing but a file or a stream."""

from __future__ import annotations

import contextlib
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Generic, TextIO, TypeVar

from .channels import (
    PipesBufferedStreamMessageWriterChannel,
    PipesFileMessageWriterChannel,
    PipesMessageWriterChannel,
    PipesStreamMessageWriterChannel,
)
from .errors import PipesError
from .stdio import captured_stdio
from .wire import PipesOpenedData

__all__ = ["PipesDefaultMessageWriter", "PipesMessageWriter", "with_stdio"]

Channel = TypeVar("Channel", bound=PipesMessageWriterChannel)

_STDIO = "include_stdio_in_messages"


class PipesMessageWriter(ABC, Generic[Channel]):
    """Opens the channel that takes the messages."""

    @abstractmethod
    @contextmanager
    def open(self, params: Mapping[str, Any]) -> Iterator[Channel]:
        """Open it by the parameters that the orchestrator's reader gave; all is sent when the block ends."""

    def get_opened_payload(self) -> PipesOpenedData:
        """What the first message tells."""
        return {"extras": self.get_opened_extras()}

    def get_opened_extras(self) -> Mapping[str, Any]:
        """What the orchestrator's reader wants to know of this process; override it where there is something."""
        return {}


class PipesDefaultMessageWriter(PipesMessageWriter[PipesMessageWriterChannel]):
    """Sends to a file (`path`), to a stream (`stdio`), or to a stream when the process ends (`buffered_stdio`)."""

    @contextmanager
    def open(self, params: Mapping[str, Any]) -> Iterator[PipesMessageWriterChannel]:
        """Open the channel.

        Raises:
            PipesError: The parameters name none of the three.
        """
        if "path" in params:
            channel = PipesFileMessageWriterChannel(params["path"])
            with with_stdio(params, channel):
                yield channel
        elif "stdio" in params:
            yield PipesStreamMessageWriterChannel(_stream(params["stdio"]))
        elif "buffered_stdio" in params:
            buffered = PipesBufferedStreamMessageWriterChannel(_stream(params["buffered_stdio"]))
            try:
                yield buffered
            finally:
                buffered.flush()
        else:
            raise PipesError(
                f"Messages are to be sent by {sorted(params)}, which PipesDefaultMessageWriter does not know; "
                "pass the writer that fits the orchestrator's reader as message_writer."
            )


def with_stdio(
    params: Mapping[str, Any], channel: PipesMessageWriterChannel
) -> contextlib.AbstractContextManager[None]:
    """Sends what is printed as messages, where the orchestrator's reader asks for it."""
    return captured_stdio(channel) if params.get(_STDIO) else contextlib.nullcontext()


def _stream(name: str) -> TextIO:
    if name not in ("stdout", "stderr"):
        raise PipesError(f"Messages are to be written to {name!r}; the streams are stdout and stderr.")
    return sys.stdout if name == "stdout" else sys.stderr
