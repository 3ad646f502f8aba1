"""Duty: start queued runs as places come free."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import Executor, Future

from ..clock import Clock
from ..engine.pools import PoolRoom, PoolRules, room_of
from ..engine.queue import QueueLimits, decide
from ..errors import EnvironmentalError, SettingsError
from ..launch.protocols import RunLauncher
from ..locations.catalog import Catalog
from ..records.errors import describe_exception
from ..records.event import RunEnqueued, RunFailure
from ..records.run import FailureReason, Run
from ..storage.protocols import BackfillStorage, RunStorage, SlotStorage
from .keeper import Held
from .rests import FIRST_REST, Rests

__all__ = ["CLAIM_SECONDS", "LAUNCHES_AT_ONCE", "QueueDuty"]

log = logging.getLogger("penstock.daemon.queue")

CLAIM_SECONDS = 15.0
"""How long a claimed run may take to reach its code server before another daemon puts it back."""

LAUNCHES_AT_ONCE = 8

_PAGE = 200
_WIDER = 5
_MOST = 5000


class QueueDuty:
    """Claims runs in batches and hands each to the launcher, several at a time."""

    name = "queue"
    parts = 1
    topics = frozenset({"queue", "locations", "slots"})

    def __init__(
        self,
        runs: RunStorage,
        backfills: BackfillStorage,
        launcher: RunLauncher,
        limits: QueueLimits,
        clock: Clock,
        *,
        catalog: Catalog,
        slots: SlotStorage,
        rules: PoolRules,
        workers: Executor,
    ) -> None:
        self._runs = runs
        self._backfills = backfills
        self._launcher = launcher
        self._limits = limits
        self._clock = clock
        self._catalog = catalog
        self._slots = slots
        self._rules = rules
        self._rests = Rests(catalog, clock)
        self._served: dict[str, float] = {}
        self._told: dict[str, str] = {}
        self._pool = workers

    def tick(self, held: Held) -> float | None:
        """Start what may start; note for each other run what it waits for."""
        now = self._clock.now()
        self._catalog.refresh()
        resting, unready, holds = self._rests.resting(), self._unready(), self._hold_back()
        limit = _PAGE
        while True:
            queued = self._runs.queued(limit=limit, by_share=self._limits.fair_share, but=self._told)
            if not queued:
                return None
            active = self._runs.active()
            decision = decide(
                queued,
                active,
                self._limits,
                served=self._served,
                unready=unready,
                resting=resting,
                holds=holds,
                room=self._room(queued, active, now),
            )
            # Behind a page of runs that all wait for the same thing there may be one that need not wait.
            if decision.start or len(queued) < limit or limit >= _MOST or self._limits.is_reached(len(active)):
                break
            limit = min(limit * _WIDER, _MOST)
        location_of = {run.run_id: run.location for run in queued}
        start = [run_id for run_id in decision.start if self._rests.may_ask(location_of[run_id])]
        claimed = self._runs.claim(start, owner=held.lease.holder, until=now + CLAIM_SECONDS, now=now, under=held.lease)
        self._remember(queued, claimed, now)
        notes = {run.run_id: decision.waiting.get(run.run_id) for run in queued if run.run_id in decision.waiting}
        changed = {
            run.run_id: notes[run.run_id] for run in queued if run.run_id in notes and run.note != notes[run.run_id]
        }
        if changed:
            self._runs.explain_waiting(changed)
        for run in claimed:
            future: Future[None] = self._pool.submit(self._launch, run)
            future.add_done_callback(_report)
        if len(queued) == limit and start:
            return 0.0
        return FIRST_REST if resting or len(start) < len(decision.start) else None

    def _unready(self) -> set[str]:
        return {name for name, entry in self._catalog.locations.items() if entry.description is None}

    def _hold_back(self) -> dict[str, str]:
        """Tell the runs of backfills that are held what they wait for, and those that are not any more that this is
        over; gives what holds each backfill. However many such runs there are, no page has them."""
        held = [(each, each.hold) for each in self._backfills.open() if each.hold is not None]
        notes = {each.share: f"Waits for {hold}." for each, hold in held}
        over: dict[str, str | None] = dict.fromkeys(self._told)
        changed = {
            run_id: note
            for share, note in (over | notes).items()
            for run_id in self._runs.queued_of_share(share, untold=note)
        }
        if changed:
            self._runs.explain_waiting(changed)
        self._told = notes
        return {each.backfill_id: hold for each, hold in held}

    def _remember(self, queued: Sequence[Run], claimed: Sequence[Run], now: float) -> None:
        """Keep when shares were last given a place. Of one that nothing waits for, nothing need be known."""
        waiting = {run.share for run in queued}
        self._served = {share: last for share, last in self._served.items() if share in waiting}
        self._served |= {run.share: now for run in claimed}

    def _room(self, queued: Sequence[Run], active: Sequence[Run], now: float) -> PoolRoom | None:
        if not self._rules.holds_runs or not any(run.pools for run in queued):
            return None
        states = self._slots.pools(now=now, default_limit=self._rules.default_limit)
        return room_of(self._rules, states, active)

    def _launch(self, run: Run) -> None:
        try:
            answer = self._launcher.launch(run)
            reason = None if answer.accepted else answer.reason or "the code server refused it"
        except (EnvironmentalError, SettingsError) as error:
            reason = str(error)
        except Exception as error:
            log.exception("run %s cannot be launched", run.run_id)
            self._runs.record(run.run_id, [_failed(error)], now=self._clock.now(), attempt=run.attempt)
            return
        if reason is None:
            self._rests.end(run.location)
            return
        log.warning("run %s goes back to the queue: %s", run.run_id, reason)
        self._rests.begin(run.location)
        fact = RunEnqueued(reason=f"Not started: {reason}")
        self._runs.record(run.run_id, [fact], now=self._clock.now(), attempt=run.attempt)

    def close(self) -> None:
        """Let the claimed runs reach their code servers; claim no more."""
        self._pool.shutdown(wait=True)


def _failed(error: Exception) -> RunFailure:
    """The end of a run that the launcher cannot do anything with: trying it again would come to the same."""
    return RunFailure(
        reason=FailureReason.JOB_INITIALIZATION_FAILURE,
        message="The run could not be launched; the launcher failed over it. Correct that, and launch the run again.",
        error=describe_exception(error),
    )


def _report(future: Future[None]) -> None:
    if (error := future.exception()) is not None:
        # The claim's lease runs out and the monitor duty puts the run back.
        log.error("a launch failed", exc_info=error)
