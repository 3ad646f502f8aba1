"""Answers GraphQL requests: documents are parsed and checked once, run within limits, faults told without traces."""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    execute_sync,
    parse,
    validate,
)
from graphql.execution.values import VariableValues, get_variable_values

from ...errors import PenstockError
from ...ids import new_holder_id
from .compiled import Compiled, compile_operation
from .context import Context, TooMuchError
from .failures import RefusedError
from .limits import MOST_CHARACTERS, MOST_TOKENS, excess, excess_width, root_fields
from .schema import load_api
from .state import State

__all__ = ["GraphQLRequest", "Outcome", "is_mutation", "run_request"]

_MOST_VARIANTS = 16

log = logging.getLogger("penstock.web")


class GraphQLRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The body of a request."""

    query: str
    variables: dict[str, Any] | None = None
    operation_name: str | None = None


class Outcome(NamedTuple):
    """The HTTP status and the body of the answer."""

    status: int
    body: dict[str, Any]


class _Prepared(NamedTuple):
    """A document that was parsed and checked, or why it cannot be answered.

    `compiled` holds its operations as functions, by name and by what decides which parts are skipped.
    """

    document: DocumentNode | None
    operations: dict[str, OperationDefinitionNode]
    errors: tuple[GraphQLError, ...]
    switches: tuple[str, ...]
    compiled: dict[tuple[Any, ...], Compiled]


def is_mutation(request: GraphQLRequest) -> bool:
    """Whether the operation asked for may change something; what cannot be read counts as one that does not."""
    operation = _operation(_prepare(request.query), request.operation_name)
    return isinstance(operation, OperationDefinitionNode) and operation.operation is OperationType.MUTATION


def run_request(request: GraphQLRequest, context: Context) -> Outcome:
    """Answer a request.

    A request that cannot be begun gives status 400 and `errors`; one that was begun gives 200, `data`, and `errors`
    where a field failed.
    """
    if len(request.query) > MOST_CHARACTERS:
        return _refused(f"The query has {len(request.query):,} characters; at most {MOST_CHARACTERS:,} are read.")
    prepared = _prepare(request.query)
    if prepared.errors:
        return Outcome(400, {"errors": [_told(error) for error in prepared.errors]})
    assert prepared.document is not None
    operation = _operation(prepared, request.operation_name)
    if isinstance(operation, str):
        return _refused(operation)
    given = get_variable_values(load_api().schema, operation.variable_definitions or (), request.variables or {})
    if isinstance(given, list):
        return Outcome(400, {"errors": [_told(error) for error in given]})
    if any(field.name.value in ("__schema", "__type") for field in root_fields(operation)):
        data, failed = _by_library(prepared.document, operation, context, request.variables)
    else:
        state = State(context, given)
        data, failed = _compiled(prepared, operation, given)(state), state.errors
    errors = [_told(error) for error in failed]
    return Outcome(200, {"data": data, **({"errors": errors} if errors else {})})


def _by_library(
    document: DocumentNode, operation: OperationDefinitionNode, context: Context, variables: dict[str, Any] | None
) -> tuple[dict[str, Any] | None, list[GraphQLError]]:
    name = operation.name.value if operation.name else None
    result = execute_sync(
        load_api().schema, document, context_value=context, variable_values=variables, operation_name=name
    )
    return result.data, result.errors or []


def _compiled(prepared: _Prepared, operation: OperationDefinitionNode, given: VariableValues) -> Compiled:
    name = operation.name.value if operation.name else ""
    key = (name, *(given.coerced.get(switch) for switch in prepared.switches))
    found = prepared.compiled.get(key)
    if found is None:
        assert prepared.document is not None
        if len(prepared.compiled) >= _MOST_VARIANTS:
            prepared.compiled.clear()
        parts = prepared.document.definitions
        fragments = {each.name.value: each for each in parts if isinstance(each, FragmentDefinitionNode)}
        found = prepared.compiled[key] = compile_operation(load_api(), operation, fragments, given)
    return found


@lru_cache(maxsize=256)
def _prepare(query: str) -> _Prepared:
    try:
        document = parse(query, max_tokens=MOST_TOKENS)
    except GraphQLSyntaxError as error:
        return _Prepared(None, {}, (error,), (), {})
    too_wide = excess_width(document)
    if too_wide is not None:
        return _Prepared(None, {}, (GraphQLError(too_wide),), (), {})
    api = load_api()
    errors = tuple(validate(api.schema, document, max_errors=20))
    operations = {
        each.name.value if each.name else "": each
        for each in document.definitions
        if isinstance(each, OperationDefinitionNode)
    }
    if not errors:
        too_much = (excess(api.schema, document, operation) for operation in operations.values())
        errors = tuple(GraphQLError(each) for each in too_much if each is not None)
    switches = tuple(sorted(_switches(document))) if not errors else ()
    return _Prepared(document, operations, errors, switches, {})


def _switches(document: DocumentNode) -> set[str]:
    """The variables that `@skip` and `@include` look at."""
    found: set[str] = set()
    waiting: list[Any] = [each.selection_set for each in document.definitions if hasattr(each, "selection_set")]
    while waiting:
        node = waiting.pop()
        for selection in node.selections:
            for directive in selection.directives or ():
                values = (argument.value for argument in directive.arguments or ())
                found.update(value.name.value for value in values if isinstance(value, VariableNode))
            if getattr(selection, "selection_set", None) is not None:
                waiting.append(selection.selection_set)
    return found


def _operation(prepared: _Prepared, name: str | None) -> OperationDefinitionNode | str:
    """The operation to run, or why it is not clear which."""
    named = ", ".join(repr(each) for each in prepared.operations)
    if name:
        return prepared.operations.get(name) or f"The query has no operation {name!r}; it has {named or 'none'}."
    if len(prepared.operations) != 1:
        return f"The query has {len(prepared.operations)} operations ({named}); name one as operationName."
    return next(iter(prepared.operations.values()))


def _refused(message: str) -> Outcome:
    return Outcome(400, {"errors": [{"message": message}]})


def _told(error: GraphQLError) -> dict[str, Any]:
    """An error for the answer: the text of those that are meant for people, an id to look up for all others."""
    told = error.formatted
    original = error.original_error
    if original is None or isinstance(original, GraphQLError):
        return dict(told)
    if isinstance(original, RefusedError):  # by a field whose type has no failures among its members
        return {**told, "message": str(original), "extensions": {"code": type(original.failure).__name__}}
    if isinstance(original, PenstockError | TooMuchError):
        return {**told, "message": str(original), "extensions": {"code": type(original).__name__}}
    mark = new_holder_id("fault")
    log.error("%s: %s failed", mark, ".".join(str(step) for step in error.path or ()), exc_info=original)
    message = f"Something went wrong inside Penstock; the web server's log has it as {mark}."
    return {**told, "message": message, "extensions": {"code": "InternalError", "id": mark}}
