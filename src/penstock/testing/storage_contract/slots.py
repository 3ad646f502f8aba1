"""Slots of concurrency pools: never above the limit, in turn, for no longer than step, run or lease."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from ...errors import FencedError
from ...records.errors import ErrorInfo
from ...records.event import (
    EngineNote,
    Fact,
    LogLine,
    RunCanceled,
    RunEnqueued,
    RunSuccess,
    StepFailure,
    StepSkipped,
    StepSuccess,
    StepUpForRetry,
)
from ...records.pool import WHOLE_RUN, PoolState, SlotRequest
from ...records.run import Run
from ...storage.protocols import Storage
from .builders import NOW, events_from, queued_run, started_run

__all__ = ["SlotContract", "claim_and_release"]

_THREADS = 4
_ROUNDS = 12


def _want(
    step: str, *pools: str, since: float = NOW, priority: int = 0, retry: int = 0, told: bool = False
) -> SlotRequest:
    return SlotRequest(step_key=step, pools=pools or ("db",), since=since, priority=priority, retry=retry, told=told)


def _claim(storage: Storage, run: Run, *requests: SlotRequest, now: float = NOW + 3) -> frozenset[str]:
    return storage.slots.claim(run.run_id, run.attempt, requests, now=now).granted


def _pool(storage: Storage, name: str = "db", *, now: float = NOW + 3) -> PoolState:
    return next(each for each in storage.slots.pools(now=now) if each.pool == name)


def _held(storage: Storage, name: str = "db", *, now: float = NOW + 3) -> list[tuple[str, str]]:
    found = [each for each in storage.slots.pools(now=now) if each.pool == name]
    return [each.owner for each in found[0].held] if found else []


def _waiting(storage: Storage, name: str = "db", *, now: float = NOW + 3) -> list[tuple[str, str]]:
    return [each.owner for each in _pool(storage, name, now=now).waiting]


class SlotContract:
    """Limits, claims, and what ends them."""

    def test_a_pool_has_its_own_limit_or_the_default(self, storage: Storage) -> None:
        assert storage.slots.limits() == {}
        storage.slots.set_limit("db", 3)
        storage.slots.set_limit("api", 0)
        storage.slots.set_limit("db", 2)
        assert storage.slots.limits() == {"api": 0, "db": 2}
        assert storage.slots.delete_limit("api")
        assert not storage.slots.delete_limit("api")
        _claim(storage, started_run(storage), _want("a", "files"))
        pools = storage.slots.pools(now=NOW + 3, default_limit=5)
        assert [(each.pool, each.limit, each.own_limit) for each in pools] == [("db", 2, True), ("files", 5, False)]

    def test_slots_are_granted_up_to_the_limit(self, storage: Storage) -> None:
        storage.slots.set_limit("db", 2)
        one, two = started_run(storage), started_run(storage)
        assert _claim(storage, one, _want("a"), _want("b", since=NOW + 1), _want("c", since=NOW + 2)) == {"a", "b"}
        outcome = storage.slots.claim(two.run_id, 1, [_want("a", since=NOW + 3)], now=NOW + 3)
        assert outcome.granted == frozenset()
        assert outcome.waiting["a"] == (
            f"waits for pool db: 2 of 2 slots taken by run {one.run_id[-8:]} step a, run {one.run_id[-8:]} step b, "
            "place 2 of 2"
        )
        assert _held(storage) == [(one.run_id, "a"), (one.run_id, "b")]
        assert _waiting(storage) == [(one.run_id, "c"), (two.run_id, "a")]

    def test_a_pool_without_a_limit_grants_all_and_knows_them_when_it_gets_one(self, storage: Storage) -> None:
        run = started_run(storage)
        assert _claim(storage, run, _want("a"), _want("b")) == {"a", "b"}
        storage.slots.set_limit("db", 1)
        assert _claim(storage, run, _want("c")) == frozenset()

    def test_a_lowered_limit_grants_nothing_until_there_are_fewer(self, storage: Storage) -> None:
        storage.slots.set_limit("db", 3)
        run = started_run(storage)
        _claim(storage, run, _want("a"), _want("b"), _want("c"))
        storage.slots.set_limit("db", 2)
        storage.events.append(run.run_id, 1, events_from(2, [StepSuccess(seconds=1.0)], step_key="a"), now=NOW + 4)
        assert _claim(storage, run, _want("d")) == frozenset()
        storage.events.append(run.run_id, 1, events_from(3, [StepSuccess(seconds=1.0)], step_key="b"), now=NOW + 4)
        assert _claim(storage, run, _want("d")) == {"d"}

    def test_a_default_of_the_settings_limits_pools_without_a_limit_of_their_own(self, storage: Storage) -> None:
        run = started_run(storage)
        requests = [_want("a"), _want("b")]
        outcome = storage.slots.claim(run.run_id, 1, requests, now=NOW + 3, default_limit=1)
        assert outcome.granted == {"a"}

    def test_a_claim_that_is_sent_again_is_granted_again(self, storage: Storage) -> None:
        storage.slots.set_limit("db", 1)
        run = started_run(storage)
        assert _claim(storage, run, _want("a")) == _claim(storage, run, _want("a")) == {"a"}
        assert len(_held(storage)) == 1
        assert _claim(storage, run) == frozenset()  # what is held is not withdrawn
        assert _held(storage) == [(run.run_id, "a")]

    def test_all_pools_of_a_step_or_none(self, storage: Storage) -> None:
        storage.slots.set_limit("db", 1)
        storage.slots.set_limit("api", 1)
        one, two = started_run(storage), started_run(storage)
        _claim(storage, one, _want("a", "api"))
        assert _claim(storage, two, _want("b", "db", "api")) == frozenset()
        assert _held(storage, "db") == []

    def test_a_later_one_does_not_pass_an_earlier_one_by(self, storage: Storage) -> None:
        storage.slots.set_limit("db", 1)
        storage.slots.set_limit("api", 1)
        one, two, three = started_run(storage), started_run(storage), started_run(storage)
        _claim(storage, one, _want("a", "api"))
        _claim(storage, two, _want("b", "db", "api", since=NOW + 1))
        assert _claim(storage, three, _want("c", "db", since=NOW + 2)) == frozenset()
        storage.events.append(one.run_id, 1, events_from(2, [StepSuccess(seconds=1.0)], step_key="a"), now=NOW + 4)
        assert _claim(storage, three, _want("c", "db", since=NOW + 2)) == frozenset()
        assert _claim(storage, two, _want("b", "db", "api", since=NOW + 1)) == {"b"}

    def test_a_higher_priority_has_its_turn_first(self, storage: Storage) -> None:
        storage.slots.set_limit("db", 1)
        one, two, three = started_run(storage), started_run(storage), started_run(storage)
        _claim(storage, one, _want("a"))
        _claim(storage, two, _want("b", since=NOW + 1))
        _claim(storage, three, _want("c", since=NOW + 2, priority=5))
        assert _waiting(storage) == [(three.run_id, "c"), (two.run_id, "b")]
        storage.events.append(one.run_id, 1, events_from(2, [StepSuccess(seconds=1.0)], step_key="a"), now=NOW + 4)
        assert _claim(storage, two, _want("b", since=NOW + 1)) == frozenset()
        assert _claim(storage, three, _want("c", since=NOW + 2, priority=5)) == {"c"}

    def test_a_run_takes_no_more_than_it_can_start_and_keeps_nobody_for_the_rest(self, storage: Storage) -> None:
        storage.slots.set_limit("db", 3)
        one, two = started_run(storage), started_run(storage)
        wanted = [_want("a"), _want("b"), _want("c")]
        outcome = storage.slots.claim(one.run_id, 1, wanted, now=NOW + 3, at_most=1)
        assert outcome.granted == {"a"}
        assert outcome.waiting == {}
        assert _waiting(storage) == []
        assert _claim(storage, two, _want("x", since=NOW + 9), _want("y", since=NOW + 9)) == {"x", "y"}

    def test_what_is_asked_for_no_more_is_withdrawn(self, storage: Storage) -> None:
        storage.slots.set_limit("db", 1)
        one, two = started_run(storage), started_run(storage)
        _claim(storage, one, _want("a"))
        _claim(storage, two, _want("b"), _want("c"))
        _claim(storage, two, _want("c"))
        assert _waiting(storage) == [(two.run_id, "c")]

    @pytest.mark.parametrize(
        "end",
        [
            StepSuccess(seconds=1.0),
            StepSkipped(reason="none"),
            StepFailure(error=ErrorInfo(cls="E", message="m")),
            StepUpForRetry(error=ErrorInfo(cls="E", message="m"), retry=1, wait=0.0),
        ],
        ids=lambda fact: type(fact).__name__,
    )
    def test_the_end_of_an_attempt_of_a_step_releases_its_slot(self, storage: Storage, end: Fact) -> None:
        run = started_run(storage)
        _claim(storage, run, _want("a", "db", "api"), _want("b"))
        subscription = storage.notifier.subscribe()
        try:
            storage.events.append(run.run_id, 1, events_from(2, [end], step_key="a"), now=NOW + 4)
            assert {"slots", "pools"} <= subscription.wait(5.0)
        finally:
            subscription.close()
        assert (_held(storage), _held(storage, "api")) == ([(run.run_id, "b")], [])

    def test_an_attempt_that_ended_before_does_not_release_the_slot_of_the_next(self, storage: Storage) -> None:
        run = started_run(storage)
        _claim(storage, run, _want("a"))
        assert _claim(storage, run, _want("a", retry=1)) == {"a"}
        again = StepUpForRetry(error=ErrorInfo(cls="E", message="m"), retry=1, wait=0.0)
        storage.events.append(run.run_id, 1, events_from(2, [again], step_key="a"), now=NOW + 4)
        assert _held(storage) == [(run.run_id, "a")]

    @pytest.mark.parametrize("end", [RunSuccess(), RunCanceled()], ids=lambda fact: type(fact).__name__)
    def test_the_end_of_a_run_releases_all_and_withdraws_all(self, storage: Storage, end: Fact) -> None:
        storage.slots.set_limit("db", 1)
        run = started_run(storage)
        _claim(storage, run, _want("a"), _want("b"))
        storage.runs.record(run.run_id, [end], now=NOW + 4)
        assert (_held(storage), _waiting(storage)) == ([], [])

    def test_a_run_that_goes_back_to_the_queue_releases_all(self, storage: Storage) -> None:
        run = queued_run(storage)
        storage.runs.claim([run.run_id], owner="daemon", until=NOW + 30, now=NOW + 1)
        assert storage.slots.claim(run.run_id, 1, [_want(WHOLE_RUN)], now=NOW + 2).granted == {WHOLE_RUN}
        storage.runs.record(run.run_id, [RunEnqueued(reason="No answer.")], now=NOW + 3)
        storage.runs.claim([run.run_id], owner="daemon", until=NOW + 30, now=NOW + 4)
        assert _held(storage) == []
        assert storage.slots.claim(run.run_id, 2, [_want("a")], now=NOW + 5).granted == {"a"}

    def test_a_claim_of_a_whole_run_lasts_beyond_its_steps(self, storage: Storage) -> None:
        run = started_run(storage)
        _claim(storage, run, _want(WHOLE_RUN, "db", "api"))
        storage.events.append(run.run_id, 1, events_from(2, [StepSuccess(seconds=1.0)], step_key="a"), now=NOW + 4)
        assert _held(storage) == _held(storage, "api") == [(run.run_id, WHOLE_RUN)]

    def test_only_the_current_attempt_of_an_active_run_may_claim(self, storage: Storage) -> None:
        run = started_run(storage)
        for run_id, attempt in ((run.run_id, 0), (run.run_id, 2), ("unknown", 1)):
            with pytest.raises(FencedError):
                storage.slots.claim(run_id, attempt, [_want("a")], now=NOW + 3)
        storage.runs.record(run.run_id, [RunCanceled()], now=NOW + 4)
        with pytest.raises(FencedError, match="CANCELED"):
            storage.slots.claim(run.run_id, 1, [_want("a")], now=NOW + 5)

    def test_a_slot_whose_holder_is_not_heard_of_is_taken_when_the_lease_is_over(self, storage: Storage) -> None:
        storage.slots.set_limit("db", 1)
        lost = started_run(storage, owner="lost")  # until NOW + 30
        _claim(storage, lost, _want("a"))
        storage.runs.renew("server-1", until=NOW + 90)
        one = started_run(storage)
        storage.runs.renew("server-1", until=NOW + 90)
        assert _claim(storage, one, _want("b"), now=NOW + 29) == frozenset()
        late = storage.slots.claim(one.run_id, 1, [_want("b")], now=NOW + 31, dead_before=NOW + 16)
        assert late.granted == frozenset()  # after an outage nobody is judged
        assert _claim(storage, one, _want("b"), now=NOW + 31) == {"b"}
        assert _held(storage, now=NOW + 31) == [(one.run_id, "b")]
        # Should it wake up, it may go on with nothing.
        assert storage.runs.renew("lost", until=NOW + 99) == []
        assert not storage.runs.take_over(lost.run_id, attempt=1, owner="lost", until=NOW + 99)
        with pytest.raises(FencedError):
            storage.events.append(lost.run_id, 1, events_from(2, [LogLine(level="INFO", message="back")]), now=NOW + 32)
        with pytest.raises(FencedError):
            storage.slots.claim(lost.run_id, 1, [_want("c")], now=NOW + 32)
        assert [each.run_id for each in storage.runs.expired(NOW + 32)] == [lost.run_id]

    def test_a_holder_whose_lease_is_over_keeps_a_slot_that_nobody_needs(self, storage: Storage) -> None:
        storage.slots.set_limit("db", 2)
        slow = started_run(storage, owner="slow")
        _claim(storage, slow, _want("a"))
        one = started_run(storage)
        assert _claim(storage, one, _want("b"), now=NOW + 31) == {"b"}
        assert storage.runs.renew("slow", until=NOW + 90) == [(slow.run_id, 1)]
        assert _held(storage, now=NOW + 31) == [(slow.run_id, "a")]  # the other's lease is over now

    def test_one_that_waits_and_is_not_heard_of_keeps_nobody(self, storage: Storage) -> None:
        storage.slots.set_limit("db", 1)
        holder, lost = started_run(storage), started_run(storage, owner="lost")
        _claim(storage, holder, _want("a"))
        _claim(storage, lost, _want("b"))
        storage.runs.renew("server-1", until=NOW + 90)
        storage.events.append(holder.run_id, 1, events_from(2, [StepSuccess(seconds=1.0)], step_key="a"), now=NOW + 4)
        assert _claim(storage, holder, _want("c", since=NOW + 5), now=NOW + 6) == frozenset()
        assert _claim(storage, holder, _want("c", since=NOW + 5), now=NOW + 31) == {"c"}

    def test_slots_are_freed_by_hand_of_a_run_that_is_gone(self, storage: Storage) -> None:
        run = started_run(storage)
        _claim(storage, run, _want("a"), _want("b", "api"))
        assert storage.slots.free(run.run_id, now=NOW + 29) == 0
        assert storage.slots.free(run.run_id, "c", now=NOW + 31) == 0
        assert storage.slots.free(run.run_id, "b", now=NOW + 31) == 1
        assert storage.runs.renew("server-1", until=NOW + 90) == []
        assert storage.slots.free(run.run_id, now=NOW + 31) == 0
        assert storage.slots.free("unknown", now=NOW + 31) == 0

    def test_the_log_tells_once_that_a_step_waits_and_when_it_goes_on(self, storage: Storage) -> None:
        storage.slots.set_limit("db", 1)
        one, two = started_run(storage), started_run(storage)
        _claim(storage, one, _want("a"))
        _claim(storage, two, _want("b"))
        _claim(storage, two, _want("b", told=True))
        storage.events.append(one.run_id, 1, events_from(2, [StepSuccess(seconds=1.0)], step_key="a"), now=NOW + 4)
        _claim(storage, two, _want("b", told=True), now=NOW + 5)
        notes = storage.events.of_run(two.run_id, types=["ENGINE_EVENT"])
        facts = [(each.event.step_key, each.event.fact) for each in notes]
        assert [(step_key, fact.message) for step_key, fact in facts if isinstance(fact, EngineNote)] == [
            ("b", f"Step b waits for pool db: 1 of 1 slot taken by run {one.run_id[-8:]} step a, place 1 of 1."),
            ("b", "Step b has its slot of pool db, after 5.0 s."),
        ]
        assert storage.events.of_run(one.run_id, types=["ENGINE_EVENT"]) == []

    def test_who_waits_is_woken_by_a_raised_limit_and_by_one_that_withdraws(self, storage: Storage) -> None:
        storage.slots.set_limit("db", 0)
        one = started_run(storage)
        for change in _changes(storage, one):
            _claim(storage, one, _want("a"))
            subscription = storage.notifier.subscribe()
            try:
                change()
                assert "slots" in subscription.wait(5.0)
            finally:
                subscription.close()

    def test_threads_that_race_are_never_above_the_limit(self, storage: Storage) -> None:
        storage.slots.set_limit("db", 2)
        with ThreadPoolExecutor(_THREADS) as threads:
            done = list(threads.map(lambda index: claim_and_release(storage, index, _ROUNDS), range(_THREADS)))
        assert [len(each) for each in done] == [_ROUNDS] * _THREADS
        assert {count for each in done for count in each} <= {1, 2}
        assert _held(storage, now=NOW) == []


def _changes(storage: Storage, run: Run) -> list[Callable[[], object]]:
    return [
        lambda: storage.slots.set_limit("db", 0),
        lambda: _claim(storage, run),
        lambda: storage.slots.delete_limit("db"),
    ]


def claim_and_release(storage: Storage, index: int, rounds: int) -> list[int]:
    """Claim and release in turn, waiting where need be; how many held a slot at each time when we did."""
    run = started_run(storage, owner=f"server-{index}")
    counts = []
    seq = 2
    subscription = storage.notifier.subscribe()
    try:
        for turn in range(rounds):
            since = NOW + turn
            while not storage.slots.claim(run.run_id, 1, [_want("a", since=since, told=True)], now=NOW + 3).granted:
                subscription.wait(0.5)
            counts.append(len(_held(storage)))
            storage.events.append(
                run.run_id, 1, events_from(seq, [StepSuccess(seconds=1.0)], step_key="a"), now=NOW + 4
            )
            seq += 1
    finally:
        subscription.close()
    storage.runs.record(run.run_id, [RunSuccess()], now=NOW + 5)
    return counts
