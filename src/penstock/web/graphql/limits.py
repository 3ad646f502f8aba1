"""What a query may ask for, decided from its text before anything is loaded."""

from __future__ import annotations

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
)

__all__ = ["MOST_CHARACTERS", "MOST_TOKENS", "excess", "excess_width", "root_fields"]

MOST_CHARACTERS = 100_000
MOST_TOKENS = 2000
_DEEPEST = 15
_MOST_ROOT_FIELDS = 30
_MOST_SELECTIONS = 150
_MOST_COST = 5_000_000
_USUAL_LIST = 10
"""How many items a list without a `limit` is taken to have."""
_USUAL_LIMIT = 100
"""How many items one is taken to have whose limit is a variable."""


def root_fields(operation: OperationDefinitionNode) -> list[FieldNode]:
    """The fields that an operation asks for directly."""
    return [each for each in operation.selection_set.selections if isinstance(each, FieldNode)]


def excess_width(document: DocumentNode) -> str | None:
    """Why a document is too wide to be validated, which takes long where many fields may overlap; None if it is not."""
    for definition in document.definitions:
        outer = getattr(definition, "selection_set", None)
        if outer is None:
            continue
        if isinstance(definition, OperationDefinitionNode) and len(outer.selections) > _MOST_ROOT_FIELDS:
            count = len(outer.selections)
            return f"The query asks for {count} fields at its root; at most {_MOST_ROOT_FIELDS} are answered at once."
        waiting = [outer]
        while waiting:
            selections = waiting.pop().selections
            if len(selections) > _MOST_SELECTIONS:
                return f"The query asks for {len(selections)} fields of one object; at most {_MOST_SELECTIONS} are."
            waiting += [inner for each in selections if (inner := getattr(each, "selection_set", None)) is not None]
    return None


def excess(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> str | None:
    """Why the operation of a valid document asks for too much; None when it does not."""
    root = schema.get_root_type(operation.operation)
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    meter = _Meter(schema, fragments)
    depth, cost = meter.measure(operation.selection_set, root)
    if depth > _DEEPEST:
        return f"The query is {depth} levels deep; at most {_DEEPEST} are answered. Ask for the inner part by itself."
    if cost > _MOST_COST:
        return (
            f"The query may give about {cost:,} values, lists inside lists multiplied; at most {_MOST_COST:,} are "
            "answered. Ask for fewer lists inside lists, or give each a limit."
        )
    return None


class _Meter:
    """Measures depth and cost; a fragment is measured once, so that spreading it often costs nothing."""

    def __init__(self, schema: GraphQLSchema, fragments: dict[str, FragmentDefinitionNode]) -> None:
        self._schema = schema
        self._fragments = fragments
        self._measured: dict[tuple[str, int | None], tuple[int, int]] = {}

    def measure(self, selections: SelectionSetNode, kind: object, limit: int | None = None) -> tuple[int, int]:
        """(depth, cost) of a selection set on a type; `limit` is the one given above it, for the list in its answer."""
        depth = cost = 0
        by_type: dict[str, int] = {}  # an object is of one type, so of what is asked of several the dearest counts
        for each in selections.selections:
            on = kind
            match each:
                case FieldNode():
                    inner_depth, inner_cost = self._field(each, kind, limit)
                case FragmentSpreadNode():
                    on = self._type_of(self._fragments[each.name.value])
                    inner_depth, inner_cost = self._fragment(each.name.value, limit)
                case InlineFragmentNode():
                    on = self._type_of(each) or kind
                    inner_depth, inner_cost = self.measure(each.selection_set, on, limit)
                case _:
                    continue
            depth = max(depth, inner_depth)
            if isinstance(on, GraphQLObjectType) and on is not kind:
                by_type[on.name] = by_type.get(on.name, 0) + inner_cost
            else:
                cost += inner_cost
        return depth, cost + max(by_type.values(), default=0)

    def _type_of(self, fragment: FragmentDefinitionNode | InlineFragmentNode) -> object:
        """The type that a fragment is on; None where it says none."""
        named = fragment.type_condition
        return None if named is None else self._schema.type_map.get(named.name.value)

    def _fragment(self, name: str, limit: int | None) -> tuple[int, int]:
        found = self._measured.get((name, limit))
        if found is None:
            fragment = self._fragments[name]
            found = self._measured[name, limit] = self.measure(fragment.selection_set, self._type_of(fragment), limit)
        return found

    def _field(self, node: FieldNode, kind: object, limit: int | None) -> tuple[int, int]:
        # The schema's description of itself is of a fixed size, however it is asked for.
        if node.name.value.startswith("__") or not isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            return 1, 1
        of_type = kind.fields[node.name.value].type
        named = get_named_type(of_type)
        if node.selection_set is None or is_leaf_type(named):
            return 1, 1
        own = _limit(node)
        if is_list_type(get_nullable_type(of_type)):
            depth, cost = self.measure(node.selection_set, named)
            return depth + 1, 1 + (own or limit or _USUAL_LIST) * cost
        depth, cost = self.measure(node.selection_set, named, own)
        return depth + 1, 1 + cost


def _limit(node: FieldNode) -> int | None:
    for argument in node.arguments or ():
        if argument.name.value == "limit":
            return max(1, int(argument.value.value)) if isinstance(argument.value, IntValueNode) else _USUAL_LIMIT
    return None
