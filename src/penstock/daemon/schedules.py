"""Duty: evaluate schedules when they are due."""

from __future__ import annotations

import threading

from ..clock import Clock
from ..engine.instigators import Due, look_at_schedules, next_schedule_time
from ..locations.catalog import Catalog
from ..records.lease import Lease
from ..records.location import ScheduleDescription
from ..records.run import Tag
from ..records.wire import EvaluateSchedule
from ..storage.protocols import InstigatorStorage
from .ticks import TickRunner

__all__ = ["SchedulesDuty"]


class SchedulesDuty:
    """Looks at all schedules, starts the due ones, and sleeps until the next is due or something changes."""

    name = "schedules"
    topics = frozenset({"instigators", "locations"})

    def __init__(
        self, instigators: InstigatorStorage, catalog: Catalog, runner: TickRunner, clock: Clock, woken: threading.Event
    ) -> None:
        self._instigators = instigators
        self._catalog = catalog
        self._runner = runner
        self._clock = clock
        self._woken = woken

    def tick(self, lease: Lease) -> float | None:
        """Start what is due."""
        self._catalog.refresh()
        declared = [
            (location, schedule)
            for location, entry in self._catalog.locations.items()
            if entry.description is not None
            for schedule in entry.description.schedules
        ]
        outlook = look_at_schedules(declared, self._instigators.states(), self._clock.now())
        if outlook.store:
            self._instigators.plan(outlook.store)
        by_name = {(location, schedule.name): schedule for location, schedule in declared}

        def of(due: Due) -> ScheduleDescription:
            return by_name[due.location, due.name]

        self._runner.start(
            outlook.due,
            lease,
            work=lambda due: EvaluateSchedule(name=due.name, due=due.at),
            own_job=lambda due: of(due).job,
            next_due=lambda due, now: next_schedule_time(of(due), max(now, due.at)),
            origin_tag=Tag.SCHEDULE,
            done=self._woken,
        )
        return self._runner.next_look(outlook)

    def close(self) -> None:
        """Start no more ticks."""
        self._runner.close()
