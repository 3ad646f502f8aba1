"""Keeps processes running: starts them, starts again those that die, and stops them all in the end.

Each process holds one end of a pipe, its lifeline: when the keeper dies by any means, the other end closes and the
process stops by itself.
"""

from __future__ import annotations

import logging
import os
import select
import selectors
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from ..clock import SYSTEM_CLOCK, Clock
from .backoff import STEADY_SECONDS, restart_delay
from .endings import describe_exit
from .service_process import ServiceProcess, Starter, as_program

__all__ = ["Command", "ProcessKeeper"]

logger = logging.getLogger("penstock.processes")

Command: TypeAlias = Callable[[int], Sequence[str]]
"""The words of a process's command, given the number of its lifeline descriptor."""


class _Kept:
    """One process and its history."""

    def __init__(self, name: str, command: Command) -> None:
        self.name = name
        self.command = command
        self.process: ServiceProcess | None = None
        self.pidfd = -1
        self.started = 0.0
        self.failures = 0
        self.due = 0.0


class ProcessKeeper:
    """Starts and watches processes in a thread of its own.

    Args:
        groups: Groups of processes by name, in the order to start them; groups are stopped in the opposite order.
        start: Starts a process.
        clock: Tells the time.
    """

    def __init__(
        self, *groups: Mapping[str, Command], start: Starter = as_program, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._groups = [[_Kept(name, command) for name, command in group.items()] for group in groups]
        self._kept = [kept for group in self._groups for kept in group]
        self._start_process = start
        self._clock = clock
        self._selector = selectors.DefaultSelector()
        self._wake_reader, self._wake_writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._selector.register(self._wake_reader, selectors.EVENT_READ)
        self._lifeline_reader, self._lifeline_writer = os.pipe2(os.O_CLOEXEC)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="process-keeper", daemon=True)

    def start(self) -> None:
        """Start every process and the watch over them."""
        for kept in self._kept:
            self._start(kept)
        self._thread.start()

    def pids(self) -> dict[str, int]:
        """The running processes by name."""
        return {kept.name: kept.process.pid for kept in self._kept if kept.process is not None}

    def stop(self, grace: float = 15.0) -> None:
        """TERM to all of a group, and KILL to those that are still there after `grace` seconds."""
        self._stopping.set()
        os.write(self._wake_writer, b"x")
        if self._thread.is_alive():
            self._thread.join()
        for group in reversed(self._groups):
            self._stop_group([kept for kept in group if kept.process is not None], grace)
        for descriptor in (self._lifeline_writer, self._lifeline_reader, self._wake_reader, self._wake_writer):
            os.close(descriptor)
        self._selector.close()

    # -- inside -------------------------------------------------------------------------------------------------------

    def _start(self, kept: _Kept) -> None:
        kept.process = self._start_process(kept.command(self._lifeline_reader), self._lifeline_reader)
        kept.started = self._clock.monotonic()
        kept.pidfd = os.pidfd_open(kept.process.pid)
        self._selector.register(kept.pidfd, selectors.EVENT_READ, kept)

    def _stop_group(self, group: Sequence[_Kept], grace: float) -> None:
        for kept in group:
            _signal(kept, signal.SIGTERM)
        deadline = self._clock.monotonic() + grace
        for kept in group:
            assert kept.process is not None
            ended, _, _ = select.select([kept.pidfd], [], [], max(0.0, deadline - self._clock.monotonic()))
            if not ended:
                logger.warning("%s did not stop within %g seconds and is killed.", kept.name, grace)
                _signal(kept, signal.SIGKILL)
            kept.process.wait()
            self._bury(kept)

    def _bury(self, kept: _Kept) -> None:
        if kept.pidfd >= 0:
            self._selector.unregister(kept.pidfd)
            os.close(kept.pidfd)
        kept.process, kept.pidfd = None, -1

    def _watch(self) -> None:
        while not self._stopping.is_set():
            waiting = [kept.due - self._clock.monotonic() for kept in self._kept if kept.process is None]
            for key, _events in self._selector.select(max(0.0, min(waiting)) if waiting else None):
                if isinstance(key.data, _Kept):
                    self._note_death(key.data)
            for kept in self._kept:
                if kept.process is None and not self._stopping.is_set() and kept.due <= self._clock.monotonic():
                    self._start(kept)

    def _note_death(self, kept: _Kept) -> None:
        assert kept.process is not None
        code = kept.process.wait()
        now = self._clock.monotonic()
        kept.failures = 1 if now - kept.started > STEADY_SECONDS else kept.failures + 1
        delay = restart_delay(kept.failures)
        kept.due = now + delay
        logger.warning("%s %s It is started again in %.1f s.", kept.name, describe_exit(code), delay)
        self._bury(kept)


def _signal(kept: _Kept, number: signal.Signals) -> None:
    if kept.process is not None:
        os.kill(kept.process.pid, number)  # nobody has waited for it yet, so the number is still its own
