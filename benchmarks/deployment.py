"""A running deployment of a subject, driven over GraphQL as a user's script would."""

from __future__ import annotations

import json
import os
import signal
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .subject import WORKLOADS, Subject

_LAUNCH = """
mutation Launch($params: ExecutionParams!) {
  launchPipelineExecution(executionParams: $params) { __typename ... on LaunchRunSuccess { run { runId } } }
}
"""
_DEFINED = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } jobs { name } } } } }"
_COUNT = "query Count($filter: RunsFilter!) { runsOrError(filter: $filter) { ... on Runs { count } } }"
_RUN = "query Run($id: ID!) { runOrError(runId: $id) { ... on Run { status startTime endTime } } }"


class Deployment:
    """`dev` of one subject on one of the workloads, from its start to its end; `immediate`: runs are not queued.

    `mark` is the file that user code writes to.
    """

    def __init__(
        self,
        subject: Subject,
        project: str = "project",
        *,
        immediate: bool = False,
        settings: str = "",
        variables: Mapping[str, str] = {},
    ) -> None:
        self._subject = subject
        self.mark = Path(tempfile.mkdtemp(prefix="bench-mark-")) / "mark"
        self.mark.touch()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        environment = {**subject.environment(settings, immediate=immediate), **variables}
        environment["PYTHONPATH"] = str(WORKLOADS)  # so that a fork server can have the project loaded
        environment |= {"BENCH_MODULE": subject.module, "BENCH_MARK": str(self.mark)}
        began = time.perf_counter()
        self._process = subprocess.Popen(
            [*subject.dev, "-f", str(WORKLOADS / f"{project}.py"), "--port", str(self._port)],
            env=environment,
            cwd=self.mark.parent,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._repository = self._wait_until_defined()
        self.start_seconds = time.perf_counter() - began

    def query(self, document: str, **variables: Any) -> Any:
        """The data of a GraphQL answer."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._port}/graphql",
            data=json.dumps({"query": document, "variables": variables}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            body = json.load(answer)
        assert body.get("data") is not None, body
        return body["data"]

    def _wait_until_defined(self, seconds: float = 120.0) -> tuple[str, str]:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                nodes = self.query(_DEFINED)["repositoriesOrError"].get("nodes", [])
                if nodes and nodes[0]["jobs"]:
                    return nodes[0]["name"], nodes[0]["location"]["name"]
            except (urllib.error.URLError, OSError, AssertionError):
                pass
            time.sleep(0.02)
        raise TimeoutError(f"{self._subject.name} did not come up within {seconds} s")

    @property
    def tag_prefix(self) -> str:
        """What the tags begin with that the subject sets."""
        return self._subject.module

    def launch(self, job: str, tags: Mapping[str, str] = {}) -> str:
        """Launch a job; gives the run's id."""
        repository, location = self._repository
        selector = {"pipelineName": job, "repositoryName": repository, "repositoryLocationName": location}
        metadata = {"tags": [{"key": key, "value": value} for key, value in tags.items()]}
        params = {"selector": selector, "mode": "default", "runConfigData": {}, "executionMetadata": metadata}
        answer = self.query(_LAUNCH, params=params)
        result = answer["launchPipelineExecution"]
        assert result["__typename"] == "LaunchRunSuccess", result
        return str(result["run"]["runId"])

    def seconds_of_run(self, job: str, *, patience: float = 180.0, tries: int = 3) -> float:
        """How long a run of this job takes from its start to its end; one that fails is repeated."""
        run_id = self.launch(job)
        until = time.monotonic() + patience
        while time.monotonic() < until:
            run = self.query(_RUN, id=run_id)["runOrError"]
            if run["status"] == "SUCCESS":
                return float(run["endTime"] - run["startTime"])
            if run["status"] in ("FAILURE", "CANCELED"):
                assert tries > 1, run
                print(f"{self._subject.name}: a run of {job} failed and is repeated", flush=True)
                return self.seconds_of_run(job, patience=patience, tries=tries - 1)
            time.sleep(0.1)
        raise TimeoutError(f"{job} did not end")

    def seconds_of_burst(self, count: int, tags: Sequence[Mapping[str, str]] = ()) -> float:
        """From the first of so many launches, one right after the other, until the last run has ended well.

        `tags`: those of each, if they have any.
        """
        began = time.monotonic()
        pending = [self.launch("trivial", tags[number] if tags else {}) for number in range(count)]
        while pending and time.monotonic() - began < 600:
            # Oldest first, so that the asking costs little while most have not ended.
            while pending and self.query(_RUN, id=pending[0])["runOrError"]["status"] == "SUCCESS":
                pending.pop(0)
            time.sleep(0.01)
        if pending:
            raise TimeoutError(f"{len(pending)} of {count} runs did not end")
        return time.monotonic() - began

    def seconds_to_first_line(self, repeats: int) -> list[float]:
        """From the request to launch until the first line of user code, once for each repeat."""
        found = []
        for _ in range(repeats):
            began = time.time()
            run_id = self.launch("first_line")
            until = time.monotonic() + 120
            while time.monotonic() < until:
                at = [line.split()[1] for line in self.mark.read_text().splitlines() if line.startswith(run_id)]
                if at:
                    found.append(float(at[0]) - began)
                    break
                time.sleep(0.005)
            else:
                raise TimeoutError("the first line of user code was not reached")
            # The next launch finds an idle deployment.
            while self.query(_RUN, id=run_id)["runOrError"]["status"] != "SUCCESS":
                time.sleep(0.05)
        return found

    def count(self, **conditions: Any) -> int:
        """How many runs there are, by the conditions of a run filter of the API."""
        return int(self.query(_COUNT, filter=conditions)["runsOrError"]["count"])

    def wait_until_idle(self, patience: float = 180.0) -> None:
        """Wait until no run waits or works."""
        until = time.monotonic() + patience
        while self.count(statuses=["NOT_STARTED", "QUEUED", "STARTING", "STARTED"]):
            assert time.monotonic() < until, "runs do not end"
            time.sleep(0.05)

    def resident_megabytes(self) -> float:
        """Proportional memory of every process of the deployment."""
        total = 0
        for process in self._processes():
            try:
                rollup = (process / "smaps_rollup").read_text()
                total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
            except (OSError, StopIteration):
                continue
        return total / 1024

    def cpu_seconds(self, named: str = "") -> float:
        """CPU time of the deployment's processes so far, with that of their children that have ended; or of those
        alone whose command has this word."""
        ticks = 0
        for process in self._processes():
            try:
                fields = (process / "stat").read_text().rpartition(")")[2].split()
                words = (process / "cmdline").read_text().split("\0")
            except OSError:
                continue
            if not named or any(named in word.split(".")[-1].strip("_") for word in words[1:5]):
                ticks += sum(map(int, fields[11:15]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def _processes(self) -> list[Path]:
        """The folders in /proc of every process of the deployment."""
        found = []
        for status in Path("/proc").glob("[0-9]*/stat"):
            try:
                session = int(status.read_text().rpartition(")")[2].split()[3])
            except OSError:
                continue
            if session == self._process.pid or self._descends(int(status.parent.name)):
                found.append(status.parent)
        return found

    def _descends(self, pid: int) -> bool:
        while pid > 1:
            if pid == self._process.pid:
                return True
            try:
                pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                return False
        return False

    def close(self) -> None:
        """Ctrl-C, and wait."""
        os.killpg(self._process.pid, signal.SIGINT)
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)


def median(values: list[float]) -> float:
    """The middle value."""
    return statistics.median(values)
