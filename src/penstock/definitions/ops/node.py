"""A node: an op or graph where a graph uses it, and what feeds its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from ...partitions.definition import PartitionsDefinition
from .hooks import HookDefinition
from .retry import RetryPolicy

if TYPE_CHECKING:
    from .graph import GraphDefinition
    from .op import OpDefinition

__all__ = ["AssetValue", "Collected", "FanIn", "GraphInput", "Mapped", "Node", "NodeOutput", "NodeSource"]


class NodeOutput(msgspec.Struct, frozen=True):
    """An output of another node of the same graph."""

    node: str
    output: str


class Mapped(msgspec.Struct, frozen=True):
    """One value of a dynamic output: the node runs once for each."""

    node: str
    output: str


class Collected(msgspec.Struct, frozen=True):
    """All values of a dynamic output, or of a node that runs once for each, as a list."""

    node: str
    output: str


class GraphInput(msgspec.Struct, frozen=True):
    """An input of the graph itself."""

    name: str


class AssetValue(msgspec.Struct, frozen=True, kw_only=True):
    """The value of an asset, loaded from where it is stored.

    Args:
        asset_key: The asset, in text form.
        io_manager_key: The resource that loads it.
        metadata: The asset's metadata as its author wrote it.
        partitions: The asset's partitions.
    """

    asset_key: str
    io_manager_key: str
    metadata: Mapping[str, Any] = {}
    partitions: PartitionsDefinition | None = None


class FanIn(msgspec.Struct, frozen=True):
    """Several sources whose values arrive as a list."""

    sources: tuple[NodeOutput | GraphInput | Collected, ...]


NodeSource: TypeAlias = NodeOutput | Mapped | Collected | GraphInput | AssetValue | FanIn


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """An op or graph where a graph uses it."""

    name: str
    definition: OpDefinition | GraphDefinition
    sources: dict[str, NodeSource]
    tags: dict[str, str]
    retry_policy: RetryPolicy | None = None
    hooks: frozenset[HookDefinition] = frozenset()
