"""What the builders of checks share: one function that evaluates a check of one name on each of several assets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ...codec import digest
from ...errors import DefinitionError
from ...records.keys import AssetKey
from ..events import AssetCheckResult
from .asset_check import AssetChecksDefinition, multi_asset_check
from .check_spec import AssetCheckSpec
from .spec import CoercibleToAssetDep, to_deps

__all__ = ["built_checks"]


def built_checks(
    name: str,
    assets: Sequence[CoercibleToAssetDep],
    evaluate: Callable[[Any, AssetKey], AssetCheckResult],
    *,
    description: str,
    told: Mapping[str, Any],
    metadata: Mapping[str, Any] | None = None,
    blocking: bool = False,
) -> list[AssetChecksDefinition]:
    """A function that evaluates a check on each of these assets; a run may ask for some of them.

    Args:
        name: The name of each check.
        assets: The assets.
        evaluate: Gives the result for an asset, from the context.
        description: What the checks make sure of.
        told: What tells these checks from others of that name, as plain values.
        metadata: Facts about each check.
        blocking: Whether assets downstream wait for them.

    Raises:
        DefinitionError: There are no assets.
    """
    what = f'The checks "{name}"'
    keys = [dep.asset_key for dep in to_deps(assets, what)]
    if not keys:
        raise DefinitionError(f"{what} have no assets; give those that they look at.")
    specs = [
        AssetCheckSpec(name, asset=key, description=description, blocking=blocking, metadata=metadata) for key in keys
    ]
    texts = [key.to_user_string() for key in keys]

    @multi_asset_check(
        name=f"{name}_{digest([texts, dict(told)])[:12]}", specs=specs, description=description, can_subset=True
    )
    def checks(context: Any) -> Iterator[AssetCheckResult]:
        for check_key in sorted(context.selected_asset_check_keys):
            result = evaluate(context, check_key.asset_key)
            result.asset_key, result.check_name = check_key.asset_key, name
            yield result

    return [checks]
