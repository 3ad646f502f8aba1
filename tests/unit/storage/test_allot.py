"""Whose turn it is: never above a limit, nobody passed by, nothing left free that somebody could take."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from penstock.storage.allot import Claimant, allot

POOLS = ("api", "db", "gpu")


def claimant(step: str, *pools: str, since: float = 0.0, priority: int = 0, ours: bool = True) -> Claimant:
    return Claimant(order=(-priority, since, "run", step), pools=pools, ours=ours)


def test_slots_go_by_priority_and_then_by_time() -> None:
    waiting = [
        claimant("a", "db", since=2.0),
        claimant("b", "db", since=1.0),
        claimant("c", "db", since=3.0, priority=1),
    ]
    assert allot(waiting, {}, {"db": 2}, at_most=None) == ["c", "b"]


def test_what_another_run_waits_for_is_kept_for_it() -> None:
    waiting = [claimant("theirs", "db", since=1.0, ours=False), claimant("ours", "db", since=2.0)]
    assert allot(waiting, {"db": 1}, {"db": 2}, at_most=None) == []
    assert allot(waiting, {"db": 1}, {"db": 3}, at_most=None) == ["ours"]


def test_one_that_lacks_a_slot_keeps_those_that_it_could_have() -> None:
    waiting = [claimant("both", "api", "db", since=1.0), claimant("one", "db", since=2.0)]
    assert allot(waiting, {"api": 1}, {"api": 1, "db": 1}, at_most=None) == []


def test_what_a_run_cannot_start_keeps_nobody() -> None:
    waiting = [claimant("a", "db"), claimant("b", "db"), claimant("c", "api")]
    assert allot(waiting, {}, {"db": 5}, at_most=1) == ["a"]
    assert allot(waiting, {}, {}, at_most=0) == []


def test_a_pool_without_limit_and_one_without_slots() -> None:
    waiting = [claimant("a", "db"), claimant("b", "api")]
    assert allot(waiting, {"db": 99}, {"db": None, "api": 0}, at_most=None) == ["a"]


claimants = st.lists(
    st.tuples(st.sets(st.sampled_from(POOLS), min_size=1), st.integers(0, 3), st.integers(0, 5), st.booleans()),
    max_size=10,
).map(
    lambda found: [
        claimant(f"s{number}", *sorted(pools), priority=priority, since=float(since), ours=ours)
        for number, (pools, priority, since, ours) in enumerate(found)
    ]
)
limits = st.fixed_dictionaries({pool: st.none() | st.integers(0, 4) for pool in POOLS})
held = st.fixed_dictionaries({pool: st.integers(0, 5) for pool in POOLS})


@given(waiting=claimants, held=held, limits=limits, at_most=st.none() | st.integers(0, 5))
def test_nothing_goes_above_a_limit_and_each_that_could_go_goes(
    waiting: list[Claimant], held: dict[str, int], limits: dict[str, int | None], at_most: int | None
) -> None:
    granted = allot(waiting, held, limits, at_most=at_most)
    by_step = {each.step_key: each for each in waiting}
    assert all(by_step[step].ours for step in granted)
    assert at_most is None or len(granted) <= at_most
    used = Counter(held)
    for step in granted:
        used.update(by_step[step].pools)
    for step in granted:
        for pool in by_step[step].pools:
            limit = limits[pool]
            assert limit is None or used[pool] <= limit
    for each in waiting:
        if not each.ours or each.step_key in granted or (at_most is not None and len(granted) >= at_most):
            continue
        before = Counter(held)
        for other in waiting:
            if other.order < each.order:
                before.update(other.pools)
        full = [pool for pool in each.pools if (limit := limits[pool]) is not None and before[pool] >= limit]
        assert full, f"{each.step_key} could have had its slots"


@given(waiting=claimants, held=held, limits=limits)
def test_a_later_one_never_takes_what_an_earlier_one_could_have_next(
    waiting: list[Claimant], held: dict[str, int], limits: dict[str, int | None]
) -> None:
    granted = set(allot(waiting, held, limits, at_most=None))
    for later in waiting:
        if later.step_key not in granted:
            continue
        without = [each for each in waiting if each.order <= later.order]
        # With all before it at work, there would still be room for it.
        used = Counter(held)
        for each in without:
            used.update(each.pools)
        assert all((limit := limits[pool]) is None or used[pool] <= limit for pool in later.pools)
