"""Duty: start queued runs as places come free."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future

from ..clock import Clock
from ..engine.pools import PoolRoom, PoolRules, room_of
from ..engine.queue import QueueLimits, decide
from ..errors import CodeServerUnreachableError
from ..launch.protocols import RunLauncher
from ..records.event import RunEnqueued
from ..records.run import Run
from ..storage.protocols import BackfillStorage, RunStorage, SlotStorage
from .keeper import Held

__all__ = ["CLAIM_SECONDS", "LAUNCHES_AT_ONCE", "QueueDuty"]

log = logging.getLogger("penstock.daemon.queue")

CLAIM_SECONDS = 15.0
"""How long a claimed run may take to reach its code server before another daemon puts it back."""

LAUNCHES_AT_ONCE = 8

_PAGE = 200
_WIDER = 5
_MOST = 5000
_REST_AFTER_REFUSAL = 2.0


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
        unready: Callable[[], set[str]],
        slots: SlotStorage,
        rules: PoolRules,
        workers: Executor,
    ) -> None:
        self._runs = runs
        self._backfills = backfills
        self._launcher = launcher
        self._limits = limits
        self._clock = clock
        self._unready = unready
        self._slots = slots
        self._rules = rules
        self._resting: dict[str, float] = {}
        self._served: dict[str, float] = {}
        self._told: dict[str, str] = {}
        self._pool = workers

    def tick(self, held: Held) -> float | None:
        """Start what may start; note for each other run what it waits for."""
        now = self._clock.now()
        resting = {location for location, until in self._resting.items() if until > now}
        holds = self._hold_back()
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
                unready=self._unready() | resting,
                holds=holds,
                room=self._room(queued, active, now),
            )
            # Behind a page of runs that all wait for the same thing there may be one that need not wait.
            if decision.start or len(queued) < limit or limit >= _MOST or self._limits.is_reached(len(active)):
                break
            limit = min(limit * _WIDER, _MOST)
        claimed = self._runs.claim(
            decision.start, owner=held.lease.holder, until=now + CLAIM_SECONDS, now=now, under=held.lease
        )
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
        if len(queued) == limit and decision.start:
            return 0.0
        return _REST_AFTER_REFUSAL if resting else None

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
        except CodeServerUnreachableError as error:
            reason = str(error)
        if reason is None:
            return
        log.warning("run %s goes back to the queue: %s", run.run_id, reason)
        now = self._clock.now()
        self._resting[run.location] = now + _REST_AFTER_REFUSAL
        self._runs.record(run.run_id, [RunEnqueued(reason=f"Not started: {reason}")], now=now, attempt=run.attempt)

    def close(self) -> None:
        """Let the claimed runs reach their code servers; claim no more."""
        self._pool.shutdown(wait=True)


def _report(future: Future[None]) -> None:
    if (error := future.exception()) is not None:
        # The claim's lease runs out and the monitor duty puts the run back.
        log.error("a launch failed", exc_info=error)
