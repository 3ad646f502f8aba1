"""One tick of a schedule or sensor: begin it, have user code evaluated, and store all of its effect at once.

A tick is begun in the database, evaluated by a code server, and ended in one transaction with its runs, its cursor and
the next due time. So a daemon that dies anywhere in between leaves a tick that another one begins again, and whose
effect still counts once. A code server that does not answer is no failure: the tick waits and is tried again.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Sequence

import msgspec

from ..clock import Clock
from ..engine.instigators import AT_ONCE, MOST_COUNTED, Due, PassedOver
from ..engine.overrides import as_overridden, backfill_as_overridden
from ..errors import (
    CodeServerUnreachableError,
    ConfigurationError,
    FencedError,
    InternalError,
    StorageError,
    StorageUnavailableError,
)
from ..instance.backfill_request import BackfillRequest, first_line, planned_backfill
from ..launch.protocols import RunCoordinator
from ..locations.catalog import Catalog
from ..partitions.requests import keys_after
from ..plan.launch import plan_run
from ..plan.stale import is_memoized, only_stale
from ..records.automation import RunRequestRecord, Tick, TickStatus
from ..records.errors import ErrorInfo, describe_exception
from ..records.lease import Lease
from ..records.location import AssetJobName, LocationDescription
from ..records.run import Tag
from ..records.wire import EvaluateSchedule, EvaluateSensor, Evaluation
from ..storage.protocols import AssetStorage, InstigatorStorage, NewRun, StoredBackfill
from ..wording import utc
from .keeper import Part
from .places import Places
from .rests import Rests

__all__ = ["TRY_AGAIN", "DueTick", "TickRunner"]

log = logging.getLogger("penstock.daemon.ticks")

TRY_AGAIN = 2.0
"""Seconds until a tick that could not be done is tried again."""

_LONGEST_CURSOR = 4_000  # characters


class DueTick(msgspec.Struct, frozen=True, kw_only=True):
    """A tick to do: what is due, what the code server is asked, and what its answer leads to.

    `own_job` is the job of run requests that name none; `next_due` gives the next due time after an end at that time;
    `origin_tag` is the tag that names the instigator on its runs. After a failure it is due again after so many seconds
    at the latest.
    """

    due: Due
    work: EvaluateSchedule | EvaluateSensor
    own_job: str | None
    next_due: Callable[[float], float]
    origin_tag: str
    again_after_failure: float | None = None


class TickRunner:
    """Runs due ticks side by side, each instigator's one at a time.

    Args:
        instigators: Where their states and ticks are kept.
        coordinator: Takes the runs.
        catalog: What the code locations declare.
        clock: Tells the time.
        assets: What is known of assets.
        places: Where the ticks are done; closed with this.
    """

    def __init__(
        self,
        instigators: InstigatorStorage,
        coordinator: RunCoordinator,
        catalog: Catalog,
        clock: Clock,
        *,
        assets: AssetStorage,
        places: Places,
    ) -> None:
        self._instigators = instigators
        self._coordinator = coordinator
        self._catalog = catalog
        self._clock = clock
        self._assets = assets
        self._places = places
        self._busy: set[str] = set()
        self._not_before: dict[str, float] = {}
        self._rests = Rests(catalog, clock)
        self._lock = threading.Lock()

    def start(self, tick: DueTick, part: Part, *, done: Callable[[str, bool], None]) -> bool:
        """Start a tick under the lease of its part, unless one of the same instigator is under way or rests; gives
        whether it did. `done` is called when it is over: with the instigator's id, and whether the tick has ended."""
        key = tick.due.id
        with self._lock:
            if key in self._busy or self._not_before.get(key, 0.0) > self._clock.monotonic():
                return False
            if not self._rests.may_ask(tick.due.location):
                return False
            self._busy.add(key)

        def run() -> None:
            ended = False
            try:
                with part.used() as lease:
                    ended = self._tick(tick, lease)
            except FencedError:
                log.warning("the tick of %s passed to another daemon", key)
            except Exception:
                # The tick stays begun and is begun again at the next look.
                log.exception("the tick of %s failed", key)
                self._pause(key)
            finally:
                with self._lock:
                    self._busy.discard(key)
                done(key, ended)

        self._places.submit(run)
        return True

    def _pause(self, instigator: str) -> None:
        self._not_before[instigator] = self._clock.monotonic() + TRY_AGAIN

    def _tick(self, asked: DueTick, lease: Lease) -> bool:
        """Do it; gives whether it has ended, or waits."""
        due = asked.due
        location = self._catalog.locations[due.location].description
        assert location is not None, "an instigator is looked at only where its description is known"
        if due.passed_over is not None:
            self._pass_over(due, due.passed_over, lease)
            if due.at > self._clock.now():
                return True  # nothing is made up
        tick = self._instigators.begin_tick(due.id, due.at, lease=lease, now=self._clock.now())
        if tick is None:
            # It was done before. If what we know is older than that, the next due time was stored with its end.
            stands = self._instigators.get(due.id)
            if stands is not None and stands.next_due == due.state.next_due:
                state = msgspec.structs.replace(stands, next_due=asked.next_due(self._clock.now()))
                self._instigators.plan([state])
            return True
        try:
            with self._places.elsewhere():
                evaluation = self._catalog.client(due.location).evaluate(asked.work)
        except (CodeServerUnreachableError, ConfigurationError) as error:
            log.warning("the tick of %s waits: %s", due.id, error)
            self._pause(due.id)
            if not (isinstance(error, CodeServerUnreachableError) and error.is_slow):
                self._rests.begin(due.location)
            return False
        except InternalError as error:
            evaluation = Evaluation(error=describe_exception(error))  # it would not understand it another time either
        self._rests.end(due.location)
        if evaluation.error is not None and not evaluation.contained:
            evaluation = _without_effect(evaluation, evaluation.error)
        try:
            runs = self._plan_runs(evaluation, location, asked, tick)
            backfill = self._plan_backfill(evaluation, asked, tick)
            stored = self._end(asked, tick, evaluation, lease, runs=runs, backfill=backfill)
        except (FencedError, StorageUnavailableError):
            raise
        except Exception as error:
            # What it asks for cannot be made or stored, and could not another time.
            if not isinstance(error, (ConfigurationError, StorageError)):
                log.exception("the tick of %s failed", due.id)
            failed = _without_effect(evaluation, describe_exception(error))
            stored = self._end(asked, tick, failed, lease)
        self._coordinator.dispatch(stored.run_ids)
        return True

    def _end(
        self,
        asked: DueTick,
        tick: Tick,
        evaluation: Evaluation,
        lease: Lease,
        *,
        runs: Sequence[tuple[str | None, NewRun]] = (),
        backfill: StoredBackfill | None = None,
    ) -> Tick:
        """Store the end of a tick with all that it comes to."""
        now = self._clock.now()
        ended = msgspec.structs.replace(
            tick,
            status=_status(evaluation),
            skip_reason=evaluation.skip_reason,
            error=evaluation.error,
            run_keys=tuple(key for key, _ in runs if key is not None),
            cursor=_short(evaluation.cursor),
            log=evaluation.log,
            partitions=evaluation.partitions,
            webhooks=tuple(each.id for each in asked.work.webhooks) if isinstance(asked.work, EvaluateSensor) else (),
        )
        return self._instigators.complete_tick(
            ended,
            lease=lease,
            runs=runs,
            backfill=backfill,
            facts=evaluation.facts,
            evaluations=evaluation.evaluations,
            cursor=evaluation.cursor,
            next_due=self._next_due(asked, evaluation, now),
            fingerprint=asked.due.state.fingerprint,
            now=now,
        )

    @staticmethod
    def _next_due(asked: DueTick, evaluation: Evaluation, now: float) -> float:
        if evaluation.more:
            return max(now, asked.due.at + AT_ONCE)
        due = asked.next_due(now)
        if evaluation.until is not None:
            due = max(due, evaluation.until)
        if evaluation.error is None or asked.again_after_failure is None:
            return due
        return min(due, now + asked.again_after_failure)

    def _pass_over(self, due: Due, passed: PassedOver, lease: Lease) -> None:
        """Store that instants are passed over, as one skipped tick at the first of them."""
        now = self._clock.now()
        tick = self._instigators.begin_tick(due.id, passed.first, lease=lease, now=now)
        if tick is not None:
            skipped = msgspec.structs.replace(tick, status=TickStatus.SKIPPED, skip_reason=passed_over_in_words(passed))
            self._instigators.complete_tick(
                skipped, lease=lease, next_due=due.at, fingerprint=due.state.fingerprint, now=now
            )

    def _plan_runs(
        self, evaluation: Evaluation, location: LocationDescription, asked: DueTick, tick: Tick
    ) -> list[tuple[str | None, NewRun]]:
        dynamic_keys = keys_after(evaluation.partitions, self._assets.dynamic_partitions)

        def plan(request: RunRequestRecord) -> tuple[str | None, NewRun]:
            origin = {asked.origin_tag: asked.due.name, Tag.TICK: str(tick.id)}
            if request.run_key is not None:
                origin[Tag.RUN_KEY] = request.run_key
            planned = plan_run(
                location,
                job=request.job or asked.own_job,
                run_config=request.run_config,
                tags={**request.tags, **origin},
                partition=request.partition,
                assets=request.assets,
                checks=request.checks,
                now=self._clock.now(),
                dynamic_keys=dynamic_keys,
            )
            return request.run_key, self._coordinator.prepare(planned)

        override = asked.due.state.override
        asked_for = (as_overridden(each, override) for each in evaluation.run_requests)
        requests = (self._needed(each, location, asked.own_job) for each in asked_for)
        return [plan(request) for request in requests if request is not None]

    def _plan_backfill(self, evaluation: Evaluation, asked: DueTick, tick: Tick) -> StoredBackfill | None:
        """The backfill that it asks for."""
        if evaluation.backfill is None:
            return None
        override = asked.due.state.override
        wanted = backfill_as_overridden(evaluation.backfill, override)
        request = BackfillRequest(
            location=asked.due.location,
            choices=wanted.choices,
            run_config={} if override is None else override.run_config or {},
            tags={**wanted.tags, asked.origin_tag: asked.due.name, Tag.TICK: str(tick.id)},
            title="Automation",
        )
        now = self._clock.now()
        backfill, plan = planned_backfill(self._catalog, self._assets, request, now=now)
        return StoredBackfill(backfill=backfill, plan=plan, log=(first_line(backfill, now),))

    def _needed(
        self, request: RunRequestRecord, location: LocationDescription, own_job: str | None
    ) -> RunRequestRecord | None:
        """The request without the assets that are up to date, where it asks for that; None where all are."""
        name = request.job or own_job or AssetJobName
        job = next((each for each in location.jobs if each.name == name), None)
        if job is None or not (request.only_stale or is_memoized(job, request.tags)):
            return request
        left = only_stale(job, request.assets, request.partition, self._catalog.assets, self._assets)
        return msgspec.structs.replace(request, assets=left) if left else None

    def review(self) -> float | None:
        """Let others begin in place of ticks whose evaluation has become slow; gives the seconds until the next look,
        if any wait for a place."""
        return self._places.review()

    def close(self) -> None:
        """Start no more; what is under way is left to its end in the background."""
        self._places.close()


def passed_over_in_words(passed: PassedOver) -> str:
    """Why no run is made for these instants."""
    count = f"More than {MOST_COUNTED:,} instants" if passed.count is None else _instants(passed.count)
    until = "" if passed.last == passed.first else f" to {utc(passed.last)}"
    ticks, seconds = passed.bound.ticks, passed.bound.seconds
    age = "" if seconds == math.inf else f", and none that is older than {seconds:g} seconds"
    return (
        f"{count} passed over, from {utc(passed.first)}{until}: no daemon looked in time, or no code server answered, "
        f"and of what is missed only the latest {'one is' if ticks == 1 else f'{ticks} are'} made up{age}."
    )


def _instants(count: int) -> str:
    return "1 instant" if count == 1 else f"{count:,} instants"


def _status(evaluation: Evaluation) -> TickStatus:
    if evaluation.error is not None:
        return TickStatus.FAILURE
    did = (
        evaluation.run_requests or evaluation.backfill or evaluation.partitions or evaluation.facts or evaluation.acted
    )
    return TickStatus.SUCCESS if did else TickStatus.SKIPPED


def _short(cursor: str | None) -> str | None:
    """The cursor as a tick keeps it for people to read; the sensor's state has all of it."""
    return cursor if cursor is None or len(cursor) <= _LONGEST_CURSOR else f"{cursor[:_LONGEST_CURSOR]}…"


def _without_effect(evaluation: Evaluation, error: ErrorInfo) -> Evaluation:
    """What is left of an evaluation that failed: its error and what it logged."""
    return Evaluation(error=error, log=evaluation.log)
