"""A step: one op where a job uses it, with every decision made.

It says what feeds each input, where each output goes and what belongs to it, so that whoever executes it looks
nothing up. `UNRESOLVED_MAPPED` steps run once for each key of a dynamic output, as `key[mapping]`; steps that follow
a mapped step are mapped by the same keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cached_property
from typing import Any, TypeAlias

import msgspec

from ...partitions.definition import PartitionsDefinition
from ..function import NO_DEFAULT
from ..ops.hooks import HookDefinition
from ..ops.op import OpDefinition
from ..ops.ports import In, Out
from ..ops.retry import RetryPolicy
from ..ops.type_loader import input_form

__all__ = [
    "FromAsset",
    "FromCollect",
    "FromConfig",
    "FromDefault",
    "FromManager",
    "FromMapped",
    "FromOutput",
    "FromOutputs",
    "InputSource",
    "OrderOnly",
    "Step",
    "StepInput",
    "StepKind",
    "StepOutput",
]


class StepKind(StrEnum):
    """Whether a step runs once, once per mapping key, or once over all of them."""

    COMPUTE = "COMPUTE"
    UNRESOLVED_MAPPED = "UNRESOLVED_MAPPED"
    UNRESOLVED_COLLECT = "UNRESOLVED_COLLECT"


class FromOutput(msgspec.Struct, frozen=True):
    """The value of another step's output. Where that step is mapped, so is this one, and each key takes its own."""

    step: str
    output: str


class FromMapped(msgspec.Struct, frozen=True):
    """One value of a dynamic output, by the mapping key that the step runs for."""

    step: str
    output: str


class FromCollect(msgspec.Struct, frozen=True):
    """All values as a list: of a dynamic output, or of an output of a step that is mapped."""

    step: str
    output: str


class FromAsset(msgspec.Struct, frozen=True, kw_only=True):
    """The value of an asset, loaded by its IO manager, for the partitions that the mapping says.

    Args:
        asset_key: The asset, in text form.
        io_manager_key: The resource that loads it.
        made_by: The output of this plan that makes it first; None if it is loaded as it is.
        partitions: The asset's own partitions.
        partition_mapping: How partitions of the step's asset depend on partitions of this one; None: the default.
        metadata: The asset's metadata as its author wrote it.
    """

    asset_key: str
    io_manager_key: str
    made_by: FromOutput | None = None
    partitions: PartitionsDefinition | None = None
    partition_mapping: Any = None
    metadata: Mapping[str, Any] = {}


class FromConfig(msgspec.Struct, frozen=True):
    """A value of the run config, by its path of keys; the default where it gives none and there is one."""

    path: tuple[str, ...]
    default: Any = NO_DEFAULT


class FromDefault(msgspec.Struct, frozen=True):
    """The default of the op's parameter or `In`."""

    value: Any


class FromManager(msgspec.Struct, frozen=True):
    """Whatever the input's own manager loads: nothing feeds it."""


class FromOutputs(msgspec.Struct, frozen=True):
    """Several values as a list, in this order. Outputs that were not given are left out."""

    sources: tuple[FromOutput | FromCollect | FromConfig | FromDefault, ...]

    @property
    def outputs(self) -> tuple[FromOutput | FromCollect, ...]:
        """Those of them that are outputs of other steps."""
        return tuple(each for each in self.sources if isinstance(each, FromOutput | FromCollect))


class OrderOnly(msgspec.Struct, frozen=True):
    """No value: the step only waits for these outputs."""

    sources: tuple[FromOutput | FromMapped | FromCollect, ...]


InputSource: TypeAlias = (
    FromOutput | FromMapped | FromCollect | FromOutputs | FromAsset | FromConfig | FromDefault | FromManager | OrderOnly
)


class StepInput(msgspec.Struct, frozen=True, kw_only=True):
    """An input of a step.

    `name` is the op's input; the name of an `OrderOnly` input need not be a parameter of its function.
    `io_manager_key` loads the value instead of the manager that stored it.
    """

    name: str
    source: InputSource
    definition: In
    io_manager_key: str | None = None

    def upstream(self) -> Iterator[FromOutput | FromMapped | FromCollect]:
        """The outputs of other steps of this plan that the input waits for."""
        match self.source:
            case FromOutput() | FromMapped() | FromCollect():
                yield self.source
            case OrderOnly():
                yield from self.source.sources
            case FromOutputs():
                yield from self.source.outputs
            case FromAsset(made_by=FromOutput() as made_by):
                yield made_by


class StepOutput(msgspec.Struct, frozen=True, kw_only=True):
    """An output of a step. One that makes an asset or carries a check's result names it, in text form.

    `observes` says that the asset is looked at, not made. `required` is whether the step fails if it does not give it.
    An output that makes an asset which was not selected is not in the plan.
    """

    name: str
    definition: Out
    io_manager_key: str
    required: bool = True
    dynamic: bool = False
    asset_key: str | None = None
    observes: bool = False
    check_key: str | None = None
    check_blocking: bool = False
    metadata: Mapping[str, Any] = {}
    tags: dict[str, str] = {}


class Step(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One op where a plan uses it.

    Args:
        key: The names from the job's graph inwards, joined by `.`; an asset's is its op's name.
        config_path: Where its entry in the run config is; the entry's `config` is its config.
        tags: Of the op and of the node.
        retry_policy: The node's, else the op's, else the job's.
        timeout: Seconds after which an attempt is stopped: the node's or op's, else that of the graphs around it, else
            the job's.
        hooks: Of the op's node, of its graphs and of the job.
        mapped_by: The dynamic output whose keys it runs for; None unless it is mapped.
        asset_keys: The assets that it makes in this plan, in text form.
        serves: For a step inside a graph that makes assets, all assets that the graph makes in this plan.
        check_keys: The checks that it evaluates in this plan, as `asset/key:name`.
        partitions: The partitions of its assets.
        can_subset: Whether it can make some of its assets and leave out others.
        graph: For a step inside a graph that makes assets, the graph's name.
        priority: Higher goes first among the steps that could start.
    """

    key: str
    op: OpDefinition
    kind: StepKind = StepKind.COMPUTE
    inputs: tuple[StepInput, ...] = ()
    outputs: tuple[StepOutput, ...] = ()
    config_path: tuple[str, ...]
    tags: dict[str, str] = {}
    retry_policy: RetryPolicy | None = None
    timeout: float | None = None
    pool: str | None = None
    hooks: frozenset[HookDefinition] = frozenset()
    mapped_by: FromOutput | None = None
    asset_keys: tuple[str, ...] = ()
    serves: tuple[str, ...] = ()
    check_keys: tuple[str, ...] = ()
    partitions: PartitionsDefinition | None = None
    can_subset: bool = False
    graph: str | None = None
    priority: int = 0

    def gives_dynamic(self, output: str) -> bool:
        """Whether an output holds any number of values."""
        return any(each.dynamic for each in self.outputs if each.name == output)

    @cached_property
    def inputs_by_name(self) -> dict[str, StepInput]:
        """Its inputs by name."""
        return {each.name: each for each in self.inputs}

    @cached_property
    def outputs_by_name(self) -> dict[str, StepOutput]:
        """Its outputs by name."""
        return {each.name: each for each in self.outputs}

    @cached_property
    def used_resources(self) -> frozenset[str]:
        """The resources that it uses: of its op, hooks, IO managers and types. What loads another step's value unless
        an input says otherwise is not among them."""
        used = set(self.op.required_resource_keys)
        for hook in self.hooks:
            used |= hook.required_resource_keys
        for output in self.outputs:
            used |= output.definition.value_type.all_resource_keys
            if not output.definition.is_nothing:
                used.add(output.io_manager_key)
        for given in self.inputs:
            used |= given.definition.value_type.all_resource_keys
            match given.source:
                case OrderOnly():
                    continue
                case FromAsset(io_manager_key=of_asset):
                    used.add(given.io_manager_key or of_asset)
                case FromConfig():
                    used |= input_form(given.definition.python_type).resource_keys
                case _ if given.io_manager_key is not None and not isinstance(given.source, FromDefault):
                    used.add(given.io_manager_key)
        return frozenset(used)
