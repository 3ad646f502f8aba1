"""A forked process of the run worker in which steps run, as the worker sees it: started, heard, reaped."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Callable

import msgspec

from ..engine.memory_verdict import UNKNOWN, MemoryVerdict, why_killed
from ..records.event import Event
from ..records.step_figures import StepFigures
from ..records.wire import StepDone, StepEvents, StepMessage
from .driver import Gone
from .frames import FrameReader
from .interrupt import INTERRUPTS
from .left_behind import end_what_is_left, mark_this_process
from .memory_kills import MemoryKills
from .meter import memory_of

__all__ = ["Ending", "StepProcess", "fork", "how_it_ended"]

_CHUNK = 1 << 16
_STOPPING = (signal.SIGTERM, signal.SIGINT)


class StepProcess:
    """A process, and a watch on what it sends.

    Args:
        pid: Its id; it is not reaped yet.
        descriptor: The end of the pipe that is read here.
        hear: Takes each event that it sends.
        done: Takes how an attempt did, when it says so.
    """

    def __init__(self, pid: int, descriptor: int, hear: Callable[[Event], None], done: Callable[[StepDone], None]):
        self.pid = pid
        self._descriptor = descriptor
        self._reader: FrameReader[StepMessage] = FrameReader(StepMessage)
        self._hear = hear
        self._done = done
        os.set_blocking(descriptor, False)

    def fileno(self) -> int:
        """Where it sends to; -1 once it has closed that."""
        return self._descriptor

    def due_in(self) -> float | None:
        """Never by itself."""
        return None

    def attend(self) -> None:
        """Take a chunk of what it has sent; the next one when the others have had their turn."""
        self._read(chunks=1)

    def ending(self) -> Ending | None:
        """How it ended, once all that it sent is taken; None while it lives. What it has started ends with it."""
        if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return None
        _signal_group(self.pid, signal.SIGKILL)  # before it is reaped, so that the number is still its own
        _, status, usage = os.wait4(self.pid, 0)
        self._read(chunks=None)
        code = os.waitstatus_to_exitcode(status)
        if code:
            # It had no time to look after its own. After a good end, what left its group may live as long as the run.
            end_what_is_left(self.pid, everywhere=True)
        return Ending(
            pid=self.pid,
            code=code,
            cpu=usage.ru_utime + usage.ru_stime,
            peak_memory=memory_of(usage.ru_maxrss),
        )

    def close(self) -> None:
        """Take nothing more."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it and to what it has started; it is not reaped yet, so the number is still its own."""
        if not _signal_group(self.pid, number):
            os.kill(self.pid, number)

    def end(self) -> None:
        """Kill it and what it has started, and wait for its end."""
        self.signal(signal.SIGKILL)
        os.waitpid(self.pid, 0)
        end_what_is_left(self.pid, everywhere=True)
        self.close()

    def _read(self, chunks: int | None) -> None:
        while self._descriptor >= 0 and chunks != 0:
            chunks = None if chunks is None else chunks - 1
            try:
                data = os.read(self._descriptor, _CHUNK)
            except BlockingIOError:
                return
            if not data:
                self.close()
                return
            for message in self._reader.feed(data):
                match message:
                    case StepDone():
                        self._done(message)
                    case StepEvents(events=events):
                        for event in events:
                            self._hear(event)


def fork(be_child: Callable[[int], None]) -> int:
    """Fork; the child calls `be_child` with this process's id, and ends after it. Gives the child's id.

    The child leads a group of its own, so that what it starts can be ended with it; not where this process shares its
    session, since a terminal would stop such a group when it reads from it.
    """
    parent = os.getpid()
    own_group = os.getsid(0) == parent
    _flush_output()
    # A signal that comes between fork and the child's own handlers must reach the child, not a copy of our state.
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
    pid = os.fork()
    if own_group:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # both do it, whoever comes first
            os.setpgid(pid, 0)
    if pid:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
        return pid
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        INTERRUPTS.reset()
        INTERRUPTS.install(*_STOPPING)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
        mark_this_process()
        be_child(parent)
        code = 0
    except BaseException:  # noqa: BLE001 - the process ends here; the worker tells of an end without an outcome
        traceback.print_exc()
    finally:
        try:
            _flush_output()
        finally:
            os._exit(code)  # whatever happened: what follows in the callers is the worker's work


def _signal_group(leader: int, number: signal.Signals) -> bool:
    """Signal a group; False when nobody leads it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, number)
        return True
    return False


def _flush_output() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError, OSError):  # none, closed by user code, or the disk is full
            stream.flush()


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a process ended: by its exit code (negative: the signal that killed it), and what it used."""

    pid: int
    code: int
    cpu: float
    peak_memory: int

    def gone(self, step: str, kills: MemoryKills, *, shared: bool = False) -> Gone:
        """What is told of the attempt that it was at.

        Args:
            step: Whose attempt.
            kills: Knows whether the kernel killed it because memory ran out.
            shared: Whether it had other attempts before.
        """
        verdict = kills.verdict() if self.code == -signal.SIGKILL else UNKNOWN
        return Gone(
            step,
            where=f"The process {self.pid} of the step",
            how=how_it_ended(self.code, verdict, self.peak_memory),
            figures=StepFigures(cpu=None if shared else self.cpu, peak_memory=self.peak_memory, shared=shared),
            out_of_memory=bool(verdict.by_kernel),
        )


def how_it_ended(code: int, verdict: MemoryVerdict = UNKNOWN, peak: int | None = None) -> str:
    """How a process ended, from its exit code (negative: the signal that killed it), as the rest of a sentence.

    Args:
        code: The exit code.
        verdict: What is known of memory that ran out.
        peak: The most memory that it had resident, in bytes, if that is known.
    """
    if code >= 0:
        return f"ended with exit code {code} before the step was done; look at its captured output."
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = "unknown"
    why = f" {why_killed(verdict, peak)}" if -code == signal.SIGKILL else ""
    return f"was killed by signal {-code} ({name}).{why}"
