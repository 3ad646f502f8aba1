"""What a process does that evaluates: one work after another, each limited in time, as long as it is as it was.

An evaluation that is interrupted, or ends in an error that it has not told itself, is the last of its process; so is
one that leaves something behind that can be seen (`process_state`).
"""

from __future__ import annotations

import contextvars
import faulthandler
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ..execution.fork_signals import let_go_in_forks
from ..records.wire import Answer, Answered, Asked
from .answers import answer_with_error, name_of
from .frame_socket import FrameSocket, tell
from .process_state import ProcessState
from .random_state import seed_anew
from .subreaper import adopt_orphans
from .user_code import NextWork, UserCode
from .user_first import describe_user_first

__all__ = ["TimeLimitExceededError", "evaluate"]


class TimeLimitExceededError(BaseException):
    """User code ran longer than its limit. Not an `Exception`, so that user code does not catch it by accident."""


def evaluate(code: UserCode, first: NextWork, frames: FrameSocket[NextWork], *, more: bool) -> None:
    """Evaluate, and with `more` go on with what comes next; returns when nothing does, or when the process should end.

    Args:
        code: What to evaluate.
        first: The first work.
        frames: The channel on which works come and answers go.
        more: Whether others may follow.
    """
    _tell_where_on(signal.SIGTERM, frames.connection)
    # A process that user code forks just ends: the channel is not its own.
    let_go_in_forks([signal.SIGTERM], lambda: _tell_no_more(signal.SIGTERM))
    if not more:
        answer, _ended_well = _evaluated(code, first, frames)
        tell(frames, Answered(answer=answer))
        return
    adopt_orphans()  # what leaves its parent is then still seen as something that was left
    before = ProcessState()
    given: NextWork | None = first
    while given is not None:
        answer, ended_well = contextvars.copy_context().run(_evaluated, code, given, frames)
        because = before.what_has_changed() if ended_well else None
        ready = ended_well and because is None
        if not tell(frames, Answered(answer=answer, ready=ready, because=because)) or not ready:
            return
        sys.stdout.flush()
        sys.stderr.flush()
        given = frames.receive()
        seed_anew()
        _tell_where_on(signal.SIGTERM, frames.connection)  # a handler that came and went has taken that away


def _evaluated(code: UserCode, given: NextWork, frames: FrameSocket[NextWork]) -> tuple[Answer, bool]:
    """The answer, and whether user code came to its end by itself and all that it raised was told where it belongs."""
    limit = _Limit(given.work)
    try:
        with limit.kept():
            answer = code.evaluate(given.work, given.storage, lambda so_far: frames.send(Answered(answer=so_far)))
    except BaseException as error:  # noqa: BLE001 - user code may raise anything; it goes to who asked
        return answer_with_error(given.work, describe_user_first(error)), False
    return answer, not limit.was_reached


class _Limit:
    """The time that a work may take. Code that never returns to Python is ended by the supervisor instead."""

    def __init__(self, work: Asked) -> None:
        self._work = work
        self.was_reached = False

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Interrupt the block when it is over."""
        before = signal.signal(signal.SIGALRM, self._interrupt)
        signal.setitimer(signal.ITIMER_REAL, self._work.timeout)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def _interrupt(self, _signal: int, _frame: FrameType | None) -> None:
        self.was_reached = True
        raise TimeLimitExceededError(
            f"{name_of(self._work)} ran longer than its limit of {self._work.timeout:g} seconds. The traceback shows "
            "where it was; let it do less, or give it a longer timeout."
        )


def _tell_where_on(number: signal.Signals, channel: socket.socket) -> None:
    """Have this process write where it is, as text, when it gets that signal, and then end: also out of native code."""
    signal.signal(number, signal.SIG_DFL)
    faulthandler.register(number, file=channel.fileno(), all_threads=False, chain=True)


def _tell_no_more(number: signal.Signals) -> None:
    if signal.getsignal(number) is signal.SIG_DFL:  # no handler of the user's own
        faulthandler.unregister(number)
