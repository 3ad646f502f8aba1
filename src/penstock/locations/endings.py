"""What the end of a run worker's process means for its run. Pure: (state, exit, error) -> the fact to store."""

from __future__ import annotations

import signal

from ..engine.memory_verdict import UNKNOWN, MemoryVerdict, why_killed
from ..records.errors import ErrorInfo
from ..records.event import RunCanceled, RunFailure
from ..records.run import FailureReason, RunStatus

__all__ = ["describe_exit", "ending_of"]


def ending_of(
    status: RunStatus,
    *,
    code: int | None,
    error: ErrorInfo | None = None,
    server_stopped: bool = False,
    memory: MemoryVerdict = UNKNOWN,
) -> RunFailure | RunCanceled:
    """The fact that ends a run whose worker is gone without having recorded an end.

    Args:
        status: Where the run stands; not an end.
        code: How the process ended: an exit code, or minus the number of the signal that killed it; None if unknown.
        error: What the worker said over its channel, if it could not begin.
        server_stopped: The worker was stopped because its code server was.
        memory: Whether memory ran out, of a worker that SIGKILL ended.
    """
    if status is RunStatus.CANCELING:
        return RunCanceled(message=f"The run was canceled: its worker {describe_exit(code)}")
    if error is not None:
        return RunFailure(
            reason=FailureReason.RUN_EXCEPTION,
            message=f"The run worker could not do its work: {error.cls}: {error.message}",
            error=error,
        )
    if server_stopped:
        return RunFailure(
            reason=FailureReason.UNEXPECTED_TERMINATION,
            message="The code server was stopped, and the run's worker with it. Launch the run again.",
        )
    return RunFailure(
        reason=FailureReason.UNEXPECTED_TERMINATION, message=f"The run worker's process {describe_exit(code, memory)}"
    )


def describe_exit(code: int | None, memory: MemoryVerdict = UNKNOWN) -> str:
    """How a process ended, as the rest of a sentence whose subject is the process.

    Args:
        code: An exit code, or minus the number of the signal that killed it; None if unknown.
        memory: Whether memory ran out, of a process that SIGKILL ended.
    """
    if code is None:
        return "ended; how is not known."
    if code < 0:
        return _killed(-code, f"was killed by signal {-code}", memory)
    if code > 128 and _signal_name(code - 128):
        return _killed(code - 128, f"ended with exit code {code}, which stands for signal {code - 128}", memory)
    if code == 0:
        return "ended without recording how the run went (exit code 0): user code may have called os._exit."
    return f"ended with exit code {code}."


def _killed(number: int, words: str, memory: MemoryVerdict) -> str:
    name = _signal_name(number)
    hint = f" {why_killed(memory)}" if number == signal.SIGKILL else ""
    return f"{words}{f' ({name})' if name else ''}.{hint}"


def _signal_name(number: int) -> str | None:
    try:
        return signal.Signals(number).name
    except ValueError:
        return None
