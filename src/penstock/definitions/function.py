"""Reads a user's function once: which parameters are context, config, resources and inputs, and how it is called."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any, TypeVar, get_args, get_origin

import msgspec

from ..errors import DefinitionError
from .source import caller_frame, source_of_function

__all__ = [
    "NO_DEFAULT",
    "RESOURCE_MARK",
    "UNKNOWN",
    "CallForm",
    "Function",
    "Parameter",
    "ResourceParam",
    "docstring",
    "is_resource",
    "read_function",
]

T = TypeVar("T")

NO_DEFAULT: Any = msgspec.UNSET
"""The mark for "no default", since None may be one."""

UNKNOWN: Any = inspect.Parameter.empty
"""The annotation of what has none, or one that names something unknown at run time."""


class _ResourceMark:
    def __repr__(self) -> str:
        return "a resource"


RESOURCE_MARK = _ResourceMark()
ResourceParam = Annotated[T, RESOURCE_MARK]
"""Marks a parameter as a resource of any class: `def load(db: ResourceParam[Connection])`."""

_CONTEXT_NAMES = frozenset({"context", "_context", "context_", "_", "__"})


class CallForm(StrEnum):
    """How a function gives its results."""

    SYNC = "SYNC"
    GENERATOR = "GENERATOR"
    ASYNC = "ASYNC"
    ASYNC_GENERATOR = "ASYNC_GENERATOR"


class Parameter(msgspec.Struct, frozen=True):
    """A parameter that takes an input. `annotation` and `default` may be `UNKNOWN` and `NO_DEFAULT`."""

    name: str
    annotation: Any
    default: Any


class Function(msgspec.Struct, frozen=True, kw_only=True):
    """A user's function as read.

    Args:
        fn: The function itself.
        form: How it gives its results.
        takes_context: Whether its first parameter is the context; it is passed by position.
        config: The annotation of its parameter `config`, or None if it has no such parameter.
        config_default: The default of that parameter.
        resources: The names of its resource parameters, which are also the keys of the resources.
        inputs: Its other parameters in order; they are passed by name.
        takes_any: Whether it has `**kwargs`, so that inputs need no parameter of their own.
        returns: Its return annotation.
    """

    fn: Callable[..., Any]
    form: CallForm
    takes_context: bool = False
    config: Any = None
    config_default: Any = NO_DEFAULT
    resources: tuple[str, ...] = ()
    inputs: tuple[Parameter, ...] = ()
    takes_any: bool = False
    returns: Any = UNKNOWN


def read_function(fn: Callable[..., Any], what: str, *, with_config: bool = True) -> Function:
    """Read the signature of `fn`.

    Args:
        fn: A function, or anything that can be called and has a signature.
        what: What it defines, as messages call it, for example `Op "load"`.
        with_config: Whether a parameter called `config` holds typed config.

    Raises:
        DefinitionError: It is not callable, or a parameter takes its value by position only.
    """
    if not callable(fn):
        raise DefinitionError(f"{what} needs a function, not {fn!r}; put the decorator above one.")
    signature = _signature(fn)
    takes_context = False
    takes_any = False
    config: Any = None
    config_default: Any = NO_DEFAULT
    resources: list[str] = []
    inputs: list[Parameter] = []
    for index, parameter in enumerate(signature.parameters.values()):
        name, kind = parameter.name, parameter.kind
        annotation = _evaluate(parameter.annotation, fn)
        if index == 0 and _is_context(name, annotation):
            takes_context = True
        elif kind is inspect.Parameter.VAR_KEYWORD:
            takes_any = True
        elif kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.POSITIONAL_ONLY):
            star = "*" if kind is inspect.Parameter.VAR_POSITIONAL else ""
            raise DefinitionError(
                f"{what} ({source_of_function(fn)}) has the parameter {star}{name}, which takes values by position "
                "only; inputs are passed by name, so make it an ordinary parameter."
            )
        elif with_config and name == "config" and annotation is not UNKNOWN:
            config = annotation
            config_default = _default(parameter)
        elif is_resource(annotation):
            resources.append(name)
        else:
            inputs.append(Parameter(name, annotation, _default(parameter)))
    return Function(
        fn=fn,
        form=_form(fn),
        takes_context=takes_context,
        config=config,
        config_default=config_default,
        resources=tuple(resources),
        inputs=tuple(inputs),
        takes_any=takes_any,
        returns=_evaluate(signature.return_annotation, fn),
    )


def _default(parameter: inspect.Parameter) -> Any:
    return NO_DEFAULT if parameter.default is inspect.Parameter.empty else parameter.default


def is_resource(annotation: Any) -> bool:
    """Whether an annotation marks a parameter as a resource: `ResourceParam[...]`, or a class of resources."""
    if get_origin(annotation) is Annotated:
        return RESOURCE_MARK in get_args(annotation)[1:]
    return getattr(get_origin(annotation) or annotation, "__penstock_resource__", False) is True


def _is_context(name: str, annotation: Any) -> bool:
    # The context classes live floors above; their names tell them apart without an import.
    named = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    return name in _CONTEXT_NAMES or named.endswith("ExecutionContext")


def _form(fn: Callable[..., Any]) -> CallForm:
    inner = inspect.unwrap(fn)
    if not hasattr(inner, "__code__"):
        inner = type(inner).__call__  # an object with a call method
    if inspect.isasyncgenfunction(inner):
        return CallForm.ASYNC_GENERATOR
    if inspect.iscoroutinefunction(inner):
        return CallForm.ASYNC
    return CallForm.GENERATOR if inspect.isgeneratorfunction(inner) else CallForm.SYNC


def _signature(fn: Callable[..., Any]) -> inspect.Signature:
    if sys.version_info >= (3, 14):
        import annotationlib

        return inspect.signature(fn, annotation_format=annotationlib.Format.FORWARDREF)
    return inspect.signature(fn)


def _evaluate(annotation: Any, fn: Callable[..., Any]) -> Any:
    """An annotation as an object, where it is text (a postponed one); `UNKNOWN` where its names mean nothing here."""
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__forward_arg__", None)
    if not isinstance(text, str):
        return annotation
    if text == "None":
        return None
    scope: Mapping[str, Any] = getattr(inspect.unwrap(fn), "__globals__", {})
    try:
        return _read(text, scope, {})
    except Exception:  # noqa: BLE001 - whatever a name does when looked up, the second look reports it
        frame = caller_frame()
        local = dict(frame.f_locals) if frame is not None else {}
    try:
        return _read(text, scope, local)
    except Exception:  # noqa: BLE001 - names known to type checkers alone are usual; the text may still tell the context
        return text if text.endswith("ExecutionContext") else UNKNOWN


def _read(text: str, scope: Mapping[str, Any], local: Mapping[str, Any]) -> Any:
    return eval(text, dict(scope) if not isinstance(scope, dict) else scope, local)  # noqa: S307 - the user's own annotation, in the user's own module


def docstring(fn: Callable[..., Any] | None) -> str | None:
    """What a function says about itself."""
    text = getattr(fn, "__doc__", None)
    return inspect.cleandoc(text) if text else None
