"""One work in a process of its own: performed, limited in time, and answered over the process's channel.

A run worker writes its truth into the storage itself and answers only when it could not even begin.
"""

from __future__ import annotations

import faulthandler
import signal
import socket
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ..records.errors import ErrorInfo
from ..records.wire import (
    Answer,
    CheckRunConfig,
    ConfigAnswer,
    EvaluatePartitions,
    EvaluateSchedule,
    EvaluateSensor,
    Evaluation,
    ExecuteRun,
    PartitionsAnswer,
    StorageAccess,
    Work,
)
from .frame_socket import FrameSocket
from .user_code import UserCode
from .user_first import describe_user_first

__all__ = ["EXIT_BROKEN", "TimeLimitExceededError", "answer_kind", "answer_with_error", "name_of", "perform"]

EXIT_BROKEN = 70
"""The exit code of a run worker that could not do its work; the error went over the channel."""


class TimeLimitExceededError(BaseException):
    """User code ran longer than its limit. Not an `Exception`, so that user code does not catch it by accident."""


def perform(code: UserCode, work: Work, channel: socket.socket, storage: StorageAccess | None) -> int:
    """Do the work and answer; gives the exit code for the process."""
    frames: FrameSocket[None] = FrameSocket(channel, None)
    if isinstance(work, ExecuteRun):
        try:
            return code.execute_run(work, channel, storage)
        except BaseException as error:  # noqa: BLE001 - this is the process's last stop: everything is told
            traceback.print_exc()
            _tell(frames, describe_user_first(error))
            return EXIT_BROKEN
    tell_where_on(signal.SIGTERM, channel)
    try:
        with _time_limit(work.timeout, work):
            answer = code.evaluate(work, storage, frames.send)
    except BaseException as error:  # noqa: BLE001 - user code may raise anything; it goes to who asked
        answer = answer_with_error(work, describe_user_first(error))
    _tell(frames, answer)
    return 0


def answer_kind(work: Work) -> type[Answer]:
    """What a work is answered with."""
    match work:
        case CheckRunConfig():
            return ConfigAnswer
        case EvaluatePartitions():
            return PartitionsAnswer
        case _:
            return Evaluation


def answer_with_error(work: Work, error: ErrorInfo) -> Answer:
    """The answer to a work that failed."""
    return answer_kind(work)(error=error)


def name_of(work: Work) -> str:
    """The work in words, for messages."""
    match work:
        case ExecuteRun():
            return f"run {work.run.run_id}"
        case EvaluateSchedule():
            return f"schedule {work.name!r}"
        case EvaluateSensor():
            return f"sensor {work.name!r}"
        case CheckRunConfig():
            return f"the config check of job {work.job!r}"
        case EvaluatePartitions():
            return f"the partitioned config of job {work.job!r}"


def _tell(frames: FrameSocket[None], answer: object) -> None:
    try:
        frames.send(answer)
    except OSError as error:
        print(f"Nobody waits for the answer any more: {error}", file=sys.stderr)  # noqa: T201 - the process's log


def tell_where_on(number: signal.Signals, channel: socket.socket) -> None:
    """Have this process write where it is, as text, when it gets that signal, and then end: also out of native code."""
    signal.signal(number, signal.SIG_DFL)
    faulthandler.register(number, file=channel.fileno(), all_threads=False, chain=True)


@contextmanager
def _time_limit(seconds: float, work: Work) -> Iterator[None]:
    """Interrupt the block after `seconds`. Code that never returns to Python is ended by the supervisor instead."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise TimeLimitExceededError(
            f"{name_of(work)} ran longer than its limit of {seconds:g} seconds. The traceback shows where it was; "
            "let it do less, or give it a longer timeout."
        )

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
