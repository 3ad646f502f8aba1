"""Generated schemas for the config's property tests."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from penstock.config.schema import (
    Array,
    ConfigType,
    Enum,
    Field,
    MapOf,
    Noneable,
    Permissive,
    Scalar,
    ScalarKind,
    ScalarUnion,
    Selector,
    Shape,
)

_KINDS: list[ScalarKind] = ["int", "float", "bool", "str", "any"]
_names = st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), min_size=1, max_size=8)


def _fields(inner: st.SearchStrategy[ConfigType], *, least: int = 0) -> st.SearchStrategy[dict[str, Field]]:
    field = st.builds(lambda kind, required: Field(type=kind, required=required), inner, st.booleans())
    return st.dictionaries(_names, field, min_size=least, max_size=4)


def _nested(inner: st.SearchStrategy[ConfigType]) -> st.SearchStrategy[ConfigType]:
    return st.one_of(
        inner.map(lambda item: Array(item=item)),
        inner.map(lambda item: MapOf(value=item)),
        inner.map(lambda item: Noneable(inner=item)),
        _fields(inner).map(lambda fields: ScalarUnion(scalar=Scalar(kind="int"), other=Shape(fields=fields))),
        _fields(inner).map(lambda fields: Shape(fields=fields)),
        _fields(inner).map(lambda fields: Permissive(fields=fields)),
        _fields(inner, least=1).map(lambda fields: Selector(fields=fields)),
    )


@pytest.fixture(scope="session")
def schemas() -> st.SearchStrategy[ConfigType]:
    """Any schema."""
    leaf: st.SearchStrategy[ConfigType] = st.one_of(
        st.sampled_from(_KINDS).map(lambda kind: Scalar(kind=kind)),
        st.lists(_names, min_size=1, max_size=3, unique=True).map(lambda values: Enum(values=tuple(values))),
    )
    return st.recursive(leaf, _nested, max_leaves=12)


@pytest.fixture(scope="session")
def values() -> st.SearchStrategy[object]:
    """Any plain value."""
    leaf = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
    return st.recursive(leaf, lambda inner: st.lists(inner) | st.dictionaries(_names, inner), max_leaves=12)
