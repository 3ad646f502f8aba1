"""What is said of a check without the code that evaluates it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...errors import DefinitionError
from ...partitions.definition import PartitionsDefinition
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
        automation_condition: When it is evaluated without being asked for.
        partitions_def: The partitions that it looks at, one at a time: those of the asset.

    Raises:
        DefinitionError: A part is not valid.
    """

    __slots__ = (
        "additional_deps",
        "asset_key",
        "automation_condition",
        "blocking",
        "description",
        "metadata",
        "name",
        "partitions_def",
    )

    def __init__(
        self,
        name: str,
        *,
        asset: CoercibleToAssetDep,
        description: str | None = None,
        additional_deps: Iterable[CoercibleToAssetDep] | None = None,
        blocking: bool = False,
        metadata: Mapping[str, Any] | None = None,
        automation_condition: Any = None,
        partitions_def: PartitionsDefinition | None = None,
    ) -> None:
        self.name = check_name(name, "a check")
        self.asset_key: AssetKey = AssetDep(asset).asset_key
        self.description = description
        self.additional_deps = to_deps(additional_deps, f"Check {name}")
        self.blocking = blocking
        self.metadata: Mapping[str, Any] = metadata if metadata is not None else NO_METADATA
        self.automation_condition = automation_condition
        if partitions_def is not None and not isinstance(partitions_def, PartitionsDefinition):
            raise DefinitionError(
                f"Check {name} has {partitions_def!r} as its partitions_def; give a PartitionsDefinition."
            )
        self.partitions_def = partitions_def

    @property
    def key(self) -> AssetCheckKey:
        """Its full key."""
        return AssetCheckKey(self.asset_key, self.name)

    @property
    def output_name(self) -> str:
        """The name of the output that carries its result, which is also the name of its step if it has its own."""
        return f"{self.asset_key.to_python_identifier()}_{self.name}"

    def moved(self, keys: Mapping[str, AssetKey]) -> AssetCheckSpec:
        """This spec with new keys of assets, by the text form of the old ones."""
        return AssetCheckSpec(
            self.name,
            asset=keys.get(self.asset_key.to_user_string(), self.asset_key),
            description=self.description,
            additional_deps=[
                AssetDep(keys.get(dep.asset_key.to_user_string(), dep.asset_key), dep.partition_mapping, dep.metadata)
                for dep in self.additional_deps
            ],
            blocking=self.blocking,
            metadata=self.metadata,
            automation_condition=self.automation_condition,
            partitions_def=self.partitions_def,
        )

    def __repr__(self) -> str:
        return f"AssetCheckSpec({self.name!r}, asset={self.asset_key!r})"
