"""What stands behind GraphQL objects that are a definition: its record, with the code location that it is in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ...engine.instigators import is_on, next_schedule_time
from ...locations.catalog import CatalogLocation
from ...records.automation import InstigatorKind, InstigatorState, InstigatorStatus, instigator_id
from ...records.location import (
    AssetDescription,
    CheckDescription,
    JobDescription,
    ScheduleDescription,
    SensorDescription,
    SourceRef,
    StepDescription,
)

__all__ = [
    "AssetNode",
    "CheckNode",
    "Instigation",
    "JobNode",
    "PlanNode",
    "ScheduleNode",
    "SensorNode",
    "StepNode",
    "place",
]


class JobNode(NamedTuple):
    """A job."""

    location: CatalogLocation
    job: JobDescription


class AssetNode(NamedTuple):
    """The definition of an asset."""

    location: CatalogLocation
    asset: AssetDescription


class CheckNode(NamedTuple):
    """A check of an asset."""

    location: CatalogLocation
    check: CheckDescription


class ScheduleNode(NamedTuple):
    """A schedule."""

    location: CatalogLocation
    schedule: ScheduleDescription


class SensorNode(NamedTuple):
    """A sensor."""

    location: CatalogLocation
    sensor: SensorDescription


class PlanNode(NamedTuple):
    """The steps of a job, or of the part of it that a run executes."""

    job: JobDescription
    steps: Mapping[str, StepDescription]

    @classmethod
    def of(cls, job: JobDescription) -> PlanNode:
        """The plan that a description tells."""
        return cls(job, {step.key: step for step in job.steps})

    def step_nodes(self) -> list[StepNode]:
        """The steps in an order that respects dependencies."""
        return [StepNode(self, step) for step in self.steps.values()]


class StepNode(NamedTuple):
    """A step, with the plan that it is in."""

    plan: PlanNode
    step: StepDescription


class Instigation(NamedTuple):
    """The switch and history of a schedule or sensor; `schedule` is set for a schedule that the code defines."""

    location: str
    kind: InstigatorKind
    name: str
    default: InstigatorStatus
    stored: InstigatorState | None
    schedule: ScheduleDescription | None = None

    @property
    def id(self) -> str:
        """Its id over all locations."""
        return instigator_id(self.location, self.kind, self.name)

    @property
    def on(self) -> bool:
        """Whether it is on."""
        return is_on(self.default, self.stored)

    @property
    def declared(self) -> bool:
        """Whether the code decides that, not a person."""
        return self.stored is None or self.stored.status is InstigatorStatus.DECLARED_IN_CODE

    def next_due(self, now: float) -> float | None:
        """When it is evaluated next, in seconds since the epoch; None while it is off, or not known yet."""
        if not self.on:
            return None
        if self.stored is not None and self.stored.next_due is not None:
            return self.stored.next_due
        if self.schedule is None:
            return None
        return next_schedule_time(self.schedule, now, None if self.stored is None else self.stored.override)


def place(source: SourceRef | None) -> str | None:
    """Where a definition is written, as `file:line`."""
    return None if source is None else f"{source.file}:{source.line}"
