"""Ends what a process has started and left: whatever is in its group or session, and what carries its mark.

A subprocess that only goes on running stays in the group. One that makes a session of its own (`setsid`, a daemon) is
known by the variable that it has inherited, if it was started as another program; a mere fork that leaves its session
is found as long as one of its ancestors is. Orphans are looked for among the children of this process, which has to be
their subreaper, or among all processes.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable
from pathlib import Path

__all__ = ["MARK", "end_what_is_left", "mark_this_process"]

MARK = "PENSTOCK_PROCESS"
"""The environment variable with the processes of ours that a program was started by, from the run's worker down."""

_PROC = Path("/proc")
_PASSES = 5


def mark_this_process() -> None:
    """Let everything that this process starts be known as its own, and still as that of the processes above it."""
    above = os.environ.get(MARK)
    own = str(os.getpid())
    os.environ[MARK] = f"{above}/{own}" if above else own


def end_what_is_left(leader: int, *, everywhere: bool = False) -> list[int]:
    """Kill all that process `leader`, which has ended, has left; gives their ids.

    Args:
        leader: A process that has led its own group.
        everywhere: Look at all processes, not at the descendants of this one alone.
    """
    killed: list[int] = []
    for number in range(_PASSES):  # a process that ends gives its children away, maybe while they are looked for
        found = [pid for pid in _left_by(leader, everywhere=everywhere) if pid not in killed]
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)  # only now: what has left the group is found by whom it comes from
        if number and not found:
            break
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        killed += found
    return killed


def _left_by(leader: int, *, everywhere: bool) -> list[int]:
    own = os.getpid()
    candidates = _all_processes() if everywhere else _children_of(own)
    roots = [pid for pid in candidates if pid != own and _belongs_to(pid, leader)]
    found = dict.fromkeys(roots)
    waiting = list(roots)
    while waiting:
        for child in _children_of(waiting.pop()):
            if child not in found:
                found[child] = None
                waiting.append(child)
    return list(found)


def _belongs_to(pid: int, leader: int) -> bool:
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
        state, _parent, group, session = stat.rpartition(")")[2].split()[:4]
        if state == "Z":
            return False
        if leader in (int(group), int(session)):
            return True
        environment = (_PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return False  # it has ended, or is somebody else's
    mark = f"{MARK}=".encode()
    marks = [entry[len(mark) :].split(b"/") for entry in environment.split(b"\0") if entry.startswith(mark)]
    return any(str(leader).encode() in processes for processes in marks)


def _all_processes() -> Iterable[int]:
    try:
        return [int(name) for name in os.listdir(_PROC) if name.isdigit()]  # noqa: PTH208 - hundreds of them
    except OSError:
        return []  # this system has none to look at


def _children_of(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in (_PROC / str(pid) / "task").iterdir():
            with contextlib.suppress(OSError):
                found += map(int, (task / "children").read_text(encoding="ascii").split())
    return found
