"""The config types: what a run config may look like, as plain records that travel with a location's description.

Every scalar but `any` may also be given as `{env: NAME}`: it is then read from the environment of the process that
runs the step. Limits such as "at least 3" belong to the pydantic model behind a schema; here is structure alone.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

__all__ = [
    "UNSET",
    "Array",
    "ConfigType",
    "Enum",
    "Field",
    "MapOf",
    "Noneable",
    "Permissive",
    "Scalar",
    "ScalarKind",
    "ScalarUnion",
    "Selector",
    "Shape",
    "env_name",
    "needs_nothing",
    "only_choice",
]

UNSET = msgspec.UNSET
"""The mark for "no default", since None may be one."""

ScalarKind: TypeAlias = Literal["int", "float", "bool", "str", "any"]


class _Type(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    pass


class Scalar(_Type, frozen=True, kw_only=True, tag="scalar"):
    """One value; `any` takes whatever is given and leaves it alone."""

    kind: ScalarKind = "any"


class Enum(_Type, frozen=True, kw_only=True, tag="enum"):
    """One of a closed list of words. `descriptions` says what a word means, where its author told."""

    values: tuple[str, ...]
    name: str | None = None
    descriptions: dict[str, str] = {}


class Array(_Type, frozen=True, kw_only=True, tag="array"):
    """A list whose items have one type."""

    item: ConfigType


class MapOf(_Type, frozen=True, kw_only=True, tag="map"):
    """Free keys with values of one type.

    JSON objects have text keys; `key` says what the text must read as, and `key_label` what it stands for.
    """

    value: ConfigType
    key: ScalarKind = "str"
    key_label: str | None = None


class Noneable(_Type, frozen=True, kw_only=True, tag="noneable"):
    """Null, or the inner type."""

    inner: ConfigType


class ScalarUnion(_Type, frozen=True, kw_only=True, tag="scalar_union"):
    """One value, or the longer form."""

    scalar: Scalar
    other: ConfigType


class Shape(_Type, frozen=True, kw_only=True, tag="shape"):
    """Exactly the declared fields. `aliases` are, by field, another name under which it may be given."""

    fields: dict[str, Field] = {}
    description: str | None = None
    aliases: dict[str, str] = {}


class Permissive(_Type, frozen=True, kw_only=True, tag="permissive"):
    """The declared fields, and any others as they are given."""

    fields: dict[str, Field] = {}
    description: str | None = None


class Selector(_Type, frozen=True, kw_only=True, tag="selector"):
    """Exactly one of the declared fields."""

    fields: dict[str, Field]
    description: str | None = None


ConfigType: TypeAlias = Scalar | Enum | Array | MapOf | Noneable | ScalarUnion | Shape | Permissive | Selector


class Field(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One field of a shape or selector.

    Args:
        type: What its value looks like.
        required: Whether it must be given.
        default: What stands in when it is not given, in plain JSON values; `UNSET` for nothing.
        description: What it is for, in the author's words.
        secret: Whether its value is hidden wherever config is shown.
    """

    type: ConfigType
    required: bool = True
    default: Any = UNSET
    description: str | None = None
    secret: bool = False


def needs_nothing(kind: ConfigType) -> bool:
    """Whether an empty mapping is a valid value: a shape without required fields, or a selector that can choose."""
    match kind:
        case Shape() | Permissive():
            return not any(field.required for field in kind.fields.values())
        case Selector():
            return only_choice(kind) is not None
        case MapOf():
            return True
        case _:
            return False


def only_choice(selector: Selector) -> str | None:
    """The one field that an empty value stands for: the selector has no other, and this one has a default."""
    if len(selector.fields) != 1:
        return None
    name, field = next(iter(selector.fields.items()))
    return None if field.required or field.default is UNSET else name


def env_name(value: object) -> str | None:
    """The variable's name if `value` is the form `{env: NAME}`, else None."""
    if isinstance(value, dict) and len(value) == 1:
        name = value.get("env")
        if isinstance(name, str) and name:
            return name
    return None
