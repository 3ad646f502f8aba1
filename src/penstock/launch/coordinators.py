"""The two coordinators: one puts runs into the queue, which the daemon empties; the other launches them at once."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ..clock import SYSTEM_CLOCK, Clock
from ..errors import EnvironmentalError, NotFoundError
from ..ids import new_holder_id
from ..records.event import EngineNote, RunCanceled, RunCanceling, RunEnqueued, RunFailure
from ..records.run import FailureReason, Run, RunStatus
from ..storage.protocols import NewRun, RunStorage
from .protocols import RunLauncher

__all__ = ["LAUNCH_LEASE_SECONDS", "ImmediateRunCoordinator", "QueuedRunCoordinator", "SubmitRunContext"]

LAUNCH_LEASE_SECONDS = 15.0
"""How long a claim holds until the code server must have taken it over."""

_NOBODY_TO_STOP = frozenset({RunStatus.NOT_STARTED, RunStatus.QUEUED})
_TRIES = 5


class SubmitRunContext(msgspec.Struct, frozen=True):
    """What a coordinator of the user's gets of a run that is asked for.

    Args:
        run: The run, stored and not yet in the queue.
    """

    run: Run


class QueuedRunCoordinator:
    """Puts runs into the queue; the daemon launches each when its turn comes and the limits allow it.

    A class of yours may derive from it and override `submit_run`, for example to tag each run with its owner or to
    refuse some; name it as `run_coordinator` in `penstock.yaml`.

    Args:
        runs: The runs of the instance.
        launcher: Stops workers when a run is canceled.
        clock: Tells the time.
    """

    def __init__(self, *, runs: RunStorage, launcher: RunLauncher, clock: Clock = SYSTEM_CLOCK) -> None:
        self.runs = runs
        self._launcher = launcher
        self._clock = clock

    def submit_run(self, context: SubmitRunContext) -> Run:
        """Put one run into the queue; gives it as it is then.

        Only an override of it is called for each run: as it stands here, runs are stored in the queue from the first.
        """
        run_id = context.run.run_id
        self.runs.record(run_id, [RunEnqueued()], now=self._clock.now())
        return self.runs.get(run_id) or context.run

    @property
    def _asks_for_each(self) -> bool:
        return type(self).submit_run is not QueuedRunCoordinator.submit_run

    def submit(self, runs: Sequence[NewRun]) -> list[Run]:
        """Store the runs as queued."""
        created = self.runs.create([self.prepare(new_run) for new_run in runs])
        if not self._asks_for_each:
            return created
        self.dispatch([run.run_id for run in created])
        return [self.runs.get(run.run_id) or run for run in created]

    def prepare(self, run: NewRun) -> NewRun:
        """The run with the fact that puts it into the queue, unless each run is asked for."""
        if self._asks_for_each:
            return run
        return msgspec.structs.replace(run, facts=(*run.facts, RunEnqueued()))

    def dispatch(self, run_ids: Sequence[str]) -> None:
        """Call an override of `submit_run` for each run. Otherwise nothing is left to do: the storage has told the
        daemon that there is something in the queue."""
        if not self._asks_for_each:
            return
        for run_id in run_ids:
            run = self.runs.get(run_id)
            if run is not None and run.status is RunStatus.NOT_STARTED:
                self.submit_run(SubmitRunContext(run))

    def cancel(self, run_id: str, *, force: bool = False, actor: str | None = None) -> Run:
        """Ask a run to stop."""
        return cancel_run(self.runs, self._launcher, self._clock, run_id, force=force, actor=actor)


class ImmediateRunCoordinator:
    """Launches each run at once, in the process that asks for it; no limit holds and no daemon is needed."""

    def __init__(self, *, runs: RunStorage, launcher: RunLauncher, clock: Clock = SYSTEM_CLOCK) -> None:
        self._runs = runs
        self._launcher = launcher
        self._clock = clock
        self._holder = new_holder_id("coordinator")

    def submit(self, runs: Sequence[NewRun]) -> list[Run]:
        """Store the runs, claim them and launch them; one that cannot be launched ends as failed with the reason."""
        created = self._runs.create(runs)
        self.dispatch([run.run_id for run in created])
        return [self._runs.get(run.run_id) or run for run in created]

    def prepare(self, run: NewRun) -> NewRun:
        """The run as it is."""
        return run

    def dispatch(self, run_ids: Sequence[str]) -> None:
        """Claim and launch the runs, one after the other."""
        for run_id in run_ids:
            now = self._clock.now()
            claimed = self._runs.claim([run_id], owner=self._holder, until=now + LAUNCH_LEASE_SECONDS, now=now)
            for attempt in claimed:
                self._launch(attempt)

    def cancel(self, run_id: str, *, force: bool = False, actor: str | None = None) -> Run:
        """Ask a run to stop."""
        return cancel_run(self._runs, self._launcher, self._clock, run_id, force=force, actor=actor)

    def _launch(self, run: Run) -> None:
        try:
            answer = self._launcher.launch(run)
            reason = None if answer.accepted else answer.reason or "the code server refused it"
        except (EnvironmentalError, NotFoundError) as error:
            reason = str(error)
        if reason is None:
            return
        failure = RunFailure(
            reason=FailureReason.JOB_INITIALIZATION_FAILURE,
            message=f"The run could not be launched: {reason} Launch it again when its code location is in order.",
        )
        self._runs.record(run.run_id, [failure], now=self._clock.now(), attempt=run.attempt)


def cancel_run(
    runs: RunStorage, launcher: RunLauncher, clock: Clock, run_id: str, *, force: bool, actor: str | None
) -> Run:
    """Ask a run to stop, whatever state it is in; see `RunCoordinator.cancel`."""
    # Each turn acts on the state that it read; when the run moved meanwhile, the guarded write says so: look anew.
    for _ in range(_TRIES):
        run = _existing(runs, run_id)
        if run.is_finished:
            return run
        now = clock.now()
        if run.status in _NOBODY_TO_STOP:
            if runs.record(run_id, [RunCanceled(message=_by(actor))], now=now):
                break
        elif run.status is RunStatus.CANCELING or runs.record(run_id, [RunCanceling(actor=actor)], now=now):
            _stop_worker(runs, launcher, clock, run, force=force)
            break
    return _existing(runs, run_id)


def _existing(runs: RunStorage, run_id: str) -> Run:
    run = runs.get(run_id)
    if run is None:
        raise NotFoundError(f"There is no run {run_id!r}. It may have been deleted; see the list of runs.")
    return run


def _stop_worker(runs: RunStorage, launcher: RunLauncher, clock: Clock, run: Run, *, force: bool) -> None:
    try:
        launcher.cancel(run, force=force)
    except (EnvironmentalError, NotFoundError) as error:
        # The intent is stored: a worker on its own sees it when it renews its lease, the monitor when the lease ends.
        note = f"The code server could not be asked to stop the worker: {error} The run ends when its lease is over."
        runs.record(run.run_id, [EngineNote(message=note)], now=clock.now())
    if force:
        canceled = RunCanceled(message="Canceled by force, without waiting for the worker.")
        runs.record(run.run_id, [canceled], now=clock.now())


def _by(actor: str | None) -> str:
    return "Canceled while it waited in the queue" + (f" by {actor}." if actor else ".")
