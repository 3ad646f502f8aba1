"""Config mappings of jobs and graphs, and definitions that are configured in code, from the run config to the op."""

from __future__ import annotations

from typing import Any

import pytest

from penstock import (
    Config,
    ConfigMapping,
    Definitions,
    Enum,
    EnumValue,
    EnvVar,
    RunConfig,
    build_op_context,
    config_mapping,
    configured,
    graph,
    io_manager,
    job,
    mem_io_manager,
    op,
    resource,
    validate_run_config,
)
from penstock.config.schema import Permissive, Scalar, Shape
from penstock.definitions.describe import describe
from penstock.errors import ConfigMappingError, DefinitionError, InvalidRunConfigError
from penstock.plan.launch import plan_run


@op(config_schema={"p": str})
def show(context: Any) -> str:
    text: str = context.op_config["p"]
    return text


@op
def echo(value: str) -> str:
    return value


class Simple(Config):
    s: str = "standard"


@config_mapping
def simple(given: Simple) -> RunConfig:
    return RunConfig(ops={"show": {"config": {"p": given.s}}})


@config_mapping(config_schema={"s": str})
def entries(given: dict[str, Any]) -> dict[str, Any]:
    return {"show": {"config": {"p": given["s"]}}}


@graph(config=entries)
def inner() -> str:
    shown: str = echo(show())
    return shown


@job(config=simple)
def mapped() -> None:
    show()


@job
def with_graph() -> None:
    inner()


def _shown(of: Any, run_config: Any, node: str = "show") -> Any:
    return of.execute_in_process(run_config=run_config).output_for_node(node)


def test_a_job_is_launched_with_what_its_mapping_takes() -> None:
    assert _shown(mapped, {"s": "x"}) == "x"
    assert _shown(mapped, None) == "standard"
    assert mapped.config_mapping is simple
    with pytest.raises(InvalidRunConfigError, match='has no field "ops"'):
        _shown(mapped, {"ops": {"show": {"config": {"p": "x"}}}})


def test_a_graph_in_a_job_has_a_config_of_its_own() -> None:
    assert _shown(with_graph, {"ops": {"inner": {"config": {"s": "x"}}}}, "inner.show") == "x"
    with pytest.raises(InvalidRunConfigError, match=r'lacks the required field "ops.inner.config.s"') as caught:
        _shown(with_graph, {"ops": {"inner": {"ops": {}}}})
    assert len(caught.value.problems) == 2


def test_a_graph_as_a_job_takes_it_in_place_of_its_ops() -> None:
    assert _shown(inner.to_job(), {"ops": {"config": {"s": "x"}}}) == "x"
    assert _shown(inner.to_job(config={"ops": {"config": {"s": "own"}}}), None) == "own"


def test_the_mappings_of_a_job_and_its_graph_follow_each_other() -> None:
    outer = ConfigMapping(lambda given: {"ops": {"config": {"s": given["k"]}}}, config_schema={"k": str})
    assert _shown(inner.to_job(config=outer), {"k": "x"}) == "x"


def test_values_are_ready_for_use_unless_the_mapping_wants_them_as_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAPPED_FROM", "from the environment")
    seen: list[Any] = []

    def note(given: Any) -> dict[str, Any]:
        seen.append(given)
        return {"ops": {"show": {"config": {"p": EnvVar("MAPPED_FROM")}}}}

    word = Enum("Word", [EnumValue("A", 42)])
    for processed in (None, True, False):
        mapping = ConfigMapping(note, {"e": word, "v": str}, receive_processed_config_values=processed)

        @job(config=mapping)
        def noting() -> None:
            show()

        assert _shown(noting, {"e": "A", "v": {"env": "MAPPED_FROM"}}) == "from the environment"
    ready = {"e": 42, "v": "from the environment"}
    assert seen == [ready, ready, {"e": "A", "v": {"env": "MAPPED_FROM"}}]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda _: {"ops": {"show": {"config": {"q": 1}}}},
            InvalidRunConfigError,
            'no field "q"; did you mean "p"|"q"',
        ),
        (lambda _: 3, DefinitionError, "made 3; give a dict or a RunConfig"),
        (lambda given: given["x"], ConfigMappingError, 'config of job "broken" raised KeyError'),
    ],
)
def test_what_a_mapping_makes_is_checked_and_its_mistakes_are_named(make: Any, error: Any, message: str) -> None:
    @job(name="broken", config=ConfigMapping(make))
    def broken() -> None:
        show()

    with pytest.raises(error, match=message):
        _shown(broken, {})


def test_what_a_mapping_made_wrong_says_that_a_mapping_made_it() -> None:
    @job(config=ConfigMapping(lambda _: {"ops": {"show": {"config": {}}}}))
    def broken() -> None:
        show()

    with pytest.raises(InvalidRunConfigError, match='made by the config mapping of job "broken" has a mistake'):
        _shown(broken, {})


def test_a_mapped_job_is_described_and_planned_by_what_it_takes() -> None:
    location = describe(Definitions(jobs=[mapped, with_graph, inner.to_job(name="alone")]), "here")
    described = {each.name: each for each in location.jobs}
    schema = described["mapped"].config_schema
    assert isinstance(schema, Shape)
    assert list(schema.fields) == ["s"]
    assert [described[name].maps_config for name in ("mapped", "with_graph", "alone")] == ["all", "", "ops"]
    assert plan_run(location, job="mapped", run_config={"s": "x"}, now=0.0).run.run_config == {"s": "x"}
    with pytest.raises(InvalidRunConfigError, match=r'lacks the required field "ops.config.s"'):
        plan_run(location, job="alone", run_config={}, step_keys=["show"], now=0.0)


def test_a_mapping_may_take_anything() -> None:
    free = ConfigMapping(lambda given: {"ops": {"show": {"config": {"p": str(given)}}}})
    assert free.declared_config.field.type == Scalar()
    open_one = ConfigMapping(lambda given: given, config_schema=dict)
    assert open_one.declared_config.field.type == Permissive()

    @job(config=free)
    def anything() -> None:
        show()

    assert _shown(anything, {"a": 1}) == "{'a': 1}"
    assert _shown(anything, None) == "{}"


# -- configured --------------------------------------------------------------------------------------------------------


@configured(show, config_schema={"q": int})
def by_number(given: dict[str, Any]) -> dict[str, Any]:
    """Shows a number."""
    return {"p": str(given["q"])}


@configured(inner, config_schema=int)
def by_graph_number(given: int) -> dict[str, Any]:
    return {"s": str(given)}


def test_ops_and_graphs_are_configured_under_new_names() -> None:
    fixed = show.configured({"p": "fixed"}, name="fixed", description="Always the same.")
    twice = by_number.configured({"q": 7}, name="twice")
    graph_fixed = inner.configured({"s": "graph"}, name="graph_fixed")

    @job
    def all_of_them() -> None:
        fixed()
        by_number()
        twice()
        graph_fixed()
        by_graph_number()

    result = all_of_them.execute_in_process(
        run_config={"ops": {"by_number": {"config": {"q": 3}}, "by_graph_number": {"config": 5}}}
    )
    nodes = ("fixed", "by_number", "twice", "graph_fixed.show", "by_graph_number.show")
    assert [result.output_for_node(each) for each in nodes] == ["fixed", "3", "7", "graph", "5"]
    assert (fixed.name, fixed.description) == ("fixed", "Always the same.")
    with pytest.raises(InvalidRunConfigError, match=r'"ops.fixed" has no field "config"'):
        all_of_them.execute_in_process(run_config={"ops": {"fixed": {"config": {"p": "x"}}}})


def test_resources_and_io_managers_are_configured() -> None:
    @resource(config_schema={"u": str})
    def service(context: Any) -> Any:
        return context.resource_config

    @io_manager(config_schema={"base": str})
    def store(context: Any) -> Any:
        assert context.resource_config == {"base": "mine"}
        return mem_io_manager.initialize(context)

    @configured(service, config_schema={"w": int})
    def by_w(given: dict[str, Any]) -> dict[str, Any]:
        return {"u": str(given["w"])}

    @op(required_resource_keys={"fixed", "by_w"})
    def use(context: Any) -> list[str]:
        return [context.resources.fixed["u"], context.resources.by_w["u"]]

    @job(
        resource_defs={
            "fixed": service.configured({"u": "U"}),
            "by_w": by_w,
            "io_manager": store.configured({"base": "mine"}),
        }
    )
    def using() -> None:
        use()

    assert _shown(using, {"resources": {"by_w": {"config": {"w": 1}}}}, "use") == ["U", "1"]


def test_what_cannot_be_configured_says_what_can() -> None:
    with pytest.raises(DefinitionError, match="what can is an op, a graph with a config mapping"):
        configured(3)
    with pytest.raises(DefinitionError, match='Op "again" takes no config'):
        echo.configured({}, name="again")
    with pytest.raises(DefinitionError, match="has no config mapping"):
        mapped.graph.configured({}, name="again")  # type: ignore[union-attr]
    with pytest.raises(InvalidRunConfigError, match=r'config of Op "again" has .*mistake'):
        show.configured({"q": 1}, name="again")


def test_a_configured_op_is_called_with_its_config() -> None:
    assert by_number(build_op_context(op_config={"q": 3})) == "3"
    assert show.configured({"p": "x"}, name="fixed")(build_op_context()) == "x"


def test_a_run_config_is_checked_in_full_without_a_run() -> None:
    full = validate_run_config(mapped, {"s": "x"})
    assert full["ops"] == {"show": {"config": {"p": "x"}}}
    with pytest.raises(InvalidRunConfigError, match="run config of job") as caught:
        validate_run_config(with_graph, {"ops": {"inner": {"config": {"t": 1}}}})
    assert len(caught.value.problems) == 2


def test_a_graph_may_have_the_config_of_its_nodes_as_it_is() -> None:
    @op(config_schema={"size": int})
    def sized(context: Any) -> int:
        size: int = context.op_config["size"]
        return size

    @graph(config={"sized": {"config": {"size": 8}}})
    def fixed() -> Any:
        return sized()

    @job
    def around() -> None:
        fixed()

    assert around.execute_in_process().output_for_node("fixed") == 8
    assert fixed.execute_in_process().output_value() == 8
    with pytest.raises(InvalidRunConfigError, match='no field "ops"'):
        around.execute_in_process(run_config={"ops": {"fixed": {"ops": {"sized": {"config": {"size": 9}}}}}})
