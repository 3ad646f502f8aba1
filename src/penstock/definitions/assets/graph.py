"""The asset graph: all assets and checks of a code location, with every dependency resolved to a key.

Keys are in text form. It is built in one pass over the definitions, and everything it answers is linear.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NoReturn

import msgspec

from ...errors import DefinitionError
from ...partitions.definition import PartitionsDefinition
from ...partitions.fit import misfit
from ...records.keys import AssetCheckKey, AssetKey
from ...wording import did_you_mean
from ..source import Source
from .check_spec import AssetCheckSpec
from .definition import AssetInput, AssetsDefinition
from .spec import DEFAULT_GROUP, AssetDep, AssetSpec

__all__ = ["AssetGraph", "AssetNode", "CheckNode", "build_asset_graph", "find_circle"]


class AssetNode(msgspec.Struct, kw_only=True, eq=False):
    """One asset. `definition` is None where nothing here makes or observes it."""

    key: str
    spec: AssetSpec
    definition: AssetsDefinition | None = None
    output: str | None = None
    deps: tuple[str, ...] = ()
    dependents: list[str] = []
    checks: list[str] = []
    declared: bool = True  # false where other assets merely name it

    @property
    def group(self) -> str:
        """The group that it is shown in."""
        return self.spec.group_name or DEFAULT_GROUP

    @property
    def executable(self) -> bool:
        """Whether something here makes or observes it."""
        return self.definition is not None

    @property
    def materializable(self) -> bool:
        """Whether something here makes it."""
        return self.definition is not None and not self.definition.observes

    @property
    def partitions_def(self) -> PartitionsDefinition | None:
        """Its partitions."""
        return self.spec.partitions_def

    @property
    def io_manager_key(self) -> str:
        """The resource that stores and loads its values."""
        if self.definition is not None and self.output is not None:
            return self.definition.out(self.output).io_manager_key
        return self.spec.io_manager_key or "io_manager"


class CheckNode(msgspec.Struct, kw_only=True, eq=False):
    """One check. `key` is `asset/key:name`, `deps` the assets that it needs besides the one that it looks at."""

    key: str
    asset: str
    spec: AssetCheckSpec
    definition: AssetsDefinition
    output: str
    deps: tuple[str, ...] = ()


class AssetGraph:
    """All assets and checks, by key in text form; `assets` has each after those that it depends on.

    Attributes:
        assets: The assets.
        checks: The checks.
        definitions: The functions that make or evaluate them, by the name of the op, which is also the step's key.
        inputs: By the name of the op, for each of its inputs the asset that it is loaded from.
    """

    def __init__(self) -> None:
        self.assets: dict[str, AssetNode] = {}
        self.checks: dict[str, CheckNode] = {}
        self.definitions: dict[str, AssetsDefinition] = {}
        self.inputs: dict[str, dict[str, AssetInput]] = {}

    def executable(self) -> list[str]:
        """The assets that something here makes or observes."""
        return [key for key, node in self.assets.items() if node.definition is not None]

    def get_all_asset_keys(self) -> set[AssetKey]:
        """The keys of all assets, of those that are only depended on too."""
        return {node.spec.key for node in self.assets.values()}

    @property
    def asset_check_keys(self) -> set[AssetCheckKey]:
        """The keys of all checks."""
        return {node.spec.key for node in self.checks.values()}

    def nearest(self, key: str) -> str:
        """Words that name the nearest known key, for an error."""
        return did_you_mean(key, self.assets)


def build_asset_graph(
    definitions: Sequence[AssetsDefinition], specs: Sequence[tuple[AssetSpec, Source | None]] = ()
) -> AssetGraph:
    """The graph of these functions and of assets that are only described.

    Raises:
        DefinitionError: An asset or check is defined twice, a value comes from an asset that does not exist, or assets
            depend on each other in a circle.
    """
    graph = AssetGraph()
    _add_nodes(graph, definitions, specs)
    by_group_and_name = _names_by_group(graph)
    for definition in definitions:
        _resolve_inputs(graph, definition, by_group_and_name)
    for definition in definitions:
        _connect(graph, definition)
    for key, node in list(graph.assets.items()):
        if node.definition is None:
            node.deps = tuple(dep.asset_key.to_user_string() for dep in node.spec.deps)
            for dep in node.deps:
                _dependency(graph, dep).dependents.append(key)
    _sort(graph)
    return graph


def _add_nodes(
    graph: AssetGraph, definitions: Sequence[AssetsDefinition], specs: Sequence[tuple[AssetSpec, Source | None]]
) -> None:
    places: dict[str, Source | None] = {}
    for definition in definitions:
        for output, spec in definition.specs_by_output.items():
            text = spec.key.to_user_string()
            if text in places:
                _twice(f"the asset {text}", places[text], definition.source)
            places[text] = definition.source
            graph.assets[text] = AssetNode(key=text, spec=spec, definition=definition, output=output)
        name = definition.name
        if name in graph.definitions:  # asked after the keys, which say more where both are the same
            other = graph.definitions[name]
            checks = {check.key.to_user_string() for check in definition.check_outputs.values()}
            same = sorted(checks & {check.key.to_user_string() for check in other.check_outputs.values()})
            _twice(f"the check {same[0]}" if same else f'the op name "{name}"', other.source, definition.source)
        graph.definitions[name] = definition
    for spec, source in specs:
        text = spec.key.to_user_string()
        if text in places:
            _twice(f"the asset {text}", places[text], source)
        places[text] = source
        graph.assets[text] = AssetNode(key=text, spec=spec)


def _twice(what: str, first: Source | None, second: Source | None) -> NoReturn:
    places = " and ".join("as an AssetSpec" if source is None else f"at {source}" for source in (first, second))
    raise DefinitionError(f"Two definitions have {what}: {places}; rename or drop one.")


def _names_by_group(graph: AssetGraph) -> dict[tuple[str, str], list[str]]:
    names: dict[tuple[str, str], list[str]] = {}
    for key, node in graph.assets.items():
        path = node.spec.key.path
        if len(path) > 1:
            names.setdefault((node.group, path[-1]), []).append(key)
    return names


def _resolve_inputs(
    graph: AssetGraph, definition: AssetsDefinition, names: Mapping[tuple[str, str], list[str]]
) -> None:
    resolved: dict[str, AssetInput] = {}
    for name, given in definition.inputs.items():
        key = given.key
        if key not in graph.assets:
            groups = {spec.group_name or DEFAULT_GROUP for spec in definition.specs}
            candidates = (
                [] if given.exact else [each for group in sorted(groups) for each in names.get((group, key), ())]
            )
            if len(candidates) > 1:
                raise DefinitionError(
                    f'{definition.what} ({definition.source}) loads "{name}", which may be '
                    f"{' or '.join(candidates)}; say which with ins={{{name!r}: AssetIn(key=...)}}."
                )
            if candidates:
                key = candidates[0]
            elif not definition.node_def.ins[name].is_nothing:
                raise DefinitionError(
                    f'{definition.what} ({definition.source}) loads the asset {key} by its parameter "{name}", but '
                    f"there is no such asset{graph.nearest(key)} Add it to the Definitions, or declare it as "
                    f"AssetSpec({key!r}) if something else makes it."
                )
        resolved[name] = AssetInput(key, True, given.partition_mapping, given.io_manager_key)
    graph.inputs[definition.name] = resolved


def _connect(graph: AssetGraph, definition: AssetsDefinition) -> None:
    loaded = graph.inputs[definition.name]
    # A parameter's name may have turned out to mean an asset with a longer key.
    longer = {given.key: loaded[name].key for name, given in definition.inputs.items() if given.key != loaded[name].key}
    for spec in definition.specs:
        text = spec.key.to_user_string()
        node = graph.assets[text]
        deps = [dep.asset_key.to_user_string() for dep in spec.deps]
        node.deps = tuple(dict.fromkeys(longer.get(dep, dep) for dep in deps)) if longer else tuple(deps)
        for dep in node.deps:
            _dependency(graph, dep).dependents.append(text)
        for each in spec.deps:
            if each.partition_mapping is not None:
                _check_mapping(graph, each, spec, definition)
    for output, check in definition.check_outputs.items():
        key = check.key.to_user_string()
        if key in graph.checks:
            _twice(f"the check {key}", graph.checks[key].definition.source, definition.source)
        asset = check.asset_key.to_user_string()
        _check_partitions(graph, check, definition)
        deps = [
            *(each.key for each in loaded.values()),
            *(each.asset_key.to_user_string() for each in check.additional_deps),
        ]
        graph.checks[key] = CheckNode(
            key=key,
            asset=asset,
            spec=check,
            definition=definition,
            output=output,
            deps=tuple(dict.fromkeys(dep for dep in deps if dep != asset)) if not definition.specs_by_output else (),
        )
        _dependency(graph, asset).checks.append(key)


def _check_mapping(graph: AssetGraph, dep: AssetDep, spec: AssetSpec, definition: AssetsDefinition) -> None:
    upstream = _dependency(graph, dep.asset_key.to_user_string()).partitions_def
    if upstream is not None and spec.partitions_def is not None:
        problem = misfit(dep.partition_mapping, upstream, spec.partitions_def)
        if problem is not None:
            raise DefinitionError(
                f"Asset {spec.key.to_user_string()} ({definition.source}) depends on "
                f"{dep.asset_key.to_user_string()}, but {problem}"
            )


def _check_partitions(graph: AssetGraph, check: AssetCheckSpec, definition: AssetsDefinition) -> None:
    node = graph.assets.get(check.asset_key.to_user_string())
    if check.partitions_def is not None and (node is None or node.partitions_def != check.partitions_def):
        raise DefinitionError(
            f"Check {check.key.to_user_string()} ({definition.source}) has other partitions than the asset that it "
            "looks at; give it those of the asset, or none."
        )


def _dependency(graph: AssetGraph, key: str) -> AssetNode:
    """The node of a key; one that nothing declares stands for an asset that something else makes."""
    node = graph.assets.get(key)
    if node is None:
        node = AssetNode(key=key, spec=AssetSpec(AssetKey.from_user_string(key)), declared=False)
        graph.assets[key] = node
    return node


def _sort(graph: AssetGraph) -> None:
    """Put each asset after those that it depends on; the order of definition decides the rest."""
    waiting = {key: len(node.deps) for key, node in graph.assets.items()}
    for key, node in graph.assets.items():
        if key in node.deps:
            # An asset may build on its own earlier partitions, which is no circle.
            waiting[key] -= _own_partitions(node)
    ready = [key for key, count in waiting.items() if not count]
    ordered: dict[str, AssetNode] = {}
    for key in ready:  # grows while it is walked
        node = graph.assets[key]
        ordered[key] = node
        for dependent in node.dependents:
            if dependent == key:
                continue
            waiting[dependent] -= 1
            if not waiting[dependent]:
                ready.append(dependent)
    if len(ordered) < len(graph.assets):
        circle = find_circle({key: node.deps for key, node in graph.assets.items() if key not in ordered})
        first = graph.assets[circle[0]]
        place = first.definition.source if first.definition is not None else None
        raise DefinitionError(
            f"Assets depend on each other in a circle: {' -> '.join(circle)} (the first is at {place}); "
            "drop one of these dependencies."
        )
    graph.assets = ordered


def _own_partitions(node: AssetNode) -> int:
    if node.partitions_def is None:
        place = node.definition.source if node.definition is not None else None
        raise DefinitionError(
            f"Asset {node.key} ({place}) depends on itself, which only an asset with partitions can; "
            "drop that dependency."
        )
    return 1


def find_circle(deps: Mapping[str, Sequence[str]]) -> list[str]:
    """One circle among nodes of which each depends on another of them, its first node again at its end."""
    path: dict[str, None] = {}
    node = next(iter(deps))
    while node not in path:
        path[node] = None
        node = next(dep for dep in deps[node] if dep in deps)
    names = list(path)
    return [*names[names.index(node) :], node]
