"""What a script works with: the step that started it, and the ways to report to it."""

from __future__ import annotations

import atexit
import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from threading import Lock
from types import TracebackType
from typing import Any, ClassVar

from .errors import PipesError
from .exceptions import describe
from .loaders import PipesContextLoader
from .metadata import as_json, wire_metadata
from .params import PipesParamsLoader
from .wire import (
    PipesContextData,
    PipesDataProvenance,
    PipesException,
    PipesPartitionKeyRange,
    PipesTimeWindow,
    message,
)
from .writers import PipesMessageWriter

__all__ = ["PipesContext"]


class PipesContext:
    """The step that started this process. Made by `open_penstock_pipes`; use it as a context manager.

    Args:
        params_loader: Finds what the process was started with.
        context_loader: Loads what the orchestrator tells about the step.
        message_writer: Sends the messages.
    """

    _instance: ClassVar[PipesContext | None] = None

    @classmethod
    def set(cls, context: PipesContext) -> None:
        """Make a context the one of this process."""
        cls._instance = context

    @classmethod
    def get(cls) -> PipesContext:
        """The context of this process.

        Raises:
            PipesError: None was opened.
        """
        if cls._instance is None:
            raise PipesError("No context is open in this process; call open_penstock_pipes() first.")
        return cls._instance

    @classmethod
    def is_initialized(cls) -> bool:
        """Whether one was opened."""
        return cls._instance is not None

    def __init__(
        self,
        params_loader: PipesParamsLoader,
        context_loader: PipesContextLoader,
        message_writer: PipesMessageWriter[Any],
    ) -> None:
        self._lock = Lock()
        self._closed = False
        self._materialized: set[str] = set()
        self._open = ExitStack()
        try:
            self._data: PipesContextData = self._open.enter_context(
                context_loader.load_context(params_loader.load_context_params())
            )
            self._channel = self._open.enter_context(message_writer.open(params_loader.load_messages_params()))
            self._send("opened", message_writer.get_opened_payload())
        except BaseException:
            self._open.close()
            raise
        self._logger = logging.Logger("penstock-pipes", logging.DEBUG)
        self._logger.addHandler(_ToMessages(self))
        atexit.register(self.close)  # a script without a `with` block still tells its end

    def __enter__(self) -> PipesContext:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(None if error is None else describe(error))

    def close(self, exc: PipesException | None = None) -> None:
        """Tell that no more comes, and send what waits; closing twice does no harm.

        Args:
            exc: What the script failed with, if it did.
        """
        if self._closed:
            return
        self._closed = True
        atexit.unregister(self.close)
        try:
            self._channel.write_message(message("closed", {} if exc is None else {"exception": exc}))
        finally:
            self._open.close()

    @property
    def is_closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    def _send(self, method: str, params: Mapping[str, Any]) -> None:
        if self._closed:
            raise PipesError(f"{method} comes after the context was closed; report inside of the `with` block.")
        self._channel.write_message(message(method, params))

    # -- the step -----------------------------------------------------------------------------------------------------

    @property
    def is_asset_step(self) -> bool:
        """Whether the step makes or checks assets."""
        return self._data["asset_keys"] is not None

    @property
    def asset_keys(self) -> Sequence[str]:
        """The assets of the step, each as `part/part`."""
        keys = self._data["asset_keys"]
        if keys is None:
            raise PipesError("asset_keys is asked for, but the step has no assets; look at is_asset_step first.")
        return keys

    @property
    def asset_key(self) -> str:
        """The one asset of the step."""
        return self._single("asset_key")

    @property
    def code_version_by_asset_key(self) -> Mapping[str, str | None]:
        """The code version of each asset; None for one that has none."""
        self.asset_keys  # noqa: B018 - it raises where there are none
        return self._data["code_version_by_asset_key"] or {}

    @property
    def code_version(self) -> str | None:
        """The code version of the one asset."""
        return self.code_version_by_asset_key.get(self._single("code_version"))

    @property
    def provenance_by_asset_key(self) -> Mapping[str, PipesDataProvenance | None]:
        """What each asset was last made from; None for one that was not made yet."""
        self.asset_keys  # noqa: B018 - as above
        return self._data["provenance_by_asset_key"] or {}

    @property
    def provenance(self) -> PipesDataProvenance | None:
        """What the one asset was last made from."""
        return self.provenance_by_asset_key.get(self._single("provenance"))

    @property
    def is_partition_step(self) -> bool:
        """Whether the step works on partitions."""
        return self._data["partition_key_range"] is not None

    @property
    def partition_key(self) -> str:
        """The one partition that the step works on."""
        key = self._data["partition_key"]
        if key is None:
            raise PipesError(
                "partition_key is asked for, but the step works on "
                + ("several partitions; use partition_key_range." if self.is_partition_step else "no partition.")
            )
        return key

    @property
    def partition_key_range(self) -> PipesPartitionKeyRange:
        """The first and the last partition that the step works on."""
        keys = self._data["partition_key_range"]
        if keys is None:
            raise PipesError("partition_key_range is asked for, but the step works on no partition.")
        return keys

    @property
    def partition_time_window(self) -> PipesTimeWindow | None:
        """The stretch of time that the partitions cover; None where they are no stretches of time."""
        self.partition_key_range  # noqa: B018 - it raises where there are none
        return self._data["partition_time_window"]

    @property
    def run_id(self) -> str:
        """The id of the run."""
        return self._data["run_id"]

    @property
    def job_name(self) -> str | None:
        """The name of the job."""
        return self._data["job_name"]

    @property
    def retry_number(self) -> int:
        """0 in the first attempt, 1 in the first retry, and so on."""
        return self._data["retry_number"]

    @property
    def extras(self) -> Mapping[str, Any]:
        """What the step's code passed on."""
        return self._data["extras"]

    def get_extra(self, key: str) -> Any:
        """One of the values that the step's code passed on.

        Raises:
            PipesError: It passed none of that name.
        """
        if key not in self.extras:
            known = ", ".join(map(repr, self.extras)) or "none"
            raise PipesError(f"There is no extra {key!r}; given are: {known}. Pass it in extras={{...}} of the step.")
        return self.extras[key]

    # -- reports ------------------------------------------------------------------------------------------------------

    def report_asset_materialization(
        self,
        metadata: Mapping[str, Any] | None = None,
        data_version: str | None = None,
        asset_key: str | None = None,
    ) -> None:
        """Tell that an asset was made, once for each.

        Args:
            metadata: Facts about it: plain values, or `{"type": ..., "raw_value": ...}` to name the kind.
            data_version: What tells its contents from others.
            asset_key: Which asset, as `part/part`; needed only where the step makes several.

        Raises:
            PipesError: The asset is not one of the step's or was told of already, or a value cannot be sent.
        """
        method = "report_asset_materialization"
        key = self._asset(asset_key, method)
        if data_version is not None and not isinstance(data_version, str):
            raise PipesError(f"The data_version of {method} is {data_version!r}; give text.")
        params = {"asset_key": key, "data_version": data_version, "metadata": wire_metadata(metadata, method)}
        with self._lock:
            if key in self._materialized:
                raise PipesError(f"The asset {key} was told of already; give all of its metadata in one call.")
            self._send(method, params)
            self._materialized.add(key)

    def report_asset_check(
        self,
        check_name: str,
        passed: bool,
        severity: str = "ERROR",
        metadata: Mapping[str, Any] | None = None,
        asset_key: str | None = None,
    ) -> None:
        """Tell the outcome of a check.

        Args:
            check_name: The check.
            passed: Whether all is well.
            severity: `ERROR` or `WARN`: how bad it is if it did not pass.
            metadata: Facts that show why.
            asset_key: Which asset; needed only where the step has several.

        Raises:
            PipesError: The asset is not one of the step's, or a value cannot be sent.
        """
        method = "report_asset_check"
        key = self._asset(asset_key, method)
        if severity not in ("WARN", "ERROR"):
            raise PipesError(f"The severity of {method} is {severity!r}; give WARN or ERROR.")
        self._send(
            method,
            {
                "asset_key": key,
                "check_name": check_name,
                "passed": bool(passed),  # libraries have truth values of their own
                "metadata": wire_metadata(metadata, method),
                "severity": severity,
            },
        )

    def report_custom_message(self, payload: Any) -> None:
        """Pass a value on to the step's code, which finds it in `get_custom_messages()`.

        Args:
            payload: Anything that JSON can hold.
        """
        as_json(payload, "The payload of report_custom_message")
        self._send("report_custom_message", {"payload": payload})

    def log_external_stream(self, stream: str, text: str, extras: Mapping[str, Any] | None = None) -> None:
        """Pass on what another process has printed.

        Args:
            stream: `stdout`, `stderr`, or a name of your own.
            text: What it printed.
            extras: More about it.
        """
        as_json(extras, "The extras of log_external_stream")
        self._send("log_external_stream", {"stream": stream, "text": text, "extras": extras or {}})

    @property
    def log(self) -> logging.Logger:
        """A logger whose lines belong to the run."""
        return self._logger

    def _single(self, what: str) -> str:
        keys = self.asset_keys
        if len(keys) != 1:
            raise PipesError(f"{what} is asked for, but the step has {len(keys)} assets: {', '.join(keys)}.")
        return keys[0]

    def _asset(self, key: str | None, method: str) -> str:
        keys = self.asset_keys
        if key is None:
            if len(keys) != 1:
                raise PipesError(
                    f"{method} needs an asset_key, because the step has {len(keys)} assets: {', '.join(keys)}."
                )
            return keys[0]
        if key not in keys:
            raise PipesError(f"{method} is told of the asset {key!r}; those of the step are: {', '.join(keys)}.")
        return key


class _ToMessages(logging.Handler):
    def __init__(self, context: PipesContext) -> None:
        super().__init__()
        self._context = context

    def emit(self, record: logging.LogRecord) -> None:
        self._context._send("log", {"message": self.format(record), "level": record.levelname})
