"""What the worker of a run waits for, in its one thread: descriptors, times, signals, ends of child processes."""

from __future__ import annotations

import os
import selectors
import signal
from types import TracebackType
from typing import Protocol

__all__ = ["Loop", "Watch", "Watches"]


class Watch(Protocol):
    """Something that a loop attends to."""

    def fileno(self) -> int:
        """A descriptor that is readable when it wants attention; -1 if it has none, or none any more."""
        ...

    def due_in(self) -> float | None:
        """Seconds until it wants attention by itself; None if it does not."""
        ...

    def attend(self) -> None:
        """Give it attention."""
        ...


class Watches(Protocol):
    """What attends to watches: the loop below, or another one."""

    def add(self, watch: Watch) -> None:
        """Attend to a watch from now on."""
        ...

    def remove(self, watch: Watch) -> None:
        """Attend to a watch no more; before its descriptor is closed."""
        ...


class Loop:
    """Attends to watches while it is entered, as a context.

    It must be entered in the main thread: a signal, or the end of a child process, ends a wait.
    """

    def __init__(self) -> None:
        self._selector = selectors.PollSelector()  # not epoll, which would go on watching what a child inherited
        self._watches: dict[Watch, int] = {}  # with the descriptor under which each is registered
        self._bell = (-1, -1)

    def __enter__(self) -> Loop:
        self._bell = _pipe()
        self._before = (signal.set_wakeup_fd(self._bell[1]), signal.signal(signal.SIGCHLD, lambda *_: None))
        self._selector.register(self._bell[0], selectors.EVENT_READ)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.set_wakeup_fd(self._before[0])
        signal.signal(signal.SIGCHLD, self._before[1])
        self._selector.close()
        for each in self._bell:
            os.close(each)

    def add(self, watch: Watch) -> None:
        """Attend to a watch from now on."""
        descriptor = self._watches[watch] = watch.fileno()
        if descriptor >= 0:
            self._selector.register(descriptor, selectors.EVENT_READ, watch)

    def remove(self, watch: Watch) -> None:
        """Attend to a watch no more; before its descriptor is closed."""
        descriptor = self._watches.pop(watch)
        if descriptor >= 0:
            self._selector.unregister(descriptor)

    def wait(self, longest: float | None) -> None:
        """Wait until something happens, at most so many seconds, and attend to each watch that wants it."""
        dues = [longest, *(watch.due_in() for watch in self._watches)]
        timeout = max(0.0, min((each for each in dues if each is not None), default=3600.0))
        for key, _ in self._selector.select(timeout):
            watch: Watch | None = key.data
            if watch is None:
                _drain(self._bell[0])
            elif watch in self._watches:  # it may have gone on behalf of one before it
                watch.attend()
                self._see_closed(watch)
        for watch in list(self._watches):
            due = watch.due_in()
            if due is not None and due <= 0 and watch in self._watches:
                watch.attend()

    def forget(self) -> None:
        """In a fork: close what is this loop's own."""
        for each in self._bell:
            os.close(each)

    def _see_closed(self, watch: Watch) -> None:
        """Wait no more for a descriptor that a watch has closed."""
        descriptor = self._watches.get(watch, -1)
        if descriptor >= 0 and watch.fileno() < 0:
            self._selector.unregister(descriptor)
            self._watches[watch] = -1


def _pipe() -> tuple[int, int]:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    return reading, writing


def _drain(descriptor: int) -> None:
    try:
        while os.read(descriptor, 512):
            pass
    except BlockingIOError:
        return
