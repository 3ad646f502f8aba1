"""What a run worker takes over from the workers before it: how far the steps of the run had come."""

from __future__ import annotations

import os

from ..engine.progress import PROGRESS_EVENTS, past_of, with_values_made_again
from ..engine.step_messages import Abandon, Past, PastState, StepPast
from ..engine.step_state import StepState
from ..engine.steps import StepScheduler
from ..records.event import Fact, RunResumed, RunStart
from ..storage.protocols import Storage
from ..storage.run_log import run_log
from .scope import RunScope, is_in_memory, specs_of

__all__ = ["beginning_of", "recall"]

_ENDED = frozenset({PastState.SUCCEEDED, PastState.FAILED, PastState.SKIPPED})


def recall(scope: RunScope, storage: Storage) -> Past:
    """How far the steps have come, when the run has begun before; what it has inherited, when it has not.

    A step that succeeded runs again only where its value was in the memory of the lost worker and a step needs it.

    Raises:
        StorageError: The log cannot be read.
    """
    run = scope.run
    if run.started is None:
        return scope.past
    own = past_of(run_log(storage.events, run.run_id, PROGRESS_EVENTS), scope.environment.clock.now())
    past: Past = {**scope.past, **own}
    specs = specs_of(scope.plan)
    asked: set[str] = set()
    while True:
        scheduler = StepScheduler(specs)
        given_up = {each.step for each in scheduler.begin(0.0, past) if isinstance(each, Abandon)}
        # One that is mapped may have been given up before its keys were known, and only the log can tell.
        expanded = {spec.key for spec in specs if scheduler.state(spec.key) is StepState.EXPANDED}
        doubtful = sorted((given_up | expanded) - asked)
        told: set[str | None] = set()
        if doubtful:  # their one line in the log says so, if the lost worker came to write it
            told = {event.step_key for event in run_log(storage.events, run.run_id, ("LOG",), doubtful)}
        if not told:
            break
        asked.update(doubtful)
        past = {**past, **{key: StepPast(state=PastState.ABANDONED) for key in doubtful if key in told}}
    return with_values_made_again(past, scheduler.unended(), _lost_values(scope))


def beginning_of(scope: RunScope, executor: str) -> Fact:
    """The fact with which a worker begins: that the run starts, or goes on."""
    if scope.run.started is None:
        return RunStart(pid=os.getpid(), executor=executor)
    done = sum(each.state in _ENDED and each.run_id is None for each in scope.past.values())
    return RunResumed(pid=os.getpid(), executor=executor, done=done)


def _lost_values(scope: RunScope) -> dict[str, set[str]]:
    """For each step, the steps of whose values it loads some that lived in a worker's memory."""
    return {
        step.key: {made for made, key in scope.plan.stores_loaded_by(step) if is_in_memory(scope.resources.get(key))}
        for step in scope.plan.steps.values()
    }
