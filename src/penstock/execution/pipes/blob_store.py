"""Reads messages from a store of objects, where an external process puts them in numbered chunks."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from threading import Event, Lock
from typing import TYPE_CHECKING, Any

from penstock_pipes.wire import PipesOpenedData

from .background import Background
from .readers import PipesMessageReader

if TYPE_CHECKING:
    from .messages import PipesLaunchedData, PipesMessageHandler

__all__ = ["PipesBlobStoreMessageReader", "PipesLogReader"]


class PipesLogReader(ABC):
    """Forwards what an external process prints, where that is kept in some other place than its messages."""

    @abstractmethod
    def target_is_readable(self, params: Mapping[str, Any]) -> bool:
        """Whether there is something to read yet.

        Args:
            params: Those of the messages, and what is known of the process since it was started and was there.
        """

    @abstractmethod
    def start(self, params: Mapping[str, Any], is_session_closed: Event) -> None:
        """Begin to forward, in a thread of its own.

        Args:
            params: As of `target_is_readable`.
            is_session_closed: Set when the session ends; what is there by then is still to be forwarded.
        """

    @abstractmethod
    def stop(self) -> None:
        """Return when all is forwarded."""

    @abstractmethod
    def is_running(self) -> bool:
        """Whether it was started and not stopped."""

    @property
    def name(self) -> str:
        """What messages call it."""
        return type(self).__name__

    @property
    def debug_info(self) -> str | None:
        """Where it reads, for messages; None if there is nothing to say."""
        return None

    def with_debug_info(self, message: str) -> str:
        """A message with where it reads."""
        return message if self.debug_info is None else f"{message} ({self.debug_info})"


class PipesBlobStoreMessageReader(PipesMessageReader):
    """Reads the chunks 1, 2, 3 and so on, and waits a while where the next is not there.

    Subclasses say where that is, with `get_params` and `download_messages_chunk`.

    Args:
        interval: Seconds between two looks for the next chunk.
        log_readers: They are started when there is something for them to read.
    """

    def __init__(self, interval: float = 10, log_readers: Sequence[PipesLogReader] | None = None) -> None:
        self.interval = interval
        self._log_readers = list(log_readers or ())
        self._lock = Lock()
        self._known: dict[str, Any] = {}

    @abstractmethod
    def get_params(self) -> AbstractContextManager[Mapping[str, Any]]:
        """Give the parameters that the message writer needs until the session ends; use `contextlib.contextmanager`."""

    @abstractmethod
    def download_messages_chunk(self, index: int, params: Mapping[str, Any]) -> str | None:
        """The text of a chunk, one message a line.

        Args:
            index: Its number; 1 for the first.
            params: What `get_params` gave.

        Returns:
            None if it is not there yet.
        """

    def messages_are_readable(self, params: Mapping[str, Any]) -> bool:
        """Whether chunks may be looked for yet; override it where a place must be made first."""
        return True

    def add_log_reader(self, log_reader: PipesLogReader) -> None:
        """Have one more log reader started."""
        with self._lock:
            self._log_readers.append(log_reader)

    def on_opened(self, opened_payload: PipesOpenedData) -> None:
        """Keep what the process tells, for log readers."""
        self._learn(opened_payload["extras"])

    def on_launched(self, launched_payload: PipesLaunchedData) -> None:
        """Keep what is known of the process, for log readers."""
        self._learn(launched_payload["extras"])

    def _learn(self, extras: Mapping[str, Any]) -> None:
        with self._lock:
            self._known.update(extras)

    @contextmanager
    def read_messages(self, handler: PipesMessageHandler) -> Iterator[Mapping[str, Any]]:
        """Read chunks until the block ends, and then those that are there."""
        with self.get_params() as params:
            self._known = dict(params)
            with (
                Background(lambda over: self._forward_logs(over, handler), "pipes-logs"),
                Background(lambda over: self._read(over, params, handler), "pipes-messages"),
            ):
                yield params

    def _read(self, over: Event, params: Mapping[str, Any], handler: PipesMessageHandler) -> None:
        index = 1
        last_look = False
        while True:
            while (chunk := self._download(index, params, handler, last_look)) is not None:
                for line in chunk.splitlines():
                    handler.handle_line(line)
                index += 1
            if last_look:
                return
            last_look = over.wait(self.interval)

    def _download(
        self, index: int, params: Mapping[str, Any], handler: PipesMessageHandler, last_look: bool
    ) -> str | None:
        try:
            return self.download_messages_chunk(index, params) if self.messages_are_readable(params) else None
        except Exception:
            if last_look:
                raise
            # A store may be away for a while; what is in it is read at the next look.
            handler.report_pipes_framework_exception(type(self).__name__, sys.exc_info())
            return None

    def _forward_logs(self, over: Event, handler: PipesMessageHandler) -> None:
        started: list[PipesLogReader] = []
        last_look = False
        while True:
            with self._lock:
                waiting = [each for each in self._log_readers if each not in started]
                params = dict(self._known)
            for reader in waiting:
                try:
                    if reader.target_is_readable(params):
                        reader.start(params, over)
                        started.append(reader)
                except Exception:  # noqa: BLE001 - whatever a reader of the user's raises, messages are read on
                    handler.report_pipes_framework_exception(reader.name, sys.exc_info())
            if last_look:
                break
            last_look = over.wait(self.interval)
        for reader in started:
            reader.stop()
        for reader in waiting:
            if reader not in started:
                handler.report_missing_logs(reader.with_debug_info(f"{reader.name} found nothing to read"))
