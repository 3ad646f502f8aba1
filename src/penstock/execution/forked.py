"""Runs each attempt of a step in a process of its own, forked from the run worker.

A step's process inherits the loaded code and the plan, captures its own output, sends its facts through a pipe, and is
killed by the system if the worker dies.

An attempt is over when its process has told how it did. What the process held, memory and locks and ports, is free only
when it is gone, some milliseconds later. The next processes are forked meanwhile, and begin with their steps once those
are gone that were leaving when they were forked.
"""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

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


class _Held(NamedTuple):
    """A process that waits until others are gone: the write end of the pipe whose end it awaits, and those others."""

    release: int
    others: set[StepProcess]


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
        self._leaving: list[StepProcess] = []
        self._held: list[_Held] = []
        self._kills = MemoryKills()

    def begin(self, loop: Loop, listener: Listener) -> None:
        """Let children share what is loaded."""
        gc.freeze()  # a collection would touch it
        self._loop, self._listener = loop, listener

    def start(self, start: Start) -> None:
        """Fork a process for the attempt."""
        if not self._processes and not self._leaving:
            self._kills.disregard(self._kills.count())  # they were none of ours
        self._recorder.emit(StepWorkerStarting(), start.step)
        reading, writing = os.pipe()
        waiting, release = os.pipe() if self._leaving else (-1, -1)
        pid = fork(partial(self._be_child, start, (reading, release), writing, waiting))
        os.close(writing)
        if self._leaving:
            os.close(waiting)
            self._held.append(_Held(release, {*self._leaving}))
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
        """Attempts whose processes have told how they did, or have ended, once all that they sent is taken."""
        for step in [each for each in self._processes if each in self._done]:
            self._leaving.append(self._processes.pop(step))
            yield Gone(step, self._done.pop(step))
        for step, process in list(self._processes.items()):
            ended = process.ending()
            if ended is not None:
                del self._processes[step]
                self._bury(process)
                done = self._done.pop(step, None)  # its last word, read just now
                yield ended.gone(step, self._kills) if done is None else Gone(step, done)
        self._see_off()

    def leaving(self) -> bool:
        """Whether a process that has told how its attempt did is still there."""
        return bool(self._leaving)

    def close(self) -> None:
        """Kill what still runs."""
        for process in (*self._processes.values(), *self._leaving):
            self._loop.remove(process)
            process.end()
        for held in self._held:
            os.close(held.release)
        self._processes.clear()
        self._leaving.clear()
        self._held.clear()

    def _see_off(self) -> None:
        """Reap what is gone, and let those begin that have waited for it."""
        for process in [each for each in self._leaving if each.ending() is not None]:
            self._leaving.remove(process)
            self._bury(process)
            for held in self._held:
                held.others.discard(process)
        for held in [each for each in self._held if not each.others]:
            self._held.remove(held)
            os.close(held.release)

    def _bury(self, process: StepProcess) -> None:
        self._loop.remove(process)
        process.close()

    def _signal(self, step: str, number: signal.Signals) -> None:
        process = self._processes.get(step)
        if process is not None:
            process.signal(number)

    def _be_child(self, start: Start, ours: tuple[int, int], writing: int, waiting: int, parent: int) -> None:
        for each in (*ours, *(held.release for held in self._held)):
            if each >= 0:
                os.close(each)
        self._loop.forget()
        die_with(parent)
        for process in (*self._processes.values(), *self._leaving):
            process.close()
        run_child(self._scope, start, writing, waiting)
