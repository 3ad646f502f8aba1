"""Resource definitions of functions and of plain values."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from penstock import (
    Field,
    ResourceDefinition,
    build_init_resource_context,
    build_resources,
    io_manager,
    make_values_resource,
    resource,
)
from penstock.definitions.resources.resource import to_resources
from penstock.errors import DefinitionError, InvalidRunConfigError, InvocationError


def _context(config: Any = None) -> Any:
    return build_init_resource_context(config)


def test_a_function_makes_the_resource() -> None:
    @resource(config_schema={"url": str}, required_resource_keys={"other"})
    def db(context: Any) -> str:
        """A database."""
        return f"db at {context.resource_config['url']}"

    assert db.initialize(_context({"url": "x"})) == "db at x"
    assert db.required_resource_keys == {"other"}
    assert db.description == "A database."
    field = db.config_field
    assert field is not None
    assert field.required


def test_a_bare_function_need_not_take_the_context() -> None:
    @resource
    def plain() -> int:
        return 3

    assert plain.initialize(_context()) == 3
    assert plain.config_field is None
    assert plain() == 3


def test_config_given_in_code_is_checked_and_takes_the_place_of_a_run_config_s() -> None:
    @resource(config_schema={"url": str, "port": Field(int, default_value=1)})
    def db(context: Any) -> Any:
        return context.resource_config

    preset = db.configured({"url": "x"}, description="The preset one.")
    assert preset.config_field is None
    assert preset.description == "The preset one."
    assert preset.shown_config() == {"url": "x"}
    with build_resources({"db": preset}) as made:
        assert made.db == {"url": "x", "port": 1}
    with pytest.raises(InvalidRunConfigError, match="urll"):
        db.configured({"urll": "x"})


def test_any_object_is_a_resource() -> None:
    def endless() -> Iterator[int]:
        yield 1

    generator = endless()
    made = to_resources({"a": 3, "b": generator, "c": ResourceDefinition.none_resource()}, "Definitions")
    assert made["a"].initialize(_context()) == 3
    assert made["a"].type_name == "int"
    assert made["c"].initialize(_context()) is None
    # A generator as a value is the resource itself, not what sets it up.
    assert next(made["b"].initialize(_context())) is generator


def test_text_resources_are_their_config() -> None:
    assert ResourceDefinition.string_resource().initialize(_context("x")) == "x"


@pytest.mark.parametrize(
    ("given", "words"),
    [({"a b": 1}, "resource key 'a b'"), ({"a": int}, r"give an instance, int\(\.\.\.\)")],
)
def test_what_is_no_resource_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(DefinitionError, match=words):
        to_resources(given, "Definitions")


def test_an_io_manager_of_a_function() -> None:
    @io_manager(config_schema={"base": Field(str, default_value="/x")})
    def store(context: Any) -> Any:
        return context.resource_config["base"]

    assert store.initialize(_context({"base": "/y"})) == "/y"


def test_a_context_manager_of_contextlib_is_set_up_and_torn_down() -> None:
    trail: list[str] = []

    @resource
    @contextmanager
    def opened() -> Iterator[int]:
        trail.append("up")
        yield 5
        trail.append("down")

    class Manager:
        def __enter__(self) -> None:
            pytest.fail("its users enter it")

        def __exit__(self, *failure: object) -> None: ...

    manager = Manager()

    @resource
    def returned() -> Manager:
        return manager

    with build_resources({"opened": opened, "returned": returned}) as made:
        assert made.opened == 5
        assert made.returned is manager
        assert trail == ["up"]
    assert trail == ["up", "down"]


def test_a_mock_takes_every_call() -> None:
    mock = ResourceDefinition.mock_resource()
    with build_resources({"first": mock, "second": mock}) as made:
        made.first.connect(port=1).send("x")
        made.first.connect.assert_called_once_with(port=1)
        made.second.connect.assert_not_called()


def test_values_of_the_config() -> None:
    typed, any_values = make_values_resource(name=str, size=int), make_values_resource()
    config: dict[str, Any] = {"typed": {"config": {"name": "x", "size": 2}}, "free": {"config": {"whatever": [1]}}}
    with build_resources({"typed": typed, "free": any_values}, resource_config=config) as made:
        assert made.typed == {"name": "x", "size": 2}
        assert made.free == {"whatever": [1]}
    config["typed"]["config"]["size"] = "two"
    with (
        pytest.raises(InvalidRunConfigError, match="size"),
        build_resources({"typed": typed, "free": any_values}, resource_config=config),
    ):
        pytest.fail("set up with a wrong config")


@resource(config_schema={"url": str, "port": Field(int, default_value=1)}, version="7")
def configured(context: Any) -> Any:
    return context.resource_config


@resource(required_resource_keys={"base"})
def needy(context: Any) -> Any:
    return context.resources.base


def test_called_it_is_the_function_with_its_config_checked() -> None:
    assert configured.version == "7"
    assert configured(build_init_resource_context({"url": "x"})) == {"url": "x", "port": 1}
    with pytest.raises(InvalidRunConfigError, match="url"):
        configured(build_init_resource_context({"port": 2}))
    for asks in (configured, needy):
        with pytest.raises(InvocationError, match="build_init_resource_context"):
            asks()

    @resource
    def torn_down() -> Iterator[int]:
        yield 3

    with torn_down() as value:
        assert value == 3


@pytest.mark.parametrize("made", [lambda: 1, configured])
def test_what_people_read_of_it(made: Callable[..., Any]) -> None:
    definition = made if isinstance(made, ResourceDefinition) else ResourceDefinition(made)
    assert definition.type_name in ("ResourceDefinition", "configured")
