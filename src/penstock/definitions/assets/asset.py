"""The `@asset` decorator: one asset and the function that makes it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, overload

import msgspec

from ...errors import DefinitionError
from ...partitions.definition import PartitionsDefinition
from ...records.freshness import AnyFreshnessPolicy
from ...records.keys import AssetKey, CoercibleToAssetKey
from ...records.run import Tag
from ..function import UNKNOWN, Function, read_function
from ..ops.hooks import HookDefinition
from ..ops.op import OpDefinition, value_type
from ..ops.ports import DEFAULT_OUTPUT, In, Out
from ..ops.retry import RetryPolicy
from ..ops.types import Nothing
from ..resources.resource import to_resources
from ..source import source_of_function
from .backfill_policy import BackfillPolicy
from .check_spec import AssetCheckSpec
from .definition import AssetInput, AssetsDefinition
from .spec import AssetDep, AssetIn, AssetSpec, CoercibleToAssetDep, to_deps

__all__ = [
    "CHECK_OUT",
    "asset",
    "asset_inputs",
    "check_key_form",
    "kind_tags",
    "merge_deps",
    "outputs_of_checks",
    "own_asset_key",
]


@overload
def asset(compute_fn: Callable[..., Any], /) -> AssetsDefinition: ...
@overload
def asset(
    *,
    name: str | None = None,
    key_prefix: str | Sequence[str] | None = None,
    ins: Mapping[str, AssetIn] | None = None,
    deps: Iterable[CoercibleToAssetDep] | None = None,
    metadata: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    description: str | None = None,
    config_schema: Any = None,
    required_resource_keys: Iterable[str] | None = None,
    resource_defs: Mapping[str, Any] | None = None,
    hooks: Iterable[HookDefinition] | None = None,
    io_manager_def: Any = None,
    io_manager_key: str | None = None,
    python_type: Any = UNKNOWN,
    partitions_def: PartitionsDefinition | None = None,
    op_tags: Mapping[str, Any] | None = None,
    group_name: str | None = None,
    output_required: bool = True,
    automation_condition: Any = None,
    freshness_policy: AnyFreshnessPolicy | None = None,
    backfill_policy: BackfillPolicy | None = None,
    retry_policy: RetryPolicy | None = None,
    timeout: float | None = None,
    code_version: str | None = None,
    key: CoercibleToAssetKey | None = None,
    check_specs: Sequence[AssetCheckSpec] | None = None,
    owners: Sequence[str] | None = None,
    kinds: Iterable[str] | None = None,
    compute_kind: str | None = None,
    pool: str | None = None,
    is_virtual: bool = False,
) -> Callable[[Callable[..., Any]], AssetsDefinition]: ...
def asset(
    compute_fn: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    key_prefix: str | Sequence[str] | None = None,
    ins: Mapping[str, AssetIn] | None = None,
    deps: Iterable[CoercibleToAssetDep] | None = None,
    metadata: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    description: str | None = None,
    config_schema: Any = None,
    required_resource_keys: Iterable[str] | None = None,
    resource_defs: Mapping[str, Any] | None = None,
    hooks: Iterable[HookDefinition] | None = None,
    io_manager_def: Any = None,
    io_manager_key: str | None = None,
    python_type: Any = UNKNOWN,
    partitions_def: PartitionsDefinition | None = None,
    op_tags: Mapping[str, Any] | None = None,
    group_name: str | None = None,
    output_required: bool = True,
    automation_condition: Any = None,
    freshness_policy: AnyFreshnessPolicy | None = None,
    backfill_policy: BackfillPolicy | None = None,
    retry_policy: RetryPolicy | None = None,
    timeout: float | None = None,
    code_version: str | None = None,
    key: CoercibleToAssetKey | None = None,
    check_specs: Sequence[AssetCheckSpec] | None = None,
    owners: Sequence[str] | None = None,
    kinds: Iterable[str] | None = None,
    compute_kind: str | None = None,
    pool: str | None = None,
    is_virtual: bool = False,
) -> AssetsDefinition | Callable[[Callable[..., Any]], AssetsDefinition]:
    """Declare an asset and the function that makes it.

    Parameters of the function that are not the context, `config` or resources are upstream assets, whose values are
    loaded: `orders` means the asset `orders`, or the one of the same group whose key ends so.

    Args:
        name: The last part of its key; the function's name if not given.
        key_prefix: Parts of its key before the name.
        ins: More about the upstream assets that are loaded, by parameter.
        deps: Upstream assets that are not loaded.
        metadata: Facts about it.
        tags: Its tags.
        description: What it holds; the function's docstring if not given.
        config_schema: What its config looks like, read as `context.op_config`.
        required_resource_keys: Resources that it uses as `context.resources.<key>`.
        resource_defs: Resources of its own.
        hooks: Hooks for its step.
        io_manager_def: An IO manager of its own.
        io_manager_key: The resource that stores it.
        python_type: What its value is; the return annotation if not given.
        partitions_def: Its partitions.
        op_tags: Tags of its step.
        group_name: The group that it is shown in.
        output_required: Whether the function must give it.
        automation_condition: When it is made without being asked for.
        freshness_policy: How fresh it shall be.
        backfill_policy: How a backfill cuts its partitions into runs.
        retry_policy: How its step is tried again when it fails.
        timeout: Seconds after which its step is stopped and fails.
        code_version: The version of its code.
        key: Its whole key, in place of prefix and name.
        check_specs: Checks that the same function evaluates.
        owners: Who answers for it.
        kinds: What it is or is made with; at most three.
        compute_kind: One kind, in the older way.
        pool: The concurrency pool whose slot its step holds while it runs, over all runs.
        is_virtual: Whether it is a view: it holds no data of its own, so its data is as new as what it depends on.

    Raises:
        DefinitionError: The parts do not fit together.
    """
    check_key_form(key, name, key_prefix)
    if io_manager_def is not None and io_manager_key is not None:
        raise DefinitionError(f"An asset has io_manager_def and io_manager_key={io_manager_key!r}; give one of them.")
    if kinds is not None and compute_kind is not None:
        raise DefinitionError("An asset has kinds and compute_kind; keep kinds.")

    def define(fn: Callable[..., Any]) -> AssetsDefinition:
        own_key = own_asset_key(fn, key, name, key_prefix)
        op_name = own_key.to_python_identifier()
        what = f"Asset {own_key.to_user_string()}"
        function = read_function(fn, what)
        op_ins, inputs = asset_inputs(function, ins or {}, what)
        inputs, all_deps = merge_deps(inputs, to_deps(deps, what), what)
        own_resources = to_resources(resource_defs, what)
        store = io_manager_key or "io_manager"
        if io_manager_def is not None:
            store = f"{op_name}__io_manager"
            own_resources |= to_resources({store: io_manager_def}, what)
        spec = AssetSpec(
            own_key,
            deps=all_deps,
            description=description or (inspect.cleandoc(fn.__doc__) if fn.__doc__ else None),
            metadata=metadata,
            skippable=not output_required,
            group_name=group_name,
            code_version=code_version,
            owners=owners,
            tags=tags,
            kinds=kinds or ([compute_kind] if compute_kind else None),
            partitions_def=partitions_def,
            automation_condition=automation_condition,
            freshness_policy=freshness_policy,
            is_virtual=is_virtual,
        )
        check_outputs = outputs_of_checks(check_specs or (), {spec.key}, what)
        kind = value_type(function) if python_type is UNKNOWN else python_type
        outs = {DEFAULT_OUTPUT: Out(kind, None, output_required, store, spec.metadata, code_version)}
        outs |= dict.fromkeys(check_outputs, CHECK_OUT)
        return AssetsDefinition.of(
            OpDefinition(
                function,
                op_name,
                ins=op_ins,
                outs=outs,
                description=spec.description,
                config_schema=config_schema,
                required_resource_keys=required_resource_keys,
                tags=kind_tags(op_tags, kinds, compute_kind),
                retry_policy=retry_policy,
                timeout=timeout,
                code_version=code_version,
                pool=pool,
                what=what,
            ),
            specs={DEFAULT_OUTPUT: spec},
            inputs=inputs,
            check_outputs=check_outputs,
            backfill_policy=backfill_policy,
            resource_defs=own_resources,
            hooks=hooks,
        )

    return define if compute_fn is None else define(compute_fn)


def check_key_form(key: CoercibleToAssetKey | None, name: str | None, key_prefix: str | Sequence[str] | None) -> None:
    """Raise `DefinitionError` where a key is given both whole and as prefix and name."""
    if key is not None and (name is not None or key_prefix is not None):
        raise DefinitionError(f"An asset has the key {key!r} and a name or key_prefix; give one or the other.")


def own_asset_key(
    fn: Callable[..., Any],
    key: CoercibleToAssetKey | None,
    name: str | None,
    key_prefix: str | Sequence[str] | None,
) -> AssetKey:
    """The key of the asset that a function makes: given whole, or as prefix and name."""
    if key is not None:
        return AssetKey.from_coercible(key)
    own = AssetKey([name or fn.__name__])
    return own.with_prefix(key_prefix) if key_prefix else own


CHECK_OUT = Out(python_type=Nothing, is_required=False)
"""The output that carries a check's result; nothing stores it."""


def kind_tags(
    op_tags: Mapping[str, Any] | None, kinds: Iterable[str] | None, compute_kind: str | None
) -> Mapping[str, Any] | None:
    """The tags of an asset's op, with the kind that its step shows."""
    shown = compute_kind or next(iter(sorted(kinds)) if kinds else iter(()), None)
    return op_tags if shown is None else {Tag.COMPUTE_KIND: shown, **(op_tags or {})}


def asset_inputs(
    function: Function, declared: Mapping[str, AssetIn], what: str
) -> tuple[dict[str, In], dict[str, AssetInput]]:
    """The inputs of an asset's op and the assets that they are loaded from.

    Raises:
        DefinitionError: Something is declared about a parameter that the function does not have.
    """
    ins: dict[str, In] = {}
    inputs: dict[str, AssetInput] = {}
    for parameter in function.inputs:
        given = declared.get(parameter.name)
        key = given.key_for(parameter.name) if given is not None else None
        if given is None:
            ins[parameter.name] = In(parameter.annotation)
            inputs[parameter.name] = AssetInput(parameter.name, exact=False)
            continue
        ins[parameter.name] = In(
            parameter.annotation if given.python_type is UNKNOWN else given.python_type,
            metadata=given.metadata,
            input_manager_key=given.input_manager_key,
        )
        inputs[parameter.name] = AssetInput(
            parameter.name if key is None else key.to_user_string(),
            exact=key is not None,
            partition_mapping=given.partition_mapping,
        )
    for name, given in declared.items():
        if name in inputs:
            continue
        if given.python_type is not Nothing and not function.takes_any:
            raise DefinitionError(
                f'{what} ({source_of_function(function.fn)}) declares the input "{name}", but its function has no '
                "parameter of that name; add it, or name the asset in deps."
            )
        key = given.key_for(name)
        ins[name] = In(given.python_type, metadata=given.metadata, input_manager_key=given.input_manager_key)
        inputs[name] = AssetInput(
            name if key is None else key.to_user_string(), key is not None, given.partition_mapping
        )
    return ins, inputs


def merge_deps(
    inputs: Mapping[str, AssetInput], explicit: Iterable[AssetDep], what: str
) -> tuple[dict[str, AssetInput], list[AssetDep]]:
    """What the parameters of an asset load, and all of its dependencies: those, and what is named besides.

    An asset may be both loaded and named; the partition mapping that either of them gives holds for both.

    Raises:
        DefinitionError: An asset is both loaded and named, each with a partition mapping of its own.
    """
    merged = dict(inputs)
    deps = {each.key: AssetDep(AssetKey.from_user_string(each.key), each.partition_mapping) for each in inputs.values()}
    for dep in explicit:
        text = dep.asset_key.to_user_string()
        loaded = deps.get(text)
        if loaded is None:
            deps[text] = dep
            continue
        mapping = dep.partition_mapping
        if mapping is None:
            mapping = loaded.partition_mapping
        elif loaded.partition_mapping not in (None, mapping):
            raise DefinitionError(
                f"{what} loads {text} by a parameter with another partition mapping than deps gives; keep one of them."
            )
        deps[text] = AssetDep(dep.asset_key, mapping, dep.metadata)
        for name, given in merged.items():
            if given.key == text:
                merged[name] = msgspec.structs.replace(given, partition_mapping=mapping)
    return merged, list(deps.values())


def outputs_of_checks(
    specs: Iterable[AssetCheckSpec], keys: Iterable[AssetKey], what: str
) -> dict[str, AssetCheckSpec]:
    """The check specs of a function by the output that carries each result.

    Raises:
        DefinitionError: A check is on another asset, or occurs twice.
    """
    known = set(keys)
    result: dict[str, AssetCheckSpec] = {}
    for spec in specs:
        if spec.asset_key not in known:
            raise DefinitionError(
                f"{what} has the check {spec.name} on {spec.asset_key}, which it does not make; "
                "write a function of its own for it with @asset_check."
            )
        if spec.output_name in result:
            raise DefinitionError(f"{what} has the check {spec.name} twice; names of checks differ.")
        result[spec.output_name] = spec
    return result
