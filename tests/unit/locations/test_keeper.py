"""Processes that are kept running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from penstock.clock import SYSTEM_CLOCK
from penstock.locations.keeper import ProcessKeeper
from penstock.locations.service_process import ServiceProcess

# Says its pid to a pipe, then waits for the end of its lifeline, or for a signal.
SCRIPT = """
import os, sys
os.write(os.open(sys.argv[1], os.O_WRONLY), b"%d\\n" % os.getpid())
os.read(int(sys.argv[2]), 1)
"""


class Pids:
    """What the processes say: each its pid, through a named pipe."""

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path)
        self._reader = os.fdopen(os.open(path, os.O_RDWR), "rb", buffering=0)

    def next(self) -> int:
        return int(self._reader.readline())

    def close(self) -> None:
        self._reader.close()


@pytest.fixture
def pids(tmp_path: Path) -> Iterator[Pids]:
    found = Pids(tmp_path / "pids")
    yield found
    found.close()


def start_script(words: Sequence[str], lifeline: int) -> ServiceProcess:
    return subprocess.Popen((sys.executable, "-c", SCRIPT, *words), pass_fds=(lifeline,), start_new_session=True)


def keeper(path: Path) -> ProcessKeeper:
    return ProcessKeeper({"sleeper": lambda lifeline: (str(path), str(lifeline))}, start=start_script)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_dead_process_is_started_again_and_all_are_stopped(pids: Pids) -> None:
    kept = keeper(pids.path)
    kept.start()
    try:
        first = pids.next()
        assert kept.pids() == {"sleeper": first}
        os.kill(first, signal.SIGKILL)
        second = pids.next()
        assert second != first
    finally:
        began = SYSTEM_CLOCK.monotonic()
        kept.stop()
    assert gone(second)
    assert SYSTEM_CLOCK.monotonic() - began < 10


def test_groups_are_stopped_one_after_another_the_last_one_first(pids: Pids) -> None:
    ends: list[str] = []

    class Noted(subprocess.Popen[bytes]):
        def wait(self, timeout: float | None = None) -> int:
            code = super().wait(timeout)
            ends.append(str(self.args[-1]))  # type: ignore[index]
            return code

    def start(words: Sequence[str], lifeline: int) -> ServiceProcess:
        script = (sys.executable, "-c", SCRIPT, str(pids.path), str(lifeline), *words)
        return Noted(script, pass_fds=(lifeline,), start_new_session=True)

    kept = ProcessKeeper({"first": lambda _: ("first",)}, {"second": lambda _: ("second",)}, start=start)
    kept.start()
    for _ in range(2):
        pids.next()
    kept.stop()
    assert ends == ["second", "first"]
