"""The words of graphs that are written without `@graph`: which node is used under which name, and what feeds what.

`wiring.py` turns them into nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import msgspec

from ...errors import DefinitionError
from ..function import UNKNOWN
from ..names import check_name, normalize_tags
from .hooks import HookDefinition, check_hooks
from .ports import DEFAULT_OUTPUT
from .retry import RetryPolicy

__all__ = [
    "Dependencies",
    "Dependency",
    "DependencyDefinition",
    "DynamicCollectDependencyDefinition",
    "GraphInputPlaceholder",
    "InputMapping",
    "MultiDependencyDefinition",
    "NodeInvocation",
    "OutputMapping",
    "check_dependency",
]


class DependencyDefinition(msgspec.Struct, frozen=True):
    """An output of another node that feeds an input; of a dynamic output, each of its values in a run of its own.

    Args:
        node: The other node, by its name in the graph.
        output: Its output.
        description: Why it is needed.
    """

    node: str
    output: str = DEFAULT_OUTPUT
    description: str | None = None

    def is_fan_in(self) -> bool:
        """Whether several values arrive as a list: not here."""
        return False

    def get_node_dependencies(self) -> list[DependencyDefinition]:
        """The outputs of other nodes that feed the input."""
        return [self]


class DynamicCollectDependencyDefinition(msgspec.Struct, frozen=True):
    """All values of a dynamic output, or of a node that runs once for each of them, as a list.

    Args:
        node: The other node, by its name in the graph.
        output: Its output.
    """

    node: str
    output: str = DEFAULT_OUTPUT

    def is_fan_in(self) -> bool:
        """Whether several values arrive as a list."""
        return True

    def get_node_dependencies(self) -> list[DependencyDefinition]:
        """The outputs of other nodes that feed the input."""
        return [DependencyDefinition(self.node, self.output)]


class GraphInputPlaceholder:
    """Holds the place in a list of dependencies that an `InputMapping` fills, by its `fan_in_index`."""


class MultiDependencyDefinition(msgspec.Struct, frozen=True):
    """Several outputs whose values arrive as a list, in this order.

    Args:
        dependencies: The outputs; `GraphInputPlaceholder` where an input of the graph goes.
    """

    dependencies: list[DependencyDefinition | type[GraphInputPlaceholder]]

    def is_fan_in(self) -> bool:
        """Whether several values arrive as a list."""
        return True

    def get_node_dependencies(self) -> list[DependencyDefinition]:
        """The outputs of other nodes that feed the input."""
        return [each for each in self.dependencies if isinstance(each, DependencyDefinition)]

    def get_dependencies_and_mappings(self) -> list[DependencyDefinition | type[GraphInputPlaceholder]]:
        """The outputs and the places of the graph's inputs, in order."""
        return list(self.dependencies)


class NodeInvocation:
    """A node in a dict of dependencies: an op or graph by its name, with what this use of it has of its own.

    Args:
        name: The name of the op or graph.
        alias: The node's name, if another.
        tags: Further tags of the node.
        hook_defs: Hooks of the node.
        retry_policy: Its retry policy.

    Raises:
        DefinitionError: A part is not valid.
    """

    __slots__ = ("alias", "hook_defs", "name", "retry_policy", "tags")

    def __init__(
        self,
        name: str,
        alias: str | None = None,
        tags: Mapping[str, Any] | None = None,
        hook_defs: Iterable[HookDefinition] | None = None,
        retry_policy: RetryPolicy | None = None,
    ) -> None:
        self.name = check_name(name, "a use of an op or graph")
        self.alias = None if alias is None else check_name(alias, "a use of an op or graph")
        self.tags = normalize_tags(tags, f'The use of "{name}"')
        self.hook_defs = check_hooks(hook_defs, f'The use of "{name}"')
        self.retry_policy = retry_policy

    @property
    def node_name(self) -> str:
        """The node's name in the graph."""
        return self.alias or self.name

    def __repr__(self) -> str:
        return f"NodeInvocation({self.name!r}, alias={self.alias!r})"


class InputMapping(msgspec.Struct, frozen=True):
    """An input of a graph that feeds an input of a node.

    Args:
        graph_input_name: The graph's input.
        mapped_node_name: The node.
        mapped_node_input_name: Its input.
        fan_in_index: Where the node's input takes a list, the place in it.
        graph_input_description: What the graph's input is for.
        python_type: What its values are; what the node's input says if not given.
    """

    graph_input_name: str
    mapped_node_name: str
    mapped_node_input_name: str
    fan_in_index: int | None = None
    graph_input_description: str | None = None
    python_type: Any = UNKNOWN


class OutputMapping(msgspec.Struct, frozen=True):
    """An output of a node that is an output of the graph.

    Args:
        graph_output_name: The graph's output.
        mapped_node_name: The node.
        mapped_node_output_name: Its output.
        graph_output_description: What the graph's output holds.
        python_type: What its values are; what the node's output says if not given.
        from_dynamic_mapping: Whether the node runs once for each value of a dynamic output of this graph, so that the
            graph's output is dynamic.
    """

    graph_output_name: str
    mapped_node_name: str
    mapped_node_output_name: str = DEFAULT_OUTPUT
    graph_output_description: str | None = None
    python_type: Any = UNKNOWN
    from_dynamic_mapping: bool = False


Dependency: TypeAlias = DependencyDefinition | DynamicCollectDependencyDefinition | MultiDependencyDefinition
Dependencies: TypeAlias = Mapping[str | NodeInvocation, Mapping[str, Dependency]]


def check_dependency(given: Any, what: str) -> Dependency:
    """What feeds an input; raises `DefinitionError` if it is something else."""
    if isinstance(given, DependencyDefinition | DynamicCollectDependencyDefinition | MultiDependencyDefinition):
        return given
    raise DefinitionError(
        f"{what} is fed by {given!r}; give a DependencyDefinition, a MultiDependencyDefinition or a "
        "DynamicCollectDependencyDefinition."
    )
