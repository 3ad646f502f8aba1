"""Virtual time: many processes of many tasks, of which one works at a time, in an order that a seed decides.

Each task is a greenlet, so the code under test is the real one. A task gives way where it waits (sleeps, waits for an
event) and where the simulation makes it (calls of the storage). Time passes when everybody waits.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from random import Random
from typing import Any

from greenlet import getcurrent, greenlet

__all__ = ["Killed", "Process", "Simulation", "VirtualEvent", "VirtualExecutor"]


class Killed(BaseException):
    """Ends a task of a process that was killed; no `except Exception` stops it."""


class Process:
    """Tasks that live and die together.

    Attributes:
        dead: Whether it was killed.
        frozen_until: Until when none of its tasks works, as after SIGSTOP.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.dead = False
        self.frozen_until = 0.0
        self.tasks: dict[_Task, None] = {}  # in the order in which they were begun

    @property
    def is_steady(self) -> bool:
        """Whether it lives and was never stopped."""
        return not self.dead and self.frozen_until == 0.0


class _Task:
    """Something that a process does; see `Simulation.spawn`."""

    def __init__(self, hub: greenlet, process: Process, work: Callable[[], object]) -> None:
        self.thread = greenlet(self._work, parent=hub)
        self.process = process
        self.planned = 0  # the number of its valid entry in the agenda
        self._do = work

    def _work(self) -> None:
        try:
            if not self.process.dead:
                self._do()
        except Killed:
            pass
        finally:
            del self.process.tasks[self]


class Simulation:
    """The agenda.

    Args:
        seed: Decides everything that is left to chance.
        start: The time of day at the beginning, in seconds since the epoch.
    """

    def __init__(self, seed: int, start: float) -> None:
        self.random = Random(seed)
        self.time = 0.0  # since the beginning
        self._slept = 0.0  # how much of it was leapt over
        self._ahead = start  # what the time of day is ahead of it
        self._agenda: list[tuple[float, int, _Task]] = []
        self._numbers = itertools.count(1)
        self._current: _Task | None = None
        self._hub = getcurrent()

    # -- the clock ----------------------------------------------------------------------------------------------------

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._ahead + self.time

    def monotonic(self) -> float:
        """Seconds that have passed while the machines did not sleep."""
        return self.time - self._slept

    def jump(self, seconds: float) -> None:
        """Set the time of day forward or back."""
        self._ahead += seconds

    def leap(self, seconds: float) -> None:
        """Let so much time pass in which nothing works anywhere, as when all machines sleep: what waits for a time
        waits so much longer."""
        for process in {task.process for _, _, task in self._agenda}:
            if process.frozen_until > self.time:
                process.frozen_until += seconds
        self.time += seconds
        self._slept += seconds
        self._agenda = [(at + seconds, number, task) for at, number, task in self._agenda]  # in the same order

    # -- tasks --------------------------------------------------------------------------------------------------------

    def spawn(self, process: Process, work: Callable[[], object], *, after: float = 0.0) -> None:
        """Let a process do something beside what it does."""
        task = _Task(self._hub, process, work)
        process.tasks[task] = None
        self._plan(task, self.time + after)

    def sleep(self, seconds: float) -> None:
        """Let time pass for the task that calls this; others work meanwhile."""
        self._plan(self._me(), self.time + seconds)
        self._give_way()

    def wait(self, event: VirtualEvent, seconds: float) -> None:
        """Wait until the event is set, for so long at most."""
        if event.is_set():
            return
        task = self._me()
        event.waiting = task
        self._plan(task, self.time + seconds)
        try:
            self._give_way()
        finally:
            event.waiting = None

    def wake(self, task: _Task) -> None:
        """Let a task that waits work next."""
        self._plan(task, self.time)

    def kill(self, process: Process) -> None:
        """End every task of a process where it is; nothing that it would still do has any effect."""
        process.dead = True
        for task in list(process.tasks):
            if task is not self._current:
                self._plan(task, self.time)

    def run(self, seconds: float) -> None:
        """Let so much time pass. Raises what a task raised."""
        end = self.time + seconds
        while self._agenda and self._agenda[0][0] <= end:
            at, number, task = heapq.heappop(self._agenda)
            if number != task.planned or task.thread.dead:
                continue
            self.time = max(self.time, at)
            if task.process.frozen_until > self.time and not task.process.dead:
                self._plan(task, task.process.frozen_until)
                continue
            self._current = task
            task.thread.switch()
            self._current = None
        self.time = end

    @property
    def current(self) -> Process | None:
        """The process whose task works now."""
        return None if self._current is None else self._current.process

    def _me(self) -> _Task:
        assert self._current is not None, "only tasks of the simulation wait in it"
        return self._current

    def _plan(self, task: _Task, at: float) -> None:
        task.planned = next(self._numbers)
        heapq.heappush(self._agenda, (at, task.planned, task))

    def _give_way(self) -> None:
        task = self._me()
        self._hub.switch()
        if task.process.dead:
            raise Killed


class VirtualEvent(threading.Event):
    """An event whose waiter wakes in virtual time."""

    def __init__(self, simulation: Simulation) -> None:
        super().__init__()
        self._simulation = simulation
        self.waiting: _Task | None = None

    def set(self) -> None:
        """Wake who waits."""
        super().set()
        if self.waiting is not None:
            self._simulation.wake(self.waiting)
            self.waiting = None


class VirtualExecutor(Executor):
    """Does what is submitted in tasks of a process, no more than so many at once.

    Args:
        simulation: Where they work.
        process: Whose they are.
        workers: How many at once.
    """

    def __init__(self, simulation: Simulation, process: Process, workers: int) -> None:
        self._simulation = simulation
        self._process = process
        self._free = workers
        self._queue: list[Callable[[], None]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Do it as soon as a worker is free."""
        future: Future[Any] = Future()

        def work() -> None:
            try:
                future.set_result(fn(*args, **kwargs))
            except Exception as error:  # noqa: BLE001 - the future's
                future.set_exception(error)
            self._free += 1
            self._next()

        self._queue.append(work)
        self._next()
        return future

    def _next(self) -> None:
        if self._queue and self._free:
            self._free -= 1
            self._simulation.spawn(self._process, self._queue.pop(0))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Nothing: the process is killed."""
