"""Duty: run again by themselves the runs that have failed and may be.

It goes through the failures in the event log from a stored place on, and moves that place when it is done with them. A
retry has an id that follows from the run that it repeats, so that doing it twice makes it once, whoever does it.
"""

from __future__ import annotations

import logging

import msgspec

from ..clock import Clock
from ..codec import decode_json
from ..engine.retry import RetryPolicyOfRuns, RetryRun, RetryStrategy, decide_retry
from ..errors import ConfigurationError, StorageError, StorageUnavailableError
from ..ids import run_id_derived_from
from ..launch.protocols import RunCoordinator
from ..locations.catalog import Catalog
from ..plan.launch import plan_run
from ..plan.reexecution import tags_to_repeat, what_to_repeat
from ..records.event import AssetMaterialization, EngineNote
from ..records.location import JobDescription
from ..records.run import Run, RunStatus, Tag
from ..storage.log_pages import KeptPlace
from ..storage.protocols import NewRun, RunFilter, Storage
from ..storage.run_log import run_log, steps_at_hand
from .keeper import Held

__all__ = ["RetriesDuty", "pass_over_failures", "retry_id"]

log = logging.getLogger("penstock.daemon.retries")

_PLACE = "retries/place"
_PAGE = 100


def pass_over_failures(storage: Storage) -> None:
    """Let the duty look only at runs that fail from now on. No daemon may be at work."""
    KeptPlace(storage, _PLACE).pass_over()


class RetriesDuty:
    """Looks at each failed run once. It begins with those that fail after it was turned on for the first time.

    Args:
        storage: The instance's storage.
        coordinator: Takes the new runs.
        catalog: What the code locations define.
        policy: What holds where a run's tags say nothing.
        clock: Tells the time.
    """

    name = "retries"
    parts = 1
    topics = frozenset({"runs"})

    def __init__(
        self, storage: Storage, coordinator: RunCoordinator, catalog: Catalog, policy: RetryPolicyOfRuns, clock: Clock
    ) -> None:
        self._storage = storage
        self._coordinator = coordinator
        self._catalog = catalog
        self._policy = policy
        self._clock = clock
        self._place = KeptPlace(storage, _PLACE)

    def tick(self, held: Held) -> float | None:
        """Look at what has failed since the last time."""
        for failures in self._place.read_on(["RUN_FAILURE"], epoch=held.lease.epoch, limit=_PAGE):
            self._catalog.refresh()
            for failure in failures:
                run = None if failure.run_id is None else self._storage.runs.get(failure.run_id)
                if run is not None:
                    self._look_at(run)
        return None

    def close(self) -> None:
        """Nothing is under way between two ticks."""

    def _look_at(self, run: Run) -> None:
        try:
            decision = decide_retry(run, self._policy, made=self._repetitions(run))
            if decision is None:
                return
            retry = self._made(run, decision) if isinstance(decision, RetryRun) else None
            why = decision
        except ConfigurationError as error:
            retry, why = None, str(error)
        except StorageUnavailableError:
            raise
        except Exception as error:
            log.exception("run %s cannot be run again", run.run_id)
            retry, why = None, f"{type(error).__name__}: {error}"
        if retry is not None:
            self._start(run, retry)
            return
        log.info("run %s is not run again: %s", run.run_id, why)
        self._storage.runs.add_tags(run.run_id, {Tag.WILL_RETRY: "false"})

    def _repetitions(self, run: Run) -> int:
        """How many runs of its chain there are besides the first; a retry of this very run is not counted."""
        root = run.root_run_id or run.run_id
        chain = self._storage.runs.count(RunFilter(tags={Tag.ROOT_RUN: root}))
        return chain - (self._storage.runs.get(retry_id(run)) is not None)

    def _made(self, run: Run, decision: RetryRun) -> Run:
        run_id = retry_id(run)
        retry = self._storage.runs.get(run_id)
        if retry is None:
            planned = self._coordinator.prepare(self._plan(run, run_id, decision))
            try:
                (retry,) = self._storage.runs.create([planned])
            except StorageError:
                retry = self._storage.runs.get(run_id)
                if retry is None:
                    raise
                # Another daemon was faster.
        return retry

    def _start(self, run: Run, retry: Run) -> None:
        run_id = retry.run_id
        self._storage.runs.add_tags(run.run_id, {Tag.WILL_RETRY: "true", Tag.AUTO_RETRY_RUN: run_id})
        if retry.status is RunStatus.NOT_STARTED:
            self._coordinator.dispatch([run_id])
        log.info("run %s failed and is run again as %s", run.run_id, run_id)

    def _plan(self, run: Run, run_id: str, decision: RetryRun) -> NewRun:
        entry = self._catalog.locations.get(run.location)
        if entry is None or entry.description is None:
            raise ConfigurationError(
                f"No code of the location {run.location!r} is known; load it, and run the run again by hand."
            )
        storage = self._storage
        stored = None if run.snapshot is None else storage.runs.snapshot(run.snapshot)
        made: set[str] = set()
        if decision.strategy is RetryStrategy.FROM_ASSET_FAILURE:
            facts = (event.fact for event in run_log(storage.events, run.run_id, ("ASSET_MATERIALIZATION",)))
            made = {fact.asset for fact in facts if isinstance(fact, AssetMaterialization)}
        steps, assets = what_to_repeat(
            run,
            decision.strategy,
            None if stored is None else decode_json(stored, JobDescription),
            storage.events.step_stats(run.run_id),
            made,
        )
        planned = plan_run(
            entry.description,
            job=run.job,
            run_config=run.run_config,
            tags={**tags_to_repeat(run), Tag.RETRY_NUMBER: str(decision.number)},
            partition=run.partition,
            assets=assets,
            checks=run.checks,
            step_keys=steps,
            parent=run,
            at_hand=steps_at_hand(storage.runs, storage.events, run),
            run_id=run_id,
            now=self._clock.now(),
            dynamic_keys=storage.assets.dynamic_partitions,
        )
        note = (
            f"This is retry {decision.number} of {decision.allowed} of the run {run.run_id}, which failed: "
            f"{run.note or run.failure_reason or 'it is not known why.'}"
        )
        return msgspec.structs.replace(planned, facts=(*planned.facts, EngineNote(message=note)))


def retry_id(run: Run) -> str:
    """The id of the run that repeats a failed one by itself, whether there is one or not."""
    return run_id_derived_from(f"retry of {run.run_id}", run.ended or run.updated)
