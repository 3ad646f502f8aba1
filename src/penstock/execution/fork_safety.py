"""Whether this process may fork: a child gets the memory of all threads but only one of them, locks held by others stay
locked for ever, and whatever waits for such a thread hangs.

Native libraries differ, and `tests/libraries` holds what is said here. OpenBLAS (numpy) and the pools of OpenMP start
threads at import or at first use; the first ends its own at a fork and starts them again on demand, so a trial fork
tells its threads from those that would be lost. jemalloc (pyarrow, polars) keeps a thread that it restores by itself in
the child. Every other thread makes a fork unsafe: the work then goes to a process that was not forked.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import warnings
from collections.abc import Iterable
from pathlib import Path

__all__ = ["TRIAL_SECONDS", "forbid_forks", "fork", "reason_not_to_fork", "try_a_fork"]

TRIAL_SECONDS = 5.0
"""How long the child of a trial fork may take to begin and to end."""

_TASKS = "/proc/self/task"
_HARMLESS = frozenset(
    {
        "jemalloc_bg_thd",  # restored in the child
        "polars-ooc-clea",  # removes spilled files; polars works without it, as long as its pools have not been used
    }
)
_START_THREADS_ON_USE = ("duckdb", "grpc", "pyarrow", "torch")
"""Libraries whose threads have no telling names, from their first use on."""

_forbidden: str | None = None


def forbid_forks(reason: str | None) -> None:
    """From now on `reason_not_to_fork` gives this reason; None takes that back."""
    global _forbidden
    _forbidden = reason


def reason_not_to_fork() -> str | None:
    """Why a fork is unsafe now, in words that name the threads; None when it is safe.

    Where native threads are there that may be of a library which cares for forks, it tries one.
    """
    reason = _reason_now()
    if reason is None or _forbidden is not None or sys.platform != "linux" or _python_threads():
        return reason
    return try_a_fork() or _reason_now()


def try_a_fork() -> str | None:
    """Fork a child that does nothing, so that libraries which care for forks end their threads; why that failed."""
    reading, writing = os.pipe()
    child = fork()
    if child == 0:
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb"):
        ended, _, _ = select.select([reading], [], [], TRIAL_SECONDS)
    if not ended:
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    if not ended:
        return (
            f"a fork that was tried did not come up within {TRIAL_SECONDS:g} seconds; "
            "look for a function registered with os.register_at_fork, or a library, that waits in the child"
        )
    return None


def fork() -> int:
    """`os.fork`, without Python's warning about threads: `reason_not_to_fork` has looked closer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _reason_now() -> str | None:
    if _forbidden is not None:
        return _forbidden
    if sys.platform != "linux":
        return f"forks are not safe on this system ({sys.platform})"
    python = _python_threads()
    if python:
        return (
            f"user code has running threads ({_listed(python)}); "
            "start them inside a step, a schedule or a sensor, not while the module is imported"
        )
    native = [name for name in _native_threads() if name not in _HARMLESS]
    if native:
        return (
            f"a native library that user code uses has running threads ({_in_words(native)}); "
            "open connections and start its work inside a step, not while the module is imported"
        )
    return None


def _python_threads() -> list[str]:
    own = threading.main_thread()
    return [thread.name for thread in threading.enumerate() if thread is not own]


def _native_threads() -> list[str]:
    """The names of this process's threads but the main one; empty for those that only have the process's name."""
    main = str(os.getpid())
    tasks = os.listdir(_TASKS)  # noqa: PTH208 - this stands on the way of every fork
    own = _comm(main) if len(tasks) > 1 else None
    names = []
    for task in tasks:
        if task != main:
            name = _comm(task)
            if name is not None:
                names.append("" if name == own else name)
    return names


def _comm(task: str) -> str | None:
    try:
        return Path(_TASKS, task, "comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None  # it has just ended


def _in_words(native: list[str]) -> str:
    named = [name for name in native if name]
    nameless = len(native) - len(named)
    words = _listed(named) if named else ""
    if nameless:
        suspects = [library for library in _START_THREADS_ON_USE if library in sys.modules]
        hint = f", maybe of {' or '.join(suspects)}" if suspects else ""
        words += f"{' and ' if words else ''}{nameless} without a name{hint}"
    return words


def _listed(names: Iterable[str]) -> str:
    different = list(dict.fromkeys(names))
    shown = ", ".join(different[:5])
    return shown if len(different) <= 5 else f"{shown} and {len(different) - 5} more"
