"""Measures one attempt of a step: how long each of its phases took, and what its process used."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from ..records.step_figures import StepFigures

if sys.platform != "win32":
    import resource

__all__ = ["COMPUTING", "LOADING", "STORING", "Meter", "memory_of", "peak_memory"]

_STARTING, LOADING, COMPUTING, STORING = range(4)

_STATUS = Path("/proc/self/status")


class Meter:
    """A stopwatch with one hand for each phase; it is in the first, starting, from its making on.

    It is passed by each step, so it does no more than read clocks.

    Args:
        monotonic: The clock.
        queued: For how many seconds the attempt waited for a place before that.
        own_process: Whether this process was made for the attempt alone.
    """

    __slots__ = ("_cpu", "_monotonic", "_own_process", "_phase", "_queued", "_since", "_spent")

    def __init__(self, monotonic: Callable[[], float], queued: float = 0.0, *, own_process: bool = False) -> None:
        self._monotonic = monotonic
        self._queued = queued
        self._own_process = own_process
        self._cpu = 0.0 if own_process else time.process_time()
        self._phase = _STARTING
        self._spent = [0.0, 0.0, 0.0, 0.0]
        self._since = monotonic()

    def enter(self, phase: int) -> None:
        """The phase that it was in is over, and `phase` (`LOADING`, `COMPUTING` or `STORING`) goes on."""
        now = self._monotonic()
        self._spent[self._phase] += now - self._since
        self._since = now
        self._phase = phase

    def figures(self) -> StepFigures:
        """What was measured until now."""
        self.enter(self._phase)
        starting, loading, computing, storing = self._spent
        cpu, memory = _used(own_process=self._own_process)
        return StepFigures(
            queued=self._queued,
            starting=starting,
            loading=loading,
            computing=computing,
            storing=storing,
            cpu=max(0.0, cpu - self._cpu),
            peak_memory=memory,
            shared=not self._own_process,
        )


def _used(*, own_process: bool) -> tuple[float, int | None]:
    """CPU time and peak memory of this process until now; if it is the attempt's own, with its ended children's CPU."""
    if sys.platform == "win32":
        return time.process_time(), None
    usage = resource.getrusage(resource.RUSAGE_SELF)
    cpu = usage.ru_utime + usage.ru_stime
    if not own_process:
        return cpu, memory_of(usage.ru_maxrss)
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return cpu + ended.ru_utime + ended.ru_stime, _peak_of_this_process() or memory_of(usage.ru_maxrss)


def peak_memory() -> int | None:
    """The most memory that this process had resident so far, in bytes; None where the system does not tell it."""
    return None if sys.platform == "win32" else memory_of(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def memory_of(maxrss: int) -> int:
    """The most memory that a process had resident, in bytes, from the `ru_maxrss` that the system tells of it."""
    return maxrss * (1 if sys.platform == "darwin" else 1024)


def _peak_of_this_process() -> int | None:
    """As Linux knows it. (What `getrusage` tells begins, after an exec, with what the program before it had.)"""
    try:
        status = _STATUS.read_text()
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None
