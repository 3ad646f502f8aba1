"""The graph: nodes and what feeds them, recorded from a function that calls ops and other graphs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

from ...config.mapping import ConfigMapping
from ...errors import DefinitionError
from ..names import check_name, normalize_tags
from ..source import Source, source_of_function
from .composition import Composition, GraphInputHandle, Invocation, active, collect_outputs
from .hooks import HookDefinition
from .node import Collected, FanIn, GraphInput, Node, NodeOutput
from .ports import DynamicOut, GraphIn, GraphOut, In, Out
from .retry import RetryPolicy

if TYPE_CHECKING:
    from ...config.declared import DeclaredConfig
    from ...config.run_config import RunConfig
    from ...execution.api import AnInstance, ExecuteInProcessResult
    from ...partitions.definition import PartitionsDefinition
    from ..executors import ExecutorDefinition
    from .job import JobDefinition
    from .op import OpDefinition

__all__ = ["GraphDefinition", "compose", "graph"]


class GraphDefinition:
    """Ops and graphs wired together. Make one with `@graph`.

    Args:
        name: Its name: letters, digits and `_`.
        nodes: Its nodes by name, each after those that feed it.
        ins: Its inputs by name.
        output_mappings: Which outputs of nodes its own outputs are.
        description: What it does.
        tags: Tags of all steps inside it.
        source: Where it is written.
        config: Makes the config of its nodes of a config of the graph's own.
    """

    def __init__(
        self,
        name: str,
        *,
        nodes: Mapping[str, Node],
        ins: Mapping[str, In] | None = None,
        output_mappings: Mapping[str, NodeOutput] | None = None,
        description: str | None = None,
        tags: Mapping[str, Any] | None = None,
        source: Source | None = None,
        config: ConfigMapping | None = None,
    ) -> None:
        self.name = check_name(name, "a graph")
        if config is not None and not isinstance(config, ConfigMapping):
            raise DefinitionError(
                f'Graph "{name}" ({source}) has the config {config!r}; give a config mapping here, and plain config '
                "to the job that is made of the graph."
            )
        self.config_mapping = config
        self.declared_config: DeclaredConfig | None = None if config is None else config.declared_config
        self.nodes = dict(nodes)
        self.ins: dict[str, In] = dict(ins or {})
        self.output_mappings = dict(output_mappings or {})
        self.description = description
        self.tags = normalize_tags(tags, f'Graph "{name}"')
        self.source = source
        self.outs: dict[str, Out] = {key: self._out(mapped) for key, mapped in self.output_mappings.items()}

    def _out(self, mapped: NodeOutput) -> Out:
        inner = self.nodes[mapped.node].definition.outs[mapped.output]
        return DynamicOut(inner.python_type) if inner.is_dynamic else Out(inner.python_type)

    def renamed(self, name: str, outputs: Mapping[str, str] | None = None) -> GraphDefinition:
        """This graph with another name, and with other names for some of its outputs."""
        other = outputs or {}
        made = object.__new__(GraphDefinition)
        made.__dict__.update(self.__dict__)
        made.name = check_name(name, "a graph")
        made.outs = {other.get(output, output): out for output, out in self.outs.items()}
        made.output_mappings = {other.get(output, output): each for output, each in self.output_mappings.items()}
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

    def alias(self, name: str) -> Invocation:
        """This graph under another name, to be called inside a graph."""
        return Invocation(self).alias(name)

    def tag(self, tags: Mapping[str, Any]) -> Invocation:
        """This graph with further tags, to be called inside a graph."""
        return Invocation(self).tag(tags)

    def with_hooks(self, hook_defs: Iterable[HookDefinition]) -> Invocation:
        """This graph with hooks for all ops inside it, to be called inside a graph."""
        return Invocation(self).with_hooks(hook_defs)

    def with_retry_policy(self, retry_policy: RetryPolicy) -> Invocation:
        """This graph with a retry policy for the ops inside it that have none, to be called inside a graph."""
        return Invocation(self).with_retry_policy(retry_policy)

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
        return composition.add(Invocation(self), args, kwargs)

    def to_job(
        self,
        name: str | None = None,
        description: str | None = None,
        resource_defs: Mapping[str, Any] | None = None,
        config: Mapping[str, Any] | RunConfig | ConfigMapping | None = None,
        tags: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        executor_def: ExecutorDefinition | None = None,
        hooks: Iterable[HookDefinition] | None = None,
        op_retry_policy: RetryPolicy | None = None,
        partitions_def: PartitionsDefinition | None = None,
        run_tags: Mapping[str, Any] | None = None,
        owners: Iterable[str] | None = None,
    ) -> JobDefinition:
        """A job that runs this graph.

        Args:
            name: The job's name; the graph's if not given.
            description: What it does; the graph's if not given.
            resource_defs: Its own resources; those of the `Definitions` stand in for the rest.
            config: The run config that a run gets where none is given; or a mapping that makes it.
            tags: Its tags, which its runs carry too unless `run_tags` are given.
            metadata: Facts about it.
            executor_def: What runs its steps.
            hooks: Hooks for all of its steps.
            op_retry_policy: The retry policy of its ops that have none of their own.
            partitions_def: The partitions that its runs work on.
            run_tags: Tags of its runs.
            owners: Who answers for it.

        Raises:
            DefinitionError: A part is not valid.
        """
        from .job import JobDefinition

        return JobDefinition(
            graph=self,
            name=name or self.name,
            description=description or self.description,
            source=self.source,
            resource_defs=resource_defs,
            config=config,
            tags=tags,
            metadata=metadata,
            executor_def=executor_def,
            hooks=hooks,
            op_retry_policy=op_retry_policy,
            partitions_def=partitions_def,
            run_tags=run_tags,
            owners=owners,
        )

    def execute_in_process(
        self,
        run_config: Mapping[str, Any] | RunConfig | None = None,
        instance: AnInstance | None = None,
        resources: Mapping[str, Any] | None = None,
        raise_on_error: bool = True,
        op_selection: Sequence[str] | None = None,
        run_id: str | None = None,
    ) -> ExecuteInProcessResult:
        """Run it to its end in this process, as a job without further parts; see `JobDefinition.execute_in_process`."""
        return self.to_job(resource_defs=resources).execute_in_process(
            run_config=run_config,
            instance=instance,
            raise_on_error=raise_on_error,
            op_selection=op_selection,
            run_id=run_id,
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
    config: ConfigMapping | None = None,
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
    config: ConfigMapping | None = None,
) -> GraphDefinition | Callable[[Callable[..., Any]], GraphDefinition]:
    """Make a graph of a function that calls ops and other graphs; the calls record the wiring.

    Args:
        name: Its name; the function's if not given.
        description: What it does; the function's docstring if not given.
        ins: More about its inputs, which are the function's parameters.
        out: Its output, or several by name; they are what the function returns, several as a dict.
        tags: Tags of all steps inside it.
        config: Makes the config of its nodes of a config of the graph's own.

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
    config: ConfigMapping | None = None,
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
            f"{what} ({source}) declares the inputs {sorted(unknown)}, which its function has no parameters for."
        )
    composition = Composition(name, what, source)
    returned = composition.compose(fn, {each: GraphInputHandle(each) for each in parameters})
    names = list(out) if isinstance(out, Mapping) else None
    outputs = collect_outputs(composition, returned, names)
    return GraphDefinition(
        name,
        nodes=composition.nodes,
        ins=_inputs(composition, parameters, ins or {}),
        output_mappings=outputs,
        description=description or (inspect.cleandoc(fn.__doc__) if fn.__doc__ else None),
        tags=tags,
        source=source,
        config=config,
    )


def _inputs(composition: Composition, parameters: Iterable[str], declared: Mapping[str, GraphIn]) -> dict[str, In]:
    """The graph's inputs, each of the type of the first op's input that it feeds."""
    fed: dict[str, In] = {}
    for node in composition.nodes.values():
        for input_name, source in node.sources.items():
            parts: tuple[NodeOutput | GraphInput | Collected, ...]
            match source:
                case GraphInput():
                    parts = (source,)
                case FanIn():
                    parts = source.sources
                case _:
                    continue
            for part in parts:
                if isinstance(part, GraphInput):
                    fed.setdefault(part.name, node.definition.ins[input_name])
    result = {}
    for name in parameters:
        if name not in fed:
            raise DefinitionError(
                f'{composition.what} ({composition.source}) does not use its input "{name}"; '
                "pass it to an op, or remove the parameter."
            )
        description = declared[name].description if name in declared else None
        result[name] = In(fed[name].python_type, description=description or fed[name].description)
    return result
