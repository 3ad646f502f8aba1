"""What the duties for schedules and for sensors have in common: look at all of them, start the ticks that are due."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Generic, TypeVar

from ..clock import Clock
from ..engine.instigators import Due, Outlook
from ..locations.catalog import Catalog
from ..records.automation import InstigatorKind, InstigatorState, instigator_id
from ..records.location import LocationDescription, ScheduleDescription, SensorDescription
from ..records.wire import EvaluateSchedule, EvaluateSensor
from ..storage.protocols import InstigatorStorage
from .keeper import Held
from .ticks import DueTick, TickRunner

__all__ = ["PARTS", "InstigatorDuty"]

PARTS = 8
"""Into how many parts schedules and sensors are divided, by their ids: so many daemons can share the work."""

D = TypeVar("D", ScheduleDescription, SensorDescription)


class InstigatorDuty(Generic[D]):
    """Starts what is due and sleeps until the next is due or something changes.

    Args:
        instigators: Where their states and ticks are kept.
        catalog: What the code locations declare.
        runner: Does the ticks.
        clock: Tells the time.
        woken: Set when the duty should look again.
    """

    name = ""
    parts = PARTS
    kind: InstigatorKind
    topics = frozenset({"instigators", "locations"})
    origin_tag = ""

    def __init__(
        self, instigators: InstigatorStorage, catalog: Catalog, runner: TickRunner, clock: Clock, woken: threading.Event
    ) -> None:
        self._instigators = instigators
        self._catalog = catalog
        self._runner = runner
        self._clock = clock
        self._woken = woken

    # -- what differs -------------------------------------------------------------------------------------------------

    def declared(self, description: LocationDescription) -> Iterable[D]:
        """Those that a code location declares."""
        raise NotImplementedError

    def outlook(self, declared: Iterable[tuple[str, D]], states: dict[str, InstigatorState], now: float) -> Outlook:
        """Which are due, and what to store."""
        raise NotImplementedError

    def work(self, description: D, due: Due) -> EvaluateSchedule | EvaluateSensor:
        """What the code server is asked to do."""
        raise NotImplementedError

    def own_job(self, description: D) -> str | None:
        """The job of run requests that name none."""
        raise NotImplementedError

    def next_due(self, description: D, due: Due, now: float) -> float:
        """When it is due again, after a tick that ended now."""
        raise NotImplementedError

    # -- what does not ------------------------------------------------------------------------------------------------

    def tick(self, held: Held) -> float | None:
        """Start what is due of those that are in parts of ours."""
        self._catalog.refresh()
        parts = {
            (location, each.name): (each, part)
            for location, entry in self._catalog.locations.items()
            if entry.description is not None
            for each in self.declared(entry.description)
            if (part := held.part_of(instigator_id(location, self.kind, each.name))) is not None
        }
        declared = [(location, each) for (location, _), (each, _) in parts.items()]
        outlook = self.outlook(declared, self._instigators.states(), self._clock.now())
        if outlook.store:
            self._instigators.plan(outlook.store)
        for due in outlook.due:
            description, part = parts[due.location, due.name]
            self._runner.start(self._due_tick(description, due), part, done=self._woken)
        return self._runner.next_look(outlook)

    def _due_tick(self, description: D, due: Due) -> DueTick:
        return DueTick(
            due=due,
            work=self.work(description, due),
            own_job=self.own_job(description),
            next_due=lambda now: self.next_due(description, due, now),
            origin_tag=self.origin_tag,
        )

    def close(self) -> None:
        """Start no more ticks."""
        self._runner.close()
