"""The steps of a job of assets: one for each function that makes a wanted asset or evaluates a wanted check."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

import msgspec

from ...errors import DefinitionError
from ..assets.definition import AssetsDefinition
from ..assets.graph import AssetGraph, find_circle
from ..ops.job import JobDefinition
from ..ops.ports import In
from ..ops.types import Nothing
from .graph_steps import priority_of, timeout_of
from .model import FromAsset, FromOutput, OrderOnly, Step, StepInput, StepOutput

__all__ = ["asset_steps"]

_ORDER = In(python_type=Nothing)


class _Unit(msgspec.Struct, kw_only=True, eq=False):
    """A function with what is wanted of it, by key."""

    definition: AssetsDefinition
    assets: dict[str, str] = {}  # key -> output
    checks: dict[str, str] = {}

    @property
    def key(self) -> str:
        return self.definition.op.name


class _Wanted(msgspec.Struct, kw_only=True, eq=False):
    """What a set of steps makes, and by which output of which of them."""

    graph: AssetGraph
    units: dict[str, _Unit]
    makers: dict[str, FromOutput]
    blockers: dict[str, list[FromOutput]]  # asset -> results of blocking checks that have steps of their own


def asset_steps(
    job: JobDefinition, graph: AssetGraph, assets: Collection[str], checks: Collection[str]
) -> dict[str, Step]:
    """The steps that make these assets and evaluate these checks, by key, each after those that it depends on.

    Values of assets that are not among them are loaded from where they are stored.

    Raises:
        DefinitionError: A function makes wanted and other assets and cannot make some alone, or steps would have to
            wait for each other.
    """
    wanted = _gather(graph, assets, checks)
    for unit in wanted.units.values():
        _check_subset(unit, job)
    steps = {unit.key: _step(unit, wanted, job) for unit in wanted.units.values()}
    return _sorted(steps, job)


def _gather(graph: AssetGraph, assets: Collection[str], checks: Collection[str]) -> _Wanted:
    units: dict[str, _Unit] = {}
    makers: dict[str, FromOutput] = {}
    blockers: dict[str, list[FromOutput]] = {}

    def unit_of(definition: AssetsDefinition) -> _Unit:
        unit = units.get(definition.op.name)
        if unit is None:
            unit = units[definition.op.name] = _Unit(definition=definition)
        return unit

    for key, node in graph.assets.items():
        if key in assets and node.definition is not None and node.output is not None:
            unit = unit_of(node.definition)
            unit.assets[key] = node.output
            makers[key] = FromOutput(unit.key, node.output)
    makes_assets = frozenset(units)
    for key, check in graph.checks.items():
        # A function that cannot choose evaluates its checks with its assets, asked for or not.
        together = check.definition.op.name in makes_assets and not check.definition.can_subset
        if key in checks or together:
            unit = unit_of(check.definition)
            unit.checks[key] = check.output
            if check.spec.blocking and not check.definition.specs_by_output:
                blockers.setdefault(check.asset, []).append(FromOutput(unit.key, check.output))
    return _Wanted(graph=graph, units=units, makers=makers, blockers=blockers)


def _check_subset(unit: _Unit, job: JobDefinition) -> None:
    definition = unit.definition
    if definition.can_subset:
        return
    all_assets = {spec.key.to_user_string() for spec in definition.specs}
    all_checks = {spec.key.to_user_string() for spec in definition.check_specs}
    left_out = sorted(all_assets - set(unit.assets)) or sorted(all_checks - set(unit.checks))
    if left_out:
        raise DefinitionError(
            f"{definition.op.what} ({definition.source}) makes {', '.join(sorted([*unit.assets, *unit.checks]))} "
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
        node = wanted.graph.assets[given.key]
        yield StepInput(
            name=name,
            definition=definition,
            io_manager_key=definition.input_manager_key,
            source=FromAsset(
                asset_key=given.key,
                io_manager_key=definition.input_manager_key or node.io_manager_key,
                made_by=made_by,
                partitions=node.partitions_def,
                partition_mapping=given.partition_mapping,
                metadata=node.spec.metadata,
            ),
        )
    for name, source in _order(unit, wanted):
        if source not in waited_for:
            waited_for.add(source)
            yield StepInput(
                name=name if name not in loaded else f"{name}__order", source=OrderOnly((source,)), definition=_ORDER
            )


def _order(unit: _Unit, wanted: _Wanted) -> Iterator[tuple[str, FromOutput]]:
    """What a step waits for without loading it: dependencies, and blocking checks on them."""
    graph = wanted.graph
    deps: Iterable[str]
    for asset in unit.assets:
        deps = graph.assets[asset].deps
        yield from _order_after(deps, unit, wanted)
        for dep in deps:
            for blocker in wanted.blockers.get(dep, ()):
                if blocker.step != unit.key:
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
    """The output that makes an asset in another of these steps."""
    made_by = wanted.makers.get(key)
    return None if made_by is None or made_by.step == unit.key else made_by


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
