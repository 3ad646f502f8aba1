"""Parts of a job by the names of its ops."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import JobDefinition, graph, job, op
from penstock.definitions.ops.dependencies import DependencyDefinition, MultiDependencyDefinition, NodeInvocation
from penstock.definitions.ops.graph import GraphDefinition
from penstock.definitions.steps.job_steps import job_steps
from penstock.definitions.steps.op_selection import select_ops
from penstock.errors import DefinitionError, InvalidRunConfigError, SubsetError
from penstock.plan.build import build_plan


@op
def load() -> int:
    return 1


@op
def clean(x: int) -> int:
    return x + 1


@op
def report(x: int) -> int:
    return x * 10


@graph
def inner(x: int) -> Any:
    return clean(x)


@job
def work() -> None:
    report(inner(clean(load())))


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (["load"], {"load"}),
        (["*inner.clean"], {"load", "clean", "inner.clean"}),
        (["+inner"], {"clean", "inner.clean"}),
        (["++inner"], {"load", "clean", "inner.clean"}),
        (["clean+"], {"clean", "inner.clean"}),
        (["clean*"], {"clean", "inner.clean", "report"}),
        (["load", "report"], {"load", "report"}),
        ([], {"load", "clean", "inner.clean", "report"}),
    ],
)
def test_names_mean_steps(selection: list[str], expected: set[str]) -> None:
    assert set(job_steps(select_ops(work, selection))) == expected


def test_what_is_left_out_is_given_by_the_run_config() -> None:
    config = {"ops": {"inner": {"inputs": {"x": 5}}}}
    result = work.execute_in_process(op_selection=["inner", "report"], run_config=config)
    assert result.output_for_node("report") == 60
    assert result.output_for_node("inner") == 6
    with pytest.raises(InvalidRunConfigError, match="ops"):
        work.execute_in_process(op_selection=["report"])


def test_a_run_config_may_speak_of_ops_that_are_left_out() -> None:
    config = {"ops": {"clean": {"inputs": {"x": 5}}, "report": {"config": {"any": 1}}}}
    assert work.execute_in_process(op_selection=["clean"], run_config=config).output_for_node("clean") == 6


def test_a_job_may_be_made_of_a_part() -> None:
    assert work.graph is not None
    part = work.graph.to_job(name="part", op_selection=["*clean"])
    assert part.execute_in_process().output_for_node("clean") == 2
    assert part.execute_in_process().is_node_untouched("report")


def test_mistakes_are_named() -> None:
    with pytest.raises(SubsetError, match="no op that 'clesn' selects; did you mean \"clean\""):
        select_ops(work, ["clesn"])
    with pytest.raises(SubsetError, match="selects"):
        select_ops(work, ["a b"])
    with pytest.raises(DefinitionError, match="use asset_selection"):
        select_ops(JobDefinition(name="assets"), ["a"])


@op
def node(xs: list[int]) -> int:
    return sum(xs)


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, list[str]]:
    """By node, those that feed it; each is after them."""
    names = [f"n{index}" for index in range(draw(st.integers(1, 8)))]
    return {
        name: draw(st.lists(st.sampled_from(names[:index]), unique=True, max_size=3)) if index else []
        for index, name in enumerate(names)
    }


def _job(edges: dict[str, list[str]]) -> JobDefinition:
    return GraphDefinition(
        "random",
        node_defs=[node],
        dependencies={
            NodeInvocation("node", alias=name): (
                {"xs": MultiDependencyDefinition([DependencyDefinition(each) for each in fed])} if fed else {}
            )
            for name, fed in edges.items()
        },
    ).to_job(config={"ops": {name: {"inputs": {"xs": [1]}} for name, fed in edges.items() if not fed}})


@given(graphs(), st.data())
def test_a_selection_is_what_a_walk_over_the_graph_finds(edges: dict[str, list[str]], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(edges)))
    before, after = data.draw(st.integers(0, 3)), data.draw(st.integers(0, 3))

    def walk(start: str, up: bool, depth: int) -> set[str]:
        if not depth:
            return {start}
        nexts = edges[start] if up else [each for each, fed in edges.items() if start in fed]
        return {start}.union(*(walk(each, up, depth - 1) for each in nexts))

    chosen = set(job_steps(select_ops(_job(edges), [f"{'+' * before}{name}{'+' * after}"])))
    assert chosen == walk(name, True, before) | walk(name, False, after)


@given(graphs(), st.data())
def test_a_part_runs_alone_and_its_plan_is_in_order(edges: dict[str, list[str]], data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.sampled_from(sorted(edges)), min_size=1, unique=True))
    part = select_ops(_job(edges), chosen)
    plan = build_plan(part)
    seen: set[str] = set()
    for key, step in plan.steps.items():
        needed = {source.step for given in step.inputs for source in given.upstream()}
        assert needed == set(edges[key]) & set(chosen)
        assert needed <= seen
        seen.add(key)
    assert seen == set(chosen)


@given(graphs())
def test_each_step_comes_after_those_that_it_depends_on(edges: dict[str, list[str]]) -> None:
    result = _job(edges).execute_in_process()
    values = {name: result.output_for_node(name) for name in edges}
    assert values == {name: sum(values[each] for each in fed) if fed else 1 for name, fed in edges.items()}
