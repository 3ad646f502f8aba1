"""The field form of a config schema: dicts, Python types and small wrappers, turned into config types."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from typing import Any

from ..errors import DefinitionError
from . import schema

__all__ = [
    "Array",
    "BoolSource",
    "Field",
    "IntSource",
    "Map",
    "Noneable",
    "Permissive",
    "Selector",
    "Shape",
    "StringSource",
    "to_field",
    "to_schema",
]

StringSource = schema.Scalar(kind="str")
"""Text, given literally or as `{env: NAME}`."""

IntSource = schema.Scalar(kind="int")
"""A whole number, given literally or as `{env: NAME}`."""

BoolSource = schema.Scalar(kind="bool")
"""True or false, given literally or as `{env: NAME}`."""

_SCALARS: Mapping[object, schema.ConfigType] = {
    str: StringSource,
    int: IntSource,
    bool: BoolSource,
    float: schema.Scalar(kind="float"),
    Any: schema.Scalar(),
    object: schema.Scalar(),
    dict: schema.Permissive(),
    list: schema.Array(item=schema.Scalar()),
}
_TYPES = typing.get_args(schema.ConfigType)
_WANTED = "a Python type (str, int, float, bool, list, dict), a dict of fields, or one of the config wrappers"


class _Wrapper:
    """A config type under a public name."""

    __slots__ = ("config_type",)
    config_type: schema.ConfigType

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.config_type!r})"


class Shape(_Wrapper):
    """A mapping with exactly the declared fields.

    Args:
        fields: By name, what each looks like; any form that `config_schema` takes.
        description: What the mapping is for.
    """

    def __init__(self, fields: Mapping[str, Any], description: str | None = None) -> None:
        self.config_type = schema.Shape(fields=_fields(fields), description=description)


class Permissive(_Wrapper):
    """A mapping with the declared fields and any others."""

    def __init__(self, fields: Mapping[str, Any] | None = None, description: str | None = None) -> None:
        self.config_type = schema.Permissive(fields=_fields(fields or {}), description=description)


class Selector(_Wrapper):
    """A mapping with exactly one of the declared fields."""

    def __init__(self, fields: Mapping[str, Any], description: str | None = None) -> None:
        if not fields:
            raise DefinitionError("A Selector needs at least one field to choose from.")
        self.config_type = schema.Selector(fields=_fields(fields), description=description)


class Array(_Wrapper):
    """A list whose items have one type."""

    def __init__(self, inner_type: Any) -> None:
        self.config_type = schema.Array(item=to_schema(inner_type))


class Map(_Wrapper):
    """A mapping with free keys of one scalar type and values of one type."""

    def __init__(self, key_type: Any, inner_type: Any) -> None:
        key = to_schema(key_type)
        if not isinstance(key, schema.Scalar):
            raise DefinitionError(f"The keys of a Map must be of a scalar type such as str, not {key_type!r}.")
        self.config_type = schema.MapOf(key=key.kind, value=to_schema(inner_type))


class Noneable(_Wrapper):
    """Null, or the inner type."""

    def __init__(self, inner_type: Any) -> None:
        self.config_type = schema.Noneable(inner=to_schema(inner_type))


class Field:
    """One config field with what a bare type cannot say.

    Args:
        config: What the value looks like; any form that `config_schema` takes.
        default_value: What stands in when the field is not given, in plain values.
        is_required: Whether it must be given; by default, when it has no default and an empty value would not do.
        description: What it is for.
        is_secret: Whether its value is hidden wherever config is shown.

    Raises:
        DefinitionError: It is required and has a default, or the config's form is unknown.
    """

    __slots__ = ("field",)

    def __init__(
        self,
        config: Any,
        default_value: Any = schema.UNSET,
        is_required: bool | None = None,
        description: str | None = None,
        is_secret: bool = False,
    ) -> None:
        kind = to_schema(config)
        if is_required and default_value is not schema.UNSET:
            raise DefinitionError("A Field is either required or has a default; drop is_required or default_value.")
        if default_value is schema.UNSET and is_required is None and schema.needs_nothing(kind):
            default_value = {}
        required = default_value is schema.UNSET if is_required is None else is_required
        self.field = schema.Field(
            type=kind, required=required, default=default_value, description=description, secret=is_secret
        )

    @property
    def is_required(self) -> bool:
        """Whether it must be given."""
        return self.field.required

    @property
    def default_provided(self) -> bool:
        """Whether it has a default."""
        return self.field.default is not schema.UNSET

    @property
    def default_value(self) -> Any:
        """Its default; raises `DefinitionError` if it has none."""
        if not self.default_provided:
            raise DefinitionError("This Field has no default value; ask default_provided first.")
        return self.field.default

    @property
    def description(self) -> str | None:
        """What it is for."""
        return self.field.description

    @property
    def is_secret(self) -> bool:
        """Whether its value is hidden wherever config is shown."""
        return self.field.secret


def to_field(value: Any) -> schema.Field:
    """A field from any form that `config_schema` takes; it is required unless an empty value is valid."""
    return value.field if isinstance(value, Field) else Field(value).field


def to_schema(config_schema: Any) -> schema.ConfigType:
    """The config type that a user's `config_schema` means.

    Args:
        config_schema: A Python type, a dict of fields, `[item]`, `{key_type: value}`, a wrapper, a pydantic model, a
            config type, or None for any value.

    Raises:
        DefinitionError: It is none of these; the message shows it.
    """
    match config_schema:
        case None:
            return schema.Scalar()
        case _Wrapper():
            return config_schema.config_type
        case Field():
            return config_schema.field.type
        case list():
            if len(config_schema) != 1:
                raise DefinitionError(
                    f"A list as config schema holds the type of its items alone, not {config_schema!r}."
                )
            return schema.Array(item=to_schema(config_schema[0]))
        case dict():
            if len(config_schema) == 1 and isinstance(next(iter(config_schema)), type):
                ((key, value),) = config_schema.items()
                return Map(key, value).config_type
            return schema.Shape(fields=_fields(config_schema))
    if isinstance(config_schema, _TYPES):
        return typing.cast("schema.ConfigType", config_schema)
    return _from_annotation(config_schema)


def _from_annotation(annotation: Any) -> schema.ConfigType:
    try:
        known = _SCALARS.get(annotation)
    except TypeError:
        known = None  # an unhashable value is no type
    if known is not None:
        return known
    if isinstance(annotation, type) and hasattr(annotation, "model_fields"):
        from .model import schema_of

        return schema_of(annotation)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is list:
        return schema.Array(item=to_schema(arguments[0]))
    if origin is dict:
        return Map(*arguments).config_type
    inner = [each for each in arguments if each is not types.NoneType]
    if (origin is typing.Union or origin is types.UnionType) and len(inner) == 1:
        return schema.Noneable(inner=to_schema(inner[0]))
    raise DefinitionError(f"{annotation!r} is no config schema; give {_WANTED}.")


def _fields(given: Mapping[str, Any]) -> dict[str, schema.Field]:
    fields = {}
    for name, value in given.items():
        if not isinstance(name, str):
            raise DefinitionError(f"The names of config fields are text, not {name!r}.")
        try:
            fields[name] = to_field(value)
        except DefinitionError as error:
            raise DefinitionError(f'In the config field "{name}": {error}') from error
    return fields
