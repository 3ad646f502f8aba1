"""What every context of a running step tells of its run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..records.run import Run
from .attempt import Attempt
from .log import ContextLogger

__all__ = ["AttemptView"]


class AttemptView:
    """The run, the job and the log of an attempt at a step.

    Args:
        attempt: The attempt.
    """

    __slots__ = ("_attempt",)

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt

    @property
    def run(self) -> Run:
        """The run."""
        return self._attempt.run

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self._attempt.run.run_id

    @property
    def run_config(self) -> Mapping[str, Any]:
        """The run config as it was launched with."""
        return self._attempt.run.run_config

    @property
    def job_name(self) -> str:
        """The job's name."""
        return self._attempt.run.job

    @property
    def job_def(self) -> Any:
        """The job's definition; None where a function is called directly."""
        return self._attempt.job

    @property
    def log(self) -> ContextLogger:
        """A logger whose lines belong to the run."""
        return self._attempt.log
