"""Duty: make one-off runs when their time has come.

A run is made in the transaction that says that its one-off run waits no more, so there is one, whatever dies. What to
run is planned by the code as it is then. Where no code is known, or a code server that must be asked does not answer,
it waits until it is too late.
"""

from __future__ import annotations

import logging

from ..clock import Clock
from ..engine.one_offs import look_at_one_offs
from ..errors import (
    CodeServerUnreachableError,
    ConfigurationError,
    EnvironmentalError,
    FencedError,
    StorageUnavailableError,
)
from ..launch.protocols import RunCoordinator
from ..locations.catalog import Catalog, CatalogLocation
from ..locations.partition_runs import partition_runs
from ..plan.launch import plan_run
from ..records.lease import Lease
from ..records.one_off import TOPIC, OneOff, OneOffStatus
from ..records.run import Tag
from ..storage.protocols import NewRun, Storage
from .keeper import Held
from .ticks import TRY_AGAIN

__all__ = ["OneOffsDuty"]

log = logging.getLogger("penstock.daemon.one_offs")

_PAGE = 1000


class OneOffsDuty:
    """See the head of this file.

    Args:
        storage: The instance's storage.
        coordinator: Takes the runs.
        catalog: What the code locations define.
        clock: Tells the time.
    """

    name = "one_offs"
    parts = 1
    topics = frozenset({TOPIC, "locations"})

    def __init__(self, storage: Storage, coordinator: RunCoordinator, catalog: Catalog, clock: Clock) -> None:
        self._storage = storage
        self._coordinator = coordinator
        self._catalog = catalog
        self._clock = clock

    def tick(self, held: Held) -> float | None:
        """Make those that are due, and pass over those that are too late."""
        now = self._clock.now()
        outlook = look_at_one_offs(self._storage.one_offs.waiting(limit=_PAGE), now)
        for one_off in outlook.missed:
            note = "It was too late: no daemon was there in time, or its code was not."
            self._settle(one_off, OneOffStatus.MISSED, held.lease, note=note)
        if outlook.due:
            self._catalog.refresh()
        left = [one_off for one_off in outlook.due if not self._make(one_off, held.lease)]
        if outlook.missed or len(outlook.due) > len(left):
            return 0.0  # there may be more than a page
        if left:
            return TRY_AGAIN
        return None if outlook.next_look is None else outlook.next_look - now

    def close(self) -> None:
        """Nothing is under way between two ticks."""

    def _make(self, one_off: OneOff, lease: Lease) -> bool:
        """Make its run; False if it goes on waiting."""
        location = self._catalog.locations.get(one_off.location)
        if location is None or location.description is None:
            return False
        try:
            run = self._coordinator.prepare(self._plan(one_off, location))
            made = self._settle(one_off, OneOffStatus.LAUNCHED, lease, run=run)
        except CodeServerUnreachableError as error:
            log.warning("the one-off run %d waits: %s", one_off.id, error)
            return False
        except (FencedError, StorageUnavailableError):
            raise
        except Exception as error:
            if not isinstance(error, (ConfigurationError, EnvironmentalError)):
                log.exception("the one-off run %d cannot be made", one_off.id)
            self._settle(one_off, OneOffStatus.FAILED, lease, note=str(error))
            return True
        if made:
            self._coordinator.dispatch([run.run.run_id])
        return True

    def _settle(
        self,
        one_off: OneOff,
        status: OneOffStatus,
        lease: Lease,
        *,
        run: NewRun | None = None,
        note: str | None = None,
    ) -> bool:
        now = self._clock.now()
        return self._storage.one_offs.settle(one_off.id, status, lease=lease, run=run, note=note, now=now)

    def _plan(self, one_off: OneOff, location: CatalogLocation) -> NewRun:
        assert location.description is not None
        run_config, tags = one_off.run_config, one_off.tags
        job = location.jobs.get(one_off.job)
        if one_off.partition is not None and job is not None:
            own = partition_runs(self._catalog, one_off.location, job, [one_off.partition]).get(one_off.partition)
            if own is not None:
                run_config, tags = run_config or own.run_config, {**own.tags, **tags}
        origin = {Tag.ONE_OFF: str(one_off.id)}
        if one_off.by.actor is not None:
            origin[Tag.USER] = one_off.by.actor
        return plan_run(
            location.description,
            job=one_off.job,
            run_config=run_config,
            tags={**tags, **origin},
            partition=one_off.partition,
            step_keys=one_off.step_keys,
            assets=one_off.assets,
            checks=one_off.checks,
            now=self._clock.now(),
            dynamic_keys=self._storage.assets.dynamic_partitions,
        )
