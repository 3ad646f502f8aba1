"""What each condition is true for: tables whose lines say a condition, what happens, and which ticks request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from penstock.records.conditions.condition import AutomationCondition
from support.automation_world import World

A = AutomationCondition
Step = Callable[[World], None] | None
ALL = ["all"]

LATER: Step = lambda world: setattr(world, "now", world.now + 600.0)  # noqa: E731
UPDATE_A: Step = lambda world: world.update("a")  # noqa: E731 - steps are short and many
RUN_A: Step = lambda world: world.update("a", run="r")  # noqa: E731


def wait(seconds: float) -> Step:
    """Time goes by."""

    def step(world: World) -> None:
        world.now += seconds

    return step


def begin(run: str, *targets: str, **tags: str) -> Step:
    """A run begins."""
    return lambda world: world.begin(run, *targets, tags={key.replace("__", "/"): each for key, each in tags.items()})


def end(run: str, failed: bool = False) -> Step:
    """A run ends."""
    return lambda world: world.end(run, failed=failed)


def check(passed: bool) -> Step:
    """The check is evaluated."""
    return lambda world: world.check("check a:good", passed)


def both(*steps: Step) -> Step:
    """One after the other, between the same ticks."""

    def step(world: World) -> None:
        for each in steps:
            if each is not None:
                each(world)

    return step


# (what, condition of `a`, the steps before each further tick, whether each tick requests `a`)
OF_A: Sequence[tuple[str, AutomationCondition, Sequence[Step], Sequence[int]]] = [
    ("missing", A.missing(), [None, UPDATE_A, None], [1, 1, 0, 0]),
    ("not missing", ~A.missing(), [UPDATE_A], [0, 1]),
    ("newly_missing", A.newly_missing(), [None, UPDATE_A], [1, 0, 0]),
    ("newly_updated", A.newly_updated(), [UPDATE_A, None, UPDATE_A], [0, 1, 0, 1]),
    ("an update before the first tick is not new", A.newly_updated(), [None], [0, 0]),
    ("newly_requested", A.newly_requested() | A.initial_evaluation(), [None, None], [1, 1, 1]),
    ("initial_evaluation", A.initial_evaluation(), [None, UPDATE_A], [1, 0, 0]),
    ("run_in_progress", A.run_in_progress(), [begin("r", "a"), None, RUN_A, end("r")], [0, 1, 1, 0, 0]),
    ("backfill_in_progress not", A.backfill_in_progress(), [begin("r", "a")], [0, 0]),
    (
        "backfill_in_progress",
        A.backfill_in_progress(),
        [begin("r", "a", penstock__backfill="1"), end("r")],
        [0, 1, 0],
    ),
    ("in_progress", A.in_progress(), [begin("r", "a"), end("r")], [0, 1, 0]),
    (
        "execution_failed",
        A.execution_failed(),
        [begin("r", "a"), end("r", failed=True), begin("s", "a"), both(UPDATE_A, end("s"))],
        [0, 0, 1, 0, 0],
    ),
    ("cron_tick_passed", A.cron_tick_passed("* * * * *"), [None, None, wait(3600)], [0, 0, 1, 1]),
    ("cron_tick_passed is never due at the first", A.cron_tick_passed("@yearly"), [None], [0, 0]),
    ("in_latest_time_window of what has none", A.in_latest_time_window(), [], [1]),
    ("code_version_changed", A.code_version_changed(), [None, UPDATE_A], [0, 0, 0]),
    (
        "data_version_changed",
        A.data_version_changed(),
        [
            lambda world: world.update("a", version="1"),
            lambda world: world.update("a", version="1"),
            lambda world: world.update("a", version="2"),
            None,
        ],
        [0, 1, 0, 1, 0],
    ),
    (
        "executed_with_tags",
        A.executed_with_tags(tag_values={"team": "data"}, tag_keys={"team"}),
        [both(begin("r", "a", team="data"), RUN_A), None, UPDATE_A],
        [0, 1, 1, 0],
    ),
    ("executed_with_tags of other values", A.executed_with_tags(tag_values={"team": "x"}), [RUN_A], [0, 0]),
    (
        "any_new_update_has_run_tags",
        A.any_new_update_has_run_tags(tag_keys={"team"}),
        [both(begin("r", "a", team="x"), RUN_A, UPDATE_A), None],
        [0, 1, 0],
    ),
    (
        "all_new_updates_have_run_tags",
        A.all_new_updates_have_run_tags(tag_keys={"team"}),
        [both(begin("r", "a", team="x"), RUN_A, UPDATE_A), RUN_A],
        [0, 0, 1],
    ),
    ("freshness_passed", A.freshness_passed(), [UPDATE_A, None, None, None], [0, 1, 1, 1, 0]),
    ("freshness_warned", A.freshness_warned(), [UPDATE_A, None, None, None], [0, 0, 0, 0, 1]),
    ("freshness_failed", A.freshness_failed(), [UPDATE_A, LATER], [0, 0, 1]),
    ("and", A.missing() & A.initial_evaluation(), [None], [1, 0]),
    ("or", A.missing() | A.initial_evaluation(), [UPDATE_A], [1, 0]),
    ("newly_true", A.missing().newly_true(), [None, UPDATE_A], [1, 0, 0]),
    ("newly_true of news", A.newly_updated().newly_true(), [UPDATE_A, UPDATE_A, None], [0, 1, 0, 0]),
    ("since", A.newly_updated().since(A.cron_tick_passed("@hourly")), [UPDATE_A, None, wait(3600)], [0, 1, 1, 0]),
    ("reset wins", A.missing().since(A.missing()), [None], [0, 0]),
    ("since_last_handled", A.missing().since_last_handled(), [None, None], [0, 1, 0]),
    ("on_missing is not for what was missing before", A.on_missing(), [None, None], [0, 0, 0]),
    ("on_cron", A.on_cron("@hourly"), [wait(3600), None, wait(1800), wait(1800)], [0, 1, 0, 0, 1]),
    ("any_checks_match", A.any_checks_match(A.check_failed()), [check(False), check(True)], [0, 1, 0]),
    ("all_checks_match", A.all_checks_match(A.check_passed()), [check(False), check(True)], [0, 0, 1]),
    (
        "checks that are ignored",
        A.all_checks_match(A.check_passed(), blocking_only=True).scoped(),
        [check(True)],
        [0, 1],
    ),
    ("any_deps_match without deps", A.any_deps_match(~A.missing()), [], [0]),
    ("all_deps_match without deps", A.all_deps_match(A.missing()), [], [1]),
    ("asset_matches", A.asset_matches("b", A.newly_updated()), [lambda world: world.update("b"), None], [0, 1, 0]),
]


@pytest.mark.parametrize(
    ("condition", "steps", "expected"), [each[1:] for each in OF_A], ids=[each[0] for each in OF_A]
)
def test_of_an_asset(
    ticks: Callable[..., Any], condition: AutomationCondition, steps: Sequence[Step], expected: Sequence[int]
) -> None:
    run = ticks(a=condition)
    found = [int("a" in run.tick())]
    for step in steps:
        if step is not None:
            step(run.world)
        found.append(int("a" in run.tick()))
    assert found == list(expected)


UPDATED_B: Step = lambda world: world.update("b")  # noqa: E731

OF_B: Sequence[tuple[str, AutomationCondition, Sequence[Step], Sequence[int]]] = [
    ("any_deps_missing", A.any_deps_missing(), [UPDATE_A], [1, 0]),
    ("any_deps_updated", A.any_deps_updated(), [UPDATE_A, None], [0, 1, 0]),
    (
        "an update by a run that makes both does not count",
        A.any_deps_updated(),
        [both(begin("r", "a", "b"), RUN_A)],
        [0, 0],
    ),
    ("an update by another run counts", A.any_deps_updated(), [both(begin("r", "a"), RUN_A)], [0, 1]),
    ("any_deps_in_progress", A.any_deps_in_progress(), [begin("r", "a"), end("r")], [0, 1, 0]),
    ("all_deps_blocking_checks_passed", A.all_deps_blocking_checks_passed(), [check(False), check(True)], [0, 0, 1]),
    ("eager follows", A.eager(), [None, UPDATE_A, None, UPDATED_B], [0, 0, 1, 0, 0]),
    ("eager waits for what is missing", A.eager().replace("handled", A.newly_requested()), [None, UPDATE_A], [0, 0, 1]),
    (
        "eager waits for a run of its own",
        A.eager(),
        [both(UPDATE_A, begin("r", "b")), None, both(UPDATED_B, end("r"))],
        [0, 0, 0, 0],
    ),
    (
        "eager waits for a dependency that is made again",
        A.eager(),
        [both(UPDATE_A, begin("r", "a")), None, both(RUN_A, end("r"))],
        [0, 0, 0, 1],
    ),
    (
        "on_cron waits for its dependencies",
        A.on_cron("@hourly"),
        [wait(3600), None, UPDATE_A, None, UPDATE_A],
        [0, 0, 0, 1, 0, 0],
    ),
    (
        "all_deps_updated_since_cron",
        A.all_deps_updated_since_cron("@hourly"),
        [UPDATE_A, None, wait(3600)],
        [0, 1, 1, 0],
    ),
    ("bound to none of its deps", A.any_deps_match(A.missing()), [], [1]),
]


@pytest.mark.parametrize(
    ("condition", "steps", "expected"), [each[1:] for each in OF_B], ids=[each[0] for each in OF_B]
)
def test_of_a_dependent(
    ticks: Callable[..., Any], condition: AutomationCondition, steps: Sequence[Step], expected: Sequence[int]
) -> None:
    run = ticks(b=condition)
    found = [int("b" in run.tick())]
    for step in steps:
        if step is not None:
            step(run.world)
        found.append(int("b" in run.tick()))
    assert found == list(expected)


def test_a_chain_is_requested_in_one_tick(ticks: Callable[..., Any]) -> None:
    run = ticks(a=A.on_cron("@hourly"), b=A.eager(), c=A.eager())
    assert run.tick() == {}
    run.world.now += 3600
    # c waits: b is missing, and will not be there before b is requested ... in the same tick, so it goes along.
    assert run.tick() == {"a": ALL, "b": ALL, "c": ALL}


def test_what_has_other_partitions_waits_for_the_update(ticks: Callable[..., Any]) -> None:
    run = ticks(p=A.missing(), q=A.any_deps_match(A.will_be_requested()), r=A.any_deps_match(A.will_be_requested()))
    assert run.tick() == {"p": ["x", "y", "z"], "q": ["x", "y", "z"]}


def test_partitions_are_told_apart(ticks: Callable[..., Any]) -> None:
    run = ticks(q=A.any_deps_updated(), r=A.any_deps_updated(), p=A.missing())
    assert run.tick() == {"p": ["x", "y", "z"], "q": ["x", "y", "z"]}
    run.world.update("p", 1)
    assert run.tick() == {"p": ["x", "z"], "q": ["x", "y", "z"], "r": ALL}


def test_one_upstream_partition_is_enough_for_all_deps_match(ticks: Callable[..., Any]) -> None:
    run = ticks(r=A.all_deps_match(~A.missing()))
    assert run.tick() == {}
    run.world.update("p", 2)
    assert run.tick() == {"r": ALL}


@pytest.mark.parametrize(("hours", "first"), [(None, 9), (1, None), (24, 9), (25, 9), (48, 8), (1000, 0)])
def test_the_latest_time_windows(ticks: Callable[..., Any], hours: float | None, first: int | None) -> None:
    lookback = None if hours is None else timedelta(hours=hours)
    run = ticks(d=A.in_latest_time_window(lookback))
    expected = [] if first is None else [f"1970-01-{day + 1:02}" for day in range(first, 10)]
    assert run.tick().get("d", []) == expected


def test_a_new_day_is_newly_missing(ticks: Callable[..., Any]) -> None:
    run = ticks(d=A.eager(), e=A.eager())
    assert run.tick() == {}
    run.world.now += 86_400
    assert run.tick() == {"d": ["1970-01-11"], "e": ["1970-01-11"]}
    assert run.tick() == {}


def test_a_check_follows_its_asset(ticks: Callable[..., Any]) -> None:
    run = ticks(check=A.eager())
    run.tick()
    run.world.update("a")
    assert run.tick() == {"check a:good": ALL}
    run.world.check("check a:good", True)
    assert run.tick() == {}


def test_conditions_downstream_are_those_of_the_asset_itself(ticks: Callable[..., Any]) -> None:
    run = ticks(a=A.any_downstream_conditions(), c=A.cron_tick_passed("@hourly"))
    assert run.tick() == {}
    run.world.now += 3600
    assert run.tick() == {"a": ALL, "c": ALL}


def test_conditions_downstream_of_a_dependency_wake_who_asks_for_them(ticks: Callable[..., Any]) -> None:
    below = A.any_deps_match(A.any_downstream_conditions())
    run = ticks(check=below, c=A.cron_tick_passed("@hourly") | A.any_deps_match(A.newly_updated()))
    assert run.tick(3600.0) == {}
    assert run.tick() == {"check a:good": ["all"], "c": ["all"]}
    assert run.tick() == {}


def test_a_job_looks_at_its_root_assets(ticks: Callable[..., Any]) -> None:
    run = ticks(job=A.any_job_root_assets_match(A.newly_updated()) | A.all_job_root_assets_match(A.execution_failed()))
    assert run.tick() == {}
    run.world.update("a")
    assert run.tick() == {"job nightly": ALL}
    assert run.tick() == {}
