"""Changes the specs of assets, wherever they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from ...errors import DefinitionError
from ...records.freshness import AnyFreshnessPolicy
from .definition import AssetsDefinition
from .spec import AssetSpec

__all__ = ["apply_freshness_policy", "map_asset_specs", "mapped"]

T = TypeVar("T", bound=AssetsDefinition)


def map_asset_specs(
    func: Callable[[AssetSpec], AssetSpec], iterable: Iterable[AssetsDefinition | AssetSpec]
) -> list[AssetsDefinition | AssetSpec]:
    """Definitions and specs with each spec changed by a function.

    Args:
        func: Gives the new spec for a spec; the key stays.
        iterable: The definitions and specs.

    Raises:
        DefinitionError: The function gives no spec, or one with another key.
    """
    result: list[AssetsDefinition | AssetSpec] = []
    for each in iterable:
        if isinstance(each, AssetsDefinition):
            result.append(mapped(each, func))
        elif isinstance(each, AssetSpec):
            result.append(_called(func, each, f"Asset {each.key}"))
        else:
            raise DefinitionError(f"map_asset_specs was given {each!r}; give definitions and specs of assets.")
    return result


def mapped(definition: T, func: Callable[[AssetSpec], AssetSpec]) -> T:
    """A definition with its specs changed by a function that leaves their keys.

    Raises:
        DefinitionError: The function gives no spec, or one with another key, partitions that differ among the assets,
            or leaves out what a parameter loads.
    """
    specs = {output: _called(func, spec, definition.what) for output, spec in definition.specs_by_output.items()}
    if len({spec.partitions_def for spec in specs.values()}) > 1:
        raise DefinitionError(f"{definition.what} ({definition.source}) would make assets with different partitions.")
    loaded = {given.key for given in definition.inputs.values()}
    for output, spec in specs.items():
        before = {dep.asset_key.to_user_string() for dep in definition.specs_by_output[output].deps} & loaded
        if lost := sorted(before - {dep.asset_key.to_user_string() for dep in spec.deps}):
            raise DefinitionError(
                f"The deps of asset {spec.key} ({definition.source}) were changed to leave out {lost[0]}, which its "
                "function loads by a parameter; keep it."
            )
    return definition.replaced(specs_by_output=specs)


def _called(func: Callable[[AssetSpec], Any], spec: AssetSpec, what: str) -> AssetSpec:
    made = func(spec)
    if not isinstance(made, AssetSpec):
        raise DefinitionError(f"A function that changes specs gave {made!r} for {what}; it gives an AssetSpec.")
    if made.key != spec.key:
        raise DefinitionError(
            f"A function that changes specs gave {made.key} for {spec.key} ({what}); the key stays as it is. Loaders "
            "take a key_prefix."
        )
    return made


def apply_freshness_policy(spec: AssetSpec, policy: AnyFreshnessPolicy, overwrite_existing: bool = True) -> AssetSpec:
    """The spec with a freshness policy.

    Args:
        spec: The spec; give this function to `map_asset_specs` for all of them.
        policy: The policy.
        overwrite_existing: Whether it takes the place of one that the spec has.
    """
    if spec.freshness_policy is not None and not overwrite_existing:
        return spec
    return spec.replace_attributes(freshness_policy=policy)
