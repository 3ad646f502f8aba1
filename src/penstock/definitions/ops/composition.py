"""Composition: inside a `@graph` or `@job` function a call of an op records a node instead of running it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from ...errors import DefinitionError
from ...wording import did_you_mean
from ..names import check_name, normalize_tags
from ..source import Source, place_of_call
from .asset_inputs import asset_value
from .hooks import HookDefinition, check_hooks
from .node import AssetValue, Collected, FanIn, GraphInput, Mapped, Node, NodeOutput, NodeSource
from .ports import In, Out
from .retry import RetryPolicy

if TYPE_CHECKING:
    from ...execution.api import ExecuteInProcessResult
    from .graph import GraphDefinition
    from .job import JobDefinition
    from .op import OpDefinition

__all__ = [
    "Composition",
    "DynamicHandle",
    "GraphInputHandle",
    "MappedHandle",
    "OutputHandles",
    "PendingNodeInvocation",
    "active",
    "collect_outputs",
]


class _Handle:
    """An output of a node, as a graph's function passes it on."""

    __slots__ = ("node", "output")

    def __init__(self, node: str, output: str) -> None:
        self.node = node
        self.output = output

    def __iter__(self) -> Any:
        raise DefinitionError(
            f"The output {self.output!r} of {self.node!r} is a promise here{place_of_call()} and cannot be looped "
            "over; declare several outputs with out={...}, or a DynamicOut and use .map()."
        )

    def __bool__(self) -> bool:
        raise DefinitionError(
            f"The output {self.output!r} of {self.node!r} is a promise here{place_of_call()} and has no value to "
            "decide on; decide inside an op, and give an optional output (Out(is_required=False)) to branch."
        )


class OutputHandle(_Handle):
    """An ordinary output."""

    __slots__ = ()


class DynamicHandle(_Handle):
    """A dynamic output."""

    __slots__ = ()

    def map(self, fn: Callable[[Any], Any]) -> Any:
        """Run what `fn` composes once for each value; gives the outputs, to `map` further or to `collect`."""
        return _spread(fn(_MappedValue(self.node, self.output)))

    def collect(self) -> _CollectedHandle:
        """All values as one list."""
        return _CollectedHandle(self.node, self.output)


class MappedHandle(_Handle):
    """An output of a node that runs once for each value of a dynamic output."""

    __slots__ = ()

    def map(self, fn: Callable[[Any], Any]) -> Any:
        """Run what `fn` composes once for each value of this output."""
        return _spread(fn(OutputHandle(self.node, self.output)))

    def collect(self) -> _CollectedHandle:
        """The values of all runs as one list."""
        return _CollectedHandle(self.node, self.output)


class _MappedValue(_Handle):
    __slots__ = ()


class _CollectedHandle(_Handle):
    __slots__ = ()


class GraphInputHandle:
    """An input of the graph that is being composed."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class OutputHandles(tuple[Any, ...]):
    """The outputs of a node that has several: by position or as attributes."""

    names: tuple[str, ...]

    def __new__(cls, names: tuple[str, ...], handles: Iterable[Any]) -> OutputHandles:
        result = super().__new__(cls, tuple(handles))
        result.names = names
        return result

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("__") and name in self.names:
            return self[self.names.index(name)]
        raise AttributeError(f"There is no output {name!r}; the outputs are {', '.join(self.names)}.")


def _spread(result: Any) -> Any:
    """What a mapped function returned, with each output marked as one per value."""
    if isinstance(result, OutputHandles):
        return OutputHandles(result.names, (_spread(each) for each in result))
    if isinstance(result, tuple):
        return tuple(_spread(each) for each in result)
    if isinstance(result, OutputHandle):
        return MappedHandle(result.node, result.output)
    if result is None or isinstance(result, MappedHandle | DynamicHandle):  # the latter is refused with its job
        return result
    raise DefinitionError(f"A mapped function returns outputs of ops or nothing, not {result!r}.")


class Composition:
    """One graph's function being called: the nodes so far."""

    def __init__(self, name: str, what: str, source: Source | None) -> None:
        self.name = name
        self.what = what
        self.source = source
        self.nodes: dict[str, Node] = {}

    def compose(self, fn: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
        """Call `fn`; the calls of ops and graphs inside it are recorded here."""
        token = _active.set(self)
        try:
            return fn(**arguments)
        finally:
            _active.reset(token)

    def add(self, invocation: PendingNodeInvocation, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Record a node and give the handles of its outputs."""
        definition = invocation.definition
        name = invocation.given_name or self._free_name(definition.name)
        if name in self.nodes:
            raise DefinitionError(
                f'{self.what} ({self.source}) uses the name "{name}" twice; '
                'give one of them another with .alias("...").'
            )
        given = self._bind(definition.ins, name, args, kwargs)
        sources = {key: self._source(value, name, key) for key, value in given.items()}
        self.nodes[name] = Node(
            name=name,
            definition=definition,
            sources=sources,
            tags=invocation.node_tags,
            retry_policy=invocation.node_retry_policy,
            hooks=invocation.node_hooks,
        )
        outs = definition.outs
        handles = [_handle(name, key, out) for key, out in outs.items()]
        if len(handles) == 1:
            return handles[0]
        return OutputHandles(tuple(outs), handles) if handles else None

    def _free_name(self, name: str) -> str:
        if name not in self.nodes:
            return name
        number = 2
        while f"{name}_{number}" in self.nodes:
            number += 1
        return f"{name}_{number}"

    def _bind(self, ins: Mapping[str, In], node: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        names = list(ins)
        if len(args) > len(names):
            raise DefinitionError(
                f'{self.what}{place_of_call()} gives "{node}" {len(args)} values by position, but it has '
                f"{len(names)} inputs ({', '.join(names) or 'none'}); pass only these."
            )
        given = dict(zip(names, args, strict=False))
        for key, value in kwargs.items():
            if key not in ins:
                raise DefinitionError(
                    f'{self.what}{place_of_call()} gives "{node}" the input "{key}", which it does not have'
                    f"{did_you_mean(key, names)}"
                )
            if key in given:
                raise DefinitionError(
                    f'{self.what}{place_of_call()} gives "{node}" its input "{key}" twice, by position and by name; '
                    "keep one."
                )
            given[key] = value
        return given

    def _source(self, value: Any, node: str, name: str) -> NodeSource:
        match value:
            case OutputHandle():
                return NodeOutput(value.node, value.output)
            case _MappedValue():
                return Mapped(value.node, value.output)
            case _CollectedHandle():
                return Collected(value.node, value.output)
            case GraphInputHandle():
                return GraphInput(value.name)
            case DynamicHandle():
                raise DefinitionError(
                    f'{self.what}{place_of_call()} gives the input "{name}" of "{node}" the dynamic output '
                    f'"{value.output}" of "{value.node}" as it is; use .map() to run once for each value or '
                    ".collect() for all as a list."
                )
            case MappedHandle():
                raise DefinitionError(
                    f'{self.what}{place_of_call()} gives the input "{name}" of "{node}" a mapped output of '
                    f'"{value.node}" as it is; use .map() to go on for each value or .collect() for all as a list.'
                )
            case list() | tuple() if not isinstance(value, OutputHandles):
                return FanIn(tuple(self._part(each, node, name) for each in value))
            case OutputHandles():
                raise DefinitionError(
                    f'{self.what}{place_of_call()} gives the input "{name}" of "{node}" all outputs '
                    f"({', '.join(value.names)}) of an op at once; choose one, for example .{value.names[0]}."
                )
            case _:
                if (
                    asset := asset_value(value, f'In {self.what} ({self.source}) the input "{name}" of "{node}"')
                ) is not None:
                    return asset
                raise DefinitionError(
                    f'{self.what}{place_of_call()} gives the input "{name}" of "{node}" the value {value!r}; pass '
                    "outputs "
                    "of other ops here, and constants as config or as a default of the op's parameter."
                )

    def _part(self, value: Any, node: str, name: str) -> NodeOutput | GraphInput | Collected:
        source = self._source(value, node, name)
        if isinstance(source, FanIn | Mapped | AssetValue):
            raise DefinitionError(
                f'{self.what}{place_of_call()} gives the input "{name}" of "{node}" a list that holds something '
                "else than plain outputs of ops; pass a list of outputs alone."
            )
        return source


def _handle(node: str, output: str, out: Out) -> OutputHandle | DynamicHandle:
    return DynamicHandle(node, output) if out.is_dynamic else OutputHandle(node, output)


_active: ContextVar[Composition | None] = ContextVar("penstock_composition", default=None)


def active() -> Composition | None:
    """The composition that is going on here, if any."""
    return _active.get()


Invoked: TypeAlias = "OpDefinition | GraphDefinition"


class PendingNodeInvocation:
    """A use of an op or graph before its call: with a name, tags, hooks or a retry policy of its own."""

    __slots__ = ("definition", "given_name", "node_hooks", "node_retry_policy", "node_tags")

    def __init__(
        self,
        definition: Invoked,
        given_name: str | None = None,
        tags: dict[str, str] | None = None,
        retry_policy: RetryPolicy | None = None,
        hooks: frozenset[HookDefinition] = frozenset(),
    ) -> None:
        self.definition = definition
        self.given_name = given_name
        self.node_tags = tags or {}
        self.node_retry_policy = retry_policy
        self.node_hooks = hooks

    def _with(self, **changes: Any) -> PendingNodeInvocation:
        values: dict[str, Any] = {
            "given_name": self.given_name,
            "tags": self.node_tags,
            "retry_policy": self.node_retry_policy,
            "hooks": self.node_hooks,
        }
        return PendingNodeInvocation(self.definition, **(values | changes))

    def alias(self, name: str) -> PendingNodeInvocation:
        """Use it under another name."""
        return self._with(given_name=check_name(name, "a use of an op or graph"))

    def tag(self, tags: Mapping[str, Any]) -> PendingNodeInvocation:
        """Use it with further tags."""
        return self._with(tags=self.node_tags | normalize_tags(tags, f'"{self.definition.name}"'))

    def with_hooks(self, hook_defs: Iterable[HookDefinition]) -> PendingNodeInvocation:
        """Use it with hooks."""
        return self._with(hooks=self.node_hooks | check_hooks(hook_defs, f'"{self.definition.name}"'))

    def with_retry_policy(self, retry_policy: RetryPolicy) -> PendingNodeInvocation:
        """Use it with another retry policy."""
        return self._with(retry_policy=retry_policy)

    def to_job(
        self,
        name: str | None = None,
        description: str | None = None,
        resource_defs: Mapping[str, Any] | None = None,
        config: Any = None,
        tags: Mapping[str, Any] | None = None,
        logger_defs: Mapping[str, Any] | None = None,
        executor_def: Any = None,
        hooks: Iterable[HookDefinition] | None = None,
        op_retry_policy: RetryPolicy | None = None,
        partitions_def: Any = None,
        input_values: Mapping[str, Any] | None = None,
    ) -> JobDefinition:
        """A job that runs this graph under its name here, with its tags, hooks and retry policy.

        See `GraphDefinition.to_job` for the arguments.

        Raises:
            DefinitionError: It is an op, or a part is not valid.
        """
        graph = self.definition
        if not hasattr(graph, "to_job"):
            raise DefinitionError(f'"{graph.name}" is an op, and jobs are made of graphs; call it in a @job function.')
        made: JobDefinition = graph.to_job(
            name=name or self.given_name,
            description=description,
            resource_defs=resource_defs,
            config=config,
            tags={**self.node_tags, **(tags or {})},
            logger_defs=logger_defs,
            executor_def=executor_def,
            hooks=self.node_hooks.union(hooks or ()),
            op_retry_policy=op_retry_policy or self.node_retry_policy,
            partitions_def=partitions_def,
            input_values=input_values,
        )
        return made

    def execute_in_process(
        self,
        run_config: Any = None,
        instance: Any = None,
        resources: Mapping[str, Any] | None = None,
        raise_on_error: bool = True,
        run_id: str | None = None,
        input_values: Mapping[str, Any] | None = None,
    ) -> ExecuteInProcessResult:
        """Run this graph to its end in this process; see `JobDefinition.execute_in_process`."""
        return self.to_job(resource_defs=resources).execute_in_process(
            run_config=run_config,
            instance=instance,
            raise_on_error=raise_on_error,
            run_id=run_id,
            input_values=input_values,
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Record the use in the graph that is being composed.

        Raises:
            DefinitionError: No graph is being composed, or the arguments do not fit.
        """
        composition = active()
        if composition is None:
            raise DefinitionError(
                f'"{self.definition.name}" with a name, tags, hooks or retry policy of its own can only be called '
                "inside a @graph or @job function; call the op itself to run its code."
            )
        return composition.add(self, args, kwargs)


def collect_outputs(composition: Composition, returned: Any, names: Iterable[str] | None) -> dict[str, NodeOutput]:
    """Which outputs of nodes a graph's function returned, by the graph's output names."""
    if returned is None:
        given: dict[str, Any] = {}
    elif isinstance(returned, dict):
        given = returned
    elif isinstance(returned, OutputHandles):
        given = dict(zip(names or returned.names, returned, strict=False))
    elif isinstance(returned, tuple | list):
        given = dict(zip(names or (f"output_{index}" for index in range(len(returned))), returned, strict=False))
    else:
        given = {next(iter(names)) if names else "result": returned}
    wanted = list(names) if names is not None else list(given)
    if set(wanted) != set(given):
        raise DefinitionError(
            f"{composition.what} ({composition.source}) returns the outputs {sorted(given)}, "
            f"but declares {sorted(wanted)}; make both the same."
        )
    result: dict[str, NodeOutput] = {}
    for name in wanted:
        value = given[name]
        if not isinstance(value, OutputHandle | DynamicHandle | MappedHandle):
            raise DefinitionError(
                f'{composition.what} ({composition.source}) returns {value!r} as its output "{name}"; '
                "return outputs of ops that it calls."
            )
        result[name] = NodeOutput(cast("_Handle", value).node, cast("_Handle", value).output)
    return result
