"""The seam of schedules and sensors: switches, cursors, ticks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ...records.automation import (
    InstigatorKind,
    InstigatorState,
    InstigatorStatus,
    Override,
    Tick,
    TickStatus,
)
from ...records.conditions.evaluation import EvaluationRecord, StoredEvaluation
from ...records.event import AssetFact
from ...records.lease import Lease
from .backfills import StoredBackfill
from .runs import NewRun

__all__ = ["InstigatorStorage"]


class InstigatorStorage(Protocol):
    """Schedules and sensors: switches, cursors, ticks."""

    def states(self, kind: InstigatorKind | None = None) -> dict[str, InstigatorState]:
        """All stored states by id, or those of schedules or of sensors alone."""
        ...

    def get(self, instigator: str) -> InstigatorState | None:
        """One state."""
        ...

    def switch(
        self,
        instigator: str,
        location: str,
        kind: InstigatorKind,
        name: str,
        status: InstigatorStatus,
        *,
        now: float,
    ) -> InstigatorState:
        """Turn it on, off, or back to what the code says; its next due time is forgotten, to be computed from now, and
        so is when it was turned on, unless it is turned on by this call. One that was removed is so no more."""
        ...

    def set_cursor(
        self, instigator: str, location: str, name: str, cursor: str | None, *, now: float
    ) -> InstigatorState:
        """Set a sensor's cursor by hand; a tick that is at work meanwhile does not overwrite it."""
        ...

    def override(
        self,
        instigator: str,
        location: str,
        kind: InstigatorKind,
        name: str,
        override: Override | None,
        *,
        now: float,
    ) -> InstigatorState:
        """Set what holds in place of the code, or withdraw it (None); its next due time is forgotten."""
        ...

    def retire(self, instigator: str, *, now: float) -> InstigatorState | None:
        """Remove it: it is off, and all that is known of it is kept. None if nothing is known of it."""
        ...

    def restore(self, instigator: str, *, now: float) -> InstigatorState | None:
        """Take a removal back: switch, overrides and cursor count as before. None if nothing is known of it."""
        ...

    def plan(self, states: Sequence[InstigatorState]) -> None:
        """Store `next_due` and `fingerprint` of these, making rows that do not exist, and `turned_on` where none is
        stored; nothing else of a row changes."""
        ...

    def begin_tick(self, instigator: str, due: float, *, lease: Lease, now: float) -> Tick | None:
        """Begin the tick of that due time. None when it is over already. One that a dead daemon left STARTED begins
        again with a higher `attempt`. Raises `FencedError` when the lease has passed on."""
        ...

    def complete_tick(
        self,
        tick: Tick,
        *,
        lease: Lease,
        runs: Sequence[tuple[str | None, NewRun]] = (),
        backfill: StoredBackfill | None = None,
        facts: Sequence[AssetFact] = (),
        evaluations: Sequence[EvaluationRecord] = (),
        cursor: str | None = None,
        next_due: float | None = None,
        fingerprint: str | None = None,
        now: float,
    ) -> Tick:
        """End a tick, in one transaction with everything it causes: the changes of dynamic partition sets that it
        carries, its runs, each under its (instigator, run key), its backfill, facts about assets, what automation
        conditions came to, the cursor (None keeps it), and the next due time, unless that was planned for another
        `fingerprint` meanwhile (None: whatever it is). A run whose key was used before is not made again. Gives the
        tick as stored, with the ids of the runs and the backfill that it made. Raises `FencedError` when the lease has
        passed on."""
        ...

    def evaluations(self, entity: str, *, before: int | None = None, limit: int = 50) -> list[StoredEvaluation]:
        """What the automation condition of an asset, check or job (an entity id) came to, newest first, before the id
        `before`. Those that requested something are kept, and of the others the last one, if nothing followed it."""
        ...

    def ticks(
        self,
        instigator: str,
        *,
        before: int | None = None,
        limit: int = 50,
        statuses: Sequence[TickStatus] | None = None,
        after_time: float | None = None,
    ) -> list[Tick]:
        """Ticks, newest first, before the tick id `before`: those with one of the `statuses`, and that began after
        `after_time`, where these are given."""
        ...

    def latest_ticks(
        self,
        instigators: Sequence[str],
        *,
        limit: int,
        statuses: Sequence[TickStatus] | None = None,
        after_time: float | None = None,
    ) -> dict[str, list[Tick]]:
        """What `ticks` gives of each of these, all found together; those without any are left out."""
        ...
