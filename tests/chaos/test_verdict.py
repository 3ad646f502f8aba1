"""The judge finds each kind of wrong, and nothing where all is well."""

from __future__ import annotations

import msgspec
import pytest

from chaos.verdict import Entry, Expected, Outage, judge
from penstock.records.event import (
    Event,
    Fact,
    RunEnqueued,
    RunStart,
    RunStarting,
    RunSuccess,
    StepSuccess,
    StoredEvent,
)
from penstock.records.run import Run, RunStatus

RUN = Run(run_id="r", location="here", job="job", status=RunStatus.SUCCESS)
FACTS: list[tuple[float, Fact, str | None]] = [
    (1.0, RunEnqueued(), None),
    (2.0, RunStarting(), None),
    (3.0, RunStart(), None),
    (5.0, StepSuccess(seconds=1.0), "one"),
    (7.0, StepSuccess(seconds=1.0), "two"),
    (8.0, RunSuccess(), None),
]
DIARY = [
    Entry(run="r", step=step, what=what, pid=1, time=time)
    for step, what, time in [("one", "begin", 4.0), ("one", "end", 4.9), ("two", "begin", 6.0), ("two", "end", 6.9)]
]


def wrong(
    facts: list[tuple[float, Fact, str | None]] = FACTS,
    diary: list[Entry] = DIARY,
    run: Run = RUN,
    expected: Expected | None = None,
    outages: tuple[Outage, ...] = (),
) -> list[str]:
    log = [
        StoredEvent(id=index, run_id="r", event=Event(time=time, fact=fact, step_key=step))
        for index, (time, fact, step) in enumerate(facts, 1)
    ]
    return judge({"r": (run, log)}, {"r": expected or Expected(ends="well")}, diary, outages, steps=2)


def test_all_is_well() -> None:
    assert wrong() == []


def test_a_run_that_is_not_there() -> None:
    assert judge({}, {"r": Expected(ends="well")}, []) == ["Run r was asked for, and is not there."]


def test_a_run_that_nobody_asked_for() -> None:
    assert judge({"r": (RUN, [])}, {}, []) == ["Run r is there, and nobody asked for it."]


@pytest.mark.parametrize("status", [RunStatus.QUEUED, RunStatus.STARTED, RunStatus.CANCELING])
def test_a_run_without_an_end(status: RunStatus) -> None:
    assert wrong(FACTS[:-1], run=msgspec.structs.replace(RUN, status=status)) == [
        f"Run r has not ended: it is {status}."
    ]


def test_two_ends() -> None:
    assert any("has the ends" in each for each in wrong([*FACTS, (9.0, RunSuccess(), None)]))


def test_something_after_the_end() -> None:
    assert any("has the ends" in each for each in wrong([*FACTS, (9.0, StepSuccess(seconds=1.0), "three")]))


def test_a_lease_that_is_left() -> None:
    assert wrong(run=msgspec.structs.replace(RUN, lease_until=99.0)) == ["Run r has ended and is still leased."]


def test_the_wrong_end() -> None:
    (found,) = wrong(expected=Expected(ends="badly"))
    assert "was to end as FAILURE and ended as SUCCESS" in found


def test_a_canceled_run_may_also_have_been_quicker() -> None:
    assert wrong(expected=Expected(ends="well", canceled=True)) == []


def test_a_step_that_succeeded_twice_or_not_at_all() -> None:
    twice = [*FACTS[:-1], (7.5, StepSuccess(seconds=1.0), "one"), FACTS[-1]]
    assert any("more than once" in each for each in wrong(twice))
    assert any("with 1 of 2 steps" in each for each in wrong([*FACTS[:4], FACTS[-1]]))


def test_a_step_that_ran_twice_at_once() -> None:
    twice = msgspec.structs.replace(DIARY[2], alone=False)
    assert wrong(diary=[*DIARY[:2], twice, DIARY[3]]) == ["Step two of run r ran twice at once."]


def test_a_success_without_work() -> None:
    assert wrong(diary=DIARY[:3]) == ["Step two of run r succeeded without an end."]


def test_a_step_that_began_again_after_its_success() -> None:
    again = [Entry(run="r", step="one", what="begin", pid=2, time=6.5)]
    assert wrong(diary=DIARY + again) == ["Step one of run r began again 1.5 s after its success."]


def test_a_step_that_began_after_the_run_had_ended() -> None:
    late = [Entry(run="r", step="three", what="begin", pid=2, time=11.0)]
    assert wrong(diary=DIARY + late) == ["Step three of run r began 3.0 s after the run's end."]


def test_a_long_pause_and_its_excuse() -> None:
    facts = [*FACTS[:4], (47.0, StepSuccess(seconds=1.0), "two"), (48.0, RunSuccess(), None)]
    diary = [*DIARY[:2], *(msgspec.structs.replace(each, time=each.time + 40.0) for each in DIARY[2:])]
    assert wrong(facts, diary) == ["Nothing happened to run r for 42 s, 0 s of them excused."]
    assert wrong(facts, diary, outages=(Outage(begin=10.0, end=30.0),)) == []
    assert wrong(facts, diary, outages=(Outage(begin=40.0, end=60.0),)) == [
        "Nothing happened to run r for 42 s, 7 s of them excused."
    ]
