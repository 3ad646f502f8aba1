"""What a step's function gives: sorted to its outputs, checked, stored, and told as facts.

For a value the order of facts is StepOutput, then AssetMaterialization or AssetCheckEvaluation where the output stands
for one, then HandledOutput once an IO manager has stored it.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from ..definitions.assets.spec import AssetSpec
from ..definitions.events import (
    AssetCheckEvaluation,
    AssetCheckResult,
    AssetCheckSeverity,
    AssetMaterialization,
    AssetObservation,
    DynamicOutput,
    MaterializeResult,
    ObserveResult,
    Output,
)
from ..definitions.ops.ports import DEFAULT_OUTPUT
from ..errors import UserCodeError
from ..records import event as facts
from ..records.data_version import DataVersion, DataVersionsByPartition, VersionTag, version_tags
from ..records.keys import AssetCheckKey, AssetKey
from ..records.metadata import Metadata
from ..wording import did_you_mean, kind_of, listed, shown, with_article
from .attempt import Attempt
from .facts import check_fact, evaluation_fact, materialization_fact, observation_fact
from .interrupt import INTERRUPTS
from .io_context import OutputContext
from .prepared import OutputSlot, PreparedStep
from .type_check import check_value

__all__ = ["Outputs"]

_RESULTS = (
    Output,
    DynamicOutput,
    MaterializeResult,
    ObserveResult,
    AssetCheckResult,
    AssetCheckEvaluation,
    AssetMaterialization,
    AssetObservation,
)
_YIELDED = (
    "Output, DynamicOutput, MaterializeResult, ObserveResult, AssetCheckResult, AssetMaterialization or "
    "AssetObservation"
)
_VERSIONS = (DataVersion, DataVersionsByPartition)


class Outputs:
    """Takes the results of one attempt.

    Args:
        attempt: The attempt.
        prepared: Its step.
    """

    __slots__ = ("_attempt", "_failed_checks", "_prepared", "given", "values")

    def __init__(self, attempt: Attempt, prepared: PreparedStep) -> None:
        self._attempt = attempt
        self._prepared = prepared
        self._failed_checks: list[str] = []
        self.given: dict[tuple[str, str | None], None] = {}
        self.values: dict[tuple[str, str | None], Any] = {}

    # -- the forms in which functions give results --------------------------------------------------------------------

    def take_yielded(self, item: Any) -> None:
        """Take what the function yielded."""
        if isinstance(item, _VERSIONS):
            self._observe_versions(item)
            return
        if not isinstance(item, _RESULTS):
            raise self._attempt.fault(f"yielded {shown(item)}; a function that yields gives {_YIELDED}.")
        self._take(item, None)

    def take_returned(self, value: Any) -> None:
        """Take what the function returned: the value of its output, or a tuple with one value for each."""
        slots = self._prepared.values
        if isinstance(value, _RESULTS):
            self._take(value, slots[0][0] if len(slots) == 1 else None)
        elif isinstance(value, _VERSIONS):
            self._observe_versions(value)
        elif isinstance(value, tuple | list) and value and all(isinstance(each, _RESULTS) for each in value):
            names = [name for name, _ in slots] if len(value) == len(slots) else [None] * len(value)
            for each, name in zip(value, names, strict=True):
                self._take(each, name)
        elif len(slots) == 1:
            self._take_value(slots[0][0], slots[0][1], value)
        elif value is None and all(slot is None or slot.is_nothing for _, slot in slots):
            return  # what passes no value is given by the end of the function
        elif not slots and self._prepared.by_check:
            raise self._attempt.fault(f"is a check and gave {shown(value)}; give an AssetCheckResult.")
        elif not slots:
            raise self._attempt.fault(f"has no outputs but returned {shown(value)}; return nothing, or declare an Out.")
        else:
            self._take_tuple(value)

    def _take_tuple(self, value: Any) -> None:
        slots = self._prepared.values
        asked = [(name, slot) for name, slot in slots if slot is not None]
        if isinstance(value, tuple) and len(value) != len(slots) and len(value) == len(asked):
            slots = tuple(asked)
        if not isinstance(value, tuple) or len(value) != len(slots):
            raise self._attempt.fault(
                f"has the outputs {', '.join(name for name, _ in slots)} and returned {shown(value)}; "
                f"return a tuple of {len(slots)} values in this order, or yield an Output for each."
            )
        for (name, slot), each in zip(slots, value, strict=True):
            if isinstance(each, _RESULTS):
                self._take(each, name)
            elif slot is not None:
                self._take_value(name, slot, each)

    def _take_value(self, name: str, slot: OutputSlot | None, value: Any) -> None:
        if slot is None:
            return  # a plain value for an output that this run did not ask for
        if slot.given.dynamic:
            if value is not None and value != []:  # a list of none of them
                raise self._attempt.fault(
                    f"has the dynamic output {name!r} and returned {shown(value)}; "
                    "return a list of DynamicOutput, or yield them."
                )
            return
        if not slot.is_nothing:
            self._give(slot, value, None, {}, {})
        elif value is not None:
            raise self._attempt.fault(
                f"passes no value with its output {name!r} but returned {shown(value)}; "
                "correct the return annotation, or return nothing."
            )

    # -- the kinds of results -----------------------------------------------------------------------------------------

    def _take(self, item: Any, name: str | None) -> None:
        """Take a result; `name` is the output that its place stands for, where it has one."""
        match item:
            case Output():
                output = name if name is not None and item.output_name == DEFAULT_OUTPUT else item.output_name
                slot = self._slot(output)
                if slot.given.dynamic:
                    raise self._attempt.fault(
                        f"gave an Output for its dynamic output {output!r}; give a DynamicOutput."
                    )
                self._give(slot, item.value, None, item.metadata, {**item.tags, **version_tags(item.data_version)})
            case DynamicOutput():
                output = name if name is not None and item.output_name == DEFAULT_OUTPUT else item.output_name
                slot = self._slot(output)
                if not slot.given.dynamic:
                    raise self._attempt.fault(
                        f"gave a DynamicOutput for its output {output!r}, which is not dynamic; "
                        "give an Output, or declare it as DynamicOut."
                    )
                self._give(slot, item.value, item.mapping_key, item.metadata, {})
            case MaterializeResult():
                self._materialize(item, name)
            case ObserveResult():
                self._observe(item, name)
            case AssetCheckResult():
                self._evaluate(item)
            case AssetCheckEvaluation():
                self._attempt.emit(evaluation_fact(item))
            case AssetMaterialization():
                self._attempt.emit(materialization_fact(item))
            case AssetObservation():
                self._attempt.emit(observation_fact(item))

    def _asset_slot(self, item: MaterializeResult[Any] | ObserveResult, name: str | None) -> OutputSlot:
        """The output that a result about an asset is for."""
        by_asset = self._prepared.by_asset
        if item.asset_key is not None:
            slot = by_asset.get(item.asset_key.to_user_string())
        elif name is not None and name in self._prepared.outputs:
            slot = self._prepared.outputs[name]
        else:
            slot = next(iter(by_asset.values())) if len(by_asset) == 1 else None
        kind = type(item).__name__
        if slot is None or slot.asset_key is None:
            made = ", ".join(by_asset) or "none"
            which = f"for {item.asset_key}" if item.asset_key is not None else "without an asset_key"
            raise self._attempt.fault(
                f"gave {with_article(kind)} {which}; the assets that this run asks of it are: {made}."
            )
        if slot.given.observes != isinstance(item, ObserveResult):
            verb, other = ("observes", "ObserveResult") if slot.given.observes else ("makes", "MaterializeResult")
            raise self._attempt.fault(
                f"{verb} the asset {slot.asset_key} and gave {with_article(kind)}; give {with_article(other)}."
            )
        return slot

    def _materialize(self, item: MaterializeResult[Any], name: str | None) -> None:
        slot = self._asset_slot(item, name)
        tags = {**item.tags, **version_tags(item.data_version)}
        if item.has_value:
            self._give(slot, item.value, None, item.metadata, tags)
        else:
            self._announce(slot, None, item.metadata)
            self._tell_materialized(slot, self._metadata_of(slot, None, item.metadata), tags)
        for each in item.check_results:
            self._evaluate(each, slot.asset_key)

    def _observe(self, item: ObserveResult, name: str | None) -> None:
        slot = self._asset_slot(item, name)
        self._announce(slot, None, item.metadata)
        metadata = self._metadata_of(slot, None, item.metadata)
        for partition in self._attempt.asset_partitions():
            self._tell_observed(slot, partition, item.data_version, metadata, item.tags)
        for each in item.check_results:
            self._evaluate(each, slot.asset_key)

    def _observe_versions(self, given: DataVersion | DataVersionsByPartition) -> None:
        """Take the data versions that a function which observes one asset gives as they are."""
        slots = list(self._prepared.by_asset.values())
        if len(slots) != 1 or not slots[0].given.observes:
            raise self._attempt.fault(
                f"gave {shown(given)}; only a function that observes one asset gives that. Use the data_version of "
                "an ObserveResult, MaterializeResult or Output."
            )
        (slot,) = slots
        self._announce(slot, None, {})
        metadata = self._metadata_of(slot, None, {})
        if isinstance(given, DataVersion):
            for partition in self._attempt.asset_partitions():
                self._tell_observed(slot, partition, given, metadata, {})
            return
        if self._attempt.partitions is None:
            raise self._attempt.fault(
                "gave a DataVersionsByPartition, but its asset has no partitions; give a DataVersion."
            )
        for partition, version in given.data_versions_by_partition.items():
            self._tell_observed(slot, partition, version, metadata, {})

    def _tell_observed(
        self,
        slot: OutputSlot,
        partition: str | None,
        version: DataVersion | None,
        metadata: Metadata,
        tags: Mapping[str, str],
    ) -> None:
        asset = slot.given.asset_key
        assert asset is not None
        self._attempt.emit(
            facts.AssetObservation(
                asset=asset,
                partition=partition,
                metadata=metadata,
                tags={**tags, **({} if version is None else {VersionTag.DATA_VERSION: version.value})},
            )
        )

    def _evaluate(
        self, result: AssetCheckResult, asset: AssetKey | None = None, only: OutputSlot | None = None
    ) -> None:
        by_check = self._prepared.by_check if only is None or only.check_key is None else {only.check_key: only}
        wanted_asset = result.asset_key or asset
        matching = []
        for text, slot in by_check.items():
            key = AssetCheckKey.from_user_string(text)
            if wanted_asset in (None, key.asset_key) and result.check_name in (None, key.name):
                matching.append((key, slot))
        if len(matching) != 1:
            known = ", ".join(by_check) or "none"
            raise self._attempt.fault(
                f"gave the result of check {result.check_name!r} of asset {wanted_asset}, which names {len(matching)} "
                f"of the checks that this run asks of it ({known}); set its check_name and asset_key."
            )
        key, slot = matching[0]
        self._announce(slot, None, {})
        blocking = slot.given.check_blocking
        partition = None if self._attempt.partitions is None else self._attempt.run.partition
        self._attempt.emit(check_fact(result, key, partition=partition, blocking=blocking))
        if blocking and not result.passed and result.severity is AssetCheckSeverity.ERROR:
            self._failed_checks.append(key.to_user_string())

    # -- one output ---------------------------------------------------------------------------------------------------

    def _slot(self, name: str) -> OutputSlot:
        slot = self._prepared.outputs.get(name)
        if slot is not None:
            return slot
        known = ", ".join(self._prepared.outputs) or "none"
        if name in self._prepared.step.op.outs:
            raise self._attempt.fault(
                f"gave its output {name!r}, which this run did not ask for (it asks for {known}); "
                "look at context.selected_output_names before giving outputs."
            )
        raise self._attempt.fault(
            f"gave an output {name!r}, which it does not have{did_you_mean(name, self._prepared.outputs)}"
        )

    def _give(
        self, slot: OutputSlot, value: Any, mapping_key: str | None, metadata: Metadata, tags: Mapping[str, str]
    ) -> None:
        about = check_value(self._attempt, slot.value_type, value, f"gave as its output {slot.name!r}")
        if slot.check_key is not None and isinstance(value, AssetCheckResult):
            self._evaluate(value, AssetCheckKey.from_user_string(slot.check_key).asset_key, slot)
            return
        self._announce(slot, mapping_key, {**about, **metadata} if about else metadata)
        if slot.check_key is not None:
            raise self._attempt.fault(f"gave a value for its check {slot.check_key}; give an AssetCheckResult.")
        if slot.is_nothing:
            self.values[slot.name, mapping_key] = None
            if slot.asset_key is not None:
                self._tell_materialized(slot, self._metadata_of(slot, mapping_key, metadata), tags)
            return
        all_metadata = self._metadata_of(slot, mapping_key, metadata)
        self.values[slot.name, mapping_key] = value
        added = self._store(slot, value, mapping_key, all_metadata)
        if slot.asset_key is not None:
            self._tell_materialized(slot, {**all_metadata, **added}, tags)
        self._attempt.emit(
            facts.HandledOutput(output=slot.name, io_manager=slot.manager_key, mapping_key=mapping_key, metadata=added)
        )

    def _announce(self, slot: OutputSlot, mapping_key: str | None, metadata: Metadata) -> None:
        place = (slot.name, mapping_key)
        if place in self.given:
            which = f"its output {slot.name!r}" + (f" for the mapping key {mapping_key!r}" if mapping_key else "")
            remedy = "give each value a key of its own" if mapping_key else "give it once"
            raise self._attempt.fault(f"gave {which} twice; {remedy}.")
        self.given[place] = None
        self._attempt.emit(
            facts.StepOutput(
                output=slot.name,
                mapping_key=mapping_key,
                type_name=slot.value_type.display_name,
                metadata=self._metadata_of(slot, mapping_key, metadata),
            )
        )

    def _metadata_of(self, slot: OutputSlot, mapping_key: str | None, metadata: Metadata) -> Metadata:
        """The facts about an output from all places where user code may have left some."""
        from_context = self._attempt.output_metadata.get((slot.name, mapping_key))
        of_asset = self._attempt.asset_metadata.get((slot.given.asset_key or "", None))
        if not from_context and not of_asset:
            return metadata
        return {**(from_context or {}), **(of_asset or {}), **metadata}

    def _tell_materialized(self, slot: OutputSlot, metadata: Metadata, tags: Mapping[str, str]) -> None:
        asset = slot.given.asset_key
        assert asset is not None
        for partition in self._attempt.asset_partitions():
            of_partition = {} if partition is None else self._attempt.asset_metadata.get((asset, partition), {})
            self._attempt.emit(
                facts.AssetMaterialization(
                    asset=asset, partition=partition, metadata={**metadata, **of_partition}, tags=dict(tags)
                )
            )

    def _store(self, slot: OutputSlot, value: Any, mapping_key: str | None, metadata: Metadata) -> Metadata:
        """Let the IO manager store a value; gives the facts that it added."""
        context = output_context(self._attempt, slot, mapping_key, metadata)
        manager = self._attempt.opened.values[slot.manager_key]
        if not hasattr(manager, "handle_output"):
            raise self._attempt.fault(
                f"has {kind_of(manager)} as the IO manager {slot.manager_key!r} of its output {slot.name!r}, which has "
                "no handle_output; give an IOManager, a ConfigurableIOManager, or what @io_manager makes."
            )
        try:
            with INTERRUPTS.user_code:
                told = manager.handle_output(context, value)
                if isinstance(told, Generator):
                    for each in told:
                        if isinstance(each, Mapping):
                            context.add_output_metadata(each)
                        else:
                            context.log_event(each)
        except Exception as error:
            raise self._attempt.fault(
                f"gave its output {slot.name!r}, which the IO manager {slot.manager_key!r} "
                f"({type(manager).__qualname__}) could not store: {error}"
            ) from error
        return context.get_logged_metadata()

    # -- the end ------------------------------------------------------------------------------------------------------

    def finish(self) -> None:
        """The function has ended: give what passes no value, and see that nothing required is missing."""
        missing = []
        for slot in self._prepared.outputs.values():
            if slot.given.dynamic or not slot.given.required or (slot.name, None) in self.given:
                continue
            if slot.is_nothing and slot.check_key is None and not slot.given.observes:
                self._give(slot, None, None, {}, {})
            else:
                missing.append(slot.check_key or (slot.given.asset_key if slot.given.observes else None) or slot.name)
        if missing:
            raise self._attempt.fault(
                f"ended without giving {listed(missing, 'and')}; give every required output, "
                "or declare those that may be missing with is_required=False."
            )
        if self._failed_checks:
            raise UserCodeError(
                f"{self._attempt.what} did not pass the blocking check {', '.join(self._failed_checks)}; "
                "what depends on the asset does not run."
            )


def output_context(
    attempt: Attempt, slot: OutputSlot, mapping_key: str | None, metadata: Mapping[str, Any]
) -> OutputContext:
    """The context in which an output of an attempt is stored."""
    partitions = attempt.partitions if slot.asset_key is not None else None
    return OutputContext(
        attempt.key,
        slot.name,
        attempt.run.run_id,
        mapping_key,
        metadata,
        slot.given.definition.code_version,
        None if slot.given.asset_key is None else _spec(attempt, slot.given.asset_key),
        job_name=attempt.run.job,
        op_def=attempt.op,
        config=slot.config,
        definition_metadata=slot.given.metadata,
        python_type=slot.given.definition.python_type,
        resource_config=attempt.opened.config_of(slot.manager_key),
        resources=attempt.opened.needs_of(slot.manager_key),
        asset_key=slot.asset_key,
        partition_key=attempt.partition_key,
        asset_partition_keys=None if partitions is None else attempt.partition_keys or None,
        asset_partitions_def=partitions,
        instance=attempt.instance,
        artifacts=attempt.artifacts,
        attempt=attempt,
    )


def _spec(attempt: Attempt, asset_key: str) -> AssetSpec | None:
    layer = getattr(attempt.job, "asset_layer", None)
    return None if layer is None else layer.graph.assets[asset_key].spec
