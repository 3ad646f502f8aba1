"""What is done to a deployment: each fault a function that does it and gives the outage it was, if it was one."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from chaos.verdict import Outage
from support.deployment import processes_of

__all__ = ["FAULTS", "Fault", "Target", "process_tree"]


class Target(Protocol):
    """What a fault is done to."""

    home: Path

    def database_away(self) -> contextlib.AbstractContextManager[object]:
        """Take the database away while the context lasts."""
        ...

    def disk_full(self) -> contextlib.AbstractContextManager[object] | None:
        """Leave no room on the home's disk while the context lasts; None where that cannot be done."""
        ...

    def restart(self) -> None:
        """Kill every process at once, as a loss of power does, and start anew."""
        ...


Fault = Callable[[Target, random.Random], Outage | None]


def process_tree(home: Path) -> dict[str, list[int]]:
    """The processes of a deployment by kind: parent, webserver, daemon, code-server, zygote, worker, step."""
    commands = processes_of(home)
    tree: dict[str, list[int]] = {}
    for pid, command in commands.items():
        tree.setdefault(_kind(pid, command), []).append(pid)
    return tree


def _kind(pid: int, command: str) -> str:
    if "penstock.instance." in command:
        try:
            name = Path(f"/proc/{pid}/comm").read_text()
            parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
            of_parent = Path(f"/proc/{parent}/comm").read_text()
        except OSError:
            return "gone"
        if not name.startswith("ps-"):
            return "zygote"
        return "step" if of_parent == name else "worker"
    return next((kind for kind in ("webserver", "daemon", "code-server") if f" {kind} " in f"{command} "), "parent")


def _one(target: Target, chance: random.Random, kind: str) -> int | None:
    found = process_tree(target.home).get(kind)
    return chance.choice(sorted(found)) if found else None


def kill(kind: str) -> Fault:
    """SIGKILL to one process of a kind."""

    def act(target: Target, chance: random.Random) -> None:
        pid = _one(target, chance, kind)
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    return act


def stop(kind: str, seconds: float) -> Fault:
    """SIGSTOP to one process of a kind, and SIGCONT after a while."""

    def act(target: Target, chance: random.Random) -> Outage | None:
        pid = _one(target, chance, kind)
        if pid is None:
            return None
        begin = time.time()
        with _stopped([pid]):
            _pass(chance.uniform(1.0, seconds))
        return Outage(begin=begin, end=time.time())

    return act


def stop_all_of_location(target: Target, chance: random.Random) -> Outage:
    """Stop the code server with its workers and steps past their leases, so that they wake up when it is too late."""
    tree = process_tree(target.home)
    begin = time.time()
    with _stopped([pid for kind in ("code-server", "zygote", "worker", "step") for pid in tree.get(kind, ())]):
        _pass(20.0)
    return Outage(begin=begin, end=time.time())


def kill_server_and_workers(target: Target, chance: random.Random) -> None:
    """Kill the code server, its zygote, and all workers and steps, as the loss of their machine does."""
    tree = process_tree(target.home)
    for kind in ("code-server", "zygote", "worker", "step"):
        for pid in tree.get(kind, ()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def database_away(target: Target, chance: random.Random) -> Outage:
    """Take the database away for 20 s."""
    begin = time.time()
    with target.database_away():
        _pass(20.0)
    return Outage(begin=begin, end=time.time())


def disk_full(target: Target, chance: random.Random) -> Outage | None:
    """Fill the disk for some seconds."""
    full = target.disk_full()
    if full is None:
        return None
    begin = time.time()
    with full:
        _pass(chance.uniform(3.0, 12.0))
    return Outage(begin=begin, end=time.time())


def power_cut(target: Target, chance: random.Random) -> Outage:
    """Kill everything and start anew."""
    begin = time.time()
    target.restart()
    return Outage(begin=begin, end=time.time())


FAULTS: dict[str, tuple[int, Fault]] = {
    "kill a step": (6, kill("step")),
    "kill a worker": (6, kill("worker")),
    "kill the zygote": (2, kill("zygote")),
    "kill the code server": (3, kill("code-server")),
    "kill code server and workers": (2, kill_server_and_workers),
    "kill the daemon": (3, kill("daemon")),
    "kill the web server": (1, kill("webserver")),
    "stop a step": (2, stop("step", 4.0)),
    "stop a worker": (2, stop("worker", 8.0)),
    "stop the daemon": (1, stop("daemon", 15.0)),
    "stop the code server": (1, stop("code-server", 8.0)),
    "stop all of the location past its leases": (1, stop_all_of_location),
    "database away": (1, database_away),
    "disk full": (1, disk_full),
    "power cut": (1, power_cut),
}
"""name -> (how often it is done compared to the others, what is done)."""


@contextlib.contextmanager
def _stopped(pids: list[int]) -> Iterator[None]:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def _pass(seconds: float) -> None:
    """Let time pass: the length of a fault is the fault."""
    threading.Event().wait(seconds)
