"""Waking whoever waits."""

from __future__ import annotations

import select
import threading
import time

from ...records.event import AssetMaterialization, LogLine, RunCanceled
from ...records.lease import ProcessInfo
from ...records.wire import LoadStatus
from ...storage.notifier import ROUTINE, Subscription
from ...storage.protocols import Storage, StoredLocation
from .builders import NOW, events_from, given_run, queued_run, started_run

__all__ = ["NotifierContract"]

_DEADLINE = 20.0


def _heard(subscription: Subscription, *topics: str) -> set[str]:
    """What is heard until all these topics were, or until the deadline."""
    heard: set[str] = set()
    end = time.monotonic() + _DEADLINE
    while not heard >= set(topics) and time.monotonic() < end:
        heard |= subscription.wait(end - time.monotonic())
    return heard


class NotifierContract:
    """`Notifier`, and which change publishes which topics."""

    def test_each_change_publishes_its_topics(self, storage: Storage) -> None:
        subscription = storage.notifier.subscribe()
        try:
            made = given_run(storage)
            assert _heard(subscription, "runs", f"run:{made.run_id}") >= {"runs", f"run:{made.run_id}"}
            queued_run(storage)
            assert "queue" in _heard(subscription, "queue")
            run = started_run(storage)
            storage.notifier.publish({"all of that"})
            _heard(subscription, "all of that")
            storage.events.append(run.run_id, 1, events_from(2, [LogLine(level="INFO", message="x")]), now=NOW)
            assert _heard(subscription, f"run:{run.run_id}") == {f"run:{run.run_id}"}
            storage.events.append(run.run_id, 1, events_from(3, [AssetMaterialization(asset="a")]), now=NOW)
            assert "assets" in _heard(subscription, "assets")
            storage.runs.record(run.run_id, [RunCanceled()], now=NOW)
            assert _heard(subscription, "runs", "queue") >= {"runs", "queue"}  # a place came free
            lease = storage.leases.acquire("sensors", "d", ttl=9, now=NOW)
            assert lease is not None
            storage.instigators.begin_tick("shop/sensor/s", NOW, lease=lease, now=NOW)
            assert "ticks" in _heard(subscription, "ticks")
            storage.instigators.set_cursor("shop/sensor/s", "shop", "s", "1", now=NOW)
            assert "instigators" in _heard(subscription, "instigators")
            storage.locations.put(StoredLocation(name="shop", status=LoadStatus.LOADING))
            assert "locations" in _heard(subscription, "locations")
            storage.leases.gone("web-1")
            assert "processes" in _heard(subscription, "processes")
        finally:
            subscription.close()

    def test_what_only_keeps_things_as_they_are_is_routine(self, storage: Storage) -> None:
        run = started_run(storage, owner="server-1")
        process = ProcessInfo(id="d", kind="daemon", host="h", pid=1, version="0", started=NOW, seen=NOW)
        storage.leases.beat(process)
        lease = storage.leases.acquire("queue", "daemon-1", ttl=10, now=NOW)
        assert lease is not None
        subscription = storage.notifier.subscribe()
        try:
            storage.leases.beat(process)
            assert _heard(subscription, ROUTINE) == {ROUTINE}
            storage.leases.renew([lease], ttl=10, now=NOW)
            assert _heard(subscription, ROUTINE) == {ROUTINE}
            storage.runs.renew("server-1", until=NOW + 60)
            assert _heard(subscription, ROUTINE) == {ROUTINE}
            storage.runs.take_over(run.run_id, attempt=1, owner="server-2", until=NOW + 60)
            assert _heard(subscription, ROUTINE) == {ROUTINE}
        finally:
            subscription.close()

    def test_every_listener_hears_every_topic(self, storage: Storage) -> None:
        first, second = storage.notifier.subscribe(), storage.notifier.subscribe()
        try:
            storage.notifier.publish(["one", "two"])
            assert _heard(first, "one", "two") == {"one", "two"}
            assert _heard(second, "one", "two") == {"one", "two"}
            first.close()
            storage.notifier.publish(["three"])
            assert _heard(second, "three") == {"three"}
        finally:
            first.close()
            second.close()

    def test_a_wait_ends_at_its_timeout(self, storage: Storage) -> None:
        subscription = storage.notifier.subscribe()
        try:
            assert subscription.wait(0) == frozenset()
            assert subscription.wait(0.01) == frozenset()
        finally:
            subscription.close()

    def test_a_wait_is_woken(self, storage: Storage) -> None:
        subscription = storage.notifier.subscribe()
        heard: list[frozenset[str]] = []
        waiter = threading.Thread(target=lambda: heard.append(subscription.wait(_DEADLINE)))
        waiter.start()
        try:
            storage.notifier.publish(["topic"])
            waiter.join(_DEADLINE)
            assert heard == [frozenset({"topic"})]
        finally:
            waiter.join()
            subscription.close()

    def test_the_descriptor_is_readable_when_there_is_something_to_hear(self, storage: Storage) -> None:
        subscription = storage.notifier.subscribe()
        try:
            assert select.select([subscription.fileno()], [], [], 0)[0] == []
            storage.notifier.publish(["topic"])
            assert select.select([subscription.fileno()], [], [], _DEADLINE)[0] != []
            assert subscription.wait(0) == {"topic"}
            assert select.select([subscription.fileno()], [], [], 0)[0] == []
        finally:
            subscription.close()

    def test_no_topic_is_lost_on_a_listener_that_is_slow(self, storage: Storage) -> None:
        subscription = storage.notifier.subscribe()
        try:
            topics = [f"run:{number}" for number in range(2000)]
            for topic in topics:
                storage.notifier.publish([topic])
            storage.notifier.publish(topics)
            heard = _heard(subscription, "*")
            assert "*" in heard or heard >= set(topics)
        finally:
            subscription.close()

    def test_nobody_listening_is_no_fault(self, storage: Storage) -> None:
        storage.notifier.publish(["topic"])
        storage.notifier.publish([])
        subscription = storage.notifier.subscribe()
        subscription.close()
        subscription.close()
        storage.notifier.publish(["topic"])
