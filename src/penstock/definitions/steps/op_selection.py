"""A part of a job's graph, chosen by the names of its ops: `load`, `*report` (with all before it), `clean+` (with those
right after it), `inner.clean` (inside the graph `inner`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from ...errors import DefinitionError, SubsetError
from ...wording import nearest_name
from ..ops.graph import GraphDefinition
from ..ops.job import JobDefinition
from ..ops.node import FanIn, GraphInput, Node, NodeSource
from ..ops.wiring import Wiring, fed_by
from .job_steps import job_steps
from .model import Step

__all__ = ["select_ops", "selected_steps"]

_CLAUSE = re.compile(r"(\*|\++)?([A-Za-z0-9_.]+)(\*|\++)?")


def select_ops(job: JobDefinition, selection: Iterable[str]) -> JobDefinition:
    """The job with the chosen ops alone; inputs that ops which are left out would feed come from the run config.

    Args:
        job: A job of ops.
        selection: The names; none means all.

    Raises:
        SubsetError: A name means no op.
        DefinitionError: The job makes assets.
    """
    if job.graph is None:
        raise DefinitionError(f'Job "{job.name}" makes assets, so it has no ops to select; use asset_selection.')
    clauses = list(selection)
    if not clauses:
        return job
    return job.with_graph(_part(job.graph, selected_steps(job_steps(job), clauses, job.name), ""))


def selected_steps(steps: Mapping[str, Step], clauses: Iterable[str], job: str) -> frozenset[str]:
    """The keys of the steps that these names mean.

    Raises:
        SubsetError: A name means no step.
    """
    before = {key: {source.step for given in step.inputs for source in given.upstream()} for key, step in steps.items()}
    after: dict[str, set[str]] = {key: set() for key in steps}
    for key, sources in before.items():
        for source in sources:
            after[source].add(key)
    chosen: set[str] = set()
    for clause in clauses:
        found = _CLAUSE.fullmatch(clause)
        keys = (
            {key for key in steps if key == found[2] or key.startswith(f"{found[2]}.")} if found is not None else set()
        )
        if found is None or not keys:
            near = nearest_name(clause.strip("*+"), steps)
            hint = f'did you mean "{near}"?' if near is not None else f"its ops are: {', '.join(steps)}."
            raise SubsetError(f'Job "{job}" has no op that {clause!r} selects; {hint}')
        chosen |= keys | _reach(keys, before, found[1]) | _reach(keys, after, found[3])
    return frozenset(chosen)


def _reach(keys: set[str], edges: Mapping[str, set[str]], mark: str | None) -> set[str]:
    """What is reached from keys along edges: in as many steps as there are `+`, in any number with `*`."""
    reached: set[str] = set()
    edge = keys
    depth = len(edges) if mark == "*" else len(mark or "")
    while edge and depth:
        edge = {each for key in edge for each in edges[key]} - reached
        reached |= edge
        depth -= 1
    return reached


def _part(graph: GraphDefinition, chosen: frozenset[str], prefix: str) -> GraphDefinition:
    """The graph with the nodes that lead to chosen steps alone."""
    nodes: dict[str, Node] = {}
    for name, node in graph.nodes.items():
        key = f"{prefix}{name}"
        definition = node.definition
        if isinstance(definition, GraphDefinition):
            if not any(each.startswith(f"{key}.") for each in chosen):
                continue
            definition = _part(definition, chosen, f"{key}.")
        elif key not in chosen:
            continue
        sources = {
            each: kept
            for each, source in node.sources.items()
            if each in definition.ins and (kept := _kept(source, nodes)) is not None
        }
        nodes[name] = replace(node, definition=definition, sources=sources)
    fed = {
        part.name
        for node in nodes.values()
        for source in node.sources.values()
        for part in (source.sources if isinstance(source, FanIn) else (source,))
        if isinstance(part, GraphInput)
    }
    wiring = graph.wiring
    returns = {
        name: place
        for name, place in wiring.returns.items()
        if place.node in nodes and place.output in nodes[place.node].definition.outs
    }
    return GraphDefinition.wired(
        graph.name,
        Wiring(
            nodes=nodes,
            ins={name: given for name, given in wiring.ins.items() if name in fed},
            returns=returns,
            outs={name: wiring.outs[name] for name in returns},
            left_out=wiring.left_out.union(graph.nodes.keys() - nodes.keys()),
        ),
        description=graph.description,
        tags=graph.tags,
        source=graph.source,
    )


def _kept(source: NodeSource, nodes: Mapping[str, Node]) -> NodeSource | None:
    """What feeds an input without the nodes that are left out; None if nothing is left."""
    if isinstance(source, FanIn):
        parts = tuple(part for part in source.sources if _kept(part, nodes) is not None)
        return FanIn(parts) if parts else None
    there = all(each.node in nodes and each.output in nodes[each.node].definition.outs for each in fed_by(source))
    return source if there else None
