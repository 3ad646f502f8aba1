"""What the duties for schedules and for sensors have in common: look at all of them, start the ticks that are due."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

from ..clock import Clock
from ..engine.instigators import Due, Outlook
from ..locations.catalog import Catalog
from ..records.automation import InstigatorKind, InstigatorState, instigator_id
from ..records.location import LocationDescription, ScheduleDescription, SensorDescription
from ..records.wire import EvaluateSchedule, EvaluateSensor
from ..storage.protocols import InstigatorStorage
from .keeper import Held, Part
from .ticks import TRY_AGAIN, DueTick, TickRunner

__all__ = ["CHANGES", "PARTS", "InstigatorDuty"]

PARTS = 8
"""Into how many parts schedules and sensors are divided, by their ids: so many daemons can share the work."""

CHANGES = frozenset({"instigators", "locations"})
"""What is published when who is to be asked, or when, has changed."""

_LOOK_AT_ALL = 10.0

log = logging.getLogger("penstock.daemon.instigators")

D = TypeVar("D", ScheduleDescription, SensorDescription)


class InstigatorDuty(Generic[D]):
    """Starts what is due and sleeps until the next is due or something changes.

    Who is asked and where each stands is kept, and read anew when it has changed; a look for what is due then costs
    little, however many there are.

    Args:
        instigators: Where their states and ticks are kept.
        catalog: What the code locations declare.
        runner: Does the ticks.
        clock: Tells the time.
        woken: Set when the duty should look again.
        changed: Set when a switch, a plan or a code location has changed.
        timeout: Seconds that an evaluation may take where the code says nothing.
    """

    name = ""
    parts = PARTS
    kind: InstigatorKind
    topics: frozenset[str] = CHANGES
    origin_tag = ""
    again_after_failure: float | None = None

    def __init__(
        self,
        instigators: InstigatorStorage,
        catalog: Catalog,
        runner: TickRunner,
        clock: Clock,
        woken: threading.Event,
        changed: threading.Event,
        timeout: float,
    ) -> None:
        self._instigators = instigators
        self._catalog = catalog
        self._runner = runner
        self._clock = clock
        self._woken = woken
        self._changed = changed
        self._timeout = timeout
        self._ours: dict[str, tuple[str, D, Part]] = {}
        self._states: dict[str, InstigatorState] = {}
        self._looks: dict[str, float] = {}
        self._ended: deque[tuple[str, bool]] = deque()
        # Those with a tick whose end has not been looked at: what is known of where they stand is older than that.
        self._under_way: set[str] = set()
        self._known: object = None
        self._divided: object = None
        self._known_at = 0.0

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

    def followed(self, declared: Iterable[tuple[str, D]], states: Mapping[str, InstigatorState]) -> None:
        """These are ours from now on, and stand so."""

    def woken_ids(self) -> Iterable[str]:
        """The ids of those for which something is new."""
        return ()

    def begun(self, key: str) -> None:
        """A tick of that one begins."""

    def over(self, key: str) -> None:
        """It has ended, and `self._states` says where it stands."""

    # -- what does not ------------------------------------------------------------------------------------------------

    def tick(self, held: Held) -> float | None:
        """Start what is due of those that are in parts of ours."""
        now = self._clock.now()
        self._catalog.refresh()
        ended = self._take_ended()
        outdated, known = self._is_outdated(held, now), (self._catalog.locations, held.parts)
        self._known = None  # should this look come to no end, the next one learns everything anew
        if outdated:
            self._learn(held, now)
            wanted = set(self._ours)
        else:
            self._states.update((key, state) for key in ended if (state := self._instigators.get(key)) is not None)
            wanted = set(ended).union(key for key, at in self._looks.items() if at <= now)
        for key, has_ended in ended.items():
            if has_ended:
                self.over(key)
        wanted = (wanted | set(self.woken_ids())) & self._ours.keys()
        outlook = self.outlook([self._ours[key][:2] for key in sorted(wanted)], self._states, now)
        for key, reason in outlook.unclear.items():
            log.error("nobody knows when %s is due: %s", key, reason)
        if outlook.store:
            self._instigators.plan(outlook.store)
            self._states.update((state.id, state) for state in outlook.store)
        for key in wanted:
            self._looks.pop(key, None)
        self._looks.update(outlook.later)
        for due in outlook.due:
            _, description, part = self._ours[due.id]
            self._looks[due.id] = now + TRY_AGAIN
            if due.id in self._under_way:
                continue
            if self._runner.start(self._due_tick(description, due), part, done=self._note_end):
                self._under_way.add(due.id)
                self.begun(due.id)
        self._known = known
        more = self._runner.review()
        if not self._looks:
            return more
        look = max(0.0, min(self._looks.values()) - self._clock.now())
        return look if more is None else min(look, more)

    def _take_ended(self) -> dict[str, bool]:
        ended = {}
        while self._ended:
            key, has_ended = self._ended.popleft()
            ended[key] = has_ended
            self._under_way.discard(key)
        return ended

    def _note_end(self, key: str, has_ended: bool) -> None:
        self._ended.append((key, has_ended))
        self._woken.set()

    def _is_outdated(self, held: Held, now: float) -> bool:
        """Whether what we know may be wrong by now; after some time also if nothing was heard of a change."""
        known = (self._catalog.locations, held.parts)
        return known != self._known or self._changed.is_set() or not 0 <= now - self._known_at < _LOOK_AT_ALL

    def _learn(self, held: Held, now: float) -> None:
        self._changed.clear()
        self._known_at = now
        if (divided := (self._catalog.locations, held.parts)) != self._divided:
            self._ours = {
                key: (location, each, part)
                for location, entry in self._catalog.locations.items()
                if entry.description is not None
                for each in self.declared(entry.description)
                if (part := held.part_of(key := instigator_id(location, self.kind, each.name))) is not None
            }
            self._divided = divided
        self._states = self._instigators.states(self.kind)
        self._looks = {}
        self.followed([(location, each) for location, each, _ in self._ours.values()], self._states)

    def _due_tick(self, description: D, due: Due) -> DueTick:
        return DueTick(
            due=due,
            work=self.work(description, due),
            own_job=self.own_job(description),
            next_due=lambda now: self.next_due(description, due, now),
            again_after_failure=self.again_after_failure,
            origin_tag=self.origin_tag,
        )

    def close(self) -> None:
        """Start no more ticks."""
        self._runner.close()
