"""The web server tells that the last daemon is lost, once, and nothing while any daemon is left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.errors import DeliveryError
from penstock.instance.alerts.post import Post, outbox_of
from penstock.instance.alerts.watch import LOST_SECONDS, Watch
from penstock.instance.instance import Instance
from penstock.instance.settings import AlertRuleSettings, AlertSettings, AlertTarget, SlackTarget
from penstock.locations.catalog import Catalog
from penstock.records.alert import AlertKind, Delivery, DeliveryStatus
from penstock.records.lease import ProcessInfo
from penstock.storage.sqlite.storage import SqliteStorage
from penstock.testing.clock import FakeClock
from penstock.web.last_watch import LastWatch, last_watch


class World:
    """An instance whose daemons come and go, and web servers that watch."""

    def __init__(self) -> None:
        self.storage = SqliteStorage(None)
        self.clock = FakeClock()
        self.sent: list[str] = []
        self.refuses = False
        self.watch().look()
        self.clock.advance(1)

    def send(self, delivery: Delivery, _target: AlertTarget, _web_url: str | None) -> None:
        if self.refuses:
            raise DeliveryError("It answered 503.")
        self.sent.append(delivery.alert.title)

    def watch(self, kind: AlertKind = "daemon_lost") -> LastWatch:
        target = AlertTarget(slack=SlackTarget(url="http://slack"))
        settings = AlertSettings(rules=(AlertRuleSettings(name="all", when=(kind,), to=(target,), throttle_seconds=0),))
        outbox = outbox_of(self.storage)
        return LastWatch(
            Watch(self.storage, Catalog(self.storage.locations), settings, self.clock),
            settings,
            outbox,
            Post(outbox, settings, self.clock, self.send),
            self.clock,
        )

    def beat(self, name: str, host: str, kind: str = "daemon") -> None:
        now = self.clock.now()
        info = ProcessInfo(id=name, kind=kind, host=host, pid=1, version="1", started=now, seen=now)
        self.storage.leases.beat(info)


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.storage.close()


def test_the_last_daemon_is_told_once_by_whichever_web_server(world: World) -> None:
    first, second = world.watch(), world.watch()
    world.beat("d1", "a")
    world.beat("w1", "a", "webserver")
    for watch in (first, second):
        watch.look()
    assert world.sent == []
    world.clock.advance(LOST_SECONDS)
    for watch in (first, second, first):
        watch.look()
    assert world.sent == ["Daemon lost: a"]


def test_while_a_daemon_is_left_it_is_the_one_to_tell(world: World) -> None:
    watch = world.watch()
    world.beat("d1", "a")
    watch.look()
    world.clock.advance(LOST_SECONDS)
    world.beat("d2", "b")
    watch.look()
    assert world.sent == []
    world.storage.leases.gone("d2")
    watch.look()
    assert world.sent == ["Daemon lost: a"]


def test_a_daemon_that_has_said_goodbye_is_not_lost(world: World) -> None:
    watch = world.watch()
    world.beat("d1", "a")
    watch.look()
    world.storage.leases.gone("d1")
    world.clock.advance(LOST_SECONDS)
    watch.look()
    assert world.sent == []


def test_a_daemon_is_not_lost_that_was_silent_only_while_the_machine_slept(world: World) -> None:
    watch = world.watch()
    world.beat("d1", "a")
    watch.look()
    world.clock.advance(3600)
    watch.look()
    world.clock.advance(15)
    watch.look()
    assert world.sent == []
    world.clock.advance(15)
    watch.look()
    assert world.sent == ["Daemon lost: a"]


def test_a_message_that_was_not_taken_is_sent_at_a_later_look(world: World) -> None:
    watch = world.watch()
    world.beat("d1", "a")
    watch.look()
    world.clock.advance(LOST_SECONDS)
    world.refuses = True
    watch.look()
    world.refuses = False
    world.clock.advance(15)
    watch.look()
    assert world.sent == ["Daemon lost: a"]
    (delivery,) = outbox_of(world.storage).page()
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.DELIVERED, 2)


def test_only_rules_that_ask_for_it_make_a_web_server_watch(world: World, tmp_path: Path) -> None:
    watch = world.watch("run_failure")
    world.beat("d1", "a")
    watch.look()
    world.clock.advance(LOST_SECONDS)
    watch.look()
    assert outbox_of(world.storage).page() == []
    rule = {"name": "a", "when": ["daemon_lost"], "to": [{"slack": {"url": "http://a"}}]}
    for rules, watches in (([], False), ([{**rule, "when": ["run_late"]}], False), ([rule], True)):
        with Instance.local_temp(tmp_path, {"alerts": {"rules": rules}}) as instance:
            assert (last_watch(instance, Catalog(instance.storage.locations)) is not None) == watches
