"""How a service that waits in a `select` learns that it should end: SIGINT and SIGTERM make a descriptor readable."""

from __future__ import annotations

import os
import signal

__all__ = ["stop_signal"]


def stop_signal() -> int:
    """A descriptor that is readable once SIGINT or SIGTERM has come. To be called once, in the main thread."""
    reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.set_wakeup_fd(writer)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)  # the descriptor says it
    return reader
