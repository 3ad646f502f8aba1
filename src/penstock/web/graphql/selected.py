"""Which fields a selection set asks of a type: fragments are opened, and what is to be skipped is left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLIncludeDirective,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSkipDirective,
    GraphQLUnionType,
    SelectionNode,
    SelectionSetNode,
)
from graphql.execution.values import VariableValues, get_directive_values

__all__ = ["Selected"]


class Selected:
    """Reads the selection sets of one operation.

    Args:
        schema: The schema.
        fragments: The document's fragments.
        variables: Their values count for `@skip` and `@include`.
    """

    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode], variables: VariableValues
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._variables = variables

    def fields(self, selection_sets: Iterable[SelectionSetNode], kind: GraphQLObjectType) -> dict[str, list[FieldNode]]:
        """The fields asked of a type, by the key of the answer; a key may be asked for more than once."""
        found: dict[str, list[FieldNode]] = {}
        seen: set[str] = set()
        for each in selection_sets:
            self._collect(each.selections, kind, found, seen)
        return found

    def _collect(
        self,
        selections: Iterable[SelectionNode],
        kind: GraphQLObjectType,
        found: dict[str, list[FieldNode]],
        seen: set[str],
    ) -> None:
        for each in selections:
            if not self._included(each):
                continue
            match each:
                case FieldNode():
                    found.setdefault((each.alias or each.name).value, []).append(each)
                case FragmentSpreadNode():
                    name = each.name.value
                    if name not in seen:
                        seen.add(name)
                        fragment = self._fragments[name]
                        if self._applies(fragment.type_condition.name.value, kind):
                            self._collect(fragment.selection_set.selections, kind, found, seen)
                case _:
                    condition = each.type_condition  # type: ignore[attr-defined]  # what is left is an inline fragment
                    if condition is None or self._applies(condition.name.value, kind):
                        self._collect(each.selection_set.selections, kind, found, seen)  # type: ignore[attr-defined]

    def _included(self, node: SelectionNode) -> bool:
        if not node.directives:
            return True
        skip = get_directive_values(GraphQLSkipDirective, node, self._variables)
        include = get_directive_values(GraphQLIncludeDirective, node, self._variables)
        return not (skip and skip["if"]) and not (include and not include["if"])

    def _applies(self, condition: str, kind: GraphQLObjectType) -> bool:
        named = self._schema.type_map[condition]
        if isinstance(named, GraphQLInterfaceType | GraphQLUnionType):
            return self._schema.is_sub_type(named, kind)
        return named is kind
