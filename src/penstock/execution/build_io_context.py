"""Contexts made outside of a run for calling IO managers directly, as tests do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..definitions.assets.spec import AssetSpec
from ..definitions.ops.op import OpDefinition
from ..errors import UsageError
from ..partitions.definition import PartitionKeyRange, PartitionsDefinition
from ..partitions.multi import as_partition_key
from ..records.keys import AssetKey, CoercibleToAssetKey
from .build_resources import HoldsResources
from .io_context import InputContext, OutputContext

__all__ = ["build_input_context", "build_output_context"]


class DirectOutputContext(HoldsResources, OutputContext):
    """The context of storing an output directly."""

    def __init__(self, *args: Any, resources: Mapping[str, Any] | None, **common: Any) -> None:
        opened = self._set_up(resources, common["instance"])
        super().__init__(*args, resources=opened, **common)


class DirectInputContext(HoldsResources, InputContext):
    """The context of loading an input directly."""

    def __init__(self, *args: Any, resources: Mapping[str, Any] | None, **common: Any) -> None:
        opened = self._set_up(resources, common["instance"])
        super().__init__(*args, resources=opened, **common)


def build_output_context(
    step_key: str | None = None,
    name: str | None = None,
    definition_metadata: Mapping[str, Any] | None = None,
    run_id: str | None = None,
    mapping_key: str | None = None,
    config: Any = None,
    python_type: Any = None,
    version: str | None = None,
    resource_config: Any = None,
    resources: Mapping[str, Any] | None = None,
    op_def: OpDefinition | None = None,
    asset_key: CoercibleToAssetKey | None = None,
    partition_key: str | None = None,
    asset_partitions_def: PartitionsDefinition | None = None,
    asset_partition_key_range: PartitionKeyRange | None = None,
    instance: Any = None,
    asset_spec: AssetSpec | None = None,
    output_metadata: Mapping[str, Any] | None = None,
    artifacts: Path | None = None,
) -> DirectOutputContext:
    """A context for calling an IO manager's `handle_output`; the arguments are what the context gives.

    It is a context manager that tears down what it has set up.

    Args:
        step_key: The step that gives the output.
        name: The output.
        definition_metadata: Facts declared on the output or asset.
        run_id: The run.
        mapping_key: Of a dynamic output, which of its values.
        config: Config of the output itself.
        python_type: The declared type.
        version: The version of the code that makes it.
        resource_config: The IO manager's config.
        resources: What the IO manager requires, by key, as `Definitions` takes resources; they are set up now.
        op_def: The op that gives it.
        asset_key: The asset that it is; that of `asset_spec` if not given.
        partition_key: The partition that the run works on, and of the asset that the value is.
        asset_partitions_def: The asset's partitions; those of `asset_spec` if not given.
        asset_partition_key_range: The asset's partitions that the value is, where it is several.
        instance: The instance.
        asset_spec: The asset's spec.
        output_metadata: Facts that the op added.
        artifacts: The folder for values that no place is named for; the instance's if not given.
    """
    if asset_spec is not None:
        asset_key = asset_spec.key if asset_key is None else asset_key
        asset_partitions_def = asset_partitions_def or asset_spec.partitions_def
    return DirectOutputContext(
        step_key,
        name,
        run_id,
        mapping_key,
        output_metadata or {},
        version,
        asset_spec,
        resources=resources,
        op_def=op_def,
        config=config,
        definition_metadata=definition_metadata or {},
        python_type=python_type,
        resource_config=resource_config,
        asset_key=None if asset_key is None else AssetKey.from_coercible(asset_key),
        partition_key=None if partition_key is None else as_partition_key(asset_partitions_def, partition_key),
        asset_partition_keys=_keys(asset_key, partition_key, asset_partition_key_range, asset_partitions_def),
        asset_partitions_def=asset_partitions_def,
        instance=instance,
        artifacts=_folder(artifacts, instance),
    )


def build_input_context(
    name: str | None = None,
    config: Any = None,
    definition_metadata: Mapping[str, Any] | None = None,
    upstream_output: OutputContext | None = None,
    python_type: Any = None,
    resource_config: Any = None,
    resources: Mapping[str, Any] | None = None,
    op_def: OpDefinition | None = None,
    asset_key: CoercibleToAssetKey | None = None,
    partition_key: str | None = None,
    asset_partition_key_range: PartitionKeyRange | None = None,
    asset_partitions_def: PartitionsDefinition | None = None,
    instance: Any = None,
    artifacts: Path | None = None,
) -> DirectInputContext:
    """A context for calling an IO manager's `load_input`; see `build_output_context` for the arguments.

    Args:
        upstream_output: The context in which the value was stored.
    """
    return DirectInputContext(
        name,
        upstream_output,
        resources=resources,
        op_def=op_def,
        config=config,
        definition_metadata=definition_metadata or {},
        python_type=python_type,
        resource_config=resource_config,
        asset_key=None if asset_key is None else AssetKey.from_coercible(asset_key),
        partition_key=None if partition_key is None else as_partition_key(asset_partitions_def, partition_key),
        asset_partition_keys=_keys(asset_key, partition_key, asset_partition_key_range, asset_partitions_def),
        asset_partitions_def=asset_partitions_def,
        instance=instance,
        artifacts=_folder(artifacts, instance),
    )


def _folder(artifacts: Path | None, instance: Any) -> Path | None:
    return instance.artifacts if artifacts is None and instance is not None else artifacts


def _keys(
    asset_key: CoercibleToAssetKey | None,
    partition_key: str | None,
    key_range: PartitionKeyRange | None,
    partitions: PartitionsDefinition | None,
) -> tuple[str, ...] | None:
    if asset_key is None:
        return None
    if key_range is None:
        return None if partition_key is None else (as_partition_key(partitions, partition_key),)
    if partitions is None:
        raise UsageError("A range of partitions needs the asset's partitions; give asset_partitions_def too.")
    return tuple(partitions.get_partition_keys_in_range(key_range))
