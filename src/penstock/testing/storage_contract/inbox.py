"""What is sent to webhook sensors: promises of a `Receiving` storage."""

from __future__ import annotations

import msgspec

from ...records.act import ActKind
from ...records.automation import By, Tick, TickStatus
from ...records.webhook import WebhookRequest, WebhookStatus
from ...storage.acting import acting
from ...storage.inbox import MOST_ATTEMPTS, PAUSE, TOPIC, Receiving
from ...storage.protocols import Storage
from .builders import NOW

__all__ = ["InboxContract"]

SENSOR, OTHER = "shop/sensor/orders", "shop/sensor/others"


class _ReceivingStorage(Storage, Receiving):
    """A storage that keeps what is sent to webhook sensors."""


def _sent(storage: Receiving, body: bytes, *, key: str | None = None, sensor: str = SENSOR, now: float = NOW) -> int:
    request = WebhookRequest(body=body, content_type="text/plain", headers={"X-Kind": "new"}, key=key)
    receipt = storage.inbox.receive(sensor, request, most=100, now=now)
    assert receipt is not None
    return receipt.id


def _tick(storage: _ReceivingStorage, status: TickStatus, ids: list[int], *, now: float) -> Tick:
    lease = storage.leases.acquire("sensors", "daemon-1", ttl=1000, now=now)
    assert lease is not None
    tick = storage.instigators.begin_tick(SENSOR, now, lease=lease, now=now)
    assert tick is not None
    ended = msgspec.structs.replace(tick, status=status, webhooks=tuple(ids))
    return storage.instigators.complete_tick(ended, lease=lease, now=now)


def _bodies(storage: Receiving, sensor: str = SENSOR, *, limit: int = 10, most_bytes: int = 1000) -> list[bytes]:
    return [each.body for each in storage.inbox.first(sensor, limit=limit, most_bytes=most_bytes)]


class InboxContract:
    """`Inbox`."""

    def test_requests_wait_in_order_each_for_its_sensor(self, storage: _ReceivingStorage) -> None:
        assert storage.inbox.waiting() == {}
        assert storage.inbox.first(SENSOR, limit=10, most_bytes=1000) == []
        first = _sent(storage, b"a", now=NOW)
        second = _sent(storage, b"b", now=NOW + 1)
        _sent(storage, b"c", sensor=OTHER, now=NOW + 2)
        assert storage.inbox.waiting() == {SENSOR: NOW, OTHER: NOW + 2}
        one, two = storage.inbox.first(SENSOR, limit=10, most_bytes=1000)
        assert (one.id, one.received, one.body, one.content_type) == (first, NOW, b"a", "text/plain")
        assert (two.id, two.headers, two.key) == (second, {"X-Kind": "new"}, None)
        assert first < second
        assert storage.inbox.pending(SENSOR) == 2
        assert storage.inbox.pending(SENSOR, at_most=1) == 1
        assert [each.id for each in storage.inbox.page(SENSOR)] == [second, first]
        assert [each.id for each in storage.inbox.page(SENSOR, before=second, limit=5)] == [first]

    def test_a_batch_has_so_many_requests_and_bytes_but_one_in_any_case(self, storage: _ReceivingStorage) -> None:
        for body in (b"aaaa", b"bb", b"cc"):
            _sent(storage, body)
        assert _bodies(storage, limit=2) == [b"aaaa", b"bb"]
        assert _bodies(storage, most_bytes=6) == [b"aaaa", b"bb"]
        assert _bodies(storage, most_bytes=1) == [b"aaaa"]

    def test_a_key_is_stored_once_also_after_its_request_was_taken(self, storage: _ReceivingStorage) -> None:
        first = _sent(storage, b"a", key="k")
        again = storage.inbox.receive(SENSOR, WebhookRequest(body=b"a", key="k"), most=100, now=NOW + 1)
        assert again is not None
        assert (again.id, again.repeated, again.same) == (first, True, True)
        other = storage.inbox.receive(SENSOR, WebhookRequest(body=b"b", key="k"), most=100, now=NOW + 1)
        assert other is not None
        assert (other.id, other.repeated, other.same) == (first, True, False)
        assert _sent(storage, b"a", key="k", sensor=OTHER) != first
        _tick(storage, TickStatus.SUCCESS, [first], now=NOW + 5)
        assert _sent(storage, b"a", key="k") == first
        assert storage.inbox.pending(SENSOR) == 0

    def test_too_many_that_wait_are_refused_but_for_those_that_are_there(self, storage: _ReceivingStorage) -> None:
        for number in range(3):
            _sent(storage, b"a", key=str(number))
        new = WebhookRequest(body=b"a")
        assert storage.inbox.receive(SENSOR, new, most=3, now=NOW) is None
        assert storage.inbox.receive(SENSOR, msgspec.structs.replace(new, key="1"), most=3, now=NOW) is not None
        assert storage.inbox.receive(SENSOR, new, most=4, now=NOW) is not None

    def test_a_tick_takes_what_it_was_given_and_nothing_else(self, storage: _ReceivingStorage) -> None:
        first, second, third = (_sent(storage, body) for body in (b"a", b"b", b"c"))
        tick = _tick(storage, TickStatus.SKIPPED, [first, second], now=NOW + 5)
        assert tick.webhooks == (first, second)
        assert _bodies(storage) == [b"c"]
        told = {each.id: each for each in storage.inbox.page(SENSOR)}
        assert (told[first].status, told[first].tick, told[first].ended) == (WebhookStatus.TAKEN, tick.id, NOW + 5)
        assert (told[third].status, told[third].tick, told[third].ended) == (WebhookStatus.PENDING, None, None)
        assert told[second].size == 1

    def test_requests_of_a_failed_tick_come_again_one_by_one_until_given_up(self, storage: _ReceivingStorage) -> None:
        first, second = (_sent(storage, body) for body in (b"poison", b"good"))
        _tick(storage, TickStatus.FAILURE, [first, second], now=NOW + 5)
        assert storage.inbox.waiting() == {SENSOR: NOW + 5 + PAUSE}
        assert _bodies(storage) == [b"poison"]
        for attempt in range(1, MOST_ATTEMPTS):
            _tick(storage, TickStatus.FAILURE, [first], now=NOW + 100 * attempt)
        given_up = storage.inbox.page(SENSOR)[1]
        assert (given_up.status, given_up.attempts) == (WebhookStatus.GIVEN_UP, MOST_ATTEMPTS)
        assert _bodies(storage) == [b"good"]
        _tick(storage, TickStatus.SUCCESS, [second], now=NOW + 1000)
        assert storage.inbox.waiting() == {}

    def test_a_tick_that_is_told_twice_counts_once(self, storage: _ReceivingStorage) -> None:
        number = _sent(storage, b"a")
        lease = storage.leases.acquire("sensors", "daemon-1", ttl=1000, now=NOW)
        assert lease is not None
        tick = storage.instigators.begin_tick(SENSOR, NOW, lease=lease, now=NOW)
        assert tick is not None
        failed = msgspec.structs.replace(tick, status=TickStatus.FAILURE, webhooks=(number,))
        for _ in range(2):
            storage.instigators.complete_tick(failed, lease=lease, now=NOW + 1)
        assert storage.inbox.page(SENSOR)[0].attempts == 1

    def test_what_ended_long_ago_is_forgotten_with_its_key(self, storage: _ReceivingStorage) -> None:
        first = _sent(storage, b"a", key="k")
        second = _sent(storage, b"b")
        _tick(storage, TickStatus.SUCCESS, [first], now=NOW + 5)
        assert storage.inbox.forget(NOW + 5) == 0
        assert storage.inbox.forget(NOW + 6) == 1
        assert [each.id for each in storage.inbox.page(SENSOR)] == [second]
        assert _sent(storage, b"a", key="k") > second

    def test_tokens_of_a_sensor(self, storage: _ReceivingStorage) -> None:
        assert storage.inbox.tokens(SENSOR) == []
        first = storage.inbox.add_token(SENSOR, "d1", "abcd", now=NOW)
        second = storage.inbox.add_token(SENSOR, "d2", "efgh", now=NOW + 1)
        storage.inbox.add_token(OTHER, "d3", "ijkl", now=NOW)
        assert storage.inbox.tokens(SENSOR) == [first, second]
        assert (first.digest, first.hint, first.created) == ("d1", "abcd", NOW)
        assert not storage.inbox.revoke_token(OTHER, first.id)
        assert storage.inbox.revoke_token(SENSOR, first.id)
        assert not storage.inbox.revoke_token(SENSOR, first.id)
        assert storage.inbox.tokens(SENSOR) == [second]

    def test_tokens_that_somebody_makes_and_revokes_are_told(self, storage: _ReceivingStorage) -> None:
        ann = By(actor="ann")
        with acting(ann, now=NOW):
            number = storage.inbox.add_token(SENSOR, "d1", "abcd", now=NOW).id
            storage.inbox.revoke_token(OTHER, number)
            storage.inbox.revoke_token(SENSOR, number)
        acts = storage.acts.page()
        assert [(act.kind, act.subject, act.by, act.before, act.after) for act in acts] == [
            (ActKind.REVOKE_TOKEN, SENSOR, ann, f"token {number}", None),
            (ActKind.ADD_TOKEN, SENSOR, ann, None, f"token {number}"),
        ]

    def test_a_request_is_published(self, storage: _ReceivingStorage) -> None:
        subscription = storage.notifier.subscribe()
        try:
            _sent(storage, b"a")
            assert subscription.wait(10) & {TOPIC, "*"}
        finally:
            subscription.close()
