"""Learns how every process ended that this one is the parent of: those it started, and those it inherited.

The code server's supervisor adopts the descendants of a zygote that dies, so it hears of run workers' ends in any case.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import OrderedDict

from .subreaper import adopt_orphans

__all__ = ["Reaper"]

_REMEMBERED = 256


class Reaper:
    """Collects the exit codes of child processes; one per process, on the event loop of its main thread."""

    def __init__(self) -> None:
        self._awaited: dict[int, asyncio.Future[int | None]] = {}
        self._early: OrderedDict[int, int] = OrderedDict()

    def start(self) -> None:
        """Begin to collect, and become the parent of orphaned descendants."""
        adopt_orphans()
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self._collect)

    def stop(self) -> None:
        """Collect no more."""
        asyncio.get_running_loop().remove_signal_handler(signal.SIGCHLD)

    def exit_of(self, pid: int) -> asyncio.Future[int | None]:
        """The exit code of a child (minus the signal's number if one killed it), once it has ended.

        None when it is not known: the process is gone, and it was no child of ours.
        """
        awaited = self._awaited.get(pid)
        if awaited is not None:
            return awaited
        awaited = asyncio.get_running_loop().create_future()
        if pid in self._early:
            awaited.set_result(self._early.pop(pid))
        elif not _exists(pid):
            awaited.set_result(None)
        else:
            self._awaited[pid] = awaited
        return awaited

    def _collect(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            code = os.waitstatus_to_exitcode(status)
            awaited = self._awaited.pop(pid, None)
            if awaited is not None:
                if not awaited.done():
                    awaited.set_result(code)
                continue
            # Ended before anybody asked: a worker between its zygote's death and its adoption, or a stranger.
            self._early[pid] = code
            if len(self._early) > _REMEMBERED:
                self._early.popitem(last=False)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
