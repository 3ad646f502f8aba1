"""Which parameters of a function are what."""

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import pytest

from penstock.definitions.function import NO_DEFAULT, UNKNOWN, CallForm, ResourceParam, read_function
from penstock.errors import DefinitionError

if TYPE_CHECKING:
    from decimal import Decimal


class Connection:
    """Any class of a user's."""


class OpExecutionContext:
    """Stands for a context class: its name tells."""


def test_context_config_resources_and_inputs_are_told_apart() -> None:
    def fn(context: object, config: dict[str, int], db: ResourceParam[Connection], x: int, y: str = "a") -> float:
        raise NotImplementedError

    read = read_function(fn, "Op")
    assert read.takes_context
    assert read.config == dict[str, int]
    assert read.resources == ("db",)
    assert [(each.name, each.annotation, each.default) for each in read.inputs] == [
        ("x", int, NO_DEFAULT),
        ("y", str, "a"),
    ]
    assert read.returns is float


def test_a_context_is_known_by_its_type_too() -> None:
    def fn(ctx: OpExecutionContext, x: int) -> None: ...

    def text(ctx: "UnknownExecutionContext", x: int) -> None: ...  # type: ignore[name-defined]  # noqa: F821 - the point

    assert read_function(fn, "Op").takes_context
    assert read_function(text, "Op").takes_context


def test_config_without_annotation_is_an_input() -> None:
    def fn(config):  # type: ignore[no-untyped-def]  # the point
        return config

    read = read_function(fn, "Op")
    assert read.config is None
    assert [each.name for each in read.inputs] == ["config"]


def test_annotations_as_text_are_looked_up_where_the_function_is() -> None:
    class Local:
        pass

    def fn(a: "int", b: "Local", c: "Decimal") -> "list[int]":
        raise NotImplementedError

    read = read_function(fn, "Op")
    assert [each.annotation for each in read.inputs] == [int, Local, UNKNOWN]
    assert read.returns == list[int]


def test_the_form_of_a_function() -> None:
    def plain() -> None: ...

    def generator() -> Iterator[int]:
        yield 1

    async def coroutine() -> None: ...

    async def async_generator() -> AsyncIterator[int]:
        yield 1

    class Callable:
        async def __call__(self, x: int) -> None: ...

    forms = [read_function(each, "Op").form for each in (plain, generator, coroutine, async_generator, Callable())]
    assert forms == [
        CallForm.SYNC,
        CallForm.GENERATOR,
        CallForm.ASYNC,
        CallForm.ASYNC_GENERATOR,
        CallForm.ASYNC,
    ]


def test_values_by_position_are_refused_with_the_place() -> None:
    def fn(*values: int) -> None: ...

    with pytest.raises(DefinitionError, match=r"test_function\.py:\d+\) has the parameter \*values"):
        read_function(fn, "Op")


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(DefinitionError, match="needs a function, not 3"):
        read_function(3, "Op")  # type: ignore[arg-type]


def test_free_keywords_are_noted() -> None:
    def fn(**given: int) -> None: ...

    assert read_function(fn, "Op").takes_any
