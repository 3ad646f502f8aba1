"""What a run that repeats a part of another one takes from there: the values of the steps that it does not run."""

from __future__ import annotations

from collections.abc import Sequence

from ..definitions.ops.job import JobDefinition
from ..definitions.steps.job_steps import job_steps
from ..engine.progress import PROGRESS_EVENTS, past_of
from ..engine.step_messages import Past, PastState, StepPast
from ..plan.inheritance import mapped_over
from ..plan.model import ExecutionPlan
from ..plan.selection import asks_for_rest, base_step_key
from ..records.run import Run
from ..storage.protocols import Storage
from ..storage.run_log import lineage, run_log
from .environment import Environment
from .scope import is_in_memory, with_default_io_manager

__all__ = ["inherited_by", "kept_past"]


def inherited_by(
    parent_run_id: str | None, step_keys: Sequence[str] | None, job: JobDefinition, environment: Environment
) -> dict[str, StepPast] | None:
    """The steps whose values earlier runs have stored, with what each gave; of each step the latest. None for a run
    that repeats no part of another one.

    Steps are left out of which an instance did not succeed, unless the rest of them alone is run again; and those whose
    values were in memory, which have to run again.

    Args:
        parent_run_id: The run that is repeated; with those that it repeats itself.
        step_keys: What is run again; if that is everything, nothing is inherited.
        job: The job.
        environment: The world.

    Raises:
        StorageError: A log cannot be read.
    """
    storage = environment.storage
    if storage is None or parent_run_id is None or step_keys is None:
        return None
    parent = storage.runs.get(parent_run_id)
    resources = with_default_io_manager(job.resource_defs, environment)
    kept = {
        step.key
        for step in job_steps(job).values()
        if not any(is_in_memory(resources.get(output.io_manager_key)) for output in step.outputs)
    }
    rest = asks_for_rest(step_keys)
    inherited: dict[str, StepPast] = {}
    known: set[str] = set()
    for each in () if parent is None else lineage(storage.runs, parent):
        past = _past(each, storage)
        lacking = {base_step_key(key) for key, one in past.items() if one.state is not PastState.SUCCEEDED} - rest
        for key, one in past.items():
            base = base_step_key(key)
            if one.state is PastState.SUCCEEDED and base not in known and base not in lacking and base in kept:
                inherited[key] = StepPast(state=one.state, outputs=one.outputs, run_id=each.run_id)
        known |= {base_step_key(key) for key in past}
    return inherited


def kept_past(plan: ExecutionPlan, inherited: Past | None, step_keys: Sequence[str] | None) -> dict[str, StepPast]:
    """What of it a plan goes on from: the steps that it inherits, and of mapped steps of which the rest is run again
    those that succeeded, where what they are mapped over is the same."""
    rest = asks_for_rest(step_keys or ())
    same = set(plan.inherited)
    for key, sources in mapped_over(plan.steps).items():
        if key in rest and sources <= same:
            same.add(key)
    return {key: past for key, past in (inherited or {}).items() if base_step_key(key) in same}


def _past(run: Run, storage: Storage) -> Past:
    return past_of(run_log(storage.events, run.run_id, PROGRESS_EVENTS), 0.0)
