"""How far steps have come, by their events."""

from __future__ import annotations

import pytest

from penstock.engine.progress import LOST_AT_WORK, LOST_VALUE, PROGRESS_EVENTS, past_of, with_values_made_again
from penstock.engine.step_messages import PastState, StepPast
from penstock.records.errors import ErrorInfo
from penstock.records.event import (
    Event,
    Fact,
    LogLine,
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

ERROR = ErrorInfo(cls="ValueError", message="no")
AT_WORK = StepPast(state=PastState.AT_WORK, again=LOST_AT_WORK)


def past(*facts: Fact, now: float = 100.0) -> StepPast | None:
    """What the events, a second apart from 100 on, say of their step."""
    return past_of([Event(time=100.0 + i, fact=fact, step_key="a") for i, fact in enumerate(facts)], now).get("a")


@pytest.mark.parametrize(
    "begun", [(StepWorkerStarting(),), (StepWorkerStarting(), StepWorkerStarted(pid=1)), (StepStart(),)]
)
def test_a_step_that_may_have_begun_was_at_work(begun: tuple[Fact, ...]) -> None:
    assert past(*begun) == AT_WORK


def test_the_outputs_of_a_success_are_those_of_its_last_attempt() -> None:
    assert past(
        StepStart(),
        StepOutput(output="old"),
        StepUpForRetry(error=ERROR, retry=1),
        StepRestarted(retry=1),
        StepOutput(output="keys", mapping_key="x"),
        StepOutput(output="result"),
        StepSuccess(seconds=1.0),
    ) == StepPast(state=PastState.SUCCEEDED, outputs=(("keys", "x"), ("result", None)))


def test_a_retry_is_due_when_it_was() -> None:
    waits = StepUpForRetry(error=ERROR, retry=2, wait=30.0)
    assert past(waits, now=110.0) == StepPast(state=PastState.RETRYING, retry=2, left=20.0)
    assert past(waits, now=999.0) == StepPast(state=PastState.RETRYING, retry=2, left=0.0)


def test_a_retry_that_was_at_work_keeps_its_number() -> None:
    facts = (StepStart(), StepUpForRetry(error=ERROR, retry=1), StepWorkerStarting())
    assert past(*facts) == StepPast(state=PastState.AT_WORK, retry=1, again=LOST_AT_WORK)
    assert past(*facts, StepRestarted(retry=1)) == StepPast(state=PastState.AT_WORK, retry=1, again=LOST_AT_WORK)


def test_other_ends() -> None:
    assert past(StepStart(), StepFailure(error=ERROR)) == StepPast(state=PastState.FAILED)
    assert past(StepSkipped(reason="no rows")) == StepPast(state=PastState.SKIPPED)
    assert past(StepStart(), StepFailure(error=ERROR, source="INTERRUPT")) == AT_WORK
    assert past(LogLine(level="INFO", message="hello")) is None


def test_it_reads_what_it_says_that_it_reads() -> None:
    kinds: list[Fact] = [
        StepWorkerStarting(),
        StepWorkerStarted(pid=1),
        StepStart(),
        StepRestarted(retry=1),
        StepUpForRetry(error=ERROR, retry=1),
        StepSuccess(seconds=1.0),
        StepFailure(error=ERROR),
        StepSkipped(reason="no"),
    ]
    assert all(past(fact) is not None for fact in kinds)
    assert {Event(time=0.0, fact=fact).type for fact in kinds} | {"STEP_OUTPUT"} == set(PROGRESS_EVENTS)


def test_values_that_are_gone_and_needed_are_made_again_with_what_they_need_in_turn() -> None:
    done = StepPast(state=PastState.SUCCEEDED)
    known = {"a": done, "b": done, "map[x]": done, "map[y]": done, "unneeded": done, "kept": done}
    lost = {"a": set(), "b": {"a"}, "unneeded": {"a"}, "map": {"b"}, "kept": set(), "end": {"map"}}
    again = StepPast(state=PastState.AT_WORK, again=LOST_VALUE)
    made = with_values_made_again(known, {"end"}, lost)
    assert made == {"a": again, "b": again, "map[x]": again, "map[y]": again, "unneeded": done, "kept": done}
    assert with_values_made_again(known, set(), lost) == known
