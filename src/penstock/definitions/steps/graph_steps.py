"""Lays a graph flat: one step for each op, however deep, each input traced to the op that feeds it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

import msgspec

from ...errors import DefinitionError
from ...records.run import Tag
from ..ops.graph import GraphDefinition
from ..ops.hooks import HookDefinition
from ..ops.job import JobDefinition
from ..ops.node import AssetValue, Collected, FanIn, GraphInput, Mapped, Node, NodeOutput, NodeSource
from ..ops.op import OpDefinition
from ..ops.ports import In
from ..ops.retry import RetryPolicy, check_timeout
from ..ops.type_loader import is_configurable
from .model import (
    FromAsset,
    FromCollect,
    FromConfig,
    FromDefault,
    FromManager,
    FromMapped,
    FromOutput,
    FromOutputs,
    InputSource,
    OrderOnly,
    Step,
    StepInput,
    StepKind,
    StepOutput,
)

__all__ = ["graph_inside", "graph_steps", "priority_of", "timeout_of"]

Fed: TypeAlias = FromOutput | FromMapped | FromCollect | FromOutputs | FromAsset | FromConfig | FromDefault


class _Around(msgspec.Struct, frozen=True, kw_only=True):
    """What a node inherits from the graphs around it."""

    graph: GraphDefinition
    key: str  # the keys of the steps inside begin with it
    path: tuple[str, ...]  # where the entries of the nodes are in the run config
    fed: Mapping[str, Fed]  # what feeds the graph's own inputs
    tags: dict[str, str]
    retry_policy: RetryPolicy | None
    hooks: frozenset[HookDefinition]


def graph_steps(job: JobDefinition, graph: GraphDefinition) -> dict[str, Step]:
    """The steps of a graph by key, each after those that it depends on.

    Raises:
        DefinitionError: A dynamic output is used in a way that has no meaning.
    """
    top = _Around(
        graph=graph,
        key="",
        path=(),
        fed={
            name: FromDefault(job.input_values[name]) if name in job.input_values else FromConfig(("inputs", name))
            for name in graph.ins
        },
        tags=graph.tags,
        retry_policy=job.op_retry_policy,
        hooks=job.hooks,
    )
    steps: dict[str, Step] = {}
    _lay(top, steps, job)
    return steps


def graph_inside(
    job: JobDefinition, graph: GraphDefinition, fed: Mapping[str, FromAsset], hooks: frozenset[HookDefinition]
) -> tuple[dict[str, Step], dict[str, FromOutput]]:
    """The steps of a graph that makes assets as a part of a job, and the step's output behind each output of it.

    Args:
        job: The job.
        graph: The graph; the keys of its steps begin with its name.
        fed: What its inputs are loaded from.
        hooks: Hooks for all of its steps.

    Raises:
        DefinitionError: A dynamic output is used in a way that has no meaning.
    """
    around = _Around(
        graph=graph,
        key=f"{graph.name}.",
        path=("ops", graph.name),
        fed=dict(fed),
        tags=graph.tags,
        retry_policy=job.op_retry_policy,
        hooks=hooks,
    )
    steps: dict[str, Step] = {}
    _lay(around, steps, job)
    ends = {name: FromOutput(*_leaf(inner.node, inner.output, around)) for name, inner in graph.wiring.returns.items()}
    return steps, ends


def _lay(around: _Around, steps: dict[str, Step], job: JobDefinition) -> None:
    for node in around.graph.nodes.values():
        path = (*around.path, "ops", node.name)
        fed = {
            name: found for name, source in node.sources.items() if (found := _trace(source, around, steps)) is not None
        }
        definition = node.definition
        tags = {**around.tags, **definition.tags, **node.tags}
        hooks = around.hooks | node.hooks
        if isinstance(definition, GraphDefinition):
            open_inputs = {name: FromConfig((*path, "inputs", name)) for name in definition.ins if name not in fed}
            inner = _Around(
                graph=definition,
                key=f"{around.key}{node.name}.",
                path=path,
                fed={**open_inputs, **fed},
                tags=tags,
                retry_policy=node.retry_policy or around.retry_policy,
                hooks=hooks,
            )
            _lay(inner, steps, job)
            continue
        step = _step(node, definition, around, path, fed, tags, hooks, job)
        mapped_by = _mapped_by(step, steps, job)
        if mapped_by is not None:
            step = msgspec.structs.replace(step, mapped_by=mapped_by, kind=StepKind.UNRESOLVED_MAPPED)
        steps[step.key] = step


def _step(
    node: Node,
    op: OpDefinition,
    around: _Around,
    path: tuple[str, ...],
    fed: Mapping[str, Fed],
    tags: dict[str, str],
    hooks: frozenset[HookDefinition],
    job: JobDefinition,
) -> Step:
    inputs = tuple(_inputs(op, fed, path))
    collects = any(isinstance(each, FromCollect) for given in inputs for each in given.upstream())
    return Step(
        key=f"{around.key}{node.name}",
        op=op,
        kind=StepKind.UNRESOLVED_COLLECT if collects else StepKind.COMPUTE,
        inputs=inputs,
        outputs=tuple(
            StepOutput(
                name=name,
                definition=out,
                io_manager_key=out.io_manager_key,
                required=out.is_required,
                dynamic=out.is_dynamic,
                metadata=out.metadata,
            )
            for name, out in op.outs.items()
        ),
        config_path=path,
        tags=tags,
        retry_policy=node.retry_policy or op.retry_policy or around.retry_policy,
        timeout=timeout_of(op, {**op.tags, **node.tags}, around.tags, job),
        pool=op.pool,
        hooks=hooks,
        priority=priority_of(tags),
    )


def priority_of(tags: Mapping[str, str]) -> int:
    """The priority that tags ask for; what is not a whole number counts as 0."""
    try:
        return int(tags.get(Tag.PRIORITY, "0"))
    except ValueError:
        return 0


def timeout_of(op: OpDefinition, own: Mapping[str, str], around: Mapping[str, str], job: JobDefinition) -> float | None:
    """Seconds after which an attempt of a step is stopped; None for never.

    Args:
        op: The step's op.
        own: The tags of op and node.
        around: The tags of the graphs around the node.
        job: The job.

    Raises:
        DefinitionError: A tag does not hold a number of seconds.
    """
    for given in (own.get(Tag.TIMEOUT), op.timeout, around.get(Tag.TIMEOUT), job.op_timeout, job.tags.get(Tag.TIMEOUT)):
        if isinstance(given, str):
            try:
                return check_timeout(float(given), op.what)
            except ValueError as error:
                raise DefinitionError(
                    f"{op.what} ({op.source}) runs under the tag {Tag.TIMEOUT} with the value {given!r}; give seconds."
                ) from error
        if given is not None:
            return given
    return None


def _inputs(op: OpDefinition, fed: Mapping[str, Fed], path: tuple[str, ...]) -> Iterator[StepInput]:
    for name, definition in op.ins.items():
        source = _input_source(name, definition, fed.get(name), path)
        if source is not None:
            yield StepInput(
                name=name, source=source, definition=definition, io_manager_key=definition.input_manager_key
            )


def _input_source(name: str, definition: In, fed: Fed | None, path: tuple[str, ...]) -> InputSource | None:
    if definition.is_nothing:
        match fed:
            case FromOutput() | FromMapped() | FromCollect():
                return OrderOnly((fed,))
            case FromOutputs():
                return OrderOnly(fed.outputs)
            case _:
                return None  # nothing to wait for
    if fed is not None and not isinstance(fed, FromConfig):
        return fed
    if definition.input_manager_key is not None and definition.asset is None:
        return FromManager()
    place = FromConfig((*path, "inputs", name)) if fed is None else fed
    if definition.has_default:
        if is_configurable(definition.python_type):
            return FromConfig(place.path, definition.default_value)
        return FromDefault(definition.default_value)
    if fed is None and definition.asset is not None:
        return FromAsset(
            asset_key=definition.asset.to_user_string(),
            io_manager_key=definition.input_manager_key or "io_manager",
            metadata=definition.metadata,
        )
    return place


def _trace(source: NodeSource, around: _Around, steps: Mapping[str, Step]) -> Fed | None:
    """The step's output behind a source in a graph; None for a graph's input that nothing feeds."""
    match source:
        case GraphInput():
            return around.fed.get(source.name)
        case NodeOutput():
            return FromOutput(*_leaf(source.node, source.output, around))
        case Mapped():
            found = FromMapped(*_leaf(source.node, source.output, around))
            # A graph gives a dynamic output also where a node inside it runs for each value of another one.
            return found if steps[found.step].gives_dynamic(found.output) else FromOutput(found.step, found.output)
        case AssetValue():
            return FromAsset(
                asset_key=source.asset_key,
                io_manager_key=source.io_manager_key,
                metadata=source.metadata,
                partitions=source.partitions,
            )
        case Collected():
            return FromCollect(*_leaf(source.node, source.output, around))
        case FanIn():
            parts: list[FromOutput | FromCollect | FromConfig | FromDefault] = []
            for each in source.sources:
                match _trace(each, around, steps):
                    case FromOutput() | FromCollect() | FromConfig() | FromDefault() as part:
                        parts.append(part)
                    case FromOutputs() as several:
                        parts += several.sources
                    case _:
                        raise DefinitionError(
                            f'Graph "{around.graph.name}" ({around.graph.source}) puts its input into a list that '
                            "an op "
                            "takes, but that input is one value of a dynamic output; collect it first."
                        )
            return FromOutputs(tuple(parts))


def _leaf(node: str, output: str, around: _Around) -> tuple[str, str]:
    """The step and output behind an output of a node: that of an op, however deep."""
    key = around.key
    graph = around.graph
    while isinstance(definition := graph.nodes[node].definition, GraphDefinition):
        key = f"{key}{node}."
        graph = definition
        inner = graph.wiring.returns[output]
        node, output = inner.node, inner.output
    return f"{key}{node}", output


def _mapped_by(step: Step, steps: Mapping[str, Step], job: JobDefinition) -> FromOutput | None:
    """The dynamic output for whose values a step runs, by its own inputs or by the steps that it follows."""
    found: dict[FromOutput, str] = {}
    for given in step.inputs:
        for source in given.upstream():
            match source:
                case FromMapped():
                    origin = FromOutput(source.step, source.output)
                    if steps[source.step].mapped_by is not None:
                        raise _nested(source.step, job)
                    found[origin] = given.name
                case FromOutput() if (origin_of := steps[source.step].mapped_by) is not None:
                    found[origin_of] = given.name
    if len(found) > 1:
        names = " and ".join(f'"{each.output}" of "{each.step}"' for each in found)
        raise DefinitionError(
            f'Step "{step.key}" of job "{job.name}" ({job.source}) would run once for each value of two dynamic '
            "outputs, "
            f"{names}; collect one of them first."
        )
    if not found:
        return None
    if any(output.dynamic for output in step.outputs):
        raise _nested(step.key, job)
    return next(iter(found))


def _nested(step: str, job: JobDefinition) -> DefinitionError:
    return DefinitionError(
        f'Step "{step}" of job "{job.name}" ({job.source}) has a dynamic output and itself runs once for each value of '
        "another; a dynamic output inside a mapped step is not supported, so collect first."
    )
