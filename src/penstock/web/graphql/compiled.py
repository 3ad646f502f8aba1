"""Turns an operation into nested functions, once: answering it then costs little more than its resolvers.

The library's own executor decides for every value anew what its selection set, arguments and type are; on a page of
ten thousand assets that is nearly all of the time. Here it is decided per place in the query, and the items of long
lists are completed together (`in_columns.py`). Answers and errors are the same as the library's, which a test compares
on generated queries; introspection is left to it.

A function that completes a value takes (value, state, path). A path is a linked pair (path above, key), so that it
costs nothing to pass on; it is spelled out only where something fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLAbstractType,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLUnionType,
    OperationDefinitionNode,
    SelectionSetNode,
    get_nullable_type,
    is_leaf_type,
    located_error,
)
from graphql.execution.values import VariableValues, get_argument_values

from .in_columns import InColumns, Many
from .leaves import Leaf, column_of, exact_type, leaf_of
from .schema import Api
from .selected import Selected
from .state import State

__all__ = ["Compiled", "compile_operation"]

_LISTS = frozenset({list, tuple})
_FEW = 100
"""A list of objects that has no more items is completed item by item."""

Path: TypeAlias = "tuple[Path, str | int] | None"


Complete: TypeAlias = Callable[[Any, State, Path], Any]
Resolver: TypeAlias = Callable[..., Any]
Compiled: TypeAlias = Callable[[State], dict[str, Any] | None]


class _BubbleError(Exception):
    """A field that must not be null failed, so what it is in is null; `located` is the error."""

    def __init__(self, located: GraphQLError) -> None:
        super().__init__()
        self.located = located


def compile_operation(
    api: Api,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    variables: VariableValues,
) -> Compiled:
    """The operation as a function that gives its data and leaves errors in the state.

    Args:
        api: The schema and its resolvers.
        operation: A valid operation.
        fragments: The document's fragments.
        variables: Their values count for `@skip` and `@include` alone; everything else is looked up at each execution.
    """
    root = api.schema.get_root_type(operation.operation)
    assert root is not None
    complete = _Compiler(api, Selected(api.schema, fragments, variables)).object([operation.selection_set], root)

    def run(state: State) -> dict[str, Any] | None:
        try:
            data: dict[str, Any] = complete(None, state, None)
        except _BubbleError as bubble:
            state.errors.append(bubble.located)
            return None
        return data

    return run


class _Compiler:
    def __init__(self, api: Api, selected: Selected) -> None:
        self._api = api
        self._selected = selected
        self._in_columns = InColumns(api, selected)

    # -- values ------------------------------------------------------------------------------------------------------

    def object(self, selection_sets: Iterable[SelectionSetNode], kind: GraphQLObjectType) -> Complete:
        """Completes objects of one type."""
        nodes = self._selected.fields(selection_sets, kind)
        fields = [(key, self._field(kind, key, same)) for key, same in nodes.items()]

        def complete(source: Any, state: State, path: Path) -> dict[str, Any]:
            return {key: field(source, state, path) for key, field in fields}

        return complete

    def _abstract(self, nodes: list[FieldNode], kind: GraphQLAbstractType) -> Complete:
        """Completes objects of several types; what is asked of each is worked out when the first one comes."""
        completes: dict[str, Complete] = {}
        tell: Any = kind.resolve_type

        def complete(value: Any, state: State, path: Path) -> Any:
            name: str = tell(value, None, kind)  # ours look at the value alone
            found = completes.get(name)
            if found is None:
                concrete = self._api.schema.type_map[name]
                assert isinstance(concrete, GraphQLObjectType)
                found = completes[name] = self.object(_inner(nodes), concrete)
            return found(value, state, path)

        return complete

    def _present(self, nodes: list[FieldNode], kind: GraphQLOutputType, where: str) -> Complete:
        """Completes values that are not null."""
        match kind:
            case GraphQLNonNull():
                return self._present(nodes, kind.of_type, where)
            case GraphQLList():
                return self._list(nodes, kind.of_type, where)
            case GraphQLObjectType():
                return self.object(_inner(nodes), kind)
            case GraphQLInterfaceType() | GraphQLUnionType():
                return self._abstract(nodes, kind)
        leaf = leaf_of(kind)
        return lambda value, _state, _path: leaf(value)

    def _list(self, nodes: list[FieldNode], item: GraphQLOutputType, where: str) -> Complete:
        nullable = not isinstance(item, GraphQLNonNull)
        column = column_of(item)
        present = self._present(nodes, item, where)
        many: Many | None = None

        def complete(values: Any, state: State, path: Path) -> list[Any]:
            nonlocal many
            if type(values) not in _LISTS and (not isinstance(values, Iterable) or isinstance(values, str)):
                raise GraphQLError(f"Expected Iterable, but did not find one for field '{where}'.")
            if type(values) in _LISTS:
                whole = None
                if column is not None:
                    whole = column(values)
                elif len(values) > _FEW and state.is_even:
                    many = many or self._in_columns.values(nodes, item)
                    whole = _even(many, values, state)
                if whole is not None:
                    return whole
            completed: list[Any] = []
            for index, each in enumerate(values):
                here = (path, index)
                try:
                    value = _null(nullable, where) if each is None else present(each, state, here)
                except Exception as error:  # noqa: BLE001 - whatever fails is told at its place in the answer
                    value = _tell(error, nodes, here, state, nullable=nullable)
                completed.append(value)
            return completed

        return complete

    # -- fields ------------------------------------------------------------------------------------------------------

    def _field(self, kind: GraphQLObjectType, key: str, nodes: list[FieldNode]) -> Complete:
        """Answers one field of a type's objects."""
        name = nodes[0].name.value
        if name == "__typename":
            return lambda _source, _state, _path: kind.name
        definition = kind.fields[name]
        place = _Place(key, nodes, f"{kind.name}.{name}", not isinstance(definition.type, GraphQLNonNull))
        answer, resolver = self._api.answers[kind.name][name], self._api.resolvers[kind.name][name]
        named = get_nullable_type(definition.type)
        if is_leaf_type(named) and not definition.args:
            leaf, exact = leaf_of(named), exact_type(named)
            if answer.attribute is not None:
                return _leaf_attribute(answer.attribute, leaf, exact, place)
            return _leaf_call(resolver, leaf, exact, place)
        present = self._present(nodes, definition.type, place.where)
        if definition.args:
            return _call_with_arguments(resolver, definition, present, place)
        return _call(resolver, present, place)


# -- the functions that fields become --------------------------------------------------------------------------------


class _Place(NamedTuple):
    """A field where it stands in the query."""

    key: str
    nodes: list[FieldNode]
    where: str
    nullable: bool


def _leaf_attribute(get: Callable[[Any], Any], leaf: Leaf, exact: type | None, place: _Place) -> Complete:
    key, nodes, where, nullable = place

    def field(source: Any, state: State, path: Path) -> Any:
        try:
            value = get(source)
            if type(value) is exact:
                return value
            return _null(nullable, where) if value is None else leaf(value)
        except Exception as error:  # noqa: BLE001 - whatever fails is told at its place in the answer
            return _tell(error, nodes, (path, key), state, nullable=nullable)

    return field


def _leaf_call(call: Resolver, leaf: Leaf, exact: type | None, place: _Place) -> Complete:
    key, nodes, where, nullable = place

    def field(source: Any, state: State, path: Path) -> Any:
        try:
            value = call(source, state.context)
            if type(value) is exact:
                return value
            return _null(nullable, where) if value is None else leaf(value)
        except Exception as error:  # noqa: BLE001 - as above
            return _tell(error, nodes, (path, key), state, nullable=nullable)

    return field


def _call(call: Resolver, present: Complete, place: _Place) -> Complete:
    key, nodes, where, nullable = place

    def field(source: Any, state: State, path: Path) -> Any:
        here = (path, key)
        try:
            value = call(source, state.context)
            return _null(nullable, where) if value is None else present(value, state, here)
        except Exception as error:  # noqa: BLE001 - as above
            return _tell(error, nodes, here, state, nullable=nullable)

    return field


def _call_with_arguments(call: Resolver, definition: GraphQLField, present: Complete, place: _Place) -> Complete:
    """As `_call`; the arguments do not depend on the object, so they are read once for each execution."""
    key, nodes, where, nullable = place
    node = nodes[0]
    slot = id(node)

    def field(source: Any, state: State, path: Path) -> Any:
        here = (path, key)
        try:
            given = state.arguments.get(slot)
            if given is None:
                given = state.arguments[slot] = get_argument_values(definition, node, state.variables)
            value = call(source, state.context, **given)
            return _null(nullable, where) if value is None else present(value, state, here)
        except Exception as error:  # noqa: BLE001 - as above
            return _tell(error, nodes, here, state, nullable=nullable)

    return field


def _even(many: Many, values: Sequence[Any], state: State) -> list[Any] | None:
    """The items of a long list, completed together; None where something went wrong.

    That is found anew, item by item, and lists are no more completed together then: no item is completed a third time.
    """
    allowance = state.context.allowance
    try:
        return many(list(values), state)
    except Exception:  # noqa: BLE001 - whatever fails will fail again, at its place
        state.is_even = False
        state.context.allowance = allowance
        return None


def _inner(nodes: Iterable[FieldNode]) -> list[SelectionSetNode]:
    return [node.selection_set for node in nodes if node.selection_set is not None]


# -- what goes wrong -------------------------------------------------------------------------------------------------


def _null(nullable: bool, where: str) -> Any:
    """A null, where it may be."""
    if nullable:
        return None
    raise GraphQLError(f"Cannot return null for non-nullable field {where}.")


def _tell(error: Exception, nodes: list[FieldNode], path: Path, state: State, *, nullable: bool) -> Any:
    """Tell an error at its place; what may be null is null then, else the failure goes on to what is around it."""
    located = error.located if isinstance(error, _BubbleError) else located_error(error, nodes, _spelled(path))
    if not nullable:
        raise _BubbleError(located) from error
    state.errors.append(located)
    return None


def _spelled(path: Path) -> list[str | int]:
    keys: list[str | int] = []
    while path is not None:
        path, key = path
        keys.append(key)
    return keys[::-1]
