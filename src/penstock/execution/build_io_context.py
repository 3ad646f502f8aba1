"""Contexts made outside of a run for calling IO managers and resources directly, as tests do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..definitions.ops.op import OpDefinition
from ..errors import UserCodeError
from ..partitions.definition import PartitionKeyRange, PartitionsDefinition
from ..records.keys import AssetKey, CoercibleToAssetKey
from .io_context import InputContext, OutputContext
from .resources import InitResourceContext, Resources

__all__ = ["build_init_resource_context", "build_input_context", "build_output_context"]


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
    output_metadata: Mapping[str, Any] | None = None,
    artifacts: Path | None = None,
) -> OutputContext:
    """A context for calling an IO manager's `handle_output`; the arguments are what the context gives.

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
        resources: What the IO manager requires, by key, as ready values.
        op_def: The op that gives it.
        asset_key: The asset that it is.
        partition_key: The partition that the run works on, and of the asset that the value is.
        asset_partitions_def: The asset's partitions.
        asset_partition_key_range: The asset's partitions that the value is, where it is several.
        instance: The instance.
        output_metadata: Facts that the op added.
        artifacts: The folder for values that no place is named for.
    """
    return OutputContext(
        step_key,
        name,
        run_id,
        mapping_key,
        output_metadata or {},
        version,
        job_name=None,
        op_def=op_def,
        config=config,
        definition_metadata=definition_metadata or {},
        python_type=python_type,
        resource_config=resource_config,
        resources=Resources(dict(resources or {})),
        asset_key=None if asset_key is None else AssetKey.from_coercible(asset_key),
        partition_key=partition_key,
        asset_partition_keys=_keys(asset_key, partition_key, asset_partition_key_range, asset_partitions_def),
        asset_partitions_def=asset_partitions_def,
        instance=instance,
        artifacts=artifacts,
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
) -> InputContext:
    """A context for calling an IO manager's `load_input`; see `build_output_context` for the arguments.

    Args:
        upstream_output: The context in which the value was stored.
    """
    return InputContext(
        name,
        upstream_output,
        op_def=op_def,
        config=config,
        definition_metadata=definition_metadata or {},
        python_type=python_type,
        resource_config=resource_config,
        resources=Resources(dict(resources or {})),
        asset_key=None if asset_key is None else AssetKey.from_coercible(asset_key),
        partition_key=partition_key,
        asset_partition_keys=_keys(asset_key, partition_key, asset_partition_key_range, asset_partitions_def),
        asset_partitions_def=asset_partitions_def,
        instance=instance,
        artifacts=artifacts,
    )


def build_init_resource_context(
    config: Any = None, resources: Mapping[str, Any] | None = None, instance: Any = None
) -> InitResourceContext:
    """A context for setting up a resource directly.

    Args:
        config: The resource's config.
        resources: What it requires, by key, as ready values.
        instance: The instance.
    """
    return InitResourceContext(resource_config=config, resources=Resources(dict(resources or {})), instance=instance)


def _keys(
    asset_key: CoercibleToAssetKey | None,
    partition_key: str | None,
    key_range: PartitionKeyRange | None,
    partitions: PartitionsDefinition | None,
) -> tuple[str, ...] | None:
    if asset_key is None:
        return None
    if key_range is None:
        return None if partition_key is None else (partition_key,)
    if partitions is None:
        raise UserCodeError("A range of partitions needs the asset's partitions; give asset_partitions_def too.")
    return tuple(partitions.get_partition_keys_in_range(key_range))
