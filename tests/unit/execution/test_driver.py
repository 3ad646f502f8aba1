"""What drives the steps of a run, wherever they run: retries, deaths, lateness, stops, and when ends are stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from penstock.definitions.ops.job import job
from penstock.definitions.ops.op import op
from penstock.definitions.ops.retry import RetryPolicy
from penstock.engine.step_messages import Outcome, Start
from penstock.execution.configuration import configure
from penstock.execution.driver import GRACE, LEAVING, STORING, Driver, Gone, Listener
from penstock.execution.environment import Environment
from penstock.execution.interrupt import INTERRUPTS
from penstock.execution.loop import Loop
from penstock.execution.recorder import MemoryRecorder
from penstock.execution.scope import RunScope
from penstock.plan.build import build_plan
from penstock.records.event import (
    Event,
    Fact,
    StepFailure,
    StepOutput,
    StepStart,
    StepSuccess,
    StepUpForRetry,
)
from penstock.records.run import Run
from penstock.records.wire import StepDone
from penstock.testing import FakeClock

SUCCESS = StepDone(outcome="success")


@op
def plain() -> None:
    pass


@op(retry_policy=RetryPolicy(max_retries=1, delay=5))
def tried_again() -> None:
    pass


@op(timeout=10, retry_policy=RetryPolicy(max_retries=1))
def limited() -> None:
    pass


@job
def work() -> None:
    plain()


@job
def work_again() -> None:
    tried_again()


@job
def limited_work() -> None:
    limited()


@job
def much_work() -> None:
    for number in range(4):
        plain.alias(f"plain_{number}")()


class Script:
    """Where attempts run: each turn of the loop, the next line of the script is played. It is its own watch."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.lines: list[Callable[[], object]] = []
        self.started: list[Start] = []
        self.asked: list[tuple[str, str]] = []
        self.closed = 0
        self.is_leaving = False
        self._over: list[Gone] = []

    # -- what a test writes -------------------------------------------------------------------------------------------

    def then(self, *lines: Callable[[], object]) -> None:
        self.lines += lines

    def says(self, step: str, *facts: Fact, stored: bool = False) -> None:
        for fact in facts:
            self._listener.hear(Event(time=self.clock.now(), fact=fact, step_key=step), stored=stored)

    def ends(self, step: str, done: StepDone | None = None, how: str = "fell over.") -> None:
        self._over.append(Gone(step, done, "The box of the step", how))

    # -- as attempts, and as a watch ----------------------------------------------------------------------------------

    def begin(self, loop: Loop, listener: Listener) -> None:
        self._listener = listener
        loop.add(self)

    def start(self, start: Start) -> None:
        self.started.append(start)

    def ask_to_stop(self, step: str) -> None:
        self.asked.append(("stop", step))

    def kill(self, step: str) -> None:
        self.asked.append(("kill", step))

    def gone(self) -> Iterator[Gone]:
        over, self._over = self._over, []
        yield from over

    def leaving(self) -> bool:
        return self.is_leaving

    def close(self) -> None:
        self.closed += 1

    def fileno(self) -> int:
        return -1

    def due_in(self) -> float | None:
        return 0.0

    def attend(self) -> None:
        assert self.lines, "the script is at its end, and the run is not"
        self.lines.pop(0)()


class Recorder(MemoryRecorder):
    """Counts how often it was asked to store."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.stored_at: list[float] = []
        self._clock = clock

    def flush(self) -> None:
        self.stored_at.append(self._clock.monotonic())


class World:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.recorder = Recorder(self.clock)
        self.script = Script(self.clock)

    def drives(self, definition: Any, **options: Any) -> Driver:
        plan = build_plan(definition)
        scope = RunScope(
            run=Run(run_id="run", location="here", job=definition.name),
            job=definition,
            plan=plan,
            config=configure(plan, definition, {}),
            environment=Environment(clock=self.clock),
            resources={},
        )
        return Driver(scope, self.recorder, self.script, **options)

    def passes(self, seconds: float) -> Callable[[], object]:
        return lambda: self.clock.advance(seconds)

    def facts(self, kind: type) -> list[Any]:
        return [each.fact for each in self.recorder.events if isinstance(each.fact, kind)]


@pytest.fixture
def world() -> Iterator[World]:
    INTERRUPTS.reset()
    yield World()
    INTERRUPTS.reset()


def test_what_an_attempt_says_is_told_and_its_end_is_taken(world: World) -> None:
    driver, script = world.drives(work), world.script
    script.then(
        lambda: script.says("plain", StepStart(), StepSuccess(seconds=1.0)), lambda: script.ends("plain", SUCCESS)
    )
    assert driver.run().outcome is Outcome.SUCCESS
    assert [each.type for each in world.recorder.events] == ["STEP_START", "STEP_SUCCESS"]
    assert script.closed == 1


def test_what_is_in_the_log_already_is_not_told_again_and_counts_all_the_same(world: World) -> None:
    driver, script = world.drives(work), world.script
    output = StepOutput(output="result")
    script.then(
        lambda: script.says("plain", StepStart(), output, StepSuccess(seconds=1.0), stored=True),
        lambda: script.ends("plain"),
    )
    assert driver.run().outcome is Outcome.SUCCESS
    assert world.recorder.events == []


def test_a_death_is_a_failure_that_says_how(world: World) -> None:
    driver, script = world.drives(work), world.script
    script.then(lambda: script.says("plain", StepStart()), lambda: script.ends("plain"))
    assert driver.run().failed == ("plain",)
    (failure,) = world.facts(StepFailure)
    assert (failure.error.cls, failure.error.message) == ("StepProcessEnded", "The box of the step fell over.")
    assert failure.source == "UNEXPECTED_ERROR"


def test_a_death_after_the_end_was_told_is_none(world: World) -> None:
    driver, script = world.drives(work), world.script
    script.then(
        lambda: script.says("plain", StepStart(), StepSuccess(seconds=1.0)),
        lambda: script.ends("plain", how="was killed."),
    )
    assert driver.run().outcome is Outcome.SUCCESS
    assert world.facts(StepFailure) == []


def test_an_attempt_that_died_is_tried_again_after_the_wait_of_its_policy(world: World) -> None:
    driver, script = world.drives(work_again), world.script
    script.then(
        lambda: script.ends("tried_again"),
        world.passes(4.9),
        lambda: script.asked.append(("count", str(len(script.started)))),
        world.passes(0.2),
        lambda: script.ends("tried_again", SUCCESS),
    )
    assert driver.run().outcome is Outcome.SUCCESS
    assert [start.retry for start in script.started] == [0, 1]
    assert script.asked == [("count", "1")]
    (again,) = world.facts(StepUpForRetry)
    assert (again.retry, again.wait) == (1, 5)


def test_an_attempt_that_outlives_its_timeout_by_the_grace_period_is_killed(world: World) -> None:
    driver, script = world.drives(limited_work), world.script
    script.then(
        lambda: script.says("limited", StepStart()),
        world.passes(10 + GRACE - 0.1),
        lambda: script.asked.append(("count", "none so far")),
        world.passes(0.2),
        lambda: script.ends("limited"),
        lambda: script.says("limited", StepStart()),
        lambda: script.ends("limited", SUCCESS),
    )
    assert driver.run().outcome is Outcome.SUCCESS
    assert script.asked == [("count", "none so far"), ("kill", "limited")]
    (again,) = world.facts(StepUpForRetry)
    assert again.error.cls == "StepTimeoutError"
    assert "did not stop within 8 s after its timeout of 10 s" in again.error.message


def test_a_wish_to_stop_is_passed_on_and_enforced_after_the_grace_period(world: World) -> None:
    driver, script = world.drives(much_work, max_concurrent=2), world.script

    def ask() -> None:
        INTERRUPTS.requested = True

    script.then(
        ask,
        lambda: script.ends("plain_0", StepDone(outcome="failure")),
        world.passes(GRACE),
        lambda: script.ends("plain_1"),
    )
    assert driver.run().outcome is Outcome.STOPPED
    assert driver.interrupted
    assert script.asked == [("stop", "plain_0"), ("stop", "plain_1"), ("kill", "plain_1")]
    (failure,) = world.facts(StepFailure)
    assert (failure.source, failure.error.message) == ("INTERRUPT", "The box of the step was stopped with the run.")


def test_ends_are_stored_at_once_but_no_more_often_than_pays(world: World) -> None:
    driver, script = world.drives(much_work, max_concurrent=4), world.script
    nothing = world.passes(0.0)
    script.then(
        lambda: script.ends("plain_0", SUCCESS),
        lambda: script.ends("plain_1", SUCCESS),
        lambda: script.ends("plain_2", SUCCESS),
        nothing,
        world.passes(2 * STORING),
        nothing,
        lambda: script.ends("plain_3", SUCCESS),
    )
    begun = world.clock.monotonic()
    assert driver.run().outcome is Outcome.SUCCESS
    assert [each - begun for each in world.recorder.stored_at] == pytest.approx([0.0, 2 * STORING])


def test_ends_are_stored_once_what_leaves_is_gone_or_takes_long(world: World) -> None:
    driver, script = world.drives(much_work, max_concurrent=4), world.script
    nothing = world.passes(0.0)

    def leaves(step: str) -> Callable[[], object]:
        def act() -> None:
            script.is_leaving = True
            script.ends(step, SUCCESS)

        return act

    def is_gone() -> None:
        script.is_leaving = False

    script.then(
        leaves("plain_0"),
        world.passes(LEAVING / 2),
        is_gone,
        nothing,
        leaves("plain_1"),
        world.passes(LEAVING / 2),
        world.passes(LEAVING),
        is_gone,
        lambda: script.ends("plain_2", SUCCESS),
        lambda: script.ends("plain_3", SUCCESS),
    )
    begun = world.clock.monotonic()
    assert driver.run().outcome is Outcome.SUCCESS
    assert [each - begun for each in world.recorder.stored_at][:2] == pytest.approx([LEAVING / 2, LEAVING * 2])


def test_the_run_is_over_when_what_leaves_is_gone(world: World) -> None:
    driver, script = world.drives(work), world.script

    def leaves() -> None:
        script.is_leaving = True
        script.ends("plain", SUCCESS)

    def is_gone() -> None:
        script.is_leaving = False

    script.then(leaves, world.passes(60), is_gone)
    assert driver.run().outcome is Outcome.SUCCESS
    assert script.lines == []


def test_a_run_that_is_stopped_waits_for_what_leaves_as_long_as_steps_have(world: World) -> None:
    driver, script = world.drives(work), world.script

    def leaves() -> None:
        script.is_leaving = True
        script.ends("plain", StepDone(outcome="failure"))

    def ask() -> None:
        INTERRUPTS.requested = True

    script.then(leaves, world.passes(60), ask, world.passes(GRACE / 2), world.passes(GRACE / 2))
    driver.run()
    assert (script.lines, script.closed) == ([], 1)


def test_what_runs_is_ended_whatever_breaks_the_run_off(world: World) -> None:
    driver, script = world.drives(work), world.script

    def breaks() -> None:
        raise RuntimeError("out of the blue")

    script.then(breaks)
    with pytest.raises(RuntimeError, match="out of the blue"):
        driver.run()
    assert script.closed == 1
