"""The `@graph_asset` and `@graph_multi_asset` decorators: assets that a graph of ops makes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, overload

from ...errors import DefinitionError
from ...partitions.definition import PartitionsDefinition
from ...records.freshness import AnyFreshnessPolicy
from ...records.keys import AssetKey, CoercibleToAssetKey
from ..names import check_name
from ..ops.graph import GraphDefinition, compose
from ..ops.hooks import HookDefinition
from ..ops.ports import DEFAULT_OUTPUT, GraphOut
from ..resources.resource import to_resources
from ..source import source_of_function
from .asset import check_key_form, outputs_of_checks, own_asset_key
from .backfill_policy import BackfillPolicy
from .check_spec import AssetCheckSpec
from .definition import AssetInput, AssetsDefinition
from .spec import AssetDep, AssetIn, AssetOut, AssetSpec

__all__ = ["graph_asset", "graph_multi_asset"]


@overload
def graph_asset(compose_fn: Callable[..., Any], /) -> AssetsDefinition: ...
@overload
def graph_asset(
    *,
    name: str | None = None,
    description: str | None = None,
    ins: Mapping[str, AssetIn] | None = None,
    config: Any = None,
    key_prefix: str | Sequence[str] | None = None,
    group_name: str | None = None,
    partitions_def: PartitionsDefinition | None = None,
    hooks: Iterable[HookDefinition] | None = None,
    metadata: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    owners: Sequence[str] | None = None,
    automation_condition: Any = None,
    backfill_policy: BackfillPolicy | None = None,
    resource_defs: Mapping[str, Any] | None = None,
    check_specs: Sequence[AssetCheckSpec] | None = None,
    code_version: str | None = None,
    key: CoercibleToAssetKey | None = None,
    kinds: Iterable[str] | None = None,
    freshness_policy: AnyFreshnessPolicy | None = None,
) -> Callable[[Callable[..., Any]], AssetsDefinition]: ...
def graph_asset(
    compose_fn: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    ins: Mapping[str, AssetIn] | None = None,
    config: Any = None,
    key_prefix: str | Sequence[str] | None = None,
    group_name: str | None = None,
    partitions_def: PartitionsDefinition | None = None,
    hooks: Iterable[HookDefinition] | None = None,
    metadata: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    owners: Sequence[str] | None = None,
    automation_condition: Any = None,
    backfill_policy: BackfillPolicy | None = None,
    resource_defs: Mapping[str, Any] | None = None,
    check_specs: Sequence[AssetCheckSpec] | None = None,
    code_version: str | None = None,
    key: CoercibleToAssetKey | None = None,
    kinds: Iterable[str] | None = None,
    freshness_policy: AnyFreshnessPolicy | None = None,
) -> AssetsDefinition | Callable[[Callable[..., Any]], AssetsDefinition]:
    """Declare an asset that a graph of ops makes: the function calls ops and returns the output that is the asset.

    Parameters of the function are upstream assets, whose values are loaded by the ops that they are passed to.

    Args:
        name: The last part of its key; the function's name if not given.
        description: What it holds; the function's docstring if not given.
        ins: More about the upstream assets, by parameter.
        config: The config of its ops, or a mapping that makes it of a simpler one.
        key_prefix: Parts of its key before the name.
        group_name: The group that it is shown in.
        partitions_def: Its partitions.
        hooks: Hooks for all of its steps.
        metadata: Facts about it.
        tags: Its tags.
        owners: Who answers for it.
        automation_condition: When it is made without being asked for.
        backfill_policy: How a backfill cuts its partitions into runs.
        resource_defs: Resources of its own.
        check_specs: Checks that ops of the graph evaluate; the function returns the outputs by name, the asset as
            `result` and each check as `<asset>_<check>`.
        code_version: The version of its code.
        key: Its whole key, in place of prefix and name.
        kinds: What it is or is made with; at most three.
        freshness_policy: How fresh it shall be.

    Raises:
        DefinitionError: The parts do not fit together.
    """
    check_key_form(key, name, key_prefix)

    def define(fn: Callable[..., Any]) -> AssetsDefinition:
        own_key = own_asset_key(fn, key, name, key_prefix)
        what = f"Graph asset {own_key.to_user_string()}"
        checks = outputs_of_checks(check_specs or (), {own_key}, what)
        outs = {each: GraphOut() for each in (DEFAULT_OUTPUT, *checks)}
        graph = _composed(fn, own_key.to_python_identifier(), outs, config, description)
        inputs = _inputs(graph, ins or {}, what)
        spec = AssetSpec(
            own_key,
            deps=_deps(inputs),
            description=graph.description,
            metadata=metadata,
            group_name=group_name,
            code_version=code_version,
            owners=owners,
            tags=tags,
            kinds=kinds,
            partitions_def=partitions_def,
            automation_condition=automation_condition,
            freshness_policy=freshness_policy,
        )
        return AssetsDefinition.of(
            graph,
            specs={DEFAULT_OUTPUT: spec},
            inputs=inputs,
            what=what,
            check_outputs=checks,
            backfill_policy=backfill_policy,
            resource_defs=to_resources(resource_defs, what),
            hooks=hooks,
        )

    return define if compose_fn is None else define(compose_fn)


def graph_multi_asset(
    *,
    outs: Mapping[str, AssetOut],
    name: str | None = None,
    ins: Mapping[str, AssetIn] | None = None,
    partitions_def: PartitionsDefinition | None = None,
    hooks: Iterable[HookDefinition] | None = None,
    backfill_policy: BackfillPolicy | None = None,
    group_name: str | None = None,
    can_subset: bool = False,
    resource_defs: Mapping[str, Any] | None = None,
    check_specs: Sequence[AssetCheckSpec] | None = None,
    config: Any = None,
) -> Callable[[Callable[..., Any]], AssetsDefinition]:
    """Declare several assets that a graph of ops makes; the function returns an output of an op for each.

    Args:
        outs: The assets, by output name.
        name: The graph's name; the function's if not given.
        ins: More about the upstream assets, by parameter.
        partitions_def: The partitions of all of its assets.
        hooks: Hooks for all of its steps.
        backfill_policy: How a backfill cuts its partitions into runs.
        group_name: The group of the assets that name none.
        can_subset: Whether a run may ask for some of the assets; ops that these do not need are left out.
        resource_defs: Resources of its own.
        check_specs: Checks that ops of the graph evaluate; the function returns the result of each as
            `<asset>_<check>`.
        config: The config of its ops, or a mapping that makes it of a simpler one.

    Raises:
        DefinitionError: The parts do not fit together.
    """

    def define(fn: Callable[..., Any]) -> AssetsDefinition:
        own_name = check_name(name or fn.__name__, "a graph of assets")
        what = f'Graph of assets "{own_name}"'
        if not outs:
            raise DefinitionError(f"{what} ({source_of_function(fn)}) needs outs: an AssetOut for each asset.")
        keys = {output: out.spec(output, (), None).key for output, out in outs.items()}
        checks = outputs_of_checks(check_specs or (), set(keys.values()), what)
        graph = _composed(fn, own_name, {each: GraphOut() for each in (*outs, *checks)}, config, None)
        inputs = _inputs(graph, ins or {}, what)
        specs = {}
        for output, out in outs.items():
            spec = out.spec(output, _deps(inputs), partitions_def)
            specs[output] = spec if spec.group_name else spec.replace_attributes(group_name=group_name)
        return AssetsDefinition.of(
            graph,
            specs=specs,
            inputs=inputs,
            what=what,
            check_outputs=checks,
            can_subset=can_subset,
            backfill_policy=backfill_policy,
            resource_defs=to_resources(resource_defs, what),
            hooks=hooks,
        )

    return define


def _composed(
    fn: Callable[..., Any], name: str, outs: Mapping[str, GraphOut], config: Any, description: str | None
) -> GraphDefinition:
    options = {} if config is None else {"config": config}
    return compose(fn, name, "Graph", out=outs, description=description, **options)


def _inputs(graph: GraphDefinition, declared: Mapping[str, AssetIn], what: str) -> dict[str, AssetInput]:
    if unknown := sorted(set(declared) - set(graph.ins)):
        raise DefinitionError(
            f'{what} ({graph.source}) declares the input "{unknown[0]}", but its function has no parameter of that '
            "name; add it, and pass it to an op."
        )
    result = {}
    for name in graph.ins:
        given = declared.get(name)
        if given is None:
            result[name] = AssetInput(name, exact=False)
            continue
        if given.metadata:
            raise DefinitionError(
                f'{what} ({graph.source}) has metadata for its input "{name}", which an op inside loads; '
                "give it to the In of that op."
            )
        key = given.key_for(name)
        result[name] = AssetInput(
            name if key is None else key.to_user_string(),
            exact=key is not None,
            partition_mapping=given.partition_mapping,
            io_manager_key=given.input_manager_key,
        )
    return result


def _deps(inputs: Mapping[str, AssetInput]) -> list[AssetDep]:
    return [AssetDep(AssetKey.from_user_string(each.key), each.partition_mapping) for each in inputs.values()]
