"""Duty: evaluate sensors at their intervals."""

from __future__ import annotations

import threading

from ..clock import Clock
from ..engine.instigators import Due, look_at_sensors
from ..locations.catalog import Catalog
from ..records.lease import Lease
from ..records.location import SensorDescription
from ..records.run import Tag
from ..records.wire import EvaluateSensor
from ..storage.protocols import InstigatorStorage
from .ticks import TickRunner

__all__ = ["SensorsDuty"]


class SensorsDuty:
    """Looks at all sensors, starts the due ones, and sleeps until the next is due or something changes."""

    name = "sensors"
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
            (location, sensor)
            for location, entry in self._catalog.locations.items()
            if entry.description is not None
            for sensor in entry.description.sensors
        ]
        outlook = look_at_sensors(declared, self._instigators.states(), self._clock.now())
        if outlook.store:
            self._instigators.plan(outlook.store)
        by_name = {(location, sensor.name): sensor for location, sensor in declared}

        def of(due: Due) -> SensorDescription:
            return by_name[due.location, due.name]

        self._runner.start(
            outlook.due,
            lease,
            work=lambda due: EvaluateSensor(
                name=due.name,
                due=due.at,
                cursor=due.state.cursor,
                last_run_key=due.state.last_run_key,
                last_tick=due.state.last_tick,
            ),
            own_job=lambda due: of(due).jobs[0] if len(of(due).jobs) == 1 else None,
            next_due=lambda due, now: now + of(due).interval,
            origin_tag=Tag.SENSOR,
            done=self._woken,
        )
        return self._runner.next_look(outlook)

    def close(self) -> None:
        """Start no more ticks."""
        self._runner.close()
