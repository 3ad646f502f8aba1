"""Runs each attempt of a step in a process of its own, forked from the run worker.

A step's process inherits the loaded code and the plan,
captures its own output, sends its facts through a pipe, and is killed by the system if the worker dies.
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
from .child import die_with, run_child
from .driver import Gone, Listener
from .loop import Loop
from .memory_kills import MemoryKills
from .recorder import Recorder
from .scope import RunScope
from .step_process import StepProcess, fork

__all__ = ["ForkedAttempts"]


class ForkedAttempts:
    """Forks a process for each attempt.

    Args:
        scope: The run.
        recorder: Takes the facts of the worker itself.
    """

    def __init__(self, scope: RunScope, recorder: Recorder) -> None:
        self._scope = scope
        self._recorder = recorder
        self._processes: dict[str, StepProcess] = {}
        self._done: dict[str, StepDone] = {}
        self._kills = MemoryKills()

    def begin(self, loop: Loop, listener: Listener) -> None:
        """Let children share what is loaded."""
        gc.freeze()  # a collection would touch it
        self._loop, self._listener = loop, listener

    def start(self, start: Start) -> None:
        """Fork a process for the attempt."""
        if not self._processes:
            self._kills.disregard(self._kills.count())  # they were none of ours
        self._recorder.emit(StepWorkerStarting(), start.step)
        reading, writing = os.pipe()
        pid = fork(partial(self._be_child, start, reading, writing))
        os.close(writing)
        said = partial(self._done.__setitem__, start.step)
        process = self._processes[start.step] = StepProcess(pid, reading, self._listener.hear, said)
        self._loop.add(process)

    def will_fork(self) -> bool:
        """Always."""
        return True

    def ask_to_stop(self, step: str) -> None:
        """Send SIGTERM."""
        self._signal(step, signal.SIGTERM)

    def kill(self, step: str) -> None:
        """Send SIGKILL."""
        self._signal(step, signal.SIGKILL)

    def gone(self) -> Iterator[Gone]:
        """Attempts whose processes have ended, once all that they sent is taken."""
        for step, process in list(self._processes.items()):
            ended = process.ending()
            if ended is not None:
                del self._processes[step]
                self._loop.remove(process)
                process.close()
                done = self._done.pop(step, None)
                yield ended.gone(step, self._kills) if done is None else Gone(step, done)

    def close(self) -> None:
        """Kill what still runs."""
        for process in self._processes.values():
            self._loop.remove(process)
            process.end()
        self._processes.clear()

    def _signal(self, step: str, number: signal.Signals) -> None:
        process = self._processes.get(step)
        if process is not None:
            process.signal(number)

    def _be_child(self, start: Start, reading: int, writing: int, parent: int) -> None:
        os.close(reading)
        self._loop.forget()
        die_with(parent)
        for process in self._processes.values():
            process.close()
        run_child(self._scope, start, writing)
