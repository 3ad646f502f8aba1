"""Starts run workers as real processes, and meets their steps."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from penstock.codec import encode_json
from penstock.ids import new_run_id
from penstock.logs.local import LocalLogStore
from penstock.records.event import Event, RunEnqueued, StepWorkerStarted
from penstock.records.run import Run, RunStatus
from penstock.storage.protocols import NewRun
from penstock.storage.sqlite.storage import SqliteStorage

__all__ = ["DEADLINE", "PROGRAM", "Worker", "has_ended"]

PROGRAM = Path(__file__).parents[1] / "system" / "executors_user_code.py"
DEADLINE = 30.0


class Worker:
    """A run worker in a process group of its own, and the run that it works on."""

    def __init__(self, home: Path, storage: SqliteStorage, database: Path, *, program: Path = PROGRAM) -> None:
        self.home = home
        self.storage = storage
        self.database = database
        self.program = program
        self.logs = LocalLogStore(home / "logs")
        self.channel: socket.socket | None = None
        self.process: subprocess.Popen[bytes] | None = None
        self.run: Run | None = None

    def start(
        self,
        job: str,
        config: dict[str, Any] | None = None,
        *,
        channel: bool = False,
        away: bool = False,
        assets: tuple[str, ...] | None = None,
        **environment: str,
    ) -> None:
        run_id = new_run_id()
        self.storage.runs.create(
            [NewRun(run=Run(run_id=run_id, location="here", job=job, run_config=config or {}, assets=assets))]
        )
        self.work_on(run_id, environment, channel=channel, away=away)

    def resume(
        self,
        cause: str = "Its worker was killed.",
        *,
        before_start: Callable[[], object] | None = None,
        **environment: str,
    ) -> None:
        """Put the run of a lost worker back into the queue, and start another worker for it."""
        back = RunEnqueued(reason=cause, lost_worker=True)
        assert self.storage.runs.record(self.run_id, [back], now=time.time())
        self.work_on(self.run_id, environment, before_start=before_start)

    def kill(self) -> None:
        """Kill the worker, and wait until it and its steps are gone."""
        os.kill(self.pid, signal.SIGKILL)
        assert self.end() == -signal.SIGKILL

    def work_on(
        self,
        run_id: str,
        environment: Mapping[str, str],
        *,
        channel: bool = False,
        away: bool = False,
        before_start: Callable[[], object] | None = None,
    ) -> None:
        """Claim a run, and start a worker for it."""
        now = time.time()
        (self.run,) = self.storage.runs.claim([run_id], owner="test", until=now + 15, now=now)
        if before_start is not None:
            before_start()
        if away:
            self.rename("runs", "runs_away")
        arguments = [
            sys.executable,
            str(self.program),
            str(self.database),
            str(self.home),
            encode_json(self.run).decode(),
        ]
        inherited: tuple[int, ...] = ()
        theirs = None
        if channel:
            self.channel, theirs = socket.socketpair()
            arguments.append(str(theirs.fileno()))
            inherited = (theirs.fileno(),)
        self.process = subprocess.Popen(
            arguments,
            start_new_session=True,
            pass_fds=inherited,
            env={**os.environ, "MEETING": str(self.home), **environment},
            stderr=subprocess.PIPE,
        )
        if theirs is not None:
            theirs.close()

    def rename(self, table: str, to: str) -> None:
        """Take a table away from the worker, or give it back."""
        with contextlib.closing(sqlite3.connect(self.database, timeout=DEADLINE)) as connection:
            connection.execute(f"ALTER TABLE {table} RENAME TO {to}")

    def now(self) -> float:
        """The time, as the worker sees it."""
        return time.time()

    @property
    def run_id(self) -> str:
        assert self.run is not None
        return self.run.run_id

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def end(self) -> int:
        """Wait for the worker's end; gives its exit code."""
        assert self.process is not None
        _, errors = self.process.communicate(timeout=DEADLINE)
        if errors:
            print(errors.decode())
        return self.process.returncode

    def events(self) -> list[Event]:
        return [each.event for each in self.storage.events.of_run(self.run_id, limit=10_000)]

    def types(self, step: str | None) -> list[str]:
        return [each.type for each in self.events() if each.step_key == step]

    def status(self) -> RunStatus:
        run = self.storage.runs.get(self.run_id)
        assert run is not None
        return run.status

    def pid_of(self, step: str) -> int:
        """The process of a step, as soon as the log tells it."""
        pids: list[int] = []

        def told() -> bool:
            pids[:] = [
                e.fact.pid for e in self.events() if e.step_key == step and isinstance(e.fact, StepWorkerStarted)
            ]
            return bool(pids)

        self.wait_until(told, f"the log tells the process of step {step}")
        return pids[-1]

    def awaits(self, point: str) -> None:
        """Wait until a step has come to a meeting point."""
        (self.home / f"{point}.here").open().close()

    def releases(self, point: str) -> None:
        """Let a step go on from a meeting point."""
        (self.home / f"{point}.go").open("w").close()

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for a condition, looking at it whenever the database changes."""
        subscription = self.storage.notifier.subscribe()
        try:
            deadline = time.monotonic() + DEADLINE
            while not condition():
                assert time.monotonic() < deadline, f"waited {DEADLINE} s in vain until {what}"
                subscription.wait(0.2)
        finally:
            subscription.close()


def has_ended(handle: int) -> bool:
    """Whether the process behind the handle ends within the deadline."""
    return bool(select.select([handle], [], [], DEADLINE)[0])
