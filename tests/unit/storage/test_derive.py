"""What events change: runs move along their table, steps keep their tries, nothing follows the end."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.records.asset import PartitionStatus
from penstock.records.errors import ErrorInfo
from penstock.records.event import (
    Event,
    Fact,
    LogLine,
    RunCanceled,
    RunCanceling,
    RunEnqueued,
    RunFailure,
    RunResumed,
    RunStart,
    RunStarting,
    RunSuccess,
    StepFailure,
    StepRestarted,
    StepSkipped,
    StepStart,
    StepSuccess,
    StepUpForRetry,
    StepWorkerStarted,
)
from penstock.records.run import FINISHED, TRANSITIONS, FailureReason, Run, RunStatus, StepStatus
from penstock.records.step_figures import StepFigures
from penstock.storage.derive import END_EVENTS, RUN_EVENTS, at_end, derive, move_run

_ERROR = ErrorInfo(cls="ValueError", message="no")
_RUN_FACTS: list[Fact] = [
    RunEnqueued(reason="again"),
    RunStarting(),
    RunStart(),
    RunResumed(done=2),
    RunSuccess(),
    RunFailure(reason=FailureReason.RUN_EXCEPTION, message="no"),
    RunCanceling(),
    RunCanceled(message="enough"),
]
_STEP_FACTS: list[Fact] = [
    StepWorkerStarted(pid=1),
    StepStart(),
    StepRestarted(retry=1),
    StepUpForRetry(error=_ERROR, retry=1),
    StepSuccess(seconds=1, figures=StepFigures(computing=1.0)),
    StepFailure(error=_ERROR),
    StepSkipped(reason="x"),
    LogLine(level="INFO", message="x"),
]


def _run(status: RunStatus = RunStatus.NOT_STARTED) -> Run:
    return Run(run_id="r", location="l", job="j", status=status, attempt=1, owner="o", lease_until=99.0)


def _events(facts: Sequence[tuple[Fact, str | None]]) -> list[Event]:
    return [Event(time=float(index), fact=fact, step_key=step) for index, (fact, step) in enumerate(facts, 1)]


_any_events = st.lists(
    st.tuples(st.sampled_from(_RUN_FACTS), st.none())
    | st.tuples(st.sampled_from(_STEP_FACTS), st.sampled_from(["a", "b"])),
    max_size=30,
).map(_events)


@pytest.mark.parametrize("status", RunStatus)
@pytest.mark.parametrize("fact", _RUN_FACTS, ids=lambda fact: type(fact).__name__)
def test_a_run_moves_as_the_table_says_or_not_at_all(status: RunStatus, fact: Fact) -> None:
    event = Event(time=5.0, fact=fact)
    moved = move_run(_run(status), event)
    expected = TRANSITIONS.get((status, event.type))
    if expected is None:
        assert moved is None
    else:
        assert moved is not None
        assert (moved.status, moved.updated) == (expected, 5.0)


def test_the_event_types_of_the_table_are_all_known() -> None:
    assert {Event(time=0, fact=fact).type for fact in _RUN_FACTS} == RUN_EVENTS
    assert {"RUN_SUCCESS", "RUN_FAILURE", "RUN_CANCELED"} == END_EVENTS


def test_a_run_put_back_is_held_by_nobody() -> None:
    back = move_run(_run(RunStatus.STARTING), Event(time=5.0, fact=RunEnqueued(reason="no answer")))
    assert back is not None
    assert (back.owner, back.lease_until, back.launched, back.queued, back.note) == (None, None, None, 5.0, "no answer")


def test_a_run_that_failed_says_why_and_is_held_by_nobody() -> None:
    failure = RunFailure(reason=FailureReason.START_TIMEOUT, message="nobody came")
    failed = move_run(_run(RunStatus.STARTED), Event(time=5.0, fact=failure))
    assert failed is not None
    assert (failed.ended, failed.lease_until, failed.failure_reason, failed.note) == (
        5.0,
        None,
        FailureReason.START_TIMEOUT,
        "nobody came",
    )


@given(events=_any_events, cut=st.integers(0, 30))
def test_a_log_in_two_batches_comes_to_the_same_as_in_one(events: list[Event], cut: int) -> None:
    whole = derive(_run(), {}, events)
    first = derive(_run(), {}, events[:cut])
    second = derive(first.run, first.steps, events[cut:])
    assert second.run == whole.run
    assert first.events + second.events == whole.events
    assert first.refused + second.refused == whole.refused
    assert {**first.steps, **second.steps} == whole.steps


@given(events=_any_events)
def test_what_derive_stores_keeps_the_invariants(events: list[Event]) -> None:
    outcome = derive(_run(), {}, events)
    types = [event.type for event in outcome.events]
    ends = [index for index, event_type in enumerate(types) if event_type in END_EVENTS]
    assert (outcome.run.status in FINISHED) == bool(ends)
    assert ends in ([], [len(types) - 1])  # one end, and nothing after it
    refused = {id(event) for event in outcome.refused}
    kept = [id(event) for event in events if id(event) not in refused]
    assert [id(event) for event in outcome.events if id(event) in kept] == kept  # each is kept or refused, in order
    status = RunStatus.NOT_STARTED
    for event_type in types:
        if event_type in RUN_EVENTS:
            status = TRANSITIONS[status, event_type]
    assert status is outcome.run.status
    for step in outcome.steps.values():
        if outcome.run.status in FINISHED:
            assert step.status is not StepStatus.IN_PROGRESS
        if step.status not in (StepStatus.IN_PROGRESS, None):
            assert all(attempt.end is not None for attempt in step.attempts)
        open_tries = [index for index, attempt in enumerate(step.attempts) if attempt.end is None]
        assert open_tries in ([], [len(step.attempts) - 1])


def test_open_steps_are_closed_before_the_end() -> None:
    events = _events([(RunStart(), None), (StepStart(), "a"), (StepStart(), "b"), (StepSuccess(seconds=1), "a")])
    end = Event(time=9.0, fact=RunSuccess())
    outcome = derive(_run(), {}, [*events, end])
    *_, closing, last = outcome.events
    assert (closing.step_key, closing.type, closing.time) == ("b", "STEP_FAILURE", 9.0)
    assert last is end
    assert outcome.steps["b"].status is StepStatus.FAILURE


@pytest.mark.parametrize(
    ("status", "partition", "check"),
    [
        (RunStatus.SUCCESS, None, "SKIPPED"),
        (RunStatus.FAILURE, PartitionStatus.FAILED, "EXECUTION_FAILED"),
        (RunStatus.CANCELED, PartitionStatus.FAILED, "SKIPPED"),
    ],
)
def test_work_left_undone_is_named_by_the_end(status: RunStatus, partition: PartitionStatus | None, check: str) -> None:
    undone = at_end(status)
    assert (undone.partition, undone.check) == (partition, check)
