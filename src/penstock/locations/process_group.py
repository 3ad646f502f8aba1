"""Signals to a process and everything that it has started in its group."""

from __future__ import annotations

import contextlib
import os
import signal

__all__ = ["signal_group"]


def signal_group(leader: int, number: signal.Signals) -> bool:
    """Send a signal to the group that `leader` leads; False when nothing of it is left."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)
        return True
    return False
