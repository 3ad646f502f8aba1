"""Fresh processes kept ready: they have imported the user's code, each takes one work, and another one takes its place.

So a work that cannot be forked does not wait for imports either. What they hold is not shared as that of forks is, so
their number and their memory are bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from ..records.wire import StorageAccess, Work
from .fresh_process import FreshProcess
from .zygote_process import WorkProcess, ZygoteGoneError

__all__ = ["FreshPool", "idle_limit", "memory_of"]

logger = logging.getLogger("penstock.code_server")

Make: TypeAlias = Callable[[Callable[[FreshProcess], None]], FreshProcess]


class FreshPool:
    """The fresh processes of one code location. Its methods are called on one event loop.

    Args:
        make: Starts a process; it is given what to call when that has changed.
        idle: How many are kept ready; 0 for none.
        memory: Bytes that those which are ready may have together; one that has more alone is not kept at all.
        measure: How many bytes a process has; None if that is not known.
    """

    def __init__(
        self, make: Make, *, idle: int, memory: int, measure: Callable[[int], int | None] | None = None
    ) -> None:
        self._make = make
        self._idle = idle
        self._memory = memory
        self._measure = measure or memory_of
        self._size: int | None = None
        self._ready: list[FreshProcess] = []
        self._filling = False
        self._failed = False

    def __len__(self) -> int:
        return len(self._ready)

    @property
    def pids(self) -> list[int]:
        """The processes that are ready, or will be once they have loaded."""
        return [process.pid for process in self._ready]

    def renew(self, *, wanted: bool) -> None:
        """The code has been loaded anew: drop the processes with older code, and keep new ones ready if `wanted`."""
        self.drain()
        self._failed = False
        if wanted:
            self._filling = True
            self._fill()

    def drain(self) -> None:
        """Drop all processes, and keep none ready."""
        self._filling = False
        ready, self._ready = self._ready, []
        for process in ready:
            process.drop()
        self._size = None

    def give(self, work: Work, channel: socket.socket, storage: StorageAccess | None = None) -> WorkProcess:
        """Have a process do the work, by preference one that has loaded the code; another one takes its place.

        Raises:
            ZygoteGoneError: One that was started for the work ended at once.
        """
        self._filling = True
        self._failed = False  # whether the code can be loaded now is found out once for each work
        asyncio.get_running_loop().call_soon(self._fill)
        for process in sorted(self._ready, key=lambda each: each.loaded is not True):
            self._ready.remove(process)
            if process.is_waiting:
                with contextlib.suppress(OSError):  # it has just died, and will be heard of in a moment
                    return process.give(work, channel, storage)
            process.drop()
        try:
            return self._make(self._heed).give(work, channel, storage)
        except OSError as error:
            raise ZygoteGoneError(
                "The process that was started for the work ended at once; look at its output."
            ) from error

    def _fill(self) -> None:
        while self._filling and not self._failed and len(self._ready) < self._limit():
            self._ready.append(self._make(self._heed))
            if self._size is None:
                return  # one tells how large they are; then the others follow

    def _limit(self) -> int:
        return idle_limit(self._idle, self._memory, self._size)

    def _heed(self, process: FreshProcess) -> None:
        """A process has loaded, has failed to, or has ended."""
        if process not in self._ready:
            return
        if process.loaded:
            self._size = self._measure(process.pid) or self._size or 0
            while len(self._ready) > self._limit():
                self._ready.pop().drop()
            self._fill()
        else:
            # The next work, or the next load, tries again; this one's error has been printed, or belongs to nobody.
            self._failed = True
            self._ready.remove(process)
            process.drop()
            logger.warning("A process that was to be kept ready could not load the code, or has ended.")


def idle_limit(idle: int, memory: int, size: int | None) -> int:
    """How many processes may be kept ready, where each has `size` bytes (None: not known yet)."""
    if not size:
        return idle
    return min(idle, memory // size)


def memory_of(pid: int) -> int | None:
    """The bytes of memory that a process has, with its part of what is shared; None if not known."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    sizes = {line.split(":")[0]: line.split(":")[1] for line in lines[1:]}
    return int(sizes["Pss"].split()[0]) * 1024 if "Pss" in sizes else None
