"""A small graph: daily assets that depend on each other, one without partitions below them, a check and a job; any
conditions, and any history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import strategies as st

from penstock.engine.automation.cursor import Cursor
from penstock.engine.automation.decide import Decision, decide
from penstock.engine.automation.graph import AutomationGraph, Dependency, Entity, Kind
from penstock.partitions.definition import keys_of
from penstock.partitions.spec import StaticSpec, TimeWindowSpec
from penstock.records.conditions.condition import AutomationCondition
from penstock.records.freshness import FreshnessPolicy
from support.automation_world import World

DAY = 86_400.0
DAILY = TimeWindowSpec(cron="0 0 * * *", start="1970-01-01", fmt="%Y-%m-%d")
SOON_OLD = FreshnessPolicy.time_window(fail_window=timedelta(minutes=10), warn_window=timedelta(minutes=1))
EVERY_HOUR = FreshnessPolicy.cron(deadline_cron="@hourly", lower_bound_delta=timedelta(minutes=2))
A = AutomationCondition
LETTERS = StaticSpec(keys=("x", "y", "z"))


def small_graph(**conditions: AutomationCondition) -> AutomationGraph:
    """The graph of this file with these conditions, by the names of the entities: `check` and `job` are in it too."""
    ids = {"check": "check a:good", "job": "job nightly"}
    by_id = {ids.get(name, name): condition for name, condition in conditions.items()}

    def entity(key: str, *deps: str, **more: object) -> Entity:
        dependencies = tuple(Dependency(each) for each in deps)
        return Entity(id=key, deps=dependencies, condition=by_id.get(key), **more)  # type: ignore[arg-type]

    return AutomationGraph(
        [
            entity(
                "a", dependents=("b", "check a:good"), checks=("check a:good",), code_version="1", freshness=SOON_OLD
            ),
            entity("check a:good", "a", kind=Kind.CHECK, blocking=True),
            entity("b", "a", dependents=("c",), freshness=EVERY_HOUR),
            entity("c", "b"),
            entity("p", partitions=LETTERS, dependents=("q", "r")),
            entity("q", "p", partitions=LETTERS),
            entity("r", "p"),
            entity("d", partitions=DAILY, dependents=("e",)),
            entity("e", "d", partitions=DAILY, partitions_per_run=None),
            entity("job nightly", kind=Kind.JOB, roots=("a",)),
        ]
    )


class Ticks:
    """Ticks over one world, each with the cursor of the one before."""

    def __init__(self, graph: AutomationGraph, now: float = 10 * DAY) -> None:
        self.world = World(graph, now)
        self.cursor: str | None = None
        self.last: Decision | None = None

    def tick(self, seconds: float = 30.0) -> dict[str, list[str]]:
        """What a tick requests, by entity: keys, or `all` of what has no partitions."""
        self.last = decide(self.world.graph, self.world, Cursor.from_text(self.cursor))
        self.cursor = self.last.cursor.to_text()
        view = self.last.view
        self.world.now += seconds
        found = {}
        for key, subset in self.last.requested.items():
            space = view.space(view.graph.entities[key])
            found[key] = ["all"] if space is None else keys_of(space, subset)
        return found


@pytest.fixture
def ticks() -> Callable[..., Ticks]:
    """Ticks over the small graph with the given conditions."""
    return lambda **conditions: Ticks(small_graph(**conditions))


LEAVES = st.sampled_from(
    [
        A.missing(),
        A.newly_updated(),
        A.newly_requested(),
        A.will_be_requested(),
        A.in_progress(),
        A.execution_failed(),
        A.initial_evaluation(),
        A.in_latest_time_window(),
        A.cron_tick_passed("*/2 * * * *"),
        A.executed_with_root_target(),
        A.data_version_changed(),
        A.executed_with_tags(tag_keys={"team"}),
        A.newly_missing(),
        A.any_deps_missing(),
        A.any_deps_updated(),
        A.eager(),
        A.on_cron("* * * * *"),
        A.on_missing(),
        A.code_version_changed(),
        A.in_latest_time_window(timedelta(days=2)),
        A.any_new_update_has_run_tags(tag_values={"team": "x"}),
        A.all_new_updates_have_run_tags(tag_keys={"team"}),
        A.backfill_in_progress(),
        A.any_deps_in_progress(),
        A.all_deps_updated_since_cron("*/3 * * * *"),
        A.all_deps_blocking_checks_passed(),
        A.any_downstream_conditions(),
        A.freshness_passed(),
        A.freshness_warned(),
        A.freshness_failed(),
        A.any_checks_match(A.check_passed() | A.newly_updated()),
        A.all_checks_match(A.check_failed(), blocking_only=True),
        A.any_job_root_assets_match(A.newly_updated()),
        A.all_job_root_assets_match(A.missing()),
    ]
)


def _larger(parts: st.SearchStrategy[AutomationCondition]) -> st.SearchStrategy[AutomationCondition]:
    return st.one_of(
        st.builds(lambda one, other: one & other, parts, parts),
        st.builds(lambda one, other: one | other, parts, parts),
        st.builds(lambda one: ~one, parts),
        st.builds(lambda one: one.newly_true(), parts),
        st.builds(lambda one, other: one.since(other), parts, parts),
        st.builds(lambda one: one.since_last_handled(), parts),
        st.builds(A.any_deps_match, parts),
        st.builds(A.all_deps_match, parts),
        st.builds(lambda one: A.asset_matches("a", one), parts),
    )


CONDITIONS: st.SearchStrategy[AutomationCondition] = st.recursive(LEAVES, _larger, max_leaves=6)


def happenings(names: Sequence[str]) -> st.SearchStrategy[list[tuple[Any, ...]]]:
    """Histories of these assets, with ticks; `happen` has one thing of them happen."""
    return st.lists(
        st.one_of(
            st.tuples(st.just("tick"), st.sampled_from([1.0, 30.0, 60.0, 3600.0, 86_400.0])),
            st.tuples(st.just("update"), st.sampled_from(names), st.integers(0, 2)),
            st.tuples(st.just("made by a run"), st.sampled_from(names), st.integers(0, 2)),
            st.tuples(st.just("run"), st.sampled_from(names), st.sampled_from(names)),
            st.tuples(st.just("end"), st.booleans()),
            st.tuples(st.just("check"), st.booleans()),
        ),
        min_size=3,
        max_size=25,
    )


def happen(world: World, what: tuple[Any, ...]) -> None:
    """Have it happen; a tick is not of the world."""
    match what:
        case ("update", name, position):
            world.update(name, position if world.graph.entities[name].partitions else 0, version=str(position))
        case ("made by a run", name, position) if world.runs:
            world.update(name, position if world.graph.entities[name].partitions else 0, run=list(world.runs)[-1])
        case ("run", one, other):
            world.begin(f"r{len(world.runs)}", *{one, other}, tags={"team": "x"} if one < other else {})
        case ("check", passed):
            world.check("check a:good", passed)
        case ("end", failed) if world.runs:
            world.end(list(world.runs)[-1], failed=failed)
        case _:
            pass
