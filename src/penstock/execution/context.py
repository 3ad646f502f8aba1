"""What running ops, assets and checks see as `context`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..definitions.assets.check_spec import AssetCheckSpec
from ..definitions.assets.definition import AssetsDefinition
from ..definitions.assets.layer import AssetLayer
from ..definitions.events import AssetCheckEvaluation, AssetMaterialization, AssetObservation
from ..definitions.ops.op import OpDefinition
from ..definitions.ops.ports import DEFAULT_OUTPUT
from ..definitions.steps.asset_steps import dependency_source
from ..errors import UsageError
from ..partitions.definition import PartitionKeyRange, PartitionsDefinition
from ..partitions.multi import time_window_of
from ..partitions.multi_key import MultiPartitionKey
from ..partitions.time_window import TimeWindow
from ..plan.model import FromAsset
from ..records.data_version import DataProvenance
from ..records.keys import AssetCheckKey, AssetKey, CoercibleToAssetKey
from ..records.metadata import normalize_metadata
from ..records.run import Tag
from .attempt_view import AttemptView
from .facts import evaluation_fact, materialization_fact, observation_fact
from .own_instance import opened
from .step_context import StepExecutionContext

if TYPE_CHECKING:
    from .debugger import StepDebugger

__all__ = ["AssetCheckExecutionContext", "AssetExecutionContext", "OpExecutionContext"]


class OpExecutionContext(AttemptView):
    """The context of a running op: its run, config, resources, log and partition."""

    __slots__ = ()

    # -- the run and the step -----------------------------------------------------------------------------------------

    @property
    def location_name(self) -> str:
        """The name of the code location."""
        return self._attempt.run.location

    @property
    def op_def(self) -> OpDefinition:
        """The op's definition."""
        if self._attempt.op is None:
            raise UsageError("This context was made for no op in particular; call an op with it to bind it to that op.")
        return self._attempt.op

    @property
    def step_key(self) -> str:
        """The step's key in the run."""
        return self._attempt.key

    @property
    def retry_number(self) -> int:
        """0 in the first attempt, 1 in the first retry, and so on."""
        return self._attempt.retry

    @property
    def op_config(self) -> Any:
        """The op's config as plain values."""
        return self._attempt.config

    @property
    def resources(self) -> Any:
        """The resources that the op requires, by key as attributes."""
        return self._attempt.resources

    @property
    def instance(self) -> Any:
        """The instance that the run is of; where none was given, one in memory that ends with the execution."""
        return opened(self._attempt.instance)

    @property
    def pdb(self) -> StepDebugger:
        """A debugger: `context.pdb.set_trace()` stops there, on the terminal that the process was started from."""
        from .debugger import StepDebugger

        return StepDebugger()

    def get_step_execution_context(self) -> StepExecutionContext:
        """What is known of the running step."""
        return StepExecutionContext(self._attempt)

    def has_tag(self, key: str) -> bool:
        """Whether the run has this tag."""
        return self.get_tag(key) is not None

    def get_tag(self, key: str) -> str | None:
        """The value of a tag of the run, or None."""
        return self._attempt.run.tag(key)

    def get_mapping_key(self) -> str | None:
        """The mapping key that the step runs for; None unless it is downstream of a dynamic output."""
        return self._attempt.mapping_key

    # -- events and metadata ------------------------------------------------------------------------------------------

    def log_event(self, event: AssetMaterialization | AssetObservation | AssetCheckEvaluation) -> None:
        """Record an event about an asset at once."""
        match event:
            case AssetMaterialization():
                self._attempt.emit(materialization_fact(event))
            case AssetObservation():
                self._attempt.emit(observation_fact(event))
            case AssetCheckEvaluation():
                self._attempt.emit(evaluation_fact(event))
            case _:
                raise UsageError(
                    f"log_event takes an AssetMaterialization, an AssetObservation or an AssetCheckEvaluation, not "
                    f"{event!r}; "
                    "return or yield outputs and check results instead."
                )

    def add_output_metadata(
        self, metadata: Mapping[str, Any], output_name: str | None = None, mapping_key: str | None = None
    ) -> None:
        """Add facts to an output before it is given.

        Args:
            metadata: The facts by label.
            output_name: Which output; needed only where there are several.
            mapping_key: For a dynamic output, which of its values.
        """
        name = self._output_named(output_name)
        self._attempt.output_metadata.setdefault((name, mapping_key), {}).update(normalize_metadata(metadata))

    def _output_named(self, name: str | None) -> str:
        """The output of this name; the only one for None."""
        outputs = self._attempt.outputs
        if name is None:
            values = [each.name for each in outputs.values() if each.check_key is None]
            if len(values) > 1:
                raise self._attempt.fault(f"has the outputs {', '.join(values)}; name one with output_name.")
            return values[0] if values else DEFAULT_OUTPUT
        if outputs and name not in outputs:
            raise self._attempt.fault(f"has no output {name!r}; it has {', '.join(outputs)}.")
        return name

    # -- assets -------------------------------------------------------------------------------------------------------

    @property
    def asset_key(self) -> AssetKey:
        """The key of the one asset that the step makes or checks."""
        keys = self._attempt.asset_keys or tuple({key.rpartition(":")[0] for key in self._attempt.check_keys})
        if len(keys) != 1:
            raise self._attempt.fault(
                f"has {len(keys)} assets, so there is no single asset_key; use selected_asset_keys."
            )
        return AssetKey.from_user_string(keys[0])

    @property
    def has_assets_def(self) -> bool:
        """Whether the op belongs to an asset."""
        return bool(self._attempt.asset_keys)

    @property
    def selected_asset_keys(self) -> frozenset[AssetKey]:
        """The assets that this run asks the step to make."""
        return frozenset(AssetKey.from_user_string(each) for each in self._attempt.asset_keys)

    @property
    def selected_asset_check_keys(self) -> frozenset[AssetCheckKey]:
        """The checks that this run asks the step to evaluate."""
        return frozenset(AssetCheckKey.from_user_string(each) for each in self._attempt.check_keys)

    @property
    def selected_output_names(self) -> frozenset[str]:
        """The outputs that this run asks the step to give."""
        return frozenset(self._attempt.outputs)

    def get_asset_provenance(self, asset_key: CoercibleToAssetKey) -> DataProvenance | None:
        """What the latest materialization of an asset was made of; None if there is none, or it does not say.

        In a run of one partition it is that of this partition of a step's own asset.
        """
        key = AssetKey.from_coercible(asset_key).to_user_string()
        own = key in self._attempt.asset_keys and self._attempt.partitions is not None
        found = self.instance.storage.assets.history(
            key,
            types=("ASSET_MATERIALIZATION",),
            partition=self._attempt.run.partition if own else None,
            limit=1,
        )
        return DataProvenance.from_tags(found[0].fact.tags) if found else None

    @property
    def assets_def(self) -> AssetsDefinition:
        """The definition of the assets that the step makes, or of the checks that it evaluates."""
        layer: AssetLayer | None = getattr(self._attempt.job, "asset_layer", None)
        if layer is not None and self._attempt.asset_keys:
            definition = layer.graph.assets[self._attempt.asset_keys[0]].definition
            assert definition is not None
            return definition
        if layer is not None and self._attempt.check_keys:
            return layer.graph.checks[self._attempt.check_keys[0]].definition
        if self._attempt.assets_def is not None:
            return self._attempt.assets_def
        raise self._attempt.fault("belongs to no asset, so it has no assets_def; ask has_assets_def first.")

    def asset_key_for_output(self, output_name: str = DEFAULT_OUTPUT) -> AssetKey:
        """The asset that an output makes."""
        output = self._attempt.outputs.get(output_name)
        if output is None or output.asset_key is None:
            raise self._attempt.fault(f"makes no asset with an output {output_name!r}.")
        return AssetKey.from_user_string(output.asset_key)

    def output_for_asset_key(self, asset_key: AssetKey) -> str:
        """The output that makes an asset."""
        text = asset_key.to_user_string()
        for output in self._attempt.outputs.values():
            if output.asset_key == text:
                return output.name
        raise self._attempt.fault(f"does not make the asset {text} in this run.")

    def asset_key_for_input(self, input_name: str) -> AssetKey:
        """The asset that an input is loaded from."""
        return AssetKey.from_user_string(self._asset_input(input_name).asset_key)

    def asset_partition_key_for_input(self, input_name: str) -> str:
        """The one partition that an input is loaded from."""
        keys = self.asset_partition_keys_for_input(input_name)
        if len(keys) != 1:
            raise self._attempt.fault(
                f"loads {len(keys)} partitions for its input {input_name!r}; use asset_partition_keys_for_input."
            )
        return keys[0]

    def asset_partition_keys_for_input(self, input_name: str) -> list[str]:
        """The partitions that an input is loaded from; empty if its asset has none."""
        source = self._asset_input(input_name)
        keys = self._attempt.upstream_partitions(source)
        return [] if keys is None else list(keys)

    def asset_partition_key_range_for_input(self, input_name: str) -> PartitionKeyRange:
        """The first and last partition that an input is loaded from."""
        keys = self.asset_partition_keys_for_input(input_name)
        if not keys:
            raise self._attempt.fault(f"loads no partitions for its input {input_name!r}.")
        return PartitionKeyRange(keys[0], keys[-1])

    def asset_partitions_def_for_input(self, input_name: str) -> PartitionsDefinition:
        """The partitions of the asset that an input is loaded from."""
        partitions = self._asset_input(input_name).partitions
        if partitions is None:
            raise self._attempt.fault(f"loads its input {input_name!r} from an asset without partitions.")
        return partitions

    def asset_partitions_time_window_for_input(self, input_name: str = DEFAULT_OUTPUT) -> TimeWindow:
        """The stretch of time that the partitions of an input cover."""
        partitions = self.asset_partitions_def_for_input(input_name)
        window = time_window_of(partitions, self.asset_partition_key_range_for_input(input_name))
        if window is None:
            raise self._attempt.fault(f"loads its input {input_name!r} from partitions that are no time windows.")
        return window

    def _asset_input(self, input_name: str) -> FromAsset:
        given = self._attempt.inputs.get(input_name)
        source = self._dependency(input_name) if given is None else given.source
        if not isinstance(source, FromAsset):
            raise self._attempt.fault(f"loads no asset for an input {input_name!r}.")
        return source

    def _dependency(self, name: str) -> FromAsset | None:
        """What an asset merely depends on, which bears the name that an input for it would have."""
        layer: AssetLayer | None = getattr(self._attempt.job, "asset_layer", None)
        if layer is None:
            return None
        deps = (dep for asset in self._attempt.asset_keys for dep in layer.graph.assets[asset].spec.deps)
        found = next((dep for dep in deps if dep.asset_key.to_python_identifier() == name), None)
        return None if found is None else dependency_source(layer.graph, found)

    # -- the partition ------------------------------------------------------------------------------------------------

    @property
    def has_partition_key(self) -> bool:
        """Whether the run works on one partition."""
        return self._attempt.run.partition is not None

    @property
    def has_partitions(self) -> bool:
        """Whether the run works on partitions, one or several."""
        return bool(self._attempt.partition_keys)

    @property
    def has_partition_key_range(self) -> bool:
        """Whether the run works on a range of partitions rather than on one."""
        return self._attempt.run.partition is None and Tag.PARTITION_RANGE_START in self._attempt.run.tags

    @property
    def partition_key(self) -> str:
        """The one partition that the run works on; a `MultiPartitionKey` where it is of several dimensions."""
        keys = self.partition_keys
        if len(keys) > 1:
            raise self._attempt.fault(
                f"asks for the partition key, but the run works on {len(keys)} partitions; use partition_keys, "
                "or partition_key_range."
            )
        return keys[0]

    @property
    def multi_partition_key(self) -> MultiPartitionKey:
        """The one partition that the run works on, which is of several dimensions."""
        if self._attempt.partitions_def is None:
            raise self._attempt.fault("asks for the keys of dimensions, but has no set of partitions.")
        key = self.partition_key
        if not isinstance(key, MultiPartitionKey):
            raise self._attempt.fault("asks for the keys of dimensions, but its partitions have only one dimension.")
        return key

    @property
    def partition_keys(self) -> list[str]:
        """The partitions that the run works on."""
        keys = self._attempt.partition_keys
        if not keys:
            raise self._attempt.fault(
                "asks for the partition, but the run has none; launch it for a partition (partition_key=...), "
                "or ask has_partition_key first."
            )
        return list(keys)

    @property
    def partition_key_range(self) -> PartitionKeyRange:
        """The first and last partition that the run works on."""
        tags = self._attempt.run.tags
        if self._attempt.partitions_def is None and self.has_partition_key_range:
            return PartitionKeyRange(tags[Tag.PARTITION_RANGE_START], tags[Tag.PARTITION_RANGE_END])
        keys = self.partition_keys
        return PartitionKeyRange(keys[0], keys[-1])

    @property
    def partition_time_window(self) -> TimeWindow:
        """The stretch of time that the partitions of the run cover."""
        window = time_window_of(self._attempt.partitions_def, self.partition_key_range)
        if window is None:
            raise self._attempt.fault(
                "asks for the time window of its partition, but its partitions are no time windows."
            )
        return window

    asset_partition_key_range = partition_key_range

    def asset_partition_key_for_output(self, output_name: str = DEFAULT_OUTPUT) -> str:
        """The partition that an output makes."""
        self.asset_key_for_output(output_name)
        return self.partition_key

    def asset_partition_keys_for_output(self, output_name: str = DEFAULT_OUTPUT) -> Sequence[str]:
        """The partitions that an output makes."""
        self.asset_key_for_output(output_name)
        return self.partition_keys

    def asset_partition_key_range_for_output(self, output_name: str = DEFAULT_OUTPUT) -> PartitionKeyRange:
        """The first and last partition that an output makes."""
        self.asset_key_for_output(output_name)
        return self.partition_key_range

    def asset_partitions_time_window_for_output(self, output_name: str = DEFAULT_OUTPUT) -> TimeWindow:
        """The stretch of time that the partition of an output covers."""
        self.asset_key_for_output(output_name)
        return self.partition_time_window

    def asset_partitions_def_for_output(self, output_name: str = DEFAULT_OUTPUT) -> PartitionsDefinition:
        """The partitions of the asset that an output makes."""
        self.asset_key_for_output(output_name)
        if self._attempt.partitions is None:
            raise self._attempt.fault(f"makes an asset without partitions with its output {output_name!r}.")
        return self._attempt.partitions


class AssetExecutionContext(OpExecutionContext):
    """The context of a running asset function."""

    __slots__ = ()

    @property
    def op_execution_context(self) -> OpExecutionContext:
        """The same as the context of an op."""
        return OpExecutionContext(self._attempt)

    def add_asset_metadata(
        self,
        metadata: Mapping[str, Any],
        asset_key: CoercibleToAssetKey | None = None,
        partition_key: str | None = None,
    ) -> None:
        """Add facts to the materialization of an asset.

        Args:
            metadata: The facts by label.
            asset_key: Which asset; needed only where the step makes several.
            partition_key: Of which partition; of each that the run makes if not given.

        Raises:
            UsageError: The step does not make the asset, or the run does not make the partition.
        """
        key = self.asset_key if asset_key is None else AssetKey.from_coercible(asset_key)
        text = key.to_user_string()
        if self._attempt.asset_keys and text not in self._attempt.asset_keys:
            raise self._attempt.fault(f"does not make the asset {text} in this run, so it cannot add metadata to it.")
        made = self._attempt.asset_partitions()
        if partition_key is not None and partition_key not in made:
            keys = [each for each in made if each is not None]
            which = (
                f"{keys[0]!r}" if len(keys) == 1 else f"{len(keys)}, {keys[0]!r} to {keys[-1]!r}" if keys else "none"
            )
            raise self._attempt.fault(
                f"adds metadata to the partition {partition_key!r}; the partitions that the run makes are: {which}."
            )
        self._attempt.asset_metadata.setdefault((text, partition_key), {}).update(normalize_metadata(metadata))


class AssetCheckExecutionContext(OpExecutionContext):
    """The context of a running asset check."""

    __slots__ = ()

    @property
    def check_specs(self) -> Sequence[AssetCheckSpec]:
        """The specs of the checks that this run asks the step to evaluate."""
        wanted = set(self._attempt.check_keys)
        return [spec for spec in self.assets_def.check_specs if spec.key.to_user_string() in wanted]

    @property
    def op_execution_context(self) -> OpExecutionContext:
        """The same as the context of an op."""
        return OpExecutionContext(self._attempt)
