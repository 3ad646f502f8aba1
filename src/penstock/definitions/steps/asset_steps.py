"""The steps of a job of assets: one for each function that makes a wanted asset or evaluates a wanted check.

A graph that makes assets has the steps of its ops.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

import msgspec

from ...errors import DefinitionError
from ..assets.definition import AssetInput, AssetsDefinition
from ..assets.graph import AssetGraph, find_circle
from ..assets.spec import AssetDep
from ..ops.graph import GraphDefinition
from ..ops.job import JobDefinition
from ..ops.ports import In
from ..ops.types import Nothing
from .graph_steps import graph_inside, priority_of, timeout_of
from .model import FromAsset, FromOutput, OrderOnly, Step, StepInput, StepOutput

__all__ = ["asset_steps", "dependency_source"]

_ORDER = In(python_type=Nothing)
_ORDER_NAME = "order_"


class _Unit(msgspec.Struct, kw_only=True, eq=False):
    """A function or graph with what is wanted of it, by key."""

    definition: AssetsDefinition
    assets: dict[str, str] = {}  # key -> output
    checks: dict[str, str] = {}
    inside: dict[str, Step] = {}  # of a graph, its steps
    ends: dict[str, FromOutput] = {}  # and the step's output behind each output of it

    @property
    def key(self) -> str:
        return self.definition.name

    def end(self, output: str) -> FromOutput:
        """The step's output that is an output of the whole."""
        return self.ends.get(output) or FromOutput(self.key, output)


class _Wanted(msgspec.Struct, kw_only=True, eq=False):
    """What a set of steps makes, and by which output of which of them."""

    graph: AssetGraph
    units: dict[str, _Unit]
    makers: dict[str, tuple[str, FromOutput]]  # asset -> unit and output
    blockers: dict[str, list[tuple[str, FromOutput]]]  # asset -> results of blocking checks in steps of their own


def asset_steps(
    job: JobDefinition, graph: AssetGraph, assets: Collection[str], checks: Collection[str]
) -> dict[str, Step]:
    """The steps that make these assets and evaluate these checks, by key, each after those that it depends on.

    Values of assets that are not among them are loaded from where they are stored.

    Raises:
        DefinitionError: A function makes wanted and other assets and cannot make some alone, or steps would have to
            wait for each other.
    """
    wanted = _gather(job, graph, assets, checks)
    steps: dict[str, Step] = {}
    for unit in wanted.units.values():
        _check_subset(unit, job)
        if unit.inside:
            steps |= _inside(unit, wanted)
        else:
            steps[unit.key] = _step(unit, wanted, job)
    return _sorted(steps, job)


def _gather(job: JobDefinition, graph: AssetGraph, assets: Collection[str], checks: Collection[str]) -> _Wanted:
    units: dict[str, _Unit] = {}
    makers: dict[str, tuple[str, FromOutput]] = {}
    blockers: dict[str, list[tuple[str, FromOutput]]] = {}

    def unit_of(definition: AssetsDefinition) -> _Unit:
        unit = units.get(definition.name)
        if unit is None:
            unit = units[definition.name] = _Unit(definition=definition)
            if isinstance(definition.node, GraphDefinition):
                unit.inside, unit.ends = graph_inside(
                    job, definition.node, _fed(definition, graph), job.hooks | definition.hooks
                )
        return unit

    for key, node in graph.assets.items():
        if key in assets and node.definition is not None and node.output is not None:
            unit = unit_of(node.definition)
            unit.assets[key] = node.output
            makers[key] = (unit.key, unit.end(node.output))
    makes_assets = frozenset(units)
    for key, check in graph.checks.items():
        # A function that cannot choose evaluates its checks with its assets, asked for or not.
        together = check.definition.name in makes_assets and not check.definition.can_subset
        if key in checks or together:
            unit = unit_of(check.definition)
            unit.checks[key] = check.output
            if check.spec.blocking and (unit.inside or not check.definition.specs_by_output):
                blockers.setdefault(check.asset, []).append((unit.key, unit.end(check.output)))
    return _Wanted(graph=graph, units=units, makers=makers, blockers=blockers)


def _fed(definition: AssetsDefinition, graph: AssetGraph) -> dict[str, FromAsset]:
    """What the inputs of a graph are loaded from."""
    return {name: _from_asset(given, None, graph) for name, given in graph.inputs[definition.name].items()}


def _from_asset(given: AssetInput, input_manager: str | None, graph: AssetGraph) -> FromAsset:
    node = graph.assets[given.key]
    return FromAsset(
        asset_key=given.key,
        io_manager_key=input_manager or given.io_manager_key or node.io_manager_key,
        partitions=node.partitions_def,
        partition_mapping=given.partition_mapping,
        metadata=node.spec.metadata,
    )


def dependency_source(graph: AssetGraph, dep: AssetDep) -> FromAsset:
    """What an asset would load from one that it merely depends on."""
    return _from_asset(AssetInput(dep.asset_key.to_user_string(), True, dep.partition_mapping), None, graph)


def _check_subset(unit: _Unit, job: JobDefinition) -> None:
    definition = unit.definition
    complete = len(unit.assets) == len(definition.specs_by_output) and len(unit.checks) == len(definition.check_outputs)
    if definition.can_subset or complete:
        return
    all_assets = {spec.key.to_user_string() for spec in definition.specs}
    all_checks = {spec.key.to_user_string() for spec in definition.check_specs}
    left_out = sorted(all_assets - set(unit.assets)) or sorted(all_checks - set(unit.checks))
    if left_out:
        raise DefinitionError(
            f"{definition.what} ({definition.source}) makes {', '.join(sorted([*unit.assets, *unit.checks]))} "
            "together "
            f'with {", ".join(left_out)}, and job "{job.name}" asks for the first alone; select all of them, or '
            "declare it "
            "with can_subset=True."
        )


def _step(unit: _Unit, wanted: _Wanted, job: JobDefinition) -> Step:
    definition = unit.definition
    op = definition.op
    return Step(
        key=op.name,
        op=op,
        inputs=tuple(_inputs(unit, wanted)),
        outputs=tuple(_outputs(unit)),
        config_path=("ops", op.name),
        tags=op.tags,
        retry_policy=op.retry_policy or job.op_retry_policy,
        timeout=timeout_of(op, op.tags, {}, job),
        pool=op.pool,
        hooks=job.hooks | definition.hooks,
        asset_keys=tuple(unit.assets),
        check_keys=tuple(unit.checks),
        partitions=definition.partitions_def,
        can_subset=definition.can_subset,
        priority=priority_of(op.tags) if op.tags else 0,
    )


def _inside(unit: _Unit, wanted: _Wanted) -> dict[str, Step]:
    """The steps of a graph that makes assets, those that the wanted outputs need."""
    definition = unit.definition
    wanted_ends = {
        **{unit.end(output): (key, None) for key, output in unit.assets.items()},
        **{unit.end(output): (None, key) for key, output in unit.checks.items()},
    }
    if len(wanted_ends) < len(unit.assets) + len(unit.checks):
        raise DefinitionError(
            f"{definition.what} ({definition.source}) returns one output of an op as two of its assets or checks; "
            "give each an output of its own."
        )
    complete = len(wanted_ends) == len(definition.specs_by_output) + len(definition.check_outputs)
    kept = unit.inside if complete else _needed(unit.inside, [end.step for end in wanted_ends])
    order = [source for _, source in _order(unit, wanted)]
    steps = {}
    for key, step in kept.items():
        outputs = []
        for output in step.outputs:
            asset, check = wanted_ends.get(FromOutput(key, output.name), (None, None))
            if asset is not None:
                spec = definition.specs_by_output[unit.assets[asset]]
                output = msgspec.structs.replace(output, asset_key=asset, metadata=spec.metadata, tags=spec.tags)
            elif check is not None:
                blocking = definition.check_outputs[unit.checks[check]].blocking
                output = msgspec.structs.replace(output, check_key=check, check_blocking=blocking)
            outputs.append(output)
        steps[key] = msgspec.structs.replace(
            step,
            inputs=tuple(_inputs_inside(step, order, wanted)),
            outputs=tuple(outputs),
            asset_keys=tuple(each.asset_key for each in outputs if each.asset_key is not None),
            check_keys=tuple(each.check_key for each in outputs if each.check_key is not None),
            serves=tuple(unit.assets),
            partitions=definition.partitions_def,
            can_subset=definition.can_subset,
            graph=unit.key,
        )
    return steps


def _needed(steps: Mapping[str, Step], ends: Iterable[str]) -> dict[str, Step]:
    """The steps that these need, and these themselves."""
    reached = set(ends)
    waiting = list(reached)
    while waiting:
        for given in steps[waiting.pop()].inputs:
            for source in given.upstream():
                if source.step not in reached:
                    reached.add(source.step)
                    waiting.append(source.step)
    return {key: step for key, step in steps.items() if key in reached}


def _inputs_inside(step: Step, order: Iterable[FromOutput], wanted: _Wanted) -> Iterator[StepInput]:
    """The inputs of a step of a graph; one that begins the graph waits for all that the graph waits for."""
    begins = True
    for given in step.inputs:
        if not isinstance(given.source, FromAsset):
            begins = begins and next(given.upstream(), None) is None
            yield given
            continue
        made_by = wanted.makers.get(given.source.asset_key)
        source = given.source if made_by is None else msgspec.structs.replace(given.source, made_by=made_by[1])
        yield msgspec.structs.replace(given, source=source)
    if begins:
        for index, source_of_order in enumerate(dict.fromkeys(order)):
            yield StepInput(name=f"{_ORDER_NAME}{index}", source=OrderOnly((source_of_order,)), definition=_ORDER)


def _inputs(unit: _Unit, wanted: _Wanted) -> Iterator[StepInput]:
    op = unit.definition.op
    waited_for: set[FromOutput] = set()
    loaded = wanted.graph.inputs[op.name]
    for name, given in loaded.items():
        definition = op.ins[name]
        made_by = _made_by(given.key, unit, wanted)
        if made_by is not None:
            waited_for.add(made_by)
        if definition.is_nothing:
            if made_by is not None:
                yield StepInput(name=name, source=OrderOnly((made_by,)), definition=definition)
            continue
        source = _from_asset(given, definition.input_manager_key, wanted.graph)
        yield StepInput(
            name=name,
            definition=definition,
            io_manager_key=definition.input_manager_key,
            source=source if made_by is None else msgspec.structs.replace(source, made_by=made_by),
        )
    for name, order in _order(unit, wanted):
        if order not in waited_for:
            waited_for.add(order)
            yield StepInput(
                name=name if name not in loaded else f"{name}__order", source=OrderOnly((order,)), definition=_ORDER
            )


def _order(unit: _Unit, wanted: _Wanted) -> Iterator[tuple[str, FromOutput]]:
    """What a unit waits for without loading it: dependencies, and blocking checks on them."""
    graph = wanted.graph
    deps: Iterable[str]
    for asset in unit.assets:
        deps = graph.assets[asset].deps
        yield from _order_after(deps, unit, wanted)
        for dep in deps:
            for owner, blocker in wanted.blockers.get(dep, ()):
                if owner != unit.key:
                    yield blocker.output, blocker
    for check in unit.checks:
        node = graph.checks[check]
        yield from _order_after((node.asset, *node.deps), unit, wanted)


def _order_after(deps: Iterable[str], unit: _Unit, wanted: _Wanted) -> Iterator[tuple[str, FromOutput]]:
    for dep in deps:
        made_by = _made_by(dep, unit, wanted)
        if made_by is not None:
            yield wanted.graph.assets[dep].spec.key.to_python_identifier(), made_by


def _made_by(key: str, unit: _Unit, wanted: _Wanted) -> FromOutput | None:
    """The output that makes an asset in another of these units."""
    made_by = wanted.makers.get(key)
    return None if made_by is None or made_by[0] == unit.key else made_by[1]


def _outputs(unit: _Unit) -> Iterator[StepOutput]:
    definition = unit.definition
    outs = definition.op.outs
    for key, output in unit.assets.items():
        spec = definition.specs_by_output[output]
        out = outs[output]
        yield StepOutput(
            name=output,
            definition=out,
            io_manager_key=out.io_manager_key,
            required=out.is_required,
            asset_key=key,
            observes=definition.observes,
            metadata=spec.metadata,
            tags=spec.tags,
        )
    for key, output in unit.checks.items():
        check = definition.check_outputs[output]
        yield StepOutput(
            name=output,
            definition=outs[output],
            io_manager_key=outs[output].io_manager_key,
            required=not definition.can_subset,
            check_key=key,
            check_blocking=check.blocking,
            metadata=check.metadata,
        )


def _sorted(steps: Mapping[str, Step], job: JobDefinition) -> dict[str, Step]:
    deps = {
        key: list(dict.fromkeys(source.step for given in step.inputs for source in given.upstream()))
        for key, step in steps.items()
    }
    dependents: dict[str, list[str]] = {}
    for key, names in deps.items():
        for name in names:
            dependents.setdefault(name, []).append(key)
    waiting = {key: len(names) for key, names in deps.items()}
    ready = [key for key, count in waiting.items() if not count]
    for key in ready:  # grows while it is walked
        for dependent in dependents.get(key, ()):
            waiting[dependent] -= 1
            if not waiting[dependent]:
                ready.append(dependent)
    if len(ready) < len(steps):
        done = set(ready)
        circle = find_circle({key: names for key, names in deps.items() if key not in done})
        raise DefinitionError(
            f'In job "{job.name}" steps would wait for each other: {" -> ".join(circle)}. Functions that make '
            "several assets "
            "need each other's assets; write one function for each of these assets."
        )
    return {key: steps[key] for key in ready}
