"""Whether forking is safe is decided by the threads that there are."""

from __future__ import annotations

import threading

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
