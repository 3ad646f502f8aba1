"""A small graph: daily assets that depend on each other, one without partitions below them, a check and a job."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

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
