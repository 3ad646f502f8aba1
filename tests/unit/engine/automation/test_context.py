"""Conditions that users write: what they see, what they may return, and what is kept for them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from penstock.engine.automation.context import AutomationContext, AutomationResult
from penstock.errors import DefinitionError, UserCodeError
from penstock.records.conditions.condition import AutomationCondition
from penstock.records.keys import AssetCheckKey, AssetKey

from .conftest import small_graph

A = AutomationCondition
Result: Any = AutomationResult  # for what a type checker would refuse
Evaluate = Callable[[AutomationContext], Any]


class Own(AutomationCondition):
    """Asks a function."""

    def __init__(self, evaluate: Evaluate) -> None:
        self.seen: list[AutomationContext] = []
        self._evaluate = evaluate

    def evaluate(self, context: AutomationContext) -> Any:
        self.seen.append(context)
        return self._evaluate(context)


def test_it_sees_where_it_stands_and_keeps_a_cursor(ticks: Callable[..., Any]) -> None:
    times = []

    def evaluate(context: AutomationContext) -> AutomationResult:
        times.append((context.previous_evaluation_time, context.evaluation_time))
        return AutomationResult(context, context.candidate_subset, cursor=(context.cursor or "") + "x")

    own = Own(evaluate)
    run = ticks(p=own & ~A.missing())
    run.world.update("p", 0)
    assert run.tick() == {"p": ["x"]}
    assert run.tick() == {"p": ["x"]}
    first, second = own.seen
    assert (first.key, first.root_key, first.condition) == (AssetKey("p"), AssetKey("p"), own)
    assert (first.cursor, second.cursor) == (None, "x")
    assert times[0] == (None, datetime(1970, 1, 11, tzinfo=UTC))
    assert times[1] == (times[0][1], datetime(1970, 1, 11, 0, 0, 30, tzinfo=UTC))
    assert (first.max_storage_id, first.previous_max_storage_id, second.previous_max_storage_id) == (1, None, 1)
    assert (first.evaluation_id, second.evaluation_id) == (1, 2)
    assert first.previous_true_subset is None
    assert second.previous_true_subset == second.candidate_subset
    assert second.get_previous_requested_subset(AssetKey("p")).expensively_compute_partition_keys() == {"x"}
    assert second.get_empty_subset().is_empty


def test_it_asks_about_partitions(ticks: Callable[..., Any]) -> None:
    def evaluate(context: AutomationContext) -> AutomationResult:
        view = context.asset_graph_view
        candidates = context.candidate_subset
        upstream = candidates.compute_parent_subset("p")
        missing = view.compute_missing_subset(key=AssetKey("p"))
        assert upstream == view.get_full_subset(key="p")
        assert (missing | upstream) == upstream
        assert (upstream - missing).expensively_compute_partition_keys() == {"y"}
        assert (upstream & missing).size == 2
        assert missing.compute_child_subset("q").expensively_compute_partition_keys() == {"x", "z"}
        assert view.get_subset_from_partition_keys("p", ["y", "nowhere"]).size == 1
        assert view.compute_in_progress_subset(key="p").is_empty
        assert view.compute_execution_failed_subset(key="p").is_empty
        return AutomationResult(context, candidates.compute_intersection_with_partition_keys(["z"]))

    run = ticks(q=Own(evaluate))
    run.world.update("p", 1)
    assert run.tick() == {"q": ["z"]}


def test_it_combines_others(ticks: Callable[..., Any]) -> None:
    part = A.newly_updated().since(A.newly_requested())

    def evaluate(context: AutomationContext) -> AutomationResult:
        inner = context.for_child_condition(part).evaluate()
        return AutomationResult(context, inner.true_subset, child_results=[inner])

    run = ticks(a=Own(evaluate))
    assert run.tick() == {}
    run.world.update("a")
    assert run.tick() == {"a": ["all"]}
    assert run.tick() == {}
    assert run.last.evaluated["a"].children[0].condition is part


def test_it_sees_what_was_requested_before_it(ticks: Callable[..., Any]) -> None:
    own = Own(lambda context: AutomationResult(context, context.get_empty_subset()))
    run = ticks(a=A.missing(), check=own)
    run.tick()
    assert own.seen[0].key == AssetCheckKey(AssetKey("a"), "good")
    assert set(own.seen[0].request_subsets_by_key) == {AssetKey("a")}


def test_its_error_comes_through(ticks: Callable[..., Any]) -> None:
    def fail(_context: AutomationContext) -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        ticks(a=Own(fail)).tick()


@pytest.mark.parametrize(
    ("evaluate", "match"),
    [
        (lambda _context: True, "returns an AutomationResult"),
        (lambda context: Result(context, True), "context.candidate_subset"),
        (lambda context: AutomationResult(context, context.asset_graph_view.get_full_subset(key="b")), "for a; give"),
        (lambda context: Result(context, context.candidate_subset, cursor=3), "A cursor is a text"),
        (lambda context: context.candidate_subset.compute_parent_subset("c"), "does not depend on c"),
        (lambda context: context.candidate_subset | context.get_previous_requested_subset("b"), "both are of one"),
        (lambda context: context.asset_graph_view.get_full_subset(key="nowhere"), "There is no asset or check"),
        (lambda context: context.candidate_subset.compute_intersection_with_partition_keys(["x"]), "no partitions"),
    ],
)
def test_mistakes_are_named(ticks: Callable[..., Any], evaluate: Evaluate, match: str) -> None:
    with pytest.raises(UserCodeError, match=match):
        ticks(a=Own(evaluate)).tick()


def test_a_class_without_evaluate_is_refused(ticks: Callable[..., Any]) -> None:
    class Empty(AutomationCondition):
        pass

    with pytest.raises(DefinitionError, match="Empty of a cannot be evaluated"):
        ticks(a=Empty()).tick()


class Every(AutomationCondition):
    """True at every so many evaluations; keeps count in its cursor."""

    def __init__(self, number: int) -> None:
        self.number = number

    def evaluate(self, context: AutomationContext) -> AutomationResult:
        count = int(context.cursor or 0) + 1
        is_due = count % self.number == 0
        subset = context.candidate_subset if is_due else context.get_empty_subset()
        return AutomationResult(context, subset, cursor=str(count))


def test_two_of_one_class_keep_cursors_of_their_own(ticks: Callable[..., Any]) -> None:
    run = ticks(a=Every(2) | Every(3))
    assert [int("a" in run.tick()) for _ in range(7)] == [0, 1, 1, 1, 0, 1, 0]


def test_the_same_condition_of_a_reloaded_project_goes_on(ticks: Callable[..., Any]) -> None:
    run = ticks(a=Every(3))
    found = []
    for _ in range(6):
        found.append(int("a" in run.tick()))
        run.world.graph = small_graph(a=Every(3))
    assert found == [0, 0, 1, 0, 0, 1]
