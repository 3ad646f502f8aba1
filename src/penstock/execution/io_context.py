"""What IO managers see: the context of storing an output, and of loading an input."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..definitions.assets.spec import AssetSpec
from ..definitions.events import AssetMaterialization, AssetObservation
from ..definitions.function import UNKNOWN
from ..definitions.ops.op import OpDefinition
from ..errors import UserCodeError
from ..partitions.definition import PartitionKeyRange, PartitionsDefinition
from ..partitions.multi import time_window_of
from ..partitions.time_window import TimeWindow
from ..records.event import Fact
from ..records.keys import AssetKey
from ..records.metadata import Metadata, normalize_metadata
from .facts import materialization_fact, observation_fact

if TYPE_CHECKING:
    from .attempt import Attempt
    from .log import ContextLogger
    from .step_context import StepExecutionContext

__all__ = ["InputContext", "OutputContext"]

_NO_METADATA: Mapping[str, Any] = {}


class _ValueContext:
    """What both contexts share: the value's op, its asset and partitions, and what the IO manager has.

    Args:
        job_name: The job of the run.
        op_def: The op that gives or takes the value.
        config: Config of the input or output itself.
        definition_metadata: Facts declared on the input, output or asset.
        python_type: The declared type of the value; any if not given.
        resource_config: The IO manager's own config.
        resources: The resources that the IO manager requires, by key as attributes.
        asset_key: The asset that the value is.
        partition_key: The partition that the run works on.
        asset_partition_keys: The partitions of the asset that the value is; None if the asset has none.
        asset_partitions_def: The asset's partitions.
        instance: The instance that the run is of.
        artifacts: The folder where values are stored that no place is named for.
        attempt: The attempt of the step that gives or takes the value.
        emit: Takes the facts that the IO manager reports; those of the attempt if not given.
    """

    __slots__ = (
        "_asset_key",
        "_asset_partition_keys",
        "_asset_partitions_def",
        "_attempt",
        "_emit",
        "_log",
        "_partition_key",
        "artifacts",
        "config",
        "definition_metadata",
        "instance",
        "job_name",
        "op_def",
        "python_type",
        "resource_config",
        "resources",
    )

    def __init__(
        self,
        *,
        job_name: str | None = None,
        op_def: OpDefinition | None = None,
        config: Any = None,
        definition_metadata: Mapping[str, Any] = _NO_METADATA,
        python_type: Any = None,
        resource_config: Any = None,
        resources: Any = None,
        asset_key: AssetKey | None = None,
        partition_key: str | None = None,
        asset_partition_keys: Sequence[str] | None = None,
        asset_partitions_def: PartitionsDefinition | None = None,
        instance: Any = None,
        artifacts: Path | None = None,
        attempt: Attempt | None = None,
        emit: Callable[[Fact], None] | None = None,
    ) -> None:
        self.job_name = job_name
        self.op_def = op_def
        self.config = config
        self.definition_metadata = definition_metadata
        self.python_type = Any if python_type is None or python_type is UNKNOWN else python_type
        self.resource_config = {} if resource_config is None else resource_config
        self.resources = resources
        self.instance = instance
        self.artifacts = artifacts
        self._asset_key = asset_key
        self._partition_key = partition_key
        self._asset_partition_keys = asset_partition_keys
        self._asset_partitions_def = asset_partitions_def
        self._attempt = attempt
        self._emit = emit or (_drop if attempt is None else attempt.emit)
        self._log: ContextLogger | None = None

    @property
    def log(self) -> ContextLogger:
        """A logger whose lines belong to the run."""
        if self._log is None:
            from .log import ContextLogger

            self._log = ContextLogger(self._emit)
        return self._log

    @property
    def step_context(self) -> StepExecutionContext:
        """What is known of the running step beside this."""
        if self._attempt is None:
            raise UserCodeError(
                f"{self._what} is not stored or loaded by a step of a run, so there is no step_context; use it in "
                "the runs alone."
            )
        from .step_context import StepExecutionContext

        return StepExecutionContext(self._attempt)

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The same as `definition_metadata`."""
        return self.definition_metadata

    @property
    def has_asset_key(self) -> bool:
        """Whether the value is an asset."""
        return self._asset_key is not None

    @property
    def asset_key(self) -> AssetKey:
        """The asset that the value is."""
        if self._asset_key is None:
            raise self._missing("an asset", "has_asset_key")
        return self._asset_key

    @property
    def has_partition_key(self) -> bool:
        """Whether the run works on a partition."""
        return self._partition_key is not None

    @property
    def partition_key(self) -> str:
        """The partition that the run works on."""
        if self._partition_key is None:
            raise self._missing("of a run with a partition", "has_partition_key")
        return self._partition_key

    @property
    def has_asset_partitions(self) -> bool:
        """Whether the value is one or more partitions of an asset."""
        return self._asset_partition_keys is not None

    @property
    def asset_partition_keys(self) -> Sequence[str]:
        """The partitions of the asset that the value is, in order."""
        if self._asset_partition_keys is None:
            raise self._missing("a partition of an asset", "has_asset_partitions")
        return self._asset_partition_keys

    @property
    def asset_partition_key(self) -> str:
        """The one partition of the asset that the value is."""
        keys = self.asset_partition_keys
        if len(keys) != 1:
            raise UserCodeError(
                f"{self._what} is {len(keys)} partitions of {self._asset_key}; use asset_partition_keys."
            )
        return keys[0]

    @property
    def asset_partition_key_range(self) -> PartitionKeyRange:
        """The first and the last partition that the value is."""
        keys = self.asset_partition_keys
        if not keys:
            raise UserCodeError(f"{self._what} is no partition of {self._asset_key}, so there is no range of them.")
        return PartitionKeyRange(keys[0], keys[-1])

    @property
    def asset_partitions_def(self) -> PartitionsDefinition:
        """The asset's partitions."""
        if self._asset_partitions_def is None:
            raise self._missing("a partition of an asset", "has_asset_partitions")
        return self._asset_partitions_def

    @property
    def asset_partitions_time_window(self) -> TimeWindow:
        """The stretch of time that the value's partitions cover."""
        partitions = self.asset_partitions_def
        window = time_window_of(partitions, self.asset_partition_key_range)
        if window is None:
            raise UserCodeError(
                f"{self._what} has partitions that are no time windows ({partitions!r}); use asset_partition_keys."
            )
        return window

    def get_asset_identifier(self) -> list[str]:
        """What tells the asset, and its partition if it is one, from all others: parts for a path."""
        path = list(self.asset_key.path)
        if self._asset_partition_keys is not None:
            path.append(self.asset_partition_key)
        return path

    @property
    def _what(self) -> str:
        raise NotImplementedError

    def _missing(self, what: str, question: str) -> UserCodeError:
        return UserCodeError(f"{self._what} is not {what}; ask {question} first.")


class OutputContext(_ValueContext):
    """The context of storing an output.

    Args:
        step_key: The step that gives it.
        name: The output's name.
        run_id: The run.
        mapping_key: Of a dynamic output, which of its values it is.
        output_metadata: Facts that the op added to the value.
        version: The version of the code that makes it.
        asset_spec: The spec of the asset that it is.
        common: What `_ValueContext` takes.
    """

    __slots__ = (
        "_asset_spec",
        "_events",
        "_metadata",
        "mapping_key",
        "name",
        "output_metadata",
        "run_id",
        "step_key",
        "version",
    )

    def __init__(
        self,
        step_key: str | None = None,
        name: str | None = None,
        run_id: str | None = None,
        mapping_key: str | None = None,
        output_metadata: Mapping[str, Any] = _NO_METADATA,
        version: str | None = None,
        asset_spec: AssetSpec | None = None,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self.step_key = step_key
        self.name = name
        self.run_id = run_id
        self.mapping_key = mapping_key
        self.output_metadata = output_metadata
        self.version = version
        self._asset_spec = asset_spec
        self._metadata: Metadata = {}
        self._events: list[AssetMaterialization | AssetObservation] = []

    @property
    def asset_spec(self) -> AssetSpec:
        """The spec of the asset that it is."""
        if self._asset_spec is None:
            raise self._missing("an asset", "has_asset_key")
        return self._asset_spec

    def get_identifier(self) -> list[str]:
        """What tells the value from all others: of an asset its path, else run, step, output (and mapping key)."""
        if self.has_asset_key:
            return self.get_asset_identifier()
        return self.get_run_scoped_output_identifier()

    def get_run_scoped_output_identifier(self) -> list[str]:
        """What tells the value from all others of its op: run, step, output (and mapping key)."""
        parts = (self.run_id, self.step_key, self.name, self.mapping_key)
        return [part for part in parts if part is not None]

    def add_output_metadata(self, metadata: Mapping[str, Any]) -> None:
        """Add facts to the value, shown with its materialization."""
        self._metadata.update(normalize_metadata(metadata))

    def get_logged_metadata(self) -> Metadata:
        """The facts that the IO manager added."""
        return self._metadata

    def get_logged_events(self) -> Sequence[AssetMaterialization | AssetObservation]:
        """The events that the IO manager recorded."""
        return self._events

    def log_event(self, event: AssetMaterialization | AssetObservation) -> None:
        """Record an event about an asset at once."""
        self._events.append(event)
        self._emit(materialization_fact(event) if isinstance(event, AssetMaterialization) else observation_fact(event))

    @property
    def _what(self) -> str:
        return f"The output {self.name!r} of step {self.step_key!r}" if self.name is not None else "The stored value"


class InputContext(_ValueContext):
    """The context of loading an input.

    Args:
        name: The input's name.
        upstream_output: The context in which the value was stored.
        common: What `_ValueContext` takes.
    """

    __slots__ = ("_metadata", "_name", "_observations", "upstream_output")

    def __init__(self, name: str | None = None, upstream_output: OutputContext | None = None, **common: Any) -> None:
        super().__init__(**common)
        self._name = name
        self.upstream_output = upstream_output
        self._metadata: Metadata = {}
        self._observations: list[AssetObservation] = []

    @property
    def has_input_name(self) -> bool:
        """Whether the value is loaded for an input, and not for somebody outside of a run."""
        return self._name is not None

    @property
    def name(self) -> str:
        """The input's name."""
        if self._name is None:
            raise self._missing("loaded for an input of an op", "has_input_name")
        return self._name

    def get_identifier(self) -> list[str]:
        """What tells the value from all others, as it was when it was stored."""
        if self.has_asset_key:
            return self.get_asset_identifier()
        if self.upstream_output is None:
            raise self._missing("of an op's output", "upstream_output")
        return self.upstream_output.get_identifier()

    def add_input_metadata(self, metadata: Mapping[str, Any], description: str | None = None) -> None:
        """Add facts about the load. Those about an asset are an observation of it, or of each partition loaded, too.

        Args:
            metadata: The facts.
            description: What was observed.
        """
        added = normalize_metadata(metadata)
        self._metadata.update(added)
        if self._asset_key is None:
            return
        for partition in self._asset_partition_keys or (None,):
            seen = AssetObservation(self._asset_key, description=description, metadata=added, partition=partition)
            self._observations.append(seen)
            self._emit(observation_fact(seen))

    def get_logged_metadata(self) -> Metadata:
        """The facts that the IO manager added."""
        return self._metadata

    def get_observations(self) -> Sequence[AssetObservation]:
        """The observations of assets that the added facts are."""
        return self._observations

    @property
    def _what(self) -> str:
        return f"The input {self._name!r}" if self._name is not None else "The loaded value"


def _drop(fact: Fact) -> None:
    """Facts of a context that was built outside of a run go nowhere."""
