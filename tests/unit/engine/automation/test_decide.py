"""What is evaluated again, and that leaving the rest out makes no difference: laws, and random histories."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.engine.automation.cursor import Cursor
from penstock.engine.automation.decide import decide
from penstock.errors import DefinitionError
from penstock.records.conditions.condition import AutomationCondition
from support.automation_world import World

from .conftest import CONDITIONS, Ticks, happen, happenings, small_graph

A = AutomationCondition

NAMES = ("a", "b", "c", "p", "q", "r", "d", "e")
WITH_CONDITIONS = (*NAMES, "check", "job")

HAPPENINGS = happenings(NAMES)


@settings(max_examples=300)
@given(
    conditions=st.dictionaries(st.sampled_from(WITH_CONDITIONS), CONDITIONS, min_size=1, max_size=6),
    happenings=HAPPENINGS,
)
def test_evaluating_only_what_may_have_changed_comes_to_the_same(
    conditions: dict[str, AutomationCondition], happenings: list[tuple[Any, ...]]
) -> None:
    world = World(small_graph(**conditions), now=10 * 86_400.0)
    lazy = eager = None
    until: float | None = world.now
    for what in [*happenings, ("tick", 30.0), ("tick", 30.0), ("tick", 30.0)]:
        if what[0] != "tick":
            happen(world, what)
            continue
        world.now += what[1]
        world.tells_changes = False
        every = decide(world.graph, world, eager)
        eager = every.cursor
        if lazy is not None and lazy.event == world.last_event and (until is None or world.now < until):
            assert every.requested == {}, "it was to be left alone"
        else:
            world.tells_changes = True
            some = decide(world.graph, world, lazy)
            lazy, until = some.cursor, some.until
            assert some.requested == every.requested
        for key, memory in eager.roots.items():
            assert lazy.roots[key].parts == memory.parts
            assert lazy.roots[key].values == memory.values
        assert set(every.evaluated) == set(world.graph.roots)


STEADY: st.SearchStrategy[AutomationCondition] = st.recursive(
    st.sampled_from([A.missing(), A.in_progress(), A.execution_failed(), A.in_latest_time_window()]),
    lambda parts: st.one_of(
        st.builds(lambda one, other: one & other, parts, parts),
        st.builds(lambda one, other: one | other, parts, parts),
        st.builds(lambda one: ~one, parts),
        st.builds(A.any_deps_match, parts),
        st.builds(A.all_deps_match, parts),
    ),
    max_leaves=6,
)


@given(condition=STEADY, name=st.sampled_from(NAMES), happenings=HAPPENINGS)
def test_what_remembers_nothing_comes_to_the_same_from_scratch(
    condition: AutomationCondition, name: str, happenings: list[tuple[Any, ...]]
) -> None:
    run = Ticks(small_graph(**{name: condition}))
    for what in happenings:
        happen(run.world, what)
        if what[0] == "tick":
            run.world.now += what[1]
            now = run.world.now
            requested = run.tick(0)
            scratch = Ticks(run.world.graph, now)
            scratch.world = run.world
            assert scratch.tick(0) == requested


@given(one=CONDITIONS, other=CONDITIONS, name=st.sampled_from(NAMES), happenings=HAPPENINGS)
def test_laws(
    one: AutomationCondition, other: AutomationCondition, name: str, happenings: list[tuple[Any, ...]]
) -> None:
    pairs = [
        (~(~one), one),
        (~(one & other), ~one | ~other),
        (one & other, other & one),
        (one | other, other | one),
        (one & one, one),
    ]
    # What was requested before is an input of conditions; so that both sides see the same, neither is asked for it.
    pairs = [pair for pair in pairs if not any("requested" in each.words for side in pair for each in side.walk())]
    for left, right in pairs:
        sides = [Ticks(small_graph(**{name: side})) for side in (left, right)]
        for what in happenings:
            for side in sides:
                happen(side.world, what)
            if what[0] == "tick":
                first, second = (side.tick(what[1]) for side in sides)
                assert first == second


@given(happenings=HAPPENINGS)
def test_since_is_a_walk_over_history(happenings: list[tuple[Any, ...]]) -> None:
    trigger, reset = A.newly_updated(), A.cron_tick_passed("*/2 * * * *")
    ticks = [Ticks(small_graph(p=each)) for each in (trigger, reset, trigger.since(reset))]
    walked: set[str] = set()
    for what in happenings:
        for each in ticks:
            happen(each.world, what)
        if what[0] == "tick":
            now_true, now_reset, found = (set(each.tick(what[1]).get("p", ())) for each in ticks)
            walked = (walked | now_true) - now_reset
            assert found == walked


def test_a_quiet_tick_evaluates_nothing(ticks: Callable[..., Any]) -> None:
    run = ticks(a=A.eager(), b=A.eager(), p=A.on_missing(), d=A.missing() & A.in_progress())
    run.tick()
    run.tick()
    assert run.tick() == {}
    assert run.last.evaluated == {}
    assert run.world.prepared[-1] == set()


def test_only_what_looks_at_a_change_is_evaluated(ticks: Callable[..., Any]) -> None:
    run = ticks(a=A.eager(), b=A.eager(), c=A.eager(), p=A.eager(), q=A.eager())
    for _ in range(3):
        run.tick()
    run.world.update("p", 1)
    run.tick()
    assert set(run.last.evaluated) == {"p", "q"}
    assert run.world.prepared[-1] == {"p", "q"}


def test_a_changed_condition_begins_anew_and_others_remember(ticks: Callable[..., Any]) -> None:
    run = ticks(a=A.missing().since_last_handled(), p=A.newly_updated().since(A.newly_requested()) & A.missing())
    run.tick()
    changed = small_graph(a=A.missing().since_last_handled() & ~A.in_progress(), p=run.world.graph.roots["p"].condition)
    run.world.graph = changed
    assert run.tick() == {}  # the first evaluation counts as handled
    assert run.tick() == {"a": ["all"]}


def test_another_label_is_no_change(ticks: Callable[..., Any]) -> None:
    run = ticks(a=A.missing().since_last_handled())
    run.tick()
    run.world.graph = small_graph(a=A.missing().since_last_handled().with_label("lonely"))
    assert run.tick() == {"a": ["all"]}


def test_another_code_version_is_noticed(ticks: Callable[..., Any]) -> None:
    run = ticks(a=A.code_version_changed())
    assert (run.tick(), run.tick()) == ({}, {})
    graph = small_graph(a=A.code_version_changed())
    graph.entities["a"] = msgspec.structs.replace(graph.entities["a"], code_version="2")
    run.world.graph = graph
    assert (run.tick(), run.tick()) == ({"a": ["all"]}, {})


def test_what_cannot_but_be_made_along_is_requested_too() -> None:
    graph = small_graph(a=A.missing(), c=A.any_deps_match(A.will_be_requested()))
    graph.entities["a"] = msgspec.structs.replace(graph.entities["a"], siblings=("b",))
    assert Ticks(graph).tick() == {"a": ["all"], "b": ["all"], "c": ["all"]}


def test_only_conditions_among_those_asked_for_count() -> None:
    world = World(small_graph(a=A.missing(), c=A.missing()))
    assert set(decide(world.graph, world, among={"c", "unknown"}).requested) == {"c"}


@pytest.mark.parametrize("text", ["nonsense", "{}", "ünicode"])
def test_a_cursor_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(DefinitionError, match="reset it"):
        Cursor.from_text(text)


def test_a_condition_that_asks_an_asset_whether_it_passed_is_refused(ticks: Callable[..., Any]) -> None:
    with pytest.raises(DefinitionError, match="any_checks_match"):
        ticks(a=A.check_passed()).tick()
