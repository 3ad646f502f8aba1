"""How a service becomes a process: as a program of its own, or as a fork that shares what its starter has loaded."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import logging
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, Protocol, TypeAlias

from ..execution.fork_safety import fork, reason_not_to_fork

__all__ = ["ServiceProcess", "Starter", "as_program", "forked_where_safe"]


class ServiceProcess(Protocol):
    """A child process; a `subprocess.Popen` is one."""

    pid: int

    def wait(self) -> int:
        """Wait for its end; its exit code, or minus the number of the signal that ended it."""
        ...


Starter: TypeAlias = Callable[[Sequence[str], int], ServiceProcess]
"""Starts the command of `penstock` with these words, and lets it inherit the descriptor of its lifeline. What it starts
leads a session of its own, so that Ctrl-C in a terminal reaches its starter alone."""

_M_ARENA_MAX = -8  # of the C library's <malloc.h>
_STOPPING = (signal.SIGINT, signal.SIGTERM)


def as_program(words: Sequence[str], lifeline: int) -> ServiceProcess:
    """Start the command in a new interpreter; as the command does, it looks for nothing in the present folder."""
    return subprocess.Popen(  # noqa: S603 - our own command
        (sys.executable, "-P", "-m", "penstock.cli.main", *words),
        stdin=subprocess.DEVNULL,
        pass_fds=(lifeline,),
        start_new_session=True,
    )


def forked_where_safe(command_line: Callable[[], None]) -> Starter:
    """What starts commands as forks of this process, and as programs once threads are there that a fork would lose.

    Args:
        command_line: Runs the command whose words are in `sys.argv`; it ends by returning or by SystemExit.
    """

    def start(words: Sequence[str], lifeline: int) -> ServiceProcess:
        if reason_not_to_fork() is not None:
            return as_program(words, lifeline)
        gc.freeze()  # a collection in the fork would touch all that it shares, and so copy it
        _flush()
        # A signal that comes before the fork has its own handlers must not be lost in a copy of ours.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
        pid = fork()
        if pid == 0:
            _be_service(command_line, words, lifeline)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
        return _Forked(pid)

    return start


class _Forked:
    """A fork of this process."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def wait(self) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def _be_service(command_line: Callable[[], None], words: Sequence[str], lifeline: int) -> NoReturn:
    code: object = 1
    try:
        _begin_anew(lifeline)
        sys.argv = ["penstock", *words]
        _show(sys.argv)
        command_line()
        code = 0
    except SystemExit as end:
        code = end.code or 0
    except BaseException:  # noqa: BLE001 - the process ends here, as a program does at an error
        traceback.print_exc()
    finally:
        try:
            _flush()
        finally:
            os._exit(code if isinstance(code, int) else 1)  # whatever happened: what follows is our starter's work


def _begin_anew(lifeline: int) -> None:
    """Be a process of one's own: a session, no input, no descriptor of the starter's, signals and logging anew."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for descriptor in map(int, os.listdir("/proc/self/fd")):  # noqa: PTH208 - numbers, no paths
        if descriptor > 2 and descriptor != lifeline:
            with contextlib.suppress(OSError):  # the one that the list was read with
                os.close(descriptor)
    logging.getLogger().handlers.clear()
    with contextlib.suppress(AttributeError):  # other C libraries have no such thing
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)  # Python's threads take turns; a heap for each would be half empty


def _show(words: Sequence[str]) -> None:
    """Show these words as the command line of this process, as far as the system lets us and has room for them."""
    fields = Path("/proc/self/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    begin, end = int(fields[45]), int(fields[46])  # arg_start and arg_end, the 48th and 49th of all
    shown = "\0".join(words).encode()[: end - begin - 1].ljust(end - begin, b"\0")
    with contextlib.suppress(OSError), Path("/proc/self/mem").open("r+b", buffering=0) as memory:
        memory.seek(begin)
        memory.write(shown)


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
