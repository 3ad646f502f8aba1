"""The alerts duty: what happens is told once, whoever looks and whatever breaks; what cannot be sent is tried again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from penstock.codec import encode_json
from penstock.daemon.alerts import AlertsDuty
from penstock.daemon.freshness import FreshnessDuty
from penstock.engine.alerts import MOST_ATTEMPTS
from penstock.errors import DeliveryError, SettingsError, StorageError
from penstock.instance.alerts import watch as watch_module
from penstock.instance.alerts.post import Post, outbox_of
from penstock.instance.alerts.watch import LOST_SECONDS, Watch, pass_over_events
from penstock.instance.settings import AlertRuleSettings, AlertSettings, AlertTarget, AlertWhereSettings, SlackTarget
from penstock.locations.catalog import Catalog
from penstock.records.alert import AlertKind, Delivery, DeliveryStatus
from penstock.records.automation import InstigatorKind, Tick, TickStatus, instigator_id
from penstock.records.errors import ErrorInfo
from penstock.records.event import AssetCheckEvaluation, AssetMaterialization, RunEnqueued, RunFailure, RunStart
from penstock.records.freshness import TimeWindowFreshnessPolicy
from penstock.records.lease import Lease, ProcessInfo
from penstock.records.location import AssetDescription, LocationDescription
from penstock.records.one_off import OneOff, OneOffStatus
from penstock.records.run import FailureReason, Run
from penstock.records.wire import LoadStatus
from penstock.storage.protocols import StoredLocation
from penstock.storage.sqlite.storage import SqliteStorage
from penstock.testing.clock import FakeClock
from penstock.testing.storage_contract.builders import events_from, given_run, queued_run
from support.held import whole
from support.plain_storage import PlainStorage

HELD = whole(Lease(name="alerts", holder="daemon-1", epoch=1, until=1e12))
OTHER = whole(Lease(name="alerts", holder="daemon-2", epoch=2, until=1e12))
ALL: tuple[AlertKind, ...] = (
    "run_failure",
    "run_late",
    "run_stuck",
    "tick_failure",
    "check_failed",
    "freshness_violated",
    "daemon_lost",
    "location_broken",
)
Send = Callable[[Delivery, AlertTarget, str | None], None]


class AtOnce(Executor):
    """Does everything where it is asked for."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - as every executor does
            future.set_exception(error)
        return future


class World:
    """An instance with a rule for everything, and daemons that keep it."""

    def __init__(
        self,
        kinds: tuple[AlertKind, ...] = ALL,
        throttle: float = 0.0,
        only: AlertWhereSettings = AlertWhereSettings(),  # noqa: B008 - frozen
    ) -> None:
        self.storage = SqliteStorage(None)
        self.clock = FakeClock()
        target = AlertTarget(slack=SlackTarget(url="http://slack"))
        rule = AlertRuleSettings(name="all", when=kinds, where=only, to=(target,), throttle_seconds=throttle)
        self.settings = AlertSettings(rules=(rule,), late_after_seconds=60, stuck_after_seconds=3600)
        self.woken = threading.Event()
        self.refuses = False
        self.breaks = False
        self.sent: list[str] = []

    def send(self, delivery: Delivery, _target: AlertTarget, _web_url: str | None) -> None:
        if self.breaks:
            raise KeyError("s3cret")
        if self.refuses:
            raise DeliveryError("It answered 503.")
        self.sent.append(delivery.alert.title)

    def duty(self, settings: AlertSettings | None = None, send: Send | None = None) -> AlertsDuty:
        settings = settings or self.settings
        outbox = outbox_of(self.storage)
        return AlertsDuty(
            Watch(self.storage, Catalog(self.storage.locations), settings, self.clock),
            settings.decided,
            outbox,
            Post(outbox, settings, self.clock, send or self.send),
            self.clock,
            workers=AtOnce(),
            woken=self.woken,
        )

    def fail(self, **fields: Any) -> Run:
        now = self.clock.now()
        run = given_run(self.storage, created=now, **fields)
        (claimed,) = self.storage.runs.claim([run.run_id], owner="test", until=now + 60, now=now)
        failure = RunFailure(reason=FailureReason.STEP_FAILURE, message="It broke.")
        events = events_from(1, [RunStart(pid=7), failure], at=now)
        self.storage.events.append(run.run_id, claimed.attempt, events, now=now)
        return run

    def begin_tick(self, name: str) -> Tick:
        now = self.clock.now()
        lease = self.storage.leases.acquire("sensors", "d", ttl=1e9, now=now)
        assert lease is not None
        key = instigator_id("shop", InstigatorKind.SENSOR, name)
        tick = self.storage.instigators.begin_tick(key, now, lease=lease, now=now)
        assert tick is not None
        return tick

    def end_tick(self, tick: Tick, status: TickStatus = TickStatus.FAILURE) -> None:
        now = self.clock.now()
        lease = self.storage.leases.acquire("sensors", "d", ttl=1e9, now=now)
        assert lease is not None
        error = ErrorInfo(cls="E", message="no") if status is TickStatus.FAILURE else None
        ended = msgspec.structs.replace(tick, status=status, error=error)
        self.storage.instigators.complete_tick(ended, lease=lease, now=now)

    def look(self, duty: AlertsDuty, held: Any = HELD) -> list[str]:
        """What is sent at the next look."""
        self.clock.advance(10)
        before = len(self.sent)
        duty.tick(held)
        return self.sent[before:]


def told_before(_deliveries: object, *, now: float) -> None:
    raise AssertionError(f"it was told before {now}")


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.storage.close()


def test_what_fails_from_now_on_is_told_once(world: World) -> None:
    world.fail()
    duty = world.duty()
    assert world.look(duty) == [], "it failed before there was a rule"
    world.fail(job="hourly")
    assert world.look(duty) == ["Run failed: hourly"]
    assert world.look(duty) == []
    assert world.look(world.duty(), OTHER) == []


def test_a_daemon_that_takes_over_begins_where_the_other_was(world: World) -> None:
    first, second = world.duty(), world.duty()
    world.look(first)
    world.look(second, OTHER)
    world.fail(job="a")
    assert world.look(first) == ["Run failed: a"]
    world.fail(job="b")
    assert world.look(second, whole(Lease(name="alerts", holder="daemon-2", epoch=3, until=1e12))) == ["Run failed: b"]


def test_what_is_read_twice_is_sent_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    duty = world.duty()
    world.look(duty)
    world.fail()

    def lost(_key: str, _value: str) -> None:
        raise StorageError("away")

    with monkeypatch.context() as patch:
        patch.setattr(world.storage.locations, "set_value", lost)
        with pytest.raises(StorageError):
            world.look(duty)
    assert world.look(world.duty()) == ["Run failed: nightly"]
    assert world.look(duty) == []


def test_few_of_many_about_one_subject_are_sent() -> None:
    world = World(throttle=300)
    duty = world.duty()
    world.look(duty)
    for job in ("a", "b", "a", "a"):
        world.fail(job=job)
    assert world.look(duty) == ["Run failed: a", "Run failed: b"]
    world.clock.advance(300)
    world.fail(job="a")
    assert world.look(duty) == ["Run failed: a"]
    world.storage.close()


def test_a_check_that_does_not_pass_is_told(world: World) -> None:
    duty = world.duty()
    world.look(duty)
    facts = [AssetCheckEvaluation(asset="a", check=name, passed=name == "good") for name in ("good", "bad")]
    world.storage.assets.report(facts, now=world.clock.now())
    assert world.look(duty) == ["Check failed: bad on a"]


def test_a_tick_that_fails_is_told_though_it_began_before_the_last_look(world: World) -> None:
    duty = world.duty()
    world.look(duty)
    world.clock.advance(1)
    tick = world.begin_tick("files")
    assert world.look(duty) == []
    world.end_tick(tick)
    assert world.look(duty) == ["Tick failed: files"]
    assert world.look(duty) == []
    assert world.look(world.duty(), OTHER) == []


def test_of_many_sensors_each_tick_that_fails_is_told_once(world: World) -> None:
    duty = world.duty()
    world.look(duty)
    names = [f"files_{number}" for number in range(30)]
    for turn in range(4):
        failing = names[turn % 2 :: 3]
        world.clock.advance(1)
        for name in names:
            world.end_tick(world.begin_tick(name), TickStatus.FAILURE if name in failing else TickStatus.SKIPPED)
        assert sorted(world.look(duty)) == sorted(f"Tick failed: {name}" for name in failing)
        assert world.look(duty) == []
    assert world.look(world.duty(), OTHER) == []


def test_a_tick_that_was_told_is_not_stored_again_after_the_next_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    duty = world.duty()
    world.look(duty)
    world.clock.advance(1)
    world.end_tick(world.begin_tick("files"))
    assert world.look(duty) == ["Tick failed: files"]
    assert world.look(duty) == []
    monkeypatch.setattr(world.storage.outbox, "add", told_before)
    world.end_tick(world.begin_tick("files"), TickStatus.SKIPPED)
    assert world.look(duty) == []


def test_a_tick_that_fails_is_told_though_the_clock_was_set_back_meanwhile(world: World) -> None:
    duty = world.duty()
    world.look(duty)
    world.clock.advance(1)
    world.end_tick(world.begin_tick("files"))
    assert world.look(duty) == ["Tick failed: files"]
    world.clock.jump(-3600)
    assert world.look(duty) == []
    world.clock.advance(1)
    world.end_tick(world.begin_tick("files"))
    assert world.look(duty) == ["Tick failed: files"]
    world.end_tick(world.begin_tick("files"))
    assert world.look(duty) == ["Tick failed: files"]
    assert world.look(duty) == []


def test_what_could_not_be_stored_is_found_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    duty = world.duty()
    world.look(duty)
    world.clock.advance(1)
    world.end_tick(world.begin_tick("files"))

    def full(_deliveries: object, *, now: float) -> None:
        raise StorageError(f"no space is left at {now}")

    with monkeypatch.context() as patch:
        patch.setattr(world.storage.outbox, "add", full)
        with pytest.raises(StorageError):
            world.look(duty)
    assert world.look(duty) == ["Tick failed: files"]


def test_a_location_that_breaks_is_told_once_until_it_was_well_again(world: World) -> None:
    duty = world.duty()
    world.look(duty)

    def put(status: LoadStatus, loaded_at: float) -> None:
        world.storage.locations.put(
            StoredLocation(name="shop", status=status, loaded_at=loaded_at, updated=world.clock.now())
        )

    put(LoadStatus.FAILED, 1.0)
    assert world.look(duty) == ["Code location broken: shop"]
    put(LoadStatus.FAILED, 1.0)  # loaded again, in vain
    assert world.look(duty) == []
    put(LoadStatus.LOADED, 2.0)
    assert world.look(duty) == []
    put(LoadStatus.FAILED, 2.0)
    assert world.look(duty) == ["Code location broken: shop"]


def test_an_asset_that_grows_too_old_is_told_once_each_time(world: World) -> None:
    policy = TimeWindowFreshnessPolicy(fail_window=timedelta(minutes=5))
    description = LocationDescription(
        name="shop", assets=(AssetDescription(key="a", freshness=policy), AssetDescription(key="b"))
    )
    world.storage.locations.put(
        StoredLocation(name="shop", status=LoadStatus.LOADED, digest="d", description=encode_json(description))
    )
    duty = world.duty()
    lease = world.storage.leases.acquire("freshness", "daemon-1", ttl=1e6, now=world.clock.now())
    assert lease is not None
    freshness = FreshnessDuty(world.storage, Catalog(world.storage.locations), world.clock)
    assert world.look(duty) == [], "nobody knows how old it is"
    for _ in range(2):
        facts = [AssetMaterialization(asset="a"), AssetMaterialization(asset="b")]
        world.storage.assets.report(facts, now=world.clock.now())
        assert world.look(duty) == [], "it was made, and how fresh it is has not been told yet"
        freshness.tick(whole(lease))
        world.clock.advance(300)
        freshness.tick(whole(lease))
        assert world.look(duty) == ["Not fresh: a"]
        assert world.look(duty) == []


def test_runs_that_wait_or_work_for_too_long_are_told_once(world: World) -> None:
    duty = world.duty()
    world.look(duty)
    now = world.clock.now()
    late = queued_run(world.storage, job="late", created=now, queued=now)
    assert world.look(duty) == []
    world.clock.advance(60)
    assert world.look(duty) == ["Run late: late"]
    assert world.look(duty) == []
    world.storage.runs.claim([late.run_id], owner="test", until=1e12, now=world.clock.now())
    assert world.look(duty) == []
    world.clock.advance(3600)
    assert world.look(duty) == ["Run stuck: late"]
    assert world.look(duty) == []


def test_a_late_run_behind_many_others_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "_RUNS", 10)
    world = World(kinds=("run_late",), only=AlertWhereSettings(job="awaited"))
    duty = world.duty()
    world.look(duty)

    def put_in_queue(job: str) -> Run:
        now = world.clock.now()
        return queued_run(world.storage, job=job, created=now, queued=now)

    for _ in range(34):
        put_in_queue("other")
    put_in_queue("awaited")
    world.clock.advance(60)
    told = [world.look(duty) for _ in range(12)]
    assert [len(each) for each in told] == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    put_in_queue("awaited")
    world.clock.advance(60)
    assert sum(len(world.look(duty)) for _ in range(4)) == 1
    again = world.duty()
    assert [world.look(again, OTHER) for _ in range(4)] == [[]] * 4
    world.storage.close()


def test_a_run_that_came_back_into_the_queue_is_late_by_when_it_came(world: World) -> None:
    duty = world.duty()
    now = world.clock.now()
    run = queued_run(world.storage, created=now, queued=now)
    world.storage.runs.claim([run.run_id], owner="test", until=1e12, now=now)
    world.clock.advance(1000)
    world.storage.runs.record(run.run_id, [RunEnqueued()], now=world.clock.now())
    assert world.look(duty) == []
    world.clock.advance(60)
    assert world.look(duty) == ["Run late: nightly"]


def test_what_is_late_is_stored_once_though_it_is_looked_at_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    duty = world.duty()
    world.look(duty)
    for _ in range(3):
        queued_run(world.storage, created=world.clock.now(), queued=world.clock.now())
    world.clock.advance(60)
    assert len(world.look(duty)) == 3

    monkeypatch.setattr(world.storage.outbox, "add", told_before)
    assert [world.look(duty) for _ in range(3)] == [[]] * 3


def test_a_daemon_that_is_silent_and_has_not_said_goodbye_is_told(world: World) -> None:
    def beat(name: str, kind: str = "daemon") -> None:
        now = world.clock.now()
        info = ProcessInfo(id=name, kind=kind, host="h", pid=1, version="1", started=now, seen=now)
        world.storage.leases.beat(info)

    beat("ancient")
    world.clock.advance(100_000)
    duty = world.duty()
    assert world.look(duty) == [], "it was lost before there was a rule"
    world.clock.advance(1)
    for name in ("lost", "gone"):
        beat(name)
    beat("web", "webserver")
    world.storage.leases.gone("gone")
    assert world.look(duty) == []
    world.clock.advance(LOST_SECONDS)
    assert world.look(duty) == ["Daemon lost: h"]
    assert world.look(duty) == []


def test_after_a_break_of_our_own_others_have_time_to_be_heard_of(world: World) -> None:
    duty = world.duty()
    world.look(duty)
    world.clock.advance(1)
    for name, kind in (("other", "daemon"), ("server", "code-server")):
        now = world.clock.now()
        world.storage.leases.beat(
            ProcessInfo(id=name, kind=kind, host="h", pid=1, version="1", started=now, seen=now, duties=("shop",))
        )
    world.clock.advance(3600)  # the machine slept
    held = whole(HELD.lease)
    held.steady_since = world.clock.now()
    assert world.look(duty, held) == []
    world.clock.advance(LOST_SECONDS)
    assert world.look(duty, held) == ["Code location without a server: shop", "Daemon lost: h"]


def test_a_location_whose_code_server_is_silent_is_told_until_another_one_serves_it(world: World) -> None:
    def beat(name: str, location: str = "shop") -> None:
        now = world.clock.now()
        world.storage.leases.beat(
            ProcessInfo(
                id=name, kind="code-server", host="h", pid=1, version="1", started=now, seen=now, duties=(location,)
            )
        )

    duty = world.duty()
    world.look(duty)
    world.clock.advance(1)
    beat("first")
    beat("stopped", "other")
    world.storage.leases.gone("stopped")
    world.clock.advance(LOST_SECONDS - 15)
    beat("second")
    world.clock.advance(10)
    assert world.look(duty) == [], "another one serves it"
    world.clock.advance(LOST_SECONDS)
    assert world.look(duty) == ["Code location without a server: shop"]
    assert world.look(duty) == []


def test_what_is_refused_is_tried_again_after_growing_pauses_and_given_up_in_the_end(world: World) -> None:
    duty = world.duty()
    world.look(duty)
    world.fail()
    world.refuses = True
    assert world.look(duty) == []
    assert duty.tick(HELD) == 1.0, "it wants to look when the message is due"
    for _ in range(MOST_ATTEMPTS):
        world.clock.advance(5000)
        duty.tick(HELD)
    (delivery,) = outbox_of(world.storage).page()
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.GIVEN_UP, MOST_ATTEMPTS)
    assert delivery.error == "It answered 503."


def test_what_was_refused_is_sent_when_it_is_taken(world: World) -> None:
    duty = world.duty()
    world.look(duty)
    world.fail()
    world.refuses = True
    world.look(duty)
    world.refuses = False
    assert world.look(duty) == ["Run failed: nightly"]
    (delivery,) = outbox_of(world.storage).page()
    assert (delivery.status, delivery.attempts, delivery.error) == (DeliveryStatus.DELIVERED, 2, None)


def test_messages_to_a_target_that_takes_none_hold_up_no_others(world: World) -> None:
    rules = tuple(
        AlertRuleSettings(
            name=name,
            when=("run_failure",),
            to=(AlertTarget(slack=SlackTarget(url="http://slack")),),
            throttle_seconds=0,
        )
        for name in ("dead", "well")
    )
    tried: list[str] = []

    def send(delivery: Delivery, _target: AlertTarget, _web_url: str | None) -> None:
        tried.append(delivery.rule)
        if delivery.rule == "dead" and world.refuses:
            raise DeliveryError("It does not answer.")

    duty = world.duty(AlertSettings(rules=rules), send)
    world.look(duty)
    for _ in range(3):
        world.fail()
    world.refuses = True
    world.look(duty)
    assert sorted(tried) == ["dead", "well", "well", "well"]
    for wanted in (1.0, 2.0, 4.0):
        tried.clear()
        assert duty.tick(HELD) == wanted
        world.clock.advance(wanted)
        duty.tick(HELD)
        assert tried == ["dead"]
    world.refuses = False
    world.clock.advance(60)
    tried.clear()
    duty.tick(HELD)
    assert tried == ["dead", "dead", "dead"]


@pytest.mark.parametrize("what", ["target", "outbox"])
def test_what_does_not_answer_lets_the_duty_rest(world: World, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    duty = world.duty()
    world.look(duty)
    world.fail()

    def lost(**_asked: Any) -> list[Delivery]:
        raise StorageError("away")

    world.refuses = what == "target"
    if what == "outbox":
        monkeypatch.setattr(world.storage.outbox, "claim", lost)
    for _ in range(5):
        world.woken.clear()
        duty.tick(HELD)
    assert not world.woken.is_set(), "it would look again at once, and on and on"


def test_a_message_that_breaks_its_sender_is_tried_again_too(world: World) -> None:
    duty = world.duty()
    world.look(duty)
    world.fail()
    world.breaks = True
    world.look(duty)
    (delivery,) = outbox_of(world.storage).page()
    assert delivery.error == "KeyError; the daemon's log has more."
    world.breaks = False
    assert world.look(duty) == ["Run failed: nightly"]


def test_a_message_whose_rule_is_gone_is_given_up(world: World) -> None:
    duty = world.duty()
    world.look(duty)
    world.fail()
    world.refuses = True
    world.look(duty)
    world.look(world.duty(AlertSettings()))
    (delivery,) = outbox_of(world.storage).page()
    assert delivery.status is DeliveryStatus.GIVEN_UP
    assert delivery.error == "penstock.yaml has no rule 'all' with the target 'slack' any more."


def test_what_ended_a_month_ago_is_forgotten(world: World) -> None:
    duty = world.duty()
    world.look(duty)
    world.fail()
    world.look(duty)
    assert outbox_of(world.storage).page()
    world.clock.advance(31 * 86_400)
    world.look(duty)
    assert outbox_of(world.storage).page() == []


def test_old_news_and_imported_history_are_passed_over(world: World) -> None:
    duty = world.duty()
    world.look(duty)
    world.fail()
    world.clock.advance(2 * 86_400)
    assert world.look(duty) == []
    world.fail()
    pass_over_events(world.storage)
    assert world.look(world.duty(), OTHER) == []


def test_nothing_is_looked_for_that_no_rule_asks_for() -> None:
    world = World(kinds=("tick_failure",))
    duty = world.duty()
    world.look(duty)
    world.fail()
    assert world.look(duty) == []
    world.storage.close()


def test_a_storage_without_an_outbox_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="has no property `outbox`"):
        outbox_of(PlainStorage(str(tmp_path / "penstock.db")))


def test_one_off_runs_that_come_to_nothing_are_told_once_and_those_that_were_called_off_are_not(world: World) -> None:
    one_offs, now = world.storage.one_offs, world.clock.now()
    lease = world.storage.leases.acquire("one_offs", "d", ttl=1e9, now=now)
    assert lease is not None
    asked = {
        job: one_offs.plan(OneOff(location="shop", job=job, due=now + 1, until=now + 2), now=now).id
        for job in ("early", "late", "gone", "unwanted")
    }
    one_offs.settle(asked["early"], OneOffStatus.MISSED, lease=lease, note="Too late.", now=now)
    world.clock.advance(1)
    duty = world.duty()
    assert world.look(duty) == [], "it was missed before there was a rule"
    world.clock.advance(1)
    one_offs.settle(asked["late"], OneOffStatus.MISSED, lease=lease, note="Too late.", now=world.clock.now())
    one_offs.settle(asked["gone"], OneOffStatus.FAILED, lease=lease, note="No such job.", now=world.clock.now())
    one_offs.cancel(asked["unwanted"], now=world.clock.now())
    assert sorted(world.look(duty)) == ["One-off run failed: gone", "One-off run missed: late"]
    assert world.look(duty) == []
    assert world.look(world.duty(), OTHER) == []
