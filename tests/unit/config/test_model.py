"""Config models: the schema of each annotation, the way in, the way out, and pydantic's errors in our words."""

from __future__ import annotations

from datetime import date
from enum import Enum as PythonEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
import pytest
from pydantic import SecretStr

from penstock.config.check import check
from penstock.config.env import EnvVar
from penstock.config.model import Config, PermissiveConfig, build, schema_of
from penstock.config.problems import ConfigProblem
from penstock.config.schema import UNSET, Array, Enum, Field, MapOf, Noneable, Permissive, Scalar, Selector, Shape
from penstock.errors import DefinitionError

TEXT = Scalar(kind="str")
INT = Scalar(kind="int")


class Colour(PythonEnum):
    RED = "r"
    GREEN = "g"


class Cat(Config):
    kind: Literal["cat"] = "cat"
    lives: int = pydantic.Field(default=9, ge=1)


class Dog(Config):
    kind: Literal["dog", "hound"] = "dog"
    name: str


class Inner(Config):
    """What is inside."""

    limit: int = 5


class Everything(Config):
    text: str
    number: float = pydantic.Field(default=1.5, description="How many.")
    flag: bool = False
    maybe: int | None = None
    colour: Colour = Colour.RED
    level: Literal["low", "high"] = "low"
    words: list[str] = pydantic.Field(default_factory=list)
    sizes: dict[str, int] = pydantic.Field(default={})
    inner: Inner = Inner()
    pet: Annotated[Cat | Dog, pydantic.Field(discriminator="kind")] = Cat()
    password: SecretStr = SecretStr("swordfish")
    tokens: list[SecretStr] = pydantic.Field(default=[])
    where: Path = Path("/data")
    day: date = date(2024, 1, 2)
    either: int | str = 1
    colours: set[Colour] = pydantic.Field(default=set())


class Tree(Config):
    name: str
    children: list[Tree] = pydantic.Field(default=[])


class Constrained(Config):
    small: int = pydantic.Field(le=10)
    even: int
    many: list[Annotated[int, pydantic.Field(gt=0)]] = pydantic.Field(default=[])
    either: int | bool = 1
    secret: SecretStr = pydantic.Field(min_length=8)

    @pydantic.field_validator("even")
    @classmethod
    def _is_even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("it must be even")
        return value


def test_each_annotation_has_its_config_type() -> None:
    fields = schema_of(Everything).fields
    assert fields["text"] == Field(type=TEXT)
    assert fields["number"] == Field(type=Scalar(kind="float"), required=False, default=1.5, description="How many.")
    assert fields["flag"] == Field(type=Scalar(kind="bool"), required=False, default=False)
    assert fields["maybe"] == Field(type=Noneable(inner=INT), required=False, default=None)
    assert fields["colour"] == Field(type=Enum(values=("RED", "GREEN")), required=False, default="RED")
    assert fields["level"] == Field(type=Enum(values=("low", "high")), required=False, default="low")
    assert fields["words"] == Field(type=Array(item=TEXT), required=False, default=[])
    assert fields["sizes"] == Field(type=MapOf(value=INT), required=False, default={})
    assert fields["inner"].type == Shape(
        fields={"limit": Field(type=INT, required=False, default=5)}, description="What is inside."
    )
    assert fields["inner"].default == {}
    assert fields["where"] == Field(type=TEXT, required=False, default="/data")
    assert fields["day"] == Field(type=Scalar(), required=False, default="2024-01-02")
    assert fields["either"] == Field(type=Scalar(), required=False, default=1)
    assert fields["colours"] == Field(type=Array(item=Enum(values=("RED", "GREEN"))), required=False, default=[])


def test_a_secret_keeps_its_default_to_itself() -> None:
    fields = schema_of(Everything).fields
    assert fields["password"] == Field(type=TEXT, required=False, default=UNSET, secret=True)
    assert fields["tokens"].secret


def test_a_union_with_a_discriminator_is_a_selector() -> None:
    kind = schema_of(Everything).fields["pet"].type
    assert isinstance(kind, Selector)
    assert set(kind.fields) == {"cat", "dog", "hound"}
    assert kind.fields["dog"].type == Shape(fields={"name": Field(type=TEXT)})


def test_a_default_that_does_not_fit_stays_with_pydantic() -> None:
    class Loose(Config):
        limit: int = "many"  # type: ignore[assignment]  # what people write
        none: int = None  # type: ignore[assignment]  # what people write
        now: float = pydantic.Field(default_factory=lambda: 1 / 3)

    fields = schema_of(Loose).fields
    assert fields["limit"] == Field(type=INT, required=False, default=UNSET)
    assert fields["none"] == Field(type=Noneable(inner=INT), required=False, default=None)
    assert fields["now"] == Field(type=Scalar(kind="float"), required=False, default=UNSET)


def test_a_model_inside_itself_is_left_to_pydantic_from_there_on() -> None:
    assert schema_of(Tree).fields["children"].type == Array(item=Scalar())
    tree = build(Tree, {"name": "a", "children": [{"name": "b"}]}).unwrap("It")
    assert tree.children[0].name == "b"


def test_an_open_model_is_permissive_and_takes_an_alias() -> None:
    class Open(PermissiveConfig):
        from_: int = pydantic.Field(alias="from")

    assert schema_of(Open) == Permissive(fields={"from": Field(type=INT)})
    made = build(Open, {"from": 1, "more": 2}).unwrap("It")
    assert (made.from_, made.more) == (1, 2)
    assert made.to_config_dict() == {"from": 1, "more": 2}


def test_a_model_that_names_something_unknown_says_so() -> None:
    class Broken(Config):
        thing: Missing  # type: ignore[name-defined]  # noqa: F821 - the point of the test

    with pytest.raises(DefinitionError, match="Broken names something unknown"):
        schema_of(Broken)


def test_a_checked_config_becomes_an_instance() -> None:
    given = {
        "text": "x",
        "colour": "GREEN",
        "pet": {"hound": {"name": "Rex"}},
        "password": "secret",
        "colours": ["RED", "GREEN"],
        "where": "/tmp/x",
    }
    made = build(Everything, check(schema_of(Everything), given).unwrap("It")).unwrap("It")
    assert made.colour is Colour.GREEN
    assert made.pet == Dog(kind="hound", name="Rex")
    assert made.password.get_secret_value() == "secret"
    assert made.colours == {Colour.RED, Colour.GREEN}
    assert made.where == Path("/tmp/x")
    assert made.inner == Inner()
    assert made.day == date(2024, 1, 2)


def test_an_instance_goes_out_as_it_came_in() -> None:
    made = Everything(
        text="x",
        colour=Colour.GREEN,
        pet=Dog(name="Rex"),
        password=SecretStr("p"),
        inner=Inner(limit=7),
        where=Path("/d"),
        maybe=None,
        day=date(2024, 3, 1),
        sizes={"a": 1},
    )
    written = made.to_config_dict()
    assert written == {
        "text": "x",
        "colour": "GREEN",
        "pet": {"dog": {"name": "Rex"}},
        "password": "p",
        "inner": {"limit": 7},
        "where": "/d",
        "maybe": None,
        "day": "2024-03-01",
        "sizes": {"a": 1},
    }
    assert build(Everything, check(schema_of(Everything), written).unwrap("It")).unwrap("It") == made


def test_a_marked_variable_survives_the_model() -> None:
    class Login(Config):
        user: str
        port: int = pydantic.Field(gt=0)

    login = Login(user=EnvVar("USER_NAME"), port=EnvVar.int("PORT"))
    assert login.to_config_dict() == {"user": {"env": "USER_NAME"}, "port": {"env": "PORT"}}


def test_instances_do_not_change_and_unknown_fields_are_refused() -> None:
    inner = Inner()
    with pytest.raises(pydantic.ValidationError):
        inner.limit = 3  # type: ignore[misc]  # the point of the test
    with pytest.raises(pydantic.ValidationError):
        Inner(limits=3)  # type: ignore[call-arg]  # the point of the test


def test_all_errors_of_pydantic_become_problems() -> None:
    given: dict[str, Any] = {"small": 11, "even": 3, "many": [1, -2], "either": "x", "secret": "short"}
    outcome = build(Constrained, given, path=("ops", "a", "config"))
    found = {problem.path[3:]: problem.message for problem in outcome.problems}
    assert set(found) == {("small",), ("even",), ("many", "1"), ("either",), ("secret",)}
    assert found["small",] == (
        '"ops.a.config.small" with the value 11 is not accepted: Input should be less than or equal to 10.'
    )
    assert found["even",] == '"ops.a.config.even" with the value 3 is not accepted: Value error, it must be even.'
    assert "short" not in found["secret",].replace("shorter", "")
    assert {problem.reason for problem in outcome.problems} == {ConfigProblem.RUNTIME_TYPE_MISMATCH}


def test_errors_inside_a_union_are_named_by_the_selectors_path() -> None:
    outcome = build(Everything, {"text": "x", "pet": {"cat": {"lives": 0}}})
    assert [problem.path for problem in outcome.problems] == [("pet", "cat", "lives")]


def test_missing_and_unknown_fields_keep_their_reason() -> None:
    outcome = build(Constrained, {"small": 1, "even": 2, "sekret": "12345678"})
    assert {(problem.path, problem.reason, problem.field) for problem in outcome.problems} == {
        ((), ConfigProblem.MISSING_REQUIRED_FIELD, "secret"),
        (("sekret",), ConfigProblem.FIELD_NOT_DEFINED, "sekret"),
    }


def test_a_mistake_of_the_whole_model_shows_no_values() -> None:
    class Pair(Config):
        low: int
        password: str

        @pydantic.model_validator(mode="after")
        def _order(self) -> Pair:
            raise ValueError("low is too low")

    outcome = build(Pair, {"low": 1, "password": "hunter2"}, root="the config of the op")
    assert [problem.message for problem in outcome.problems] == [
        "The config of the op is not accepted: Value error, low is too low."
    ]
