"""Jobs: their own parts."""

import pytest

from penstock import RunConfig, graph, in_process_executor, job, multiprocess_executor, op, success_hook
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
