"""Assets that graphs of ops make: how they are declared, planned, selected and run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from penstock import (
    AssetCheckResult,
    AssetCheckSpec,
    AssetIn,
    AssetKey,
    AssetOut,
    AssetsDefinition,
    AssetSelection,
    Definitions,
    DynamicOut,
    DynamicOutput,
    GraphOut,
    Instance,
    OpExecutionContext,
    Out,
    StaticPartitionsDefinition,
    asset,
    define_asset_job,
    graph,
    graph_asset,
    graph_multi_asset,
    materialize,
    op,
)
from penstock.definitions.describe import describe_job
from penstock.definitions.ops.job import JobDefinition
from penstock.errors import DefinitionError
from penstock.plan.build import build_plan
from penstock.plan.selection import narrow_job
from penstock.records.event import AssetCheckEvaluation, AssetMaterialization
from penstock.records.location import AssetJobName


@op
def add_one(x: int) -> int:
    return x + 1


@op
def double(x: int) -> int:
    return x * 2


@op(out=DynamicOut())
def count(x: int) -> Iterator[DynamicOutput[int]]:
    for each in range(x):
        yield DynamicOutput(each, str(each))


@op
def total(xs: list[int]) -> int:
    return sum(xs)


@asset
def start() -> int:
    return 3


@graph_asset
def grown(start: int) -> Any:
    """Two more."""
    return add_one(add_one(start))


@graph_multi_asset(outs={"left": AssetOut(), "right": AssetOut(key_prefix="p")}, can_subset=True, group_name="both")
def sides(grown: int) -> Any:
    return {"left": add_one(grown), "right": double(grown)}


@asset(deps=[AssetKey(["p", "right"])])
def end(left: int) -> int:
    return left


def job_of(*assets: Any) -> JobDefinition:
    return Definitions(assets=assets).get_job_def(AssetJobName)


def test_a_graph_makes_its_asset_of_loaded_ones_and_hands_it_on() -> None:
    with Instance.ephemeral() as instance:
        result = materialize([start, grown, sides, end], instance=instance)
        assert {key: result.asset_value(key) for key in ("grown", "left", "end")} == {"grown": 5, "left": 6, "end": 6}
        assert result.asset_value(AssetKey(["p", "right"])) == 10
    made = [
        (event.step_key, event.fact.asset)
        for event in result.all_events
        if isinstance(event.fact, AssetMaterialization)
    ]
    assert made == [
        ("start", "start"),
        ("grown.add_one_2", "grown"),
        ("sides.add_one", "left"),
        ("sides.double", "p/right"),
        ("end", "end"),
    ]


def test_what_is_declared_of_it() -> None:
    assert grown.key == AssetKey("grown")
    assert grown.get_asset_spec().description == "Two more."
    assert grown.dependency_keys == {AssetKey("start")}
    assert sides.keys == {AssetKey("left"), AssetKey(["p", "right"])}
    assert set(sides.group_names_by_key.values()) == {"both"}
    with pytest.raises(DefinitionError, match=r"no op of its own; use \.node_def"):
        _ = grown.op


def test_steps_come_after_what_the_graph_depends_on() -> None:
    plan = build_plan(job_of(start, grown, sides, end))
    assert list(plan.steps) == [
        "start",
        "grown.add_one",
        "grown.add_one_2",
        "sides.add_one",
        "sides.double",
        "end",
    ]
    assert {source.step for given in plan.steps["end"].inputs for source in given.upstream()} == {
        "sides.add_one",
        "sides.double",
    }


@pytest.mark.parametrize(
    ("assets", "steps"),
    [
        (["left"], ["sides.add_one"]),
        (["p/right"], ["sides.double"]),
        (["left", "p/right"], ["sides.add_one", "sides.double"]),
        (["grown"], ["grown.add_one", "grown.add_one_2"]),
    ],
)
def test_a_part_of_it_runs_the_ops_that_the_part_needs(assets: list[str], steps: list[str]) -> None:
    job = job_of(start, grown, sides, end)
    assert list(build_plan(job, assets=assets).steps) == steps
    assert [step.key for step in narrow_job(describe_job(job), assets=assets).steps] == steps


def test_without_can_subset_all_of_it_is_selected() -> None:
    @graph_multi_asset(outs={"a": AssetOut(), "b": AssetOut()})
    def whole(start: int) -> Any:
        return {"a": add_one(start), "b": double(start)}

    job = job_of(start, whole)
    with pytest.raises(DefinitionError, match=r"makes a together with b"):
        build_plan(job, assets=["a"])
    with pytest.raises(DefinitionError, match=r'Step "whole" .* makes a together with b'):
        narrow_job(describe_job(job), assets=["a"])


def test_dynamic_outputs_inside() -> None:
    @graph_asset
    def summed(start: int) -> Any:
        return total(count(start).map(add_one).collect())

    assert materialize([start, summed]).asset_value("summed") == 6


def test_an_op_inside_knows_asset_and_partition() -> None:
    seen: list[Any] = []

    @op
    def look(context: OpExecutionContext) -> int:
        seen.append((context.asset_key, context.partition_key, context.assets_def.key))
        return 1

    @graph_asset(partitions_def=StaticPartitionsDefinition(["x", "y"]))
    def parts() -> Any:
        return add_one(look())

    with Instance.ephemeral() as instance:
        result = materialize([parts], partition_key="y", instance=instance)
    assert seen == [(AssetKey("parts"), "y", AssetKey("parts"))]
    assert [fact.partition for fact in result.asset_materializations_for_node("parts.add_one")] == ["y"]


@pytest.mark.parametrize("passed", [True, False])
def test_a_blocking_check_inside_holds_back_what_is_downstream(passed: bool) -> None:
    @op(out={"value": Out(), "verdict": Out()})
    def judged() -> tuple[int, AssetCheckResult]:
        return 1, AssetCheckResult(passed=passed)

    @graph_asset(check_specs=[AssetCheckSpec("fine", asset="checked", blocking=True)])
    def checked() -> Any:
        value, verdict = judged()
        return {"result": value, "checked_fine": verdict}

    @asset(deps=[checked])
    def after() -> None: ...

    result = materialize([checked, after], raise_on_error=False)
    evaluations = [event.fact for event in result.all_events if isinstance(event.fact, AssetCheckEvaluation)]
    assert [(each.check, each.passed, each.blocking) for each in evaluations] == [("fine", passed, True)]
    made = [event.fact.asset for event in result.all_events if isinstance(event.fact, AssetMaterialization)]
    assert made == (["checked", "after"] if passed else ["checked"])


def test_its_ops_take_config_under_its_name() -> None:
    @op(config_schema={"by": int})
    def scaled(context: OpExecutionContext, x: int) -> int:
        return x * int(context.op_config["by"])

    @graph_asset
    def scaled_start(start: int) -> Any:
        return scaled(start)

    config = {"ops": {"scaled_start": {"ops": {"scaled": {"config": {"by": 7}}}}}}
    assert materialize([start, scaled_start], run_config=config).asset_value("scaled_start") == 21


def test_a_job_of_it_brings_hooks_and_resources() -> None:
    job = Definitions(
        assets=[start, grown], jobs=[define_asset_job("grow", AssetSelection.assets(grown).upstream())]
    ).get_job_def("grow")
    assert job.execute_in_process().asset_value("grown") == 5


def test_inputs_may_be_other_assets_than_their_names_say() -> None:
    @graph_asset(ins={"x": AssetIn(key="start")})
    def renamed(x: int) -> Any:
        return double(x)

    assert materialize([start, renamed]).asset_value("renamed") == 6
    with pytest.raises(DefinitionError, match='declares the input "y"'):

        @graph_asset(ins={"y": AssetIn(key="start")})
        def wrong(x: int) -> Any:
            return double(x)

    with pytest.raises(DefinitionError, match="which an op inside loads"):

        @graph_asset(ins={"x": AssetIn(key="start", metadata={"a": 1})})
        def with_metadata(x: int) -> Any:
            return double(x)


def test_one_output_cannot_be_two_assets() -> None:
    @graph_multi_asset(outs={"a": AssetOut(), "b": AssetOut()})
    def twice(start: int) -> Any:
        value = add_one(start)
        return {"a": value, "b": value}

    with pytest.raises(DefinitionError, match="returns one output of an op as two"):
        build_plan(job_of(start, twice))


# -- of graphs and ops that exist already ------------------------------------------------------------------------------


@graph(out={"small": GraphOut(), "big": GraphOut()})
def pair(base: int) -> Any:
    return {"small": add_one(base), "big": double(base)}


def test_from_graph() -> None:
    made = AssetsDefinition.from_graph(
        pair,
        keys_by_input_name={"base": AssetKey("start")},
        keys_by_output_name={"big": AssetKey("huge")},
        key_prefix="q",
        group_names_by_output_name={"small": "s"},
        metadata_by_output_name={"small": {"a": 1}},
        owners_by_output_name={"big": ["team:x"]},
    )
    assert made.keys == {AssetKey(["q", "small"]), AssetKey(["q", "huge"])}
    assert made.get_asset_spec(AssetKey(["q", "small"])).group_name == "s"
    assert made.metadata_by_key[AssetKey(["q", "small"])] == {"a": 1}
    assert made.get_asset_spec(AssetKey(["q", "huge"])).owners == ("team:x",)
    result = materialize([start, made])
    assert (result.asset_value(["q", "small"]), result.asset_value(["q", "huge"])) == (4, 6)


def test_from_op_is_named_after_it() -> None:
    made = AssetsDefinition.from_op(
        double, keys_by_input_name={"x": "start"}, tags_by_output_name={"result": {"t": "1"}}
    )
    assert made.key == AssetKey("double")
    assert made.get_asset_spec().tags == {"t": "1"}
    assert materialize([start, made]).asset_value("double") == 6


def test_by_the_constructor_and_without_anything_that_makes_them() -> None:
    made = AssetsDefinition(
        node_def=pair,
        keys_by_input_name={"base": AssetKey("start")},
        keys_by_output_name={"small": AssetKey("s"), "big": AssetKey("b")},
        asset_deps={AssetKey("s"): set(), AssetKey("b"): {AssetKey("start")}},
        tags_by_key={AssetKey("s"): {"t": "1"}},
    )
    assert made.asset_deps == {AssetKey("s"): set(), AssetKey("b"): {AssetKey("start")}}
    assert made.tags_by_key[AssetKey("s")] == {"t": "1"}
    outside = AssetsDefinition(specs=[start.get_asset_spec().replace_attributes(key="outside")])
    assert not outside.is_executable
    assert outside.to_source_asset().key == AssetKey("outside")
    with pytest.raises(DefinitionError, match="only describes assets"):
        _ = outside.node_def
    assert Definitions(assets=[outside]).resolve_all_asset_keys() == [AssetKey("outside")]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"keys_by_output_name": {"huge": "x"}}, "has no output 'huge'; its outputs are: small, big"),
        ({"keys_by_input_name": {"b": "x"}}, "has no input 'b'; its inputs are: base"),
        ({"descriptions_by_output_name": {"x": "y"}}, "has no output 'x'"),
    ],
)
def test_names_that_the_graph_does_not_have(options: dict[str, Any], words: str) -> None:
    with pytest.raises(DefinitionError, match=words):
        AssetsDefinition.from_graph(pair, **options)
