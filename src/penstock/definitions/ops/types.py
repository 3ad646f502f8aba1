"""Types of inputs and outputs: Python annotations, and a small check of values against them at run time."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeAlias, get_args, get_origin

from ..function import UNKNOWN

__all__ = ["Check", "Nothing", "make_check", "type_name"]

Check: TypeAlias = Callable[[Any], bool]


class Nothing:
    """The type of an input or output that passes no value and only sets the order."""


def type_name(annotation: Any) -> str:
    """An annotation as people read it."""
    if annotation is UNKNOWN or annotation is Any:
        return "Any"
    if annotation is None or annotation is type(None):
        return "None"
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return annotation.__name__
    return str(annotation).replace("typing.", "")


def make_check(annotation: Any) -> Check | None:
    """The check that a value is of the annotated type, or None where nothing can be said.

    It looks at a value's own class, at the members of a union and at literals, and never inside a container.
    """
    if any(annotation is each for each in _ANYTHING):
        return None
    origin = get_origin(annotation)
    if origin is Annotated:
        return make_check(get_args(annotation)[0])
    if origin is typing.Union or origin is types.UnionType:
        checks = [make_check(each) for each in get_args(annotation)]
        known = [each for each in checks if each is not None]
        return (lambda value: any(each(value) for each in known)) if len(known) == len(checks) else None
    if origin is Literal:
        choices = get_args(annotation)
        return lambda value: value in choices
    supertype = getattr(annotation, "__supertype__", None)
    if supertype is not None:
        return make_check(supertype)
    return _class_check(origin or annotation)


_ANYTHING: tuple[Any, ...] = (UNKNOWN, Any, object, Nothing)


def _class_check(cls: Any) -> Check | None:
    if cls is None:
        return lambda value: value is None
    if not isinstance(cls, type):
        return None
    # As everywhere in Python's typing, a whole number is at home where a float is.
    wanted: type | tuple[type, ...] = (float, int) if cls is float else cls
    try:
        isinstance(None, wanted)
    except TypeError:
        return None  # a protocol that cannot be checked at run time
    return lambda value: isinstance(value, wanted)
