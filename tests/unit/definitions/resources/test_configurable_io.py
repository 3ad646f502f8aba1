"""IO managers as classes with typed config."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from penstock import (
    ConfigurableIOManager,
    ConfigurableIOManagerFactory,
    ConfigurableLegacyIOManagerAdapter,
    Field,
    In,
    InMemoryIOManager,
    InputContext,
    IOManager,
    IOManagerDefinition,
    OutputContext,
    asset,
    io_manager,
    job,
    materialize,
    op,
)
from penstock.errors import InvalidRunConfigError

values: dict[str, Any] = {}
trail: list[str] = []


@pytest.fixture(autouse=True)
def _fresh() -> None:
    values.clear()
    trail.clear()


class Shelf(ConfigurableIOManager):
    prefix: str = "x"

    @classmethod
    def output_config_schema(cls) -> Any:
        return {"label": Field(str, is_required=False)}

    @classmethod
    def input_config_schema(cls) -> Any:
        return {"times": int}

    def handle_output(self, context: OutputContext, obj: Any) -> None:
        trail.append(f"store {context.config}")
        values[f"{self.prefix}/{context.name}"] = obj

    def load_input(self, context: InputContext) -> Any:
        assert context.upstream_output is not None
        value = values[f"{self.prefix}/{context.upstream_output.name}"]
        return value * context.config["times"] if context.config else value


@op
def one() -> int:
    return 1


@op(ins={"number": In(input_manager_key="io_manager")})
def times(number: int) -> int:
    return number


@job(resource_defs={"io_manager": Shelf()})
def multiplies() -> None:
    times(one())


def test_single_inputs_and_outputs_have_config_of_their_own() -> None:
    result = multiplies.execute_in_process(
        run_config={
            "resources": {"io_manager": {"config": {"prefix": "y"}}},
            "ops": {
                "one": {"outputs": {"result": {"label": "first"}}},
                "times": {"inputs": {"number": {"times": 5}}},
            },
        }
    )
    assert result.output_for_node("times") == 5
    assert values["y/result"] == 5
    assert trail == ["store {'label': 'first'}", "store {}"]


def test_what_an_input_must_be_told_is_required() -> None:
    with pytest.raises(InvalidRunConfigError, match=r'lacks the required field "ops.times.inputs.number.times"'):
        multiplies.execute_in_process()
    with pytest.raises(InvalidRunConfigError, match=r"ops\.times\.inputs\.number.*times"):
        multiplies.execute_in_process(run_config={"ops": {"times": {"inputs": {"number": {"time": 5}}}}})


def test_a_factory_makes_the_io_manager() -> None:
    class Factory(ConfigurableIOManagerFactory[InMemoryIOManager]):
        number: int = 1

        def create_io_manager(self, context: Any) -> InMemoryIOManager:
            trail.append(f"made {self.number}")
            return InMemoryIOManager()

    @asset
    def first() -> int:
        return 1

    @asset
    def second(first: int) -> int:
        return first + 1

    result = materialize(
        [first, second],
        resources={"io_manager": Factory()},
        run_config={"resources": {"io_manager": {"config": {"number": 4}}}},
    )
    assert result.output_for_node("second") == 2
    assert trail == ["made 4"]


def test_a_function_s_io_manager_as_a_class() -> None:
    @io_manager(config_schema={"prefix": str})
    def older(context: Any) -> Iterator[IOManager]:
        trail.append(f"up {context.resource_config['prefix']}")
        yield InMemoryIOManager()
        trail.append("down")

    class Adapter(ConfigurableLegacyIOManagerAdapter):
        prefix: str

        @property
        def wrapped_io_manager(self) -> IOManagerDefinition:
            return older

    @asset
    def thing() -> int:
        return 1

    assert materialize([thing], resources={"io_manager": Adapter(prefix="p")}).success
    assert trail == ["up p", "down"]
