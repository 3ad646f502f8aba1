"""Those that are alike are evaluated once: that makes no difference to what each requests, remembers and is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.engine.automation.cursor import Cursor
from penstock.engine.automation.decide import Decision, decide
from penstock.engine.automation.graph import AutomationGraph, Dependency, Entity, Kin, Kind
from penstock.execution.automation import evaluation_records
from penstock.partitions.mapping import AllPartitionMapping
from penstock.records.conditions.condition import AutomationCondition
from penstock.records.conditions.evaluation import EvaluationRecord
from support.automation_world import World

from .conftest import CONDITIONS, DAY, LETTERS, SOON_OLD, happen, happenings

A = AutomationCondition


def entity(key: str, *deps: str | Dependency, **more: Any) -> Entity:
    """An asset with these dependencies."""
    dependencies = tuple(each if isinstance(each, Dependency) else Dependency(each) for each in deps)
    return Entity(id=key, deps=dependencies, **more)


def checks_of(key: str, *blocking: bool) -> tuple[Entity, ...]:
    """An asset and its checks."""
    names = tuple(f"check {key}:{number}" for number, _ in enumerate(blocking))
    checks = (entity(each, key, kind=Kind.CHECK, blocking=is_so) for each, is_so in zip(names, blocking, strict=True))
    return (entity(key, checks=names, dependents=names, freshness=SOON_OLD, code_version="1"), *checks)


TWINS = [
    *checks_of("a", True, False),
    *checks_of("b", False, True),
    entity("c", "a", "b"),
    entity("d", "b", "a"),
    entity("e", "b", "b"),
    entity("p", partitions=LETTERS),
    entity("q", "p", partitions=LETTERS),
    entity("r", "p", partitions=LETTERS),
    entity("s", Dependency("p", AllPartitionMapping()), partitions=LETTERS),
    entity("t", "p"),
    entity("f", "a", "b"),
    entity("g", "c"),
    entity("h", "a"),
    entity("i", "b", "c"),
    entity("x", "f", "g"),
    entity("y", "h", "i"),
    entity("job one", kind=Kind.JOB, roots=("a",)),
    entity("job other", kind=Kind.JOB, roots=("b",)),
]
"""Several of each kind that are alike, or nearly so."""
LEVELS = (
    ("a", "b"),
    ("check a:0", "check a:1", "check b:0", "check b:1"),
    ("c", "d", "e"),
    ("p", "q", "r", "s", "t"),
    ("x", "y"),
    ("job one", "job other"),
)


def with_conditions(conditions: Mapping[str, AutomationCondition]) -> list[Entity]:
    """The twins with conditions."""
    return [msgspec.structs.replace(each, condition=conditions.get(each.id)) for each in TWINS]


class Apart(AutomationGraph):
    """A graph in which nothing is like anything else, and all is asked, also where no partition is of interest."""

    @property
    def kin(self) -> Mapping[str, Kin]:
        return {}

    @staticmethod
    def is_same_for_all(question: AutomationCondition) -> bool:
        return False

    def leaves_nothing(self, condition: AutomationCondition) -> bool:
        return False


def told(decision: Decision) -> dict[str, EvaluationRecord]:
    """What each is told of its evaluation."""
    records = evaluation_records(decision, decision.evaluated)
    return {each.entity: each for record in records for each in record.each()}


class Pair:
    """Ticks over one world, together and apart."""

    def __init__(self, conditions: Mapping[str, AutomationCondition]) -> None:
        self.world = World(AutomationGraph(with_conditions(conditions)), now=10 * DAY)
        self._together: Cursor | None = None
        self._apart: Cursor | None = None

    def tick(self) -> dict[str, int]:
        """How much each requests."""
        graph = self.world.graph
        together = decide(graph, self.world, self._together)
        alone = decide(Apart(graph.entities.values()), self.world, self._apart)
        self._together, self._apart = together.cursor, alone.cursor
        assert together.requested == alone.requested
        assert together.cursor.roots == alone.cursor.roots
        assert together.until == alone.until
        assert told(together) == told(alone)
        self.world.now += 30.0
        return {key: len(subset) for key, subset in together.requested.items()}


@settings(max_examples=300)
@given(
    conditions=st.fixed_dictionaries(dict.fromkeys(LEVELS, CONDITIONS)),
    history=happenings(("a", "b", "c", "p", "q", "r")),
)
def test_each_comes_to_what_it_comes_to_alone(
    conditions: dict[tuple[str, ...], AutomationCondition], history: list[tuple[Any, ...]]
) -> None:
    pair = Pair({key: condition for level, condition in conditions.items() for key in level})
    for what in [*history, ("tick", 30.0), ("tick", 30.0)]:
        happen(pair.world, what)
        if what[0] == "tick":
            pair.world.now += what[1]
            pair.tick()


def begin(run: str, *targets: str, **tags: str) -> Callable[[World], None]:
    """A run begins."""
    return lambda world: world.begin(run, *targets, tags=tags)


def make(*assets: str, run: str | None = None, partition: int = 0) -> Callable[[World], None]:
    """Assets are made."""

    def step(world: World) -> None:
        for each in assets:
            world.update(each, partition, run=run)

    return step


def end(run: str) -> Callable[[World], None]:
    """A run ends."""
    return lambda world: world.end(run)


# (what makes a difference, the condition, two that have it, what happens between ticks, what each tick requests)
STORIES: Sequence[tuple[str, AutomationCondition, str, Iterable[Sequence[Any]], Sequence[dict[str, int]]]] = [
    ("nothing", A.any_deps_match(A.newly_updated()), "cd", [[make("a")], []], [{}, {"c": 1, "d": 1}, {}]),
    (
        "whether a run makes them too",
        A.any_deps_match(A.newly_updated() & ~A.executed_with_root_target()),
        "cd",
        [[begin("1", "a", "c"), make("a", run="1")]],
        [{}, {"d": 1}],
    ),
    (
        "which partitions are asked about",
        A.missing() & A.any_deps_match(A.executed_with_tags(tag_keys={"team"})),
        "qr",
        [
            [make("q", partition=1), make("r", partition=0), begin("1", "p", team="x")],
            [make("p", run="1", partition=0), make("p", run="1", partition=1)],
        ],
        [{}, {}, {"q": 1, "r": 1}],
    ),
    (
        "what they remember",
        A.newly_updated().since(A.execution_failed()) & ~A.in_progress(),
        "cd",
        [[make("c"), begin("1", "c", "d")], [end("1")]],
        [{}, {}, {"c": 1}],
    ),
    (
        "the names of what they remember",
        A.all_deps_match(A.newly_updated().since(A.execution_failed())),
        "gh",
        [[make("a", "c")], []],
        [{}, {"g": 1, "h": 1}, {"g": 1, "h": 1}],
    ),
    (
        "how their dependencies depend on others",
        A.any_deps_match(A.all_deps_match(A.newly_updated())),
        "xy",
        [[make("a")]],
        [{}, {"y": 1}],
    ),
    (
        "which of the checks is a blocking one",
        A.any_checks_match(A.newly_updated()) & A.any_checks_match(A.check_passed(), blocking_only=True),
        "ab",
        [[lambda world: [world.check(f"check {key}:0", True) for key in "ab"]]],
        [{}, {"a": 1}],
    ),
    (
        "how partitions are mapped",
        A.any_deps_match(A.newly_updated()),
        "qs",
        [[make("p", partition=1)]],
        [{}, {"q": 1, "s": 3}],
    ),
    ("which partitions they have", A.any_deps_match(A.newly_updated()), "qt", [[make("p")]], [{}, {"q": 1, "t": 1}]),
]


@pytest.mark.parametrize(
    ("condition", "who", "happening", "requested"), [pytest.param(*each[1:], id=each[0]) for each in STORIES]
)
def test_what_makes_a_difference_makes_one(
    condition: AutomationCondition,
    who: str,
    happening: Iterable[Sequence[Any]],
    requested: Sequence[dict[str, int]],
) -> None:
    pair = Pair(dict.fromkeys(who, condition))
    found = [pair.tick()]
    for steps in happening:
        for step in steps:
            step(pair.world)
        found.append(pair.tick())
    assert found == requested


@pytest.mark.parametrize("new", ["d", "e"])
def test_for_who_is_new_nothing_is_new(new: str) -> None:
    conditions = dict.fromkeys("cde", A.any_deps_match(A.newly_updated()))
    pair = Pair({key: each for key, each in conditions.items() if key != new})
    pair.tick()
    pair.world.graph = AutomationGraph(with_conditions(conditions))
    make("a", "b")(pair.world)
    assert pair.tick() == {key: 1 for key in conditions if key != new}


def test_those_that_come_to_the_same_are_told_once() -> None:
    world = World(AutomationGraph(with_conditions(dict.fromkeys("cde", A.any_deps_match(A.missing())))))
    decision = decide(world.graph, world)
    together, alone = evaluation_records(decision, decision.evaluated)
    assert (together.entity, together.ids, together.alike) == ("c", ("c", "a", "b"), (("d", "b", "a"),))
    assert [each.entity for each in together.each()] == ["c", "d"]
    assert [each.entity for each in list(together.each())[1].root.children] == ["b", "a"]
    assert (alone.entity, alone.ids, alone.alike) == ("e", (), ())
