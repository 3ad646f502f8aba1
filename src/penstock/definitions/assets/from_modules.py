"""Finds assets and checks in modules, and gives those that are found a group or a key prefix."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

import msgspec

from ...errors import DefinitionError
from ...records.keys import AssetKey
from ..source import caller_frame
from .asset_check import AssetChecksDefinition
from .backfill_policy import BackfillPolicy
from .definition import AssetInput, AssetsDefinition
from .spec import AssetSpec

__all__ = [
    "calling_module",
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
    "modules_of",
    "package_named",
]

Prefix = str | Sequence[str]


def load_assets_from_modules(
    modules: Iterable[ModuleType],
    group_name: str | None = None,
    key_prefix: Prefix | None = None,
    *,
    automation_condition: Any = None,
    backfill_policy: BackfillPolicy | None = None,
    source_key_prefix: Prefix | None = None,
    include_specs: bool = False,
) -> list[AssetsDefinition | AssetSpec]:
    """The assets at the top of modules, lists of them included, each once.

    Args:
        modules: Where to look.
        group_name: The group of those that name none.
        key_prefix: Parts to put before their keys, and before what they depend on among themselves.
        automation_condition: When those are made that have no condition of their own.
        backfill_policy: That of those that have none.
        source_key_prefix: Parts to put before the keys of assets that nothing there makes.
        include_specs: Whether specs of assets count too.

    Raises:
        DefinitionError: An asset that was found has another group already.
    """
    modules = list(modules)
    found = find_assets(modules)
    specs = find(modules, AssetSpec) if include_specs else []
    renamed: dict[str, AssetKey] = {}
    for definition in found:
        renamed |= _renamed(definition.specs, key_prefix if definition.is_materializable else source_key_prefix)
    renamed |= _renamed(specs, key_prefix)
    change = _Change(group_name, renamed, automation_condition)
    result: list[AssetsDefinition | AssetSpec] = [change.definition(each, backfill_policy) for each in found]
    return [*result, *(change.spec(each, makes=False) for each in specs)]


def load_assets_from_current_module(
    group_name: str | None = None,
    key_prefix: Prefix | None = None,
    *,
    automation_condition: Any = None,
    backfill_policy: BackfillPolicy | None = None,
    source_key_prefix: Prefix | None = None,
    include_specs: bool = False,
) -> list[AssetsDefinition | AssetSpec]:
    """The assets at the top of the calling module; arguments as for `load_assets_from_modules`."""
    return load_assets_from_modules(
        [calling_module()],
        group_name,
        key_prefix,
        automation_condition=automation_condition,
        backfill_policy=backfill_policy,
        source_key_prefix=source_key_prefix,
        include_specs=include_specs,
    )


def load_assets_from_package_module(
    package_module: ModuleType,
    group_name: str | None = None,
    key_prefix: Prefix | None = None,
    *,
    automation_condition: Any = None,
    backfill_policy: BackfillPolicy | None = None,
    source_key_prefix: Prefix | None = None,
    include_specs: bool = False,
) -> list[AssetsDefinition | AssetSpec]:
    """The assets of a package and all modules inside it; arguments as for `load_assets_from_modules`.

    Args:
        package_module: The package, which is searched with all that is in it.
    """
    return load_assets_from_modules(
        modules_of(package_module),
        group_name,
        key_prefix,
        automation_condition=automation_condition,
        backfill_policy=backfill_policy,
        source_key_prefix=source_key_prefix,
        include_specs=include_specs,
    )


def load_assets_from_package_name(
    package_name: str,
    group_name: str | None = None,
    key_prefix: Prefix | None = None,
    *,
    automation_condition: Any = None,
    backfill_policy: BackfillPolicy | None = None,
    source_key_prefix: Prefix | None = None,
    include_specs: bool = False,
) -> list[AssetsDefinition | AssetSpec]:
    """The assets of the package of that name; arguments as for `load_assets_from_modules`.

    Args:
        package_name: The dotted name of the package.
    """
    return load_assets_from_package_module(
        package_named(package_name),
        group_name,
        key_prefix,
        automation_condition=automation_condition,
        backfill_policy=backfill_policy,
        source_key_prefix=source_key_prefix,
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
    """The checks at the top of the calling module; arguments as for `load_asset_checks_from_modules`."""
    return load_asset_checks_from_modules([calling_module()], asset_key_prefix)


def load_asset_checks_from_package_module(
    package_module: ModuleType, asset_key_prefix: Prefix | None = None
) -> list[AssetChecksDefinition]:
    """The checks of a package and all modules inside it; arguments as for `load_asset_checks_from_modules`.

    Args:
        package_module: The package, which is searched with all that is in it.
    """
    return load_asset_checks_from_modules(modules_of(package_module), asset_key_prefix)


def load_asset_checks_from_package_name(
    package_name: str, asset_key_prefix: Prefix | None = None
) -> list[AssetChecksDefinition]:
    """The checks of the package of that name; arguments as for `load_asset_checks_from_modules`.

    Args:
        package_name: The dotted name of the package.
    """
    return load_asset_checks_from_package_module(package_named(package_name), asset_key_prefix)


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


def package_named(name: str) -> ModuleType:
    """The package of that name, imported."""
    return importlib.import_module(name)


def calling_module() -> ModuleType:
    """The module that called into Penstock; raises `DefinitionError` where that is not known."""
    frame = caller_frame()
    name = frame.f_globals.get("__name__") if frame is not None else None
    module = sys.modules.get(str(name))
    if module is None:
        raise DefinitionError("The calling module is not known; use load_assets_from_modules([...]).")
    return module


def modules_of(package: ModuleType) -> Iterator[ModuleType]:
    """A package and all modules inside it, imported."""
    yield package
    for info in pkgutil.walk_packages(getattr(package, "__path__", ()), f"{package.__name__}."):
        yield importlib.import_module(info.name)


def _renamed(specs: Iterable[AssetSpec], prefix: Prefix | None) -> dict[str, AssetKey]:
    """New keys by the text form of the old ones."""
    if prefix is None:
        return {}
    return {spec.key.to_user_string(): spec.key.with_prefix(prefix) for spec in specs}


class _Change(msgspec.Struct, frozen=True):
    """What a loader changes of what it finds."""

    group_name: str | None
    renamed: dict[str, AssetKey]
    automation_condition: Any

    def spec(self, spec: AssetSpec, *, makes: bool) -> AssetSpec:
        """A spec in the loader's group, with its new keys; `makes` is whether a function there makes the asset."""
        if self.group_name is not None and spec.group_name not in (None, self.group_name):
            raise DefinitionError(
                f"Asset {spec.key} is in the group {spec.group_name!r} and cannot be put into {self.group_name!r}; "
                "name its group in one place."
            )
        changes: dict[str, Any] = {}
        if self.group_name is not None and spec.group_name is None:
            changes["group_name"] = self.group_name
        if makes and self.automation_condition is not None and spec.automation_condition is None:
            changes["automation_condition"] = self.automation_condition
        moved = spec.moved(self.renamed) if self.renamed else spec
        return moved.replace_attributes(**changes) if changes else moved

    def definition(self, given: AssetsDefinition, backfill_policy: BackfillPolicy | None) -> AssetsDefinition:
        """A definition with its specs changed, and with its parts named after their new keys."""
        makes = given.is_materializable
        specs = {output: self.spec(spec, makes=makes) for output, spec in given.specs_by_output.items()}
        changes: dict[str, Any] = {"specs_by_output": specs}
        if makes and backfill_policy is not None and given.backfill_policy is None:
            changes["backfill_policy"] = backfill_policy
        if self.renamed:
            changes |= moved_parts(given, self.renamed)
        return given.replaced(**changes)


def moved_parts(definition: AssetsDefinition, renamed: Mapping[str, AssetKey]) -> dict[str, Any]:
    """The parts of a definition that are named after keys of assets, with new keys by the text form of the old ones.

    The op of a single asset or check is named by its key, and so are outputs of checks.
    """
    checks = {output: spec.moved(renamed) for output, spec in definition.check_outputs.items()}
    changes: dict[str, Any] = {
        "inputs": {name: _input(each, renamed) for name, each in definition.inputs.items()},
        "check_outputs": {spec.output_name: spec for spec in checks.values()},
    }
    node = definition.node
    if node is not None:
        name = node.name
        keys = list(definition.specs)
        if len(keys) == 1 and name == keys[0].key.to_python_identifier():
            name = renamed.get(keys[0].key.to_user_string(), keys[0].key).to_python_identifier()
        elif name in checks:
            name = checks[name].output_name
        changes["node"] = node.renamed(name, {output: spec.output_name for output, spec in checks.items()})
    return changes


def _input(given: AssetInput, renamed: Mapping[str, AssetKey]) -> AssetInput:
    key = renamed.get(given.key)
    return given if key is None else msgspec.structs.replace(given, key=key.to_user_string(), exact=True)


def _prefixed_check(definition: AssetChecksDefinition, prefix: Prefix) -> AssetChecksDefinition:
    keys = {spec.asset_key.to_user_string(): spec.asset_key.with_prefix(prefix) for spec in definition.check_specs}
    return definition.replaced(**moved_parts(definition, keys))
