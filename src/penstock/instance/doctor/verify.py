"""Compares everything that is derived from the event log with the log itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ...records.run import FINISHED, StepStatus
from ...storage.protocols import Storage
from .difference import Difference
from .verify_assets import verify_assets
from .verify_backfills import verify_backfills
from .verify_runs import verify_run, verify_runs

__all__ = ["verify"]

_OVER = frozenset({StepStatus.SUCCESS, StepStatus.FAILURE, StepStatus.SKIPPED})


def verify(
    storage: Storage,
    *,
    now: float,
    run_id: str | None = None,
    told: Callable[[int], None] = lambda _count: None,
) -> Iterator[Difference]:
    """Every derived row that is not what the log comes to; nothing is changed.

    Args:
        storage: The storage; it may be written to meanwhile.
        now: The time, in seconds since the epoch.
        run_id: Only this run, its steps and its slots.
        told: Told now and then how many events have been read for assets.
    """
    yield from verify_runs(storage) if run_id is None else verify_run(storage, run_id)
    yield from _slots(storage, now=now, run_id=run_id)
    if run_id is None:
        yield from verify_assets(storage, told=told)
        yield from verify_backfills(storage)


def _slots(storage: Storage, *, now: float, run_id: str | None) -> Iterator[Difference]:
    """Slots that are held for steps that have ended."""
    for pool in storage.slots.pools(now=now):
        for claim in (*pool.held, *pool.waiting):
            if run_id not in (None, claim.run_id):
                continue
            ended = {step.step_key for step in storage.events.step_stats(claim.run_id) if step.status in _OVER}
            run = storage.runs.get(claim.run_id)
            if claim.step_key in ended or run is None or run.status in FINISHED:
                yield Difference(
                    kind="slot",
                    where=f"{claim.pool} {claim.run_id} {claim.step_key}".rstrip(),
                    what="a slot is held or waited for, and the log says that the step is over",
                )
