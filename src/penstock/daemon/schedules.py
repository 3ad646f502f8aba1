"""Duty: evaluate schedules when they are due."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from ..engine.instigators import DEFAULT_CATCHUP, Due, Outlook, look_at_schedules, next_schedule_time
from ..records.automation import InstigatorKind, InstigatorState
from ..records.location import LocationDescription, ScheduleDescription
from ..records.run import Tag
from ..records.wire import EvaluateSchedule
from .instigators import InstigatorDuty

__all__ = ["SchedulesDuty"]


class SchedulesDuty(InstigatorDuty[ScheduleDescription]):
    """See the head of this file.

    Args:
        max_catchup: How many missed ticks are made up of a schedule that follows partitions, where it does not say.
        max_age: Seconds after which a missed tick is not made up any more.
        shared: What sensors' duty takes too.
    """

    name = "schedules"
    kind = InstigatorKind.SCHEDULE
    origin_tag = Tag.SCHEDULE

    def __init__(self, *shared: Any, max_catchup: int = DEFAULT_CATCHUP, max_age: float = math.inf) -> None:
        super().__init__(*shared)
        self._max_catchup = max_catchup
        self._max_age = max_age

    def declared(self, description: LocationDescription) -> Iterable[ScheduleDescription]:
        """The schedules of a code location."""
        return description.schedules

    def outlook(
        self, declared: Iterable[tuple[str, ScheduleDescription]], states: dict[str, InstigatorState], now: float
    ) -> Outlook:
        """Which are due by their cron texts."""
        return look_at_schedules(declared, states, now, max_catchup=self._max_catchup, max_age=self._max_age)

    def work(self, description: ScheduleDescription, due: Due) -> EvaluateSchedule:
        """Evaluate it for its instant."""
        return EvaluateSchedule(name=description.name, due=due.at, timeout=description.timeout or self._timeout)

    def own_job(self, description: ScheduleDescription) -> str | None:
        """Its job."""
        return description.job

    def next_due(self, description: ScheduleDescription, due: Due, now: float) -> float:
        """The next instant of its cron texts, which may have passed: the next look tells what is made up."""
        return next_schedule_time(description, due.at, due.state.override)
