"""Duty: see that every run ends. Runs whose holder is gone go back to the queue or end with the cause."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

import msgspec

from ..clock import Clock
from ..engine.loss import DEFAULT_RESUMES, after_loss
from ..engine.run_tags import runtime_allowed
from ..errors import CodeServerUnreachableError, EnvironmentalError, StorageError
from ..launch.protocols import RunCoordinator, RunLauncher
from ..logs.store import LogStore
from ..records.event import Fact, RunCanceled, RunCanceling, RunEnqueued, RunFailure
from ..records.run import FailureReason, Run, RunStatus, Tag
from ..storage.protocols import RunFilter, Storage
from ..storage.run_log import lost_workers
from .keeper import Held

__all__ = ["MonitorDuty", "MonitorLimits"]

log = logging.getLogger("penstock.daemon.monitor")

_LOOK_EVERY = 2.0
_GRACE_AFTER_OUTAGE = 15.0
_OF_DAEMONS = tuple(RunFilter(statuses=(RunStatus.NOT_STARTED,), tags={tag: None}) for tag in (Tag.TICK, Tag.ONE_OFF))
_AT_ONCE = 50


class MonitorLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds that a run may take to start, to stop when asked, and in all; 0 means no limit. How often it may go on
    under a new worker when one is lost."""

    start_timeout: float = 180.0
    cancel_timeout: float = 30.0
    max_runtime: float = 0.0
    resumes: int = DEFAULT_RESUMES


class MonitorDuty:
    """Looks at active runs every two seconds while there are any."""

    name = "monitor"
    parts = 1
    topics = frozenset({"runs"})

    def __init__(
        self,
        storage: Storage,
        logs: LogStore,
        launcher: RunLauncher,
        coordinator: RunCoordinator,
        limits: MonitorLimits,
        clock: Clock,
    ) -> None:
        self._runs = storage.runs
        self._logs = logs
        self._events = storage.events
        self._launcher = launcher
        self._coordinator = coordinator
        self._limits = limits
        self._clock = clock
        self._epoch = 0
        self._judge_from = 0.0
        self._last_look = 0.0

    def tick(self, held: Held) -> float | None:
        """Judge what has run out; ask again for what should stop."""
        now = self._clock.now()
        last_look, self._last_look = self._last_look, 0.0  # until this one has succeeded
        active = self._runs.active()
        # After an outage (ours or the database's) holders need the time to renew before anybody is judged. Whoever has
        # this duty anew knows of one by its leases.
        is_new, self._epoch = held.lease.epoch != self._epoch, held.lease.epoch
        if not is_new and now - last_look > _GRACE_AFTER_OUTAGE:
            self._judge_from = now + _GRACE_AFTER_OUTAGE
        # A clock that was set forward shows as an outage as well; once it is set back, that was not to come yet.
        self._judge_from = min(self._judge_from, now + _GRACE_AFTER_OUTAGE)
        is_judging = now >= max(self._judge_from, held.steady_since + _GRACE_AFTER_OUTAGE)
        self._last_look = now
        waits = self._hand_over(now)
        if not active:
            return _LOOK_EVERY if waits else None
        if is_judging:
            for run in self._runs.expired(now):
                self._attempt(partial(self._end, run, now), f"the loss of the run {run.run_id}")
        for run in active:
            self._attempt(partial(self._watch, run, now, is_judging=is_judging), f"the run {run.run_id}")
        return _LOOK_EVERY

    @staticmethod
    def _attempt(act: Callable[[], None], what: str) -> None:
        """Act for one run; whatever a launcher or a store of the user's raises, the others are seen to."""
        try:
            act()
        except StorageError:
            raise
        except Exception:
            log.exception("%s could not be seen to, and is again at the next look", what)

    def _hand_over(self, now: float) -> bool:
        """Pass on to the coordinator runs that a daemon made (of a tick, or a one-off run) and that it has not got, for
        that daemon died between the two; says whether there are any that it may yet get from there."""
        made = [run for where in _OF_DAEMONS for run in self._runs.page(where, limit=_AT_ONCE, ascending=True)]
        left = [run.run_id for run in made if now - run.created > _GRACE_AFTER_OUTAGE]
        if left:
            log.warning("runs that a daemon made were not launched, and are now: %s", ", ".join(left))
            self._attempt(partial(self._coordinator.dispatch, left), "their launch")
        return len(left) < len(made)

    def _end(self, run: Run, now: float) -> None:
        fact: Fact
        match run.status:
            case RunStatus.STARTING:
                fact = RunEnqueued(reason="The daemon that had claimed it did not confirm the launch.")
            case RunStatus.CANCELING:
                fact = RunCanceled(message="Its worker was no longer heard of after it was asked to stop.")
            case _:
                ending = RunFailure(
                    reason=FailureReason.UNEXPECTED_TERMINATION,
                    message=f"Its worker ({run.owner}) was no longer heard of: process, container or machine is gone.",
                )
                before = lost_workers(self._events, run.run_id)
                fact = after_loss(run, ending, lost_before=before, allowed=self._limits.resumes)
        self._settle_logs(run)
        if self._runs.record(run.run_id, [fact], now=now, attempt=run.attempt):
            log.warning("run %s: %s", run.run_id, getattr(fact, "message", None) or getattr(fact, "reason", ""))

    def _settle_logs(self, run: Run) -> None:
        """Write the ends of its captured output down, where its files are on this machine too."""
        try:
            self._logs.settle(run.run_id)
        except EnvironmentalError as error:
            log.warning("run %s: %s", run.run_id, error)

    def _watch(self, run: Run, now: float, *, is_judging: bool) -> None:
        match run.status:
            case RunStatus.STARTING if is_judging and now - (run.launched or now) > self._limits.start_timeout > 0:
                message = f"Its code server had it for {self._limits.start_timeout:g} s and no worker began."
                failure = RunFailure(reason=FailureReason.START_TIMEOUT, message=message)
                self._runs.record(run.run_id, [failure], now=now, attempt=run.attempt)
                self._ask_to_stop(run, force=True)
            case RunStatus.STARTED if (longest := self._longest(run)) and now - (run.started or now) > longest:
                log.warning("run %s has run for longer than %g s", run.run_id, longest)
                self._runs.record(run.run_id, [RunCanceling(actor=f"run time limit of {longest:g} s")], now=now)
                self._ask_to_stop(run)
            case RunStatus.CANCELING if now - run.updated > self._limits.cancel_timeout > 0:
                self._ask_to_stop(run, force=True)

    def _longest(self, run: Run) -> float:
        allowed = runtime_allowed(run.tags, self._limits.max_runtime)
        return self._limits.max_runtime if allowed is None else allowed  # the tag was added to a run that was there

    def _ask_to_stop(self, run: Run, *, force: bool = False) -> None:
        try:
            self._launcher.cancel(run, force=force)
        except CodeServerUnreachableError as error:
            log.warning("run %s cannot be asked to stop yet: %s", run.run_id, error)

    def close(self) -> None:
        """Nothing is under way between two ticks."""
