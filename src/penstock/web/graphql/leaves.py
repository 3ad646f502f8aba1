"""Scalars and enums on their way into an answer: most values are of the right type already."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from math import isfinite
from typing import Any, TypeAlias

from graphql import (
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLOutputType,
    GraphQLScalarType,
    get_nullable_type,
    is_leaf_type,
)

__all__ = ["Column", "Leaf", "column_of", "exact_type", "leaf_of"]

Leaf: TypeAlias = Callable[[Any], Any]
"""Gives the value as it goes into the answer, or raises."""

Column: TypeAlias = Callable[[Sequence[Any]], list[Any] | None]
"""Gives many values as they go into the answer; None where one of them has to be looked at by itself."""

_AS_THEY_ARE: Mapping[str, type] = {"String": str, "ID": str, "Boolean": bool}
_LARGEST_INT = (1 << 31) - 1
_LISTS = frozenset({list, tuple})
_NONE = type(None)


def exact_type(kind: GraphQLOutputType) -> type | None:
    """The Python type whose values go into the answer as they are; None where each has to be looked at."""
    named = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    return _AS_THEY_ARE.get(named.name) if isinstance(named, GraphQLScalarType) else None


def column_of(item: GraphQLOutputType) -> Column | None:
    """How the items of a list go into the answer together, at a cost that hardly depends on how many there are.

    None where they are objects.
    """
    named = get_nullable_type(item)
    if isinstance(named, GraphQLList):
        inner = column_of(named.of_type)
        return None if inner is None or not isinstance(item, GraphQLNonNull) else _nested(inner)
    return _column(_fits(named), nullable=named is item) if is_leaf_type(named) else None


def _nested(inner: Column) -> Column:
    def column(values: Sequence[Any]) -> list[Any] | None:
        if not _LISTS.issuperset(map(type, values)) or inner(list(chain.from_iterable(values))) is None:
            return None
        return list(map(list, values))

    return column


def _column(fits: Callable[[list[Any], set[type]], bool], *, nullable: bool) -> Column:
    def column(values: Sequence[Any]) -> list[Any] | None:
        types = set(map(type, values))
        present = list(values)
        if nullable and _NONE in types:
            types.discard(_NONE)
            present = [each for each in values if each is not None]
        return list(values) if fits(present, types) else None

    return column


def _fits(kind: GraphQLOutputType) -> Callable[[list[Any], set[type]], bool]:
    """Whether all of these values, of these types, go into the answer as they are."""
    if isinstance(kind, GraphQLEnumType):
        names = frozenset(kind.values)
        return lambda values, types: all(issubclass(each, str) for each in types) and names.issuperset(values)
    assert isinstance(kind, GraphQLScalarType)
    if kind.name == "Int":
        return lambda values, types: (
            not types or (types == {int} and min(values) >= -_LARGEST_INT and max(values) <= _LARGEST_INT)
        )
    if kind.name == "Float":
        return lambda values, types: types <= {float} and all(map(isfinite, values))
    exact = {_AS_THEY_ARE[kind.name]} if kind.name in _AS_THEY_ARE else set()
    return lambda _values, types: types <= exact


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
