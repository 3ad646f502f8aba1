"""Contexts made outside of a run, for calling ops, assets and checks directly, as tests do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any, TypeVar

from ..clock import SYSTEM_CLOCK
from ..definitions.assets.definition import AssetsDefinition
from ..definitions.ops.op import OpDefinition
from ..definitions.resources.resource import to_resources
from ..errors import InvocationError, PartitionNotFoundError
from ..ids import new_run_id
from ..partitions.definition import PartitionKeyRange
from ..partitions.spec import dynamic_names
from ..plan.model import StepOutput
from ..records.event import Fact, LogLine
from ..records.keys import AssetKey, CoercibleToAssetKey
from ..records.run import Run, Tag
from .attempt import Attempt
from .build_resources import HoldsResources
from .configuration import resource_configs
from .context import AssetCheckExecutionContext, AssetExecutionContext, OpExecutionContext
from .own_instance import OwnInstance
from .resources import set_up

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

__all__ = [
    "DIRECT_CALL",
    "DirectAssetCheckExecutionContext",
    "DirectAssetExecutionContext",
    "DirectOpExecutionContext",
    "attempt_outside",
    "bound_to",
    "build_asset_check_context",
    "build_asset_context",
    "build_op_context",
    "given_config",
]


DIRECT_CALL = "direct call"
"""The name of a job and step that there are none of."""


class _Direct(HoldsResources, OpExecutionContext):
    """What contexts outside of a run have beside: what the function recorded, and resources to tear down."""

    def __init__(self, attempt: Attempt, facts: list[Fact], stack: ExitStack) -> None:
        super().__init__(attempt)
        self._facts = facts
        self._given_config = attempt.config
        self._stack = stack
        self._output_metadata: dict[tuple[str, str | None], dict[str, Any]] = {}

    def add_output_metadata(
        self, metadata: Mapping[str, Any], output_name: str | None = None, mapping_key: str | None = None
    ) -> None:
        """Add facts to an output; `get_output_metadata` has them as they are given here."""
        super().add_output_metadata(metadata, output_name, mapping_key)
        name = self._output_named(output_name)
        self._output_metadata.setdefault((name, mapping_key), {}).update(metadata)

    def get_output_metadata(self, output_name: str, mapping_key: str | None = None) -> Mapping[str, Any] | None:
        """What the function added to an output."""
        return self._output_metadata.get((output_name, mapping_key))

    def get_events(self) -> list[Fact]:
        """What the function recorded of assets and checks, without the lines that it logged."""
        return [fact for fact in self._facts if not isinstance(fact, LogLine)]


class DirectOpExecutionContext(_Direct):
    """The context of an op that is called directly."""


class DirectAssetExecutionContext(_Direct, AssetExecutionContext):
    """The context of an asset function that is called directly."""

    def __init__(self, attempt: Attempt, facts: list[Fact], stack: ExitStack) -> None:
        super().__init__(attempt, facts, stack)
        self._asset_metadata: dict[tuple[str, str | None], dict[str, Any]] = {}

    def add_asset_metadata(
        self,
        metadata: Mapping[str, Any],
        asset_key: CoercibleToAssetKey | None = None,
        partition_key: str | None = None,
    ) -> None:
        """Add facts to an asset; `get_asset_metadata` has them as they are given here."""
        super().add_asset_metadata(metadata, asset_key, partition_key)
        key = self.asset_key if asset_key is None else AssetKey.from_coercible(asset_key)
        self._asset_metadata.setdefault((key.to_user_string(), partition_key), {}).update(metadata)

    def get_asset_metadata(self, asset_key: str, partition_key: str | None = None) -> Mapping[str, Any] | None:
        """What the function added to an asset, or to one partition of it alone."""
        return self._asset_metadata.get((asset_key, partition_key))


class DirectAssetCheckExecutionContext(_Direct, AssetCheckExecutionContext):
    """The context of a check that is called directly."""


Context = TypeVar("Context", bound=_Direct)


def build_op_context(
    resources: Mapping[str, Any] | None = None,
    op_config: Any = None,
    resources_config: Mapping[str, Any] | None = None,
    instance: Any = None,
    config: Any = None,
    partition_key: str | None = None,
    partition_key_range: PartitionKeyRange | None = None,
    mapping_key: str | None = None,
    run_tags: Mapping[str, str] | None = None,
    event_loop: AbstractEventLoop | None = None,
) -> DirectOpExecutionContext:
    """A context for calling an op directly.

    Args:
        resources: By key, what `Definitions` takes as resources; they are set up now.
        op_config: The op's config.
        resources_config: By key, the entry of a run config for a resource: a mapping with `config`.
        instance: What `context.instance` gives.
        config: The same as `op_config`.
        partition_key: The partition that the op shall work on.
        partition_key_range: The partitions that it shall work on, in place of one.
        mapping_key: The mapping key that it shall run for.
        run_tags: Tags of its run.
        event_loop: What resources see as `context.event_loop` while they are set up.

    Raises:
        UserCodeError: A resource could not be set up.
        InvocationError: Both forms of config, or of partitions, are given.
    """
    if op_config is not None and config is not None:
        raise InvocationError("build_op_context takes op_config or config, not both.")
    given = config if op_config is None else op_config
    return _build(
        DirectOpExecutionContext,
        resources,
        resources_config,
        given,
        instance,
        _partition_tags(partition_key, partition_key_range),
        mapping_key,
        run_tags,
        event_loop,
    )


def build_asset_context(
    resources: Mapping[str, Any] | None = None,
    resources_config: Mapping[str, Any] | None = None,
    asset_config: Any = None,
    instance: Any = None,
    partition_key: str | None = None,
    partition_key_range: PartitionKeyRange | None = None,
    run_tags: Mapping[str, str] | None = None,
    event_loop: AbstractEventLoop | None = None,
) -> DirectAssetExecutionContext:
    """A context for calling an asset function directly; see `build_op_context` for the arguments.

    Args:
        asset_config: The asset's config.
    """
    return _build(
        DirectAssetExecutionContext,
        resources,
        resources_config,
        asset_config,
        instance,
        _partition_tags(partition_key, partition_key_range),
        None,
        run_tags,
        event_loop,
    )


def build_asset_check_context(
    resources: Mapping[str, Any] | None = None,
    resources_config: Mapping[str, Any] | None = None,
    asset_config: Any = None,
    instance: Any = None,
) -> DirectAssetCheckExecutionContext:
    """A context for calling an asset check directly; see `build_op_context` for the arguments.

    Args:
        asset_config: The check's config.
    """
    return _build(DirectAssetCheckExecutionContext, resources, resources_config, asset_config, instance, {}, None, None)


def _partition_tags(key: str | None, key_range: PartitionKeyRange | None) -> dict[str, str]:
    if key is not None and key_range is not None:
        raise InvocationError("A context takes partition_key or partition_key_range, not both.")
    if key_range is not None:
        return {Tag.PARTITION_RANGE_START: str(key_range.start), Tag.PARTITION_RANGE_END: str(key_range.end)}
    return {} if key is None else {Tag.PARTITION: str(key)}


def _build(
    kind: type[Context],
    resources: Mapping[str, Any] | None,
    resources_config: Mapping[str, Any] | None,
    config: Any,
    instance: Any,
    partition_tags: Mapping[str, str],
    mapping_key: str | None,
    run_tags: Mapping[str, str] | None,
    event_loop: AbstractEventLoop | None = None,
) -> Context:
    tags = {**(run_tags or {}), **partition_tags}
    run = Run(run_id=new_run_id(), location="", job=DIRECT_CALL, tags=tags, created=SYSTEM_CLOCK.now())
    return kind(
        *attempt_outside(run, resources, resources_config, config, instance, mapping_key, event_loop=event_loop)
    )


def attempt_outside(
    run: Run,
    resources: Mapping[str, Any] | None,
    resources_config: Mapping[str, Any] | None = None,
    config: Any = None,
    instance: Any = None,
    mapping_key: str | None = None,
    op: OpDefinition | None = None,
    event_loop: AbstractEventLoop | None = None,
) -> tuple[Attempt, list[Fact], ExitStack]:
    """An attempt of a step that no run knows, for contexts that tests make.

    Args:
        run: The run that it shall believe to be of.
        resources: By key, what `Definitions` takes as resources; they are set up now.
        resources_config: By key, the entry of a run config for a resource.
        config: The op's config.
        instance: The instance, for user code.
        mapping_key: The mapping key that it shall run for.
        op: Its op, where that is known.
        event_loop: What resources see as `context.event_loop` while they are set up.

    Returns:
        The attempt, the facts that are recorded on it, and what tears its resources down.

    Raises:
        UserCodeError: A resource could not be set up.
    """
    definitions = to_resources(resources, "The resources of the context")
    dynamic = instance
    facts: list[Fact] = []
    stack = ExitStack()
    if instance is None:
        instance = stack.enter_context(closing(OwnInstance()))
    opened = stack.enter_context(
        set_up(
            definitions,
            definitions,
            resource_configs(definitions, resources_config or {}),
            clock=SYSTEM_CLOCK,
            emit=lambda _: None,
            run=run,
            instance=instance,
            event_loop=event_loop,
        )
    )
    attempt = Attempt(
        op=op,
        run=run,
        key=DIRECT_CALL if op is None else op.name,
        record=facts.append,
        now=SYSTEM_CLOCK.now,
        config=config,
        resources=opened.view(frozenset(definitions)),
        opened=opened,
        inputs={},
        outputs={},
        instance=instance,
        dynamic=dynamic,
        mapping_key=mapping_key,
        tags={} if op is None else op.tags,
    )
    return attempt, facts, stack


def given_config(context: OpExecutionContext) -> Any:
    """The config that a context was made with, or that it has of its run."""
    return context._given_config if isinstance(context, _Direct) else context.op_config


def bound_to(context: OpExecutionContext | None, definition: OpDefinition | AssetsDefinition, config: Any) -> Any:
    """The context as the function of a definition shall see it.

    A context of a run stays as it is. One that was made outside of a run learns which op it is for, and the config that
    this op makes of the one that it was given; None leaves that as it is.
    """
    if context is None:
        return None
    attempt = context._attempt
    if not isinstance(context, _Direct):
        return context
    op = definition if isinstance(definition, OpDefinition) else definition.op
    attempt.op = op
    attempt.key = op.name
    attempt.config = context._given_config if config is None else config
    attempt.tags = op.tags
    if isinstance(definition, AssetsDefinition):
        attempt.assets_def = definition
        attempt.outputs = {each.name: each for each in _outputs_of(definition)}
        attempt.asset_keys = tuple(spec.key.to_user_string() for spec in definition.specs)
        attempt.check_keys = tuple(spec.key.to_user_string() for spec in definition.check_specs)
        attempt.partitions = definition.partitions_def
        _check_partition(attempt)
    else:
        attempt.outputs = {
            name: StepOutput(name=name, definition=out, io_manager_key=out.io_manager_key)
            for name, out in op.outs.items()
        }
    return context


def _check_partition(attempt: Attempt) -> None:
    """Refuse a partition that the asset does not have; of dynamic ones only an instance knows."""
    key = attempt.run.partition
    if (
        key is None
        or attempt.partitions is None
        or (attempt.dynamic is None and dynamic_names(attempt.partitions.spec))
    ):
        return
    try:
        attempt.partitions.validate_partition_key(key, dynamic_partitions_store=attempt.dynamic)
    except PartitionNotFoundError as error:
        raise InvocationError(f"{attempt.what} was called with a context of another partition: {error}") from error


def _outputs_of(definition: AssetsDefinition) -> Iterator[StepOutput]:
    for name, out in definition.op.outs.items():
        spec = definition.specs_by_output.get(name)
        check = definition.check_outputs.get(name)
        yield StepOutput(
            name=name,
            definition=out,
            io_manager_key=out.io_manager_key,
            asset_key=None if spec is None else spec.key.to_user_string(),
            check_key=None if check is None else check.key.to_user_string(),
        )
