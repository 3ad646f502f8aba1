"""Duty: evaluate sensors at their intervals."""

from __future__ import annotations

from collections.abc import Iterable

from ..engine.instigators import Due, Outlook, look_at_sensors
from ..engine.overrides import overridden, paused
from ..records.automation import InstigatorKind, InstigatorState
from ..records.location import LocationDescription, SensorDescription
from ..records.run import Tag
from ..records.wire import EvaluateSensor
from .instigators import InstigatorDuty

__all__ = ["SensorsDuty"]


class SensorsDuty(InstigatorDuty[SensorDescription]):
    """See the head of this file."""

    name = "sensors"
    kind = InstigatorKind.SENSOR
    origin_tag = Tag.SENSOR

    def declared(self, description: LocationDescription) -> Iterable[SensorDescription]:
        """The sensors of a code location."""
        return description.sensors

    def outlook(
        self, declared: Iterable[tuple[str, SensorDescription]], states: dict[str, InstigatorState], now: float
    ) -> Outlook:
        """Which are due by their intervals."""
        return look_at_sensors(declared, states, now)

    def work(self, description: SensorDescription, due: Due) -> EvaluateSensor:
        """Evaluate it from its cursor."""
        return EvaluateSensor(
            name=description.name,
            due=due.at,
            cursor=due.state.cursor,
            last_run_key=due.state.last_run_key,
            last_tick=due.state.last_tick,
            turned_on=due.state.turned_on,
        )

    def own_job(self, description: SensorDescription) -> str | None:
        """Its job, if it has but one."""
        return description.jobs[0] if len(description.jobs) == 1 else None

    def next_due(self, description: SensorDescription, due: Due, now: float) -> float:
        """One interval after the end of this tick."""
        return paused(due.state.override, now + overridden(description, due.state.override).interval)
