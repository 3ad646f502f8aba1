"""What annotations mean as types, and what their checks find."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Dict, List, Literal, NewType, Optional, Protocol, TypeVar  # noqa: UP035 - older forms

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.definitions.function import UNKNOWN
from penstock.definitions.ops.ports import In, Out
from penstock.definitions.ops.types import AnnotatedType, Nothing, type_name, type_of
from penstock.definitions.ops.value_type import TypeCheck, ValueType
from penstock.errors import DefinitionError

T = TypeVar("T")
UserId = NewType("UserId", int)


class HasName(Protocol):
    name: str


EVEN: Any = ValueType(lambda _, value: TypeCheck(value % 2 == 0, "is odd", {"value": value}), name="Even")


def _examine(annotation: Any, value: Any) -> TypeCheck | None:
    return type_of(annotation).examine(value, lambda _: None)


@pytest.mark.parametrize(
    ("annotation", "good", "bad", "found"),
    [
        (int, 3, "3", "is a str"),
        (float, 3, "3", "is a str"),
        (str, "a", 1, "is an int"),
        (None, None, 0, "is an int"),
        (list, [1, "x"], (1,), "is a tuple"),
        (list[int], [1, 2], (1,), "is a tuple"),
        (list[int], [], [1, "2"], "item 1 is a str"),
        (List[List[int]], [[1]], [[1], [2, "3"]], "item 1: item 1 is a str"),  # noqa: UP006 - the older form
        (set[int], {1}, {"1"}, "an item is a str"),
        (dict[str, int], {"a": 1}, [], "is a list"),
        (dict[str, int], {}, {"a": "1"}, "the value of 'a' is a str"),
        (Dict[str, int], {"a": 1}, {1: 1}, "the key 1 is an int"),  # noqa: UP006 - the older form
        (tuple[int, str], (1, "a"), (1, 2), "item 1 is an int"),
        (tuple[int, str], (1, "a"), (1,), "it has 1 items in place of 2"),
        (tuple[int, ...], (1, 2, 3), (1, "2"), "item 1 is a str"),
        (Sequence[int], [1], [1.5], "item 0 is a float"),
        (Optional[int], None, "x", "is a str"),  # noqa: UP045 - the older form
        (list[int] | None, None, ["x"], "item 0 is a str"),
        (int | str, "x", 1.5, "is a float"),
        (Literal["a", "b"], "a", "c", "is a str"),
        (Annotated[int, "note"], 1, "x", "is a str"),
        (UserId, 1, "x", "is a str"),
        (EVEN, 2, 3, "is odd"),
        (list[EVEN], [2, 4], [2, 3], "item 1: is odd"),
        (Optional[EVEN], None, 3, "is odd"),  # noqa: UP045 - the older form
        (EVEN | None, None, 3, "is odd"),
        (Nothing, None, 1, "is an int"),
    ],
)
def test_check(annotation: Any, good: Any, bad: Any, found: str) -> None:
    passing = _examine(annotation, good)
    assert passing is None or passing.success
    failing = _examine(annotation, bad)
    assert failing is not None
    assert (failing.success, failing.description) == (False, found)


@pytest.mark.parametrize("annotation", [Any, object, UNKNOWN, T, HasName, int | Any])
def test_nothing_can_be_said(annotation: Any) -> None:
    found = type_of(annotation)
    assert isinstance(found, AnnotatedType)
    assert found.passes_all


def test_what_cannot_be_walked_twice_is_not_walked() -> None:
    items = iter(["x"])
    assert _examine(Iterator[int], items) is None
    assert next(items) == "x"


def test_facts_of_an_item_s_check_are_kept() -> None:
    found = _examine(list[EVEN], [3])
    assert found is not None
    assert found.facts["value"].value == 3


@given(st.one_of(st.integers(), st.text(), st.none(), st.floats(), st.lists(st.integers())))
def test_a_value_is_of_its_own_class_and_of_any_union_with_it(value: Any) -> None:
    kind = type(value)
    assert _examine(kind, value) is None
    assert _examine(kind | None, value) is None


@pytest.mark.parametrize("make", [In, Out])
def test_what_is_no_type_is_refused_where_it_is_given(make: Any) -> None:
    with pytest.raises(DefinitionError, match="given 3 as its type; give a Python class"):
        make(3)


@pytest.mark.parametrize(
    ("annotation", "name"),
    [
        (int, "int"),
        (None, "None"),
        (Any, "Any"),
        (UNKNOWN, "Any"),
        (list[int], "list[int]"),
        (Nothing, "Nothing"),
        (EVEN, "Even"),
        (list[EVEN], "list[Even]"),
        (EVEN | None, "Even | None"),
        (dict[str, list[EVEN]], "dict[str, list[Even]]"),
    ],
)
def test_type_name(annotation: Any, name: str) -> None:
    assert type_name(annotation) == name
