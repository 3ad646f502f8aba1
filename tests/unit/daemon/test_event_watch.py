"""Sensors that watch the event log are evaluated when something is stored that they watch, and not before."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from penstock.codec import encode_json
from penstock.config.schema import Shape
from penstock.daemon.event_watch import EventWatch
from penstock.daemon.keeper import parts_of
from penstock.daemon.places import Places
from penstock.daemon.sensors import WEBHOOKS_KEPT, SensorsDuty
from penstock.daemon.ticks import TickRunner
from penstock.errors import CodeServerUnreachableError, StorageUnavailableError
from penstock.launch.coordinators import QueuedRunCoordinator
from penstock.locations.catalog import Catalog
from penstock.records.automation import InstigatorStatus, RunRequestRecord, Tick, TickStatus
from penstock.records.errors import ErrorInfo
from penstock.records.event import AssetMaterialization, RunCanceled, RunFailure, StoredEvent
from penstock.records.lease import Lease
from penstock.records.location import JobDescription, LocationDescription, RunsWatched, SensorDescription
from penstock.records.run import FailureReason, Run
from penstock.records.webhook import WebhookRequest
from penstock.records.wire import EvaluateSensor, Evaluation, LaunchAnswer, LoadStatus
from penstock.storage.protocols import StoredLocation
from penstock.storage.sqlite.storage import SqliteStorage
from penstock.testing.clock import FakeClock
from penstock.testing.storage_contract.builders import given_run
from support.held import all_parts
from support.held_workers import HeldWorkers

START = 1_767_261_600.0  # 2026-01-01T10:00 UTC
ON = InstigatorStatus.RUNNING

ORDERS = SensorDescription(name="orders", kind="ASSET", assets=("orders",), interval=0.0, default_status=ON)
BOTH = SensorDescription(name="both", kind="MULTI_ASSET", assets=("orders",), interval=0.0, default_status=ON)
RARELY = SensorDescription(name="rarely", kind="ASSET", assets=("refunds",), interval=60.0, default_status=ON)
FAILURES = SensorDescription(
    name="failures",
    kind="RUN_STATUS",
    event_type="RUN_FAILURE",
    runs=(RunsWatched(job="nightly"),),
    interval=0.0,
    default_status=ON,
)

AUTOMATION = SensorDescription(name="automation", kind="AUTOMATION", interval=30.0, default_status=ON)


CALLED = SensorDescription(name="called", kind="WEBHOOK", interval=0.0, default_status=ON)


class Launcher:
    """No run is launched in these tests."""

    def launch(self, run: Run) -> LaunchAnswer:
        raise AssertionError

    def cancel(self, run: Run, *, force: bool = False) -> bool:
        raise AssertionError


class Server:
    """The code server of a house."""

    def __init__(self, house: House) -> None:
        self._house = house

    def evaluate(self, work: EvaluateSensor) -> Evaluation:
        self._house.asked.append(work)
        return self._house.evaluate(work)


class House:
    """The duty over one storage, a fake clock and a code server that answers by the sensor's name."""

    def __init__(self, *sensors: SensorDescription) -> None:
        self.storage = SqliteStorage(None)
        self.clock = FakeClock(START)
        self.evaluate: Callable[[EvaluateSensor], Evaluation] = self.see_all
        self.asked: list[EvaluateSensor] = []
        described = LocationDescription(
            name="shop", jobs=(JobDescription(name="nightly", config_schema=Shape(fields={})),), sensors=sensors
        )
        self.storage.locations.put(
            StoredLocation(name="shop", status=LoadStatus.LOADED, digest="1", description=encode_json(described))
        )
        self.woken = threading.Event()
        self.changed = threading.Event()
        self.leases: list[Lease] = []
        self.start()

    def start(self) -> None:
        """Another daemon, with all parts."""
        self.workers = HeldWorkers()
        catalog = Catalog(self.storage.locations)
        catalog.client = lambda _name: Server(self)  # type: ignore[method-assign,assignment,return-value]
        runner = TickRunner(
            self.storage.instigators,
            QueuedRunCoordinator(runs=self.storage.runs, launcher=Launcher(), clock=self.clock),
            catalog,
            self.clock,
            assets=self.storage.assets,
            places=Places(self.workers, number=8, slow=0, clock=self.clock),
        )
        watch = EventWatch(self.storage, self.clock)
        shared = (self.storage.instigators, catalog, runner, self.clock, self.woken, self.changed, 60.0)
        self.duty = SensorsDuty(
            *shared, watch=watch, runs=self.storage.runs, inbox=self.storage.inbox, max_queued_runs=2
        )
        leases = self.storage.leases
        for lease in self.leases:
            leases.release(lease)
        names = parts_of(self.duty.name, self.duty.parts)
        taken = [leases.acquire(name, f"daemon-{id(watch)}", ttl=1e6, now=self.clock.now()) for name in names]
        self.leases = [lease for lease in taken if lease is not None]
        self.held = all_parts(self.leases)

    def see_all(self, work: EvaluateSensor) -> Evaluation:
        """An evaluation that has seen everything."""
        return Evaluation(cursor=str(self.storage.events.last_id()))

    # -- what tests do ------------------------------------------------------------------------------------------------

    def look(self, *, ticks: int) -> float | None:
        """Look, and do what is due, until nothing more is: it must be so many ticks. Gives how long the duty wants to
        sleep."""
        before = len(self.asked)
        while True:
            self.woken.clear()
            wanted = self.duty.tick(self.held)
            if not self.workers.work():
                assert len(self.asked) - before == ticks
                return wanted
            assert self.woken.is_set(), "the end of a tick wakes the duty"

    def make(self, asset: str) -> int:
        """Materialize an asset; gives the event's id."""
        (event,) = self.storage.assets.report([AssetMaterialization(asset=asset)], now=self.clock.now())
        return event

    def fail(self, job: str) -> None:
        """Let a run of the job fail."""
        failure = RunFailure(reason=FailureReason.RUN_EXCEPTION, message="broken")
        run = given_run(self.storage, job=job)
        assert self.storage.runs.record(run.run_id, [failure], now=self.clock.now())

    def ticks(self, name: str) -> list[Tick]:
        return self.storage.instigators.ticks(f"shop/sensor/{name}")

    def close(self) -> None:
        self.duty.close()
        self.storage.close()


def unreachable(_work: EvaluateSensor) -> Evaluation:
    """How a code server evaluates that is away."""
    raise CodeServerUnreachableError("The code server does not answer.")


@pytest.fixture
def houses() -> Iterator[Callable[..., House]]:
    built: list[House] = []

    def build(*sensors: SensorDescription) -> House:
        built.append(House(*sensors))
        return built[-1]

    yield build
    for house in built:
        house.close()


def test_a_materialization_makes_those_due_at_once_that_watch_its_asset(houses: Callable[..., House]) -> None:
    house = houses(ORDERS, BOTH, FAILURES)
    house.look(ticks=3)
    house.clock.advance(5)
    house.make("other")
    house.look(ticks=0)
    house.make("orders")
    house.clock.advance(0.1)
    house.look(ticks=2)
    assert {work.name for work in house.asked[3:]} == {"orders", "both"}
    assert [round(tick.due - START, 3) for tick in house.ticks("orders")] == [5.0, 0.0]
    assert [round(tick.started - tick.due, 3) for tick in house.ticks("orders")] == [0.1, 0.0]


def test_runs_are_news_only_for_those_that_watch_their_job(houses: Callable[..., House]) -> None:
    house = houses(FAILURES, ORDERS)
    house.look(ticks=2)
    house.clock.advance(5)
    house.fail("hourly")
    house.look(ticks=0)
    house.fail("nightly")
    house.look(ticks=1)
    assert house.asked[-1].name == "failures"
    house.look(ticks=0)


def test_without_news_nothing_is_evaluated_but_what_is_polled(houses: Callable[..., House]) -> None:
    house = houses(ORDERS, BOTH)
    house.look(ticks=2)
    for _ in range(100):
        house.clock.advance(31)
        house.look(ticks=1)
    assert [work.name for work in house.asked].count("orders") == 1
    house.clock.advance(1000)
    house.look(ticks=2)  # after an hour, in case that an event was not heard of
    assert [work.name for work in house.asked].count("orders") == 2


def test_an_interval_that_the_code_names_gathers_a_burst(houses: Callable[..., House]) -> None:
    house = houses(RARELY)
    house.look(ticks=1)
    house.clock.advance(100)
    house.make("refunds")
    house.look(ticks=1)
    for _ in range(5):
        house.clock.advance(10)
        house.make("refunds")
        house.look(ticks=0)
    house.clock.advance(10)
    house.look(ticks=1)
    assert house.ticks("rarely")[0].due == pytest.approx(START + 160, abs=0.01)


def test_what_comes_during_an_evaluation_makes_it_due_again(houses: Callable[..., House]) -> None:
    house = houses(ORDERS)
    house.look(ticks=1)
    house.clock.advance(5)
    first = house.make("orders")

    def another_comes(_work: EvaluateSensor) -> Evaluation:
        house.evaluate = house.see_all
        house.make("orders")
        house.clock.advance(1)
        return Evaluation(cursor=str(first))

    house.evaluate = another_comes
    house.look(ticks=1)
    house.clock.advance(1)
    house.look(ticks=1)
    assert int(house.asked[-1].cursor or 0) == first
    house.clock.advance(1)
    house.look(ticks=0)


def test_an_event_after_the_clock_was_set_back_is_seen_at_once(houses: Callable[..., House]) -> None:
    house = houses(ORDERS)
    house.look(ticks=1)
    house.clock.jump(-3600)
    house.make("orders")
    house.look(ticks=1)
    assert house.ticks("orders")[0].due == pytest.approx(START - 3600)


def test_a_tick_whose_end_was_not_heard_of_is_not_planned_anew(houses: Callable[..., House]) -> None:
    house = houses(ORDERS)
    house.look(ticks=1)
    house.clock.advance(5)
    house.make("orders")
    complete, lost = house.storage.instigators.complete_tick, [True]

    def answer_is_lost(tick: Tick, **what: Any) -> Tick:
        ended = complete(tick, **what)
        if lost.pop():
            raise StorageUnavailableError("The connection was lost.")
        return ended

    house.storage.instigators.complete_tick = answer_is_lost  # type: ignore[method-assign]
    house.evaluate = lambda _work: Evaluation(cursor="1", more=True)
    house.look(ticks=1)
    lost.append(False)
    house.evaluate = house.see_all
    house.clock.advance(2.1)
    house.look(ticks=1)
    assert house.asked[-1].cursor == "1"


def test_a_failed_evaluation_comes_again_though_nothing_more_happens(houses: Callable[..., House]) -> None:
    house = houses(ORDERS)
    house.look(ticks=1)
    house.clock.advance(5)
    house.make("orders")
    house.evaluate = lambda _work: Evaluation(error=ErrorInfo(cls="ValueError", message="broken"))
    house.look(ticks=1)
    house.look(ticks=0)
    house.evaluate = house.see_all
    house.clock.advance(31)
    house.look(ticks=1)
    house.clock.advance(31)
    house.look(ticks=0)


def test_another_daemon_finds_what_happened_while_there_was_none(houses: Callable[..., House]) -> None:
    house = houses(ORDERS, FAILURES)
    house.look(ticks=2)
    house.clock.advance(5)
    house.start()
    house.look(ticks=0)
    house.make("orders")
    house.start()
    house.look(ticks=1)
    assert house.asked[-1].name == "orders"
    house.fail("nightly")
    house.start()
    house.look(ticks=1)
    assert house.asked[-1].name == "failures"


def test_a_tick_that_another_daemon_left_is_the_one_that_goes_on(houses: Callable[..., House]) -> None:
    house = houses(ORDERS)
    house.look(ticks=1)
    house.clock.advance(5)
    house.make("orders")

    house.evaluate = unreachable
    house.look(ticks=1)
    left, _ = house.ticks("orders")
    assert left.status is TickStatus.STARTED
    house.clock.advance(5)
    house.make("orders")
    house.start()
    house.evaluate = house.see_all
    house.look(ticks=1)
    ended, _ = house.ticks("orders")
    assert (ended.id, ended.due, ended.status, ended.attempt) == (left.id, left.due, TickStatus.SKIPPED, 2)


def test_what_a_tick_that_ends_during_a_look_has_seen_is_not_seen_again(houses: Callable[..., House]) -> None:
    house = houses(ORDERS)
    house.look(ticks=1)
    house.clock.advance(5)
    house.make("orders")
    house.evaluate = unreachable
    house.look(ticks=1)
    house.clock.advance(5)
    newest = house.make("orders")
    house.start()
    house.evaluate = house.see_all
    house.duty.tick(house.held)  # goes on with the tick that was left, which began before the newest event
    read = house.storage.events.of_types

    def it_ends_meanwhile(*types: Any, **where: Any) -> list[StoredEvent]:
        house.workers.work()
        return read(*types, **where)

    house.storage.events.of_types = it_ends_meanwhile  # type: ignore[method-assign]
    house.duty.tick(house.held)
    house.workers.work()
    assert [work.cursor for work in house.asked] == [None, "0", "0"]
    house.look(ticks=0)
    state = house.storage.instigators.get("shop/sensor/orders")
    assert state is not None
    assert state.cursor == str(newest)


def test_a_tick_that_waits_for_its_code_server_keeps_its_news(houses: Callable[..., House]) -> None:
    house = houses(ORDERS)
    house.look(ticks=1)
    house.clock.advance(5)
    house.make("orders")

    house.evaluate = unreachable
    house.look(ticks=1)
    house.clock.advance(3)
    house.evaluate = house.see_all
    house.look(ticks=1)
    assert house.ticks("orders")[0].status is TickStatus.SKIPPED


def test_one_that_is_off_hears_of_nothing(houses: Callable[..., House]) -> None:
    off = SensorDescription(name="off", kind="ASSET", assets=("orders",))
    house = houses(ORDERS, off)
    house.look(ticks=1)
    house.clock.advance(5)
    house.make("orders")
    house.look(ticks=1)
    assert {work.name for work in house.asked} == {"orders"}


def test_a_sensor_with_too_many_runs_in_the_queue_waits_and_misses_nothing(houses: Callable[..., House]) -> None:
    house = houses(ORDERS)
    house.look(ticks=1)
    house.evaluate = lambda _work: Evaluation(
        run_requests=(RunRequestRecord(job="nightly"),), cursor=str(house.storage.events.last_id())
    )
    for _ in range(3):
        house.clock.advance(1)
        house.make("orders")
        house.look(ticks=1)
    house.clock.advance(1)
    house.make("orders")
    assert house.look(ticks=0) == pytest.approx(2.0)
    (run, *_) = house.storage.runs.queued(limit=1)
    assert house.storage.runs.record(run.run_id, [RunCanceled()], now=house.clock.now())
    house.clock.advance(2)
    house.look(ticks=1)
    assert len(house.storage.runs.queued(limit=10)) == 3


def test_conditions_are_evaluated_when_something_happens_and_no_more_often_than_their_interval(
    houses: Callable[..., House],
) -> None:
    house = houses(AUTOMATION)
    house.evaluate = lambda _work: Evaluation(cursor="any", until=START + 3000)
    house.look(ticks=1)
    assert house.storage.instigators.states()["shop/sensor/automation"].next_due == START + 3000
    house.make("orders")
    assert house.look(ticks=0) == pytest.approx(30)
    house.clock.advance(30)
    house.look(ticks=1)
    house.clock.advance(300)
    house.look(ticks=0)
    house.fail("hourly")
    house.look(ticks=1)
    house.clock.advance(3000)
    house.look(ticks=1)
    assert [tick.due - START for tick in reversed(house.ticks("automation"))] == [0, 30, 330, 3000]


def test_conditions_rest_after_their_first_evaluation(houses: Callable[..., House]) -> None:
    house = houses(AUTOMATION)
    house.evaluate = lambda _work: Evaluation(cursor="any", until=START + 3000)
    house.look(ticks=1)
    house.clock.advance(60)
    house.changed.set()
    house.look(ticks=0)


def test_conditions_that_may_change_by_themselves_are_evaluated_at_their_interval(houses: Callable[..., House]) -> None:
    house = houses(AUTOMATION)
    house.evaluate = lambda _work: Evaluation(cursor="any", until=house.clock.now())
    house.look(ticks=1)
    assert house.look(ticks=0) == pytest.approx(30)
    house.clock.advance(30)
    house.look(ticks=1)


def test_conditions_of_other_code_and_at_another_daemon_are_evaluated(houses: Callable[..., House]) -> None:
    house = houses(AUTOMATION)
    house.evaluate = lambda _work: Evaluation(cursor="any", until=START + 3000)
    house.look(ticks=1)
    house.clock.advance(60)
    stored = house.storage.locations.get("shop")
    assert stored is not None
    house.storage.locations.put(msgspec.structs.replace(stored, digest="2"))
    house.look(ticks=1)
    house.clock.advance(120)
    house.look(ticks=0)
    house.start()
    house.look(ticks=1)
    house.clock.advance(120)
    house.look(ticks=0)
    house.storage.instigators.set_cursor("shop/sensor/automation", "shop", "automation", None, now=house.clock.now())
    house.changed.set()
    house.look(ticks=1)


def test_conditions_whose_code_comes_during_an_evaluation_are_evaluated_again(houses: Callable[..., House]) -> None:
    house = houses(AUTOMATION)
    rests = Evaluation(cursor="any", until=START + 3000)
    house.evaluate = lambda _work: rests
    house.look(ticks=1)
    house.clock.advance(31)
    house.make("orders")

    def other_code_comes(_work: EvaluateSensor) -> Evaluation:
        house.evaluate = lambda _work: rests
        stored = house.storage.locations.get("shop")
        assert stored is not None
        house.storage.locations.put(msgspec.structs.replace(stored, digest="2"))
        house.duty.tick(house.held)  # it hears of that before the evaluation has ended
        return rests

    house.evaluate = other_code_comes
    house.look(ticks=1)
    house.clock.advance(31)
    house.look(ticks=1)
    house.clock.advance(31)
    house.look(ticks=0)


def test_a_request_makes_its_sensor_due_and_is_taken_by_the_tick(houses: Callable[..., House]) -> None:
    house = houses(CALLED, ORDERS)
    house.look(ticks=2)
    house.clock.advance(5)
    inbox = house.storage.inbox
    for body in (b"a", b"b"):
        inbox.receive("shop/sensor/called", WebhookRequest(body=body), most=10, now=house.clock.now())
    inbox.receive("shop/sensor/elsewhere", WebhookRequest(), most=10, now=house.clock.now())
    house.clock.advance(0.1)
    house.look(ticks=1)
    assert [request.body for request in house.asked[-1].webhooks] == [b"a", b"b"]
    tick = house.ticks("called")[0]
    assert (tick.webhooks, round(tick.lateness, 3)) == ((1, 2), 0.1)
    house.look(ticks=0)


def test_requests_of_a_failed_tick_come_again_later_and_one_by_one(houses: Callable[..., House]) -> None:
    house = houses(CALLED)
    house.look(ticks=1)
    house.clock.advance(5)
    for body in (b"poison", b"good"):
        house.storage.inbox.receive("shop/sensor/called", WebhookRequest(body=body), most=10, now=house.clock.now())
    house.evaluate = lambda _work: Evaluation(error=ErrorInfo(cls="ValueError", message="broken"))
    house.look(ticks=1)
    house.clock.advance(29)
    house.look(ticks=0)
    house.clock.advance(1)
    house.look(ticks=1)
    assert [request.body for request in house.asked[-1].webhooks] == [b"poison"]
    house.start()
    house.evaluate = house.see_all
    house.clock.advance(30)
    house.look(ticks=1)
    house.clock.advance(1)
    house.look(ticks=1)
    assert [request.body for request in house.asked[-1].webhooks] == [b"good"]
    assert house.storage.inbox.waiting() == {}


def test_requests_that_were_taken_long_ago_are_forgotten(houses: Callable[..., House]) -> None:
    house = houses(CALLED)
    house.storage.inbox.receive("shop/sensor/called", WebhookRequest(key="k"), most=10, now=house.clock.now())
    house.look(ticks=1)
    house.clock.advance(WEBHOOKS_KEPT - 100)
    house.look(ticks=1)
    assert len(house.storage.inbox.page("shop/sensor/called")) == 1
    house.clock.advance(3600)
    house.look(ticks=1)
    assert house.storage.inbox.page("shop/sensor/called") == []
