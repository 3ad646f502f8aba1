"""Finds assets and checks in modules, and gives those that are found a group or a key prefix."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from types import ModuleType
from typing import Any

from ...errors import DefinitionError
from ...records.keys import AssetKey
from ..names import check_name
from ..source import caller_frame
from .asset_check import AssetChecksDefinition
from .backfill_policy import BackfillPolicy
from .check_spec import AssetCheckSpec
from .definition import AssetInput, AssetsDefinition
from .spec import AssetDep, AssetSpec

__all__ = [
    "find",
    "find_assets",
    "load_asset_checks_from_current_module",
    "load_asset_checks_from_modules",
    "load_asset_checks_from_package_module",
    "load_asset_checks_from_package_name",
    "load_assets_from_current_module",
    "load_assets_from_modules",
    "load_assets_from_package_module",
    "load_assets_from_package_name",
]

Prefix = str | Sequence[str]


def load_assets_from_modules(
    modules: Iterable[ModuleType],
    group_name: str | None = None,
    key_prefix: Prefix | None = None,
    *,
    backfill_policy: BackfillPolicy | None = None,
    include_specs: bool = False,
) -> list[AssetsDefinition | AssetSpec]:
    """The assets at the top of modules, lists of them included, each once.

    Args:
        modules: Where to look.
        group_name: The group of those that name none.
        key_prefix: Parts to put before their keys, and before what they depend on among themselves.
        backfill_policy: That of those that have none.
        include_specs: Whether specs of assets count too.

    Raises:
        DefinitionError: An asset that was found has another group already.
    """
    modules = list(modules)
    found = find_assets(modules)
    specs = find(modules, AssetSpec) if include_specs else []
    renamed = _renamed([*(spec for each in found for spec in each.specs), *specs], key_prefix)
    result: list[AssetsDefinition | AssetSpec] = [
        _changed(each, group_name, renamed, backfill_policy) for each in found
    ]
    return [*result, *(_spec(each, group_name, renamed) for each in specs)]


def load_assets_from_current_module(
    group_name: str | None = None,
    key_prefix: Prefix | None = None,
    *,
    backfill_policy: BackfillPolicy | None = None,
    include_specs: bool = False,
) -> list[AssetsDefinition | AssetSpec]:
    """The assets at the top of the calling module; arguments as for `load_assets_from_modules`."""
    return load_assets_from_modules(
        [_calling_module()],
        group_name,
        key_prefix,
        backfill_policy=backfill_policy,
        include_specs=include_specs,
    )


def load_assets_from_package_module(
    package_module: ModuleType,
    group_name: str | None = None,
    key_prefix: Prefix | None = None,
    *,
    backfill_policy: BackfillPolicy | None = None,
    include_specs: bool = False,
) -> list[AssetsDefinition | AssetSpec]:
    """The assets of a package and all modules inside it; arguments as for `load_assets_from_modules`."""
    return load_assets_from_modules(
        _modules_of(package_module),
        group_name,
        key_prefix,
        backfill_policy=backfill_policy,
        include_specs=include_specs,
    )


def load_assets_from_package_name(
    package_name: str,
    group_name: str | None = None,
    key_prefix: Prefix | None = None,
    *,
    backfill_policy: BackfillPolicy | None = None,
    include_specs: bool = False,
) -> list[AssetsDefinition | AssetSpec]:
    """The assets of the package of that name; arguments as for `load_assets_from_modules`."""
    return load_assets_from_package_module(
        importlib.import_module(package_name),
        group_name,
        key_prefix,
        backfill_policy=backfill_policy,
        include_specs=include_specs,
    )


def load_asset_checks_from_modules(
    modules: Iterable[ModuleType], asset_key_prefix: Prefix | None = None
) -> list[AssetChecksDefinition]:
    """The checks at the top of modules, lists of them included, each once.

    Args:
        modules: Where to look.
        asset_key_prefix: Parts to put before the keys of the assets that they look at.
    """
    found: list[AssetChecksDefinition] = find(modules, AssetChecksDefinition)
    if asset_key_prefix is None:
        return found
    return [_prefixed_check(each, asset_key_prefix) for each in found]


def load_asset_checks_from_current_module(asset_key_prefix: Prefix | None = None) -> list[AssetChecksDefinition]:
    """The checks at the top of the calling module."""
    return load_asset_checks_from_modules([_calling_module()], asset_key_prefix)


def load_asset_checks_from_package_module(
    package_module: ModuleType, asset_key_prefix: Prefix | None = None
) -> list[AssetChecksDefinition]:
    """The checks of a package and all modules inside it."""
    return load_asset_checks_from_modules(_modules_of(package_module), asset_key_prefix)


def load_asset_checks_from_package_name(
    package_name: str, asset_key_prefix: Prefix | None = None
) -> list[AssetChecksDefinition]:
    """The checks of the package of that name."""
    return load_asset_checks_from_package_module(importlib.import_module(package_name), asset_key_prefix)


def find_assets(modules: Iterable[ModuleType]) -> list[AssetsDefinition]:
    """The functions that make assets at the top of modules, each once."""
    return [each for each in find(modules, AssetsDefinition) if not isinstance(each, AssetChecksDefinition)]


def find(modules: Iterable[ModuleType], kind: type[Any]) -> list[Any]:
    """The objects of a kind at the top of modules, those in lists included, each once."""
    found: dict[int, Any] = {}
    for module in modules:
        if not isinstance(module, ModuleType):
            raise DefinitionError(f"{module!r} is no module; import it and give the module itself.")
        for value in list(vars(module).values()):
            for each in value if isinstance(value, list | tuple) else (value,):
                if isinstance(each, kind):
                    found[id(each)] = each
    return list(found.values())


def _calling_module() -> ModuleType:
    frame = caller_frame()
    name = frame.f_globals.get("__name__") if frame is not None else None
    module = sys.modules.get(str(name))
    if module is None:
        raise DefinitionError("The calling module is not known; use load_assets_from_modules([...]).")
    return module


def _modules_of(package: ModuleType) -> Iterator[ModuleType]:
    yield package
    for info in pkgutil.walk_packages(getattr(package, "__path__", ()), f"{package.__name__}."):
        yield importlib.import_module(info.name)


def _renamed(specs: Iterable[AssetSpec], prefix: Prefix | None) -> dict[str, AssetKey]:
    """New keys by the text form of the old ones."""
    if prefix is None:
        return {}
    return {spec.key.to_user_string(): spec.key.with_prefix(prefix) for spec in specs}


def _spec(spec: AssetSpec, group_name: str | None, renamed: dict[str, AssetKey]) -> AssetSpec:
    if group_name is not None and spec.group_name not in (None, group_name):
        raise DefinitionError(
            f"Asset {spec.key} is in the group {spec.group_name!r} and cannot be put into {group_name!r}; "
            "name its group in one place."
        )
    if not renamed:
        return spec if group_name is None or spec.group_name else spec.replace_attributes(group_name=group_name)
    deps = [AssetDep(renamed.get(str(dep.asset_key), dep.asset_key), dep.partition_mapping) for dep in spec.deps]
    return spec.replace_attributes(
        key=renamed[spec.key.to_user_string()], deps=deps, group_name=spec.group_name or group_name
    )


def _changed(
    definition: AssetsDefinition,
    group_name: str | None,
    renamed: dict[str, AssetKey],
    backfill_policy: BackfillPolicy | None,
) -> AssetsDefinition:
    changes: dict[str, Any] = {
        "specs_by_output": {
            output: _spec(spec, group_name, renamed) for output, spec in definition.specs_by_output.items()
        }
    }
    if backfill_policy is not None and definition.backfill_policy is None:
        changes["backfill_policy"] = backfill_policy
    if renamed:
        changes["inputs"] = {name: _input(each, renamed) for name, each in definition.inputs.items()}
        keys = {output: spec.key for output, spec in changes["specs_by_output"].items()}
        changes |= _renamed_op(definition, keys, renamed)
    return definition.replaced(**changes)


def _input(given: AssetInput, renamed: dict[str, AssetKey]) -> AssetInput:
    key = renamed.get(given.key)
    return given if key is None else AssetInput(key.to_user_string(), True, given.partition_mapping)


def _renamed_op(
    definition: AssetsDefinition, keys: dict[str, AssetKey], renamed: dict[str, AssetKey]
) -> dict[str, Any]:
    """The op of a single asset is named by its key; outputs of checks are named by the asset's key too."""
    op = definition.op
    checks = {output: _moved(spec, renamed) for output, spec in definition.check_outputs.items()}
    outs = {checks[name].output_name if name in checks else name: out for name, out in op.outs.items()}
    name = op.name
    if len(keys) == 1 and name == next(iter(definition.specs_by_output.values())).key.to_python_identifier():
        name = check_name(next(iter(keys.values())).to_python_identifier(), "an asset's op")
    return {"op": op.renamed(name, outs), "check_outputs": {spec.output_name: spec for spec in checks.values()}}


def _moved(spec: AssetCheckSpec, renamed: dict[str, AssetKey]) -> AssetCheckSpec:
    return AssetCheckSpec(
        spec.name,
        asset=renamed.get(spec.asset_key.to_user_string(), spec.asset_key),
        description=spec.description,
        additional_deps=[
            AssetDep(renamed.get(str(dep.asset_key), dep.asset_key), dep.partition_mapping)
            for dep in spec.additional_deps
        ],
        blocking=spec.blocking,
        metadata=spec.metadata,
    )


def _prefixed_check(definition: AssetChecksDefinition, prefix: Prefix) -> AssetChecksDefinition:
    keys = {spec.asset_key.to_user_string(): spec.asset_key.with_prefix(prefix) for spec in definition.check_specs}
    checks = [_moved(spec, keys) for spec in definition.check_specs]
    op = definition.op
    name = checks[0].output_name if op.name in definition.check_outputs else op.name
    outs = dict(zip((spec.output_name for spec in checks), op.outs.values(), strict=True))
    made = definition.replaced(
        op=op.renamed(name, outs),
        check_outputs={spec.output_name: spec for spec in checks},
        inputs={each: _input(given, keys) for each, given in definition.inputs.items()},
    )
    assert isinstance(made, AssetChecksDefinition)
    return made
