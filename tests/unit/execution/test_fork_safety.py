"""Whether forking is safe is decided by the threads that there are."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from penstock.execution.fork_safety import forbid_forks, reason_not_to_fork


@pytest.fixture
def forbidden() -> Iterator[None]:
    forbid_forks("it was forbidden")
    yield
    forbid_forks(None)


def test_python_threads_are_named() -> None:
    go_on = threading.Event()
    thread = threading.Thread(target=go_on.wait, name="the-poller")
    thread.start()
    try:
        reason = reason_not_to_fork()
        assert reason is not None
        assert "the-poller" in reason
        assert "inside a step" in reason
    finally:
        go_on.set()
        thread.join()


@pytest.mark.usefixtures("forbidden")
def test_forks_can_be_forbidden() -> None:
    assert reason_not_to_fork() == "it was forbidden"


def said_by(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()


NUMPY = """
import numpy
from penstock.execution.fork_safety import _native_threads, reason_not_to_fork
before = len(_native_threads())
print(before, reason_not_to_fork(), len(_native_threads()))
"""


def test_threads_of_libraries_that_care_for_forks_are_settled() -> None:
    pytest.importorskip("numpy")
    before, reason, after = said_by(NUMPY).split()
    assert (reason, after) == ("None", "0")
    if (os.cpu_count() or 1) > 1:
        assert before != "0", "numpy starts no threads any more: this test tests nothing"


NATIVE = """
import ctypes, os
from penstock.execution.fork_safety import reason_not_to_fork
libc = ctypes.CDLL(None)
thread = ctypes.c_ulong()
routine = ctypes.cast(libc.pause, ctypes.c_void_p)
libc.pthread_create(ctypes.byref(thread), None, routine, None)
print(reason_not_to_fork())
libc.pthread_setname_np(thread, b"the-native-one")
print(reason_not_to_fork())

"""


def test_native_threads_that_a_fork_would_lose_are_told() -> None:
    nameless, named = said_by(NATIVE).splitlines()
    assert "1 without a name" in nameless
    assert "the-native-one" in named


BLOCKED = """
import os, signal
from penstock.execution import fork_safety
fork_safety.TRIAL_SECONDS = 0.2
os.register_at_fork(after_in_child=signal.pause)
print(fork_safety.try_a_fork())
"""


def test_a_child_that_never_comes_up_is_told_and_ended() -> None:
    assert "os.register_at_fork" in said_by(BLOCKED)
