"""A real deployment for tests: `penstock dev` with its processes, driven over HTTP, watched through storage."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from penstock.instance.instance import Instance
from penstock.records.run import Run

__all__ = ["RUN_SECONDS", "Deployment", "alive", "free_port", "processes_of"]

READY_SECONDS = 40.0
RUN_SECONDS = 40.0

_LAUNCH = """
mutation Launch($params: ExecutionParams!) {
  launchRun(executionParams: $params) { __typename ... on LaunchRunSuccess { run { runId } } ... on Error { message } }
}
"""


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def processes_of(home: Path) -> dict[int, str]:
    """Every process whose environment names this home: pid -> command line."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"PENSTOCK_HOME={home}\0".encode() not in (folder / "environ").read_bytes() + b"\0":
                continue
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state != "Z":
            found[int(folder.name)] = command
    return found


class Deployment:
    """`penstock dev`, started by way of the command `within` if given, and what can be asked of it."""

    def __init__(
        self,
        home: Path,
        arguments: list[str],
        *,
        cwd: Path,
        extra_env: dict[str, str] | None = None,
        within: Sequence[str] = (),
    ) -> None:
        self.home = home
        self.within = within
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.output: list[str] = []
        self._ready = threading.Event()
        began = time.monotonic()
        self.process = subprocess.Popen(
            [*within, sys.executable, "-m", "penstock.cli.main", "dev", *arguments, "--port", str(self.port)],
            env={**os.environ, "PENSTOCK_HOME": str(home), **(extra_env or {})},
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._ready.wait(READY_SECONDS):
            self.stop(signal.SIGKILL)
            pytest.fail(f"no ready line within {READY_SECONDS} s:\n" + "".join(self.output))
        if self.process.poll() is not None and not self.is_ready:
            pytest.fail("penstock dev ended:\n" + "".join(self.output))
        self.seconds_to_ready = time.monotonic() - began
        self.instance = Instance.open(home)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output.append(line)
            if self.is_ready:
                self._ready.set()
        self._ready.set()

    @property
    def is_ready(self) -> bool:
        """Whether the ready line has been printed."""
        return any(re.search(r"ready at http://", line) for line in self.output)

    def graphql(self, document: str, **variables: Any) -> Any:
        """The data of a GraphQL answer."""
        request = urllib.request.Request(
            f"{self.url}/graphql",
            data=json.dumps({"query": document, "variables": variables}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            body = json.load(answer)
        assert not body.get("errors"), body
        return body["data"]

    def launch(self, job: str, *, location: str, **params: Any) -> str:
        """Launch a job over GraphQL; gives the run's id."""
        selector = {"jobName": job, "repositoryLocationName": location}
        result = self.graphql(_LAUNCH, params={"selector": selector, "runConfigData": {}, **params})["launchRun"]
        assert result["__typename"] == "LaunchRunSuccess", result
        return str(result["run"]["runId"])

    def wait_for_run(self, run_id: str, done: Callable[[Run], bool], *, seconds: float = RUN_SECONDS) -> Run:
        """The run once `done` holds of it, woken by its events."""
        runs = self.instance.storage.runs
        found: Run = self.wait(lambda: (run := runs.get(run_id)) is not None and done(run) and run, seconds=seconds)
        return found

    def wait_until_finished(self, run_id: str, *, seconds: float = RUN_SECONDS) -> Run:
        """The run once it has ended."""
        return self.wait_for_run(run_id, lambda run: run.is_finished, seconds=seconds)

    def wait_for_event(self, run_id: str, type_: str, *, seconds: float = RUN_SECONDS) -> Any:
        """The first event of this type in a run's log."""
        events = self.instance.storage.events

        def found() -> Any:
            page = events.of_run(run_id, types=[type_])
            return page[0].event if page else None

        return self.wait(found, seconds=seconds)

    def wait(self, found: Callable[[], Any], *, seconds: float = RUN_SECONDS) -> Any:
        """What `found` gives once that is true, looked at whenever the deployment says that something changed."""
        subscription = self.instance.storage.notifier.subscribe()
        until = time.monotonic() + seconds
        try:
            while not (value := found()):
                left = until - time.monotonic()
                if left <= 0:
                    pytest.fail(f"did not come true within {seconds} s; output:\n" + "".join(self.output[-40:]))
                subscription.wait(min(left, 1.0))
            return value
        finally:
            subscription.close()

    def processes(self, kind: str) -> list[int]:
        """Pids of the deployment's processes of a kind (daemon, webserver, code-server), as they report themselves."""
        seen = self.instance.storage.leases.processes(seen_after=time.time() - 30)
        return [process.pid for process in seen if process.kind == kind and alive(process.pid)]

    def stop(self, number: signal.Signals = signal.SIGINT, *, seconds: float = 20.0) -> int:
        """Signal the parent and wait for its end; gives its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(seconds)
        self._reader.join(5)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def close(self) -> None:
        """End what a failed test left running."""
        if hasattr(self, "instance"):
            self.instance.close()
        assert self.process.stdout is not None
        if not self.process.stdout.closed:  # it runs, or somebody else has killed it
            self.stop()
        for pid in processes_of(self.home):
            if pid != os.getpid():
                os.kill(pid, signal.SIGKILL)


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
