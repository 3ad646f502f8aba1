"""What a process leaves is found by its group, its session, its mark or its ancestors, and nothing else is touched."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from penstock.execution.left_behind import MARK, end_what_is_left
from support.deployment import alive

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

LEADER = """
import os, subprocess, sys
from penstock.execution.left_behind import mark_this_process
mark_this_process()
pids = []
reading, writing = os.pipe()
def start(**how):
    # It waits for ever, for a line that only it could write. Once it has spoken, its environment can be seen.
    child = subprocess.Popen(
        ["sh", "-c", "echo; read line"], stdin=reading, stdout=subprocess.PIPE, pass_fds=[writing], **how
    )
    child.stdout.readline()
    pids.append(child.pid)
if "group" in sys.argv:
    start()
if "session" in sys.argv:
    start(process_group=0)
if "daemon" in sys.argv:
    start(start_new_session=True)
if "fork" in sys.argv:
    reading, writing = os.pipe()
    if os.fork() == 0:  # a parent that is found, with a child in a session of its own, without a mark of its own
        if (child := os.fork()) == 0:
            os.setsid()
            os.write(writing, str(os.getpid()).encode())
            os.execve("/bin/sleep", ["sleep", "1000"], {})
        os.close(1)
        os.waitpid(child, 0)
    pids.append(int(os.read(reading, 20)))
print(*pids, flush=True)
os._exit(0)
"""


@contextmanager
def left_by_a_leader(*kinds: str) -> Iterator[tuple[int, list[int]]]:
    """A process that has ended, and those that it has left."""
    leader = subprocess.Popen([sys.executable, "-c", LEADER, *kinds], stdout=subprocess.PIPE, start_new_session=True)
    assert leader.stdout is not None
    left = [int(pid) for pid in leader.stdout.readline().split()]
    leader.wait()
    leader.stdout.close()
    try:
        yield leader.pid, left
    finally:
        for pid in left:
            if alive(pid):
                os.kill(pid, 9)


def ended(pid: int) -> bool:
    """Wait for the end of a process that is being killed; whose child it is depends on the machine."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 30)[0])
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("kind", ["group", "session", "daemon", "fork"])
def test_each_way_to_leave_is_found(kind: str) -> None:
    with left_by_a_leader(kind) as (leader, left):
        assert [alive(pid) for pid in left] == [True]
        end_what_is_left(leader, everywhere=True)
        assert all(ended(pid) for pid in left)


def test_others_are_left_alone() -> None:
    with left_by_a_leader("daemon", "group") as (_other, left), left_by_a_leader("group") as (leader, _own):
        end_what_is_left(leader, everywhere=True)
        assert [alive(pid) for pid in left] == [True, True]


def test_a_mark_names_all_processes_above() -> None:
    with left_by_a_leader("daemon") as (leader, (daemon,)):
        assert f"{MARK}={leader}\0".encode() in Path(f"/proc/{daemon}/environ").read_bytes()
        program = (
            f"import os; os.environ['{MARK}'] = '7'; from penstock.execution import left_behind as l; "
            "l.mark_this_process(); print(os.environ[l.MARK], os.getpid())"
        )
        said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        mark, pid = said.stdout.split()
        assert mark == f"7/{pid}"
