"""Scalars and enums on their way into an answer: most values are of the right type already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from graphql import GraphQLEnumType, GraphQLNonNull, GraphQLOutputType, GraphQLScalarType

__all__ = ["Leaf", "exact_type", "leaf_of"]

Leaf: TypeAlias = Callable[[Any], Any]
"""Gives the value as it goes into the answer, or raises."""

_AS_THEY_ARE: Mapping[str, type] = {"String": str, "ID": str, "Boolean": bool}
_LARGEST_INT = (1 << 31) - 1


def exact_type(kind: GraphQLOutputType) -> type | None:
    """The Python type whose values go into the answer as they are; None where each has to be looked at."""
    named = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    return _AS_THEY_ARE.get(named.name) if isinstance(named, GraphQLScalarType) else None


def leaf_of(kind: GraphQLOutputType) -> Leaf:
    """How values of a scalar or enum go into the answer."""
    assert isinstance(kind, GraphQLScalarType | GraphQLEnumType)
    coerce = kind.coerce_output_value
    if isinstance(kind, GraphQLEnumType):
        return _enum(kind)
    if kind.name == "Int":
        return lambda value: value if type(value) is int and -_LARGEST_INT <= value <= _LARGEST_INT else coerce(value)
    if kind.name == "Float":
        # A number minus itself is zero, unless it is infinite or none at all.
        return lambda value: value if type(value) is float and value - value == 0.0 else coerce(value)
    return coerce


def _enum(kind: GraphQLEnumType) -> Leaf:
    """Our values of enums are their own names, as texts or as a `StrEnum`."""
    names = {name: name for name in kind.values}
    coerce = kind.coerce_output_value

    def leaf(value: Any) -> Any:
        found = names.get(str(value)) if isinstance(value, str) else None
        return coerce(value) if found is None else found

    return leaf
