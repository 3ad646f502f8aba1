"""Inputs that nothing feeds: what a run config gives for them, and how their values are made of it."""

from __future__ import annotations

import types
import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias, get_args, get_origin

import msgspec

from ...config.declared import OpenConfig
from ...config.fields import Array, Map, Noneable, ScalarUnion, Selector, Shape
from ...errors import ConfigSchemaError, DefinitionError
from ..function import UNKNOWN
from .types import AnnotatedType, type_of
from .value_type import on_register

__all__ = ["FileReader", "InputForm", "LoaderContextOf", "TypeLoader", "input_form", "is_configurable", "type_loader"]


class TypeLoader(ABC):
    """Makes an input's value of what the run config gives. Subclass it, or make one with `@type_loader`."""

    @property
    @abstractmethod
    def schema_type(self) -> Any:
        """What the run config gives; any form that `config_schema` takes."""

    def required_resource_keys(self) -> frozenset[str]:
        """Resources that it uses as `context.resources.<key>`."""
        return frozenset()

    @abstractmethod
    def construct_from_config_value(self, context: Any, config_value: Any) -> Any:
        """The value.

        Args:
            context: A `TypeLoaderContext`.
            config_value: What the run config gave, checked, with environment variables filled in.
        """


class _FunctionLoader(TypeLoader):
    def __init__(self, fn: Callable[[Any, Any], Any], config_schema: Any, keys: frozenset[str]) -> None:
        self._fn = fn
        self._config_schema = config_schema
        self._keys = keys

    @property
    def schema_type(self) -> Any:
        return self._config_schema

    def required_resource_keys(self) -> frozenset[str]:
        return self._keys

    def construct_from_config_value(self, context: Any, config_value: Any) -> Any:
        return self._fn(context, config_value)


def type_loader(
    config_schema: Any, required_resource_keys: Iterable[str] | None = None
) -> Callable[[Callable[[Any, Any], Any]], TypeLoader]:
    """Make a loader of a function of a `TypeLoaderContext` and what the run config gives.

    Args:
        config_schema: What that is.
        required_resource_keys: Resources that it uses as `context.resources.<key>`.
    """
    keys = frozenset(required_resource_keys or ())

    def define(fn: Callable[[Any, Any], Any]) -> TypeLoader:
        return _FunctionLoader(fn, config_schema, keys)

    return define


# -- what the run config gives for a type -----------------------------------------------------------------------------

LoaderContextOf: TypeAlias = Callable[[TypeLoader], Any]
"""Gives the context in which a loader runs."""

FileReader: TypeAlias = Callable[[str, str], Any]
"""Reads a value from a file: the format, `json` or `pickle`, and the path."""

_Load: TypeAlias = Callable[[Any, LoaderContextOf, FileReader], Any]


class InputForm(msgspec.Struct, frozen=True):
    """What a run config gives for an input, and how its value is made of that.

    Args:
        config: What it gives.
        load: Makes the value, from the finished config.
        resource_keys: The resources that loaders use.
    """

    config: OpenConfig
    load: _Load
    resource_keys: frozenset[str] = frozenset()


class _Part(msgspec.Struct, frozen=True):
    schema: Any
    load: _Load | None = None  # None: the config is the value
    resource_keys: frozenset[str] = frozenset()


def input_form(declared: Any) -> InputForm:
    """What a run config gives for an input of a declared type.

    A type with a loader takes what that says. A number, text or yes/no is given as it is, or as `{value: ...}`,
    `{json: {path: ...}}` or `{pickle: {path: ...}}`. Lists, dicts, optional ones, config classes and enums follow.

    Raises:
        DefinitionError: A value of that type cannot be given in a run config.
    """
    try:
        return _known_form(declared)
    except TypeError:  # what cannot be hashed
        return _form(declared)


def _form(declared: Any) -> InputForm:
    part = _part(declared)
    load = part.load
    return InputForm(
        OpenConfig(part.schema),
        (lambda value, _context_of, _read: value) if load is None else load,
        part.resource_keys,
    )


_known_form = lru_cache(maxsize=1024)(_form)
on_register.append(_known_form.cache_clear)

_SCALARS = (int, float, str, bool)


def _part(declared: Any) -> _Part:
    kind = type_of(declared)
    if kind.loader is not None:
        return _from_loader(kind.loader)
    if not isinstance(kind, AnnotatedType):
        raise DefinitionError(f"a run config cannot give a value of its type {kind.display_name}, which has no loader")
    if declared in (UNKNOWN, Any):
        return _Part(Any, _unwrap)
    if declared in _SCALARS:
        return _Part(_scalar(declared), _unwrap)
    origin, arguments = get_origin(declared), get_args(declared)
    if origin is list:
        return _list_of(_part(arguments[0]))
    if origin is dict:
        return _dict_of(arguments[0], _part(arguments[1]))
    members = [each for each in arguments if each is not types.NoneType]
    if (origin is typing.Union or origin is types.UnionType) and len(members) == 1:
        return _optional(_part(members[0]))
    try:
        OpenConfig(declared)
    except ConfigSchemaError as error:
        raise DefinitionError(
            f"a run config cannot give a value of its type {kind.display_name}; a ValueType with a loader could"
        ) from error
    return _Part(declared)


def _from_loader(loader: TypeLoader) -> _Part:
    def load(value: Any, context_of: LoaderContextOf, _read: FileReader) -> Any:
        return loader.construct_from_config_value(context_of(loader), value)

    return _Part(loader.schema_type, load, frozenset(loader.required_resource_keys()))


def _scalar(cls: type) -> ScalarUnion:
    file = Shape({"path": str})
    return ScalarUnion(cls, Selector({"value": cls, "json": file, "pickle": file}))


def _unwrap(value: Any, _context_of: LoaderContextOf, read: FileReader) -> Any:
    if not isinstance(value, Mapping) or len(value) != 1:
        return value
    ((form, given),) = value.items()
    if form == "value":
        return given
    if form in ("json", "pickle") and isinstance(given, Mapping) and given.keys() == {"path"}:
        return read(form, given["path"])
    return value


def _list_of(item: _Part) -> _Part:
    load = item.load
    if load is None:
        return _Part(Array(item.schema))
    return _Part(
        Array(item.schema),
        lambda value, context_of, read: [load(each, context_of, read) for each in value],
        item.resource_keys,
    )


def _dict_of(key: Any, value: _Part) -> _Part:
    load = value.load
    schema = Map(key, value.schema)
    if load is None:
        return _Part(schema)
    return _Part(
        schema,
        lambda given, context_of, read: {name: load(each, context_of, read) for name, each in given.items()},
        value.resource_keys,
    )


def _optional(inner: _Part) -> _Part:
    load = inner.load
    schema = Noneable(inner.schema)
    if load is None:
        return _Part(schema)
    return _Part(
        schema,
        lambda value, context_of, read: None if value is None else load(value, context_of, read),
        inner.resource_keys,
    )


def is_configurable(python_type: Any) -> bool:
    """Whether a run config can give a value of a type."""
    try:
        input_form(python_type)
    except DefinitionError:
        return False
    return True
