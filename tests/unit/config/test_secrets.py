"""Secrets are hidden wherever a config is shown."""

from __future__ import annotations

from penstock.config.problems import HIDDEN
from penstock.config.schema import Array, Field, MapOf, Noneable, Scalar, Selector, Shape
from penstock.config.secrets import redact

TEXT = Scalar(kind="str")
LOGIN = Shape(fields={"user": Field(type=TEXT), "password": Field(type=TEXT, secret=True)})


def test_secret_fields_are_hidden_at_any_depth() -> None:
    schema = Shape(
        fields={
            "one": Field(type=Noneable(inner=LOGIN)),
            "many": Field(type=Array(item=LOGIN)),
            "named": Field(type=MapOf(value=LOGIN)),
            "choice": Field(type=Selector(fields={"login": Field(type=LOGIN)})),
        }
    )
    login = {"user": "u", "password": "p"}
    hidden = {"user": "u", "password": HIDDEN}
    value = {"one": login, "many": [login], "named": {"k": login}, "choice": {"login": login}}
    assert redact(schema, value) == {
        "one": hidden,
        "many": [hidden],
        "named": {"k": hidden},
        "choice": {"login": hidden},
    }


def test_the_name_of_a_variable_is_no_secret() -> None:
    value = {"user": "u", "password": {"env": "PASSWORD"}}
    assert redact(LOGIN, value) == value


def test_what_does_not_fit_is_kept_but_inside_a_secret() -> None:
    assert redact(LOGIN, {"password": {"env": "A", "b": 1}, "other": 1}) == {"password": HIDDEN, "other": 1}
    assert redact(Array(item=LOGIN), 3) == 3
    assert redact(Noneable(inner=LOGIN), None) is None
