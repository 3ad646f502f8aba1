"""Which queued runs start: in order, within the limits, each waiting one with its reason."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from penstock.engine.limits import TagLimit, limit_for, slots_of
from penstock.engine.queue import QueueLimits, decide
from penstock.records.run import Run, Tag


def run(run_id: str, *, location: str = "flights", job: str = "job", **tags: str) -> Run:
    return Run(run_id=run_id, location=location, job=job, tags=tags)


def test_starts_in_order_until_every_place_is_taken() -> None:
    queued = [run("a"), run("b"), run("c")]
    decision = decide(queued, [run("x")], QueueLimits(max_concurrent_runs=3))
    assert decision.start == ("a", "b")
    assert decision.waiting == {"c": "Waits for a free place: 3 of 3 runs are active. Place 1 in the queue."}


def test_zero_places_start_nothing_and_minus_one_is_no_limit() -> None:
    assert decide([run("a")], [], QueueLimits(max_concurrent_runs=0)).start == ()
    many = [run(str(n)) for n in range(50)]
    assert len(decide(many, many, QueueLimits(max_concurrent_runs=-1)).start) == 50


def test_a_blocked_run_lets_the_next_one_pass() -> None:
    limits = QueueLimits(tag_limits=(TagLimit(key="db", value="main", limit=1),))
    queued = [run("a", db="main"), run("b"), run("c", db="other")]
    decision = decide(queued, [run("x", db="main")], limits)
    assert decision.start == ("b", "c")
    assert decision.waiting["a"] == "Waits for the limit on the tag db=main: 1 of 1 are active. Place 1 in the queue."


def test_a_limit_for_each_value_counts_each_value_for_itself() -> None:
    limits = QueueLimits(tag_limits=(TagLimit(key="customer", per_value=True, limit=1),))
    queued = [run("a", customer="one"), run("b", customer="one"), run("c", customer="two")]
    decision = decide(queued, [], limits)
    assert decision.start == ("a", "c")
    assert "customer=one" in decision.waiting["b"]


def test_a_run_of_a_location_that_is_not_loaded_waits() -> None:
    decision = decide([run("a", location="broken"), run("b")], [], QueueLimits(), unready={"broken"})
    assert decision.start == ("b",)
    assert "broken" in decision.waiting["a"]


def test_runs_of_a_backfill_that_is_held_wait_for_it_and_take_no_place() -> None:
    queued = [run("a", **{Tag.BACKFILL: "one"}), run("b", **{Tag.BACKFILL: "two"}), run("c")]
    limits = QueueLimits(max_concurrent_runs=2)
    decision = decide(queued, [], limits, holds={"one": "its backfill fix, which is paused"}, unready={"other"})
    assert set(decision.start) == {"b", "c"}
    assert decision.waiting == {"a": "Waits for its backfill fix, which is paused. Place 1 in the queue."}


def test_a_job_s_limit_is_for_each_location_that_has_such_a_job() -> None:
    limits = QueueLimits(job_limits={"nightly": 1})
    queued = [run("a", job="nightly"), run("b", job="nightly", location="shop"), run("c"), run("d")]
    decision = decide(queued, [run("x", job="nightly")], limits)
    assert set(decision.start) == {"b", "c", "d"}
    assert decision.waiting == {"a": "Waits for the limit of the job nightly: 1 of 1 are active. Place 1 in the queue."}


def test_a_star_is_the_limit_of_each_that_is_not_named() -> None:
    limits = QueueLimits(job_limits={"*": 1, "free": 3}, location_limits={"shop": 0, "*": 5})
    queued = [run("a"), run("b"), run("c", job="free"), run("d", job="free"), run("e", location="shop", job="free")]
    decision = decide(queued, [], limits)
    assert set(decision.start) == {"a", "c", "d"}
    assert "the limit of the job job: 1 of 1 are active" in decision.waiting["b"]
    assert "the limit of the location shop: 0 of 0 are active" in decision.waiting["e"]


tags = st.dictionaries(st.sampled_from(["db", "customer"]), st.sampled_from(["one", "two"]))
limit = st.builds(
    TagLimit,
    key=st.sampled_from(["db", "customer"]),
    limit=st.integers(0, 3),
    value=st.sampled_from([None, "one"]),
    per_value=st.booleans(),
)


names = st.sampled_from(["one", "two"])
some = st.tuples(names, names, tags)
by_name = st.dictionaries(st.sampled_from(["one", "*"]), st.integers(0, 3))


@given(
    queued=st.lists(some, max_size=12),
    active=st.lists(some, max_size=6),
    places=st.integers(-1, 8),
    tag_limits=st.lists(limit, max_size=3),
    job_limits=by_name,
    location_limits=by_name,
    fair_share=st.booleans(),
)
def test_no_limit_is_ever_exceeded_and_each_run_starts_or_says_why(
    queued: list[tuple[str, str, dict[str, str]]],
    active: list[tuple[str, str, dict[str, str]]],
    places: int,
    tag_limits: list[TagLimit],
    job_limits: dict[str, int],
    location_limits: dict[str, int],
    fair_share: bool,
) -> None:
    waiting = [run(f"q{n}", location=place, job=job, **tags) for n, (place, job, tags) in enumerate(queued)]
    running = [run(f"a{n}", location=place, job=job, **tags) for n, (place, job, tags) in enumerate(active)]
    limits = QueueLimits(
        max_concurrent_runs=places,
        tag_limits=tuple(tag_limits),
        job_limits=job_limits,
        location_limits=location_limits,
        fair_share=fair_share,
    )
    decision = decide(waiting, running, limits)
    assert sorted((*decision.start, *decision.waiting)) == sorted(each.run_id for each in waiting)
    started = [each for each in waiting if each.run_id in decision.start]
    if started and places >= 0:
        assert len(started) + len(running) <= places
    for one in started:
        if (number := limit_for(one.job, job_limits)) is not None:
            alike = [each for each in [*running, *started] if (each.location, each.job) == (one.location, one.job)]
            assert len(alike) <= number
        if (number := limit_for(one.location, location_limits)) is not None:
            assert sum(each.location == one.location for each in [*running, *started]) <= number
    for each in tag_limits:
        counted = Counter(
            one.tags[each.key] if each.per_value else each.key
            for one in [*running, *started]
            if each.key in one.tags and each.value in (None, one.tags[each.key])
        )
        before = Counter(
            one.tags[each.key] if each.per_value else each.key
            for one in running
            if each.key in one.tags and each.value in (None, one.tags[each.key])
        )
        assert all(counted[value] <= max(each.limit, before[value]) for value in counted)


def test_a_limit_that_is_named_twice_counts_once() -> None:
    limit = TagLimit(key="db", limit=1)
    each = TagLimit(key="db", limit=2, per_value=True)
    assert slots_of({"db": "x"}, [limit, limit, each, TagLimit(key="db", limit=1, value="y")]) == [
        (limit, None),
        (each, "x"),
    ]
    assert slots_of({"other": "x"}, [limit]) == []
