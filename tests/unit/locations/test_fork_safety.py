"""Whether forking is safe is decided by the threads that there are."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from penstock.locations.fork_safety import reason_not_to_fork


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


NUMPY = """
import numpy
from penstock.locations.fork_safety import reason_not_to_fork, settle_native_threads
before = reason_not_to_fork()
settle_native_threads()
print(before is None, reason_not_to_fork())
"""


def test_threads_of_libraries_that_care_for_forks_are_settled() -> None:
    pytest.importorskip("numpy")
    said = subprocess.run([sys.executable, "-c", NUMPY], capture_output=True, text=True, check=True).stdout.split()
    assert said[1] == "None"
    if (os.cpu_count() or 1) > 1:
        assert said[0] == "False", "numpy starts no threads any more: this test tests nothing"
