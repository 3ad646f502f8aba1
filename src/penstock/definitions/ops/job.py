"""The job: a graph, or a selection of assets, with everything that a run of it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, overload

from ...config.mapping import ConfigMapping
from ...config.run_config import RunConfig, plain_run_config
from ...errors import DefinitionError, UsageError
from ...partitions.definition import PartitionsDefinition
from ...partitions.loading import DynamicPartitionsStore
from ...records.keys import CoercibleToAssetKey
from ...records.metadata import Metadata, normalize_metadata
from ..automation.run_request import RunRequest
from ..doors import execute_job_in_process
from ..executors import ExecutorDefinition, default_executor
from ..loggers import LoggerDefinition, check_loggers, default_loggers
from ..names import check_name, check_owners, normalize_tags
from ..partitioned_config import PartitionedConfig
from ..resources.resource import ResourceDefinition, to_resources
from ..source import Source, place_of_call, source_of_call, source_of_function
from .graph import GraphDefinition, compose
from .hooks import HookDefinition, check_hooks
from .retry import RetryPolicy, check_timeout

if TYPE_CHECKING:
    from ...execution.api import AnInstance, ExecuteInProcessResult
    from ..assets.layer import AssetLayer

__all__ = ["JobDefinition", "job", "partitions_of"]


class JobDefinition:
    """What a run runs. Make one with `@job`, `graph.to_job()` or `define_asset_job`.

    Args:
        graph_def: The graph that it runs; None for a job of assets.
        name: Its name: letters, digits and `_`; the graph's if not given.
        description: What it does.
        resource_defs: Its own resources; those of the `Definitions` stand in for the rest.
        config: The run config that a run gets where none is given; or a mapping that makes it of another form; or one
            for each partition, which brings the partitions along.
        tags: Its tags, which its runs carry too unless `run_tags` are given.
        run_tags: Tags of its runs.
        metadata: Facts about it.
        executor_def: What runs its steps.
        logger_defs: By name, loggers that its runs may write to.
        hook_defs: Hooks for all of its steps.
        op_retry_policy: The retry policy of its ops that have none of their own.
        op_timeout: Seconds after which its steps are stopped that have no timeout of their own.
        partitions_def: The partitions that its runs work on.
        input_values: By name, values of the graph's inputs; the others are given in the run config.
        owners: Who answers for it.
        asset_layer: The assets and checks that it makes, for a job of assets.
        source: Where it is written.

    Raises:
        DefinitionError: A part is not valid.
    """

    def __init__(
        self,
        *,
        graph_def: GraphDefinition | None = None,
        name: str | None = None,
        description: str | None = None,
        resource_defs: Mapping[str, Any] | None = None,
        config: Mapping[str, Any] | RunConfig | ConfigMapping | PartitionedConfig | None = None,
        tags: Mapping[str, Any] | None = None,
        run_tags: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        executor_def: ExecutorDefinition | None = None,
        logger_defs: Mapping[str, LoggerDefinition] | None = None,
        hook_defs: Iterable[HookDefinition] | None = None,
        op_retry_policy: RetryPolicy | None = None,
        op_timeout: float | None = None,
        partitions_def: PartitionsDefinition | None = None,
        input_values: Mapping[str, Any] | None = None,
        owners: Iterable[str] | None = None,
        asset_layer: AssetLayer | None = None,
        source: Source | None = None,
    ) -> None:
        self.name = check_name(graph_def.name if name is None and graph_def is not None else name, "a job")
        what = f'Job "{self.name}"'
        self.graph = graph_def
        self.asset_layer = asset_layer
        self.description = description
        self.resource_defs: dict[str, ResourceDefinition] = to_resources(resource_defs, what)
        self.config_mapping = config if isinstance(config, ConfigMapping) else None
        self.partitioned_config = config if isinstance(config, PartitionedConfig) else None
        self.default_config = (
            {} if isinstance(config, ConfigMapping | PartitionedConfig) else plain_run_config(config, what)
        )
        self.tags = normalize_tags(tags, what)
        self.run_tags = self.tags if run_tags is None else normalize_tags(run_tags, what)
        self.metadata: Metadata = normalize_metadata(metadata)
        if executor_def is not None and not isinstance(executor_def, ExecutorDefinition):
            raise DefinitionError(
                f"{what}{place_of_call()} has the executor {executor_def!r}; give an ExecutorDefinition, for example "
                "in_process_executor."
            )
        self._executor_def = executor_def
        self._logger_defs: Mapping[str, LoggerDefinition] | None = (
            None if logger_defs is None else check_loggers(logger_defs, what)
        )
        self.hooks = check_hooks(hook_defs, what)
        self.op_retry_policy = op_retry_policy
        self.op_timeout = check_timeout(op_timeout, what)
        self.partitions_def = partitions_of(partitions_def, config, what)
        self.owners = check_owners(owners, what)
        self.source = source
        self.composed_from: Callable[..., Any] | None = None  # the function that `@job` made it of
        self.input_values: dict[str, Any] = {}
        self._feed(input_values)

    @property
    def is_asset_job(self) -> bool:
        """Whether it makes assets rather than running a graph."""
        return self.asset_layer is not None

    @property
    def executor_def(self) -> ExecutorDefinition:
        """What runs its steps."""
        return self._executor_def or default_executor

    @property
    def has_specified_executor(self) -> bool:
        """Whether an executor was named for it, by itself or by the `Definitions` around it."""
        return self._executor_def is not None

    @property
    def loggers(self) -> Mapping[str, LoggerDefinition]:
        """The loggers that its runs may write to, by name; the built-in ones where none were named."""
        return default_loggers() if self._logger_defs is None else self._logger_defs

    @property
    def has_specified_loggers(self) -> bool:
        """Whether loggers were named for it, by itself or by the `Definitions` around it."""
        return self._logger_defs is not None

    def config_for(self, partition_key: str | None) -> dict[str, Any]:
        """The run config of a run that is given none: that of its partition, or the job's own.

        Raises:
            UserCodeError: The function for the config of partitions failed.
        """
        if self.partitioned_config is None or partition_key is None:
            return self.default_config
        return self.partitioned_config.get_run_config_for_partition_key(partition_key)

    def run_request_for_partition(
        self,
        partition_key: str,
        run_key: str | None = None,
        tags: Mapping[str, Any] | None = None,
        asset_selection: Sequence[CoercibleToAssetKey] | None = None,
        run_config: Mapping[str, Any] | RunConfig | None = None,
        current_time: datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> RunRequest:
        """A request for a run on a partition, with its config and tags, for a schedule or sensor to give.

        Args:
            partition_key: The partition.
            run_key: A text under which at most one run is ever made for the schedule or sensor.
            tags: Tags of the run beside those of the partition.
            asset_selection: Which of the job's assets to make; all if not given.
            run_config: Its config; that of the partition if not given.
            current_time: The time that counts as now.
            dynamic_partitions_store: Knows the keys of dynamic sets.

        Raises:
            UsageError: The job has no partitions.
            PartitionNotFoundError: There is no such partition.
        """
        if self.partitions_def is None:
            raise UsageError(f'Job "{self.name}" has no partitions, so no run of it can be asked for by partition.')
        self.partitions_def.validate_partition_key(partition_key, current_time, dynamic_partitions_store)
        config = self.partitioned_config
        own_tags = {} if config is None else config.get_tags_for_partition_key(partition_key)
        return RunRequest(
            run_key=run_key,
            run_config=self.config_for(partition_key) if run_config is None else run_config,
            tags={**own_tags, **(tags or {})},
            job_name=self.name,
            asset_selection=asset_selection,
            partition_key=partition_key,
        )

    def with_top_level_resources(
        self,
        resource_defs: Mapping[str, ResourceDefinition],
        executor_def: ExecutorDefinition | None = None,
        logger_defs: Mapping[str, LoggerDefinition] | None = None,
    ) -> JobDefinition:
        """This job with resources, an executor and loggers for those that it does not bring itself."""
        bound = self._copy()
        bound.resource_defs = {**resource_defs, **self.resource_defs}
        bound._executor_def = self._executor_def or executor_def
        bound._logger_defs = self._logger_defs if self._logger_defs is not None else logger_defs
        return bound

    def with_hooks(self, hook_defs: Iterable[HookDefinition]) -> JobDefinition:
        """This job with further hooks for all of its steps."""
        hooked = self._copy()
        hooked.hooks = self.hooks | check_hooks(hook_defs, f'Job "{self.name}"')
        return hooked

    def with_input_values(self, input_values: Mapping[str, Any]) -> JobDefinition:
        """This job with values for inputs of its graph.

        Raises:
            DefinitionError: The graph has no such input.
        """
        fed = self._copy()
        fed._feed(input_values)
        return fed

    def with_graph(self, graph_def: GraphDefinition) -> JobDefinition:
        """This job with another graph, such as a part of its own."""
        changed = self._copy()
        changed.graph = graph_def
        changed.input_values = {key: value for key, value in self.input_values.items() if key in graph_def.ins}
        return changed

    def _feed(self, input_values: Mapping[str, Any] | None) -> None:
        known = {} if self.graph is None else self.graph.ins
        if unknown := sorted(set(input_values or ()) - set(known)):
            raise DefinitionError(
                f'Job "{self.name}" ({self.source}) is given values for {", ".join(unknown)}; the inputs of its graph '
                f"are: {', '.join(known) or 'none'}."
            )
        self.input_values = {**self.input_values, **(input_values or {})}

    def _copy(self) -> JobDefinition:
        made = object.__new__(JobDefinition)
        made.__dict__.update(self.__dict__)
        return made

    def execute_in_process(
        self,
        run_config: Mapping[str, Any] | RunConfig | ConfigMapping | None = None,
        instance: AnInstance | None = None,
        partition_key: str | None = None,
        raise_on_error: bool = True,
        op_selection: Sequence[str] | None = None,
        asset_selection: Any = None,
        run_id: str | None = None,
        input_values: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
        resources: Mapping[str, Any] | None = None,
    ) -> ExecuteInProcessResult:
        """Run it to its end in this process, step after step.

        Args:
            run_config: The run's config; the job's own if not given.
            instance: Where the run and its events are kept; nowhere if not given.
            partition_key: The partition to work on.
            raise_on_error: Raise what a step's user code raised, instead of telling it in the result.
            op_selection: The ops to run, such as `["load", "*report", "clean+"]`; all if not given.
            asset_selection: Of a job of assets, those to make: a selection, its text, or assets.
            run_id: The run's id; a new one if not given.
            input_values: By name, values of inputs of the job's graph.
            tags: Tags of the run, beside those of the job.
            resources: Resources in place of the job's, by key.

        Raises:
            InvalidRunConfigError: The config has mistakes.
            SubsetError: A selected op does not exist.
            NotFoundError: A selected asset does not exist.
        """
        return execute_job_in_process(
            self,
            run_config=run_config,
            instance=instance,
            partition_key=partition_key,
            raise_on_error=raise_on_error,
            op_selection=op_selection,
            asset_selection=asset_selection,
            run_id=run_id,
            input_values=input_values,
            tags=tags,
            resources=resources,
        )

    def __repr__(self) -> str:
        return f"JobDefinition({self.name!r})"


def partitions_of(
    partitions_def: PartitionsDefinition | None, config: object, what: str
) -> PartitionsDefinition | None:
    """The partitions of a job: those that it is given, or those that its config brings.

    Raises:
        DefinitionError: Both are given and differ.
    """
    if not isinstance(config, PartitionedConfig) or partitions_def == config.partitions_def:
        return partitions_def
    if partitions_def is not None:
        raise DefinitionError(
            f"{what} has other partitions than its partitioned config; leave partitions_def out, or give the same."
        )
    return config.partitions_def


@overload
def job(compose_fn: Callable[..., Any], /) -> JobDefinition: ...
@overload
def job(
    *,
    name: str | None = None,
    description: str | None = None,
    resource_defs: Mapping[str, Any] | None = None,
    config: Mapping[str, Any] | RunConfig | ConfigMapping | PartitionedConfig | None = None,
    tags: Mapping[str, Any] | None = None,
    run_tags: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    executor_def: ExecutorDefinition | None = None,
    logger_defs: Mapping[str, LoggerDefinition] | None = None,
    hooks: Iterable[HookDefinition] | None = None,
    op_retry_policy: RetryPolicy | None = None,
    op_timeout: float | None = None,
    partitions_def: PartitionsDefinition | None = None,
    input_values: Mapping[str, Any] | None = None,
    owners: Iterable[str] | None = None,
) -> Callable[[Callable[..., Any]], JobDefinition]: ...
def job(
    compose_fn: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    resource_defs: Mapping[str, Any] | None = None,
    config: Mapping[str, Any] | RunConfig | ConfigMapping | PartitionedConfig | None = None,
    tags: Mapping[str, Any] | None = None,
    run_tags: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    executor_def: ExecutorDefinition | None = None,
    logger_defs: Mapping[str, LoggerDefinition] | None = None,
    hooks: Iterable[HookDefinition] | None = None,
    op_retry_policy: RetryPolicy | None = None,
    op_timeout: float | None = None,
    partitions_def: PartitionsDefinition | None = None,
    input_values: Mapping[str, Any] | None = None,
    owners: Iterable[str] | None = None,
) -> JobDefinition | Callable[[Callable[..., Any]], JobDefinition]:
    """Make a job of a function that calls ops and graphs; the calls record the wiring.

    Args:
        name: Its name; the function's if not given.
        description: What it does; the function's docstring if not given.
        resource_defs: Its own resources; those of the `Definitions` stand in for the rest.
        config: The run config that a run gets where none is given; or a mapping that makes it of another form; or one
            for each partition, which brings the partitions along.
        tags: Its tags, which its runs carry too unless `run_tags` are given.
        run_tags: Tags of its runs.
        metadata: Facts about it.
        executor_def: What runs its steps.
        logger_defs: By name, loggers that its runs may write to.
        hooks: Hooks for all of its steps.
        op_retry_policy: The retry policy of its ops that have none of their own.
        op_timeout: Seconds after which its steps are stopped that have no timeout of their own.
        partitions_def: The partitions that its runs work on.
        input_values: By name, values of the function's parameters; the others are given in the run config.
        owners: Who answers for it.

    Raises:
        DefinitionError: The wiring or a part is not valid.
    """

    def define(fn: Callable[..., Any]) -> JobDefinition:
        own_name = name or fn.__name__
        composed = compose(fn, own_name, "Job", description=description)
        made = JobDefinition(
            graph_def=composed,
            name=own_name,
            description=composed.description,
            resource_defs=resource_defs,
            config=config,
            tags=tags,
            run_tags=run_tags,
            metadata=metadata,
            executor_def=executor_def,
            logger_defs=logger_defs,
            hook_defs=hooks,
            op_retry_policy=op_retry_policy,
            op_timeout=op_timeout,
            partitions_def=partitions_def,
            input_values=input_values,
            owners=owners,
            source=source_of_function(fn) or source_of_call(),
        )
        made.composed_from = fn
        return made

    return define if compose_fn is None else define(compose_fn)
