"""Graphs written as dependencies between nodes: wired as composed ones are, and mistakes are named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from penstock import (
    DependencyDefinition,
    DynamicCollectDependencyDefinition,
    DynamicOut,
    DynamicOutput,
    GraphDefinition,
    GraphInputPlaceholder,
    GraphOut,
    InputMapping,
    MultiDependencyDefinition,
    NodeInvocation,
    OutputMapping,
    RetryPolicy,
    asset,
    graph,
    op,
    success_hook,
)
from penstock.errors import DefinitionError


@op
def one() -> int:
    return 1


@op
def inc(x: int) -> int:
    return x + 1


@op
def total(xs: list[int]) -> int:
    return sum(xs)


@op(out=DynamicOut(int))
def several() -> Iterator[DynamicOutput[int]]:
    for value in (1, 2, 3):
        yield DynamicOutput(value, f"k{value}")


def test_dependencies_wire_what_composition_wires() -> None:
    written = GraphDefinition(
        "chain",
        node_defs=[inc, one],  # in any order
        dependencies={
            NodeInvocation("inc", alias="again"): {"x": DependencyDefinition("inc")},
            "inc": {"x": DependencyDefinition("one", "result")},
        },
        output_mappings=[OutputMapping("result", "again")],
    )

    @graph
    def chain() -> Any:
        return inc.alias("again")(inc(one()))

    assert {name: node.sources for name, node in written.nodes.items()} == {
        name: node.sources for name, node in chain.nodes.items()
    }
    assert list(written.nodes) == ["one", "inc", "again"]
    assert written.execute_in_process().output_value() == 3


def test_a_use_brings_tags_hooks_and_a_retry_policy() -> None:
    @success_hook
    def tell(context: Any) -> None: ...

    use = NodeInvocation("one", tags={"a": 1}, hook_defs={tell}, retry_policy=RetryPolicy(max_retries=3))
    node = GraphDefinition("g", node_defs=[one], dependencies={use: {}}).nodes["one"]
    assert node.tags == {"a": "1"}
    assert node.hooks == {tell}
    assert node.retry_policy == RetryPolicy(max_retries=3)


def test_inputs_and_outputs_are_mapped_also_into_a_list() -> None:
    inner = GraphDefinition(
        "inner",
        node_defs=[one, total],
        dependencies={
            "total": {"xs": MultiDependencyDefinition([DependencyDefinition("one"), GraphInputPlaceholder])},
        },
        input_mappings=[InputMapping("start", "total", "xs", fan_in_index=1, graph_input_description="the rest")],
        output_mappings=[OutputMapping("sum", "total", graph_output_description="all of it")],
    )
    assert inner.ins["start"].description == "the rest"
    assert inner.ins["start"].python_type is int
    assert inner.outs["sum"].description == "all of it"
    assert [(each.graph_input_name, each.fan_in_index) for each in inner.input_mappings] == [("start", 1)]
    assert [(each.graph_output_name, each.mapped_node_name) for each in inner.output_mappings] == [("sum", "total")]
    assert inner.execute_in_process(input_values={"start": 4}).output_value("sum") == 5
    assert inner.to_job(config={"inputs": {"start": 6}}).execute_in_process().output_value("sum") == 7


def test_dynamic_outputs_are_mapped_and_collected() -> None:
    written = GraphDefinition(
        "fan",
        node_defs=[several, inc, total],
        dependencies={
            "inc": {"x": DependencyDefinition("several")},
            "total": {"xs": DynamicCollectDependencyDefinition("inc")},
        },
        output_mappings=[
            OutputMapping("sum", "total"),
            OutputMapping("each", "inc", from_dynamic_mapping=True),
        ],
    )
    result = written.execute_in_process()
    assert result.output_value("sum") == 9
    assert result.output_value("each") == {"k1": 2, "k2": 3, "k3": 4}
    assert written.outs["each"].is_dynamic


def test_what_a_node_runs_for_each_value_of_leaves_its_graph_as_a_dynamic_output() -> None:
    @graph(out=GraphOut("one for each"))
    def spread() -> Any:
        return several().map(inc)

    @graph
    def whole() -> Any:
        again = spread().map(inc.alias("twice"))
        return {"sum": total(again.collect()), "once": total.alias("once")(spread.alias("other")().collect())}

    assert spread.outs["result"].is_dynamic
    assert spread.outs["result"].description == "one for each"
    result = whole.execute_in_process()
    assert (result.output_value("sum"), result.output_value("once")) == (12, 9)


def test_an_asset_feeds_an_input() -> None:
    @asset(io_manager_key="elsewhere", metadata={"size": 3})
    def prices() -> int:
        return 5

    written = GraphDefinition("g", node_defs=[inc], input_assets={"inc": {"x": prices}})

    @graph
    def composed() -> None:
        inc(prices)

    assert written.nodes["inc"].sources == composed.nodes["inc"].sources
    source: Any = composed.nodes["inc"].sources["x"]
    assert (source.asset_key, source.io_manager_key, source.metadata) == ("prices", "elsewhere", {"size": 3})


def _graph(**parts: Any) -> GraphDefinition:
    return GraphDefinition("wrong", **{"node_defs": [one, inc], **parts})


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"dependencies": {"inc": {"x": DependencyDefinition("two")}}}, 'no node "two" for the input "x"'),
        ({"dependencies": {"inc": {"x": DependencyDefinition("one", "rest")}}}, 'no output "rest"'),
        ({"dependencies": {"inc": {"y": DependencyDefinition("one")}}}, 'no input "y" of "inc"'),
        ({"dependencies": {"inc": {"x": one}}}, "give a DependencyDefinition"),
        ({"dependencies": {"dec": {}}}, "not among its node_defs"),
        ({"dependencies": {"inc": {"x": DependencyDefinition("inc")}}}, "feed each other in a circle: inc -> inc"),
        ({"dependencies": {"one": {}, NodeInvocation("inc", alias="one"): {}}}, 'the name "one" twice'),
        ({"input_mappings": [InputMapping("a", "inc", "z")]}, 'no input "z" of "inc"'),
        ({"output_mappings": [OutputMapping("a", "dec")]}, 'no node "dec" for its output "a"'),
        (
            {"output_mappings": [OutputMapping("a", "one", from_dynamic_mapping=True)]},
            "does not run for values of a dynamic output",
        ),
        ({"input_assets": {"inc": {"x": 3}}}, "give an asset"),
        (
            {
                "dependencies": {"inc": {"x": DependencyDefinition("one")}},
                "input_mappings": [InputMapping("a", "inc", "x")],
            },
            "by something else",
        ),
        (
            {
                "node_defs": [total],
                "dependencies": {"total": {"xs": MultiDependencyDefinition([GraphInputPlaceholder])}},
            },
            "no InputMapping fills",
        ),
    ],
)
def test_mistakes_are_named(parts: dict[str, Any], message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        _graph(**parts)


def test_two_different_nodes_of_one_name_are_refused() -> None:
    @op(name="one")
    def other() -> int:
        return 2

    with pytest.raises(DefinitionError, match='two different nodes called "one"'):
        _graph(node_defs=[one, other])
