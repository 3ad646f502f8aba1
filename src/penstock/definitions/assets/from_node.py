"""Assets of an op or graph that exists already: which output makes which asset, which input loads which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...errors import DefinitionError
from ...partitions.definition import PartitionsDefinition
from ...records.keys import AssetKey, CoercibleToAssetKey
from ..ops.graph import GraphDefinition
from ..ops.hooks import HookDefinition
from ..ops.op import OpDefinition
from ..ops.ports import DEFAULT_OUTPUT
from ..resources.resource import to_resources
from .backfill_policy import BackfillPolicy
from .check_spec import AssetCheckSpec
from .definition import AssetInput, AssetsDefinition
from .spec import AssetDep, AssetSpec

__all__ = ["from_graph", "from_node", "from_op"]

_Node = OpDefinition | GraphDefinition
_ByName = Mapping[str, Any] | None


def from_graph(
    graph_def: GraphDefinition,
    *,
    keys_by_input_name: Mapping[str, CoercibleToAssetKey] | None = None,
    keys_by_output_name: Mapping[str, CoercibleToAssetKey] | None = None,
    key_prefix: str | Sequence[str] | None = None,
    internal_asset_deps: Mapping[str, Iterable[AssetKey]] | None = None,
    partitions_def: PartitionsDefinition | None = None,
    partition_mappings: Mapping[str, Any] | None = None,
    resource_defs: Mapping[str, Any] | None = None,
    group_name: str | None = None,
    group_names_by_output_name: Mapping[str, str] | None = None,
    descriptions_by_output_name: Mapping[str, str] | None = None,
    metadata_by_output_name: Mapping[str, Mapping[str, Any]] | None = None,
    tags_by_output_name: Mapping[str, Mapping[str, str]] | None = None,
    automation_conditions_by_output_name: Mapping[str, Any] | None = None,
    backfill_policy: BackfillPolicy | None = None,
    can_subset: bool = False,
    check_specs: Sequence[AssetCheckSpec] | None = None,
    owners_by_output_name: Mapping[str, Sequence[str]] | None = None,
    code_versions_by_output_name: Mapping[str, str] | None = None,
    hook_defs: Iterable[HookDefinition] | None = None,
) -> AssetsDefinition:
    """Assets that a graph makes: one for each of its outputs.

    Args:
        graph_def: The graph.
        keys_by_input_name: By input, the asset that it is loaded from; its name if not given.
        keys_by_output_name: By output, the asset that it makes; its name if not given, or the graph's for its only one.
        key_prefix: Parts to put before the keys of its assets.
        internal_asset_deps: By output, what that asset depends on, where it is not every input.
        partitions_def: The partitions of its assets.
        partition_mappings: By input, which upstream partitions a partition needs.
        resource_defs: Resources of its own.
        group_name: The group of its assets.
        group_names_by_output_name: Their groups, by output.
        descriptions_by_output_name: Their descriptions.
        metadata_by_output_name: Facts about them.
        tags_by_output_name: Their tags.
        automation_conditions_by_output_name: When they are made without being asked for.
        backfill_policy: How a backfill cuts their partitions into runs.
        can_subset: Whether a run may ask for some of them.
        check_specs: Checks that the graph evaluates; an output carries the result of each.
        owners_by_output_name: Who answers for them.
        code_versions_by_output_name: The versions of their code.
        hook_defs: Hooks for all of its ops.

    Raises:
        DefinitionError: The parts do not fit together.
    """
    return from_node(
        graph_def,
        keys_by_input=keys_by_input_name,
        keys_by_output=keys_by_output_name,
        key_prefix=key_prefix,
        deps_by_output=internal_asset_deps,
        partitions_def=partitions_def,
        partition_mappings=partition_mappings,
        resource_defs=resource_defs,
        backfill_policy=backfill_policy,
        can_subset=can_subset,
        checks_by_output={spec.output_name: spec for spec in check_specs or ()},
        hooks=hook_defs,
        group_name=group_name,
        about_output={
            "group_name": group_names_by_output_name,
            "description": descriptions_by_output_name,
            "metadata": metadata_by_output_name,
            "tags": tags_by_output_name,
            "automation_condition": automation_conditions_by_output_name,
            "owners": owners_by_output_name,
            "code_version": code_versions_by_output_name,
        },
    )


def from_op(
    op_def: OpDefinition,
    *,
    keys_by_input_name: Mapping[str, CoercibleToAssetKey] | None = None,
    keys_by_output_name: Mapping[str, CoercibleToAssetKey] | None = None,
    key_prefix: str | Sequence[str] | None = None,
    internal_asset_deps: Mapping[str, Iterable[AssetKey]] | None = None,
    partitions_def: PartitionsDefinition | None = None,
    partition_mappings: Mapping[str, Any] | None = None,
    group_name: str | None = None,
    group_names_by_output_name: Mapping[str, str] | None = None,
    descriptions_by_output_name: Mapping[str, str] | None = None,
    metadata_by_output_name: Mapping[str, Mapping[str, Any]] | None = None,
    tags_by_output_name: Mapping[str, Mapping[str, str]] | None = None,
    automation_conditions_by_output_name: Mapping[str, Any] | None = None,
    backfill_policy: BackfillPolicy | None = None,
    can_subset: bool = False,
    hook_defs: Iterable[HookDefinition] | None = None,
) -> AssetsDefinition:
    """Assets that an op makes: one for each of its outputs; arguments as for `from_graph`.

    Raises:
        DefinitionError: The parts do not fit together.
    """
    return from_node(
        op_def,
        keys_by_input=keys_by_input_name,
        keys_by_output=keys_by_output_name,
        key_prefix=key_prefix,
        deps_by_output=internal_asset_deps,
        partitions_def=partitions_def,
        partition_mappings=partition_mappings,
        backfill_policy=backfill_policy,
        can_subset=can_subset,
        hooks=hook_defs,
        group_name=group_name,
        about_output={
            "group_name": group_names_by_output_name,
            "description": descriptions_by_output_name,
            "metadata": metadata_by_output_name,
            "tags": tags_by_output_name,
            "automation_condition": automation_conditions_by_output_name,
        },
    )


def from_node(
    node: _Node | None,
    *,
    keys_by_input: Mapping[str, CoercibleToAssetKey] | None = None,
    keys_by_output: Mapping[str, CoercibleToAssetKey] | None = None,
    key_prefix: str | Sequence[str] | None = None,
    deps_by_output: Mapping[str, Iterable[AssetKey]] | None = None,
    deps_by_key: Mapping[AssetKey, Iterable[AssetKey]] | None = None,
    partitions_def: PartitionsDefinition | None = None,
    partition_mappings: Mapping[str, Any] | None = None,
    resource_defs: Mapping[str, Any] | None = None,
    backfill_policy: BackfillPolicy | None = None,
    can_subset: bool = False,
    checks_by_output: Mapping[str, AssetCheckSpec] | None = None,
    specs: Sequence[AssetSpec] | None = None,
    hooks: Iterable[HookDefinition] | None = None,
    group_name: str | None = None,
    about_output: Mapping[str, _ByName] | None = None,
    about_key: Mapping[str, Mapping[AssetKey, Any] | None] | None = None,
) -> AssetsDefinition:
    """The assets of an op or graph; `about_output` and `about_key` hold attributes of their specs.

    Raises:
        DefinitionError: The parts do not fit together.
    """
    if node is None:
        if not specs:
            raise DefinitionError("An AssetsDefinition needs an op or graph as node_def, or specs of assets.")
        return AssetsDefinition.of(None, specs={_output_of(spec): spec for spec in specs}, inputs={})
    what = f'{_kind_of(node)} "{node.name}"'
    _check_names(what, node, "inputs", node.ins, keys_by_input, partition_mappings)
    checks = dict(checks_by_output or {})
    of_outputs = (keys_by_output, deps_by_output, checks, *(about_output or {}).values())
    _check_names(what, node, "outputs", node.outs, *of_outputs)
    loaded = {name: AssetKey.from_coercible(key).to_user_string() for name, key in (keys_by_input or {}).items()}
    mapped = partition_mappings or {}
    inputs = {
        name: AssetInput(loaded.get(name, name), exact=name in loaded, partition_mapping=mapped.get(name))
        for name in node.ins
    }
    common = [AssetDep(AssetKey.from_user_string(each.key), each.partition_mapping) for each in inputs.values()]
    mappings = {dep.asset_key: dep for dep in common}
    outputs = [output for output in node.outs if output not in checks]
    if specs is not None and len(specs) != len(outputs):
        raise DefinitionError(
            f"{what} ({node.source}) has {len(outputs)} outputs and {len(specs)} specs; give one for each output."
        )
    by_output: dict[str, AssetSpec] = {}
    for index, output in enumerate(outputs):
        if specs is not None:
            spec = specs[index]
            own = {dep.asset_key for dep in spec.deps}
            by_output[output] = spec.replace_attributes(
                deps=[*spec.deps, *(dep for dep in common if dep.asset_key not in own)],
                partitions_def=spec.partitions_def or partitions_def,
            )
            continue
        key = _key_of(node, output, outputs, keys_by_output or {})
        if key_prefix:
            key = key.with_prefix(key_prefix)
        named = (deps_by_output or {}).get(output, (deps_by_key or {}).get(key))
        attributes = {
            name: values[output] for name, values in (about_output or {}).items() if values and output in values
        }
        attributes |= {name: values[key] for name, values in (about_key or {}).items() if values and key in values}
        attributes.setdefault("group_name", group_name)
        attributes.setdefault("description", node.description if len(outputs) == 1 else node.outs[output].description)
        by_output[output] = AssetSpec(
            key,
            deps=common if named is None else [mappings.get(each, AssetDep(each)) for each in sorted(named)],
            partitions_def=partitions_def,
            **attributes,
        )
    return AssetsDefinition.of(
        node,
        specs=by_output,
        inputs=inputs,
        what=what,
        check_outputs=checks,
        can_subset=can_subset,
        backfill_policy=backfill_policy,
        resource_defs=to_resources(resource_defs, what),
        hooks=hooks,
    )


def _kind_of(node: _Node) -> str:
    """What a node with assets is, as messages call it."""
    return "Graph of assets" if isinstance(node, GraphDefinition) else "Op of assets"


def _key_of(node: _Node, output: str, outputs: Sequence[str], given: Mapping[str, CoercibleToAssetKey]) -> AssetKey:
    if output in given:
        return AssetKey.from_coercible(given[output])
    return AssetKey([node.name if output == DEFAULT_OUTPUT and len(outputs) == 1 else output])


def _check_names(what: str, node: _Node, kind: str, known: Iterable[str], *given: _ByName) -> None:
    for each in given:
        for name in each or ():
            if name not in known:
                raise DefinitionError(
                    f"{what} ({node.source}) has no {kind[:-1]} {name!r}; its {kind} are: {', '.join(known) or 'none'}."
                )


def _output_of(spec: AssetSpec) -> str:
    return spec.key.to_python_identifier()
