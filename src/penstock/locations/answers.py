"""What a work is called in messages, and what kind of answer it gets."""

from __future__ import annotations

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
    Work,
)

__all__ = ["answer_kind", "answer_with_error", "name_of"]


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
