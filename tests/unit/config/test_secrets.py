"""Secrets are hidden wherever a config is shown."""

from __future__ import annotations

from penstock.config.problems import HIDDEN
from penstock.config.schema import (
    UNSET,
    Array,
    ConfigType,
    Field,
    MapOf,
    Noneable,
    Scalar,
    ScalarUnion,
    Selector,
    Shape,
)
from penstock.config.secrets import conceal, redact, restore, still_hidden

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


DEEP = Shape(
    fields={
        "one": Field(type=Noneable(inner=LOGIN)),
        "many": Field(type=Array(item=LOGIN)),
        "named": Field(type=MapOf(value=LOGIN)),
        "choice": Field(type=Selector(fields={"login": Field(type=LOGIN)})),
        "either": Field(type=ScalarUnion(scalar=TEXT, other=LOGIN)),
    }
)
FULL = {
    "one": {"user": "u", "password": "p1"},
    "many": [{"user": "u", "password": "p2"}],
    "named": {"k": {"user": "u", "password": "p3"}},
    "choice": {"login": {"user": "u", "password": "p4"}},
    "either": {"user": "u", "password": "p5"},
}


def test_what_was_shown_becomes_whole_again_with_the_config_it_was_made_of() -> None:
    shown = redact(DEEP, FULL)
    assert len(list(still_hidden(DEEP, shown))) == 5
    assert restore(DEEP, shown, FULL) == FULL


def test_what_was_changed_by_hand_stays_changed() -> None:
    shown = redact(DEEP, FULL)
    shown["one"]["password"] = "new"
    shown["many"].append({"user": "w", "password": HIDDEN})
    restored = restore(DEEP, shown, FULL)
    assert restored["one"]["password"] == "new"
    (problem, other) = still_hidden(DEEP, restored)
    assert problem.path == ("many", "0", "password")
    assert other.path == ("many", "1", "password")
    assert "give the secret itself, or {env: NAME}" in problem.message


def test_an_alias_hides_nothing_less() -> None:
    schema = Shape(fields={"password": Field(type=TEXT, secret=True)}, aliases={"password": "pw"})
    assert redact(schema, {"pw": "p"}) == {"pw": HIDDEN}
    assert restore(schema, {"pw": HIDDEN}, {"pw": "p"}) == {"pw": "p"}


def test_defaults_of_secrets_are_taken_out_of_a_schema() -> None:
    secret = Field(type=TEXT, required=False, default="p", secret=True)
    inner = Shape(fields={"password": secret, "user": Field(type=TEXT, required=False, default="u")})
    outer = Shape(fields={"login": Field(type=inner, required=False, default={"password": "p", "user": "w"})})
    kinds: list[ConfigType] = [
        outer,
        Array(item=outer),
        MapOf(value=outer),
        Noneable(inner=outer),
        ScalarUnion(scalar=TEXT, other=outer),
        Selector(fields={"x": Field(type=outer)}),
    ]
    for kind in kinds:
        assert "'p'" in repr(kind)
        assert "'p'" not in repr(conceal(kind))
    concealed = conceal(outer)
    assert isinstance(concealed, Shape)
    login = concealed.fields["login"]
    assert (login.required, login.default) == (False, UNSET)
    assert conceal(LOGIN) is LOGIN
