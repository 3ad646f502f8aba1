"""What a run's events change: its row, its steps, and what is left undone at its end. Pure, shared by every store.

A store reads the run and the steps that a batch touches, asks `derive`, and writes the outcome in one transaction.
Rows of assets and checks follow from each fact alone; a store keeps them by itself, with the decisions of `at_end`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from ..records.asset import PartitionStatus
from ..records.errors import ErrorInfo
from ..records.event import (
    Event,
    Fact,
    RunCanceled,
    RunEnqueued,
    RunFailure,
    StepFailure,
    StepSuccess,
    StepUpForRetry,
)
from ..records.run import FINISHED, TRANSITIONS, Run, RunStatus, StepAttempt, StepStats, StepStatus

__all__ = ["END_EVENTS", "RUN_EVENTS", "STEP_EVENTS", "Outcome", "Undone", "at_end", "derive", "move_run", "move_step"]

RUN_EVENTS = frozenset(event_type for _, event_type in TRANSITIONS)
"""Event types that move a run."""

END_EVENTS = frozenset(event_type for (_, event_type), status in TRANSITIONS.items() if status in FINISHED)
"""Event types that end a run."""

STEP_EVENTS = frozenset(
    {
        "STEP_WORKER_STARTED",
        "STEP_START",
        "STEP_RESTARTED",
        "STEP_UP_FOR_RETRY",
        "STEP_SUCCESS",
        "STEP_FAILURE",
        "STEP_SKIPPED",
    }
)
"""Event types that change what is known of a step."""

_STEP_ENDS = {
    "STEP_SUCCESS": StepStatus.SUCCESS,
    "STEP_FAILURE": StepStatus.FAILURE,
    "STEP_SKIPPED": StepStatus.SKIPPED,
}


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a batch comes to: the run as it is afterwards, the events to store in order, and the changed steps."""

    run: Run
    events: list[Event]
    refused: list[Event]
    steps: dict[str, StepStats]


class Undone(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of work that a run announced and did not do. `partition` None: as it was before the run."""

    partition: PartitionStatus | None
    check: str


def derive(run: Run, steps: Mapping[str, StepStats], events: Iterable[Event]) -> Outcome:
    """Go through a batch of a run's events.

    Args:
        run: As stored.
        steps: What is stored of the steps that the events name; of all open steps where an event may end the run.
        events: In the order in which they happened.

    An event that the run's state does not allow is refused and changes nothing; nothing follows the end of a run. A
    step that is open when the run ends is closed by a `StepFailure` before it.
    """
    accepted: list[Event] = []
    refused: list[Event] = []
    known = dict(steps)
    changed: dict[str, StepStats] = {}
    for event in events:
        event_type = event.type
        if run.status in FINISHED:
            refused.append(event)
            continue
        if event_type in RUN_EVENTS:
            moved = move_run(run, event)
            if moved is None:
                refused.append(event)
                continue
            if moved.status in FINISHED:
                for closing in _close_steps(known.values(), event):
                    assert closing.step_key is not None
                    known[closing.step_key] = changed[closing.step_key] = move_step(
                        known[closing.step_key], run.run_id, closing
                    )
                    accepted.append(closing)
            run = moved
        elif event_type in STEP_EVENTS and event.step_key is not None:
            known[event.step_key] = changed[event.step_key] = move_step(known.get(event.step_key), run.run_id, event)
        accepted.append(event)
    return Outcome(run=run, events=accepted, refused=refused, steps=changed)


def move_run(run: Run, event: Event) -> Run | None:
    """The run after an event of `RUN_EVENTS`; None where its state does not allow that event."""
    status = TRANSITIONS.get((run.status, event.type))
    if status is None:
        return None
    at = event.time
    change: dict[str, object] = {"status": status, "updated": at}
    match status:
        case RunStatus.QUEUED:
            reason = event.fact.reason if isinstance(event.fact, RunEnqueued) else None
            change |= {"queued": at, "launched": None, "owner": None, "lease_until": None, "note": reason}
        case RunStatus.STARTING:
            change |= {"launched": at, "note": None}
        case RunStatus.STARTED:
            change |= {"started": at, "note": None}
        case RunStatus.SUCCESS | RunStatus.FAILURE | RunStatus.CANCELED:
            change |= {"ended": at, "lease_until": None, "note": None}
            if isinstance(event.fact, RunFailure):
                change |= {"failure_reason": event.fact.reason, "note": event.fact.message}
            elif isinstance(event.fact, RunCanceled):
                change["note"] = event.fact.message
    return msgspec.structs.replace(run, **change)


def move_step(step: StepStats | None, run_id: str, event: Event) -> StepStats:
    """What is known of a step after an event of `STEP_EVENTS` (`step` None: nothing was known)."""
    assert event.step_key is not None
    step = step or StepStats(run_id=run_id, step_key=event.step_key)
    at = event.time
    match event.type:
        case "STEP_WORKER_STARTED":
            return msgspec.structs.replace(step, worker_started=at)
        case "STEP_START":
            return msgspec.structs.replace(
                step,
                status=StepStatus.IN_PROGRESS,
                started=at,
                ended=None,
                attempts=(*_closed(step, at), StepAttempt(at)),
            )
        case "STEP_RESTARTED":
            return msgspec.structs.replace(
                step,
                status=StepStatus.IN_PROGRESS,
                started=step.started if step.started is not None else at,
                ended=None,
                attempts=(*_closed(step, at), StepAttempt(at)),
            )
        case "STEP_UP_FOR_RETRY":
            return msgspec.structs.replace(step, attempts=_closed(step, at, event.fact))
        case end:
            attempts = _closed(step, at, event.fact)
            return msgspec.structs.replace(step, status=_STEP_ENDS[end], ended=at, attempts=attempts)


def at_end(status: RunStatus) -> Undone:
    """What becomes of announced assets and checks that a run, ended as `status`, has not made.

    A run that succeeded left them out on purpose (a step was skipped), so they are as before.
    """
    match status:
        case RunStatus.SUCCESS:
            return Undone(partition=None, check="SKIPPED")
        case RunStatus.CANCELED:
            return Undone(partition=PartitionStatus.FAILED, check="SKIPPED")
        case _:
            return Undone(partition=PartitionStatus.FAILED, check="EXECUTION_FAILED")


def _closed(step: StepStats, at: float, end: Fact | None = None) -> tuple[StepAttempt, ...]:
    """The tries with the last one ended; `end` is the fact that says how."""
    if not step.attempts or step.attempts[-1].end is not None:
        return step.attempts
    figures = end.figures if isinstance(end, StepSuccess | StepFailure | StepUpForRetry) else None
    return (*step.attempts[:-1], StepAttempt(step.attempts[-1].start, at, figures))


def _close_steps(steps: Iterable[StepStats], end: Event) -> Sequence[Event]:
    if isinstance(end.fact, RunCanceled):
        cls, source, why = "StepInterrupted", "INTERRUPT", "The run was canceled while the step was at work."
    else:
        cls, source, why = "StepLost", "UNEXPECTED_ERROR", "The run ended while the step was at work."
    return [
        Event(
            time=end.time,
            step_key=step.step_key,
            fact=StepFailure(error=ErrorInfo(cls=cls, message=why), source=source),
        )
        for step in steps
        if step.status is StepStatus.IN_PROGRESS
    ]
