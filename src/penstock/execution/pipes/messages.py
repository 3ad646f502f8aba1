"""Takes the messages of an external process: log lines and output at once, results for when the process has ended."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import RLock
from types import TracebackType
from typing import Any, TypeAlias, TypedDict

import msgspec

from penstock_pipes.wire import PIPES_PROTOCOL_VERSION, PIPES_PROTOCOL_VERSION_FIELD, PipesMessage

from ...codec import decode_json
from ...definitions.events import AssetCheckResult, AssetCheckSeverity, MaterializeResult
from ...errors import ConfigurationError, UserCodeError
from ...records.data_version import DataVersion
from ...records.errors import ErrorInfo
from ...records.event import LogLine
from ...records.keys import AssetKey
from ..context import OpExecutionContext
from .exceptions import error_from_wire
from .metadata import metadata_from_wire
from .readers import PipesMessageReader

__all__ = ["PipesExecutionResult", "PipesLaunchedData", "PipesMessageHandler"]

PipesExecutionResult: TypeAlias = MaterializeResult[Any] | AssetCheckResult
"""What an external process may report."""

_STREAMS = {"stdout": 1, "stderr": 2}


class PipesLaunchedData(TypedDict):
    """What is known of a process when it was started; a message reader may need it to find the process's messages."""

    extras: Mapping[str, Any]


class _Message(msgspec.Struct, frozen=True):
    method: str
    params: dict[str, Any] | None = None
    version: str = msgspec.field(default="", name=PIPES_PROTOCOL_VERSION_FIELD)


class _Materialization(msgspec.Struct, frozen=True):
    asset_key: str
    data_version: str | None = None
    metadata: dict[str, Any] | None = None


class _Check(msgspec.Struct, frozen=True):
    asset_key: str
    check_name: str
    passed: bool
    severity: AssetCheckSeverity = AssetCheckSeverity.ERROR
    metadata: dict[str, Any] | None = None


class _Log(msgspec.Struct, frozen=True):
    message: str
    level: str = "INFO"


class _Output(msgspec.Struct, frozen=True):
    stream: str
    text: str
    extras: dict[str, Any] | None = None


class PipesMessageHandler:
    """Takes the messages of one session, from any thread.

    A message that cannot be understood is told in the log at once. One that reports a result fails the session at its
    end, since a result would be missing; others do not.

    Args:
        context: The context of the step.
        message_reader: Reads the messages.
    """

    def __init__(self, context: OpExecutionContext, message_reader: PipesMessageReader) -> None:
        self._context = context
        self._reader = message_reader
        self._lock = RLock()
        self._results: list[PipesExecutionResult] = []
        self._custom: list[Any] = []
        self._faults: list[str] = []
        self.exception: ErrorInfo | None = None
        """What the process has raised, as far as it has told."""
        self._opened = 0
        self._closed = 0

    @contextmanager
    def handle_messages(self) -> Iterator[Mapping[str, Any]]:
        """Read messages until the block ends; gives the parameters that the process's message writer needs."""
        with self._reader.read_messages(self) as params:
            yield params

    @property
    def received_opened_message(self) -> bool:
        """Whether the process, or the first of several, has said that it is there."""
        return self._opened > 0

    @property
    def received_closed_message(self) -> bool:
        """Whether the process, or each of several, has said that no more comes."""
        return self._closed >= self._reader.expected_writer_count

    def get_reported_results(self) -> Sequence[PipesExecutionResult]:
        """What was reported so far, in order."""
        return tuple(self._results)

    def get_custom_messages(self) -> Sequence[Any]:
        """What was passed on so far, in order."""
        return tuple(self._custom)

    def on_launched(self, launched_payload: PipesLaunchedData) -> None:
        """Tell the reader of a process that was started."""
        self._reader.on_launched(launched_payload)

    def raise_faults(self) -> None:
        """Raise what was wrong with reports.

        Raises:
            UserCodeError: A report could not be understood.
        """
        if self._faults:
            more = f" ({len(self._faults) - 1} more are in the log)" if len(self._faults) > 1 else ""
            raise UserCodeError(f"{self._faults[0]}{more}")

    def report_pipes_framework_exception(
        self,
        origin: str,
        exc_info: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> None:
        """Tell of an error in reading messages, which would be lost in a thread otherwise.

        Args:
            origin: Where it was raised.
            exc_info: As `sys.exc_info()` gives it.
        """
        self._context.log.error("Messages could not be read (%s).", origin, exc_info=exc_info)

    def report_missing_logs(self, what: str) -> None:
        """Tell that output of the process could not be forwarded.

        Args:
            what: Which, and why.
        """
        self._context.log.warning("%s; output of the external process may be missing.", what)

    # -- messages -----------------------------------------------------------------------------------------------------

    def handle_line(self, line: str | bytes) -> None:
        """Take a line of a file or chunk: one message as JSON."""
        if not line.strip():
            return
        try:
            message = decode_json(line, _Message)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            text = line.decode("utf-8", errors="replace") if isinstance(line, bytes) else line
            self._context.log.warning("A line of the external process is no message (%s): %s", error, text.strip())
            return
        self._handle(message)

    def handle_message(self, message: PipesMessage) -> None:
        """Take a message."""
        try:
            taken = msgspec.convert(message, _Message)
        except msgspec.ValidationError as error:
            self._context.log.warning("The external process sent no message (%s): %r", error, message)
            return
        self._handle(taken)

    def _handle(self, message: _Message) -> None:
        if message.version != PIPES_PROTOCOL_VERSION:
            self._fault(
                message, f"is of the protocol version {message.version!r}, and {PIPES_PROTOCOL_VERSION} is spoken here"
            )
            return
        with self._lock:
            try:
                self._take(message.method, message.params or {})
            except (msgspec.ValidationError, UserCodeError, ConfigurationError) as error:
                self._fault(message, f"cannot be taken: {error}")

    def _take(self, method: str, params: dict[str, Any]) -> None:
        match method:
            case "opened":
                self._opened += 1
                self._reader.on_opened({"extras": params.get("extras") or {}})
                self._context.log.debug("The external process is there.")
            case "closed":
                self._closed += 1
                self._tell_exception(params.get("exception"))
            case "log":
                line = msgspec.convert(params, _Log)
                self._context.log.log(logging.getLevelNamesMapping().get(line.level, logging.INFO), "%s", line.message)
            case "report_asset_materialization":
                self._results.append(_materialization(msgspec.convert(params, _Materialization)))
            case "report_asset_check":
                self._results.append(_check(msgspec.convert(params, _Check)))
            case "report_custom_message":
                self._custom.append(params.get("payload"))
            case "log_external_stream":
                self._print(msgspec.convert(params, _Output))
            case _:
                self._context.log.warning("The external process sent a message of the unknown method %r.", method)

    def _fault(self, message: _Message, what: str) -> None:
        text = f"The message {message.method} of the external process {what}."
        if message.method.startswith("report_"):
            self._faults.append(text)
            self._context.log.error(text)
        else:
            self._context.log.warning(text)

    def _tell_exception(self, raised: Any) -> None:
        if raised is not None:
            self.exception = error_from_wire(raised)
            self._context._attempt.emit(
                LogLine(
                    level="ERROR",
                    message="The external process failed.",
                    logger=self._context.log.name,
                    error=self.exception,
                )
            )

    def _print(self, output: _Output) -> None:
        descriptor = _STREAMS.get(output.stream)
        if descriptor is None:
            self._context.log.info("%s: %s", output.stream, output.text.rstrip("\n"))
            return
        data = output.text.encode("utf-8", errors="replace")
        while data:
            data = data[os.write(descriptor, data) :]


def _materialization(given: _Materialization) -> MaterializeResult[Any]:
    return MaterializeResult(
        asset_key=AssetKey.from_user_string(given.asset_key),
        metadata=metadata_from_wire(given.metadata),
        data_version=None if given.data_version is None else DataVersion(given.data_version),
    )


def _check(given: _Check) -> AssetCheckResult:
    return AssetCheckResult(
        asset_key=AssetKey.from_user_string(given.asset_key),
        check_name=given.check_name,
        passed=given.passed,
        severity=given.severity,
        metadata=metadata_from_wire(given.metadata),
    )
