"""The graph: nodes and what feeds them, recorded from a function that calls ops and other graphs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

import msgspec

from ...config.mapping import ConfigMapping
from ...errors import DefinitionError
from ..function import docstring
from ..names import check_name, normalize_tags
from ..source import Source, source_of_call, source_of_function
from .asset_inputs import asset_value
from .composition import Composition, GraphInputHandle, PendingNodeInvocation, active, collect_outputs
from .dependencies import Dependencies, InputMapping, OutputMapping
from .hooks import HookDefinition
from .node import AssetValue, Node
from .ports import DEFAULT_OUTPUT, GraphIn, GraphOut, In, Out
from .retry import RetryPolicy
from .wiring import Wiring, input_mappings, mapped_nodes, node_inputs, node_output, wire

if TYPE_CHECKING:
    from ...config.declared import DeclaredConfig
    from ...config.run_config import RunConfig
    from ...execution.api import AnInstance, ExecuteInProcessResult
    from ...partitions.definition import PartitionsDefinition
    from ..executors import ExecutorDefinition
    from ..loggers import LoggerDefinition
    from ..partitioned_config import PartitionedConfig
    from .job import JobDefinition
    from .op import OpDefinition

__all__ = ["GraphDefinition", "compose", "graph"]


def _always(config: Mapping[str, Any]) -> ConfigMapping:
    """The mapping that gives the nodes of a graph one config, and takes none."""
    return ConfigMapping(lambda _: config, config_schema={})


class GraphDefinition:
    """Ops and graphs wired together. Make one with `@graph`, or of dependencies between nodes.

    Args:
        name: Its name: letters, digits and `_`.
        description: What it does.
        node_defs: The ops and graphs that it uses.
        dependencies: By node (its name, or a `NodeInvocation`), what feeds its inputs; nothing where not given.
        input_mappings: Which inputs of nodes its own inputs feed.
        output_mappings: Which outputs of nodes its own outputs are.
        tags: Tags of all steps inside it.
        config: The config of its nodes by their names, or what makes it of a config of the graph's own.
        input_assets: By node and input, an asset whose value is loaded.
        composition_fn: The function that it stands for, which says where it is written and what it does.

    Raises:
        DefinitionError: The parts do not fit together.
    """

    def __init__(
        self,
        name: str,
        *,
        description: str | None = None,
        node_defs: Sequence[OpDefinition | GraphDefinition] | None = None,
        dependencies: Dependencies | None = None,
        input_mappings: Sequence[InputMapping] | None = None,
        output_mappings: Sequence[OutputMapping] | None = None,
        config: ConfigMapping | Mapping[str, Any] | None = None,
        tags: Mapping[str, Any] | None = None,
        input_assets: Mapping[str, Mapping[str, Any]] | None = None,
        composition_fn: Callable[..., Any] | None = None,
    ) -> None:
        what = f'Graph "{name}"'
        wiring = wire(
            what,
            node_defs or (),
            dependencies or {},
            input_mappings or (),
            output_mappings or (),
            {
                node: {key: _asset(given, what, node, key) for key, given in inputs.items()}
                for node, inputs in (input_assets or {}).items()
            },
        )
        self._take(
            name,
            wiring,
            description=description or docstring(composition_fn),
            tags=tags,
            source=source_of_call() if composition_fn is None else source_of_function(composition_fn),
            config=config,
        )

    @classmethod
    def wired(
        cls,
        name: str,
        wiring: Wiring,
        *,
        description: str | None = None,
        tags: Mapping[str, Any] | None = None,
        source: Source | None = None,
        config: ConfigMapping | Mapping[str, Any] | None = None,
    ) -> GraphDefinition:
        """A graph whose nodes are wired already."""
        made = object.__new__(cls)
        made._take(name, wiring, description=description, tags=tags, source=source, config=config)
        return made

    def _take(
        self,
        name: str,
        wiring: Wiring,
        *,
        description: str | None,
        tags: Mapping[str, Any] | None,
        source: Source | None,
        config: ConfigMapping | Mapping[str, Any] | None,
    ) -> None:
        self.name = check_name(name, "a graph")
        if isinstance(config, Mapping):
            config = _always(dict(config))
        elif config is not None and not isinstance(config, ConfigMapping):
            raise DefinitionError(
                f'Graph "{name}" ({source}) has the config {config!r}; give a config mapping, or the config of its '
                "nodes by their names."
            )
        self.config_mapping = config
        self.declared_config: DeclaredConfig | None = None if config is None else config.declared_config
        self.wiring = wiring
        self.description = description
        self.tags = normalize_tags(tags, f'Graph "{name}"')
        self.source = source

    @property
    def nodes(self) -> Mapping[str, Node]:
        """Its nodes by name, each after those that feed it."""
        return self.wiring.nodes

    @property
    def ins(self) -> Mapping[str, In]:
        """Its inputs by name."""
        return self.wiring.ins

    @property
    def outs(self) -> Mapping[str, Out]:
        """Its outputs by name."""
        return self.wiring.outs

    @property
    def input_mappings(self) -> list[InputMapping]:
        """Which inputs of nodes its own inputs feed."""
        return input_mappings(self.nodes, self.ins)

    @property
    def output_mappings(self) -> list[OutputMapping]:
        """Which outputs of nodes its own outputs are."""
        mapped = mapped_nodes(self.nodes)
        return [
            OutputMapping(
                name,
                place.node,
                place.output,
                self.outs[name].description,
                self.outs[name].python_type,
                place.node in mapped,
            )
            for name, place in self.wiring.returns.items()
        ]

    def renamed(self, name: str, outputs: Mapping[str, str] | None = None) -> GraphDefinition:
        """This graph with another name, and with other names for some of its outputs."""
        other = outputs or {}
        made = object.__new__(GraphDefinition)
        made.__dict__.update(self.__dict__)
        made.name = check_name(name, "a graph")
        made.wiring = msgspec.structs.replace(
            self.wiring,
            outs={other.get(output, output): out for output, out in self.outs.items()},
            returns={other.get(output, output): place for output, place in self.wiring.returns.items()},
        )
        return made

    def all_ops(self) -> list[OpDefinition]:
        """The ops inside it, however deep; one that is used twice occurs twice."""
        ops: list[OpDefinition] = []
        for node in self.nodes.values():
            ops += node.definition.all_ops() if isinstance(node.definition, GraphDefinition) else [node.definition]
        return ops

    def configured(
        self, config_or_config_fn: Any, name: str, config_schema: Any = None, description: str | None = None
    ) -> GraphDefinition:
        """This graph under another name, with the config that its mapping takes given here or made by a function.

        Args:
            config_or_config_fn: The config, or a function that makes it of what a run config gives.
            name: The name of the new graph.
            config_schema: What the function takes; by its annotation, or anything, if not given.
            description: What the new graph does; what this one does, if not given.

        Raises:
            DefinitionError: This graph has no config mapping.
            InvalidRunConfigError: The config does not fit.
        """
        from ...config.declared import configured_config

        if self.config_mapping is None:
            raise DefinitionError(
                f'Graph "{self.name}" ({self.source}) has no config mapping, so there is no config of its own to give; '
                "add one with @graph(config=...), or give the config of its ops to the job."
            )
        made = self.renamed(name)
        made.description = description or self.description
        made.declared_config = configured_config(
            self.declared_config, config_or_config_fn, config_schema, f'graph "{name}"'
        )
        return made

    def alias(self, name: str) -> PendingNodeInvocation:
        """This graph under another name, to be called inside a graph."""
        return PendingNodeInvocation(self).alias(name)

    def tag(self, tags: Mapping[str, Any]) -> PendingNodeInvocation:
        """This graph with further tags, to be called inside a graph."""
        return PendingNodeInvocation(self).tag(tags)

    def with_hooks(self, hook_defs: Iterable[HookDefinition]) -> PendingNodeInvocation:
        """This graph with hooks for all ops inside it, to be called inside a graph."""
        return PendingNodeInvocation(self).with_hooks(hook_defs)

    def with_retry_policy(self, retry_policy: RetryPolicy) -> PendingNodeInvocation:
        """This graph with a retry policy for the ops inside it that have none, to be called inside a graph."""
        return PendingNodeInvocation(self).with_retry_policy(retry_policy)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Record a node in the graph that is being composed.

        Raises:
            DefinitionError: No graph is being composed, or the arguments do not fit.
        """
        composition = active()
        if composition is None:
            raise DefinitionError(
                f'Graph "{self.name}" ({self.source}) was called outside a @graph or @job function; '
                "run it with execute_in_process(), or make a job of it with to_job()."
            )
        return composition.add(PendingNodeInvocation(self), args, kwargs)

    def to_job(
        self,
        name: str | None = None,
        description: str | None = None,
        resource_defs: Mapping[str, Any] | None = None,
        config: Mapping[str, Any] | RunConfig | ConfigMapping | PartitionedConfig | None = None,
        tags: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        logger_defs: Mapping[str, LoggerDefinition] | None = None,
        executor_def: ExecutorDefinition | None = None,
        hooks: Iterable[HookDefinition] | None = None,
        op_retry_policy: RetryPolicy | None = None,
        op_timeout: float | None = None,
        op_selection: Sequence[str] | None = None,
        partitions_def: PartitionsDefinition | None = None,
        input_values: Mapping[str, Any] | None = None,
        run_tags: Mapping[str, Any] | None = None,
        owners: Iterable[str] | None = None,
    ) -> JobDefinition:
        """A job that runs this graph.

        Args:
            name: The job's name; the graph's if not given.
            description: What it does; the graph's if not given.
            resource_defs: Its own resources; those of the `Definitions` stand in for the rest.
            config: The run config that a run gets where none is given; or a mapping that makes it; or one for each
                partition, which brings the partitions along.
            tags: Its tags, which its runs carry too unless `run_tags` are given.
            metadata: Facts about it.
            logger_defs: By name, loggers that its runs may write to.
            executor_def: What runs its steps.
            hooks: Hooks for all of its steps.
            op_retry_policy: The retry policy of its ops that have none of their own.
            op_timeout: Seconds after which its steps are stopped that have no timeout of their own.
            op_selection: The ops that it runs, such as `["load", "*report", "clean+"]`; all if not given.
            partitions_def: The partitions that its runs work on.
            input_values: By name, values of the graph's inputs; the others are given in the run config.
            run_tags: Tags of its runs.
            owners: Who answers for it.

        Raises:
            DefinitionError: A part is not valid.
            SubsetError: A selected op does not exist.
        """
        from .job import JobDefinition

        made = JobDefinition(
            graph_def=self,
            name=name or self.name,
            description=description or self.description,
            source=self.source,
            resource_defs=resource_defs,
            config=config,
            tags=tags,
            metadata=metadata,
            logger_defs=logger_defs,
            executor_def=executor_def,
            hook_defs=hooks,
            op_retry_policy=op_retry_policy,
            op_timeout=op_timeout,
            partitions_def=partitions_def,
            input_values=input_values,
            run_tags=run_tags,
            owners=owners,
        )
        if op_selection is None:
            return made
        from ..steps.op_selection import select_ops

        return select_ops(made, op_selection)

    def execute_in_process(
        self,
        run_config: Mapping[str, Any] | RunConfig | None = None,
        instance: AnInstance | None = None,
        resources: Mapping[str, Any] | None = None,
        raise_on_error: bool = True,
        op_selection: Sequence[str] | None = None,
        run_id: str | None = None,
        input_values: Mapping[str, Any] | None = None,
    ) -> ExecuteInProcessResult:
        """Run it to its end in this process, as a job without further parts; see `JobDefinition.execute_in_process`."""
        return self.to_job(resource_defs=resources).execute_in_process(
            run_config=run_config,
            instance=instance,
            raise_on_error=raise_on_error,
            op_selection=op_selection,
            run_id=run_id,
            input_values=input_values,
        )

    def __repr__(self) -> str:
        return f"GraphDefinition({self.name!r})"


@overload
def graph(compose_fn: Callable[..., Any], /) -> GraphDefinition: ...
@overload
def graph(
    *,
    name: str | None = None,
    description: str | None = None,
    ins: Mapping[str, GraphIn] | None = None,
    out: GraphOut | Mapping[str, GraphOut] | None = None,
    tags: Mapping[str, Any] | None = None,
    config: ConfigMapping | Mapping[str, Any] | None = None,
) -> Callable[[Callable[..., Any]], GraphDefinition]: ...
def graph(
    compose_fn: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    ins: Mapping[str, GraphIn] | None = None,
    out: GraphOut | Mapping[str, GraphOut] | None = None,
    tags: Mapping[str, Any] | None = None,
    config: ConfigMapping | Mapping[str, Any] | None = None,
) -> GraphDefinition | Callable[[Callable[..., Any]], GraphDefinition]:
    """Make a graph of a function that calls ops and other graphs; the calls record the wiring.

    Args:
        name: Its name; the function's if not given.
        description: What it does; the function's docstring if not given.
        ins: More about its inputs, which are the function's parameters.
        out: Its output, or several by name; they are what the function returns, several as a dict.
        tags: Tags of all steps inside it.
        config: The config of its nodes by their names, or what makes it of a config of the graph's own.

    Raises:
        DefinitionError: The wiring is not valid.
    """

    def define(fn: Callable[..., Any]) -> GraphDefinition:
        own_name = name or fn.__name__
        return compose(fn, own_name, "Graph", ins=ins, out=out, description=description, tags=tags, config=config)

    return define if compose_fn is None else define(compose_fn)


def compose(
    fn: Callable[..., Any],
    name: str,
    kind: str,
    *,
    ins: Mapping[str, GraphIn] | None = None,
    out: GraphOut | Mapping[str, GraphOut] | None = None,
    description: str | None = None,
    tags: Mapping[str, Any] | None = None,
    config: ConfigMapping | Mapping[str, Any] | None = None,
) -> GraphDefinition:
    """Call a graph's function and make the graph of what it recorded.

    Raises:
        DefinitionError: The wiring is not valid.
    """
    what, source = f'{kind} "{name}"', source_of_function(fn)
    check_name(name, f"a {kind.lower()}")
    parameters = list(inspect.signature(fn).parameters)
    if unknown := set(ins or {}) - set(parameters):
        raise DefinitionError(
            f"{what} ({source}) declares the inputs {sorted(unknown)}, which its function has no parameters for; add "
            "them, or drop the inputs."
        )
    composition = Composition(name, what, source)
    returned = composition.compose(fn, {each: GraphInputHandle(each) for each in parameters})
    declared = {DEFAULT_OUTPUT: out} if isinstance(out, GraphOut) else out
    returns = collect_outputs(composition, returned, list(out) if isinstance(out, Mapping) else None)
    nodes = composition.nodes
    mapped = mapped_nodes(nodes)
    wiring = Wiring(
        nodes=nodes,
        ins=node_inputs(nodes, parameters, ins or {}, f"{what} ({source})"),
        returns=returns,
        outs={
            key: node_output(nodes, mapped, place, declared[key].description if declared else None)
            for key, place in returns.items()
        },
    )
    return GraphDefinition.wired(
        name, wiring, description=description or docstring(fn), tags=tags, source=source, config=config
    )


def _asset(given: Any, what: str, node: str, name: str) -> AssetValue:
    value = asset_value(given, f'{what}: the input "{name}" of "{node}"')
    if value is None:
        raise DefinitionError(
            f'{what} has {given!r} among its input_assets, for the input "{name}" of "{node}"; give an asset.'
        )
    return value
