"""Each run that failed was run again as often as its tags ask for, once each, and after it had failed."""

from __future__ import annotations

from penstock.records.run import FailureReason, Run, RunStatus, Tag
from penstock.storage.protocols import RunFilter
from simulation.deployment import Deployment
from simulation.rough import MAX_RETRIES

__all__ = ["check_retries"]


def check_retries(deployment: Deployment) -> None:
    """See the head of this file."""
    events = deployment.storage.events
    runs = {run.run_id: run for run in deployment.storage.runs.page(RunFilter(), limit=1_000_000)}
    retries: dict[str, list[Run]] = {}
    for run in runs.values():
        if run.parent_run_id is not None:
            retries.setdefault(run.parent_run_id, []).append(run)
    failures = {each.run_id: each.id for each in events.of_types(["RUN_FAILURE"], limit=1_000_000)}
    assert failures.keys() == {run_id for run_id, run in runs.items() if run.status is RunStatus.FAILURE}
    for run_id, failed in failures.items():
        assert run_id is not None
        run, made = runs[run_id], retries.pop(run_id, [])
        assert len(made) <= _wanted(run), f"{run_id} was run again {len(made)} times"
        if failed < deployment.settled:
            assert len(made) == _wanted(run), f"{run_id} was not run again"
            assert run.tags.get(Tag.WILL_RETRY) == (str(bool(made)).lower() if _allowed(run) else None)
        for again in made:
            assert run.tags[Tag.AUTO_RETRY_RUN] == again.run_id
            assert _number(again) == _number(run) + 1
            (first,) = events.of_run(again.run_id, limit=1)
            assert first.id > failed, f"{again.run_id} began before {run_id} failed"
    assert retries == {}, "runs were run again that did not fail"


def _wanted(run: Run) -> int:
    may = run.failure_reason is not FailureReason.STEP_FAILURE or Tag.RETRY_ON_STEP_FAILURE not in run.tags
    return int(may and _number(run) < _allowed(run))


def _allowed(run: Run) -> int:
    return int(run.tags.get(Tag.MAX_RETRIES, MAX_RETRIES))


def _number(run: Run) -> int:
    return int(run.tags.get(Tag.RETRY_NUMBER, "0"))
