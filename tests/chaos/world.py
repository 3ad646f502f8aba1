"""A deployment on one of the stores, the runs that it is asked for, and what may be taken away from it."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import select
import signal
import sqlite3
import subprocess
import time
import urllib.error
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol, TypeVar

import yaml

from chaos.faults import process_tree
from chaos.verdict import Expected, Outage, judge, read
from penstock.errors import StorageError
from penstock.instance.doctor.verify import verify
from penstock.records.event import StoredEvent
from penstock.records.run import FINISHED, Run, RunStatus
from penstock.storage.protocols import RunFilter
from support.deployment import Deployment, processes_of
from support.postgres import PostgresServer

__all__ = ["MemoryLimit", "PostgresStore", "SmallDisk", "SqliteStore", "Store", "World"]

T = TypeVar("T")
TAG = "chaos"
POOL = "chaos"
POOL_LIMIT = 3
CODE = Path(__file__).parent / "user_code.py"
MEMORY_BYTES = 96 << 20
ANSWERED_SECONDS = 60.0
"""Within which the web server takes a launch, whatever is done to it."""
SETTINGS = """
run_monitoring:
  max_resume_run_attempts: 1000
"""


class Store(Protocol):
    """The database of a deployment."""

    settings: str

    def away(self) -> contextlib.AbstractContextManager[object]:
        """Take it away while the context lasts."""
        ...


class SqliteStore:
    """The embedded database: away while another process holds it for itself."""

    settings = ""

    def __init__(self, home: Path) -> None:
        self._home = home

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        with contextlib.closing(
            sqlite3.connect(self._home / "penstock.db", timeout=30.0, isolation_level=None)
        ) as held:
            held.execute("BEGIN IMMEDIATE")
            yield
            held.execute("ROLLBACK")


class PostgresStore:
    """A server of its own: away while it is stopped, in one of the two ways."""

    def __init__(self, server: PostgresServer, url: str) -> None:
        self.settings = yaml.safe_dump({"storage": {"postgres": {"postgres_url": url}}})
        self._server = server
        self._ways = itertools.cycle([signal.SIGINT, signal.SIGQUIT])

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        self._server.stop(next(self._ways))
        try:
            yield
        finally:
            self._server.start()


class SmallDisk:
    """A file system of its own for a home, small enough to fill."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", str(folder)], check=True)

    @contextlib.contextmanager
    def full(self) -> Iterator[None]:
        ballast = self.folder / "ballast"
        with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(1 << 16)):
                pass
        try:
            yield
        finally:
            ballast.unlink()

    def close(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True)


class MemoryLimit:
    """A control group that ends whoever needs more memory than it has."""

    def __init__(self) -> None:
        self.folder = Path("/sys/fs/cgroup/memory" if Path("/sys/fs/cgroup/memory").is_dir() else "/sys/fs/cgroup")
        self.folder /= f"penstock-chaos-{os.getpid()}"
        self.folder.mkdir()
        of_old_kernels = self.folder / "memory.limit_in_bytes"
        (of_old_kernels if of_old_kernels.exists() else self.folder / "memory.max").write_text(str(MEMORY_BYTES))

    def close(self) -> None:
        for pid in (self.folder / "cgroup.procs").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                handle = os.pidfd_open(int(pid))
                os.kill(int(pid), signal.SIGKILL)
                select.select([handle], [], [], 30.0)
                os.close(handle)
        self.folder.rmdir()


class World:
    """See the head of this file.

    Args:
        home: The instance's folder.
        diary: A folder for what the steps note, on another disk.
        store: The database.
        disk: The home's own disk, if it has one.
        memory: A memory limit for the runs that need too much.
    """

    def __init__(
        self, home: Path, diary: Path, store: Store, disk: SmallDisk | None, memory: MemoryLimit | None
    ) -> None:
        self.home = home
        self.expected: dict[str, Expected] = {}
        self.outages: list[Outage] = []
        self._diary = diary
        self._store = store
        self._disk = disk
        self._environment = {"PENSTOCK_CHAOS_DIARY": str(diary)}
        if memory is not None:
            self._environment["PENSTOCK_CHAOS_CGROUP"] = str(memory.folder)
        self.fates = ["well", "well", "badly", *(["hungry"] if memory is not None else [])]
        home.mkdir(parents=True, exist_ok=True)
        (home / "penstock.yaml").write_text(SETTINGS + store.settings)
        self._start()
        self.deployment.instance.storage.slots.set_limit(POOL, POOL_LIMIT)

    def _start(self) -> None:
        self.deployment = Deployment(self.home, ["-f", str(CODE)], cwd=self.home, extra_env=self._environment)

    # -- what is asked for --------------------------------------------------------------------------------------------

    def launch(self, chance: random.Random) -> None:
        """Ask for a run; while there is no answer, ask again."""
        number = str(len(self.expected))
        expected = Expected(ends=chance.choice(self.fates))
        config = {"ops": {"fateful": {"config": {"ends": expected.ends}}}}
        job = chance.choice(["isolated", "isolated", "together"])
        self.expected[number] = expected
        tags = [{"key": TAG, "value": number}]
        until = time.monotonic() + ANSWERED_SECONDS
        while True:
            try:
                self.deployment.launch(job, location=CODE.name, runConfigData=config, executionMetadata={"tags": tags})
                return
            except (OSError, urllib.error.URLError, AssertionError):
                if self._runs_of(number):
                    return  # it was stored, and only the answer was lost
                if time.monotonic() > until:
                    raise
                self._breathe()

    def cancel(self, chance: random.Random) -> None:
        """Ask a run that is at work to stop."""
        active = self._patiently(lambda: self.deployment.instance.storage.runs.active())
        if not active:
            return
        run = chance.choice(active)
        number = run.tags[TAG]
        self.expected[number] = Expected(ends=self.expected[number].ends, canceled=True)
        with contextlib.suppress(OSError, AssertionError):
            self.deployment.graphql(
                "mutation T($id: String!) { terminateRun(runId: $id) { __typename } }", id=run.run_id
            )

    def _runs_of(self, number: str) -> list[Run]:
        where = RunFilter(tags={TAG: number})
        return self._patiently(lambda: self.deployment.instance.storage.runs.page(where, limit=10))

    def _patiently(self, ask: Callable[[], T]) -> T:
        """What the database says, once it is there to be asked."""
        while True:
            try:
                return ask()
            except StorageError:
                self._breathe()

    def unfinished(self) -> int:
        """How many of the runs have not ended."""
        statuses = tuple(status for status in RunStatus if status not in FINISHED)
        where = RunFilter(statuses=statuses)
        return self._patiently(lambda: self.deployment.instance.storage.runs.count(where))

    def wait_for_change(self, seconds: float) -> None:
        """Wait until something is stored."""
        subscription = self.deployment.instance.storage.notifier.subscribe()
        try:
            subscription.wait(seconds)
        finally:
            subscription.close()

    def _breathe(self) -> None:
        with contextlib.suppress(StorageError):
            self.wait_for_change(0.2)

    # -- what is taken away -------------------------------------------------------------------------------------------

    def database_away(self) -> contextlib.AbstractContextManager[object]:
        """Take the database away."""
        return self._store.away()

    def disk_full(self) -> contextlib.AbstractContextManager[object] | None:
        """Fill the disk."""
        return None if self._disk is None else self._disk.full()

    def restart(self) -> None:
        """Kill every process at once, and start anew."""
        pids = [pid for pids in process_tree(self.home).values() for pid in pids if pid != os.getpid()]
        for number in (signal.SIGSTOP, signal.SIGKILL):  # none is to see that another one is gone, and to end in order
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
        self.deployment.close()
        self._start()

    # -- what is judged -----------------------------------------------------------------------------------------------

    def verdict(self) -> list[str]:
        """What is wrong with what is stored and noted."""
        storage = self.deployment.instance.storage
        runs: dict[str, tuple[Run, list[StoredEvent]]] = {}
        expected = {}
        for number, asked in self.expected.items():
            found = self._runs_of(number)
            if len(found) != 1:
                return [f"Run number {number} was asked for once, and is there {len(found)} times."]
            run = found[0]
            log: list[StoredEvent] = []
            while page := storage.events.of_run(run.run_id, after=log[-1].id if log else 0, limit=1000):
                log += page
            runs[run.run_id] = (run, log)
            expected[run.run_id] = asked
        file = self._diary / "diary.jsonl"
        diary = [read(line) for line in file.read_text().splitlines()] if file.exists() else []
        return judge(runs, expected, diary, self.outages) + [
            f"{each.kind} {each.where}: {each.what}" for each in verify(storage, now=time.time())
        ]

    def left_behind(self) -> list[str]:
        """What is there that should have gone with its run: processes, and slots of the pool."""
        tree = process_tree(self.home)
        left = [f"A {kind} is left: {pid}" for kind in ("worker", "step") for pid in tree.get(kind, ())]
        for pool in self._patiently(lambda: self.deployment.instance.storage.slots.pools(now=time.time())):
            left += [f"A slot of {pool.pool} is left: {claim}" for claim in (*pool.held, *pool.waiting)]
        return left

    def stop(self) -> list[str]:
        """End the deployment; gives what it leaves behind."""
        self.deployment.stop()
        left = {pid: command for pid, command in processes_of(self.home).items() if pid != os.getpid()}
        return [f"The process {pid} is left: {command}" for pid, command in left.items()]

    def close(self) -> None:
        """End whatever is there."""
        self.deployment.close()


def end_by(world: World, seconds: float) -> bool:
    """Wait until every run has ended."""
    until = time.monotonic() + seconds
    while world.unfinished():
        if time.monotonic() > until:
            return False
        world.wait_for_change(0.5)
    return True
