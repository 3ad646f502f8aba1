"""The `@asset_check` and `@multi_asset_check` decorators: checks with a step of their own."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ...errors import DefinitionError
from ...partitions.definition import PartitionsDefinition
from ...records.keys import AssetKey
from ..function import Function, read_function
from ..names import check_name
from ..ops.op import OpDefinition
from ..ops.ports import In
from ..ops.retry import RetryPolicy
from ..resources.resource import to_resources
from ..source import source_of_function
from .asset import CHECK_OUT, asset_inputs, kind_tags
from .check_spec import AssetCheckSpec
from .definition import AssetInput, AssetsDefinition
from .spec import AssetDep, AssetIn, CoercibleToAssetDep

__all__ = ["AssetChecksDefinition", "asset_check", "multi_asset_check"]


class AssetChecksDefinition(AssetsDefinition):
    """A function and the checks that it evaluates. Make one with `@asset_check`.

    It takes what `AssetsDefinition` takes.
    """


def asset_check(
    *,
    asset: CoercibleToAssetDep,
    name: str | None = None,
    description: str | None = None,
    blocking: bool = False,
    additional_ins: Mapping[str, AssetIn] | None = None,
    additional_deps: Iterable[CoercibleToAssetDep] | None = None,
    required_resource_keys: Iterable[str] | None = None,
    resource_defs: Mapping[str, Any] | None = None,
    config_schema: Any = None,
    compute_kind: str | None = None,
    op_tags: Mapping[str, Any] | None = None,
    retry_policy: RetryPolicy | None = None,
    timeout: float | None = None,
    metadata: Mapping[str, Any] | None = None,
    automation_condition: Any = None,
    pool: str | None = None,
    partitions_def: PartitionsDefinition | None = None,
) -> Callable[[Callable[..., Any]], AssetChecksDefinition]:
    """Declare a check on an asset and the function that evaluates it, which returns an `AssetCheckResult`.

    A parameter that is not the context, `config` or a resource, and not among `additional_ins`, is the asset's value.

    Args:
        asset: The asset that is checked.
        name: The check's name; the function's if not given.
        description: What it makes sure of; the function's docstring if not given.
        blocking: Whether assets downstream wait for it, and are not made if it does not pass.
        additional_ins: Further assets that are loaded, by parameter.
        additional_deps: Further assets that it needs and does not load.
        required_resource_keys: Resources that it uses as `context.resources.<key>`.
        resource_defs: Resources of its own.
        config_schema: What its config looks like, read as `context.op_config`.
        compute_kind: What it is made with, for the icon of its step.
        op_tags: Tags of its step.
        retry_policy: How its step is tried again when it fails.
        timeout: Seconds after which its step is stopped and fails.
        metadata: Facts about it.
        automation_condition: When it is evaluated without being asked for.
        pool: The concurrency pool whose slot its step holds while it runs, over all runs.
        partitions_def: The partitions that it looks at, one at a time: those of the asset.

    Raises:
        DefinitionError: The parts do not fit together.
    """
    key = AssetDep(asset).asset_key

    def define(fn: Callable[..., Any]) -> AssetChecksDefinition:
        spec = AssetCheckSpec(
            name or fn.__name__,
            asset=key,
            description=description or (inspect.cleandoc(fn.__doc__) if fn.__doc__ else None),
            additional_deps=additional_deps,
            blocking=blocking,
            metadata=metadata,
            automation_condition=automation_condition,
            partitions_def=partitions_def,
        )
        what = f"Check {spec.key.to_user_string()}"
        function = read_function(fn, what)
        ins, inputs = _inputs(function, key, additional_ins or {}, what)
        return AssetChecksDefinition.of(
            OpDefinition(
                function,
                spec.output_name,
                ins=ins,
                outs={spec.output_name: CHECK_OUT},
                description=spec.description,
                config_schema=config_schema,
                required_resource_keys=required_resource_keys,
                tags=kind_tags(op_tags, None, compute_kind),
                retry_policy=retry_policy,
                timeout=timeout,
                pool=pool,
                what=what,
            ),
            specs={},
            inputs=inputs,
            check_outputs={spec.output_name: spec},
            resource_defs=to_resources(resource_defs, what),
        )

    return define


def multi_asset_check(
    *,
    specs: Sequence[AssetCheckSpec],
    name: str | None = None,
    description: str | None = None,
    can_subset: bool = False,
    compute_kind: str | None = None,
    op_tags: Mapping[str, Any] | None = None,
    resource_defs: Mapping[str, Any] | None = None,
    required_resource_keys: Iterable[str] | None = None,
    retry_policy: RetryPolicy | None = None,
    timeout: float | None = None,
    config_schema: Any = None,
    ins: Mapping[str, AssetIn] | None = None,
    pool: str | None = None,
) -> Callable[[Callable[..., Any]], AssetChecksDefinition]:
    """Declare several checks and the function that evaluates them, which yields `AssetCheckResult`s.

    Args:
        specs: The checks.
        name: The name of its op; the function's if not given.
        description: What the function does; its docstring if not given.
        can_subset: Whether a run may ask for some of the checks; see `context.selected_asset_check_keys`.
        compute_kind: What it is made with, for the icon of its step.
        op_tags: Tags of its step.
        resource_defs: Resources of its own.
        required_resource_keys: Resources that it uses as `context.resources.<key>`.
        retry_policy: How its step is tried again when it fails.
        timeout: Seconds after which its step is stopped and fails.
        config_schema: What its config looks like, read as `context.op_config`.
        ins: The assets that are loaded, by parameter, where the parameter's name does not say it.
        pool: The concurrency pool whose slot its step holds while it runs, over all runs.

    Raises:
        DefinitionError: The parts do not fit together.
    """

    def define(fn: Callable[..., Any]) -> AssetChecksDefinition:
        own_name = check_name(name or fn.__name__, "a function of checks")
        what = f'Checks "{own_name}"'
        outputs = {spec.output_name: spec for spec in specs}
        if len(outputs) != len(specs) or not specs:
            raise DefinitionError(f"{what} ({source_of_function(fn)}) needs specs, each check once.")
        if len({spec.partitions_def for spec in specs}) > 1:
            raise DefinitionError(f"{what} ({source_of_function(fn)}) has checks of different partitions; part them.")
        function = read_function(fn, what)
        op_ins, inputs = asset_inputs(function, ins or {}, what)
        return AssetChecksDefinition.of(
            OpDefinition(
                function,
                own_name,
                ins=op_ins,
                outs=dict.fromkeys(outputs, CHECK_OUT),
                description=description,
                config_schema=config_schema,
                required_resource_keys=required_resource_keys,
                tags=kind_tags(op_tags, None, compute_kind),
                retry_policy=retry_policy,
                timeout=timeout,
                pool=pool,
                what=what,
            ),
            specs={},
            inputs=inputs,
            check_outputs=outputs,
            can_subset=can_subset,
            resource_defs=to_resources(resource_defs, what),
        )

    return define


def _inputs(
    function: Function, key: AssetKey, additional: Mapping[str, AssetIn], what: str
) -> tuple[dict[str, In], dict[str, AssetInput]]:
    own = [each.name for each in function.inputs if each.name not in additional]
    if len(own) > 1:
        raise DefinitionError(
            f"{what} ({source_of_function(function.fn)}) has the parameters {', '.join(own)}, of which only one can be "
            "the asset's value; name the assets of the others in additional_ins."
        )
    return asset_inputs(function, {**additional, **{each: AssetIn(key=key) for each in own}}, what)
