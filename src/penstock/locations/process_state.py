"""Whether a process is as it was before it worked for a user: what of that can be seen without knowing the user's code.

Globals of modules, and connections that a library keeps, are not looked at: who wants them to last keeps them there.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable

from ..execution.meter import peak_memory

__all__ = ["ProcessState"]

_MOST_GROWTH = 64 << 20
_MOST_DESCRIPTORS = 64
_LOOKS_AT_THREADS = 10
_LOOK_SECONDS = 0.001

_TASKS = "/proc/self/task"
_DESCRIPTORS = "/proc/self/fd"
_EVENT_POLL = "anon_inode:[eventpoll]"
_SIGNALS = tuple(number for number in range(1, 32) if number in signal.valid_signals())
_TIMERS = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)


def _directory() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109 - this stands on the way of every evaluation
    except FileNotFoundError:
        return None


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


_SEEN: tuple[tuple[str, Callable[[], object]], ...] = (
    ("changed the working directory", _directory),
    ("changed the umask", _umask),
    ("changed environment variables", lambda: dict(os.environb)),
    ("changed signal handlers", lambda: [signal.getsignal(number) for number in _SIGNALS]),
    ("changed which signals are blocked", lambda: signal.pthread_sigmask(signal.SIG_BLOCK, ())),
    ("set a timer", lambda: [signal.getitimer(timer)[0] > 0 for timer in _TIMERS]),
    ("changed sys.path", lambda: list(sys.path)),
    ("replaced sys.stdout or sys.stderr", lambda: [id(sys.stdout), id(sys.stderr)]),
)


class ProcessState:
    """How this process is now, to be compared with how it is later; on Linux."""

    def __init__(self) -> None:
        self._seen = [see() for _what, see in _SEEN]
        self._tasks = len(os.listdir(_TASKS))  # noqa: PTH208 - as above
        listed = os.listdir(_DESCRIPTORS)  # noqa: PTH208
        self._descriptors = frozenset(name for name in listed if _leads_to(name))  # the listing was one itself
        self._memory = peak_memory() or 0

    def what_has_changed(self) -> str | None:
        """What is not as it was, as the end of a sentence whose subject is the work; None if nothing is seen."""
        for (what, see), before in zip(_SEEN, self._seen, strict=True):
            if see() != before:
                return f"it {what}"
        return self._processes() or self._threads() or self._open_files() or self._growth()

    @staticmethod
    def _processes() -> str | None:
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return None
        return "it left processes that it had started"

    def _threads(self) -> str | None:
        own = threading.main_thread()
        names = [repr(thread.name) for thread in threading.enumerate() if thread is not own]
        if names:
            return f"it left threads ({', '.join(names[:5])})"
        for _ in range(_LOOKS_AT_THREADS):
            if len(os.listdir(_TASKS)) <= self._tasks:  # noqa: PTH208
                return None
            time.sleep(_LOOK_SECONDS)  # one that was joined is still there for an instant
        return "a native library that it uses left threads"

    def _open_files(self) -> str | None:
        listed = os.listdir(_DESCRIPTORS)  # noqa: PTH208
        opened = [file for name in listed if name not in self._descriptors and (file := _leads_to(name)) is not None]
        if _EVENT_POLL in opened:
            return "it left an event loop open"
        return f"it left {len(opened)} open files" if len(opened) > _MOST_DESCRIPTORS else None

    def _growth(self) -> str | None:
        grown = (peak_memory() or 0) - self._memory
        return f"its memory grew by {grown / 2**20:.0f} MB" if grown > _MOST_GROWTH else None


def _leads_to(descriptor: str) -> str | None:
    try:
        return os.readlink(f"{_DESCRIPTORS}/{descriptor}")  # noqa: PTH115 - as above
    except FileNotFoundError:
        return None
