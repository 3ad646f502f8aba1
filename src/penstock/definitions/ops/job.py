"""The job: a graph, or a selection of assets, with everything that a run of it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

from ...config.mapping import ConfigMapping
from ...config.run_config import RunConfig, plain_run_config
from ...errors import DefinitionError
from ...partitions.definition import PartitionsDefinition
from ...records.metadata import Metadata, normalize_metadata
from ..doors import execute_job_in_process
from ..executors import ExecutorDefinition
from ..names import check_name, check_owners, normalize_tags
from ..resources.resource import ResourceDefinition, to_resources
from ..source import Source, source_of_call, source_of_function
from .graph import GraphDefinition, compose
from .hooks import HookDefinition, check_hooks
from .retry import RetryPolicy

if TYPE_CHECKING:
    from ...execution.api import AnInstance, ExecuteInProcessResult
    from ..assets.layer import AssetLayer

__all__ = ["JobDefinition", "job"]


class JobDefinition:
    """What a run runs. Make one with `@job`, `graph.to_job()` or `define_asset_job`.

    Args:
        graph: The graph that it runs; None for a job of assets.
        name: Its name: letters, digits and `_`.
        description: What it does.
        resource_defs: Its own resources; those of the `Definitions` stand in for the rest.
        config: The run config that a run gets where none is given; or a mapping that makes it of another form.
        tags: Its tags, which its runs carry too unless `run_tags` are given.
        run_tags: Tags of its runs.
        metadata: Facts about it.
        executor_def: What runs its steps.
        hooks: Hooks for all of its steps.
        op_retry_policy: The retry policy of its ops that have none of their own.
        partitions_def: The partitions that its runs work on.
        owners: Who answers for it.
        asset_layer: The assets and checks that it makes, for a job of assets.
        source: Where it is written.

    Raises:
        DefinitionError: A part is not valid.
    """

    def __init__(
        self,
        *,
        graph: GraphDefinition | None = None,
        name: str,
        description: str | None = None,
        resource_defs: Mapping[str, Any] | None = None,
        config: Mapping[str, Any] | RunConfig | ConfigMapping | None = None,
        tags: Mapping[str, Any] | None = None,
        run_tags: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        executor_def: ExecutorDefinition | None = None,
        hooks: Iterable[HookDefinition] | None = None,
        op_retry_policy: RetryPolicy | None = None,
        partitions_def: PartitionsDefinition | None = None,
        owners: Iterable[str] | None = None,
        asset_layer: AssetLayer | None = None,
        source: Source | None = None,
    ) -> None:
        what = f'Job "{name}"'
        self.name = check_name(name, "a job")
        self.graph = graph
        self.asset_layer = asset_layer
        if graph is not None and graph.ins:
            raise DefinitionError(
                f"{what} ({graph.source}) has the inputs {sorted(graph.ins)}, but nothing can feed a job; "
                "make an op that gives the value, or take it as config."
            )
        self.description = description
        self.resource_defs: dict[str, ResourceDefinition] = to_resources(resource_defs, what)
        self.config_mapping = config if isinstance(config, ConfigMapping) else None
        self.default_config = {} if isinstance(config, ConfigMapping) else plain_run_config(config, what)
        self.tags = normalize_tags(tags, what)
        self.run_tags = self.tags if run_tags is None else normalize_tags(run_tags, what)
        self.metadata: Metadata = normalize_metadata(metadata)
        if executor_def is not None and not isinstance(executor_def, ExecutorDefinition):
            raise DefinitionError(f"{what} has the executor {executor_def!r}; give an ExecutorDefinition.")
        self.executor_def = executor_def
        self.hooks = check_hooks(hooks, what)
        self.op_retry_policy = op_retry_policy
        self.partitions_def = partitions_def
        self.owners = check_owners(owners, what)
        self.source = source

    @property
    def is_asset_job(self) -> bool:
        """Whether it makes assets rather than running a graph."""
        return self.asset_layer is not None

    def with_top_level_resources(
        self, resource_defs: Mapping[str, ResourceDefinition], executor_def: ExecutorDefinition | None = None
    ) -> JobDefinition:
        """This job with resources (and an executor) for those that it does not bring itself."""
        bound = object.__new__(JobDefinition)
        bound.__dict__.update(self.__dict__)
        bound.resource_defs = {**resource_defs, **self.resource_defs}
        bound.executor_def = self.executor_def or executor_def
        return bound

    def with_hooks(self, hook_defs: Iterable[HookDefinition]) -> JobDefinition:
        """This job with further hooks for all of its steps."""
        hooked = object.__new__(JobDefinition)
        hooked.__dict__.update(self.__dict__)
        hooked.hooks = self.hooks | check_hooks(hook_defs, f'Job "{self.name}"')
        return hooked

    def execute_in_process(
        self,
        run_config: Mapping[str, Any] | RunConfig | ConfigMapping | None = None,
        instance: AnInstance | None = None,
        partition_key: str | None = None,
        raise_on_error: bool = True,
        op_selection: Sequence[str] | None = None,
        asset_selection: Any = None,
        run_id: str | None = None,
        tags: Mapping[str, str] | None = None,
        resources: Mapping[str, Any] | None = None,
    ) -> ExecuteInProcessResult:
        """Run it to its end in this process, step after step.

        Args:
            run_config: The run's config; the job's own if not given.
            instance: Where the run and its events are kept; nowhere if not given.
            partition_key: The partition to work on.
            raise_on_error: Raise what a step's user code raised, instead of telling it in the result.
            op_selection: Keys of the steps to run; all if not given.
            asset_selection: Of a job of assets, those to make: a selection, its text, or assets.
            run_id: The run's id; a new one if not given.
            tags: Tags of the run, beside those of the job.
            resources: Resources in place of the job's, by key.

        Raises:
            InvalidRunConfigError: The config has mistakes.
            NotFoundError: A selected step or asset does not exist.
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
            tags=tags,
            resources=resources,
        )

    def __repr__(self) -> str:
        return f"JobDefinition({self.name!r})"


@overload
def job(compose_fn: Callable[[], Any], /) -> JobDefinition: ...
@overload
def job(
    *,
    name: str | None = None,
    description: str | None = None,
    resource_defs: Mapping[str, Any] | None = None,
    config: Mapping[str, Any] | RunConfig | ConfigMapping | None = None,
    tags: Mapping[str, Any] | None = None,
    run_tags: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    executor_def: ExecutorDefinition | None = None,
    hooks: Iterable[HookDefinition] | None = None,
    op_retry_policy: RetryPolicy | None = None,
    partitions_def: PartitionsDefinition | None = None,
    owners: Iterable[str] | None = None,
) -> Callable[[Callable[[], Any]], JobDefinition]: ...
def job(
    compose_fn: Callable[[], Any] | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    resource_defs: Mapping[str, Any] | None = None,
    config: Mapping[str, Any] | RunConfig | ConfigMapping | None = None,
    tags: Mapping[str, Any] | None = None,
    run_tags: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    executor_def: ExecutorDefinition | None = None,
    hooks: Iterable[HookDefinition] | None = None,
    op_retry_policy: RetryPolicy | None = None,
    partitions_def: PartitionsDefinition | None = None,
    owners: Iterable[str] | None = None,
) -> JobDefinition | Callable[[Callable[[], Any]], JobDefinition]:
    """Make a job of a function that calls ops and graphs; the calls record the wiring.

    Args:
        name: Its name; the function's if not given.
        description: What it does; the function's docstring if not given.
        resource_defs: Its own resources; those of the `Definitions` stand in for the rest.
        config: The run config that a run gets where none is given; or a mapping that makes it of another form.
        tags: Its tags, which its runs carry too unless `run_tags` are given.
        run_tags: Tags of its runs.
        metadata: Facts about it.
        executor_def: What runs its steps.
        hooks: Hooks for all of its steps.
        op_retry_policy: The retry policy of its ops that have none of their own.
        partitions_def: The partitions that its runs work on.
        owners: Who answers for it.

    Raises:
        DefinitionError: The wiring or a part is not valid.
    """

    def define(fn: Callable[[], Any]) -> JobDefinition:
        own_name = name or fn.__name__
        composed = compose(fn, own_name, "Job", description=description)
        return JobDefinition(
            graph=composed,
            name=own_name,
            description=composed.description,
            resource_defs=resource_defs,
            config=config,
            tags=tags,
            run_tags=run_tags,
            metadata=metadata,
            executor_def=executor_def,
            hooks=hooks,
            op_retry_policy=op_retry_policy,
            partitions_def=partitions_def,
            owners=owners,
            source=source_of_function(fn) or source_of_call(),
        )

    return define if compose_fn is None else define(compose_fn)
