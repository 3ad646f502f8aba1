"""Steps in pools: what is claimed and when, what goes on meanwhile, over examples and any plan."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.engine.limits import TagLimit
from penstock.engine.step_messages import (
    Claimed,
    Command,
    Done,
    Outcome,
    Retry,
    Source,
    Start,
    StepInputSpec,
    StepSpec,
    Stop,
    Succeeded,
    WantedSlots,
    Wish,
)
from penstock.engine.step_state import StepState
from penstock.engine.steps import StepScheduler
from penstock.errors import IllegalTransitionError


def step(key: str, *feeding: str, pools: str = "", priority: int = 0, **tags: str) -> StepSpec:
    inputs = tuple(StepInputSpec(name, (Source(name),)) for name in feeding)
    return StepSpec(key=key, inputs=inputs, priority=priority, tags=tags, pools=tuple(pools.split()))


def started(commands: list[Command]) -> list[str]:
    return [each.step for each in commands if isinstance(each, Start)]


def wished(scheduler: StepScheduler) -> list[str]:
    wanted = scheduler.wants_slots()
    return [] if wanted is None else [each.step for each in wanted.wishes]


def test_a_step_in_a_pool_starts_with_its_slot() -> None:
    scheduler = StepScheduler([step("a", pools="db api", priority=2), step("b")])
    assert started(scheduler.begin(0.0)) == []  # `a` has its turn first
    assert scheduler.state("a") is StepState.CLAIMING
    assert scheduler.wants_slots() == WantedSlots((Wish("a", ("db", "api"), 0, 2),), None)
    assert started(scheduler.handle(Claimed(("a",)), 0.0)) == ["a", "b"]
    assert scheduler.wants_slots() is None
    scheduler.handle(Succeeded("a"), 1.0)
    assert scheduler.handle(Succeeded("b"), 1.0) == [Done(Outcome.SUCCESS)]


def test_one_that_got_no_slot_takes_no_place_and_is_asked_for_again_when_told() -> None:
    scheduler = StepScheduler([step("a", pools="db"), step("b"), step("c")], max_concurrent=1)
    assert started(scheduler.begin(0.0)) == []
    assert started(scheduler.handle(Claimed(), 0.0)) == ["b"]
    assert not scheduler.has_place
    assert wished(scheduler) == []
    scheduler.claim_again()
    assert wished(scheduler) == []  # no place is free
    assert started(scheduler.handle(Succeeded("b"), 1.0)) == []  # it is the turn of `a`
    assert wished(scheduler) == ["a"]
    assert started(scheduler.handle(Claimed(("a",)), 1.0)) == ["a"]
    assert started(scheduler.handle(Succeeded("a"), 2.0)) == ["c"]


def test_a_lower_rank_does_not_hold_up_a_higher_one() -> None:
    scheduler = StepScheduler([step("low", pools="db"), step("high", priority=1)], max_concurrent=1)
    assert started(scheduler.begin(0.0)) == ["high"]


def test_no_more_are_asked_for_than_could_start() -> None:
    specs = [step(f"s{number}", pools="db") for number in range(9)] + [step("t", pools="api")]
    scheduler = StepScheduler(specs, max_concurrent=2)
    scheduler.begin(0.0)
    assert wished(scheduler) == ["s0", "s1", "t"]
    assert started(scheduler.handle(Claimed(("s0", "t")), 0.0)) == ["s0", "t"]
    scheduler.handle(Succeeded("t"), 1.0)
    assert wished(scheduler) == ["s1"]


def test_a_tag_limit_holds_for_steps_in_pools_too() -> None:
    specs = [step("a", pools="db", kind="x"), step("b", pools="db", kind="x"), step("c", kind="x")]
    scheduler = StepScheduler(specs, tag_limits=[TagLimit(key="kind", limit=1)])
    scheduler.begin(0.0)
    assert wished(scheduler) == ["a"]
    assert started(scheduler.handle(Claimed(("a",)), 0.0)) == ["a"]
    assert wished(scheduler) == []
    scheduler.handle(Succeeded("a"), 1.0)
    assert wished(scheduler) == ["b"]


def test_a_retry_claims_anew() -> None:
    scheduler = StepScheduler([step("a", pools="db")])
    scheduler.begin(0.0)
    scheduler.handle(Claimed(("a",)), 0.0)
    assert scheduler.handle(Retry("a", 5.0), 1.0) == []
    assert wished(scheduler) == []
    scheduler.wake(5.0)
    assert scheduler.wants_slots() == WantedSlots((Wish("a", ("db",), 1, 0),), None)


def test_stopping_gives_up_what_claims() -> None:
    scheduler = StepScheduler([step("a", pools="db")])
    scheduler.begin(0.0)
    assert scheduler.handle(Stop(), 1.0) == [Done(Outcome.STOPPED)]
    assert scheduler.wants_slots() is None


@pytest.mark.parametrize("granted", [("b",), ("nobody",), ("a", "c")])
def test_slots_for_what_does_not_claim_or_has_no_place_are_refused(granted: tuple[str, ...]) -> None:
    scheduler = StepScheduler([step("a", pools="db"), step("b"), step("c", "b", pools="db")], max_concurrent=1)
    scheduler.begin(0.0)
    with pytest.raises(IllegalTransitionError):
        scheduler.handle(Claimed(granted), 0.0)
    assert scheduler.state("a") is StepState.CLAIMING


@st.composite
def plans(draw: st.DrawFn) -> list[StepSpec]:
    specs: list[StepSpec] = []
    for number in range(draw(st.integers(1, 9))):
        before = [each.key for each in specs]
        feeding = {draw(st.sampled_from(before)) for _ in range(draw(st.integers(0, 2)))} if before else set()
        pools = draw(st.sampled_from(["", "", "db", "api", "api db"]))
        tags = {"kind": "x"} if draw(st.booleans()) else {}
        specs.append(step(f"s{number}", *sorted(feeding), pools=pools, priority=draw(st.integers(0, 2)), **tags))
    return specs


@given(data=st.data(), specs=plans(), places=st.none() | st.integers(1, 3), tag_limit=st.integers(1, 3))
def test_limits_hold_and_everything_runs_whoever_else_takes_slots(
    data: st.DataObject, specs: list[StepSpec], places: int | None, tag_limit: int
) -> None:
    scheduler = StepScheduler(specs, max_concurrent=places, tag_limits=[TagLimit(key="kind", limit=tag_limit)])
    by_key = {each.key: each for each in specs}
    slots = {"db": data.draw(st.integers(1, 2)), "api": data.draw(st.integers(1, 2))}
    running: set[str] = set()
    ran: Counter[str] = Counter()
    done: Done | None = None

    def take(commands: list[Command]) -> None:
        nonlocal done
        for command in commands:
            match command:
                case Start():
                    running.add(command.step)
                    ran[command.step] += 1
                case Done():
                    done = command
        assert places is None or len(running) <= places
        assert sum("kind" in by_key[key].tags for key in running) <= tag_limit
        for pool, limit in slots.items():
            assert sum(pool in by_key[key].pools for key in running) <= limit

    def claim() -> None:
        while (wanted := scheduler.wants_slots()) is not None:
            used = Counter(pool for key in running for pool in by_key[key].pools)
            granted: list[str] = []
            for wish in wanted.wishes:
                full = any(used[pool] >= slots[pool] for pool in wish.pools)
                elsewhere = turns < 8 and data.draw(st.booleans())  # another run has its slot for now
                if full or elsewhere or (wanted.places is not None and len(granted) >= wanted.places):
                    continue
                granted.append(wish.step)
                used.update(wish.pools)
            take(scheduler.handle(Claimed(tuple(granted)), 0.0))

    turns = 0
    take(scheduler.begin(0.0))
    while done is None:
        turns += 1
        assert turns < 100
        claim()
        if running:
            key = data.draw(st.sampled_from(sorted(running)))
            running.remove(key)
            take(scheduler.handle(Succeeded(key, (("result", None),)), 0.0))
        scheduler.claim_again()
    assert ran == Counter(by_key.keys())
