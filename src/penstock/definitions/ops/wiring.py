"""How the nodes of a graph hang together, and the wiring of a graph that is written as dependencies between nodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any, TypeAlias, get_args, get_origin

import msgspec

from ...errors import DefinitionError
from ..function import NO_DEFAULT, UNKNOWN
from .dependencies import (
    Dependencies,
    Dependency,
    DependencyDefinition,
    DynamicCollectDependencyDefinition,
    GraphInputPlaceholder,
    InputMapping,
    NodeInvocation,
    OutputMapping,
    check_dependency,
)
from .node import AssetValue, Collected, FanIn, GraphInput, Mapped, Node, NodeOutput, NodeSource
from .ports import DynamicOut, GraphIn, In, Out

if TYPE_CHECKING:
    from .graph import GraphDefinition
    from .op import OpDefinition

__all__ = ["Wiring", "element_type", "fed_by", "input_mappings", "mapped_nodes", "node_inputs", "node_output", "wire"]

Placed: TypeAlias = "OpDefinition | GraphDefinition"


class Wiring(msgspec.Struct, frozen=True, kw_only=True):
    """The inside of a graph.

    Args:
        nodes: Its nodes by name, each after those that feed it.
        ins: Its inputs by name.
        returns: Which outputs of nodes its own outputs are.
        outs: Its outputs by name.
        left_out: The names of nodes that a selection left out; a run config may still have entries for them.
    """

    nodes: dict[str, Node]
    ins: dict[str, In] = {}
    returns: dict[str, NodeOutput] = {}
    outs: dict[str, Out] = {}
    left_out: frozenset[str] = frozenset()


def element_type(annotation: Any) -> Any:
    """What the values of a list are, as far as its annotation says."""
    arguments = get_args(annotation) if get_origin(annotation) in (list, Sequence, Iterable) else ()
    return arguments[0] if arguments else UNKNOWN


def fed_by(source: NodeSource) -> Iterator[NodeOutput | Mapped | Collected]:
    """The outputs of other nodes behind what feeds an input."""
    match source:
        case NodeOutput() | Mapped() | Collected():
            yield source
        case FanIn():
            for part in source.sources:
                yield from fed_by(part)


def mapped_nodes(nodes: Mapping[str, Node]) -> set[str]:
    """The nodes that run once for each value of a dynamic output of a node beside them."""
    found: set[str] = set()
    for name, node in nodes.items():
        for given in node.sources.values():
            for source in fed_by(given):
                if isinstance(source, Mapped) or (isinstance(source, NodeOutput) and source.node in found):
                    found.add(name)
    return found


def node_output(
    nodes: Mapping[str, Node],
    mapped: Iterable[str],
    place: NodeOutput,
    description: str | None = None,
    python_type: object = UNKNOWN,
) -> Out:
    """An output of a graph, from the node's output that it is."""
    inner = nodes[place.node].definition.outs[place.output]
    kind = DynamicOut if inner.is_dynamic or place.node in mapped else Out
    return kind(inner.python_type if python_type is UNKNOWN else python_type, description or inner.description)


def node_inputs(
    nodes: Mapping[str, Node], names: Iterable[str], declared: Mapping[str, GraphIn], what: str
) -> dict[str, In]:
    """A graph's inputs, each of the type of the first node's input that it feeds, and with its default.

    Raises:
        DefinitionError: An input feeds no node.
    """
    fed: dict[str, list[In]] = {}
    for node in nodes.values():
        for input_name, source in node.sources.items():
            given = node.definition.ins[input_name]
            if isinstance(source, GraphInput):
                fed.setdefault(source.name, []).append(given)
            elif isinstance(source, FanIn):
                part_of = In(element_type(given.python_type), description=given.description)
                for part in source.sources:
                    if isinstance(part, GraphInput):
                        fed.setdefault(part.name, []).append(part_of)
    result = {}
    for name in names:
        if name not in fed:
            raise DefinitionError(f'{what} does not use its input "{name}"; pass it to an op, or remove the parameter.')
        first = fed[name][0]
        described = declared[name].description if name in declared else None
        result[name] = In(
            first.python_type,
            description=described or first.description,
            default_value=first.default_value if all(each.has_default for each in fed[name]) else NO_DEFAULT,
        )
    return result


def input_mappings(nodes: Mapping[str, Node], ins: Mapping[str, In]) -> list[InputMapping]:
    """Which inputs of nodes a graph's own inputs feed."""
    found = []
    for node in nodes.values():
        for name, source in node.sources.items():
            parts = enumerate(source.sources) if isinstance(source, FanIn) else [(None, source)]
            for index, part in parts:
                if isinstance(part, GraphInput):
                    given = ins[part.name]
                    found.append(InputMapping(part.name, node.name, name, index, given.description, given.python_type))
    return found


def wire(
    what: str,
    node_defs: Iterable[Placed],
    dependencies: Dependencies,
    ins: Iterable[InputMapping],
    outs: Iterable[OutputMapping],
    assets: Mapping[str, Mapping[str, AssetValue]],
) -> Wiring:
    """The wiring of a graph that is written as dependencies.

    Args:
        what: The graph, as messages name it.
        node_defs: The ops and graphs that are used.
        dependencies: By node, what feeds its inputs; a node without entry is fed by nothing.
        ins: The graph's inputs.
        outs: The graph's outputs.
        assets: By node and input, the asset whose value is loaded.

    Raises:
        DefinitionError: A name means nothing, or nodes feed each other in a circle.
    """
    ins, outs = list(ins), list(outs)
    given = _Given(what, _placed(what, node_defs, dependencies), ins, assets)
    nodes = {name: given.node(name) for name in given.order()}
    declared = {each.graph_input_name: GraphIn(each.graph_input_description) for each in ins}
    wired = node_inputs(nodes, declared, declared, what)
    for each in ins:
        if each.python_type is not UNKNOWN:
            wired[each.graph_input_name] = msgspec.structs.replace(
                wired[each.graph_input_name], python_type=each.python_type
            )
    mapped = mapped_nodes(nodes)
    returns, outputs = {}, {}
    for out in outs:
        place = given.output(out.mapped_node_name, out.mapped_node_output_name, f'its output "{out.graph_output_name}"')
        if out.from_dynamic_mapping and place.node not in mapped:
            raise DefinitionError(
                f'{what} says that its output "{out.graph_output_name}" is from a dynamic mapping, but the node '
                f'"{place.node}" does not run for values of a dynamic output; leave from_dynamic_mapping out.'
            )
        returns[out.graph_output_name] = place
        outputs[out.graph_output_name] = node_output(
            nodes, mapped, place, out.graph_output_description, out.python_type
        )
    return Wiring(nodes=nodes, ins=wired, returns=returns, outs=outputs)


class _Place(msgspec.Struct, frozen=True):
    """A use of an op or graph, and what feeds it."""

    definition: Placed
    use: NodeInvocation
    fed: Mapping[str, Dependency]


def _placed(what: str, node_defs: Iterable[Placed], dependencies: Dependencies) -> dict[str, _Place]:
    known: dict[str, Placed] = {}
    for each in node_defs:
        if known.setdefault(each.name, each) is not each:
            raise DefinitionError(f'{what} has two different nodes called "{each.name}"; rename one of them.')
    places: dict[str, _Place] = {}
    for key, fed in dependencies.items():
        use = key if isinstance(key, NodeInvocation) else NodeInvocation(key)
        if use.name not in known:
            raise DefinitionError(
                f'{what} has dependencies of "{use.name}", which is not among its node_defs ({", ".join(known)}); '
                "add it there."
            )
        if use.node_name in places:
            raise DefinitionError(f'{what} uses the name "{use.node_name}" twice; give one of them an alias.')
        places[use.node_name] = _Place(known[use.name], use, dict(fed))
    used = {place.use.name for place in places.values()}
    for name, definition in known.items():
        if name not in used:
            places[name] = _Place(definition, NodeInvocation(name), {})
    return places


class _Given:
    """The parts of one graph as they are written."""

    def __init__(
        self,
        what: str,
        places: Mapping[str, _Place],
        ins: Iterable[InputMapping],
        assets: Mapping[str, Mapping[str, AssetValue]],
    ) -> None:
        self._what = what
        self._places = places
        self._ins: dict[tuple[str, str], dict[int | None, GraphInput]] = {}
        for each in ins:
            place = f'its input "{each.graph_input_name}"'
            self._check_input(each.mapped_node_name, each.mapped_node_input_name, place)
            at = self._ins.setdefault((each.mapped_node_name, each.mapped_node_input_name), {})
            at[each.fan_in_index] = GraphInput(each.graph_input_name)
        self._assets = assets
        for node, inputs in assets.items():
            for name in inputs:
                self._check_input(node, name, "input_assets")

    def order(self) -> list[str]:
        """The nodes, each after those that feed it."""
        sorter: TopologicalSorter[str] = TopologicalSorter()
        for name, place in self._places.items():
            sorter.add(name)
            for key, dependency in place.fed.items():
                self._check_input(name, key, "the dependencies")
                for each in check_dependency(
                    dependency, f'In {self._what} the input "{key}" of "{name}"'
                ).get_node_dependencies():
                    self.output(each.node, each.output, f'the input "{key}" of "{name}"')
                    sorter.add(name, each.node)
        try:
            return list(sorter.static_order())
        except CycleError as error:
            circle = " -> ".join(error.args[1])
            raise DefinitionError(
                f"In {self._what} nodes feed each other in a circle: {circle}; drop one of these dependencies."
            ) from error

    def node(self, name: str) -> Node:
        """The node of that name."""
        place = self._places[name]
        sources: dict[str, NodeSource] = {}
        for key in place.definition.ins:
            source = self._source(name, key, place.fed.get(key))
            if source is not None:
                sources[key] = source
        return Node(
            name=name,
            definition=place.definition,
            sources=sources,
            tags=place.use.tags,
            retry_policy=place.use.retry_policy,
            hooks=place.use.hook_defs,
        )

    def output(self, node: str, output: str, whose: str) -> NodeOutput:
        """An output of a node that is there; `whose` is what it is for."""
        place = self._places.get(node)
        if place is None:
            raise DefinitionError(
                f'{self._what} has no node "{node}" for {whose}; there are: {", ".join(self._places) or "none"}.'
            )
        if output not in place.definition.outs:
            raise DefinitionError(
                f'In {self._what} the node "{node}" has no output "{output}" for {whose}; '
                f"it has {', '.join(place.definition.outs) or 'none'}."
            )
        return NodeOutput(node, output)

    def _check_input(self, node: str, name: str, whose: str) -> None:
        place = self._places.get(node)
        if place is None or name not in place.definition.ins:
            known = ", ".join(self._places) if place is None else ", ".join(place.definition.ins)
            missing = f'node "{node}"' if place is None else f'input "{name}" of "{node}"'
            raise DefinitionError(f"{self._what} has no {missing}, which {whose} names; there are: {known or 'none'}.")

    def _source(self, node: str, name: str, given: Dependency | None) -> NodeSource | None:
        from_graph = self._ins.get((node, name), {})
        asset = self._assets.get(node, {}).get(name)
        if given is None or not isinstance(given, DependencyDefinition | DynamicCollectDependencyDefinition):
            if given is not None:
                return FanIn(
                    tuple(self._part(node, name, index, each) for index, each in enumerate(given.dependencies))
                )
            return from_graph.get(None, asset)
        if from_graph or asset is not None:
            raise DefinitionError(
                f'In {self._what} the input "{name}" of "{node}" is fed by "{given.node}" and by something else; '
                "leave one of them out."
            )
        if isinstance(given, DynamicCollectDependencyDefinition):
            return Collected(given.node, given.output)
        dynamic = self._places[given.node].definition.outs[given.output].is_dynamic
        return Mapped(given.node, given.output) if dynamic else NodeOutput(given.node, given.output)

    def _part(
        self, node: str, name: str, index: int, given: DependencyDefinition | type[GraphInputPlaceholder]
    ) -> NodeOutput | GraphInput | Collected:
        if isinstance(given, DependencyDefinition):
            dynamic = self._places[given.node].definition.outs[given.output].is_dynamic
            return Collected(given.node, given.output) if dynamic else NodeOutput(given.node, given.output)
        part = self._ins.get((node, name), {}).get(index)
        if part is None:
            raise DefinitionError(
                f'In {self._what} the list for the input "{name}" of "{node}" holds a place at {index} that no '
                "InputMapping fills; add one with that fan_in_index."
            )
        return part
