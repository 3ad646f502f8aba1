"""The order to run one attempt of a step elsewhere: all that a process needs which knows nothing yet, as data."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

from ..definitions.reconstruct import ReconstructableJob
from ..engine.step_messages import Start
from ..records.code_target import CodeTarget
from ..records.run import Run

__all__ = ["PROGRAM", "CodeSource", "Elsewhere", "JobSource", "LocationSource", "StepOrder", "lane_of"]

PROGRAM = ("-P", "-m", "penstock.instance.step_program")
"""What an interpreter is given to carry out an order; it reads the order, as JSON, from its standard input."""

_LANE_BITS = 32


class JobSource(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="job"):
    """A job by the function or variable that gives it.

    Args:
        module, name: Where it is.
        args, kwargs: What the function is called with; values that JSON has.
        working_directory: The folder from which the module is imported.
        op_selection: The ops that the run was narrowed to.
    """

    module: str
    name: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = {}
    working_directory: str | None = None
    op_selection: tuple[str, ...] = ()

    @classmethod
    def of(cls, job: ReconstructableJob, op_selection: tuple[str, ...] = ()) -> JobSource:
        """The source of a job."""
        return cls(
            module=job.module,
            name=job.name,
            args=job.args,
            kwargs=job.kwargs,
            working_directory=job.working_directory,
            op_selection=op_selection,
        )

    @property
    def job(self) -> ReconstructableJob:
        """The job that it is the source of."""
        return ReconstructableJob(self.module, self.name, self.args, self.kwargs, self.working_directory)


class LocationSource(msgspec.Struct, frozen=True, kw_only=True, tag="location"):
    """The code of a code location."""

    target: CodeTarget


CodeSource: TypeAlias = JobSource | LocationSource


class Elsewhere(msgspec.Struct, frozen=True, kw_only=True):
    """How another process comes to what this one works with.

    Args:
        code: What it loads.
        instance: How it reaches the instance: its storage, logs and values. Whoever opens it knows the form.
    """

    code: CodeSource
    instance: dict[str, Any]


class StepOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Run one attempt of a step, and write what happens into the log of the run.

    Args:
        run: The run, with the attempt under which events are stored.
        start: Which step, which attempt of it, and what feeds it.
        lane: Which of the processes that write events of this attempt of the run it is; the run worker is lane 0.
        retries: Whether steps that failed are tried again as their policies say.
        where: The code, and the way to the instance.
    """

    run: Run
    start: Start
    lane: int
    where: Elsewhere
    retries: bool = True

    @property
    def name(self) -> str:
        """What tells this attempt from all others: fit as the name of a process, container or pod.

        It is the same for whoever orders the same attempt, so that a launch that is asked for again can be known.
        """
        parts = (self.run.run_id, str(self.run.attempt), self.start.step, str(self.start.retry))
        mark = hashlib.blake2b("\0".join(parts).encode(errors="surrogatepass"), digest_size=10).hexdigest()
        return f"penstock-step-{mark}"

    @property
    def first_seq(self) -> int:
        """The number of its first event: the lane's own range, so that nobody else gives the same."""
        return (self.lane << _LANE_BITS) + 1

    @property
    def labels(self) -> Mapping[str, str]:
        """What people look for it by, where it runs: run, job, step, attempt."""
        return {
            "run_id": self.run.run_id,
            "job": self.run.job,
            "step": self.start.step,
            "attempt": str(self.start.retry + 1),
        }


def lane_of(seq: int | None) -> int:
    """Which process wrote the event of this number; 0 for the run worker, and for what was written from outside."""
    return 0 if seq is None else seq >> _LANE_BITS
