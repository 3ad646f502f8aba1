"""A run from its first fact to its last, around whatever executes its steps."""

from __future__ import annotations

from collections.abc import Callable

from ..engine.step_messages import Done, Outcome
from ..errors import ExecutionInterruptedError, FencedError, StorageError
from ..records.errors import describe_exception
from ..records.event import Fact, RunCanceled, RunFailure, RunSuccess
from ..records.run import FailureReason, RunStatus
from .blame import describe_user_error
from .recorder import Recorder

__all__ = ["live", "not_initialized"]

_NAMED = 5
"""How many failed steps the run's message names."""


def live(
    recorder: Recorder, beginning: Fact, execute: Callable[[], Done], was_interrupted: Callable[[], bool]
) -> tuple[RunStatus, BaseException | None]:
    """Tell that the run starts, execute it, and tell how it ended. Nothing is told after its end.

    Args:
        recorder: Takes the facts.
        beginning: The first of them: that the run starts, or goes on.
        execute: Runs the steps.
        was_interrupted: Whether the run was asked to stop, asked after `execute`.

    Returns:
        How it ended, and what broke it off if not a step.

    Raises:
        FencedError: The run's attempt is over.
    """
    recorder.emit(beginning)
    try:
        done = execute()
    except FencedError:
        raise
    except (ExecutionInterruptedError, KeyboardInterrupt) as error:
        recorder.emit(RunCanceled())
        return RunStatus.CANCELED, error
    except Exception as error:  # noqa: BLE001 - it becomes the run's failure
        recorder.emit(
            RunFailure(reason=FailureReason.RUN_EXCEPTION, message=str(error), error=describe_user_error(error))
        )
        return RunStatus.FAILURE, error
    if was_interrupted() and done.outcome is Outcome.STOPPED:
        recorder.emit(RunCanceled())
        return RunStatus.CANCELED, None
    if done.failed:
        message = _failed(done.failed)
        recorder.emit(RunFailure(reason=FailureReason.STEP_FAILURE, message=message, failed_steps=done.failed))
        return RunStatus.FAILURE, None
    try:
        recorder.emit(RunSuccess())
    except StorageError as error:  # the database has refused something that the run had told before
        recorder.emit(
            RunFailure(reason=FailureReason.RUN_EXCEPTION, message=str(error), error=describe_exception(error))
        )
        return RunStatus.FAILURE, error
    return RunStatus.SUCCESS, None


def _failed(steps: tuple[str, ...]) -> str:
    named = ", ".join(steps[:_NAMED]) + (f" and {len(steps) - _NAMED} more" if len(steps) > _NAMED else "")
    return f"Step {named} failed." if len(steps) == 1 else f"Steps {named} failed."


def not_initialized(recorder: Recorder, error: BaseException) -> None:
    """Tell that the run could not begin: its job is gone, its config is wrong, its selection fits nothing."""
    recorder.emit(
        RunFailure(reason=FailureReason.JOB_INITIALIZATION_FAILURE, message=str(error), error=describe_exception(error))
    )
