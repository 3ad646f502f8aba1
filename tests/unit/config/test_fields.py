"""The field form of a schema: what users write, and the config type that it means."""

from __future__ import annotations

import enum
from typing import Any, cast

import pytest

from penstock.config import schema
from penstock.config.check import check
from penstock.config.fields import (
    Array,
    BoolSource,
    Enum,
    EnumValue,
    Field,
    IntSource,
    Map,
    Noneable,
    Permissive,
    ScalarUnion,
    Selector,
    Shape,
    StringSource,
    read_schema,
    to_field,
    to_schema,
)
from penstock.config.model import Config
from penstock.config.python_types import Dict, List, Optional
from penstock.errors import ConfigSchemaError

TEXT = schema.Scalar(kind="str")
INT = schema.Scalar(kind="int")


class Model(Config):
    limit: int


class Color(enum.Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, schema.Scalar()),
        (Any, schema.Scalar()),
        (str, TEXT),
        (int, INT),
        (bool, BoolSource),
        (float, schema.Scalar(kind="float")),
        (dict, schema.Permissive()),
        (list, schema.Array(item=schema.Scalar())),
        ([int], schema.Array(item=INT)),
        (list[int], schema.Array(item=INT)),
        ({str: int}, schema.MapOf(value=INT)),
        (dict[int, str], schema.MapOf(key="int", value=TEXT)),
        (int | None, schema.Noneable(inner=INT)),
        (IntSource, INT),
        (StringSource, TEXT),
        (Array(str), schema.Array(item=TEXT)),
        (Map(str, Noneable(int)), schema.MapOf(value=schema.Noneable(inner=INT))),
        (Field(int, is_required=False), INT),
        (Model, schema.Shape(fields={"limit": schema.Field(type=INT)})),
        (Permissive(), schema.Permissive()),
        (INT, INT),
        (ScalarUnion(str, {"a": int}), schema.ScalarUnion(scalar=TEXT, other=to_schema({"a": int}))),
        (Map(str, int, key_label_name="person"), schema.MapOf(value=INT, key_label="person")),
        (
            Enum("E", [EnumValue("A"), EnumValue("B", 2, "Two.")]),
            schema.Enum(values=("A", "B"), name="E", descriptions={"B": "Two."}),
        ),
        (Color, schema.Enum(values=("RED",), name="Color")),
        (List[int], schema.Array(item=INT)),
        (Dict[str, int], schema.MapOf(value=INT)),
        (Dict, schema.Permissive()),
        (Optional[int], schema.Noneable(inner=INT)),
    ],
)
def test_each_form_means_one_config_type(given: object, expected: schema.ConfigType) -> None:
    assert to_schema(given) == expected


def test_a_dict_of_fields_is_a_shape() -> None:
    assert to_schema({"a": int, "b": Field(str, default_value="x", description="B", is_secret=True)}) == schema.Shape(
        fields={
            "a": schema.Field(type=INT),
            "b": schema.Field(type=TEXT, required=False, default="x", description="B", secret=True),
        }
    )


def test_a_field_is_required_unless_an_empty_value_will_do() -> None:
    assert to_field(int).required
    assert to_field({"a": int}).required
    optional = to_field({"a": Field(int, is_required=False)})
    assert not optional.required
    assert optional.default == {}
    assert to_field(Selector({"a": {}, "b": {}})).required
    assert not to_field(Field(int, default_value=None)).required


def test_a_field_tells_what_it_was_given() -> None:
    field = Field(int, default_value=3, description="How many.")
    assert (field.is_required, field.default_provided, field.default_value) == (False, True, 3)
    assert (field.description, field.is_secret) == ("How many.", False)
    with pytest.raises(ConfigSchemaError, match="no default value"):
        _ = Field(int).default_value


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Field(int, default_value=1, is_required=True), "either required or has a default"),
        (lambda: to_schema(3), "3 is no config schema"),
        (lambda: to_schema({"a": {"b": 3}}), 'In the config field "a": In the config field "b": 3 is no config schema'),
        (lambda: to_schema({1: int}), "names of config fields are text, not 1"),
        (lambda: to_schema([int, str]), "the type of its items alone"),
        (lambda: Map(list, int), "scalar type such as str"),
        (lambda: Selector({}), "at least one field"),
        (lambda: Field(int, default_value="x"), "default that does not fit it"),
        (lambda: Shape({"a": int}, field_aliases={"b": "c"}), 'alias "c" for "b", which is none of its fields'),
        (lambda: Shape({"a": int, "b": int}, field_aliases={"a": "b"}), "already means another field"),
        (lambda: ScalarUnion([int], {}), "must be str, int, float or bool"),
        (lambda: ScalarUnion(int, str), "must be a mapping or a list"),
        (lambda: Enum("E", [EnumValue("A"), EnumValue("A")]), 'the word "A" twice'),
        (lambda: Enum("E", cast("Any", ["A"])), "give an EnumValue"),
        (lambda: EnumValue(cast("Any", 1)), "is text, not 1"),
    ],
)
def test_what_is_no_schema_is_refused_with_its_place(make: Any, message: str) -> None:
    with pytest.raises(ConfigSchemaError, match=message):
        make()


def test_a_shape_keeps_its_description() -> None:
    assert to_schema(Shape({}, description="Nothing")) == schema.Shape(description="Nothing")


def test_the_words_of_an_enum_become_python_values_at_any_depth() -> None:
    word = Enum("E", [EnumValue("A", 42), EnumValue("B")])
    declared = read_schema(
        {
            "one": word,
            "many": [word],
            "by_name": {str: word},
            "maybe": Noneable(word),
            "either": ScalarUnion(int, {"e": word}),
            "choice": Selector({"e": word, "f": int}),
            "open": Permissive({"e": word}),
        }
    )
    assert declared.enter is not None
    value = {
        "one": "A",
        "many": ["A", "B"],
        "by_name": {"x": "A"},
        "maybe": None,
        "either": {"e": "A"},
        "choice": {"e": "A"},
        "open": {"e": "A", "g": 1},
    }
    assert declared.enter(check(declared.type, value).unwrap("It")) == {
        "one": 42,
        "many": [42, "B"],
        "by_name": {"x": 42},
        "maybe": None,
        "either": {"e": 42},
        "choice": {"e": 42},
        "open": {"e": 42, "g": 1},
    }
    assert read_schema({"a": int, "b": Enum("F", [EnumValue("A")])}).enter is None


def test_the_values_of_a_python_enum_may_be_the_words() -> None:
    direct = Enum.from_python_enum_direct_values(Color)
    assert direct.declared.enter is None
    assert [each.config_value for each in direct.enum_values] == ["red"]


def test_the_default_of_an_enum_may_be_the_member() -> None:
    assert Field(Color, default_value=Color.RED).default_value == "RED"


def test_null_stands_in_for_an_optional_field() -> None:
    assert check(to_schema({"a": Noneable(str)}), {}).unwrap("It") == {"a": None}


def test_wrappers_tell_what_they_were_given() -> None:
    assert Map(str, int, key_label_name="person").key_label_name == "person"
    assert Shape({}, description="Nothing").description == "Nothing"
    assert Array(int).description is None
