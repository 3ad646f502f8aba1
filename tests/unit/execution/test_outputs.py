"""What functions may give, in every form, and the facts that follow in their order."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from penstock import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetMaterialization,
    AssetObservation,
    AssetOut,
    AssetSpec,
    DynamicOut,
    DynamicOutput,
    ExecuteInProcessResult,
    MaterializeResult,
    OpDefinition,
    Out,
    Output,
    asset,
    asset_check,
    graph,
    job,
    materialize,
    multi_asset,
    op,
)
from penstock.errors import UserCodeError
from penstock.records import event as facts
from penstock.records.metadata import IntMetadataValue, TextMetadataValue


def run(definition: OpDefinition, *, raise_on_error: bool = True) -> ExecuteInProcessResult:
    @job(name="just_it")
    def just_it() -> None:
        definition()

    return just_it.execute_in_process(raise_on_error=raise_on_error)


def told(result: ExecuteInProcessResult, step: str) -> list[str]:
    """The types of a step's events between its start and its end."""
    return [each.type for each in result.events_for_node(step)][1:-1]


def returns_plain() -> int:
    return 1


def returns_output() -> Output[int]:
    return Output(1)


def yields_output() -> Iterator[Output[int]]:
    yield Output(1)


async def returns_later() -> int:
    return 1


async def yields_later() -> AsyncIterator[Output[int]]:
    yield Output(1)


@pytest.mark.parametrize("fn", [returns_plain, returns_output, yields_output, returns_later, yields_later])
def test_one_output_in_each_form(fn: Callable[..., Any]) -> None:
    result = run(op(fn))
    assert result.output_for_node(fn.__name__) == 1
    assert told(result, fn.__name__) == ["STEP_OUTPUT", "HANDLED_OUTPUT"]


def test_several_outputs_as_a_tuple_or_yielded() -> None:
    @op(out={"a": Out(), "b": Out()})
    def pair() -> tuple[int, str]:
        return 1, "x"

    @op(out={"a": Out(), "b": Out()})
    def named() -> Iterator[Output[Any]]:
        yield Output("x", "b")
        yield Output(1, "a")

    for definition in (pair, named):
        result = run(definition)
        assert result.output_for_node(definition.name, "a") == 1
        assert result.output_for_node(definition.name, "b") == "x"


def test_dynamic_outputs_as_a_list_or_yielded() -> None:
    @op(out=DynamicOut())
    def listed() -> list[DynamicOutput[int]]:
        return [DynamicOutput(1, "a"), DynamicOutput(2, "b")]

    @op(out=DynamicOut())
    def yielded() -> Iterator[DynamicOutput[int]]:
        yield DynamicOutput(1, "a")
        yield DynamicOutput(2, "b")

    for definition in (listed, yielded):
        assert run(definition).output_for_node(definition.name) == {"a": 1, "b": 2}


def test_a_function_that_passes_no_value_stores_none() -> None:
    @op
    def silent() -> None:
        pass

    assert told(run(silent), "silent") == ["STEP_OUTPUT"]


def test_metadata_from_all_places_is_with_the_output() -> None:
    @op
    def labelled(context: Any) -> Output[int]:
        context.add_output_metadata({"from": "context"})
        return Output(1, metadata={"rows": 3})

    (given,) = [e.fact for e in run(labelled).all_events if isinstance(e.fact, facts.StepOutput)]
    assert given.metadata == {"from": TextMetadataValue("context"), "rows": IntMetadataValue(3)}


def two_values() -> Any:
    return 1, 2


def wrong_yield() -> Iterator[int]:
    yield 1


def twice() -> Iterator[Output[int]]:
    yield Output(1)
    yield Output(2)


def unknown_output() -> Output[int]:
    return Output(1, "other")


def nothing_at_all() -> Iterator[Output[int]]:
    yield from ()


def not_an_int() -> int:
    return "text"  # type: ignore[return-value]  # the mistake that is tested


def dynamic_where_none_is() -> DynamicOutput[int]:
    return DynamicOutput(1, "a")


@pytest.mark.parametrize(
    ("fn", "message"),
    [
        (wrong_yield, r"yielded an int \(1\)"),
        (twice, "'result' twice"),
        (unknown_output, "an output 'other', which it does not have"),
        (nothing_at_all, 'ended without giving "result"'),
        (not_an_int, r"a str \('text'\) as its output 'result', which is declared as int"),
        (dynamic_where_none_is, "which is not dynamic"),
    ],
)
def test_mistakes_name_the_op_and_where_it_is_written(fn: Callable[..., Any], message: str) -> None:
    with pytest.raises(UserCodeError, match=message) as caught:
        run(op(fn))
    assert f'Op "{fn.__name__}" ({__file__}:' in str(caught.value)


def test_a_tuple_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(UserCodeError, match="return a tuple of 3 values"):
        run(op(out={"a": Out(), "b": Out(), "c": Out()})(two_values))


def test_an_io_manager_that_fails_is_named_with_its_cause() -> None:
    class Refusing:
        def handle_output(self, context: Any, obj: Any) -> None:
            raise OSError("disk full")

        def load_input(self, context: Any) -> Any:
            return None

    @job(resource_defs={"io_manager": Refusing()})
    def refused() -> None:
        op(returns_plain)()

    with pytest.raises(UserCodeError, match=r"Refusing.*disk full") as caught:
        refused.execute_in_process()
    assert isinstance(caught.value.__cause__, OSError)


# -- assets -----------------------------------------------------------------------------------------------------------


def test_a_materialization_comes_before_the_handled_output() -> None:
    @asset
    def orders() -> int:
        return 3

    assert told(materialize([orders]), "orders") == ["STEP_OUTPUT", "ASSET_MATERIALIZATION", "HANDLED_OUTPUT"]


def test_a_result_without_value_stores_nothing() -> None:
    @asset
    def table() -> MaterializeResult[Any]:
        return MaterializeResult(metadata={"rows": 4}, tags={"x": "y"})

    result = materialize([table])
    assert told(result, "table") == ["STEP_OUTPUT", "ASSET_MATERIALIZATION"]
    (made,) = result.asset_materializations_for_node("table")
    assert made.metadata == {"rows": IntMetadataValue(4)}
    assert made.tags["x"] == "y"


def test_a_result_with_value_stores_it() -> None:
    @asset
    def table() -> MaterializeResult[int]:
        return MaterializeResult(value=5)

    assert materialize([table]).asset_value("table") == 5


def test_events_that_code_reports_itself_come_when_it_does() -> None:
    @asset
    def noted(context: AssetExecutionContext) -> int:
        context.log_event(AssetObservation("elsewhere", metadata={"a": 1}))
        context.log_event(AssetMaterialization("by_hand", partition="p"))
        return 1

    result = materialize([noted])
    assert told(result, "noted")[:2] == ["ASSET_OBSERVATION", "ASSET_MATERIALIZATION"]
    assert [each.asset_key.to_user_string() for each in result.asset_materializations_for_node("noted")] == [
        "by_hand",
        "noted",
    ]


def test_a_multi_asset_by_tuple_by_key_and_in_part() -> None:
    @multi_asset(outs={"a": AssetOut(), "b": AssetOut()})
    def pair() -> tuple[int, int]:
        return 1, 2

    result = materialize([pair])
    assert (result.asset_value("a"), result.asset_value("b")) == (1, 2)

    @multi_asset(specs=[AssetSpec("x"), AssetSpec("y")], can_subset=True)
    def some(context: AssetExecutionContext) -> Iterator[MaterializeResult[Any]]:
        for key in sorted(context.selected_asset_keys):
            yield MaterializeResult(asset_key=key)

    made = [
        each.asset_key.to_user_string()
        for each in materialize([some], selection="x").asset_materializations_for_node("some")
    ]
    assert made == ["x"]


def test_an_asset_that_was_not_asked_for_is_refused() -> None:
    @multi_asset(specs=[AssetSpec("x"), AssetSpec("y")], can_subset=True)
    def stubborn() -> Iterator[MaterializeResult[Any]]:
        yield MaterializeResult(asset_key="y")

    with pytest.raises(UserCodeError, match="for y; the assets that this run asks of it are: x"):
        materialize([stubborn], selection="x")


def test_a_multi_asset_of_specs_that_returns_nothing_has_made_all() -> None:
    @multi_asset(specs=[AssetSpec("x"), AssetSpec("y")])
    def both() -> None:
        pass

    made = [each.asset_key.to_user_string() for each in materialize([both]).asset_materializations_for_node("both")]
    assert sorted(made) == ["x", "y"]


# -- checks -----------------------------------------------------------------------------------------------------------


def test_results_of_checks_with_the_asset_and_apart() -> None:
    @asset(check_specs=[AssetCheckSpec("fresh", asset="orders")])
    def orders() -> MaterializeResult[int]:
        return MaterializeResult(value=1, check_results=[AssetCheckResult(passed=True)])

    @asset_check(asset=orders)
    def positive(orders: int) -> AssetCheckResult:
        return AssetCheckResult(passed=orders > 5, severity=AssetCheckSeverity.WARN, metadata={"value": orders})

    result = materialize([orders, positive])
    assert told(result, "orders")[-2:] == ["STEP_OUTPUT", "ASSET_CHECK_EVALUATION"]
    evaluations = {each.check_name: each for each in result.get_asset_check_evaluations()}
    assert evaluations["fresh"].passed
    assert not evaluations["positive"].passed
    assert evaluations["positive"].severity == "WARN"
    assert result.success


def test_a_check_must_give_its_result() -> None:
    @asset
    def orders() -> int:
        return 1

    @asset_check(asset=orders)
    def forgetful() -> None:
        pass

    @asset_check(asset=orders)
    def blunt() -> Any:
        return True

    with pytest.raises(UserCodeError, match='without giving "orders:forgetful"'):
        materialize([orders, forgetful])
    with pytest.raises(UserCodeError, match="give an AssetCheckResult"):
        materialize([orders, blunt])


def test_a_blocking_check_that_does_not_pass_keeps_what_is_downstream_from_running() -> None:
    @asset
    def orders() -> int:
        return 1

    @asset_check(asset=orders, blocking=True)
    def gate() -> AssetCheckResult:
        return AssetCheckResult(passed=False)

    @asset
    def report(orders: int) -> int:
        return orders

    result = materialize([orders, gate, report], raise_on_error=False)
    assert not result.success
    (evaluation,) = result.get_asset_check_evaluations()
    assert evaluation.blocking
    assert [each.fact.asset for each in result.get_asset_materialization_events()] == ["orders"]  # type: ignore[union-attr]


def test_outputs_of_nested_graphs_are_found_by_path() -> None:
    plain = op(returns_plain)

    @graph
    def inner() -> Any:
        return plain()

    @graph
    def outer() -> Any:
        return inner()

    result = outer.execute_in_process()
    assert result.output_value() == 1
    assert result.output_for_node("inner.returns_plain") == 1


def test_a_dynamic_output_may_have_no_values() -> None:
    @op(out=DynamicOut())
    def none_at_all() -> list[DynamicOutput[int]]:
        return []

    @op
    def count(values: list[int]) -> int:
        return len(values)

    @job
    def work() -> None:
        count(none_at_all().collect())

    result = work.execute_in_process()
    assert result.success
    assert result.is_node_success("none_at_all")


def test_an_output_without_value_is_none_in_the_result() -> None:
    @op
    def nothing() -> None: ...

    @job
    def work() -> None:
        nothing()

    assert work.execute_in_process().output_for_node("nothing") is None
