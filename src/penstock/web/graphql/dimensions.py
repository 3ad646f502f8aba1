"""Partition sets of several dimensions: what each dimension is, and its keys, from which the keys of the set follow."""

from __future__ import annotations

from collections.abc import Iterator

from ...partitions.multi_space import MultiSpace
from ...partitions.spec import DynamicSpec
from .context import Context
from .failures import Result
from .fields import Fields
from .nodes import AssetNode
from .partitions import OpenSet, description, kind, open_set

__all__ = ["TABLES"]

_ALONE = "default"
"""The name of the one dimension of a set that has no several."""
_MOST_KEYS = 200_000

_DEFINITION = Fields("PartitionDefinition", source=OpenSet)
_ASSET = Fields("AssetNode", source=AssetNode)

TABLES = (_DEFINITION, _ASSET)


class DimensionDefinitionType(Result, frozen=True, kw_only=True):
    """One dimension. Positions are counted along the primary one in the largest steps."""

    name: str
    description: str
    type: str
    is_primary_dimension: bool
    dynamic_partitions_definition_name: str | None


class DimensionPartitionKeys(Result, frozen=True, kw_only=True):
    """The keys of one dimension, in order."""

    name: str
    partition_keys: tuple[str, ...]
    type: str


@_DEFINITION.field
def dimension_types(keys: OpenSet, context: Context) -> list[DimensionDefinitionType]:
    return [
        DimensionDefinitionType(
            name=name,
            description=description(each, context),
            type=kind(each, context),
            is_primary_dimension=not isinstance(keys.space, MultiSpace) or keys.space.lead == name,
            dynamic_partitions_definition_name=each.spec.name if isinstance(each.spec, DynamicSpec) else None,
        )
        for name, each in _dimensions(keys, context)
    ]


@_ASSET.field
def partition_keys_by_dimension(
    node: AssetNode, context: Context, *, start_idx: int | None = None, end_idx: int | None = None
) -> list[DimensionPartitionKeys]:
    if node.asset.partitions is None:
        return []
    start = max(0, start_idx or 0)
    found = []
    for name, each in _dimensions(open_set(context, node.asset.partitions), context):
        stop = min(each.size, start + _MOST_KEYS, each.size if end_idx is None else end_idx)
        keys = tuple(each.space.keys(start, stop)) if start < stop else ()
        found.append(DimensionPartitionKeys(name=name, partition_keys=keys, type=kind(each, context)))
    return found


def _dimensions(keys: OpenSet, context: Context) -> Iterator[tuple[str, OpenSet]]:
    """Each dimension as a set of its own, by name; a set that is not of several is its own dimension."""
    if not isinstance(keys.space, MultiSpace):
        yield _ALONE, keys
        return
    for name in keys.space.names:
        space = keys.space.spaces[name]
        yield name, OpenSet(space.spec, space, keys.space.size(name, context.now))
