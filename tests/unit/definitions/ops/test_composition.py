"""What calling ops inside a graph or job records."""

from collections.abc import Callable
from typing import Any

import pytest

from penstock import DynamicOut, GraphOut, In, Nothing, Out, RetryPolicy, graph, job, op
from penstock.definitions.ops.node import Collected, FanIn, GraphInput, Mapped, NodeOutput
from penstock.errors import DefinitionError


@op
def one() -> int:
    return 1


@op
def inc(x: int) -> int:
    return x + 1


@op
def total(values: list[int]) -> int:
    return sum(values)


@op(out={"low": Out(), "high": Out()})
def split(x: int) -> Any: ...


@op(out=DynamicOut())
def spread() -> Any: ...


@op(ins={"start": In(Nothing)})
def later() -> None: ...


def test_calls_become_nodes_with_their_sources() -> None:
    @job
    def simple() -> None:
        parts = split(one())
        total([inc(parts.low), parts[1]])
        later(start=parts.high)

    assert simple.graph is not None
    nodes = simple.graph.nodes
    assert list(nodes) == ["one", "split", "inc", "total", "later"]
    assert nodes["split"].sources == {"x": NodeOutput("one", "result")}
    assert nodes["total"].sources == {"values": FanIn((NodeOutput("inc", "result"), NodeOutput("split", "high")))}
    assert nodes["later"].sources == {"start": NodeOutput("split", "high")}


def test_a_second_use_gets_a_number_and_an_alias_its_name() -> None:
    @job
    def twice() -> None:
        inc(one())
        inc(one())
        inc.alias("third")(one.with_retry_policy(RetryPolicy(2))())

    assert twice.graph is not None
    assert list(twice.graph.nodes) == ["one", "inc", "one_2", "inc_2", "one_3", "third"]
    assert twice.graph.nodes["one_3"].retry_policy == RetryPolicy(2)


def test_dynamic_outputs_are_mapped_and_collected() -> None:
    @job
    def fan() -> None:
        total(spread().map(inc).map(inc).collect())
        total(spread().collect())

    assert fan.graph is not None
    sources = {name: list(node.sources.values()) for name, node in fan.graph.nodes.items()}
    assert sources == {
        "spread": [],
        "inc": [Mapped("spread", "result")],
        "inc_2": [NodeOutput("inc", "result")],
        "total": [Collected("inc_2", "result")],
        "spread_2": [],
        "total_2": [Collected("spread_2", "result")],
    }


def test_graphs_nest_and_pass_values_through() -> None:
    @graph(out={"low": GraphOut(), "again": GraphOut()})
    def inner(x: int) -> Any:
        parts = split(x)
        return {"again": inc(parts.high), "low": parts.low}

    @job
    def outer() -> None:
        inc(inner(one()).again)

    assert inner.ins["x"].python_type is int
    assert inner.nodes["split"].sources == {"x": GraphInput("x")}
    assert inner.wiring.returns == {"low": NodeOutput("split", "low"), "again": NodeOutput("inc", "result")}
    assert outer.graph is not None
    assert outer.graph.nodes["inc"].sources == {"x": NodeOutput("inner", "again")}


def test_an_op_called_outside_runs_its_function_and_inside_does_not() -> None:
    assert inc(1) == 2

    def compose() -> None:
        handle = inc(one())
        assert not isinstance(handle, int)

    job(compose)


def _composed(body: Callable[[], Any]) -> Any:
    body.__name__ = "under_test"
    return job(body)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (lambda: inc(3), 'gives the input "x" of "inc" the value 3; pass outputs of other ops'),
        (lambda: inc(), None),
        (lambda: inc(one(), one()), "2 values by position"),
        (lambda: inc(y=one()), 'gives "inc" the input "y", which it does not have'),
        (lambda: inc(one(), x=one()), '"x" twice'),
        (lambda: inc(split(one())), "all outputs .low, high. of an op at once"),
        (lambda: inc(spread()), "use .map"),
        (lambda: inc(spread().map(inc)), "mapped output"),
        (lambda: total([spread().map(inc)]), "mapped output"),
        (lambda: list(one()), "cannot be looped over"),
        (lambda: inc(one()) if one() else None, "has no value to decide on"),
        (lambda: spread().map(lambda x: 5), "returns outputs of ops or nothing"),
        (lambda: (inc.alias("same")(one()), inc.alias("same")(one())), "twice"),
        (lambda: 7, 'returns 7 as its output "result"'),
    ],
)
def test_mistakes_name_the_job_and_the_way_out(body: Callable[[], Any], words: str | None) -> None:
    if words is None:
        _composed(body)
        return
    with pytest.raises(DefinitionError, match=words):
        _composed(body)


def test_a_failed_composition_ends() -> None:
    def broken() -> None:
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        job(broken)
    assert inc(1) == 2


def test_graphs_are_not_called_outside() -> None:
    @graph
    def alone(x: int) -> Any:
        return inc(x)

    with pytest.raises(DefinitionError, match="outside a @graph or @job"):
        alone(1)


def test_an_unused_input_is_refused() -> None:
    with pytest.raises(DefinitionError, match='does not use its input "x"'):

        @graph
        def unused(x: int) -> Any:
            return one()


def test_outputs_must_be_those_that_are_declared() -> None:
    with pytest.raises(DefinitionError, match=r"returns the outputs \['a'\], but declares \['b'\]"):

        @graph(out={"b": GraphOut()})
        def other() -> Any:
            return {"a": one()}
