"""Calls a code server over HTTP, through a Unix socket or TCP: blocking, always with a limit.

A connection is kept for the next call. One that the server has closed meanwhile is replaced and the call made again,
which does no harm: whatever is asked of a code server twice is done once, or changes nothing.
"""

from __future__ import annotations

import contextlib
import os
import urllib.parse
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import msgspec

from ..codec import decode_json, encode_json
from ..errors import CodeServerUnreachableError, InternalError, NotFoundError, SettingsError
from ..records.location import LocationDescription
from ..records.run import Run
from ..records.wire import (
    CancelRun,
    CheckRunConfig,
    ConfigAnswer,
    EvaluatePartitions,
    EvaluateSchedule,
    EvaluateSensor,
    Evaluation,
    LaunchAnswer,
    LocationState,
    PartitionsAnswer,
)

if TYPE_CHECKING:
    from .connections import HTTPConnection

__all__ = ["CodeServerClient", "Timeouts"]

T = TypeVar("T")

_KEPT = 8
"""So many connections are kept at most."""


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait for a code server, in seconds."""

    connect: float = 5.0
    call: float = 15.0
    launch: float = 30.0
    reload: float = 200.0
    beyond_limit: float = 30.0  # what an evaluation may take beyond its own limit


class AnswerTimeoutError(TimeoutError):
    """The server is there, and did not answer in time."""


class CodeServerClient:
    """One code server; safe to share between threads.

    Args:
        address: `unix:/path/to.sock`, `http://host:port` or `https://host:port`.
        token: What to show; by default that of the variable PENSTOCK_CODE_SERVER_TOKEN, if it is set.
        timeouts: How long to wait.

    Raises:
        SettingsError: The address has none of these forms.
    """

    def __init__(self, address: str, token: str | None = None, timeouts: Timeouts | None = None) -> None:
        self.address = address
        self._token = token or os.environ.get("PENSTOCK_CODE_SERVER_TOKEN")
        self._timeouts = timeouts or Timeouts()
        self._connect = _connector(address, self._timeouts.connect)
        self._kept: list[HTTPConnection] = []
        weakref.finalize(self, _close_all, self._kept)

    def state(self, *, after: int | None = None, wait: float = 0.0) -> LocationState:
        """What the server has loaded; with `after`, once it is newer than that version, or after `wait` seconds."""
        query = f"?after={after}&wait={wait:g}" if after is not None else ""
        return self._call("GET", f"/state{query}", None, LocationState, self._timeouts.call + wait)

    def description(self, digest: str) -> LocationDescription:
        """The description of that hash. Raises `NotFoundError` when the server has another one by now."""
        return self._call("GET", f"/description/{urllib.parse.quote(digest)}", None, LocationDescription)

    def reload(self) -> LocationState:
        """Load the code anew; gives the state after the load has ended, well or not."""
        return self._call("POST", "/reload", {}, LocationState, self._timeouts.reload)

    def launch(self, run: Run) -> LaunchAnswer:
        """Hand over an attempt of a claimed run."""
        return self._call("POST", "/runs", run, LaunchAnswer, self._timeouts.launch)

    def cancel(self, run_id: str, *, force: bool = False) -> bool:
        """Stop a run's worker; False when it is not there."""
        answer = self._call("POST", "/runs/cancel", CancelRun(run_id=run_id, force=force), dict[str, bool])
        return answer["signalled"]

    def evaluate(self, work: EvaluateSchedule | EvaluateSensor) -> Evaluation:
        """Evaluate a schedule or a sensor; an error of the user's is inside the answer."""
        return self._call("POST", "/evaluate", work, Evaluation, work.timeout + self._timeouts.beyond_limit)

    def check_config(self, work: CheckRunConfig) -> ConfigAnswer:
        """Check a run config with all that user code knows."""
        return self._call("POST", "/check", work, ConfigAnswer, work.timeout + self._timeouts.beyond_limit)

    def partitions(self, work: EvaluatePartitions) -> PartitionsAnswer:
        """What user code gives for partitions; a failure of user code is in the answer."""
        return self._call("POST", "/partitions", work, PartitionsAnswer, work.timeout + self._timeouts.beyond_limit)

    def _call(self, method: str, path: str, body: object, kind: type[T], timeout: float | None = None) -> T:
        """Make a call.

        Raises:
            CodeServerUnreachableError: Nobody answered in time, or the server cannot do it now.
            NotFoundError: The server does not know what was named.
            InternalError: The two do not understand each other.
        """
        from .connections import HTTPException  # what speaks HTTP is loaded with the first call: many never call

        headers = {"Content-Type": "application/json"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        data = encode_json(body) if body is not None else None
        try:
            status, data = self._exchange(method, path, data, headers, timeout or self._timeouts.call)
        except (OSError, HTTPException) as error:
            silent = CodeServerUnreachableError(
                f"The code server at {self.address} did not answer {method} {path} ({type(error).__name__}: {error}). "
                "See on the deployment page whether it is running; one that died is started again by its host."
            )
            silent.is_slow = isinstance(error, AnswerTimeoutError)
            raise silent from error
        if status != 200:
            raise self._refusal(method, path, status, data)
        try:
            return decode_json(data, kind)
        except msgspec.MsgspecError as error:
            raise InternalError(
                f"The code server at {self.address} answered {method} {path} with something else than this version "
                f"knows ({error}). Let both run neighbouring versions of Penstock."
            ) from error

    def _exchange(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], timeout: float
    ) -> tuple[int, bytes]:
        """Status and body of the answer, over a connection that was kept, or else a new one."""
        while (kept := self._take()) is not None:
            with contextlib.suppress(ConnectionError):  # the server has closed it while it was idle
                return self._over(kept, method, path, body, headers, timeout)
        return self._over(self._connect(), method, path, body, headers, timeout)

    def _over(
        self,
        connection: HTTPConnection,
        method: str,
        path: str,
        body: bytes | None,
        headers: dict[str, str],
        timeout: float,
    ) -> tuple[int, bytes]:
        keep = False
        try:
            if connection.sock is None:
                connection.connect()
            connection.sock.settimeout(timeout)
            try:
                connection.request(method, path, body, headers)
                response = connection.getresponse()
                answer = response.status, response.read()
            except TimeoutError as error:
                raise AnswerTimeoutError(str(error)) from error
            keep = not response.will_close and len(self._kept) < _KEPT
        finally:
            if not keep:
                connection.close()
        if keep:
            self._kept.append(connection)
        return answer

    def _take(self) -> HTTPConnection | None:
        with contextlib.suppress(IndexError):
            return self._kept.pop()
        return None

    def _refusal(self, method: str, path: str, status: int, data: bytes) -> Exception:
        try:
            reason = decode_json(data, dict[str, str])["error"]
        except (msgspec.MsgspecError, KeyError):
            reason = data[:200].decode(errors="replace")
        said = f"The code server at {self.address} answered {method} {path} with {status}: {reason}"
        if status == 404:
            return NotFoundError(said)
        if status == 401:
            return SettingsError(f"{said} Set PENSTOCK_CODE_SERVER_TOKEN to its token.")
        return CodeServerUnreachableError(said) if status >= 500 else InternalError(said)


def _close_all(connections: list[HTTPConnection]) -> None:
    for connection in connections:
        connection.close()


def _connector(address: str, timeout: float) -> Callable[[], HTTPConnection]:
    if address.startswith("unix:"):
        path = address.removeprefix("unix:")

        def connect() -> HTTPConnection:
            from .connections import UnixConnection

            return UnixConnection(path, timeout)

        return connect
    parts = urllib.parse.urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"}:
        raise SettingsError(
            f"{address!r} is no address of a code server; give unix:/path/to.sock, http://host:port or https://host:port."
        )
    host, port = parts.hostname, parts.port

    def connect_to_host() -> HTTPConnection:
        from .connections import HTTPConnection, HTTPSConnection

        return (HTTPSConnection if parts.scheme == "https" else HTTPConnection)(host, port, timeout=timeout)

    return connect_to_host
