"""Whose turn it is: by priority, then by fair share, then by age."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from penstock.engine.queue import QueueLimits, decide
from penstock.records.run import Run, Tag

ONE_PLACE = QueueLimits(max_concurrent_runs=1)


def run(run_id: str, job: str = "job", **tags: str) -> Run:
    named = {"backfill": Tag.BACKFILL, "user": Tag.USER, "priority": Tag.PRIORITY}
    return Run(run_id=run_id, location="flights", job=job, tags={named[key]: value for key, value in tags.items()})


def in_order(runs: list[Run]) -> list[Run]:
    return sorted(runs, key=lambda each: (-each.priority, each.run_id))


def drained(queued: list[Run], active: list[Run], places: int, arriving: Iterable[Run] = ()) -> list[str]:
    """The runs in the order in which they start, while the active ones end and others come, one in each turn."""
    waiting, at_work, started = list(queued), list(active), list[str]()
    coming = iter(arriving)
    served: dict[str, float] = {}
    for now in itertools.count(1):
        decision = decide(in_order(waiting), at_work, QueueLimits(max_concurrent_runs=places), served=served)
        given = [each for each in waiting if each.run_id in decision.start]
        served |= {each.share: float(now) for each in given}
        waiting = [each for each in waiting if each not in given]
        started += decision.start
        at_work = [*at_work, *given][1:]
        waiting += itertools.islice(coming, 1)
        if not waiting:
            break
    return started


def test_one_run_is_not_behind_the_thousand_of_another_job() -> None:
    flood = [run(f"a{n:04}", "flood") for n in range(1000)]
    decision = decide([*flood, run("b", "single")], [], QueueLimits(max_concurrent_runs=2))
    assert decision.start == ("a0000", "b")
    held = decide([*flood, run("b", "single")], [run("x", "flood")], QueueLimits(max_concurrent_runs=2))
    assert held.start == ("b",)
    assert held.waiting["a0000"].endswith("Place 1 in the queue.")


def test_a_backfill_has_one_share_whatever_its_jobs_and_each_user_has_one() -> None:
    queued = [
        run("a", "orders", backfill="b1"),
        run("b", "customers", backfill="b1"),
        run("c", "orders"),
        run("d", "orders", user="ann"),
        run("e", "orders", user="ann"),
        run("f", "orders", user="bob"),
    ]
    assert decide(queued, [], QueueLimits(max_concurrent_runs=4)).start == ("a", "c", "d", "f")


def test_a_higher_priority_goes_before_any_share() -> None:
    queued = in_order([run("a", "one", priority="1"), run("b", "one", priority="1"), run("c", "two")])
    assert decide(queued, [run("x", "one")], QueueLimits(max_concurrent_runs=3)).start == ("a", "b")


def test_without_fair_share_age_alone_decides() -> None:
    queued = [run("a", "one"), run("b", "one"), run("c", "two")]
    limits = QueueLimits(max_concurrent_runs=2, fair_share=False)
    assert decide(queued, [], limits).start == ("a", "b")


def test_the_place_is_that_in_the_order_in_which_runs_will_start() -> None:
    queued = [run("a", "one"), run("b", "one"), run("c", "two"), run("d", "two"), run("e", "three")]
    waiting = decide(queued, [run("x", "one")], ONE_PLACE).waiting
    assert list(waiting) == ["c", "e", "a", "d", "b"]


some_runs = st.lists(st.tuples(st.sampled_from(["one", "two", "three"]), st.integers(-1, 1)), max_size=20).map(
    lambda drawn: in_order([run(f"q{n:02}", job, priority=str(high)) for n, (job, high) in enumerate(drawn)])
)
some_active = st.lists(st.sampled_from(["one", "two", "three"]), max_size=6).map(
    lambda jobs: [run(f"a{n}", job) for n, job in enumerate(jobs)]
)


@given(queued=some_runs, active=some_active, places=st.integers(0, 16))
def test_nobody_waits_for_a_place_behind_one_of_lower_priority(
    queued: list[Run], active: list[Run], places: int
) -> None:
    decision = decide(queued, active, QueueLimits(max_concurrent_runs=places))
    started = [each.priority for each in queued if each.run_id in decision.start]
    waiting = [each.priority for each in queued if each.run_id in decision.waiting]
    assert not started or not waiting or min(started) >= max(waiting)
    order = {each.run_id: each.priority for each in queued}
    given = [order[run_id] for run_id in (*decision.start, *decision.waiting)]
    assert given == sorted(given, reverse=True)


@given(lengths=st.lists(st.integers(0, 9), min_size=1, max_size=5), places=st.integers(0, 30), data=st.data())
def test_shares_that_still_wait_have_places_that_differ_by_at_most_one(
    lengths: list[int], places: int, data: st.DataObject
) -> None:
    jobs = [f"job{n}" for n, length in enumerate(lengths) for _ in range(length)]
    queued = [run(f"{n:02}", job) for n, job in enumerate(data.draw(st.permutations(jobs)))]
    decision = decide(queued, [], QueueLimits(max_concurrent_runs=places))
    got = Counter(each.job for each in queued if each.run_id in decision.start)
    waiting = {each.job for each in queued if each.run_id in decision.waiting}
    assert sum(got.values()) == min(places, len(jobs))
    assert all(got[other] <= got[job] + 1 for job in waiting for other in got)


@given(queued=some_runs, active=some_active, places=st.integers(1, 4))
def test_a_share_keeps_the_order_of_its_runs(queued: list[Run], active: list[Run], places: int) -> None:
    decision = decide(queued, active, QueueLimits(max_concurrent_runs=places))
    order = (*decision.start, *decision.waiting)
    for job in ("one", "two", "three"):
        ours = [each.run_id for each in queued if each.job == job]
        assert [run_id for run_id in order if run_id in ours] == ours


@given(queued=some_runs, active=some_active, places=st.integers(1, 4))
def test_every_run_starts_at_last(queued: list[Run], active: list[Run], places: int) -> None:
    started = drained(queued, active, places)
    assert sorted(started) == sorted(each.run_id for each in queued)


@given(flood=st.integers(1, 40), others=st.integers(1, 5), places=st.integers(1, 4))
def test_no_run_of_another_share_waits_for_the_second_of_a_flood(flood: int, others: int, places: int) -> None:
    queued = [run(f"a{n:02}", "flood") for n in range(flood)] + [run(f"b{n}", f"job{n}") for n in range(others)]
    started = drained(queued, [], places)
    assert {started.index(f"b{n}") for n in range(others)} == set(range(1, others + 1))


@given(places=st.integers(1, 3), newcomers=st.integers(0, 40))
def test_those_who_keep_coming_do_not_pass_by_who_waits(places: int, newcomers: int) -> None:
    queued = [run(f"a{n}", "patient") for n in range(4)]
    coming = (Run(run_id=f"b{n:02}", location="flights", job=f"new{n}", queued=float(n + 1)) for n in range(newcomers))
    started = drained(queued, [], places, coming)
    mine = [started.index(each.run_id) for each in queued]
    assert max(later - earlier for earlier, later in itertools.pairwise(mine)) <= places + 2
