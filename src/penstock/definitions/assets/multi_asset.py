"""The `@multi_asset` decorator: several assets that one function makes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ...errors import DefinitionError
from ...partitions.definition import PartitionsDefinition
from ...records.keys import AssetKey
from ..function import read_function
from ..names import check_name
from ..ops.hooks import HookDefinition
from ..ops.op import OpDefinition
from ..ops.ports import Out
from ..ops.retry import RetryPolicy
from ..ops.types import Nothing
from ..resources.resource import to_resources
from ..source import source_of_function
from .asset import CHECK_OUT, asset_inputs, kind_tags, merge_deps, outputs_of_checks
from .backfill_policy import BackfillPolicy
from .check_spec import AssetCheckSpec
from .definition import AssetsDefinition
from .spec import AssetDep, AssetIn, AssetOut, AssetSpec, CoercibleToAssetDep, to_deps

__all__ = ["multi_asset"]


def multi_asset(
    *,
    outs: Mapping[str, AssetOut] | None = None,
    name: str | None = None,
    ins: Mapping[str, AssetIn] | None = None,
    deps: Iterable[CoercibleToAssetDep] | None = None,
    description: str | None = None,
    config_schema: Any = None,
    required_resource_keys: Iterable[str] | None = None,
    internal_asset_deps: Mapping[str, set[AssetKey]] | None = None,
    partitions_def: PartitionsDefinition | None = None,
    hooks: Iterable[HookDefinition] | None = None,
    backfill_policy: BackfillPolicy | None = None,
    op_tags: Mapping[str, Any] | None = None,
    can_subset: bool = False,
    resource_defs: Mapping[str, Any] | None = None,
    group_name: str | None = None,
    retry_policy: RetryPolicy | None = None,
    timeout: float | None = None,
    code_version: str | None = None,
    specs: Sequence[AssetSpec] | None = None,
    check_specs: Sequence[AssetCheckSpec] | None = None,
    compute_kind: str | None = None,
    pool: str | None = None,
) -> Callable[[Callable[..., Any]], AssetsDefinition]:
    """Declare several assets and the function that makes them.

    Args:
        outs: The assets by output name, for a function that returns or yields values; or:
        specs: The assets, for a function that yields `MaterializeResult`s and stores values itself.
        name: The name of its op; the function's if not given.
        ins: More about the upstream assets that are loaded, by parameter.
        deps: Upstream assets that are not loaded; with specs, put them there.
        description: What the function does; its docstring if not given.
        config_schema: What its config looks like, read as `context.op_config`.
        required_resource_keys: Resources that it uses as `context.resources.<key>`.
        internal_asset_deps: With outs: by output name, what that asset depends on, where it is not every input.
        partitions_def: The partitions of all of its assets.
        hooks: Hooks for its step.
        backfill_policy: How a backfill cuts its partitions into runs.
        op_tags: Tags of its step.
        can_subset: Whether a run may ask for some of the assets; see `context.selected_output_names`.
        resource_defs: Resources of its own.
        group_name: The group of the assets that name none.
        retry_policy: How its step is tried again when it fails.
        timeout: Seconds after which its step is stopped and fails.
        code_version: The version of the code for the assets that name none.
        check_specs: Checks that the same function evaluates.
        compute_kind: What it is made with, for the icon of its step.
        pool: The concurrency pool whose slot its step holds while it runs, over all runs.

    Raises:
        DefinitionError: The parts do not fit together.
    """

    def define(fn: Callable[..., Any]) -> AssetsDefinition:
        own_name = check_name(name or fn.__name__, "a multi-asset")
        what = f'Multi-asset "{own_name}"'
        place = source_of_function(fn)
        if (outs is None) == (specs is None):
            raise DefinitionError(f"{what} ({place}) needs outs or specs, and not both; give one of them.")
        function = read_function(fn, what)
        op_ins, inputs = asset_inputs(function, ins or {}, what)
        inputs, common = merge_deps(inputs, to_deps(deps, what), what)
        if outs is not None:
            by_output = _specs_of_outs(outs, common, internal_asset_deps or {}, partitions_def, what)
            op_outs = {
                each: Out(
                    out.python_type,
                    out.description,
                    out.is_required and not can_subset,
                    out.io_manager_key,
                    out.metadata,
                    out.code_version or code_version,
                )
                for each, out in outs.items()
            }
        else:
            if internal_asset_deps:
                raise DefinitionError(
                    f"{what} ({place}) has specs, so its internal dependencies belong into their deps; move them there."
                )
            by_output = _specs_by_output(specs or (), common, partitions_def, what)
            op_outs = {
                each: Out(
                    Nothing, None, not (spec.skippable or can_subset), "io_manager", spec.metadata, spec.code_version
                )
                for each, spec in by_output.items()
            }
        by_output = {each: _completed(spec, group_name, code_version) for each, spec in by_output.items()}
        check_outputs = outputs_of_checks(check_specs or (), {spec.key for spec in by_output.values()}, what)
        return AssetsDefinition.of(
            OpDefinition(
                function,
                own_name,
                ins=op_ins,
                outs=op_outs | dict.fromkeys(check_outputs, CHECK_OUT),
                description=description,
                config_schema=config_schema,
                required_resource_keys=required_resource_keys,
                tags=kind_tags(op_tags, None, compute_kind),
                retry_policy=retry_policy,
                timeout=timeout,
                code_version=code_version,
                pool=pool,
                what=what,
            ),
            specs=by_output,
            inputs=inputs,
            check_outputs=check_outputs,
            can_subset=can_subset,
            backfill_policy=backfill_policy or _common_policy((outs or {}).values(), what),
            resource_defs=to_resources(resource_defs, what),
            hooks=hooks,
        )

    return define


def _common_policy(outs: Iterable[AssetOut], what: str) -> BackfillPolicy | None:
    given = {out.backfill_policy for out in outs} - {None}
    if len(given) > 1:
        raise DefinitionError(f"{what} has outputs with different backfill policies; one function has one policy.")
    return next(iter(given), None)


def _specs_of_outs(
    outs: Mapping[str, AssetOut],
    common: list[AssetDep],
    internal: Mapping[str, set[AssetKey]],
    partitions_def: PartitionsDefinition | None,
    what: str,
) -> dict[str, AssetSpec]:
    if unknown := set(internal) - set(outs):
        raise DefinitionError(f"{what} has internal_asset_deps for {sorted(unknown)}, which are none of its outputs.")
    mappings = {dep.asset_key: dep for dep in common}
    result = {}
    for output, out in outs.items():
        check_name(output, f"an output of {what}")
        deps = common
        if output in internal:
            deps = [mappings.get(key, AssetDep(key)) for key in sorted(internal[output])]
        result[output] = out.spec(output, deps, partitions_def)
    return result


def _specs_by_output(
    specs: Sequence[AssetSpec], common: list[AssetDep], partitions_def: PartitionsDefinition | None, what: str
) -> dict[str, AssetSpec]:
    result: dict[str, AssetSpec] = {}
    for spec in specs:
        output = spec.key.to_python_identifier()
        if output in result:
            raise DefinitionError(f"{what} has the asset {spec.key} twice; keep one.")
        if partitions_def is not None and spec.partitions_def not in (None, partitions_def):
            raise DefinitionError(f"{what} has other partitions than its spec of {spec.key}; give them in one place.")
        own = {dep.asset_key for dep in spec.deps}
        deps = [*spec.deps, *(dep for dep in common if dep.asset_key not in own)]
        result[output] = spec.replace_attributes(deps=deps, partitions_def=partitions_def or spec.partitions_def)
    if len({spec.partitions_def for spec in result.values()}) > 1:
        raise DefinitionError(f"{what} has specs with different partitions; one function makes one set of partitions.")
    return result


def _completed(spec: AssetSpec, group_name: str | None, code_version: str | None) -> AssetSpec:
    if (group_name is None or spec.group_name is not None) and (code_version is None or spec.code_version is not None):
        return spec
    return spec.replace_attributes(
        group_name=spec.group_name or group_name, code_version=spec.code_version or code_version
    )
