"""Ties captured output to a run's facts: which captures are open, and where output stands among what is told."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from ..clock import Clock
from ..errors import EnvironmentalError, FencedError, StorageError
from ..logs.capture import Capture
from ..logs.keeper import LogKeeper
from ..logs.store import LogKey, LogStore, log_key
from ..records.event import EngineNote, Fact, LogsCaptured, StepFailure, StepSuccess, StepUpForRetry
from ..storage.protocols import Storage
from .recorder import Recorder

__all__ = ["KeptRecorder", "MarkedRecorder", "capturing", "keeper_of", "kept_by", "upload_logs"]


class MarkedRecorder:
    """Passes facts on; what was printed before a fact is marked as such, in the process that prints.

    Args:
        onward: Takes the facts.
        capture: The open capture.
    """

    def __init__(self, onward: Recorder, capture: Capture) -> None:
        self._onward = onward
        self._capture = capture

    def emit(self, fact: Fact, step_key: str | None = None, time: float | None = None) -> None:
        """Take a fact."""
        self._capture.mark()
        self._onward.emit(fact, step_key, time)

    def flush(self) -> None:
        """Return when the facts passed on are where they shall stay."""
        self._onward.flush()


class KeptRecorder:
    """Passes facts on, and lets the keeper of the run's logs know which captures begin and end.

    Args:
        onward: Takes the facts.
        keeper: Follows the captures.
        run_id: The run.
    """

    def __init__(self, onward: Recorder, keeper: LogKeeper, run_id: str) -> None:
        self._onward = onward
        self._keeper = keeper
        self._run_id = run_id

    def emit(self, fact: Fact, step_key: str | None = None, time: float | None = None) -> object:
        """Take a fact."""
        match fact:
            case LogsCaptured():
                self._keeper.began(fact.log_key)
            case StepSuccess() | StepFailure() | StepUpForRetry() if step_key is not None:
                self._keeper.ended(log_key(self._run_id, step_key))
        return self._onward.emit(fact, step_key, time)

    def flush(self) -> None:
        """Return when the facts passed on are where they shall stay."""
        self._onward.flush()


def keeper_of(
    logs: LogStore | None, run_id: str, storage: Storage, clock: Clock, recorder: Recorder
) -> LogKeeper | None:
    """Who follows the captures of a run; None where they are in no files of this machine.

    Args:
        logs: Where output goes.
        run_id: The run.
        storage: Tells listeners of growth.
        clock: The time.
        recorder: Takes what the run's log should say about its output.
    """
    if logs is None or logs.files is None:
        return None

    def tell(text: str) -> None:
        recorder.emit(EngineNote(message=text))

    def publish(topics: Iterable[str]) -> None:
        with suppress(StorageError, FencedError):  # a hint: who reads along learns of it all from the next event
            storage.notifier.publish(topics)

    return LogKeeper(logs.files, run_id, clock, publish=publish, tell=tell)


def kept_by(keeper: LogKeeper | None, onward: Recorder, run_id: str) -> Recorder:
    """The recorder, after one that lets the keeper know, where there is one."""
    return onward if keeper is None else KeptRecorder(onward, keeper, run_id)


def upload_logs(logs: LogStore | None, run_id: str) -> None:
    """Bring the captures of a run that is over to where they shall stay; where that fails, others try again later."""
    if logs is None:
        return
    try:
        logs.upload(run_id)
    except EnvironmentalError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201 - the worker's own output


@contextmanager
def capturing(logs: LogStore | None, key: LogKey, steps: tuple[str, ...], recorder: Recorder) -> Iterator[Recorder]:
    """Capture what this process prints, and tell it; gives a recorder that marks where output stands among facts.

    Where nothing can be captured (the disk is full), that is told, and what is printed goes where it went before.
    """
    if logs is None:
        yield recorder
        return
    of_step = steps[0] if len(steps) == 1 else None
    with ExitStack() as stack:
        capture = None
        try:
            capture = stack.enter_context(logs.capture(key))
        except OSError as error:
            told = EngineNote(
                message=f"What is printed is not captured: {error}. Make room there, or name another folder."
            )
            recorder.emit(told, of_step)
        if capture is None:
            yield recorder
            return
        recorder.emit(LogsCaptured(log_key=key, steps=steps), of_step)
        yield MarkedRecorder(recorder, capture)
