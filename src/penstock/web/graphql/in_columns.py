"""Answers long lists field by field: all values of one field, then all of the next.

What is decided for each value when it is completed by itself is decided here once for all of them, and objects that
several items share are completed once. It answers where nothing goes wrong; where one value cannot be completed it
raises, and then the list is completed item by item (`compiled.py`), which tells the error at its place.

A function that completes takes (values, state).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain, islice
from typing import Any, TypeAlias

from graphql import (
    FieldNode,
    GraphQLAbstractType,
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLUnionType,
    SelectionSetNode,
    get_named_type,
    is_leaf_type,
)
from graphql.execution.values import get_argument_values

from .leaves import column_of, leaf_of
from .schema import Api
from .selected import Selected
from .state import State

__all__ = ["InColumns", "Many", "UnevenError"]

_LISTS = frozenset({list, tuple})

Many: TypeAlias = Callable[[list[Any], State], list[Any]]


class UnevenError(Exception):
    """Some value has to be looked at by itself."""


class InColumns:
    """Turns types and what is asked of them into functions over many values.

    Args:
        api: The schema and its resolvers.
        selected: Which fields are asked for.
    """

    def __init__(self, api: Api, selected: Selected) -> None:
        self._api = api
        self._selected = selected

    def values(self, nodes: list[FieldNode], kind: GraphQLOutputType) -> Many:
        """Completes values, of which some may be null where the type says so."""
        nullable = not isinstance(kind, GraphQLNonNull)
        present = self._present(nodes, kind.of_type if isinstance(kind, GraphQLNonNull) else kind)

        def many(values: list[Any], state: State) -> list[Any]:
            there = [each for each in values if each is not None]
            if len(there) == len(values):
                return present(values, state)
            if not nullable:
                raise UnevenError
            completed = iter(present(there, state))
            return [None if each is None else next(completed) for each in values]

        return many

    def _present(self, nodes: list[FieldNode], kind: GraphQLOutputType) -> Many:
        match kind:
            case GraphQLList():
                return self._lists(nodes, kind.of_type)
            case GraphQLObjectType():
                return self._objects([node.selection_set for node in nodes if node.selection_set is not None], kind)
            case GraphQLInterfaceType() | GraphQLUnionType():
                return self._abstract(nodes, kind)
        assert isinstance(kind, GraphQLScalarType | GraphQLEnumType)
        column, leaf = column_of(GraphQLNonNull(kind)), leaf_of(kind)
        assert column is not None

        def many(values: list[Any], _state: State) -> list[Any]:
            whole = column(values)
            return [leaf(each) for each in values] if whole is None else whole

        return many

    def _lists(self, nodes: list[FieldNode], item: GraphQLOutputType) -> Many:
        column, items = column_of(item), self.values(nodes, item)

        def many(lists: list[Any], state: State) -> list[Any]:
            if not _LISTS.issuperset(map(type, lists)):
                raise UnevenError
            flat = list(chain.from_iterable(lists))
            if column is not None and column(flat) is not None:
                return list(map(list, lists))
            completed = iter(items(flat, state))
            return [list(islice(completed, len(each))) for each in lists]

        return many

    def _abstract(self, nodes: list[FieldNode], kind: GraphQLAbstractType) -> Many:
        by_name: dict[str, Many] = {}
        tell: Any = kind.resolve_type

        def many(values: list[Any], state: State) -> list[Any]:
            names = [tell(each, None, kind) for each in values]  # ours look at the value alone
            completed = {}
            for name in set(names):
                if name not in by_name:
                    concrete = self._api.schema.type_map[name]
                    assert isinstance(concrete, GraphQLObjectType)
                    by_name[name] = self._present(nodes, concrete)
                of_name = [each for each, its in zip(values, names, strict=True) if its == name]
                completed[name] = iter(by_name[name](of_name, state))
            return [next(completed[name]) for name in names]

        return many

    def _objects(self, selection_sets: Iterable[SelectionSetNode], kind: GraphQLObjectType) -> Many:
        found = self._selected.fields(selection_sets, kind)
        fields = [(key, self._field(kind, nodes)) for key, nodes in found.items()]

        def complete(sources: list[Any], state: State) -> list[dict[str, Any]]:
            objects: list[dict[str, Any]] = [{} for _ in sources]
            for key, field in fields:
                for each, value in zip(objects, field(sources, state), strict=True):
                    each[key] = value
            return objects

        def many(sources: list[Any], state: State) -> list[Any]:
            marks = sources if set(map(type, sources)) == {str} else list(map(id, sources))
            different = dict(zip(marks, sources, strict=True))
            if 2 * len(different) > len(sources):
                return complete(sources, state)
            completed = dict(zip(different, complete(list(different.values()), state), strict=True))
            return [completed[each] for each in marks]

        return many

    def _field(self, kind: GraphQLObjectType, nodes: list[FieldNode]) -> Many:
        node = nodes[0]
        name = node.name.value
        if name == "__typename":
            return lambda sources, _state: [kind.name] * len(sources)
        definition = kind.fields[name]
        get, call = self._api.answers[kind.name][name].attribute, self._api.resolvers[kind.name][name]
        values = self.values(nodes, definition.type)
        if definition.args:

            def with_arguments(sources: list[Any], state: State) -> list[Any]:
                given = get_argument_values(definition, node, state.variables)
                return values([call(each, state.context, **given) for each in sources], state)

            return with_arguments
        if get is not None and is_leaf_type(get_named_type(definition.type)):
            return lambda sources, state: values(list(map(get, sources)), state)
        return lambda sources, state: values([call(each, state.context) for each in sources], state)
