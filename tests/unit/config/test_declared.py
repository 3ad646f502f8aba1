"""The config that a definition takes, as declared, as made by a function, and as given in code."""

from __future__ import annotations

import enum
from typing import Any

import pytest
from pydantic import field_validator

from penstock.config.declared import DeclaredConfig, Finished, GivenConfig, MappedConfig, OpenConfig, configured_config
from penstock.config.env import EnvVar
from penstock.config.fields import Enum, Field, Noneable, Shape
from penstock.config.model import Config
from penstock.errors import ConfigMappingError, DefinitionError, InvalidRunConfigError


class Color(enum.Enum):
    RED = 1


class Settings(Config):
    size: int
    name: str = "none"

    @field_validator("name")
    @classmethod
    def short(cls, value: str) -> str:
        if len(value) > 5:
            raise ValueError(f"{value} is too long")
        return value


def _finish(declared: DeclaredConfig, given: Any, environ: dict[str, str] | None = None) -> Finished:
    return declared.finish(given, environ or {}, path=("ops", "a", "config"), root="the run config")


def test_declared_config_comes_as_plain_values_with_python_values_for_words() -> None:
    declared = OpenConfig({"color": Enum.from_python_enum(Color), "env": Field(str), "none": Noneable(Color)})
    finished = _finish(declared, {"color": "RED", "env": {"env": "A"}, "none": None}, {"A": "a"})
    assert finished.value == {"color": Color.RED, "env": "a", "none": None}
    assert finished.typed == finished.value


def test_a_config_class_is_built() -> None:
    finished = _finish(OpenConfig(Settings), {"size": 1, "name": "x"})
    assert finished.value == {"size": 1, "name": "x"}
    assert finished.typed == Settings(size=1, name="x")


def test_a_value_from_the_environment_is_in_no_message() -> None:
    finished = _finish(OpenConfig(Settings), {"size": 1, "name": {"env": "A"}}, {"A": "canary-4711"})
    (problem,) = finished.problems
    assert "ops.a.config.name" in problem.message
    assert "is too long" in problem.message
    assert "canary" not in problem.message


def test_a_default_instance_stands_in() -> None:
    declared = OpenConfig(Settings, Settings(size=EnvVar.int("A")))
    assert declared.field.default == {"size": {"env": "A"}}
    assert not declared.field.required


def test_a_function_makes_the_config_of_another_form() -> None:
    declared = configured_config(OpenConfig(Settings), lambda given: {"size": given["n"] + 1}, {"n": int}, "op a")
    assert isinstance(declared, MappedConfig)
    assert declared.field == OpenConfig({"n": int}).field
    assert _finish(declared, {"n": 1}).typed == Settings(size=2)
    again = configured_config(declared, {"n": 4}, None, "op b")
    assert again.field is None
    assert _finish(again, None).typed == Settings(size=5)


def test_the_form_may_be_a_config_class_in_the_annotation_or_anything() -> None:
    def typed(given: Settings) -> dict[str, Any]:
        return {"size": given.size}

    by_class = configured_config(OpenConfig({"size": int}), typed, None, "op a")
    assert by_class.field == OpenConfig(Settings).field
    assert _finish(by_class, {"size": 3}).value == {"size": 3}
    free = configured_config(OpenConfig({"size": int}), lambda given: {"size": len(given)}, None, "op a")
    assert free.field is not None
    assert not free.field.required
    assert _finish(free, [1, 2]).value == {"size": 2}


def test_what_a_function_makes_may_be_typed_and_is_checked() -> None:
    inner = OpenConfig(Shape({"inner": Shape({"size": int, "name": str})}))
    typed = configured_config(inner, lambda _: {"inner": Settings(size=1, name="x")}, None, "op a")
    assert _finish(typed, None).value == {"inner": {"size": 1, "name": "x"}}
    wrong = configured_config(inner, lambda _: {"iner": 1}, None, "op a")
    assert {each.path for each in _finish(wrong, None).problems} == {("iner",), ()}


def test_what_a_function_raises_names_whose_config_it_is() -> None:
    declared = configured_config(OpenConfig(Settings), lambda given: given["x"], None, "op a")
    with pytest.raises(ConfigMappingError, match="the config of op a raised KeyError: 'x'") as caught:
        _finish(declared, {})
    assert isinstance(caught.value.__cause__, KeyError)


def test_config_in_code_is_checked_where_it_is_given() -> None:
    with pytest.raises(InvalidRunConfigError, match='has no field "sise"; did you mean "size"'):
        GivenConfig(OpenConfig(Settings), {"sise": 1}, "op a")
    given = GivenConfig(OpenConfig(Settings), Settings(size=EnvVar.int("A")), "op a")
    assert _finish(given, None, {"A": "7"}).typed == Settings(size=7)


def test_what_takes_no_config_cannot_be_configured() -> None:
    with pytest.raises(DefinitionError, match="op a takes no config"):
        configured_config(None, {}, None, "op a")
    with pytest.raises(DefinitionError, match="the schema belongs to a function"):
        configured_config(OpenConfig(Settings), {"size": 1}, {"n": int}, "op a")
