"""The small run-time check of annotated types."""

from typing import Annotated, Any, Literal, NewType, Optional, Protocol, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.definitions.function import UNKNOWN
from penstock.definitions.ops.types import Nothing, make_check, type_name

T = TypeVar("T")
UserId = NewType("UserId", int)


class HasName(Protocol):
    name: str


@pytest.mark.parametrize(
    ("annotation", "good", "bad"),
    [
        (int, 3, "3"),
        (float, 3, "3"),
        (str, "a", 1),
        (None, None, 0),
        (list[int], ["inside is not looked at"], (1,)),
        (dict[str, int], {}, []),
        (Optional[int], None, "x"),  # noqa: UP045 - the older form
        (int | str, "x", 1.5),
        (Literal["a", "b"], "a", "c"),
        (Annotated[int, "note"], 1, "x"),
        (UserId, 1, "x"),
    ],
)
def test_check(annotation: Any, good: Any, bad: Any) -> None:
    check = make_check(annotation)
    assert check is not None
    assert check(good)
    assert not check(bad)


@pytest.mark.parametrize("annotation", [Any, object, UNKNOWN, Nothing, T, HasName, int | Any, "text"])
def test_nothing_can_be_said(annotation: Any) -> None:
    assert make_check(annotation) is None


@given(st.one_of(st.integers(), st.text(), st.none(), st.floats(), st.lists(st.integers())))
def test_a_value_is_of_its_own_class_and_of_any_union_with_it(value: Any) -> None:
    kind = type(value)
    check, union = make_check(kind), make_check(kind | None)
    assert check is None or check(value)
    assert union is None or union(value)


@pytest.mark.parametrize(
    ("annotation", "name"),
    [(int, "int"), (None, "None"), (Any, "Any"), (UNKNOWN, "Any"), (list[int], "list[int]"), (Nothing, "Nothing")],
)
def test_type_name(annotation: Any, name: str) -> None:
    assert type_name(annotation) == name
