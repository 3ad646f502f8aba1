"""Duty: evaluate schedules when they are due."""

from __future__ import annotations

from collections.abc import Iterable

from ..engine.instigators import Due, Outlook, look_at_schedules, next_schedule_time
from ..records.automation import InstigatorKind, InstigatorState
from ..records.location import LocationDescription, ScheduleDescription
from ..records.run import Tag
from ..records.wire import EvaluateSchedule
from .instigators import InstigatorDuty

__all__ = ["SchedulesDuty"]


class SchedulesDuty(InstigatorDuty[ScheduleDescription]):
    """See the head of this file."""

    name = "schedules"
    kind = InstigatorKind.SCHEDULE
    origin_tag = Tag.SCHEDULE

    def declared(self, description: LocationDescription) -> Iterable[ScheduleDescription]:
        """The schedules of a code location."""
        return description.schedules

    def outlook(
        self, declared: Iterable[tuple[str, ScheduleDescription]], states: dict[str, InstigatorState], now: float
    ) -> Outlook:
        """Which are due by their cron texts."""
        return look_at_schedules(declared, states, now)

    def work(self, description: ScheduleDescription, due: Due) -> EvaluateSchedule:
        """Evaluate it for its instant."""
        return EvaluateSchedule(name=description.name, due=due.at, timeout=description.timeout or self._timeout)

    def own_job(self, description: ScheduleDescription) -> str | None:
        """Its job."""
        return description.job

    def next_due(self, description: ScheduleDescription, due: Due, now: float) -> float:
        """The next instant of its cron texts; what was missed before now is made up by this tick alone."""
        return next_schedule_time(description, max(now, due.at))
