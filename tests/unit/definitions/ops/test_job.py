"""Jobs: their own parts."""

from typing import Any

import pytest

from penstock import (
    JobDefinition,
    RetryPolicy,
    RunConfig,
    graph,
    in_process_executor,
    job,
    multi_or_in_process_executor,
    multiprocess_executor,
    op,
    success_hook,
)
from penstock.definitions.resources.resource import ResourceDefinition
from penstock.errors import DefinitionError, InvalidRunConfigError


@op
def nothing() -> None: ...


def test_tags_are_those_of_runs_unless_told_otherwise() -> None:
    @job(tags={"a": 1})
    def plain() -> None:
        nothing()

    @job(tags={"a": 1}, run_tags={"b": "2"})
    def apart() -> None:
        nothing()

    assert plain.run_tags == {"a": "1"}
    assert (apart.tags, apart.run_tags) == ({"a": "1"}, {"b": "2"})


def test_config_may_be_a_run_config() -> None:
    @job(config=RunConfig(ops={"nothing": {"config": 1}}))
    def configured() -> None:
        nothing()

    assert configured.default_config == {"ops": {"nothing": {"config": 1}}}
    with pytest.raises(DefinitionError, match='The run config of Job "odd" is 3'):
        job(name="odd", config=3)(lambda: None)  # type: ignore[call-overload]  # the mistake under test


def test_own_resources_win_over_those_of_the_definitions() -> None:
    @job(resource_defs={"a": 1})
    def own() -> None:
        nothing()

    top = {"a": ResourceDefinition.hardcoded_resource(2), "b": ResourceDefinition.hardcoded_resource(3)}
    bound = own.with_top_level_resources(top)
    assert bound.resource_defs["a"] is own.resource_defs["a"]
    assert bound.resource_defs["b"] is top["b"]
    assert "b" not in own.resource_defs


def test_a_graph_becomes_several_jobs() -> None:
    @graph
    def work() -> None:
        nothing()

    first, second = work.to_job(), work.to_job("second", executor_def=in_process_executor)
    assert (first.name, second.name) == ("work", "second")
    assert first.graph is second.graph


def test_hooks_are_added_to_a_copy() -> None:
    @success_hook
    def tell(context: object) -> None: ...

    @job
    def plain() -> None:
        nothing()

    assert plain.with_hooks({tell}).hooks == {tell}
    assert plain.hooks == frozenset()
    with pytest.raises(DefinitionError, match="among its hooks"):
        plain.with_hooks({nothing})  # type: ignore[arg-type]


def test_a_configured_executor_is_checked() -> None:
    assert multiprocess_executor.configured({"max_concurrent": 2}).declared_config.field is None
    with pytest.raises(InvalidRunConfigError, match="max_concurent"):
        multiprocess_executor.configured({"max_concurent": 2})


@op
def add(x: int, y: int = 10) -> int:
    return x + y


@op
def nothing_to_do() -> int:
    return 2


@graph
def sums(start: int) -> Any:
    return {"sum": add(start)}


def test_inputs_of_the_graph_are_given_by_value_or_by_run_config() -> None:
    assert sums.execute_in_process(input_values={"start": 1}).output_value("sum") == 11
    bound = sums.to_job(input_values={"start": 2})
    assert bound.execute_in_process().output_value("sum") == 12
    assert bound.execute_in_process(input_values={"start": 3}).output_value("sum") == 13
    assert sums.to_job().execute_in_process({"inputs": {"start": 4}}).output_value("sum") == 14
    with pytest.raises(InvalidRunConfigError, match="inputs"):
        sums.to_job().execute_in_process()
    with pytest.raises(DefinitionError, match="values for stop; the inputs of its graph are: start"):
        bound.execute_in_process(input_values={"stop": 1})


def test_a_job_s_function_may_have_parameters() -> None:
    @job(input_values={"first": 5})
    def work(first: int, second: int) -> None:
        add(first)
        add.alias("other")(second)

    result = work.execute_in_process({"inputs": {"second": 6}})
    assert (result.output_for_node("add"), result.output_for_node("other")) == (15, 16)


def test_a_value_may_be_one_of_a_list() -> None:
    @op
    def total(xs: list[int]) -> int:
        return sum(xs)

    @job
    def work(one: int, two: int) -> None:
        total([one, add(two), two])

    result = work.execute_in_process({"inputs": {"one": 1}}, input_values={"two": 20})
    assert result.output_for_node("total") == 51
    assert work.execute_in_process({"inputs": {"one": 1, "two": 2}}).output_for_node("total") == 15


def test_a_default_inside_is_the_graph_s_own() -> None:
    @graph
    def inner(y: int) -> Any:
        return add(nothing_to_do(), y)

    assert inner.ins["y"].default_value == 10
    assert inner.execute_in_process().output_value() == 12


def test_a_use_of_a_graph_becomes_a_job() -> None:
    used = sums.alias("other").tag({"team": "a"}).with_retry_policy(RetryPolicy(max_retries=2))
    made = used.to_job(input_values={"start": 1}, tags={"more": "b"})
    assert (made.name, made.tags, made.op_retry_policy) == (
        "other",
        {"team": "a", "more": "b"},
        RetryPolicy(max_retries=2),
    )
    assert used.execute_in_process(input_values={"start": 1}).output_value("sum") == 11
    with pytest.raises(DefinitionError, match='"add" is an op'):
        add.alias("other").to_job()


def test_what_was_specified_can_be_told_from_what_stands_in() -> None:
    assert not sums.to_job().has_specified_executor
    assert sums.to_job().executor_def is multi_or_in_process_executor
    assert sums.to_job(executor_def=multiprocess_executor).has_specified_executor
    assert JobDefinition(graph_def=sums).name == "sums"


def test_version_is_the_older_name_of_code_version() -> None:
    @op(version="3")
    def versioned() -> None: ...

    assert (versioned.version, versioned.code_version) == ("3", "3")
    with pytest.raises(DefinitionError, match="both a version and a code_version"):
        op(name="both", version="3", code_version="4")(lambda: None)


def test_a_run_config_may_give_another_value_than_the_default() -> None:
    class Opaque: ...

    @op
    def many(x: int = 1, y: list[int] | None = None, z: Opaque | None = None) -> Any:
        return x, y, z

    @graph
    def inner(x: int) -> Any:
        return many(x)

    @job
    def work() -> None:
        many()
        inner()

    plain = work.execute_in_process()
    assert (plain.output_for_node("many"), plain.output_for_node("inner")) == ((1, None, None), (1, None, None))
    config = {"ops": {"many": {"inputs": {"x": 2, "y": [3]}}, "inner": {"inputs": {"x": 4}}}}
    given = work.execute_in_process(config)
    assert (given.output_for_node("many"), given.output_for_node("inner")) == ((2, [3], None), (4, None, None))
    with pytest.raises(InvalidRunConfigError, match="z"):
        work.execute_in_process({"ops": {"many": {"inputs": {"z": 1}}}})
