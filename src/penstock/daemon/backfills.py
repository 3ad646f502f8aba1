"""Duty: make the runs of backfills, each when what it needs is there and a place is free, and see them to their end.

What a backfill has come to is in its parts. Whoever takes it over works out its course from them, and keeps that in
memory while the lease lasts.
"""

from __future__ import annotations

import logging

from ..clock import Clock
from ..engine.retry import RetryPolicyOfRuns
from ..errors import FencedError, StorageError
from ..launch.protocols import RunCoordinator
from ..locations.catalog import Catalog
from ..records.backfill import Backfill, BackfillStatus
from ..records.lease import Lease
from ..storage.protocols import Storage
from .backfill_course import Course
from .keeper import Held

__all__ = ["MOST_OPEN", "BackfillsDuty"]

log = logging.getLogger("penstock.daemon.backfills")

MOST_OPEN = 2_000
"""How many runs of a backfill wait or are at work at once; the next are made as these end."""

_STEPS = 8


class BackfillsDuty:
    """Sees to the backfills that have not ended.

    Args:
        storage: The instance's storage.
        coordinator: Takes the new runs.
        catalog: What the code locations define.
        clock: Tells the time.
        retries: When runs are run again by themselves; None where they are not.
        most_open: How many runs a backfill may have open at once.
    """

    name = "backfills"
    parts = 4
    topics = frozenset({"backfills", "runs", "locations"})

    def __init__(
        self,
        storage: Storage,
        coordinator: RunCoordinator,
        catalog: Catalog,
        clock: Clock,
        *,
        retries: RetryPolicyOfRuns | None = None,
        most_open: int = MOST_OPEN,
    ) -> None:
        self._storage = storage
        self._coordinator = coordinator
        self._catalog = catalog
        self._clock = clock
        self._retries = retries
        self._most_open = most_open
        self._courses: dict[str, Course] = {}
        self._resting: dict[str, float] = {}
        self._seen: object = None

    def tick(self, held: Held) -> float | None:
        """Go on with each backfill that is ours."""
        backfills = self._storage.backfills.open()
        ours = {each.backfill_id for each in backfills if held.part_of(each.backfill_id) is not None}
        self._courses = {key: course for key, course in self._courses.items() if key in ours}
        self._resting = {key: until for key, until in self._resting.items() if key in ours}
        if ours:
            self._catalog.refresh()
        if self._catalog.locations is not self._seen:
            self._seen = self._catalog.locations
            self._resting.clear()
        pauses = []
        broken: list[Exception] = []
        for backfill in backfills:
            part = held.part_of(backfill.backfill_id)
            if part is None:
                continue
            with part.used() as lease:
                try:
                    pauses.append(self._go_on(backfill, lease))
                except (FencedError, StorageError):
                    raise
                except Exception as error:  # noqa: BLE001 - it is raised when the others have had their turn
                    broken.append(error)
        if broken:
            raise broken[0]
        return min((pause for pause in pauses if pause is not None), default=None)

    def close(self) -> None:
        """Nothing is under way between two ticks."""

    def _go_on(self, backfill: Backfill, lease: Lease) -> float | None:
        """Some steps of a backfill; gives the seconds until the next one, None if that waits for something."""
        key, now = backfill.backfill_id, self._clock.monotonic()
        if backfill.paused:
            self._resting.pop(key, None)
        if backfill.status is BackfillStatus.REQUESTED and (until := self._resting.get(key, now)) > now:
            return until - now
        for _ in range(_STEPS):
            course = self._courses.pop(key, None)
            if course is None or course.epoch != lease.epoch:
                course = self._course(backfill, lease)
            more = course.step(backfill, lease)
            if course.rest is not None:
                self._resting[key] = now + course.rest
                return course.rest
            self._courses[key] = course  # only now: one that has failed is of no more use
            if not more:
                return None
        return 0.0

    def _course(self, backfill: Backfill, lease: Lease) -> Course:
        plan = self._storage.backfills.plan(backfill.backfill_id)
        assert plan is not None
        return Course(
            self._storage,
            self._coordinator,
            self._catalog,
            self._clock,
            backfill,
            plan,
            epoch=lease.epoch,
            retries=self._retries,
            most_open=self._most_open,
        )
