"""Loads stored values of assets outside of a run, through the IO managers that stored them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

from ..clock import SYSTEM_CLOCK
from ..definitions.assets.definition import AssetsDefinition
from ..definitions.assets.graph import AssetNode
from ..definitions.resources.resource import ResourceDefinition, ValueResource
from ..definitions.resources.stores import FilesystemIOManager
from ..errors import InvocationError, NotFoundError
from ..partitions.definition import PartitionKeyRange
from ..partitions.multi import as_partition_key
from ..records.keys import AssetKey, CoercibleToAssetKey
from .configuration import resource_configs
from .io_context import InputContext, OutputContext
from .resources import OpenResources, closure, set_up
from .scope import DEFAULT_IO_MANAGER
from .step_partitions import StoredDynamicPartitions

if TYPE_CHECKING:
    from ..definitions.definitions import Definitions

__all__ = ["AssetValueLoader"]


class AssetValueLoader:
    """Loads stored values of assets. `Definitions.get_asset_value_loader` makes one; it is a context manager.

    The IO managers are set up when they are first needed, and torn down at the end of the `with`.

    Args:
        definitions: What defines the assets and their IO managers.
        instance: The instance whose folder holds the values of IO managers that name none, and which knows the keys of
            dynamic partitions.
    """

    def __init__(self, definitions: Definitions, instance: Any = None) -> None:
        resolved = definitions.resolved
        own = [each.resource_defs for each in definitions.assets if isinstance(each, AssetsDefinition)]
        self._graph = resolved.asset_graph
        self._instance = instance
        self._artifacts = None if instance is None else instance.artifacts
        # Where no IO manager is named, values are in the folder of an instance.
        self._resources: dict[str, ResourceDefinition] = {
            DEFAULT_IO_MANAGER: ValueResource(FilesystemIOManager()),
            **resolved.resources,
            **{key: definition for each in own for key, definition in each.items()},
        }
        self._opened: dict[str, OpenResources] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._opened.clear()
        self._stack.close()

    def load_asset_value(
        self,
        asset_key: CoercibleToAssetKey,
        *,
        python_type: Any = None,
        partition_key: str | None = None,
        partition_key_range: PartitionKeyRange | None = None,
        input_definition_metadata: Mapping[str, Any] | None = None,
        resource_config: Mapping[str, Any] | None = None,
    ) -> Any:
        """The stored value of an asset; of several partitions, as the IO manager gives them (mostly a dict by key).

        Args:
            asset_key: The asset.
            python_type: What the IO manager shall load it as, which it reads as `context.python_type`.
            partition_key: The partition to load.
            partition_key_range: The first and the last partition to load, in place of one.
            input_definition_metadata: What the IO manager reads as `context.definition_metadata`.
            resource_config: By key, the entry of a run config for a resource: a mapping with `config`. It counts when
                the IO manager is first needed.

        Raises:
            NotFoundError: There is no such asset or partition.
            InvocationError: The asset has partitions and none is named, or the other way round.
            ResourceError: The IO manager could not be set up.
        """
        key = AssetKey.from_coercible(asset_key)
        text = key.to_user_string()
        node = self._graph.assets.get(text)
        if node is None:
            raise NotFoundError(f'There is no asset "{text}" here{self._graph.nearest(text)}')
        manager_key = node.io_manager_key
        opened = self._open(manager_key, resource_config or {})
        common: dict[str, Any] = {
            "resource_config": opened.config_of(manager_key),
            "resources": opened.needs_of(manager_key),
            "python_type": python_type,
            "asset_key": key,
            "partition_key": None if partition_key is None else as_partition_key(node.partitions_def, partition_key),
            "asset_partition_keys": self._partitions(node, partition_key, partition_key_range),
            "asset_partitions_def": node.partitions_def,
            "instance": self._instance,
            "artifacts": self._artifacts,
        }
        stored = OutputContext(
            name=node.output,
            asset_spec=node.spec,
            **(common | {"definition_metadata": node.spec.metadata, "python_type": None}),
        )
        context = InputContext(None, stored, definition_metadata=input_definition_metadata or {}, **common)
        return opened.values[manager_key].load_input(context)

    def _open(self, key: str, config: Mapping[str, Any]) -> OpenResources:
        if key not in self._opened:
            needed = closure([key], self._resources)
            self._opened[key] = self._stack.enter_context(
                set_up(
                    needed,
                    self._resources,
                    resource_configs({each: self._resources[each] for each in needed}, config),
                    clock=SYSTEM_CLOCK,
                    emit=lambda _: None,
                    instance=self._instance,
                )
            )
        return self._opened[key]

    def _partitions(
        self, node: AssetNode, key: str | None, key_range: PartitionKeyRange | None
    ) -> tuple[str, ...] | None:
        partitions = node.partitions_def
        if partitions is None:
            if key is not None or key_range is not None:
                raise InvocationError(f"Asset {node.key} has no partitions; leave out {key or key_range!r}.")
            return None
        if (key is None) == (key_range is None):
            raise InvocationError(f"Asset {node.key} has partitions; give partition_key or partition_key_range.")
        dynamic = None if self._instance is None else StoredDynamicPartitions(self._instance.storage)
        wanted = key_range or PartitionKeyRange(key or "", key or "")
        return tuple(partitions.get_partition_keys_in_range(wanted, dynamic_partitions_store=dynamic))
