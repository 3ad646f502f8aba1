"""Gives each materialization of a run its data version: a hash of the versions of its code and of its inputs.

It stands between the steps and the log, in the process of the run worker: what steps made before is known there, and
the storage is open.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ..definitions.assets.graph import AssetGraph, AssetNode
from ..errors import ConfigurationError, StorageError
from ..plan.model import FromAsset
from ..records.data_version import DataVersionState, VersionTag, combined_version, computed_version
from ..records.event import AssetMaterialization, AssetObservation, Fact
from ..storage.run_log import run_log
from .recorder import Recorder
from .scope import RunScope
from .step_partitions import upstream_partitions

__all__ = ["MOST_PARTITIONS", "UNKNOWN_VERSION", "DataVersionRecorder", "with_data_versions"]

MOST_PARTITIONS = 100
"""A dependency on more partitions than this is left out of a data version: to look at each would cost too much."""

UNKNOWN_VERSION = "INITIAL"
"""The data version of an input of which no event is known."""


def with_data_versions(scope: RunScope, onward: Recorder) -> Recorder:
    """The recorder, after one that adds data versions where the run makes assets.

    Raises:
        StorageError: The run has begun before, and its log cannot be read.
    """
    layer = scope.job.asset_layer
    if layer is None:
        return onward
    made: dict[tuple[str, str | None], str] = {}
    storage = scope.environment.storage
    if storage is not None and scope.run.started is not None:
        for event in run_log(storage.events, scope.run.run_id, ("ASSET_MATERIALIZATION", "ASSET_OBSERVATION")):
            _note_version(event.fact, made)
    return DataVersionRecorder(scope, layer.graph, onward, made)


def _note_version(fact: Fact, made: dict[tuple[str, str | None], str]) -> None:
    if isinstance(fact, AssetMaterialization | AssetObservation):
        version = fact.tags.get(VersionTag.DATA_VERSION)
        if version is not None:
            made[fact.asset, fact.partition] = version


class DataVersionRecorder:
    """Adds the versions of data, code and inputs to the tags of materializations, and passes all facts on.

    Args:
        scope: The run.
        graph: The assets of its code location.
        onward: Takes the facts.
        made: The data versions of what the run has made before, by asset and partition.
    """

    def __init__(
        self, scope: RunScope, graph: AssetGraph, onward: Recorder, made: dict[tuple[str, str | None], str]
    ) -> None:
        self._scope = scope
        self._graph = graph
        self._onward = onward
        self._made = made  # of this run, which the storage may not have yet
        self._sources: dict[str, dict[str, FromAsset]] = {}

    def emit(self, fact: Fact, step_key: str | None = None, time: float | None = None) -> object:
        """Take a fact."""
        if isinstance(fact, AssetMaterialization):
            node = self._graph.assets.get(fact.asset)
            if node is not None and node.materializable:
                fact = self._with_versions(fact, node)
        _note_version(fact, self._made)
        return self._onward.emit(fact, step_key, time)

    def flush(self) -> object:
        """Return when all facts taken so far are where they shall stay."""
        return self._onward.flush()

    def _with_versions(self, fact: AssetMaterialization, node: AssetNode) -> AssetMaterialization:
        code_version = node.spec.code_version or self._scope.run.run_id
        inputs: dict[str, str] = {}
        tags = {VersionTag.CODE_VERSION: code_version}
        for key, (version, pointer) in self._inputs(node, fact.partition).items():
            inputs[key] = version
            tags[f"{VersionTag.INPUT_DATA_VERSION}{key}"] = version
            if pointer is not None:
                tags[f"{VersionTag.INPUT_EVENT_POINTER}{key}"] = str(pointer)
        tags[VersionTag.DATA_VERSION] = computed_version(code_version, inputs)
        return msgspec.structs.replace(fact, tags={**tags, **fact.tags})

    def _inputs(self, node: AssetNode, partition: str | None) -> dict[str, tuple[str, int | None]]:
        """The data version of each dependency, with the event that told of it where it is one of the storage."""
        found: dict[str, tuple[str, int | None]] = {}
        whole: list[str] = []
        for key, source in self._sources_of(node).items():
            if source.partitions is None:
                if (key, None) in self._made:
                    found[key] = (self._made[key, None], None)
                else:
                    whole.append(key)
                continue
            version = self._of_partitions(source, node, partition)
            if version is not None:
                found[key] = version
        stored = self._stored(whole)
        for key in whole:
            state = stored.get(key)
            found[key] = (UNKNOWN_VERSION, None) if state is None else (state.version, state.event)
        return found

    def _sources_of(self, node: AssetNode) -> dict[str, FromAsset]:
        """What an asset depends on, with the partitions and the mapping."""
        sources = self._sources.get(node.key)
        if sources is None:
            mappings = {dep.asset_key.to_user_string(): dep.partition_mapping for dep in node.spec.deps}
            assert node.definition is not None
            mappings |= {each.key: each.partition_mapping for each in self._graph.inputs[node.definition.name].values()}
            sources = self._sources[node.key] = {
                key: FromAsset(
                    asset_key=key,
                    io_manager_key="",
                    partitions=self._graph.assets[key].partitions_def,
                    partition_mapping=mappings.get(key),
                )
                for key in node.deps
            }
        return sources

    def _of_partitions(
        self, source: FromAsset, node: AssetNode, partition: str | None
    ) -> tuple[str, int | None] | None:
        scope = self._scope
        own = () if partition is None else (partition,)
        try:
            keys = upstream_partitions(source, node.partitions_def, own, scope.environment.clock.now(), scope.dynamic)
        except (ConfigurationError, StorageError):
            return None  # a step that loads it has told why, and to depend on it alone asks for no partition
        if not keys or len(keys) > MOST_PARTITIONS:
            return None
        versions = {key: self._made[source.asset_key, key] for key in keys if (source.asset_key, key) in self._made}
        missing = [key for key in keys if key not in versions]
        pointer = None
        if missing and scope.environment.storage is not None:
            try:
                stored = scope.environment.storage.assets.partition_data_versions(source.asset_key, missing)
            except StorageError:
                return None
            versions |= {key: state.version for key, state in stored.items()}
            if len(keys) == 1:
                pointer = next((state.event for state in stored.values()), None)
        return combined_version({key: versions.get(key, UNKNOWN_VERSION) for key in keys}), pointer

    def _stored(self, keys: list[str]) -> Mapping[str, DataVersionState]:
        storage = self._scope.environment.storage
        if storage is None or not keys:
            return {}
        try:
            return storage.assets.data_versions(keys)
        except StorageError:
            return {}  # the database is away, which fails no run
