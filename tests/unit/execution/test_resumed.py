"""What another worker of a run takes over, from the log alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from penstock import DynamicOut, DynamicOutput, job, op
from penstock.engine.step_messages import Done, Outcome, PastState
from penstock.engine.steps import StepScheduler
from penstock.execution.configuration import configure
from penstock.execution.environment import Environment
from penstock.execution.resumed import recall
from penstock.execution.scope import RunScope, specs_of
from penstock.plan.build import build_plan
from penstock.records.errors import ErrorInfo
from penstock.records.event import Event, Fact, LogLine, StepFailure, StepStart, StepSuccess
from penstock.storage.sqlite.storage import SqliteStorage
from penstock.testing import FakeClock
from penstock.testing.storage_contract.builders import NOW, events_from, started_run


@op(out=DynamicOut())
def keys() -> Iterator[DynamicOutput[int]]:
    yield from ()


@op
def other() -> int:
    return 1


@op
def mapped(key: int, given: int) -> int:
    return key


@op
def collect(found: list[int]) -> None:
    pass


@job
def work() -> None:
    given = other()
    definition: Any = keys()
    collect(definition.map(lambda key: mapped(key, given)).collect())


def test_a_mapped_step_that_was_given_up_is_not_taken_up_again_when_its_keys_come_later() -> None:
    storage, clock = SqliteStorage(None), FakeClock()
    plan = build_plan(work)
    run_id = started_run(storage, job="work").run_id
    events: list[Event] = []

    def tell(step: str | None, *facts: Fact) -> None:
        events.extend(events_from(len(events) + 2, facts, step_key=step))

    tell("other", StepStart(), StepFailure(error=ErrorInfo(cls="ValueError", message="no")))
    for step in ("mapped", "collect"):
        tell(step, LogLine(level="ERROR", message=f"Step {step} will not run."))
    tell("keys", StepStart(), StepSuccess(seconds=1.0))
    storage.events.append(run_id, 1, events, now=NOW)
    run = storage.runs.get(run_id)
    assert run is not None
    scope = RunScope(
        run=run,
        job=work,
        plan=plan,
        config=configure(plan, work, {}),
        environment=Environment(clock=clock),
        resources={},
    )
    past = recall(scope, storage)
    assert {key for key, each in past.items() if each.state is PastState.ABANDONED} == {"mapped", "collect"}
    assert StepScheduler(specs_of(plan)).begin(0.0, past) == [Done(Outcome.FAILURE, ("other",))]
    storage.close()
