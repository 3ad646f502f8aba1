"""What a run's events change: its row, its steps, and what is left undone at its end. Pure, shared by every store.

A store reads the run and the steps that a batch touches, asks `derive`, and writes the outcome in one transaction.
Rows of assets and checks follow from each fact alone; a store keeps them by itself, with the decisions of `at_end`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from ..errors import FencedError, StorageError
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
from ..records.run import ACTIVE, FINISHED, TRANSITIONS, Run, RunStatus, StepAttempt, StepStats, StepStatus
from .asset_facts import ASSET_EVENTS
from .protocols import NewRun

__all__ = [
    "CLAIMABLE",
    "CLOSING_EVENTS",
    "END_EVENTS",
    "EVICTED",
    "RUN_EVENTS",
    "STEP_EVENTS",
    "WRITABLE",
    "Outcome",
    "Undone",
    "at_end",
    "begin",
    "derive",
    "first_events",
    "move_run",
    "move_step",
    "not_stored",
    "places",
    "refuse_late_writer",
    "topics_of",
]

CLAIMABLE = frozenset({RunStatus.QUEUED, RunStatus.NOT_STARTED})
"""States in which a run may be claimed."""

EVICTED = 0.0
"""The end of the lease of an attempt whose slots went to others: it is not renewed, and its writes are refused."""

WRITABLE = ACTIVE | {RunStatus.NOT_STARTED}
"""States in which a run's own worker writes; NOT_STARTED is that of a run which its maker executes itself."""

RUN_EVENTS = frozenset(event_type for _, event_type in TRANSITIONS)
"""Event types that move a run."""

END_EVENTS = frozenset(event_type for (_, event_type), status in TRANSITIONS.items() if status in FINISHED)
"""Event types that end a run."""

CLOSING_EVENTS = END_EVENTS | {"RUN_ENQUEUED"}
"""Event types for which `derive` needs all open steps: the run ends, or its worker is lost, and nothing is at work."""

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
        steps: What is stored of the steps that the events name; of all open ones where one is of `CLOSING_EVENTS`.
        events: In the order in which they happened.

    An event that the run's state does not allow is refused and changes nothing; nothing follows the end of a run. A
    step that is open when the run ends is closed by a `StepFailure` before it. When the run goes back to the queue,
    the try that was at work is over; whether there is another one is told when it begins.
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
            elif moved.status is RunStatus.QUEUED:
                for step in list(known.values()):
                    if (given_up := _closed(step, event.time)) is not step.attempts:
                        known[step.step_key] = changed[step.step_key] = msgspec.structs.replace(step, attempts=given_up)
            run = moved
        elif event_type in STEP_EVENTS and event.step_key is not None:
            known[event.step_key] = changed[event.step_key] = move_step(known.get(event.step_key), run.run_id, event)
        accepted.append(event)
    return Outcome(run=run, events=accepted, refused=refused, steps=changed)


def begin(new: NewRun) -> Run:
    """A new run as it is stored: it names its job's snapshot by its hash."""
    run = new.run
    if new.snapshot is not None:
        run = msgspec.structs.replace(run, snapshot=hashlib.blake2b(new.snapshot, digest_size=16).hexdigest())
    return run if run.updated else msgspec.structs.replace(run, updated=run.created)


def first_events(new: NewRun) -> list[Event]:
    """The events that a new run begins with.

    Raises:
        StorageError: Its state does not allow them.
    """
    events = [Event(time=new.run.created, fact=fact) for fact in new.facts]
    refused = derive(new.run, {}, events).refused
    if refused:
        raise StorageError(
            f"The run {new.run.run_id} cannot be made as {new.run.status} with a first event {refused[0].type}; "
            "give first facts that its state allows."
        )
    return events


def refuse_late_writer(run_id: str, attempt: int, run: Run | None, *, fresh: bool) -> None:
    """Let only the current attempt write, and one that has ended send again what is stored.

    Args:
        run: As stored.
        fresh: Whether there is anything that is not stored.

    Raises:
        FencedError: The attempt is over.
    """
    if run is None:
        raise FencedError(f"The run {run_id} does not exist any more; its attempt {attempt} must stop.")
    is_current = attempt == run.attempt and run.status in WRITABLE and run.lease_until != EVICTED
    if not is_current and (fresh or attempt != run.attempt):
        raise FencedError(
            f"Attempt {attempt} of the run {run_id} may write no more: the run is {run.status} "
            f"under attempt {run.attempt}. This worker must stop."
        )


def not_stored(events: Sequence[Event], stored: set[int]) -> Sequence[Event]:
    """Those of a batch whose number is not among the stored ones, each number once."""
    numbered = [event.seq for event in events if event.seq is not None]
    if not stored and len(set(numbered)) == len(numbered):
        return events
    seen = set(stored)
    fresh = []
    for event in events:
        if event.seq in seen:
            continue
        if event.seq is not None:
            seen.add(event.seq)
        fresh.append(event)
    return fresh


def topics_of(before: Run, outcome: Outcome) -> set[str]:
    """What a batch changes for whoever listens."""
    after = outcome.run
    topics = {f"run:{after.run_id}"}
    if any(event.type in ASSET_EVENTS for event in outcome.events):
        topics.add("assets")
    if after is not before:
        topics.add("runs")
        if after.status is RunStatus.QUEUED or (before.status in ACTIVE and after.status not in ACTIVE):
            topics.add("queue")
    return topics


def places(ids: Iterable[int], events: Iterable[Event]) -> dict[str, int]:
    """The first of these events of each step: where a step that is new has its place."""
    found: dict[str, int] = {}
    for event_id, event in zip(ids, events, strict=True):
        if event.step_key is not None and event.type in STEP_EVENTS:
            found.setdefault(event.step_key, event_id)
    return found


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
            change |= {"started": at if run.started is None else run.started, "note": None}
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
