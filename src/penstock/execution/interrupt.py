"""A request to stop, turned into an exception inside user code and nowhere else.

The same goes for the end of a step's time, which an alarm of the system tells.

A signal may come at any instruction. Raised in the middle of our own book-keeping it would tear a message or an event
in two; so the handler raises only while user code runs, and otherwise leaves a mark that is looked at when user code is
entered next. Processes that user code forks are not ours: a signal does to them what it did before.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import get_ident, main_thread
from types import FrameType, TracebackType
from typing import Any

from ..errors import ExecutionInterruptedError, StepTimeoutError
from .fork_signals import let_go_in_forks

__all__ = ["INTERRUPTS", "Interrupts"]


class _Section:
    """Code during which an interrupt may, or may not, be raised."""

    __slots__ = ("_before", "_open", "_owner")

    def __init__(self, owner: Interrupts, *, open_: bool) -> None:
        self._owner = owner
        self._open = open_
        self._before: list[bool] = []

    def __enter__(self) -> None:
        owner = self._owner
        if get_ident() != owner.thread:
            return
        self._before.append(owner.raising)
        try:
            owner.raising = self._open
            if self._open:
                owner.check()
        except (ExecutionInterruptedError, StepTimeoutError):  # of this check, or of a signal that came during it
            owner.raising = self._before.pop()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if get_ident() != self._owner.thread:
            return
        self._owner.raising = self._before.pop()
        if self._owner.raising and error is None:
            self._owner.check()

    def clear(self) -> None:
        """Forget that the section was entered."""
        self._before.clear()


class Interrupts:
    """Whether the process was asked to stop, and the two kinds of code: user code, and ours inside of it."""

    def __init__(self) -> None:
        self.requested = False
        self.raising = False
        self.thread = main_thread().ident  # signals arrive in it alone; other threads are never interrupted
        self._raised = False
        self._overtime: str | None = None
        self._told: Callable[[], object] | None = None
        self._before: dict[signal.Signals, Any] = {}
        self._knows_forks = False
        self.user_code = _Section(self, open_=True)
        self.our_code = _Section(self, open_=False)

    def install(self, *signals: signal.Signals) -> None:
        """Let these signals ask this process to stop."""
        if not self._knows_forks:
            let_go_in_forks(signals, self._uninstall)
            self._knows_forks = True
        for each in signals:
            self._before[each] = signal.signal(each, self._on_signal)

    def _uninstall(self) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)
        self._before.clear()

    def reset(self) -> None:
        """Forget a request: a forked process begins without its parent's."""
        self.requested = self.raising = self._raised = False
        self._overtime = None
        self.user_code.clear()
        self.our_code.clear()

    @contextmanager
    def told(self, tell: Callable[[], object]) -> Iterator[None]:
        """Code that waits elsewhere than in user code: `tell` is called when a stop is asked for, or was already.

        It is called from the handler of a signal, so it may do no more than wake somebody.
        """
        self._told = tell
        try:
            if self.requested:
                tell()
            yield
        finally:
            self._told = None

    def check(self) -> None:
        """Raise `ExecutionInterruptedError` if a stop was asked for and not yet raised; or that time is over."""
        if self.requested and not self._raised:
            self._raised = True
            raise ExecutionInterruptedError("The run was asked to stop.")
        if self._overtime is not None:
            text, self._overtime = self._overtime, None
            raise StepTimeoutError(text)

    @contextmanager
    def within(self, seconds: float, text: str) -> Iterator[None]:
        """Code that may take so long; then `StepTimeoutError` is raised in the user code inside of it, with this text.

        The alarm rings on once a second until that code ends, should it swallow the error. It works in the main thread
        alone, since signals arrive there: elsewhere nothing stops the code.
        """
        if get_ident() != self.thread:
            yield
            return

        def ring(*_: object) -> None:
            self._overtime = text
            if self.raising:
                self.check()

        before = signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            signal.signal(signal.SIGALRM, before)
            self._overtime = None

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        if self._told is not None:
            self._told()
        if self.raising:
            self.check()


INTERRUPTS = Interrupts()
"""Those of this process; signals are a process's own, so there is one."""
