"""Attempts of a launcher: when it is asked, what is made of its answers, and of those that it does not give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from penstock.definitions.ops.job import job
from penstock.definitions.ops.op import op
from penstock.engine.step_messages import Start
from penstock.errors import StorageError
from penstock.execution.configuration import configure
from penstock.execution.driver import GRACE, Gone
from penstock.execution.environment import Environment
from penstock.execution.launched import LaunchedAttempts
from penstock.execution.loop import Watch
from penstock.execution.recorder import MemoryRecorder
from penstock.execution.scope import RunScope
from penstock.execution.step_launcher import StepCheck
from penstock.execution.step_order import Elsewhere, JobSource, StepOrder, lane_of
from penstock.plan.build import build_plan
from penstock.records.errors import ErrorInfo
from penstock.records.event import (
    EngineNote,
    Event,
    Fact,
    RunStart,
    StepFailure,
    StepStart,
    StepSuccess,
    StepWorkerStarting,
)
from penstock.records.run import Run
from penstock.storage.protocols import NewRun
from penstock.storage.sqlite.storage import SqliteStorage
from penstock.testing import FakeClock

WHERE = Elsewhere(code=JobSource(module="anywhere", name="work"), instance={})


@op
def one() -> None:
    pass


@job
def work() -> None:
    one()
    one.alias("two")()


def start(step: str, retry: int = 0) -> Start:
    return Start(step=step, spec=step, mapping_key=None, retry=retry, inputs={})


@dataclass
class Elsewhen:
    """A launcher whose steps run as the test says."""

    interval: float = 20.0
    running: dict[str, bool] = field(default_factory=dict)
    orders: dict[str, StepOrder] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)

    def _call(self, what: str, order: StepOrder) -> None:
        self.asked.append((what, order.start.step))
        if what in self.broken:
            raise ConnectionError("nobody answers")

    def launch(self, order: StepOrder) -> None:
        self._call("launch", order)
        self.orders[order.start.step] = order
        self.running[order.name] = True

    def check(self, order: StepOrder) -> StepCheck:
        self._call("check", order)
        if self.running.get(order.name):
            return StepCheck(running=True, what="The box of the step")
        return StepCheck(running=False, what="The box of the step", reason="fell over.", out_of_memory=True)

    def terminate(self, order: StepOrder, *, force: bool) -> None:
        self._call("kill" if force else "stop", order)
        if force:
            self.running[order.name] = False

    def forget(self, order: StepOrder) -> None:
        self._call("forget", order)
        self.running.pop(order.name, None)

    def ends(self, step: str) -> None:
        self.running[self.orders[step].name] = False

    def times(self, what: str) -> int:
        return sum(each == what for each, _ in self.asked)


class World:
    """A run that has started, its log, and what attends to its attempts."""

    def __init__(self, launcher: Elsewhen, storage: SqliteStorage) -> None:
        self.clock = FakeClock()
        self.storage = storage
        self.launcher = launcher
        self.heard: list[Event] = []
        self.watches: list[Watch] = []
        now = self.clock.now()
        storage.runs.create([NewRun(run=Run(run_id="run", location="here", job="work"))])
        (self.run,) = storage.runs.claim(["run"], owner="test", until=now + 1e6, now=now)
        storage.events.append("run", 1, [Event(time=now, fact=RunStart(pid=1), seq=1)], now=now)
        plan = build_plan(work)
        scope = RunScope(
            run=self.run,
            job=work,
            plan=plan,
            config=configure(plan, work, {}),
            environment=Environment(storage=storage, clock=self.clock),
            resources={},
        )
        self.recorder = MemoryRecorder(self.clock)
        self.attempts = LaunchedAttempts(scope, self.recorder, launcher, WHERE, storage, pause=self.clock.advance)
        self.attempts.begin(self, self)  # type: ignore[arg-type]  # it takes watches, as a loop does

    def add(self, watch: Watch) -> None:
        self.watches.append(watch)

    def remove(self, watch: Watch) -> None:
        self.watches.remove(watch)

    def hear(self, event: Event, *, stored: bool = False) -> None:
        assert stored
        self.heard.append(event)

    def says(self, step: str, *facts: Fact) -> None:
        """Let the launched step write into the log."""
        order = self.launcher.orders[step]
        said = len([each for each in self.told() if lane_of(each.seq) == order.lane])
        events = [
            Event(time=self.clock.now(), fact=fact, step_key=step, seq=order.first_seq + said + number)
            for number, fact in enumerate(facts)
        ]
        self.storage.events.append("run", 1, events, now=self.clock.now())

    def told(self) -> list[Event]:
        return [each.event for each in self.storage.events.of_run("run")]

    def waits(self) -> None:
        """Let the time pass until something is due, and attend to it."""
        due = self.attempts.due_in()
        assert due is not None
        self.clock.advance(max(0.0, due))
        for watch in self.watches:
            watch.attend()

    def gone_after(self, turns: int) -> list[Gone]:
        for _ in range(turns):
            gone = list(self.attempts.gone())
            if gone:
                return gone
            self.waits()
        return list(self.attempts.gone())

    def notes(self) -> list[str]:
        return [each.fact.message for each in self.recorder.events if isinstance(each.fact, EngineNote)]


@pytest.fixture
def launcher() -> Elsewhen:
    return Elsewhen()


@pytest.fixture
def world(launcher: Elsewhen) -> Iterator[World]:
    storage = SqliteStorage(None)
    made = World(launcher, storage)
    yield made
    made.attempts.close()
    assert made.watches == []
    storage.close()


def test_each_launch_is_told_and_has_a_lane_of_its_own(world: World, launcher: Elsewhen) -> None:
    world.attempts.start(start("one"))
    world.attempts.start(start("two"))
    assert [(type(e.fact), e.step_key) for e in world.recorder.events] == [
        (StepWorkerStarting, "one"),
        (StepWorkerStarting, "two"),
    ]
    lanes = [order.lane for order in launcher.orders.values()]
    assert lanes == [1, 2]
    assert [order.first_seq for order in launcher.orders.values()] == [(1 << 32) + 1, (2 << 32) + 1]


def test_what_a_step_writes_is_heard_and_what_others_write_is_not(world: World) -> None:
    world.attempts.start(start("one"))
    world.says("one", StepStart())
    world.waits()
    assert [(each.type, each.step_key) for each in world.heard] == [("STEP_START", "one")]


def test_a_silent_step_is_checked_from_time_to_time_alone(world: World, launcher: Elsewhen) -> None:
    world.attempts.start(start("one"))
    begun = world.clock.monotonic()
    while world.clock.monotonic() < begun + 3 * launcher.interval:
        assert world.gone_after(1) == []
    assert launcher.times("check") in (2, 3)


def test_a_step_whose_end_is_in_the_log_is_over_when_it_is_gone(world: World, launcher: Elsewhen) -> None:
    world.attempts.start(start("one"))
    world.says("one", StepStart(), StepSuccess(seconds=1.0))
    begun = world.clock.monotonic()
    assert world.gone_after(5) == []
    launcher.ends("one")
    (gone,) = world.gone_after(3)
    assert gone.step == "one"
    assert world.clock.monotonic() - begun < launcher.interval  # it was not waited so long for
    assert [each.type for each in world.heard] == ["STEP_START", "STEP_SUCCESS"]
    assert launcher.asked[-1] == ("forget", "one")


def test_what_was_written_last_is_heard_before_the_death_is_told(world: World, launcher: Elsewhen) -> None:
    world.attempts.start(start("one"))
    world.says("one", StepStart(), StepSuccess(seconds=1.0))
    launcher.ends("one")
    world.clock.advance(launcher.interval)
    (gone,) = world.attempts.gone()  # nobody has attended to the log before
    assert world.heard[-1].type == "STEP_SUCCESS"
    assert (gone.where, gone.how, gone.out_of_memory) == ("The box of the step", "fell over.", True)


def test_no_death_is_told_while_the_log_cannot_be_read(
    world: World, launcher: Elsewhen, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.attempts.start(start("one"))
    world.says("one", StepFailure(error=ErrorInfo(cls="KeyError", message="no")))
    launcher.ends("one")

    def away(*_: Any, **__: Any) -> list[Any]:
        raise StorageError("the database is away")

    with monkeypatch.context() as patch:
        patch.setattr(world.storage.events, "of_run", away)
        assert world.gone_after(50) == []
    assert [each.step for each in world.gone_after(50)] == ["one"]
    assert [each.type for each in world.heard] == ["STEP_FAILURE"]


def test_a_launch_that_fails_is_an_attempt_that_has_failed(world: World, launcher: Elsewhen) -> None:
    launcher.broken = {"launch"}
    world.attempts.start(start("one"))
    assert world.attempts.due_in() == 0.0
    (gone,) = world.attempts.gone()
    assert gone.where == "The launcher Elsewhen"
    assert gone.how == "could not launch the step: ConnectionError: nobody answers"
    launcher.broken = set()
    world.attempts.start(start("one", retry=1))
    assert launcher.orders["one"].lane == 2
    assert world.attempts.due_in() != 0.0


def test_a_launcher_that_does_not_answer_is_asked_again(world: World, launcher: Elsewhen) -> None:
    world.attempts.start(start("one"))
    launcher.broken = {"check"}
    launcher.ends("one")
    world.clock.advance(launcher.interval)
    assert list(world.attempts.gone()) == []
    assert world.notes() == ["Elsewhen could not check the step: ConnectionError: nobody answers"]
    launcher.broken = set()
    world.clock.advance(launcher.interval)
    assert [each.step for each in world.attempts.gone()] == ["one"]


def test_a_wish_to_stop_is_repeated_until_it_was_heard(world: World, launcher: Elsewhen) -> None:
    world.attempts.start(start("one"))
    launcher.broken = {"kill"}
    world.attempts.kill("one")
    assert launcher.times("kill") == 1
    launcher.broken = set()
    (gone,) = world.gone_after(5)
    assert gone.step == "one"
    assert launcher.times("kill") == 2


def test_only_what_runs_is_stopped(world: World, launcher: Elsewhen) -> None:
    world.attempts.ask_to_stop("one")
    world.attempts.kill("two")
    assert launcher.asked == []


def test_at_the_end_nothing_runs_any_more(world: World, launcher: Elsewhen) -> None:
    world.attempts.start(start("one"))
    world.attempts.start(start("two"))
    world.attempts.close()
    assert launcher.running == {}
    assert launcher.times("forget") == 2


def test_the_end_waits_no_longer_than_the_grace_period_for_a_launcher_that_is_away(
    world: World, launcher: Elsewhen
) -> None:
    world.attempts.start(start("one"))
    launcher.broken = {"kill", "check", "forget"}
    begun = world.clock.monotonic()
    world.attempts.close()
    assert GRACE <= world.clock.monotonic() - begun < GRACE + 1


def test_the_name_of_an_order_tells_the_attempt_and_nothing_else(world: World) -> None:
    def named(step: str, retry: int = 0, lane: int = 1) -> str:
        return StepOrder(run=world.run, start=start(step, retry), lane=lane, where=WHERE).name

    assert named("one") == named("one", lane=7)
    names = {named("one"), named("two"), named("one", retry=1)}
    assert len(names) == 3
    assert all(len(name) <= 63 and name.replace("-", "").isalnum() and name.islower() for name in names)
