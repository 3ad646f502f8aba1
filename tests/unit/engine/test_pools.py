"""Runs in the queue and pools: who is held back, for which pool, and that nobody is held back for nothing."""

from __future__ import annotations

from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from penstock.engine.pools import PoolRules, room_of
from penstock.engine.queue import QueueLimits, decide
from penstock.records.pool import PoolClaim, PoolNeed, PoolState
from penstock.records.run import Run, RunStatus

ANY = QueueLimits(max_concurrent_runs=-1)


def run(run_id: str, first: str = "", *, later: str = "", free: int = 0, status: RunStatus = RunStatus.QUEUED) -> Run:
    """A run whose first steps are in these pools, one for each word, and `free` of them in none."""
    counted = {pool: first.split().count(pool) for pool in first.split()}
    pools = tuple(sorted({*counted, *later.split()}))
    need = PoolNeed(pools=pools, first=counted, first_free=free) if pools else None
    return Run(run_id=run_id, location="shop", job="job", pools=need, status=status)


def claim(run_id: str, pool: str, *, taken: bool = True) -> PoolClaim:
    return PoolClaim(pool=pool, run_id=run_id, step_key="load", attempt=1, since=1.0, taken=2.0 if taken else None)


def pool(name: str, limit: int | None, *held: str, waiting: tuple[str, ...] = ()) -> PoolState:
    return PoolState(
        pool=name,
        limit=limit,
        own_limit=True,
        held=tuple(claim(each, name) for each in held),
        waiting=tuple(claim(each, name, taken=False) for each in waiting),
    )


def started(queued: list[Run], states: list[PoolState], active: list[Run], rules: PoolRules) -> tuple[str, ...]:
    return decide(queued, active, ANY, room=room_of(rules, states, active)).start


def test_a_run_whose_first_steps_all_wait_for_full_pools_stays_and_says_so() -> None:
    states = [pool("db", 1, "0000-holder"), pool("api", 2, "0000-holder")]
    active = [run("0000-holder", "db api", status=RunStatus.STARTED)]
    queued = [run("a", "db"), run("b", "db api"), run("c", "db", free=1), run("d"), run("e", later="db", free=1)]
    decision = decide(queued, active, ANY, room=room_of(PoolRules(), states, active))
    assert decision.start == ("b", "c", "d", "e")
    assert decision.waiting == {
        "a": "Waits for the pool db: 1 of 1 slot taken by run 0-holder step load. Place 1 in the queue."
    }


def test_those_that_wait_and_those_on_their_way_count_too() -> None:
    assert started([run("a", "db")], [pool("db", 2, "x", waiting=("y",))], [], PoolRules()) == ()
    on_its_way = run("x", "db", status=RunStatus.STARTING)
    assert started([run("a", "db")], [pool("db", 1)], [on_its_way], PoolRules()) == ()
    assert started([run("a", "db")], [pool("db", 2, "x")], [on_its_way], PoolRules()) == ("a",)  # counted once


def test_no_more_are_launched_at_once_than_there_are_slots() -> None:
    queued = [run("a", "db"), run("b", "db db"), run("c", "db")]
    decision = decide(queued, [], ANY, room=room_of(PoolRules(), [pool("db", 2)], []))
    assert decision.start == ("a", "b")
    assert decision.waiting["c"] == "Waits for the pool db: runs before it need its 2 slots. Place 1 in the queue."


def test_a_buffer_lets_more_runs_wait_and_holding_back_can_be_turned_off() -> None:
    states = [pool("db", 1, "x")]
    queued = [run("a", "db"), run("b", "db"), run("c", "db")]
    assert started(queued, states, [], PoolRules(run_buffer=2)) == ("a", "b")
    assert started(queued, states, [], PoolRules(holds_runs=False)) == ("a", "b", "c")


def test_a_pool_without_a_limit_holds_nobody_back_and_the_default_limits_one_that_nobody_uses_yet() -> None:
    queued = [run("a", "db"), run("b", "db")]
    assert started(queued, [], [], PoolRules()) == ("a", "b")
    assert started(queued, [], [], PoolRules(default_limit=1)) == ("a",)
    assert started(queued, [pool("db", 0)], [], PoolRules(default_limit=9)) == ()


def test_with_whole_runs_each_active_run_takes_one_of_each_of_its_pools() -> None:
    rules = PoolRules(granularity="run", run_buffer=5)
    active = [run("x", later="db api", free=1, status=RunStatus.STARTED)]
    queued = [run("a", "db db db"), run("b", later="db", free=1), run("c", "api"), run("d")]
    decision = decide(queued, active, ANY, room=room_of(rules, [pool("db", 2), pool("api", 1)], active))
    assert decision.start == ("a", "d")
    assert list(decision.waiting) == ["b", "c"]


needs = st.tuples(st.lists(st.sampled_from(["db", "api"]), max_size=3), st.integers(0, 1))


@given(
    wanted=st.lists(needs, max_size=8),
    on_their_way=st.lists(needs, max_size=4),
    limits=st.fixed_dictionaries({"db": st.none() | st.integers(0, 3), "api": st.none() | st.integers(0, 3)}),
    granularity=st.sampled_from(["op", "run"]),
    buffer=st.integers(0, 2),
)
def test_each_run_starts_or_names_a_full_pool(
    wanted: list[tuple[list[str], int]],
    on_their_way: list[tuple[list[str], int]],
    limits: dict[str, int | None],
    granularity: Literal["op", "run"],
    buffer: int,
) -> None:
    rules = PoolRules(granularity=granularity, run_buffer=buffer)
    queued = [run(f"q{n}", " ".join(first), free=free) for n, (first, free) in enumerate(wanted)]
    active = [
        run(f"a{n}", " ".join(first), free=free, status=RunStatus.STARTING)
        for n, (first, free) in enumerate(on_their_way)
    ]
    decision = decide(queued, active, ANY, room=room_of(rules, [pool(*each) for each in limits.items()], active))
    assert sorted((*decision.start, *decision.waiting)) == sorted(each.run_id for each in queued)
    going = [*active, *(each for each in queued if each.run_id in decision.start)]
    for place, (run_id, rule) in enumerate(decision.waiting.items(), 1):
        named = rule.removeprefix("Waits for the pool ").partition(":")[0]
        limit = limits[named]
        assert limit is not None
        assert rule.endswith(f"Place {place} in the queue.")
        waiting = next(each for each in queued if each.run_id == run_id)
        assert waiting.pools is not None
        if granularity == "run":
            users = [each for each in going if each.pools is not None and named in each.pools.pools]
            assert len(users) >= limit
        else:
            assert waiting.pools.first_free == 0
            counted = [each.pools for each in going if each.pools is not None]
            assert sum(need.first.get(named, 0) for need in counted) >= limit + buffer
    if granularity == "run":
        for name, limit in limits.items():
            users = [each for each in going if each.pools is not None and name in each.pools.pools]
            before = [each for each in active if each.pools is not None and name in each.pools.pools]
            assert limit is None or len(users) <= max(limit, len(before))
