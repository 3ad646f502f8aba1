"""The field form of a schema: what users write, and the config type that it means."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.config import schema
from penstock.config.fields import (
    Array,
    BoolSource,
    Field,
    IntSource,
    Map,
    Noneable,
    Permissive,
    Selector,
    Shape,
    StringSource,
    to_field,
    to_schema,
)
from penstock.config.model import Config
from penstock.errors import DefinitionError

TEXT = schema.Scalar(kind="str")
INT = schema.Scalar(kind="int")


class Model(Config):
    limit: int


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
    with pytest.raises(DefinitionError, match="no default value"):
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
    ],
)
def test_what_is_no_schema_is_refused_with_its_place(make: Any, message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        make()


def test_a_shape_keeps_its_description() -> None:
    assert to_schema(Shape({}, description="Nothing")) == schema.Shape(description="Nothing")
