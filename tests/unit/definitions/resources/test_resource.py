"""Resource definitions of functions and of plain values."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from penstock import Field, ResourceDefinition, build_resources, io_manager, resource
from penstock.definitions.resources.resource import to_resources
from penstock.errors import DefinitionError, InvalidRunConfigError


def _context(config: Any = None) -> Any:
    return SimpleNamespace(resource_config=config, resources=SimpleNamespace())


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
