"""Messages that are on their way: promises of a `Posting` storage."""

from __future__ import annotations

from typing import Any

import msgspec

from ...records.alert import Alert, Delivery, DeliveryStatus, NewDelivery
from ...storage.outbox import TOPIC, Posting
from ...storage.protocols import Storage
from .builders import NOW

__all__ = ["OutboxContract"]


class _PostingStorage(Storage, Posting):
    """A storage that keeps messages until they are sent."""


def _new(
    occurrence: str, *, subject: str = "nightly", rule: str = "r", target: str = "slack", **fields: Any
) -> NewDelivery:
    alert = Alert(
        kind="run_failure",
        occurrence=occurrence,
        subject=subject,
        time=NOW,
        title="A run failed",
        text="It is not known why.",
        path="/runs/1",
        tags={"team": "data"},
    )
    return NewDelivery(rule=rule, target=target, alert=alert, **fields)


def _claimed(storage: Posting, *, now: float = NOW) -> Delivery:
    (delivery,) = storage.outbox.claim(now=now, until=now + 60, limit=10)
    return delivery


class OutboxContract:
    """`Outbox`."""

    def test_a_message_is_kept_as_it_was_decided(self, storage: _PostingStorage) -> None:
        assert storage.outbox.page() == []
        storage.outbox.add([], now=NOW)
        storage.outbox.add([_new("1"), _new("2")], now=NOW)
        second, first = storage.outbox.page()
        assert (first.alert, first.rule, first.target) == (_new("1").alert, "r", "slack")
        assert (first.status, first.attempts, first.created, first.due) == (DeliveryStatus.PENDING, 0, NOW, NOW)
        assert (first.ended, first.error) == (None, None)
        assert first.key == "r/slack/1"
        assert storage.outbox.page(limit=1) == [second]
        assert storage.outbox.page(before=second.id) == [first]
        assert storage.outbox.page(status=DeliveryStatus.PENDING, limit=1) == [second]
        assert storage.outbox.page(status=DeliveryStatus.PENDING, before=second.id) == [first]
        assert storage.outbox.page(status=DeliveryStatus.DELIVERED) == []

    def test_what_is_decided_again_is_stored_once(self, storage: _PostingStorage) -> None:
        storage.outbox.add([_new("1")], now=NOW)
        storage.outbox.add([_new("1"), _new("1", target="email"), _new("1", rule="s")], now=NOW + 5)
        assert [(each.rule, each.target, each.created) for each in storage.outbox.page()] == [
            ("s", "slack", NOW + 5),
            ("r", "email", NOW + 5),
            ("r", "slack", NOW),
        ]

    def test_of_many_about_one_subject_few_are_sent(self, storage: _PostingStorage) -> None:
        storage.outbox.add([_new("1", throttle=60), _new("2", throttle=60)], now=NOW)
        storage.outbox.add([_new("3", throttle=60), _new("4", subject="hourly", throttle=60)], now=NOW + 59)
        storage.outbox.add([_new("5", throttle=60), _new("6", throttle=0)], now=NOW + 60)
        stored = {each.alert.occurrence: each for each in storage.outbox.page()}
        held = {name for name, each in stored.items() if each.status is DeliveryStatus.THROTTLED}
        assert held == {"2", "3"}, "one that was held back holds nothing back"
        assert stored["2"].ended == NOW
        due = storage.outbox.claim(now=NOW + 60, until=NOW + 99, limit=10)
        assert [each.alert.occurrence for each in due] == ["1", "4", "5", "6"]

    def test_nothing_is_held_back_for_as_long_as_the_clock_was_set_back(self, storage: _PostingStorage) -> None:
        storage.outbox.add([_new("1", throttle=60), _new("2", subject="hourly")], now=NOW)
        storage.outbox.add([_new("3", throttle=60), _new("4", subject="hourly", throttle=0)], now=NOW - 59)
        storage.outbox.add([_new("5", throttle=60)], now=NOW - 3600)
        stored = {each.alert.occurrence: each.status for each in storage.outbox.page()}
        assert [name for name, status in stored.items() if status is DeliveryStatus.THROTTLED] == ["3"]

    def test_nothing_waits_for_as_long_as_the_clock_was_set_back(self, storage: _PostingStorage) -> None:
        storage.outbox.add([_new("1")], now=NOW)
        again = _claimed(storage, now=NOW - 3600)
        assert storage.outbox.settle(again, DeliveryStatus.PENDING, now=NOW, due=NOW + 1, error="no")
        twice = _claimed(storage, now=NOW - 3600)
        assert (twice.attempts, twice.due) == (2, NOW - 3540)
        assert storage.outbox.claim(now=NOW - 3590, until=NOW - 3530, limit=10) == [], "it was claimed since"

    def test_what_is_for_certain_targets_stays(self, storage: _PostingStorage) -> None:
        news = [_new("1"), _new("1", target="email"), _new("1", rule="s")]
        storage.outbox.add(news, now=NOW)
        but = {("r", "slack"), ("other", "email")}
        claimed = storage.outbox.claim(now=NOW, until=NOW + 60, limit=10, but=but)
        assert [(each.rule, each.target) for each in claimed] == [("r", "email"), ("s", "slack")]
        assert [each.rule for each in storage.outbox.claim(now=NOW, until=NOW + 60, limit=10)] == ["r"]

    def test_another_target_is_throttled_by_itself(self, storage: _PostingStorage) -> None:
        storage.outbox.add([_new("1", throttle=60), _new("1", target="email", throttle=60)], now=NOW)
        storage.outbox.add([_new("2", rule="s", throttle=60)], now=NOW)
        assert {each.status for each in storage.outbox.page()} == {DeliveryStatus.PENDING}

    def test_a_claimed_one_is_nobody_else_s_for_a_while(self, storage: _PostingStorage) -> None:
        storage.outbox.add([_new("1"), _new("2"), _new("3")], now=NOW)
        first = storage.outbox.claim(now=NOW, until=NOW + 60, limit=2)
        assert [(each.alert.occurrence, each.attempts, each.due) for each in first] == [
            ("1", 1, NOW + 60),
            ("2", 1, NOW + 60),
        ]
        assert _claimed(storage).alert.occurrence == "3"
        assert storage.outbox.claim(now=NOW + 59, until=NOW + 99, limit=10) == []
        again = storage.outbox.claim(now=NOW + 60, until=NOW + 99, limit=10)
        assert [each.attempts for each in again] == [2, 2, 2]

    def test_clocks_that_differ_a_little_take_nothing_from_each_other(self, storage: _PostingStorage) -> None:
        storage.outbox.add([_new("1")], now=NOW + 1)
        assert storage.outbox.claim(now=NOW, until=NOW + 60, limit=10) == []
        assert len(storage.outbox.claim(now=NOW + 1, until=NOW + 61, limit=10)) == 1
        assert storage.outbox.claim(now=NOW, until=NOW + 60, limit=10) == []

    def test_what_was_sent_is_over(self, storage: _PostingStorage) -> None:
        storage.outbox.add([_new("1")], now=NOW)
        claimed = _claimed(storage)
        assert storage.outbox.settle(claimed, DeliveryStatus.DELIVERED, now=NOW + 2, error=None)
        (stored,) = storage.outbox.page()
        assert stored == msgspec.structs.replace(claimed, status=DeliveryStatus.DELIVERED, ended=NOW + 2)
        assert storage.outbox.claim(now=NOW + 1000, until=NOW + 2000, limit=10) == []
        assert not storage.outbox.settle(claimed, DeliveryStatus.GIVEN_UP, now=NOW + 3, error="late")

    def test_what_failed_is_due_again_with_its_error_and_given_up_in_the_end(self, storage: _PostingStorage) -> None:
        storage.outbox.add([_new("1")], now=NOW)
        outbox, failed = storage.outbox, _claimed(storage)
        assert outbox.settle(failed, DeliveryStatus.PENDING, now=NOW + 1, due=NOW + 5, error="HTTP 500")
        assert outbox.claim(now=NOW + 4, until=NOW + 99, limit=10) == []
        again = _claimed(storage, now=NOW + 5)
        assert (again.attempts, again.error, again.ended) == (2, "HTTP 500", None)
        assert outbox.settle(again, DeliveryStatus.GIVEN_UP, now=NOW + 6, error="HTTP 404")
        (stored,) = outbox.page()
        assert (stored.status, stored.error, stored.ended) == (DeliveryStatus.GIVEN_UP, "HTTP 404", NOW + 6)
        assert outbox.claim(now=NOW + 1000, until=NOW + 2000, limit=10) == []

    def test_one_who_comes_late_only_counts_if_he_has_sent_it(self, storage: _PostingStorage) -> None:
        storage.outbox.add([_new("1")], now=NOW)
        late, other = _claimed(storage), _claimed(storage, now=NOW + 60)
        assert not storage.outbox.settle(late, DeliveryStatus.PENDING, now=NOW + 61, due=NOW + 61, error="HTTP 500")
        assert not storage.outbox.settle(late, DeliveryStatus.GIVEN_UP, now=NOW + 61, error="HTTP 500")
        assert storage.outbox.settle(late, DeliveryStatus.DELIVERED, now=NOW + 62, error=None)
        assert not storage.outbox.settle(other, DeliveryStatus.DELIVERED, now=NOW + 63, error=None)
        (stored,) = storage.outbox.page()
        assert stored.ended == NOW + 62

    def test_what_ended_long_ago_is_forgotten(self, storage: _PostingStorage) -> None:
        storage.outbox.add([_new("1"), _new("2", throttle=60), _new("3", subject="other")], now=NOW)
        first, _ = storage.outbox.claim(now=NOW, until=NOW + 60, limit=10)
        storage.outbox.settle(first, DeliveryStatus.DELIVERED, now=NOW + 10, error=None)
        assert storage.outbox.forget(NOW) == 0
        assert storage.outbox.forget(NOW + 10) == 1
        assert storage.outbox.forget(NOW + 11) == 1
        assert [each.alert.occurrence for each in storage.outbox.page()] == ["3"], "what is to be sent stays"

    def test_a_change_wakes_whoever_waits(self, storage: _PostingStorage) -> None:
        subscription = storage.notifier.subscribe()
        try:
            storage.outbox.add([_new("1")], now=NOW)
            assert subscription.wait(5.0) & {TOPIC, "*"}
        finally:
            subscription.close()
