"""Graphs laid flat."""

from typing import Any

import pytest

from penstock import (
    AssetKey,
    DynamicOut,
    In,
    JobDefinition,
    Nothing,
    Out,
    RetryPolicy,
    graph,
    job,
    op,
    success_hook,
)
from penstock.definitions.steps.job_steps import job_steps
from penstock.definitions.steps.model import (
    FromAsset,
    FromCollect,
    FromConfig,
    FromMapped,
    FromOutput,
    FromOutputs,
    OrderOnly,
    Step,
    StepKind,
)
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


@op(out=DynamicOut())
def spread() -> Any: ...


@op(ins={"start": In(Nothing)})
def later() -> None: ...


@op
def with_default(x: int = 5) -> int:
    return x


@op(ins={"stored": In(asset_key=AssetKey(["p", "a"]), input_manager_key="loader")})
def from_asset(stored: int) -> int:
    return stored


@success_hook
def tell(context: object) -> None: ...


def _sources(step: Step) -> dict[str, object]:
    return {given.name: given.source for given in step.inputs}


@graph
def inner(x: int) -> Any:
    return inc(inc(x))


@graph
def outer(y: int) -> Any:
    return inner(y)


def test_nested_graphs_become_steps_with_dotted_keys() -> None:
    @job
    def deep() -> None:
        inc.alias("last")(outer(outer.alias("first")(one())))

    steps = job_steps(deep)
    assert list(steps) == [
        "one",
        "first.inner.inc",
        "first.inner.inc_2",
        "outer.inner.inc",
        "outer.inner.inc_2",
        "last",
    ]
    assert _sources(steps["first.inner.inc"]) == {"x": FromOutput("one", "result")}
    assert _sources(steps["outer.inner.inc"]) == {"x": FromOutput("first.inner.inc_2", "result")}
    assert _sources(steps["last"]) == {"x": FromOutput("outer.inner.inc_2", "result")}
    assert steps["first.inner.inc"].config_path == ("ops", "first", "ops", "inner", "ops", "inc")


def test_sources_of_every_kind() -> None:
    @job
    def mixed() -> None:
        total([one(), inc()])
        later(start=one.alias("before")())
        with_default()
        from_asset()

    steps = job_steps(mixed)
    assert _sources(steps["inc"]) == {"x": FromConfig(("ops", "inc", "inputs", "x"))}
    assert _sources(steps["total"]) == {
        "values": FromOutputs((FromOutput("one", "result"), FromOutput("inc", "result")))
    }
    assert _sources(steps["later"]) == {"start": OrderOnly((FromOutput("before", "result"),))}
    assert _sources(steps["with_default"]) == {"x": FromConfig(("ops", "with_default", "inputs", "x"), 5)}
    loaded = _sources(steps["from_asset"])["stored"]
    assert isinstance(loaded, FromAsset)
    assert (loaded.asset_key, loaded.io_manager_key, loaded.made_by) == ("p/a", "loader", None)


def test_an_order_without_anything_to_wait_for_falls_away() -> None:
    @job
    def alone() -> None:
        later()

    assert job_steps(alone)["later"].inputs == ()


def test_mapped_steps_follow_their_keys_until_they_are_collected() -> None:
    @job
    def fan() -> None:
        many = spread()
        total(many.map(inc).map(inner).collect())
        total(many.collect())

    steps = job_steps(fan)
    origin = FromOutput("spread", "result")
    kinds = {key: (step.kind, step.mapped_by) for key, step in steps.items()}
    assert kinds == {
        "spread": (StepKind.COMPUTE, None),
        "inc": (StepKind.UNRESOLVED_MAPPED, origin),
        "inner.inc": (StepKind.UNRESOLVED_MAPPED, origin),
        "inner.inc_2": (StepKind.UNRESOLVED_MAPPED, origin),
        "total": (StepKind.UNRESOLVED_COLLECT, None),
        "total_2": (StepKind.UNRESOLVED_COLLECT, None),
    }
    assert _sources(steps["inc"]) == {"x": FromMapped("spread", "result")}
    assert _sources(steps["inner.inc"]) == {"x": FromOutput("inc", "result")}
    assert _sources(steps["total"]) == {"values": FromCollect("inner.inc_2", "result")}
    assert _sources(steps["total_2"]) == {"values": FromCollect("spread", "result")}


@op
def both(x: int, y: int) -> int:
    return x + y


@op(out=DynamicOut())
def more(x: int) -> Any: ...


def test_two_dynamic_outputs_in_one_step_or_inside_each_other_are_refused() -> None:
    @job
    def crossed() -> None:
        second = spread.alias("other")()
        spread().map(lambda x: second.map(lambda y: both(x, y)))

    @job
    def nested() -> None:
        spread().map(more)

    with pytest.raises(DefinitionError, match='"result" of "spread" and "result" of "other"; collect one of them'):
        job_steps(crossed)
    with pytest.raises(DefinitionError, match="dynamic output inside a mapped step is not supported"):
        job_steps(nested)


def test_tags_hooks_and_retries_come_from_outside_in() -> None:
    @op(tags={"a": "op", "penstock/priority": "3"}, retry_policy=RetryPolicy(1))
    def tagged() -> None: ...

    @op
    def plain() -> None: ...

    @graph(tags={"g": "1", "a": "graph"})
    def body() -> None:
        tagged.tag({"n": "1"})()
        plain()
        plain.with_retry_policy(RetryPolicy(7)).alias("own").with_hooks({tell})()

    made = body.to_job(op_retry_policy=RetryPolicy(5), hooks={tell})
    steps = job_steps(made)
    assert steps["tagged"].tags == {"g": "1", "a": "op", "n": "1", "penstock/priority": "3"}
    assert steps["tagged"].priority == 3
    retries = {key: step.retry_policy.max_retries for key, step in steps.items() if step.retry_policy is not None}
    assert retries == {"tagged": 1, "plain": 5, "own": 7}
    assert all(step.hooks == {tell} for step in steps.values())


def test_outputs_carry_how_they_are_stored() -> None:
    @op(out={"a": Out(io_manager_key="store", metadata={"m": 1}), "b": Out(is_required=False)})
    def two() -> Any: ...

    made: JobDefinition = graph(name="g")(lambda: two() and None).to_job()
    outputs = job_steps(made)["two"].outputs
    assert [(each.name, each.io_manager_key, each.required) for each in outputs] == [
        ("a", "store", True),
        ("b", "io_manager", False),
    ]
    assert outputs[0].metadata == {"m": 1}
