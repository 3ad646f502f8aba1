"""Environment variables in config: marked by users, filled in with one problem for each that does not fit."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from penstock.config.env import EnvVar, resolve
from penstock.config.schema import Array, ConfigType, Field, MapOf, Noneable, Scalar, ScalarKind, Shape
from penstock.errors import ConfigurationError, UsageError


def _shape(**kinds: ConfigType) -> Shape:
    return Shape(fields={name: Field(type=kind) for name, kind in kinds.items()})


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [("str", "a", "a"), ("int", "12", 12), ("float", "1.5", 1.5), ("bool", "True", True), ("bool", "0", False)],
)
def test_a_variable_is_read_as_the_type_of_its_field(kind: ScalarKind, text: str, value: object) -> None:
    outcome = resolve(_shape(x=Scalar(kind=kind)), {"x": {"env": "X"}}, {"X": text})
    assert outcome.unwrap("It") == {"x": value}


def test_variables_are_found_at_any_depth() -> None:
    text = Scalar(kind="str")
    schema = _shape(a=Array(item=text), m=MapOf(value=text), n=Noneable(inner=text))
    value = {"a": ["x", {"env": "V"}], "m": {"k": {"env": "V"}}, "n": {"env": "V"}}
    assert resolve(schema, value, {"V": "v"}).unwrap("It") == {"a": ["x", "v"], "m": {"k": "v"}, "n": "v"}


def test_every_missing_or_unfit_variable_is_named_with_its_place_and_without_its_value() -> None:
    schema = _shape(a=Scalar(kind="str"), b=Scalar(kind="int"))
    outcome = resolve(schema, {"a": {"env": "A"}, "b": {"env": "B"}}, {"B": "hunter2"}, path=("resources", "db"))
    assert [problem.message for problem in outcome.problems] == [
        '"resources.db.a" is read from the environment variable A, which is not set; set it.',
        (
            '"resources.db.b" is read from the environment variable B, which holds something else; '
            "set it to a whole number."
        ),
    ]


def test_data_of_type_any_is_left_alone() -> None:
    assert resolve(_shape(x=Scalar()), {"x": {"env": "prod"}}, {}).unwrap("It") == {"x": {"env": "prod"}}


def test_a_marker_tells_its_name_and_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "5432")
    monkeypatch.delenv("HOST", raising=False)
    assert EnvVar("PORT").get_value() == "5432"
    assert EnvVar("HOST").get_value("localhost") == "localhost"
    assert EnvVar.int("PORT").get_value() == 5432
    assert EnvVar.int("HOST").get_value() is None
    assert repr(EnvVar("HOST")) == "EnvVar('HOST')"
    assert repr(EnvVar.int("HOST")) == "EnvVar.int('HOST')"
    assert EnvVar.int("HOST").env_var_name == "HOST"


def test_a_marker_of_a_number_refuses_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "many")
    with pytest.raises(ConfigurationError, match="PORT must hold a whole number"):
        EnvVar.int("PORT").get_value()


@pytest.mark.parametrize(
    "use",
    [
        lambda: str(EnvVar("TOKEN")),
        lambda: f"{EnvVar('TOKEN')}",
        lambda: str(EnvVar.int("TOKEN")),
        lambda: f"{EnvVar.int('TOKEN')}",
        lambda: int(EnvVar.int("TOKEN")),
    ],
)
def test_a_marker_is_never_taken_for_the_value(use: Callable[[], object]) -> None:
    with pytest.raises(UsageError, match=r"EnvVar.*'TOKEN'\) is only read when"):
        use()
