"""Which queued runs start: in order, within the limits, each waiting one with its reason."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from penstock.engine.limits import TagLimit, slots_of
from penstock.engine.queue import QueueLimits, decide
from penstock.records.run import Run


def run(run_id: str, *, location: str = "flights", **tags: str) -> Run:
    return Run(run_id=run_id, location=location, job="job", tags=tags)


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


tags = st.dictionaries(st.sampled_from(["db", "customer"]), st.sampled_from(["one", "two"]))
limit = st.builds(
    TagLimit,
    key=st.sampled_from(["db", "customer"]),
    limit=st.integers(0, 3),
    value=st.sampled_from([None, "one"]),
    per_value=st.booleans(),
)


@given(
    queued=st.lists(tags, max_size=12),
    active=st.lists(tags, max_size=6),
    places=st.integers(-1, 8),
    tag_limits=st.lists(limit, max_size=3),
)
def test_no_limit_is_ever_exceeded_and_each_run_starts_or_says_why(
    queued: list[dict[str, str]], active: list[dict[str, str]], places: int, tag_limits: list[TagLimit]
) -> None:
    waiting = [run(f"q{n}", **tags) for n, tags in enumerate(queued)]
    running = [run(f"a{n}", **tags) for n, tags in enumerate(active)]
    decision = decide(waiting, running, QueueLimits(max_concurrent_runs=places, tag_limits=tuple(tag_limits)))
    assert sorted((*decision.start, *decision.waiting)) == sorted(each.run_id for each in waiting)
    started = [each for each in waiting if each.run_id in decision.start]
    if started and places >= 0:
        assert len(started) + len(running) <= places
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
