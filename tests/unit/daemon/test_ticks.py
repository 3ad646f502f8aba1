"""Ticks of schedules and sensors: one effect each, stored at once, whatever user code or the code server does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from penstock.codec import encode_json
from penstock.config.schema import Shape
from penstock.daemon.event_watch import EventWatch
from penstock.daemon.keeper import Held, parts_of
from penstock.daemon.places import Places
from penstock.daemon.rests import FIRST_REST
from penstock.daemon.schedules import SchedulesDuty
from penstock.daemon.sensors import SensorsDuty
from penstock.daemon.ticks import TickRunner
from penstock.errors import CodeServerUnreachableError, InternalError
from penstock.launch.coordinators import QueuedRunCoordinator
from penstock.locations.catalog import Catalog
from penstock.partitions.requests import AddDynamicPartitionsRequest, DeleteDynamicPartitionsRequest
from penstock.partitions.spec import DynamicSpec
from penstock.records.automation import (
    BackfillRequestRecord,
    InstigatorKind,
    InstigatorStatus,
    Override,
    PartitionChoice,
    RunRequestRecord,
    Tick,
    TickStatus,
)
from penstock.records.errors import ErrorInfo
from penstock.records.event import AssetFact, AssetMaterialization
from penstock.records.location import (
    AssetDescription,
    JobDescription,
    LocationDescription,
    ScheduleDescription,
    SensorDescription,
    StepDescription,
)
from penstock.records.run import Run, RunStatus, Tag
from penstock.records.wire import EvaluateSchedule, EvaluateSensor, Evaluation, LaunchAnswer, LoadStatus
from penstock.storage.protocols import RunFilter, StoredLocation
from penstock.storage.sqlite.storage import SqliteStorage
from penstock.testing.clock import FakeClock
from support.held import all_parts

START = 1_767_261_600.0  # 2026-01-01T10:00 UTC
HOUR = 3600.0
ON = InstigatorStatus.RUNNING

LOCATION = LocationDescription(
    name="shop",
    jobs=(
        JobDescription(name="nightly", steps=(StepDescription(key="step", op="step"),), config_schema=Shape(fields={})),
        JobDescription(
            name="by_file",
            steps=(StepDescription(key="step", op="step"),),
            config_schema=Shape(fields={}),
            partitions=DynamicSpec(name="files"),
        ),
        JobDescription(
            name="assets",
            steps=tuple(StepDescription(key=name, op=name, assets=(name,)) for name in ("made", "new")),
            config_schema=Shape(fields={}),
            is_asset_job=True,
            assets=("made", "new"),
        ),
    ),
    assets=(
        *(AssetDescription(key=name, jobs=("assets",), op=name) for name in ("made", "new")),
        AssetDescription(key="of_file", op="of_file", deps=("made",), partitions=DynamicSpec(name="files")),
    ),
    schedules=(ScheduleDescription(name="hourly", cron=("0 * * * *",), job="nightly", default_status=ON),),
    sensors=(SensorDescription(name="files", jobs=("nightly",), interval=30.0, default_status=ON),),
)


class Launcher:
    """No run is launched in these tests: the queue is full of them."""

    def launch(self, run: Run) -> LaunchAnswer:
        raise AssertionError

    def cancel(self, run: Run, *, force: bool = False) -> bool:
        raise AssertionError


class CodeServer:
    """Answers evaluations as it is told to."""

    def __init__(self) -> None:
        self.answers: list[Evaluation | Exception] = []
        self.asked: list[EvaluateSchedule | EvaluateSensor] = []

    def evaluate(self, work: EvaluateSchedule | EvaluateSensor) -> Evaluation:
        self.asked.append(work)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class House:
    """The two duties over one storage, a fake clock and a fake code server."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.storage = SqliteStorage(None)
        self.clock = FakeClock(START)
        self.server = CodeServer()
        self.storage.locations.put(
            StoredLocation(
                name="shop", status=LoadStatus.LOADED, digest="1", description=encode_json(LOCATION), updated=START
            )
        )
        catalog = Catalog(self.storage.locations)
        monkeypatch.setattr(catalog, "client", lambda _name: self.server)
        coordinator = QueuedRunCoordinator(runs=self.storage.runs, launcher=Launcher(), clock=self.clock)
        self.done, self.changed = threading.Event(), threading.Event()
        runner = TickRunner(
            self.storage.instigators,
            coordinator,
            catalog,
            self.clock,
            assets=self.storage.assets,
            places=Places(ThreadPoolExecutor(2), number=2, slow=0, clock=self.clock),
        )
        self.shared = shared = (self.storage.instigators, catalog, runner, self.clock, self.done, self.changed, 60.0)
        self.schedules = SchedulesDuty(*shared)
        self.sensors = SensorsDuty(
            *shared,
            watch=EventWatch(self.storage, self.clock),
            runs=self.storage.runs,
            inbox=self.storage.inbox,
            max_queued_runs=2,
        )

    def look(self, duty: SchedulesDuty | SensorsDuty, *, ticks: int = 1) -> None:
        """One look of a duty, and the end of the ticks that it starts."""
        self.done.clear()
        self.changed.set()
        duty.tick(self.held(duty, "daemon-1"))
        if ticks:
            assert self.done.wait(10)

    def held(self, duty: SchedulesDuty | SensorsDuty, holder: str) -> Held:
        """All parts of a duty, taken by that holder."""
        names = parts_of(duty.name, duty.parts)
        taken = [self.storage.leases.acquire(name, holder, ttl=10, now=self.clock.now()) for name in names]
        return all_parts([lease for lease in taken if lease is not None])

    def ticks(self, kind: str, name: str) -> list[Tick]:
        return self.storage.instigators.ticks(f"shop/{kind}/{name}")

    def runs(self) -> list[Run]:
        return self.storage.runs.page(RunFilter(), limit=100)


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    built = House(monkeypatch)
    yield built
    built.schedules.close()
    built.sensors.close()
    built.storage.close()


ONE_RUN = Evaluation(run_requests=(RunRequestRecord(run_key="a", tags={"team": "data"}),), cursor="7", log=("looked",))


def test_a_schedule_makes_its_run_at_its_instant_and_once(house: House) -> None:
    house.look(house.schedules, ticks=0)
    house.clock.advance(HOUR)
    house.server.answers = [ONE_RUN]
    house.look(house.schedules)
    house.look(house.schedules, ticks=0)
    (tick,) = house.ticks("schedule", "hourly")
    assert (tick.status, tick.due, tick.log) == (TickStatus.SUCCESS, START + HOUR, ("looked",))
    (run,) = house.runs()
    assert (run.status, run.run_id) == (RunStatus.QUEUED, tick.run_ids[0])
    assert run.tags["penstock/schedule_name"] == "hourly"
    assert run.tags["team"] == "data"
    assert house.server.asked == [EvaluateSchedule(name="hourly", due=START + HOUR)]


def test_a_sensor_keeps_its_cursor_and_a_run_key_makes_one_run(house: House) -> None:
    house.server.answers = [ONE_RUN, ONE_RUN]
    house.look(house.sensors)
    house.clock.advance(31)
    house.look(house.sensors)
    second = house.server.asked[1]
    assert isinstance(second, EvaluateSensor)
    assert (second.cursor, second.last_run_key) == ("7", "a")
    assert len(house.runs()) == 1
    assert [len(tick.run_ids) for tick in house.ticks("sensor", "files")] == [0, 1]


def test_a_tick_changes_partitions_before_its_runs_and_tells_facts(house: House) -> None:
    house.server.answers = [
        Evaluation(
            run_requests=(RunRequestRecord(job="by_file", partition="new"),),
            partitions=(AddDynamicPartitionsRequest("files", ["new"]),),
            facts=(AssetMaterialization(asset="inbox"),),
        ),
        Evaluation(run_requests=(RunRequestRecord(job="by_file", partition="unknown"),)),
    ]
    house.look(house.sensors)
    (tick,) = house.ticks("sensor", "files")
    assert (tick.status, len(tick.run_ids), tick.partitions[0].partition_keys) == (TickStatus.SUCCESS, 1, ["new"])
    assert house.storage.assets.dynamic_partitions("files") == ["new"]
    assert list(house.storage.assets.states()) == ["inbox"]
    house.clock.advance(31)
    house.look(house.sensors)
    tick, _ = house.ticks("sensor", "files")
    assert tick.status is TickStatus.FAILURE


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (Evaluation(acted=True), TickStatus.SUCCESS),
        (Evaluation(partitions=(DeleteDynamicPartitionsRequest("files", ["a"]),)), TickStatus.SUCCESS),
        (Evaluation(facts=(AssetMaterialization(asset="inbox"),)), TickStatus.SUCCESS),
        (Evaluation(), TickStatus.SKIPPED),
    ],
)
def test_a_tick_that_does_something_is_a_success(house: House, answer: Evaluation, status: TickStatus) -> None:
    house.server.answers = [answer]
    house.look(house.sensors)
    (tick,) = house.ticks("sensor", "files")
    assert tick.status is status


def test_an_error_of_one_event_keeps_what_came_before_it_and_goes_on_at_once(house: House) -> None:
    error = ErrorInfo(cls="KeyError", message="'x'")
    house.server.answers = [
        Evaluation(run_requests=(RunRequestRecord(run_key="a"),), cursor="7", error=error, contained=True, more=True),
        Evaluation(cursor="8"),
    ]
    house.look(house.sensors)
    (tick,) = house.ticks("sensor", "files")
    assert (tick.status, len(tick.run_ids), tick.cursor) == (TickStatus.FAILURE, 1, "7")
    house.clock.advance(0.1)
    house.look(house.sensors)
    second = house.server.asked[1]
    assert isinstance(second, EvaluateSensor)
    assert second.cursor == "7"
    assert len(house.ticks("sensor", "files")) == 2


@pytest.mark.parametrize(
    "wish",
    [
        RunRequestRecord(job="assets", only_stale=True),
        RunRequestRecord(job="assets", tags={"penstock/is_memoized_run": "true"}),
    ],
)
def test_a_request_for_stale_assets_alone_leaves_out_fresh_ones(house: House, wish: RunRequestRecord) -> None:
    house.server.answers = [Evaluation(run_requests=(wish,)) for _ in range(3)]
    house.look(house.sensors)
    (run,) = house.runs()
    assert run.assets == ("made", "new")
    made: list[AssetFact] = [AssetMaterialization(asset=name) for name in ("made", "new")]
    house.storage.assets.report(made[:1], now=START)
    house.clock.advance(31)
    house.look(house.sensors)
    assert house.runs()[0].assets == ("new",)
    house.storage.assets.report(made[1:], now=START)
    house.clock.advance(31)
    house.look(house.sensors)
    assert len(house.runs()) == 2
    assert house.ticks("sensor", "files")[0].run_ids == ()


def test_a_sensor_is_told_since_when_it_is_on(house: House) -> None:
    house.server.answers = [Evaluation(), Evaluation()]
    house.look(house.sensors)
    house.clock.advance(31)
    house.look(house.sensors)
    assert [work.turned_on for work in house.server.asked if isinstance(work, EvaluateSensor)] == [START, START]


def test_user_code_that_raises_fails_the_tick_and_keeps_the_cursor(house: House) -> None:
    house.server.answers = [ONE_RUN, Evaluation(error=ErrorInfo(cls="KeyError", message="'x'"), cursor="lost")]
    house.look(house.sensors)
    house.clock.advance(31)
    house.look(house.sensors)
    failed, _ = house.ticks("sensor", "files")
    assert failed.status is TickStatus.FAILURE
    assert failed.error is not None
    state = house.storage.instigators.get("shop/sensor/files")
    assert state is not None
    assert state.cursor == "7"


def test_a_request_that_cannot_run_fails_the_tick_with_the_remedy(house: House) -> None:
    house.server.answers = [Evaluation(run_requests=(RunRequestRecord(job="nihgtly"),))]
    house.look(house.sensors)
    (tick,) = house.ticks("sensor", "files")
    assert tick.status is TickStatus.FAILURE
    assert tick.error is not None
    assert "nightly" in tick.error.message
    assert house.runs() == []


def test_a_code_server_that_is_away_delays_the_tick_and_does_not_fail_it(house: House) -> None:
    house.server.answers = [CodeServerUnreachableError("nobody is there"), ONE_RUN]
    house.look(house.sensors)
    (tick,) = house.ticks("sensor", "files")
    assert tick.status is TickStatus.STARTED
    house.look(house.sensors, ticks=0)  # it rests for a moment
    house.clock.advance(3)
    house.look(house.sensors)
    (tick,) = house.ticks("sensor", "files")
    assert (tick.status, tick.attempt) == (TickStatus.SUCCESS, 2)
    assert len(house.runs()) == 1


def test_a_daemon_whose_lease_has_passed_on_changes_nothing(house: House) -> None:
    stale = house.held(house.sensors, "daemon-1")
    house.clock.advance(60)
    assert len(house.held(house.sensors, "daemon-2")) == house.sensors.parts
    house.server.answers = [ONE_RUN]
    house.done.clear()
    house.sensors.tick(stale)
    assert house.done.wait(10)
    assert house.runs() == []
    assert house.ticks("sensor", "files") == []


def test_a_sensor_that_is_off_is_not_evaluated(house: House) -> None:
    house.storage.instigators.switch(
        "shop/sensor/files", "shop", InstigatorKind.SENSOR, "files", InstigatorStatus.STOPPED, now=START
    )
    house.look(house.sensors, ticks=0)
    assert house.server.asked == []


def test_what_is_passed_over_is_one_skipped_tick(house: House) -> None:
    house.look(house.schedules, ticks=0)
    house.clock.advance(4 * HOUR + 60)
    house.server.answers = [ONE_RUN]
    house.look(house.schedules)
    made, passed = house.ticks("schedule", "hourly")
    assert (made.status, made.due, len(made.run_ids)) == (TickStatus.SUCCESS, START + 4 * HOUR, 1)
    assert (passed.status, passed.due) == (TickStatus.SKIPPED, START + HOUR)
    assert passed.skip_reason == (
        "3 instants passed over, from 2026-01-01 11:00 UTC to 2026-01-01 13:00 UTC: no daemon looked in time, or no "
        "code server answered, and of what is missed only the latest one is made up."
    )
    assert house.server.asked == [EvaluateSchedule(name="hourly", due=START + 4 * HOUR)]
    house.look(house.schedules, ticks=0)
    assert len(house.ticks("schedule", "hourly")) == 2


def test_where_all_is_too_old_nothing_is_evaluated(house: House) -> None:
    schedules = SchedulesDuty(*house.shared, max_age=600)
    house.look(schedules, ticks=0)
    house.clock.advance(2 * HOUR + 1800)
    house.look(schedules)
    (passed,) = house.ticks("schedule", "hourly")
    assert (passed.status, passed.due) == (TickStatus.SKIPPED, START + HOUR)
    assert passed.skip_reason is not None
    assert passed.skip_reason.endswith("made up, and none that is older than 600 seconds.")
    state = house.storage.instigators.get("shop/schedule/hourly")
    assert state is not None
    assert state.next_due == START + 3 * HOUR
    assert house.server.asked == []


def test_an_override_of_config_and_tags_counts_for_each_run(house: House) -> None:
    override = Override(run_config={}, tags={"team": "night", "late": "yes"})
    house.storage.instigators.override(
        "shop/schedule/hourly", "shop", InstigatorKind.SCHEDULE, "hourly", override, now=START
    )
    house.look(house.schedules, ticks=0)
    house.clock.advance(HOUR)
    house.server.answers = [Evaluation(run_requests=(RunRequestRecord(run_config={"no": "such"}, tags={"team": "x"}),))]
    house.look(house.schedules)
    (run,) = house.runs()
    assert run.run_config == {}
    assert (run.tags["team"], run.tags["late"]) == ("night", "yes")


FILES = BackfillRequestRecord(
    choices=(
        PartitionChoice(assets=("made",), keys=("",)),
        PartitionChoice(assets=("of_file",), keys=("a", "gone", "c"), count=3),
    ),
    tags={"team": "data"},
)


def test_a_backfill_that_a_tick_asks_for_is_stored_with_it(house: House) -> None:
    house.storage.assets.add_dynamic_partitions("files", ["a", "b", "c"])
    override = Override(run_config={"x": 1}, tags={"why": "test"})
    house.storage.instigators.override(
        "shop/sensor/files", "shop", InstigatorKind.SENSOR, "files", override, now=house.clock.now()
    )
    house.server.answers = [Evaluation(backfill=FILES, cursor="1")]
    house.look(house.sensors)
    (tick,) = house.ticks("sensor", "files")
    (backfill,) = house.storage.backfills.open()
    assert (tick.status, tick.backfill_id, tick.run_ids) == (TickStatus.SUCCESS, backfill.backfill_id, ())
    assert backfill.tags == {"team": "data", "why": "test", Tag.SENSOR: "files", Tag.TICK: str(tick.id)}
    plan = house.storage.backfills.plan(backfill.backfill_id)
    assert plan is not None
    assert [(group.assets, list(group.chosen)) for group in plan.groups] == [(("made",), [0]), (("of_file",), [0, 2])]
    assert plan.run_config == {"x": 1}
    (line,) = house.storage.backfills.log(backfill.backfill_id)
    assert line.message == "Asked for: 3 partitions of 2 assets, by the sensor files."


def test_a_backfill_that_cannot_be_made_leaves_nothing_of_its_tick(house: House) -> None:
    gone = BackfillRequestRecord(choices=(PartitionChoice(assets=("of_file",), keys=("gone",)),))
    house.server.answers = [Evaluation(backfill=gone, run_requests=(RunRequestRecord(),), cursor="1")]
    house.look(house.sensors)
    (tick,) = house.ticks("sensor", "files")
    assert tick.error is not None
    assert (tick.status, tick.run_ids, tick.backfill_id) == (TickStatus.FAILURE, (), None)
    assert "No partition is left to run" in tick.error.message
    assert (house.runs(), house.storage.backfills.open()) == ([], [])
    state = house.storage.instigators.get("shop/sensor/files")
    assert state is not None
    assert state.cursor is None


def test_an_override_that_comes_during_a_tick_counts_for_the_next_due_time(house: House) -> None:
    house.server.answers = [Evaluation()]
    house.look(house.sensors)
    begun, go_on = threading.Event(), threading.Event()

    def evaluate(_work: object) -> Evaluation:
        begun.set()
        assert go_on.wait(10)
        return ONE_RUN

    house.server.evaluate = evaluate  # type: ignore[method-assign, assignment]
    house.done.clear()
    house.clock.advance(31)
    house.changed.set()
    house.sensors.tick(house.held(house.sensors, "daemon-1"))
    assert begun.wait(10)
    pause = Override(paused_until=house.clock.now() + 1000)
    house.storage.instigators.override("shop/sensor/files", "shop", InstigatorKind.SENSOR, "files", pause, now=START)
    house.changed.set()
    house.sensors.tick(house.held(house.sensors, "daemon-1"))  # it plans by the override
    go_on.set()
    assert house.done.wait(10)
    state = house.storage.instigators.get("shop/sensor/files")
    assert state is not None
    assert (state.next_due, state.cursor) == (pause.paused_until, "7")


def test_a_request_that_the_storage_refuses_fails_the_tick(house: House) -> None:
    too_large = RunRequestRecord(tags={Tag.PRIORITY: "9" * 30})
    house.server.answers = [Evaluation(run_requests=(RunRequestRecord(), too_large), cursor="7", log=("looked",))]
    house.look(house.sensors)
    (tick,) = house.ticks("sensor", "files")
    assert (tick.status, tick.log, tick.cursor) == (TickStatus.FAILURE, ("looked",), None)
    assert tick.error is not None
    assert "too large a number" in tick.error.message
    assert house.runs() == []


def test_an_answer_that_is_not_understood_fails_the_tick(house: House) -> None:
    house.server.answers = [InternalError("the body is longer than it may be")]
    house.look(house.sensors)
    (tick,) = house.ticks("sensor", "files")
    assert tick.status is TickStatus.FAILURE


def test_a_tick_waits_no_longer_when_the_clock_is_set_back(house: House) -> None:
    house.server.answers = [CodeServerUnreachableError("nobody is there"), ONE_RUN]
    house.clock.jump(HOUR)
    house.look(house.sensors)
    house.clock.jump(-HOUR)
    house.clock.advance(3)
    house.look(house.sensors)
    (tick,) = house.ticks("sensor", "files")  # the one that was begun is the one that ends
    assert (tick.status, tick.attempt, tick.due) == (TickStatus.SUCCESS, 2, START + HOUR)


def test_while_a_code_server_does_not_answer_nothing_else_is_asked_of_it(house: House) -> None:
    house.look(house.schedules, ticks=0)
    house.clock.advance(HOUR - 1)
    house.server.answers = [CodeServerUnreachableError("nobody is there"), Evaluation(), Evaluation()]
    house.look(house.sensors)
    house.clock.advance(1)
    house.look(house.schedules, ticks=0)
    assert len(house.server.asked) == 1
    house.clock.advance(FIRST_REST)
    house.look(house.schedules)
    house.look(house.sensors)
    assert len(house.server.asked) == 3


def test_a_code_server_that_is_slow_with_one_thing_is_asked_others(house: House) -> None:
    house.look(house.schedules, ticks=0)
    house.clock.advance(HOUR)
    slow = CodeServerUnreachableError("no answer within 90 s")
    slow.is_slow = True
    house.server.answers = [slow, Evaluation()]
    house.look(house.sensors)
    house.look(house.schedules)
    assert len(house.server.asked) == 2


def test_a_tick_that_waits_for_its_code_server_for_long_is_passed_over_like_those_after_it(house: House) -> None:
    house.look(house.schedules, ticks=0)
    house.clock.advance(HOUR)
    house.server.answers = [CodeServerUnreachableError("nobody is there"), ONE_RUN]
    house.look(house.schedules)
    house.clock.advance(3 * HOUR)
    house.look(house.schedules)
    made, passed = house.ticks("schedule", "hourly")
    assert (made.status, made.due, len(made.run_ids)) == (TickStatus.SUCCESS, START + 4 * HOUR, 1)
    assert (passed.status, passed.due, passed.attempt) == (TickStatus.SKIPPED, START + HOUR, 2)
    assert len(house.runs()) == 1
