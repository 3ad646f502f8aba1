"""Which runs a run status sensor watches, where these are not those of its own code location."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import msgspec

from ...errors import DefinitionError
from ...records.location import RunsWatched
from ...records.run import Run
from ..assets.job import UnresolvedAssetJobDefinition
from ..ops.graph import GraphDefinition
from ..ops.job import JobDefinition

__all__ = ["CodeLocationSelector", "JobSelector", "Monitored", "MonitoredJob", "RepositorySelector"]


class CodeLocationSelector(msgspec.Struct, frozen=True):
    """The jobs of a code location.

    Args:
        location_name: The location's name.
    """

    location_name: str


class RepositorySelector(msgspec.Struct, frozen=True):
    """The jobs of a code location's repository; a location has one.

    Args:
        location_name: The location's name.
        repository_name: The repository's name.
    """

    location_name: str
    repository_name: str


class JobSelector(msgspec.Struct, frozen=True):
    """A job of a code location.

    Args:
        location_name: The location's name.
        repository_name: The name of the location's repository.
        job_name: The job's name; all jobs of the location if not given.
    """

    location_name: str
    repository_name: str | None = None
    job_name: str | None = None


MonitoredJob: TypeAlias = (
    JobDefinition
    | UnresolvedAssetJobDefinition
    | GraphDefinition
    | JobSelector
    | RepositorySelector
    | CodeLocationSelector
)


class Monitored:
    """The runs that a sensor watches.

    Args:
        jobs: The jobs; all of its own location if not given.
        everywhere: Whether it watches all jobs of all code locations.
        what: The sensor, as messages call it.

    Raises:
        DefinitionError: A job is none, or both are given.
    """

    def __init__(self, jobs: Iterable[Any] | None, *, everywhere: bool, what: str) -> None:
        self.jobs: Sequence[MonitoredJob] | None = None if jobs is None else list(jobs)
        self.everywhere = everywhere
        if everywhere and self.jobs:
            raise DefinitionError(f"{what} has monitored_jobs and monitor_all_code_locations; keep one of them.")
        for job in self.jobs or ():
            if not isinstance(job, MonitoredJob.__args__):
                raise DefinitionError(
                    f"{what} has {job!r} among its monitored_jobs; give jobs, or a JobSelector, RepositorySelector or "
                    "CodeLocationSelector."
                )

    def described(self) -> tuple[RunsWatched, ...]:
        """The same as data."""
        if self.everywhere:
            return (RunsWatched(anywhere=True),)
        if self.jobs is None:
            return (RunsWatched(),)
        return tuple(_described(job) for job in self.jobs)

    def holds(self, run: Run, own_location: str | None) -> bool:
        """Whether the run is one of these; `own_location` None stands for "in whatever location the run is"."""
        own = own_location is None or run.location == own_location
        if self.everywhere:
            return True
        if self.jobs is None:
            return own
        return any(_holds(job, run, own=own) for job in self.jobs)


def _holds(job: MonitoredJob, run: Run, *, own: bool) -> bool:
    match job:
        case CodeLocationSelector() | RepositorySelector():
            return run.location == job.location_name
        case JobSelector():
            return run.location == job.location_name and job.job_name in (None, run.job)
        case _:
            return own and run.job == job.name


def _described(job: MonitoredJob) -> RunsWatched:
    match job:
        case CodeLocationSelector() | RepositorySelector():
            return RunsWatched(location=job.location_name)
        case JobSelector():
            return RunsWatched(location=job.location_name, job=job.job_name)
        case _:
            return RunsWatched(job=job.name)
