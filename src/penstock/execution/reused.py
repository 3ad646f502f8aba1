"""Runs attempts of steps in forked processes that each take many, one after another: for many small steps.

What an attempt is given is the same as in a process of its own, but for what the attempts before it left behind in the
process: loaded modules, globals, the working directory.
"""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator
from functools import partial

from ..engine.step_messages import Start
from ..records.event import StepWorkerStarting
from ..records.wire import StepDone
from .child import die_with, serve_attempts
from .driver import Gone, Listener
from .frames import write_frame
from .loop import Loop
from .memory_kills import MemoryKills
from .recorder import Recorder
from .scope import RunScope
from .step_process import StepProcess, fork

__all__ = ["ReusedProcesses"]


class _Worker:
    """A process, where to order from it, and whose attempt it runs."""

    __slots__ = ("orders", "process", "step")

    def __init__(self, orders: int) -> None:
        self.orders = orders
        self.process: StepProcess
        self.step: str | None = None

    def retire(self) -> None:
        """Order nothing more: it ends by itself."""
        if self.orders >= 0:
            os.close(self.orders)
            self.orders = -1


class ReusedProcesses:
    """Forks a process when an attempt finds none idle.

    Args:
        scope: The run.
        recorder: Takes the facts of the worker itself.
    """

    def __init__(self, scope: RunScope, recorder: Recorder) -> None:
        self._scope = scope
        self._recorder = recorder
        self._workers: list[_Worker] = []
        self._idle: list[_Worker] = []
        self._busy: dict[str, _Worker] = {}
        self._gone: list[Gone] = []
        self._kills = MemoryKills()

    def begin(self, loop: Loop, listener: Listener) -> None:
        """Let children share what is loaded."""
        gc.freeze()  # a collection would touch it
        self._loop, self._listener = loop, listener

    def start(self, start: Start) -> None:
        """Hand the attempt to the process that was idle last, or to a new one."""
        self._recorder.emit(StepWorkerStarting(), start.step)
        while self._idle:
            worker = self._idle.pop()
            try:
                write_frame(worker.orders, start)  # it waits for an order, so it reads
            except BrokenPipeError:
                worker.retire()  # it was killed while it was idle; it is reaped with the others
                continue
            break
        else:
            worker = self._fork()
            write_frame(worker.orders, start)
        worker.step = start.step
        self._busy[start.step] = worker

    def will_fork(self) -> bool:
        """Whether no process is idle."""
        return not self._idle

    def ask_to_stop(self, step: str) -> None:
        """Send SIGTERM."""
        self._signal(step, signal.SIGTERM)

    def kill(self, step: str) -> None:
        """Send SIGKILL."""
        self._signal(step, signal.SIGKILL)

    def gone(self) -> Iterator[Gone]:
        """Attempts that their processes have told to the end, and those whose processes have ended."""
        for worker in list(self._workers):
            ended = worker.process.ending()
            if ended is None:
                continue
            self._workers.remove(worker)
            if worker in self._idle:
                self._idle.remove(worker)
            worker.retire()
            self._loop.remove(worker.process)
            worker.process.close()
            if worker.step is not None:
                del self._busy[worker.step]
                self._gone.append(ended.gone(worker.step, self._kills, shared=True))
        gone, self._gone = self._gone, []
        yield from gone

    def leaving(self) -> bool:
        """Never: a process is ready for the next attempt when it has told the end of one."""
        return False

    def close(self) -> None:
        """Kill all processes."""
        for worker in self._workers:
            worker.retire()
            self._loop.remove(worker.process)
            worker.process.end()
        self._workers.clear()

    def _fork(self) -> _Worker:
        their_orders, orders = os.pipe()
        reading, writing = os.pipe()
        pid = fork(partial(self._be_child, (orders, reading), their_orders, writing))
        os.close(their_orders)
        os.close(writing)
        if not self._workers:
            self._kills.disregard(self._kills.count())  # they were none of ours
        worker = _Worker(orders)
        worker.process = StepProcess(pid, reading, self._listener.hear, partial(self._finish, worker))
        self._loop.add(worker.process)
        self._workers.append(worker)
        return worker

    def _be_child(self, theirs: tuple[int, int], orders: int, writing: int, parent: int) -> None:
        for each in theirs:
            os.close(each)
        self._loop.forget()
        die_with(parent)
        for worker in self._workers:
            worker.retire()  # else they would not see the end of their orders
            worker.process.close()
        serve_attempts(self._scope, orders, writing)

    def _finish(self, worker: _Worker, done: StepDone) -> None:
        step, worker.step = worker.step, None
        assert step is not None, "a process told the end of an attempt that it was not given"
        del self._busy[step]
        self._gone.append(Gone(step, done))
        if done.retires:
            worker.retire()
        else:
            self._idle.append(worker)

    def _signal(self, step: str, number: signal.Signals) -> None:
        worker = self._busy.get(step)
        if worker is not None:
            worker.process.signal(number)
