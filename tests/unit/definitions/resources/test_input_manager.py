"""Input managers: what loads inputs in place of the IO manager that stored them, or where nothing feeds them."""

from __future__ import annotations

from typing import Any

import pytest

from penstock import (
    AssetIn,
    Definitions,
    Field,
    In,
    InputContext,
    InputManager,
    InputManagerDefinition,
    asset,
    graph,
    input_manager,
    job,
    materialize,
    op,
)
from penstock.definitions.run_config import run_config_schema
from penstock.errors import DefinitionError, InvalidRunConfigError
from penstock.records import event as facts


@input_manager(
    config_schema={"folder": Field(str, default_value="f")},
    input_config_schema={"path": Field(str, is_required=False)},
    description="Reads tables.",
    version="2",
)
def table(context: InputContext) -> str:
    fed = context.upstream_output is not None
    return f"{context.resource_config['folder']}/{context.config.get('path', context.name)}{' fed' if fed else ''}"


@op
def one() -> str:
    return "one"


@op(ins={"value": In(input_manager_key="table")})
def show(value: str) -> str:
    return value


@job(resource_defs={"table": table})
def unfed() -> None:
    show()


@job(resource_defs={"table": table})
def fed() -> None:
    show(one())


def test_it_loads_what_nothing_feeds() -> None:
    assert unfed.execute_in_process().output_for_node("show") == "f/value"
    config: dict[str, Any] = {"ops": {"show": {"inputs": {"value": {"path": "p"}}}}}
    config["resources"] = {"table": {"config": {"folder": "g"}}}
    result = unfed.execute_in_process(run_config=config)
    assert result.output_for_node("show") == "g/p"
    (loaded,) = [each.fact for each in result.all_events if isinstance(each.fact, facts.LoadedInput)]
    assert (loaded.input, loaded.io_manager, loaded.upstream_step) == ("value", "table", None)


def test_it_loads_what_another_op_gives() -> None:
    assert fed.execute_in_process().output_for_node("show") == "f/value fed"


def test_it_goes_before_a_default() -> None:
    @op(ins={"value": In(default_value="default", input_manager_key="table")})
    def defaulted(value: str) -> str:
        return value

    @job(resource_defs={"table": table})
    def runs() -> None:
        defaulted()

    assert runs.execute_in_process().output_for_node("defaulted") == "f/value"
    config = {"ops": {"defaulted": {"inputs": {"value": {"path": "p"}}}}}
    assert runs.execute_in_process(run_config=config).output_for_node("defaulted") == "f/p"


def test_it_works_inside_graphs() -> None:
    @graph
    def inner() -> Any:
        return show()

    @job(resource_defs={"table": table})
    def outer() -> None:
        inner()

    config = {"ops": {"inner": {"ops": {"show": {"inputs": {"value": {"path": "deep"}}}}}}}
    assert outer.execute_in_process(run_config=config).output_for_node("inner.show") == "f/deep"


def test_it_loads_the_input_of_an_asset() -> None:
    @asset
    def raw() -> int:
        return 1

    @asset(ins={"raw": AssetIn(input_manager_key="table")})
    def clean(raw: str) -> str:
        return raw

    config = {"ops": {"clean": {"inputs": {"raw": {"path": "p"}}}}}
    result = materialize([raw, clean], resources={"table": table}, run_config=config)
    assert result.output_for_node("clean") == "f/p fed"


def test_it_may_be_a_class_or_take_no_context() -> None:
    class Fixed(InputManager):
        def load_input(self, context: InputContext) -> str:
            return "fixed"

    @input_manager
    def plain() -> str:
        return "plain"

    makers: list[Any] = [Fixed(), InputManagerDefinition(lambda: Fixed()), plain]
    assert [_run(each) for each in makers] == ["fixed", "fixed", "plain"]


def _run(manager: Any) -> Any:
    @job(resource_defs={"table": manager})
    def runs() -> None:
        show()

    return runs.execute_in_process().output_for_node("show")


def test_what_it_is_told_of_an_input_is_checked() -> None:
    with pytest.raises(InvalidRunConfigError, match=r"ops\.show\.inputs\.value.*pat"):
        unfed.execute_in_process(run_config={"ops": {"show": {"inputs": {"value": {"pat": "p"}}}}})


def test_a_schema_that_cannot_be_read_is_named() -> None:
    broken = InputManagerDefinition(lambda: None, input_config_schema=object())

    @job(resource_defs={"table": broken})
    def runs() -> None:
        show()

    with pytest.raises(DefinitionError, match="input_config_schema of the resource"):
        run_config_schema(runs)


def test_it_must_be_there() -> None:
    @job
    def lacks() -> None:
        show()

    with pytest.raises(DefinitionError, match='needs the resource "table"'):
        Definitions.validate_loadable(Definitions(jobs=[lacks]))


def test_its_own_facts() -> None:
    assert (table.description, table.version, table.type_name) == ("Reads tables.", "2", "table")
