"""The field form of a config schema: dicts, Python types and small wrappers, turned into config types.

What a schema means has two sides: the config type, which is data and travels with a location's description, and the way
in, by which user code gets Python values for what a config can only name (the members of an `Enum`).
"""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from ..errors import ConfigSchemaError
from . import schema
from .check import check

__all__ = [
    "Array",
    "BoolSource",
    "ConfigSchema",
    "Declared",
    "Enter",
    "Enum",
    "EnumValue",
    "Field",
    "IntSource",
    "Map",
    "Noneable",
    "Permissive",
    "ScalarUnion",
    "Selector",
    "Shape",
    "StringSource",
    "read_field",
    "read_schema",
    "to_field",
    "to_schema",
]

Enter: TypeAlias = Callable[[Any], Any]
"""Turns a checked config into what user code gets."""

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
    typing.Dict: schema.Permissive(),  # noqa: UP006 - the name that users write
    list: schema.Array(item=schema.Scalar()),
    typing.List: schema.Array(item=schema.Scalar()),  # noqa: UP006 - the name that users write
}
_TYPES = typing.get_args(schema.ConfigType)
_WANTED = "a Python type (str, int, float, bool, list, dict), a dict of fields, or one of the config wrappers"


class ConfigSchema:
    """Stands in signatures for every form that a `config_schema` may have.

    These are: a Python type (`str`, `int`, `float`, `bool`, `list`, `dict`, `Any`), a dict of fields, `[item]` and
    `{key_type: value}`, a wrapper (`Field`, `Shape`, `Permissive`, `Selector`, `Array`, `Map`, `Noneable`, `Enum`,
    `ScalarUnion`, `StringSource`, `IntSource`, `BoolSource`), and a `Config` class. It is never made.
    """


class Declared(msgspec.Struct, frozen=True):
    """What a config schema means: the config type, and the way in, or None where user code gets the config as it is."""

    type: schema.ConfigType
    enter: Enter | None = None


class _Wrapper:
    """A config type under a public name."""

    __slots__ = ("declared",)
    declared: Declared

    @property
    def config_type(self) -> schema.ConfigType:
        """The config type."""
        return self.declared.type

    @property
    def description(self) -> str | None:
        """What it is for."""
        return getattr(self.declared.type, "description", None)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.config_type!r})"


class Shape(_Wrapper):
    """A mapping with exactly the declared fields.

    Args:
        fields: By name, what each looks like; any form that `config_schema` takes.
        description: What the mapping is for.
        field_aliases: By field, another name under which a config may give it.

    Raises:
        ConfigSchemaError: A field's form is unknown, or an alias is for no field or is another field's name.
    """

    def __init__(
        self,
        fields: Mapping[str, Any],
        description: str | None = None,
        field_aliases: Mapping[str, str] | None = None,
    ) -> None:
        read = _fields(fields)
        aliases = dict(field_aliases or {})
        for name, alias in aliases.items():
            if name not in read:
                raise ConfigSchemaError(
                    f'A Shape has the alias "{alias}" for "{name}", which is none of its fields '
                    f"({', '.join(read) or 'it has none'}); field_aliases are by field."
                )
            if alias in read or list(aliases.values()).count(alias) > 1:
                raise ConfigSchemaError(
                    f'A Shape has the alias "{alias}" for "{name}", which already means another field; '
                    "choose another alias."
                )
        kind = schema.Shape(fields=_field_records(read), description=description, aliases=aliases)
        self.declared = Declared(kind, _enter_fields(read))


class Permissive(_Wrapper):
    """A mapping with the declared fields and any others.

    Args:
        fields: By name, what the declared ones look like; any form that `config_schema` takes.
        description: What the mapping is for.
    """

    def __init__(self, fields: Mapping[str, Any] | None = None, description: str | None = None) -> None:
        read = _fields(fields or {})
        self.declared = Declared(
            schema.Permissive(fields=_field_records(read), description=description), _enter_fields(read)
        )


class Selector(_Wrapper):
    """A mapping with exactly one of the declared fields.

    Args:
        fields: By name, what each looks like; any form that `config_schema` takes.
        description: What the choice is for.
    """

    def __init__(self, fields: Mapping[str, Any], description: str | None = None) -> None:
        if not fields:
            raise ConfigSchemaError("A Selector needs at least one field to choose from.")
        read = _fields(fields)
        self.declared = Declared(
            schema.Selector(fields=_field_records(read), description=description), _enter_fields(read)
        )


class Array(_Wrapper):
    """A list whose items have one type.

    Args:
        inner_type: What each item looks like; any form that `config_schema` takes.
    """

    def __init__(self, inner_type: Any) -> None:
        item = read_schema(inner_type)
        enter = item.enter
        self.declared = Declared(
            schema.Array(item=item.type), None if enter is None else lambda value: [enter(each) for each in value]
        )


class Map(_Wrapper):
    """A mapping with free keys of one scalar type and values of one type.

    Args:
        key_type: The type of the keys.
        inner_type: What the values look like.
        key_label_name: What a key stands for, to be shown to who writes a config.
    """

    def __init__(self, key_type: Any, inner_type: Any, key_label_name: str | None = None) -> None:
        key = to_schema(key_type)
        if not isinstance(key, schema.Scalar):
            raise ConfigSchemaError(f"The keys of a Map must be of a scalar type such as str, not {key_type!r}.")
        inner = read_schema(inner_type)
        enter = inner.enter
        self.declared = Declared(
            schema.MapOf(key=key.kind, value=inner.type, key_label=key_label_name),
            None if enter is None else lambda value: {name: enter(each) for name, each in value.items()},
        )

    @property
    def key_label_name(self) -> str | None:
        """What a key stands for."""
        return typing.cast("schema.MapOf", self.config_type).key_label


class Noneable(_Wrapper):
    """Null, or the inner type.

    Args:
        inner_type: What it looks like otherwise; any form that `config_schema` takes.
    """

    def __init__(self, inner_type: Any) -> None:
        inner = read_schema(inner_type)
        enter = inner.enter
        self.declared = Declared(
            schema.Noneable(inner=inner.type),
            None if enter is None else lambda value: None if value is None else enter(value),
        )


class ScalarUnion(_Wrapper):
    """One value, or a longer form: a mapping or a list.

    Args:
        scalar_type: The type of the one value: `str`, `int`, `float` or `bool`.
        non_scalar_schema: What the longer form looks like.
    """

    def __init__(self, scalar_type: Any, non_scalar_schema: Any) -> None:
        scalar, other = to_schema(scalar_type), read_schema(non_scalar_schema)
        if not isinstance(scalar, schema.Scalar) or scalar.kind == "any":
            raise ConfigSchemaError(
                f"The scalar_type of a ScalarUnion must be str, int, float or bool, not {scalar_type!r}."
            )
        if isinstance(other.type, schema.Scalar | schema.Enum | schema.Noneable | schema.ScalarUnion):
            raise ConfigSchemaError(
                f"The non_scalar_schema of a ScalarUnion must be a mapping or a list, not {non_scalar_schema!r}; "
                "a value has to show by its form which of the two it is."
            )
        enter = other.enter
        self.declared = Declared(
            schema.ScalarUnion(scalar=scalar, other=other.type),
            None if enter is None else lambda value: enter(value) if isinstance(value, dict | list) else value,
        )


class EnumValue:
    """A word of an `Enum`.

    Args:
        config_value: The word.
        python_value: What user code gets for it; the word itself if not given.
        description: What it means.
    """

    __slots__ = ("config_value", "description", "python_value")

    def __init__(self, config_value: str, python_value: Any = None, description: str | None = None) -> None:
        if not isinstance(config_value, str):
            raise ConfigSchemaError(f"The word of an EnumValue is text, not {config_value!r}; give it as config_value.")
        self.config_value = config_value
        self.python_value = config_value if python_value is None else python_value
        self.description = description

    def __repr__(self) -> str:
        return f"EnumValue({self.config_value!r}, {self.python_value!r})"


class Enum(_Wrapper):
    """One of a closed list of words, each of which may stand for a Python value.

    Args:
        name: What the words are together.
        enum_values: The words.

    Raises:
        ConfigSchemaError: A word is there twice, or is no `EnumValue`.
    """

    def __init__(self, name: str, enum_values: Sequence[EnumValue]) -> None:
        self._enum_values = tuple(enum_values)
        values: dict[str, Any] = {}
        for each in self._enum_values:
            if not isinstance(each, EnumValue):
                raise ConfigSchemaError(f'The Enum "{name}" has {each!r} among its words; give an EnumValue.')
            if each.config_value in values:
                raise ConfigSchemaError(f'The Enum "{name}" has the word "{each.config_value}" twice; keep one.')
            values[each.config_value] = each.python_value
        kind = schema.Enum(
            values=tuple(values),
            name=name,
            descriptions={each.config_value: each.description for each in self._enum_values if each.description},
        )
        plain = all(word is value for word, value in values.items())
        self.declared = Declared(kind, None if plain else values.__getitem__)

    @property
    def enum_values(self) -> tuple[EnumValue, ...]:
        """The words."""
        return self._enum_values

    @classmethod
    def from_python_enum(cls, enum: type[enum.Enum], name: str | None = None) -> Enum:
        """The names of a Python enum's members, which user code gets as the members."""
        return cls(name or enum.__name__, [EnumValue(each, member) for each, member in enum.__members__.items()])

    @classmethod
    def from_python_enum_direct_values(cls, enum: type[enum.Enum], name: str | None = None) -> Enum:
        """The values of a Python enum's members, which must be text; user code gets them as they are."""
        return cls(name or enum.__name__, [EnumValue(member.value) for member in enum])


class Field:
    """One config field with what a bare type cannot say.

    Args:
        config: What the value looks like; any form that `config_schema` takes.
        default_value: What stands in when the field is not given, in plain values.
        is_required: Whether it must be given; by default, when it has no default and neither an empty value nor null
            would do.
        description: What it is for.
        is_secret: Whether its value is hidden wherever config is shown.

    Raises:
        ConfigSchemaError: It is required and has a default, the default does not fit, or the config's form is unknown.
    """

    __slots__ = ("enter", "field")

    def __init__(
        self,
        config: Any,
        default_value: Any = schema.UNSET,
        is_required: bool | None = None,
        description: str | None = None,
        is_secret: bool = False,
    ) -> None:
        declared = read_schema(config)
        kind = declared.type
        if is_required and default_value is not schema.UNSET:
            raise ConfigSchemaError("A Field is either required or has a default; drop is_required or default_value.")
        if default_value is schema.UNSET and is_required is None:
            if isinstance(kind, schema.Noneable):
                default_value = None
            elif schema.needs_nothing(kind):
                default_value = {}
        elif default_value is not schema.UNSET and default_value is not None:
            default_value = _default(kind, default_value, is_secret)
        required = default_value is schema.UNSET if is_required is None else is_required
        self.enter = declared.enter
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
        """Its default; raises `ConfigSchemaError` if it has none."""
        if not self.default_provided:
            raise ConfigSchemaError("This Field has no default value; ask default_provided first.")
        return self.field.default

    @property
    def description(self) -> str | None:
        """What it is for."""
        return self.field.description

    @property
    def is_secret(self) -> bool:
        """Whether its value is hidden wherever config is shown."""
        return self.field.secret

    def __repr__(self) -> str:
        return f"Field({self.field.type!r}, is_required={self.is_required})"


def _default(kind: schema.ConfigType, value: Any, secret: bool) -> Any:
    """A default as config writes it; the member of a Python enum is given by name."""
    if isinstance(kind, schema.Enum) and isinstance(value, enum.Enum) and value.name in kind.values:
        value = value.name
    outer = schema.Shape(fields={"default_value": schema.Field(type=kind, secret=secret)})
    problems = check(outer, {"default_value": value}).problems
    if problems:
        raise ConfigSchemaError(
            f"A Field has a default that does not fit it; change one of them: {problems[0].message}"
        )
    return value


def to_field(value: Any) -> schema.Field:
    """A field from any form that `config_schema` takes; it is required unless an empty value or null will do."""
    return read_field(value).field


def read_field(value: Any) -> Field:
    """A field with its way in, from any form that `config_schema` takes, or from a field's record."""
    if isinstance(value, schema.Field):
        made = object.__new__(Field)
        made.field, made.enter = value, None
        return made
    return value if isinstance(value, Field) else Field(value)


def to_schema(config_schema: Any) -> schema.ConfigType:
    """The config type that a user's `config_schema` means; see `read_schema`."""
    return read_schema(config_schema).type


def read_schema(config_schema: Any) -> Declared:
    """The config type that a user's `config_schema` means, and the way in.

    Args:
        config_schema: A Python type, a dict of fields, `[item]`, `{key_type: value}`, a wrapper, a pydantic model, a
            config type, or None for any value.

    Raises:
        ConfigSchemaError: It is none of these; the message shows it.
    """
    match config_schema:
        case None:
            return Declared(schema.Scalar())
        case _Wrapper():
            return config_schema.declared
        case Field():
            return Declared(config_schema.field.type, config_schema.enter)
        case list():
            if len(config_schema) != 1:
                raise ConfigSchemaError(
                    f"A list as config schema holds the type of its items alone, not {config_schema!r}; give one, "
                    "for example [str]."
                )
            return Array(config_schema[0]).declared
        case dict():
            if len(config_schema) == 1 and isinstance(next(iter(config_schema)), type):
                ((key, value),) = config_schema.items()
                return Map(key, value).declared
            return Shape(config_schema).declared
    if isinstance(config_schema, _TYPES):
        return Declared(typing.cast("schema.ConfigType", config_schema))
    return _from_annotation(config_schema)


def _from_annotation(annotation: Any) -> Declared:
    try:
        known = _SCALARS.get(annotation)
    except TypeError:
        known = None  # an unhashable value is no type
    if known is not None:
        return Declared(known)
    if isinstance(annotation, type) and hasattr(annotation, "model_fields"):
        from .model import schema_of

        return Declared(schema_of(annotation))
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return Enum.from_python_enum(annotation).declared
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is list:
        return Array(arguments[0]).declared
    if origin is dict:
        return Map(*arguments).declared
    inner = [each for each in arguments if each is not types.NoneType]
    if (origin is typing.Union or origin is types.UnionType) and len(inner) == 1:
        return Noneable(inner[0]).declared
    raise ConfigSchemaError(f"{annotation!r} is no config schema; give {_WANTED}.")


def _fields(given: Mapping[str, Any]) -> dict[str, Field]:
    fields = {}
    for name, value in given.items():
        if not isinstance(name, str):
            raise ConfigSchemaError(f"The names of config fields are text, not {name!r}; put it in quotes.")
        try:
            fields[name] = read_field(value)
        except ConfigSchemaError as error:
            raise ConfigSchemaError(f'In the config field "{name}": {error}') from error
    return fields


def _field_records(fields: Mapping[str, Field]) -> dict[str, schema.Field]:
    return {name: each.field for name, each in fields.items()}


def _enter_fields(fields: Mapping[str, Field]) -> Enter | None:
    ways = {name: each.enter for name, each in fields.items() if each.enter is not None}
    if not ways:
        return None

    def enter(value: Mapping[Any, Any]) -> dict[Any, Any]:
        return {key: ways[key](each) if key in ways and each is not None else each for key, each in value.items()}

    return enter
