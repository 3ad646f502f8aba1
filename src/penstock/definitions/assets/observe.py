"""Observable assets: something else makes them, and a function here looks at them and tells their data versions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, overload

from ...errors import DefinitionError
from ...partitions.definition import PartitionsDefinition
from ...records.freshness import AnyFreshnessPolicy
from ...records.keys import CoercibleToAssetKey
from ..function import read_function
from ..names import check_name
from ..ops.op import OpDefinition
from ..ops.ports import Out
from ..ops.types import Nothing
from ..resources.resource import to_resources
from ..source import source_of_function
from .asset import CHECK_OUT, asset_inputs, check_key_form, outputs_of_checks, own_asset_key
from .check_spec import AssetCheckSpec
from .definition import AssetsDefinition
from .spec import AssetSpec

__all__ = ["multi_observable_source_asset", "observable_source_asset", "observation"]


@overload
def observable_source_asset(observe_fn: Callable[..., Any], /) -> AssetsDefinition: ...
@overload
def observable_source_asset(
    *,
    key: CoercibleToAssetKey | None = None,
    name: str | None = None,
    key_prefix: str | Sequence[str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    io_manager_key: str | None = None,
    io_manager_def: Any = None,
    description: str | None = None,
    group_name: str | None = None,
    required_resource_keys: Iterable[str] | None = None,
    resource_defs: Mapping[str, Any] | None = None,
    partitions_def: PartitionsDefinition | None = None,
    automation_condition: Any = None,
    freshness_policy: AnyFreshnessPolicy | None = None,
    op_tags: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
) -> Callable[[Callable[..., Any]], AssetsDefinition]: ...
def observable_source_asset(
    observe_fn: Callable[..., Any] | None = None,
    /,
    *,
    key: CoercibleToAssetKey | None = None,
    name: str | None = None,
    key_prefix: str | Sequence[str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    io_manager_key: str | None = None,
    io_manager_def: Any = None,
    description: str | None = None,
    group_name: str | None = None,
    required_resource_keys: Iterable[str] | None = None,
    resource_defs: Mapping[str, Any] | None = None,
    partitions_def: PartitionsDefinition | None = None,
    automation_condition: Any = None,
    freshness_policy: AnyFreshnessPolicy | None = None,
    op_tags: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
) -> AssetsDefinition | Callable[[Callable[..., Any]], AssetsDefinition]:
    """Declare an asset that something else makes and the function that looks at it.

    The function returns a `DataVersion`, a `DataVersionsByPartition` or an `ObserveResult`.

    Args:
        key: Its whole key, in place of prefix and name.
        name: The last part of its key; the function's name if not given.
        key_prefix: Parts of its key before the name.
        metadata: Facts about it.
        io_manager_key: The resource that loads it.
        io_manager_def: An IO manager of its own that loads it.
        description: What it holds; the function's docstring if not given.
        group_name: The group that it is shown in.
        required_resource_keys: Resources that it uses as `context.resources.<key>`.
        resource_defs: Resources of its own.
        partitions_def: Its partitions.
        automation_condition: When it is observed without being asked for.
        freshness_policy: How fresh it shall be.
        op_tags: Tags of its step.
        tags: Its tags.

    Raises:
        DefinitionError: The parts do not fit together.
    """
    check_key_form(key, name, key_prefix)

    def define(fn: Callable[..., Any]) -> AssetsDefinition:
        own_key = own_asset_key(fn, key, name, key_prefix)
        what = f"Observable asset {own_key.to_user_string()}"
        if io_manager_def is not None and io_manager_key is not None:
            raise DefinitionError(f"{what} has an io_manager_def and io_manager_key={io_manager_key!r}; give one.")
        spec = AssetSpec(
            own_key,
            description=description or (inspect.cleandoc(fn.__doc__) if fn.__doc__ else None),
            metadata=metadata,
            group_name=group_name,
            tags=tags,
            partitions_def=partitions_def,
            automation_condition=automation_condition,
            freshness_policy=freshness_policy,
        )
        op_name = own_key.to_python_identifier()
        resources = dict(resource_defs or {})
        spec.io_manager_key = io_manager_key
        if io_manager_def is not None:
            spec.io_manager_key = f"{op_name}__io_manager"
            resources[spec.io_manager_key] = io_manager_def
        return observation(
            fn,
            {op_name: spec},
            what,
            required_resource_keys=required_resource_keys,
            resource_defs=resources,
            op_tags=op_tags,
        )

    return define if observe_fn is None else define(observe_fn)


def multi_observable_source_asset(
    *,
    specs: Sequence[AssetSpec],
    name: str | None = None,
    description: str | None = None,
    partitions_def: PartitionsDefinition | None = None,
    can_subset: bool = False,
    required_resource_keys: Iterable[str] | None = None,
    resource_defs: Mapping[str, Any] | None = None,
    group_name: str | None = None,
    check_specs: Sequence[AssetCheckSpec] | None = None,
) -> Callable[[Callable[..., Any]], AssetsDefinition]:
    """Declare several assets that something else makes and the function that looks at them.

    The function yields an `ObserveResult` for each.

    Args:
        specs: The assets.
        name: The name of its op; the function's if not given.
        description: What the function does; its docstring if not given.
        partitions_def: The partitions of all of its assets.
        can_subset: Whether a run may ask for some of them; see `context.selected_asset_keys`.
        required_resource_keys: Resources that it uses as `context.resources.<key>`.
        resource_defs: Resources of its own.
        group_name: The group of the assets that name none.
        check_specs: Checks that the same function evaluates.

    Raises:
        DefinitionError: The parts do not fit together.
    """

    def define(fn: Callable[..., Any]) -> AssetsDefinition:
        own_name = check_name(name or fn.__name__, "an observation of assets")
        what = f'Observation "{own_name}"'
        by_output: dict[str, AssetSpec] = {}
        for spec in specs:
            output = spec.key.to_python_identifier()
            if output in by_output:
                raise DefinitionError(f"{what} has the asset {spec.key} twice; keep one.")
            by_output[output] = spec.replace_attributes(
                group_name=spec.group_name or group_name, partitions_def=spec.partitions_def or partitions_def
            )
        if not by_output or len({spec.partitions_def for spec in by_output.values()}) > 1:
            raise DefinitionError(
                f"{what} ({source_of_function(fn)}) needs specs of one or more assets, with the same partitions."
            )
        return observation(
            fn,
            by_output,
            what,
            op_name=own_name,
            description=description,
            can_subset=can_subset,
            required_resource_keys=required_resource_keys,
            resource_defs=resource_defs,
            check_specs=check_specs,
        )

    return define


def observation(
    fn: Callable[..., Any],
    specs: Mapping[str, AssetSpec],
    what: str,
    *,
    op_name: str | None = None,
    description: str | None = None,
    can_subset: bool = False,
    required_resource_keys: Iterable[str] | None = None,
    resource_defs: Mapping[str, Any] | None = None,
    op_tags: Mapping[str, Any] | None = None,
    check_specs: Sequence[AssetCheckSpec] | None = None,
) -> AssetsDefinition:
    """The function that looks at these assets, by output.

    Raises:
        DefinitionError: The parts do not fit together.
    """
    function = read_function(fn, what)
    ins, inputs = asset_inputs(function, {}, what)
    checks = outputs_of_checks(check_specs or (), {spec.key for spec in specs.values()}, what)
    outs = {
        output: Out(Nothing, None, not (spec.skippable or can_subset), spec.io_manager_key or "io_manager")
        for output, spec in specs.items()
    }
    return AssetsDefinition.of(
        OpDefinition(
            function,
            op_name or next(iter(specs)),
            ins=ins,
            outs=outs | dict.fromkeys(checks, CHECK_OUT),
            description=description or next(iter(specs.values())).description,
            required_resource_keys=required_resource_keys,
            tags=op_tags,
            what=what,
        ),
        specs=specs,
        inputs=inputs,
        check_outputs=checks,
        can_subset=can_subset,
        resource_defs=to_resources(resource_defs, what),
        observes=True,
    )
