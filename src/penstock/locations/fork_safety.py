"""Whether this process may fork: a child gets the memory of all threads but only one of them, locks held by others stay
locked for ever, and whatever waits for such a thread hangs.

Native libraries differ. OpenBLAS (numpy) starts threads when it is imported, ends them at a fork and starts them again
on demand; so a trial fork tells its threads from those that would be lost. jemalloc (pyarrow) keeps one thread that it
restores by itself in the child. Every other thread makes a fork unsafe: the work then goes to a fresh process.
"""

from __future__ import annotations

import os
import sys
import threading
import warnings
from pathlib import Path

__all__ = ["fork", "reason_not_to_fork", "settle_native_threads"]

_TASKS = "/proc/self/task"
_RESTORED_AFTER_FORK = frozenset({"jemalloc_bg_thd"})


def reason_not_to_fork() -> str | None:
    """Why a fork is unsafe now, in words that name the threads; None when it is safe."""
    own = threading.main_thread()
    python = [thread.name for thread in threading.enumerate() if thread is not own]
    if python:
        return (
            f"user code has running threads ({_listed(python)}); "
            "start them inside a step, a schedule or a sensor, not while the module is imported"
        )
    native = [name for name in _native_threads() if name not in _RESTORED_AFTER_FORK]
    if native:
        return (
            f"a native library that user code uses has running threads ({_listed(native)}); "
            "open connections and start its work inside a step or a resource, not while the module is imported"
        )
    return None


def settle_native_threads() -> None:
    """Let libraries that take care of forks end their threads, by a fork whose child does nothing."""
    if reason_not_to_fork() is None or threading.active_count() > 1:
        return
    child = fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def fork() -> int:
    """`os.fork`, without Python's warning about threads: `reason_not_to_fork` has looked closer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _native_threads() -> list[str]:
    """The names of this process's threads but the main one."""
    if sys.platform != "linux":
        return []
    main = str(os.getpid())
    names = []
    for task in os.listdir(_TASKS):  # noqa: PTH208 - this stands on the way of every fork
        if task != main:
            try:
                names.append(Path(_TASKS, task, "comm").read_text().strip())
            except OSError:
                continue  # it has just ended
    return names


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
