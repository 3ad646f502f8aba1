"""User code in a real code server, with an interpreter of its own: evaluated, run, and watched through the storage."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from penstock.ids import new_run_id
from penstock.instance.instance import Instance
from penstock.locations.client import CodeServerClient
from penstock.records.event import EngineNote, Fact
from penstock.records.run import Run
from penstock.records.wire import EvaluateSensor, Evaluation, LoadStatus, LocationState
from penstock.storage.protocols import NewRun
from support.deployment import processes_of

__all__ = ["LIMIT", "ServedCode", "served", "wait_for_end_of"]

T = TypeVar("T")

LIMIT = 60.0
"""Seconds after which a test gives up; nothing here takes a tenth of that on an idle machine."""


class ServedCode:
    """One file, its code server, and an instance."""

    def __init__(self, folder: Path, code: str, *, name: str, executable: Path | None, settings: str) -> None:
        self.folder = folder
        self.file = folder / name
        self.file.write_text(code)
        home = folder / "home"
        home.mkdir()
        (home / "penstock.yaml").write_text(settings)
        self.instance = Instance.open(home)
        self._changes = self.instance.storage.notifier.subscribe()
        self.errors = folder / "stderr"
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [
                    # As the command does, it looks for nothing in the present folder (-P).
                    *(sys.executable, "-P", "-m", "penstock.cli.main", "code-server", "-f", str(self.file)),
                    *("--home", str(home), "--socket", str(folder / "s")),
                    *(("--executable", str(executable)) if executable is not None else ()),
                ],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**os.environ, "PENSTOCK_HOME": str(home)},
                cwd=folder,
            )
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        assert " ready at " in said, self.errors.read_text()
        self.client = CodeServerClient(said.split()[-1])

    def loaded(self, *, after: int = 0) -> LocationState:
        """The state once a load has ended."""
        state = self.client.state(after=after, wait=LIMIT)
        until = time.monotonic() + LIMIT
        while state.status is LoadStatus.LOADING:
            assert time.monotonic() < until, self.errors.read_text()
            state = self.client.state(after=state.version, wait=LIMIT)
        return state

    def evaluate(self, sensor: str) -> Evaluation:
        """What a sensor gives now."""
        return self.client.evaluate(EvaluateSensor(name=sensor, due=1.0, timeout=LIMIT))

    def launch(self, job: str, **config: object) -> str:
        """Launch a run; gives its id."""
        run = Run(run_id=new_run_id(), location=self.file.name, job=job, created=time.time(), run_config=config)
        self.instance.storage.runs.create([NewRun(run=run)])
        now = time.time()
        (claimed,) = self.instance.storage.runs.claim([run.run_id], owner="test", until=now + 15, now=now)
        answer = self.client.launch(claimed)
        assert answer.accepted, answer.reason
        return run.run_id

    def finished(self, run_id: str) -> Run:
        """The run once it has ended."""

        def found() -> Run | None:
            run = self.instance.storage.runs.get(run_id)
            return run if run is not None and run.is_finished else None

        return self.wait(f"the end of {run_id}", found)

    def facts(self, run_id: str) -> list[Fact]:
        """All that the run's log has."""
        return [stored.event.fact for stored in self.instance.storage.events.of_run(run_id)]

    def notes(self, run_id: str) -> str:
        """What the engine has noted in the run's log."""
        return "\n".join(fact.message for fact in self.facts(run_id) if isinstance(fact, EngineNote))

    def wait(self, what: str, found: Callable[[], T | None]) -> T:
        """What `found` gives once that is something, looked at when the storage has changed."""
        until = time.monotonic() + LIMIT
        while (value := found()) is None:
            assert time.monotonic() < until, f"{what} did not come within {LIMIT:g} s:\n{self.errors.read_text()}"
            self._changes.wait(0.2)
        return value

    def processes(self) -> dict[int, str]:
        """Every process with this home in its environment but the test's own: pid -> command line."""
        assert self.instance.home is not None
        return {pid: line for pid, line in processes_of(self.instance.home).items() if pid != os.getpid()}

    def close(self) -> None:
        """End the server and all that is left."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)
        self._changes.close()
        self.instance.close()


@contextlib.contextmanager
def served(
    code: str, *, name: str = "shop.py", executable: Path | None = None, settings: str = ""
) -> Iterator[ServedCode]:
    """Serve the code in a folder with a short path, and leave nothing of it."""
    folder = Path(tempfile.mkdtemp(prefix="ps-"))
    found = ServedCode(folder, code, name=name, executable=executable, settings=settings)
    try:
        yield found
    finally:
        found.close()
        shutil.rmtree(folder, ignore_errors=True)


def wait_for_end_of(pid: int) -> None:
    """Wait until a process has ended, whoever its parent is."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        ended, _, _ = select.select([descriptor], [], [], LIMIT)
    finally:
        os.close(descriptor)
    assert ended, f"process {pid} did not end within {LIMIT:g} s"
