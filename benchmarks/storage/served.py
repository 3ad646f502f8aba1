"""A subject's web server on an instance, asked over HTTP as a browser asks it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import statistics
import subprocess
import time
from typing import Any

from ..subject import WORKLOADS, Subject
from .world import World

__all__ = ["Served"]

_START_SECONDS = 900.0  # a machine may be busy
_MOST_SECONDS = 120.0  # for one answer
_BUDGET = 4.0  # seconds that a question may take in all, but for its least number of times
_LEAST, _MOST = 3, 15


class Served:
    """A web server from its start to `close`; an answer with errors is none.

    Args:
        subject: Whose web server.
        environment: Environment variables that name its instance.
        world: What its one code location defines.
    """

    def __init__(self, subject: Subject, environment: dict[str, str], world: World) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        code = {
            "BENCH_MODULE": subject.module,
            "BENCH_ASSETS": str(world.assets),
            "BENCH_PARTITIONS": str(world.partitions),
        }
        self._connection: http.client.HTTPConnection | None = None
        self._process = subprocess.Popen(
            [*subject.webserver, "-f", str(WORKLOADS / "catalogue.py"), "--port", str(self._port)],
            env={**environment, **code},
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        if not self._comes_up(world):
            self.close()
            raise RuntimeError(f"the web server of {subject.name} did not come up within {_START_SECONDS:.0f} s")

    def ask(self, document: str, variables: dict[str, Any]) -> Any:
        """The data of an answer."""
        body = self._post(document, variables)
        answer = json.loads(body)
        assert answer.keys() == {"data"}, str(answer)[:2000]
        return answer["data"]

    def measured(self, document: str, variables: dict[str, Any]) -> tuple[Any, float]:
        """The data of an answer, and in how many seconds its last byte comes: the middle of several after a first one.

        Where the first took very long, the second one counts.
        """
        began = time.perf_counter()
        data = self.ask(document, variables)
        least = 1 if time.perf_counter() - began > _BUDGET else _LEAST
        found: list[float] = []
        while len(found) < least or (len(found) < _MOST and sum(found) < _BUDGET):
            began = time.perf_counter()
            self._post(document, variables)
            found.append(time.perf_counter() - began)
        return data, statistics.median(found)

    def connect_anew(self) -> None:
        """After an answer that did not come."""
        self._connection = None

    def close(self) -> None:
        """Stop it and what it has started."""
        if self._process.poll() is not None:
            return
        os.killpg(self._process.pid, signal.SIGINT)
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _comes_up(self, world: World) -> bool:
        """Whether it answers with all that the code defines, in time."""
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            try:
                if len(self.ask("{ assetNodes { assetKey { path } } }", {})["assetNodes"]) == world.assets:
                    return True
            except OSError:
                self._connection = None
            time.sleep(0.2)
        return False

    def _post(self, document: str, variables: dict[str, Any]) -> bytes:
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_MOST_SECONDS)
        body = json.dumps({"query": document, "variables": variables})
        self._connection.request("POST", "/graphql", body, {"Content-Type": "application/json"})
        return self._connection.getresponse().read()
