"""What a schedule or sensor starts: one or several jobs, or assets by a job made for them."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, TypeAlias

from ...errors import DefinitionError
from ...records.automation import InstigatorStatus
from ..assets.job import UnresolvedAssetJobDefinition
from ..assets.selection import AssetSelection
from ..ops.graph import GraphDefinition
from ..ops.job import JobDefinition
from ..source import Source

__all__ = ["DefaultScheduleStatus", "DefaultSensorStatus", "ExecutableJob", "Target", "declared_status"]

ExecutableJob: TypeAlias = JobDefinition | UnresolvedAssetJobDefinition
ASSETS_OF = "__anonymous_asset_job_"


class DefaultScheduleStatus(StrEnum):
    """Whether a schedule is on until somebody turns it."""

    RUNNING = "RUNNING"
    STOPPED = "STOPPED"


class DefaultSensorStatus(StrEnum):
    """Whether a sensor is on until somebody turns it."""

    RUNNING = "RUNNING"
    STOPPED = "STOPPED"


def declared_status(status: DefaultScheduleStatus | DefaultSensorStatus) -> InstigatorStatus:
    """The status in the words of records."""
    return InstigatorStatus(status.value)


class Target:
    """The jobs that a schedule or sensor starts: `jobs` as objects where they were given so, `names` of all."""

    __slots__ = ("jobs", "names")

    def __init__(self, jobs: Sequence[ExecutableJob], names: Sequence[str]) -> None:
        self.jobs = tuple(jobs)
        self.names = tuple(names)

    @classmethod
    def read(
        cls,
        owner: str,
        what: str,
        source: Source | None,
        *,
        job_name: str | None = None,
        job: Any = None,
        jobs: Sequence[Any] | None = None,
        assets: Any = None,
        target: Any = None,
    ) -> Target:
        """The target from the several ways in which users say it.

        Raises:
            DefinitionError: It is said in no way, or in two.
        """
        ways = {"job_name": job_name, "job": job, "jobs": jobs, "asset_selection": assets, "target": target}
        given = [name for name, value in ways.items() if value is not None]
        if len(given) > 1:
            raise DefinitionError(f"{what} ({source}) has {' and '.join(given)}; say in one way what it starts.")
        if job_name is not None:
            return cls((), (job_name,))
        if job is not None or jobs is not None:
            found = [_job(each, what, source) for each in (jobs if jobs is not None else [job])]
            return cls(found, [each.name for each in found])
        if isinstance(target, JobDefinition | UnresolvedAssetJobDefinition | GraphDefinition):
            only = _job(target, what, source)
            return cls((only,), (only.name,))
        selected = assets if assets is not None else target
        if selected is None:
            return cls((), ())
        made = UnresolvedAssetJobDefinition(f"{ASSETS_OF}{owner}", AssetSelection.from_coercible(selected), {}, source)
        return cls((made,), (made.name,))


def _job(given: Any, what: str, source: Source | None) -> ExecutableJob:
    if isinstance(given, GraphDefinition):
        return given.to_job()
    if isinstance(given, JobDefinition | UnresolvedAssetJobDefinition):
        return given
    raise DefinitionError(f"{what} ({source}) starts {given!r}; give a job, or the name of one as job_name.")
