"""What is said of a check without the code that evaluates it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...records.keys import AssetCheckKey, AssetKey
from ..names import check_name
from ..ops.ports import NO_METADATA
from .spec import AssetDep, CoercibleToAssetDep, to_deps

__all__ = ["AssetCheckSpec"]


class AssetCheckSpec:
    """A check: its name, the asset that it looks at, and whether it blocks.

    Args:
        name: Its name: letters, digits and `_`.
        asset: The asset that it looks at.
        description: What it makes sure of.
        additional_deps: Further assets that it needs.
        blocking: Whether assets downstream wait for it, and are not made if it does not pass.
        metadata: Facts about it.

    Raises:
        DefinitionError: A part is not valid.
    """

    __slots__ = ("additional_deps", "asset_key", "blocking", "description", "metadata", "name")

    def __init__(
        self,
        name: str,
        *,
        asset: CoercibleToAssetDep,
        description: str | None = None,
        additional_deps: Iterable[CoercibleToAssetDep] | None = None,
        blocking: bool = False,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = check_name(name, "a check")
        self.asset_key: AssetKey = AssetDep(asset).asset_key
        self.description = description
        self.additional_deps = to_deps(additional_deps, f"Check {name}")
        self.blocking = blocking
        self.metadata: Mapping[str, Any] = metadata if metadata is not None else NO_METADATA

    @property
    def key(self) -> AssetCheckKey:
        """Its full key."""
        return AssetCheckKey(self.asset_key, self.name)

    @property
    def output_name(self) -> str:
        """The name of the output that carries its result, which is also the name of its step if it has its own."""
        return f"{self.asset_key.to_python_identifier()}_{self.name}"

    def __repr__(self) -> str:
        return f"AssetCheckSpec({self.name!r}, asset={self.asset_key!r})"
