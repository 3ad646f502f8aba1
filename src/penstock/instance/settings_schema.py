"""The config schema of a settings record, made from the record itself, so that each setting is declared once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import msgspec.inspect as reading

from ..config.problems import ConfigProblem, Problem
from ..config.schema import Array, ConfigType, Enum, Field, MapOf, Noneable, Permissive, Scalar, Selector, Shape
from ..errors import InternalError
from ..wording import with_article

__all__ = ["schema_of", "too_small_or_large"]


def schema_of(record: type[msgspec.Struct], selectors: frozenset[type]) -> Shape | Selector:
    """The schema of a record.

    Args:
        record: A struct of scalars, optional values, tuples, mappings and further structs.
        selectors: Structs of which exactly one field is given.
    """
    found = _schema(reading.type_info(record), selectors)
    if not isinstance(found, Shape | Selector):
        raise InternalError(f"{record.__qualname__} is no record of settings.")
    return found


def _schema(kind: reading.Type, selectors: frozenset[type]) -> ConfigType:
    match kind:
        case reading.Metadata():
            return _schema(kind.type, selectors)
        case reading.IntType():
            return Scalar(kind="int")
        case reading.FloatType():
            return Scalar(kind="float")
        case reading.BoolType():
            return Scalar(kind="bool")
        case reading.StrType():
            return Scalar(kind="str")
        case reading.LiteralType():
            return Enum(values=tuple(str(each) for each in kind.values))
        case reading.DictType(value_type=reading.AnyType()):
            return Permissive()
        case reading.DictType():
            return MapOf(value=_schema(kind.value_type, selectors))
        case reading.VarTupleType():
            return Array(item=_schema(kind.item_type, selectors))
        case reading.UnionType():
            (inner,) = (each for each in kind.types if not isinstance(each, reading.NoneType))
            return Noneable(inner=_schema(inner, selectors))
        case reading.StructType():
            return _struct(kind, selectors)
    raise InternalError(f"A setting cannot be {with_article(str(kind))}.")


def _struct(kind: reading.StructType, selectors: frozenset[type]) -> Shape | Selector:
    fields = {
        field.encode_name: Field(
            type=_schema(field.type, selectors), required=field.required, secret=_is_secret(field.type)
        )
        for field in kind.fields
    }
    if kind.cls in selectors:
        return Selector(
            fields={name: Field(type=_without_none(field.type), secret=field.secret) for name, field in fields.items()}
        )
    return Shape(fields=fields, description=kind.cls.__doc__)


def _is_secret(kind: reading.Type) -> bool:
    """Whether a value of this type is not to be shown."""
    match kind:
        case reading.Metadata():
            return bool((kind.extra or {}).get("secret"))
        case reading.UnionType():
            return any(_is_secret(each) for each in kind.types)
    return False


def _without_none(kind: ConfigType) -> ConfigType:
    return kind.inner if isinstance(kind, Noneable) else kind


def too_small_or_large(record: type[msgspec.Struct], value: dict[str, Any]) -> Iterator[Problem]:
    """A problem for each number in a value of the right shape that is outside of its declared limits."""
    return _beyond(reading.type_info(record), value, ())


def _beyond(kind: reading.Type, value: Any, path: tuple[str, ...]) -> Iterator[Problem]:
    match kind:
        case reading.IntType() | reading.FloatType() if isinstance(value, int | float):
            words = _limit_words(kind)
            if (kind.ge is not None and value < kind.ge) or (kind.le is not None and value > kind.le):
                yield Problem(
                    path=path,
                    reason=ConfigProblem.RUNTIME_TYPE_MISMATCH,
                    message=f'"{".".join(path)}" must be {words}, not {value}.',
                )
        case reading.UnionType():
            for inner in kind.types:
                yield from _beyond(inner, value, path)
        case reading.VarTupleType():
            for index, item in enumerate(value):
                yield from _beyond(kind.item_type, item, (*path, str(index)))
        case reading.DictType():
            for key, item in value.items():
                yield from _beyond(kind.value_type, item, (*path, key))
        case reading.StructType() if isinstance(value, dict):
            for field in kind.fields:
                if field.encode_name in value:
                    yield from _beyond(field.type, value[field.encode_name], (*path, field.encode_name))


def _limit_words(kind: reading.IntType | reading.FloatType) -> str:
    if kind.le is None:
        return f"at least {kind.ge}"
    return f"from {kind.ge} to {kind.le}" if kind.ge is not None else f"at most {kind.le}"
