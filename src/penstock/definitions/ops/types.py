"""Types of inputs and outputs: what Python annotations mean, and the check of values against them at run time."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal, TypeAlias, TypeVar, get_args, get_origin

from ...errors import DefinitionError
from ...wording import kind_of
from ..function import UNKNOWN
from .value_type import ContextOf, TypeCheck, ValueType, on_register, registered_type

__all__ = ["AnnotatedType", "Nothing", "check_is_type", "type_name", "type_of"]

Examine: TypeAlias = Callable[[Any, ContextOf], TypeCheck | None]


class Nothing:
    """The type of an input or output that passes no value and only sets the order."""


class AnnotatedType(ValueType):
    """What a Python annotation means."""

    def __init__(
        self, name: str, annotation: Any, examine: Examine | None, resource_keys: frozenset[str] = frozenset()
    ) -> None:
        super().__init__(self._check, name=name, typing_type=annotation)
        self.passes_all = examine is None
        self._examine = examine
        self._resource_keys = resource_keys

    @property
    def all_resource_keys(self) -> frozenset[str]:
        """The resources of the types inside it."""
        return self._resource_keys

    def examine(self, value: Any, context_of: ContextOf) -> TypeCheck | None:
        """What there is to say of a value: None where it passes and nothing more."""
        return None if self._examine is None else self._examine(value, context_of)

    def _check(self, context: Any, value: Any) -> TypeCheck | bool:
        found = self.examine(value, lambda _: context)
        return True if found is None else found


def type_of(annotation: Any) -> ValueType:
    """The type that a declaration means: a type itself, the one registered for a class, or a Python annotation's.

    A value's own class counts, the members of a union, literals, and the items of Python's own containers. An
    annotation that says nothing at run time, such as a protocol, lets every value pass.
    """
    if isinstance(annotation, ValueType):
        return annotation
    try:
        return _known(annotation)
    except TypeError:  # what cannot be hashed, such as an annotation with a dict in it
        return _read(annotation)


def type_name(annotation: Any) -> str:
    """A declaration as people read it."""
    return type_of(annotation).display_name


def check_is_type(declared: Any, what: str) -> None:
    """Refuse what is neither a type nor an annotation.

    Raises:
        DefinitionError: It is not; `what` says where it was given.
    """
    if isinstance(declared, type | ValueType | TypeVar | types.UnionType) or declared in (UNKNOWN, Any, None):
        return
    if get_origin(declared) is None and not hasattr(declared, "__supertype__") and not hasattr(declared, "__value__"):
        raise DefinitionError(
            f"{what} was given {declared!r} as its type; give a Python class, an annotation or a ValueType."
        )


def _read(annotation: Any) -> ValueType:
    if isinstance(annotation, type):
        registered = registered_type(annotation)
        if registered is not None:
            return registered
    parts = [type_of(each) for each in _parts(annotation)]
    keys = frozenset[str]().union(*(each.all_resource_keys for each in parts))
    return AnnotatedType(_name(annotation), annotation, _examine(annotation), keys)


_known = lru_cache(maxsize=8192)(_read)
on_register.append(_known.cache_clear)


def _parts(annotation: Any) -> tuple[Any, ...]:
    """The annotations inside one."""
    if get_origin(annotation) in (Annotated, Literal):
        return ()
    return tuple(each for each in get_args(annotation) if not isinstance(each, list) and each is not Ellipsis)


def _name(annotation: Any) -> str:
    if annotation is UNKNOWN or annotation is Any:
        return "Any"
    if annotation is None or annotation is type(None):
        return "None"
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return annotation.__name__
    if not any(_is_ours(each) for each in _parts(annotation)):
        return str(annotation).replace("typing.", "")
    # Python would write the types inside by their representation.
    names = ["..." if each is Ellipsis else type_name(each) for each in get_args(annotation)]
    origin = get_origin(annotation)
    if origin is typing.Union or origin is types.UnionType:
        return " | ".join(names)
    return f"{getattr(origin, '__name__', origin)}[{', '.join(names)}]"


def _is_ours(annotation: Any) -> bool:
    return not isinstance(type_of(annotation), AnnotatedType) or any(_is_ours(each) for each in _parts(annotation))


_ANYTHING: tuple[Any, ...] = (UNKNOWN, Any, object)


def _examine(annotation: Any) -> Examine | None:
    """The check of an annotation; None where every value passes."""
    if any(annotation is each for each in _ANYTHING) or isinstance(annotation, TypeVar):
        return None
    if annotation is Nothing:
        return lambda value, _: None if value is None else _wrong(value)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _examine_inside(arguments[0])
    if origin is typing.Union or origin is types.UnionType:
        return _examine_union(arguments)
    if origin is Literal:
        return lambda value, _: None if value in arguments else _wrong(value)
    inside = getattr(annotation, "__supertype__", None) or getattr(annotation, "__value__", None)
    if inside is not None:  # a NewType, or `type X = ...`
        return _examine_inside(inside)
    by_class = _examine_class(origin or annotation)
    items = _examine_items(origin, arguments) if by_class is not None and arguments else None
    if by_class is None or items is None:
        return by_class

    def both(value: Any, context_of: ContextOf) -> TypeCheck | None:
        return by_class(value, context_of) or items(value, context_of)

    return both


def _examine_inside(annotation: Any) -> Examine | None:
    inner = type_of(annotation)
    return None if isinstance(inner, AnnotatedType) and inner.passes_all else inner.examine


def _examine_union(members: tuple[Any, ...]) -> Examine | None:
    # Checks of users come last: they need not know what to do with a value of another member.
    in_order = sorted(members, key=lambda each: not isinstance(type_of(each), AnnotatedType))
    ways = [_examine_inside(each) for each in in_order]
    known = [each for each in ways if each is not None]
    if len(known) < len(ways):
        return None

    def examine(value: Any, context_of: ContextOf) -> TypeCheck | None:
        faults = []
        for each in known:
            found = each(value, context_of)
            if found is None or found.success:
                return found
            faults.append(found.description)
        told = [each for each in faults if each is not None and each != _wrong(value).description]
        return TypeCheck(False, "; ".join(told)) if told else _wrong(value)

    return examine


def _examine_class(cls: Any) -> Examine | None:
    if cls is None:
        cls = type(None)
    if not isinstance(cls, type):
        return None
    # As everywhere in Python's typing, a whole number is at home where a float is.
    wanted: type | tuple[type, ...] = (float, int) if cls is float else cls
    try:
        isinstance(None, wanted)
    except TypeError:
        return None  # a protocol that cannot be checked at run time
    return lambda value, _: None if isinstance(value, wanted) else _wrong(value)


def _examine_items(origin: Any, arguments: tuple[Any, ...]) -> Examine | None:
    """The check of what is in a container; only what can be walked again is walked."""
    if not isinstance(origin, type):
        return None
    if issubclass(origin, tuple):
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return _each_item(_examine_inside(arguments[0]))
        return _fixed_items([_examine_inside(each) for each in arguments])
    if issubclass(origin, Mapping):
        if len(arguments) != 2:
            return None
        return _pairs(_examine_inside(arguments[0]), _examine_inside(arguments[1]))
    return _each_item(_examine_inside(arguments[0])) if len(arguments) == 1 else None


def _each_item(inner: Examine | None) -> Examine | None:
    if inner is None:
        return None

    def examine(value: Any, context_of: ContextOf) -> TypeCheck | None:
        if not isinstance(value, list | tuple | set | frozenset):
            return None
        for index, item in enumerate(value):
            found = inner(item, context_of)
            if found is not None and not found.success:
                place = f"item {index}" if isinstance(value, list | tuple) else "an item"
                return _inside(place, found, item)
        return None

    return examine


def _fixed_items(inner: list[Examine | None]) -> Examine:
    def examine(value: Any, context_of: ContextOf) -> TypeCheck | None:
        if len(value) != len(inner):
            return TypeCheck(False, f"it has {len(value)} items in place of {len(inner)}")
        for index, (way, item) in enumerate(zip(inner, value, strict=True)):
            found = None if way is None else way(item, context_of)
            if found is not None and not found.success:
                return _inside(f"item {index}", found, item)
        return None

    return examine


def _pairs(of_key: Examine | None, of_value: Examine | None) -> Examine | None:
    if of_key is None and of_value is None:
        return None

    def examine(value: Any, context_of: ContextOf) -> TypeCheck | None:
        if not isinstance(value, dict):
            return None
        for key, item in value.items():
            for way, part, place in ((of_key, key, f"the key {key!r}"), (of_value, item, f"the value of {key!r}")):
                found = None if way is None else way(part, context_of)
                if found is not None and not found.success:
                    return _inside(place, found, part)
        return None

    return examine


def _inside(place: str, found: TypeCheck, value: Any) -> TypeCheck:
    text = found.description or "does not pass"
    own = text == _wrong(value).description
    return TypeCheck(False, f"{place} {text}" if own else f"{place}: {text}", found.metadata)


def _wrong(value: Any) -> TypeCheck:
    return TypeCheck(False, f"is {kind_of(value)}")
