"""Runs each attempt of a step in a process of its own, forked from the run worker.

The worker has no threads of its own, so that a fork is safe. A step's process inherits the loaded code and the plan,
captures its own output, sends its facts through a pipe, and is killed by the system if the worker dies.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator

from ..engine.memory_verdict import UNKNOWN, MemoryVerdict, why_killed
from ..engine.step_messages import Start
from ..records.event import EngineNote, StepWorkerStarting
from ..records.step_figures import StepFigures
from ..records.wire import StepDone, StepEvents, StepMessage
from .child import attempt_alone, die_with, run_child
from .driver import Gone, Listener
from .frames import FrameReader
from .interrupt import INTERRUPTS
from .loop import Loop
from .memory_kills import MemoryKills
from .meter import Meter, memory_of
from .recorder import Recorder
from .scope import RunScope

__all__ = ["ForkedAttempts"]

_CHUNK = 1 << 16
_STOPPING = (signal.SIGTERM, signal.SIGINT)


class _StepProcess:
    """The process of an attempt: a watch on what it sends."""

    def __init__(self, step: str, pid: int, descriptor: int, listener: Listener) -> None:
        self.step = step
        self.pid = pid
        self.done: StepDone | None = None
        self._descriptor = descriptor
        self._reader: FrameReader[StepMessage] = FrameReader(StepMessage)
        self._listener = listener

    def fileno(self) -> int:
        """Where it sends to; -1 once it has closed that."""
        return self._descriptor

    def due_in(self) -> float | None:
        """Never by itself."""
        return None

    def attend(self) -> None:
        """Take a chunk of what it has sent; the next one when the others have had their turn."""
        self._read(chunks=1)

    def finish(self) -> None:
        """Take the rest of what it has sent."""
        self._read(chunks=None)
        self.close()

    def close(self) -> None:
        """Take nothing more."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

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
                        self.done = message
                    case StepEvents(events=events):
                        for event in events:
                            self._listener.hear(event)


class ForkedAttempts:
    """Forks a process for each attempt.

    Args:
        scope: The run.
        recorder: Takes the facts of the worker itself.
    """

    def __init__(self, scope: RunScope, recorder: Recorder) -> None:
        self._scope = scope
        self._recorder = recorder
        self._processes: dict[str, _StepProcess] = {}
        self._ran_here: list[Gone] = []
        self._memory_kills = MemoryKills()

    def begin(self, loop: Loop, listener: Listener) -> None:
        """Let children share what is loaded."""
        gc.freeze()  # a collection would touch it
        self._loop, self._listener = loop, listener
        loop.add(self)

    def start(self, start: Start) -> None:
        """Fork a process for the attempt; run it here where that is not safe."""
        others = [each.name for each in threading.enumerate() if each is not threading.current_thread()]
        if others:
            self._run_here(start, others)
            return
        if not self._processes:
            self._memory_kills.disregard(self._memory_kills.count())  # they were none of ours
        self._recorder.emit(StepWorkerStarting(), start.step)
        reading, writing = os.pipe()
        pid = _fork(lambda parent: self._be_child(start, reading, writing, parent))
        os.close(writing)
        os.set_blocking(reading, False)
        process = self._processes[start.step] = _StepProcess(start.step, pid, reading, self._listener)
        self._loop.add(process)

    def ask_to_stop(self, step: str) -> None:
        """Send SIGTERM."""
        self._signal(step, signal.SIGTERM)

    def kill(self, step: str) -> None:
        """Send SIGKILL."""
        self._signal(step, signal.SIGKILL)

    def gone(self) -> Iterator[Gone]:
        """Attempts whose processes have ended, once all that they sent is taken."""
        while self._ran_here:
            yield self._ran_here.pop()
        for step, process in list(self._processes.items()):
            reaped, status, usage = os.wait4(process.pid, os.WNOHANG)
            if reaped:
                del self._processes[step]
                self._loop.remove(process)
                process.finish()
                if process.done is not None:
                    yield Gone(step, process.done)
                    continue
                code, peak = os.waitstatus_to_exitcode(status), memory_of(usage.ru_maxrss)
                verdict = self._memory_kills.verdict() if code == -signal.SIGKILL else UNKNOWN
                yield Gone(
                    step,
                    where=f"The process {process.pid} of the step",
                    how=_how(code, verdict, peak),
                    figures=StepFigures(cpu=usage.ru_utime + usage.ru_stime, peak_memory=peak),
                    out_of_memory=bool(verdict.by_kernel),
                )

    def close(self) -> None:
        """Kill what still runs."""
        for step in self._processes:
            self._signal(step, signal.SIGKILL)
        for process in self._processes.values():
            os.waitpid(process.pid, 0)
            self._loop.remove(process)
            process.close()
        self._processes.clear()

    def fileno(self) -> int:
        """None."""
        return -1

    def due_in(self) -> float | None:
        """At once where an attempt ran here and is over."""
        return 0.0 if self._ran_here else None

    def attend(self) -> None:
        """Nothing to do: whoever waits looks for what is gone."""

    def _signal(self, step: str, number: signal.Signals) -> None:
        process = self._processes.get(step)
        if process is not None:
            os.kill(process.pid, number)  # not yet reaped, so the number is still its own

    def _run_here(self, start: Start, threads: Iterable[str]) -> None:
        """Run a step in this process, since a fork of a process with threads may hang."""
        names = ", ".join(sorted(threads))
        self._recorder.emit(
            EngineNote(
                message=f"Step {start.step} runs in the run's own process: the code started threads ({names}), and a "
                "process with threads cannot be forked safely. Start threads inside ops or resources instead."
            ),
            start.step,
        )
        meter = Meter(self._scope.environment.clock.monotonic, start.queued)
        self._ran_here.append(Gone(start.step, attempt_alone(self._scope, start, self._recorder, meter)))

    def _be_child(self, start: Start, reading: int, writing: int, parent: int) -> None:
        os.close(reading)
        self._loop.forget()
        die_with(parent)
        for process in self._processes.values():
            process.close()
        run_child(self._scope, start, writing)


def _fork(be_child: Callable[[int], None]) -> int:
    """Fork; the child calls `be_child` with this process's id, and ends after it."""
    parent = os.getpid()
    _flush_output()
    # A signal that comes between fork and the child's own handlers must reach the child, not a copy of our state.
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
    pid = os.fork()
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
        be_child(parent)
        code = 0
    except BaseException:  # noqa: BLE001 - the process ends here; the worker tells of an end without an outcome
        traceback.print_exc()
    finally:
        try:
            _flush_output()
        finally:
            os._exit(code)  # whatever happened: what follows in the callers is the worker's work


def _flush_output() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError, OSError):  # none, closed by user code, or the disk is full
            stream.flush()


def _how(code: int, verdict: MemoryVerdict, peak: int) -> str:
    """How a process ended, from its exit code (negative: the signal that killed it)."""
    if code >= 0:
        return f"ended with exit code {code} before the step was done; look at its captured output."
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = "unknown"
    why = f" {why_killed(verdict, peak)}" if -code == signal.SIGKILL else ""
    return f"was killed by signal {-code} ({name}).{why}"
