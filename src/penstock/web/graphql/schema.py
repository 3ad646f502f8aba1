"""The executable schema: `schema.graphql` bound to the tables of answers, inputs and scalars."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from graphql import (
    GraphQLAbstractType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    get_named_type,
    is_leaf_type,
)

from ...auth.permissions import Permission, may_somewhere
from ...errors import PenstockError
from ...records.errors import ErrorInfo
from .context import Context
from .errors import plain_error
from .events import type_of_event
from .failures import RefusedError, Result, UnauthorizedError
from .fields import Answer, snake
from .inputs import INPUTS
from .metadata import type_of_entry
from .tables import gather_answers

__all__ = ["Api", "load_api", "schema_text"]

_Resolver = Callable[..., Any]


class Api(NamedTuple):
    """The schema; how each field is answered, by type and field; and the same with its guards around it, as a function
    (source, context, **arguments).
    """

    schema: GraphQLSchema
    answers: Mapping[str, Mapping[str, Answer]]
    resolvers: Mapping[str, Mapping[str, _Resolver]]


def schema_text() -> str:
    """The schema as the file has it."""
    return Path(__file__).with_name("schema.graphql").read_text(encoding="utf-8")


@cache
def load_api() -> Api:
    """The API, built at its first use."""
    # That the schema is valid is held by a test, so that no server has to find it out; nor the places in its text.
    schema = build_schema(schema_text(), assume_valid=True, assume_valid_sdl=True, no_location=True)
    answers = gather_answers(schema)
    resolvers: dict[str, dict[str, _Resolver]] = {}
    for name, kind in schema.type_map.items():
        match kind:
            case GraphQLObjectType() if not name.startswith("__"):
                resolvers[name] = _bind_object(kind, answers[name])
            case GraphQLInterfaceType() | GraphQLUnionType():
                kind.resolve_type = _type_resolver(kind, schema)
            case GraphQLInputObjectType():
                for field, given in kind.fields.items():
                    given.out_name = snake(field).rstrip("_")
                kind.out_type = _input(name)  # type: ignore[method-assign,assignment]
    return Api(schema, answers, resolvers)


def _input(name: str) -> Callable[[dict[str, Any]], Any]:
    record = INPUTS[name]
    return lambda given: record(**given)


# -- objects -----------------------------------------------------------------------------------------------------------


def _bind_object(kind: GraphQLObjectType, answers: Mapping[str, Answer]) -> dict[str, _Resolver]:
    resolvers: dict[str, _Resolver] = {}
    for name, field in kind.fields.items():
        for given, argument in field.args.items():
            argument.out_name = snake(given)
        resolver = _resolver(answers[name], field.type)
        resolvers[name] = resolver
        field.resolve = _for_library(resolver)
    return resolvers


def _resolver(answer: Answer, kind: GraphQLOutputType) -> _Resolver:
    """A function (source, context, **arguments) with the field's guards around it."""
    resolver: _Resolver
    if answer.call is None:
        get = answer.attribute
        assert get is not None

        def resolver(source: Any, _context: Context) -> Any:
            return get(source)
    else:
        resolver = answer.call
    named = get_named_type(kind)
    if isinstance(named, GraphQLUnionType):
        resolver = _guarded(resolver, frozenset(member.name for member in named.types), answer.needs)
    if answer.needs is not None:
        resolver = _acting(resolver)
    if _is_list(kind) and not is_leaf_type(named):
        resolver = _counted(resolver)
    return resolver


def _for_library(resolver: _Resolver) -> _Resolver:
    def resolve(source: Any, info: GraphQLResolveInfo[Context], **arguments: Any) -> Any:
        return resolver(source, info.context, **arguments)

    return resolve


def _guarded(resolver: _Resolver, members: frozenset[str], needs: Permission | None) -> _Resolver:
    """Turn what went wrong into a member of the field's union, where it has one for it."""

    def resolve(source: Any, context: Context, **arguments: Any) -> Any:
        try:
            if needs is not None and not may_somewhere(context.actor, needs):
                context.require(needs, None)
            return resolver(source, context, **arguments)
        except RefusedError as refused:
            failure = refused.failure
            if type(failure).__name__ in members:
                return failure
            if "PythonError" in members and not isinstance(failure, UnauthorizedError):
                return ErrorInfo(cls=type(failure).__name__, message=str(refused))
            raise GraphQLError(str(refused)) from refused
        except PenstockError as error:
            if "PythonError" in members:
                return plain_error(error)
            raise

    return resolve


def _acting(resolver: _Resolver) -> _Resolver:
    """Have what a mutation changes, or was refused, written down as an act of whoever asks, for the reason given."""

    def resolve(source: Any, context: Context, **arguments: Any) -> Any:
        with context.acting(arguments.pop("reason", None)):
            return resolver(source, context, **arguments)

    return resolve


def _counted(resolver: _Resolver) -> _Resolver:
    """Count the items of a list against what one answer may hold."""

    def resolve(source: Any, context: Context, **arguments: Any) -> Any:
        items = resolver(source, context, **arguments)
        if items is not None:
            context.spend(len(items))
        return items

    return resolve


def _is_list(kind: GraphQLOutputType) -> bool:
    return isinstance(kind.of_type if isinstance(kind, GraphQLNonNull) else kind, GraphQLList)


# -- unions and interfaces ---------------------------------------------------------------------------------------------


def _type_resolver(
    kind: GraphQLUnionType | GraphQLInterfaceType, schema: GraphQLSchema
) -> Callable[[Any, GraphQLResolveInfo[Context], GraphQLAbstractType], str]:
    """How the type of a value is told: by its class where that is named as a type, else the union's first member."""
    by_value: dict[str, Callable[[Any], str]] = {
        "MessageEvent": type_of_event,
        "MetadataEntry": type_of_entry,
        "InternalFreshnessPolicy": lambda value: type(value).__name__,
        "SourceLocation": lambda value: type(value).__name__,
    }
    tell = by_value.get(kind.name)
    if tell is not None:
        return lambda value, _info, _kind: tell(value)
    members = frozenset(each.name for each in schema.get_possible_types(kind))
    first = kind.types[0].name if isinstance(kind, GraphQLUnionType) else None

    def resolve(value: Any, _info: GraphQLResolveInfo[Context], _kind: GraphQLAbstractType) -> str:
        if isinstance(value, ErrorInfo):
            return "PythonError"
        name = type(value).__name__ if isinstance(value, Result) else first
        if name not in members or name is None:
            raise TypeError(f"{type(value).__name__} is no member of {kind.name}")
        return name

    return resolve
