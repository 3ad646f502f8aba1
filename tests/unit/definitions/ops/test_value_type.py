"""Types with a check of their own, and the classes that they stand for."""

from __future__ import annotations

from typing import Any

import pytest

from penstock import In, Out, op
from penstock.definitions.ops.types import type_of
from penstock.definitions.ops.value_type import (
    PythonObjectType,
    TypeCheck,
    ValueType,
    make_python_type_usable_as_type,
    usable_as_type,
)
from penstock.errors import DefinitionError, TypeCheckError
from penstock.execution.type_check import check_type


def _is_even(_: Any, value: Any) -> bool:
    return isinstance(value, int) and value % 2 == 0


def test_a_type_tells_what_it_was_given() -> None:
    even = ValueType(
        _is_even,
        name="Even",
        description="No odd ones.",
        required_resource_keys={"r"},
        typing_type=int,
        metadata={"a": 1},
    )
    assert (even.key, even.display_name, even.unique_name, even.has_unique_name) == ("Even", "Even", "Even", True)
    assert (even.description, even.typing_type) == ("No odd ones.", int)
    assert even.required_resource_keys == {"r"}
    assert even.metadata["a"].value == 1
    keyed = ValueType(_is_even, key="k")
    assert (keyed.display_name, keyed.has_unique_name) == ("k", False)
    with pytest.raises(DefinitionError, match="has a key and no name"):
        _ = keyed.unique_name


def test_a_check_answers_with_a_truth_or_more() -> None:
    assert ValueType(_is_even, name="Even").type_check(None, 2) == TypeCheck(True)
    told = TypeCheck(False, "is odd", {"n": 3})
    assert ValueType(lambda *_: told, name="Told").type_check(None, 3) is told
    assert told.facts["n"].value == 3


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (lambda *_: 5, "gave 5 .an int.; give true, false or a TypeCheck"),
        (lambda *_: 1 // 0, "raised ZeroDivision"),
    ],
)
def test_a_check_that_fails_itself_is_named(check: Any, message: str) -> None:
    with pytest.raises(TypeCheckError, match=f'The check of the type "Broken" {message}'):
        ValueType(check, name="Broken").type_check(None, 1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ValueType(_is_even), "needs a name"),
        (lambda: ValueType(3, name="X"), "has 3 as its check"),  # type: ignore[arg-type]
        (lambda: PythonObjectType(3), "a class or a tuple of classes, not 3"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_type_is_refused(make: Any, message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        make()


def test_the_instances_of_classes_are_a_type() -> None:
    one, several = PythonObjectType(int), PythonObjectType((int, str))
    assert (one.display_name, one.typing_type) == ("int", int)
    assert (several.display_name, several.typing_type) == ("Union[int, str]", int | str)
    assert several.type_check(None, "x").success
    assert not several.type_check(None, 1.5).success
    assert PythonObjectType(int, name="Whole", key="w").key == "w"


def test_a_type_stands_for_a_class() -> None:
    class Point:
        """Two numbers."""

    @usable_as_type(name="Spot", description="A place.")
    class Place: ...

    @usable_as_type
    class Plain:
        """As it is."""

    assert type_of(Point).display_name == "Point"
    point = PythonObjectType(Point, name="P")
    make_python_type_usable_as_type(Point, point)
    make_python_type_usable_as_type(Point, point)
    assert type_of(Point) is point
    assert type_of(list[Point]).display_name == "list[P]"
    with pytest.raises(DefinitionError, match=r'The type "P" stands for the class .*Point already'):
        make_python_type_usable_as_type(Point, PythonObjectType(Point))
    with pytest.raises(DefinitionError, match="takes a class and a ValueType"):
        make_python_type_usable_as_type(3, point)

    @op
    def place(x: Place, y: Plain) -> Point:
        return Point()

    assert [each.type_name for each in place.ins.values()] == ["Spot", "Plain"]
    assert [each.value_type.description for each in place.ins.values()] == ["A place.", "As it is."]
    assert place.outs["result"].type_name == "P"


def test_ports_take_a_type_as_their_python_type() -> None:
    even = ValueType(_is_even, name="Even")
    assert In(even).type_name == "Even"
    assert Out(even).value_type is even


def test_a_test_may_ask_a_type() -> None:
    assert check_type(int, 1) == TypeCheck(True)
    assert check_type(list[int], ["x"]) == TypeCheck(False, "item 0 is a str")
    assert check_type(Any, object()).success
    logging = ValueType(lambda context, _: context.log is not None and context.resources is not None, name="Logging")
    assert check_type(logging, 1).success
