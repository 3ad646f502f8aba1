"""How far the steps of a run have come, worked out from its log: what another worker goes on from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from ..records.event import (
    Event,
    StepFailure,
    StepOutput,
    StepRestarted,
    StepSkipped,
    StepStart,
    StepSuccess,
    StepUpForRetry,
    StepWorkerStarted,
    StepWorkerStarting,
)
from .step_messages import Past, PastState, StepPast, StepSpec

__all__ = ["LOST_AT_WORK", "LOST_VALUE", "PROGRESS_EVENTS", "given_up", "past_of", "with_values_made_again"]

PROGRESS_EVENTS: Final = (
    "STEP_WORKER_STARTING",
    "STEP_WORKER_STARTED",
    "STEP_START",
    "STEP_RESTARTED",
    "STEP_OUTPUT",
    "STEP_UP_FOR_RETRY",
    "STEP_SUCCESS",
    "STEP_FAILURE",
    "STEP_SKIPPED",
)
"""The event types that `past_of` reads; it passes others over."""

LOST_AT_WORK: Final = "the worker of the run was lost while the step was at work"
"""Why a step begins again that had not ended."""

LOST_VALUE: Final = "its value was in the memory of a worker that was lost, and a step needs it"
"""Why a step begins again that had succeeded."""


def past_of(events: Iterable[Event], now: float) -> dict[str, StepPast]:
    """How far each step has come of which there are events.

    Args:
        events: The run's events in the order of the log, those of all its workers.
        now: The time, in seconds since the epoch.
    """
    past: dict[str, StepPast] = {}
    outputs: dict[str, list[tuple[str, str | None]]] = {}  # of the attempt at work
    retries: dict[str, int] = {}
    for event in events:
        key = event.step_key
        if key is None:
            continue
        match event.fact:
            case StepWorkerStarting() | StepWorkerStarted() | StepStart() | StepRestarted() as fact:
                if isinstance(fact, StepRestarted):
                    retries[key] = fact.retry
                outputs[key] = []
                past[key] = _at_work(retries.get(key, 0))
            case StepOutput(output=name, mapping_key=mapping_key):
                outputs.setdefault(key, []).append((name, mapping_key))
            case StepUpForRetry(retry=retry, wait=wait):
                retries[key] = retry
                left = max(0.0, event.time + wait - now)
                past[key] = StepPast(state=PastState.RETRYING, retry=retry, left=left)
            case StepSuccess():
                past[key] = StepPast(state=PastState.SUCCEEDED, outputs=tuple(outputs.get(key, ())))
            case StepFailure(source="INTERRUPT"):  # it was stopped with its worker, while the run goes on
                past[key] = _at_work(retries.get(key, 0))
            case StepFailure():
                past[key] = StepPast(state=PastState.FAILED)
            case StepSkipped():
                past[key] = StepPast(state=PastState.SKIPPED)
    return past


def given_up(specs: Iterable[StepSpec], past: Past) -> dict[str, str]:
    """The steps of the plan that were given up, and for which nothing has changed: each with a step that feeds it and
    did not succeed. A mapped step is among them only where it was given up as a whole.

    Args:
        specs: The steps, each after those that feed it.
        past: How far the steps had come.
    """
    found: dict[str, str] = {}
    abandoned = {key.partition("[")[0] for key, each in past.items() if each.state is PastState.ABANDONED}
    if not abandoned:
        return found
    gone = {key.partition("[")[0] for key, each in past.items() if each.state is PastState.FAILED}
    for spec in specs:
        feeding = (source.step for given in spec.inputs for source in given.sources)
        because = next((key for key in feeding if key in gone), None)
        if because is not None and spec.key in abandoned:
            gone.add(spec.key)
            if spec.key in past:
                found[spec.key] = because
    return found


def with_values_made_again(past: Past, unended: Collection[str], lost: Mapping[str, Collection[str]]) -> Past:
    """The past in which the steps run again whose values are gone and needed.

    Args:
        past: How far the steps had come.
        unended: The steps of the plan of which something has not ended.
        lost: For each step of the plan, in its order, the steps of whose values it loads some that are gone.
    """
    again: set[str] = set()
    for step in reversed(list(lost)):
        if step in unended or step in again:
            again.update(lost[step])
    return {
        key: StepPast(state=PastState.AT_WORK, again=LOST_VALUE)
        if each.state is PastState.SUCCEEDED and key.partition("[")[0] in again
        else each
        for key, each in past.items()
    }


def _at_work(retry: int) -> StepPast:
    return StepPast(state=PastState.AT_WORK, retry=retry, again=LOST_AT_WORK)
