"""What both executors share: commands of the scheduler become facts of the run, ends of attempts become its facts."""

from __future__ import annotations

from collections.abc import Iterable

from ..engine.step_messages import (
    Abandon,
    Command,
    Done,
    Failed,
    Retry,
    Skip,
    Start,
    StepFact,
    Stop,
    Succeeded,
    Withdrawn,
)
from ..engine.steps import StepScheduler
from ..records.event import LogLine, StepSkipped
from ..records.wire import StepDone
from .recorder import Recorder

__all__ = ["Driven", "fact_of"]


class Driven:
    """The commands of a scheduler, taken one batch after another.

    Attributes:
        starts: Steps to start, in order.
        done: How the run's steps came out, once nothing runs and nothing will.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.starts: list[Start] = []
        self.done: Done | None = None

    def stop(self, scheduler: StepScheduler, now: float) -> None:
        """Let nothing more start: neither what the scheduler would start, nor what is about to."""
        self.take(scheduler.handle(Stop(), now))
        for start in self.starts:
            self.take(scheduler.handle(Withdrawn(start.step), now))
        self.starts.clear()

    def take(self, commands: Iterable[Command]) -> None:
        """Tell what only needs telling, and keep what is to be started."""
        for command in commands:
            match command:
                case Start():
                    self.starts.append(command)
                case Skip(step=step, reason=reason):
                    self._recorder.emit(StepSkipped(reason=reason), step)
                case Abandon(step=step, because=because):
                    message = f"Step {step} will not run, since step {because} did not succeed."
                    self._recorder.emit(LogLine(level="ERROR", message=message), step)
                case Done():
                    self.done = command


def fact_of(step: str, done: StepDone, now: float) -> StepFact:
    """What the end of an attempt means to the scheduler."""
    match done.outcome:
        case "success":
            return Succeeded(step, done.outputs)
        case "retry":
            return Retry(step, now + (done.wait or 0.0))
    return Failed(step)
