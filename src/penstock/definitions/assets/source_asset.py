"""Assets that something else makes, in the older form: declared with how they are loaded, and maybe observed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...errors import DefinitionError
from ...partitions.definition import PartitionsDefinition
from ...records.keys import CoercibleToAssetKey
from ..resources.resource import to_resources
from ..source import source_of_call
from .definition import AssetsDefinition
from .observe import observation
from .spec import AssetSpec

__all__ = ["SourceAsset"]


class SourceAsset(AssetsDefinition):
    """An asset that something else makes. New code declares an `AssetSpec`.

    Args:
        key: Its key.
        metadata: Facts about it.
        io_manager_key: The resource that loads it.
        io_manager_def: An IO manager of its own that loads it.
        description: What it holds.
        partitions_def: Its partitions.
        group_name: The group that it is shown in.
        resource_defs: Resources of its own.
        observe_fn: Looks at it and gives its `DataVersion`.
        op_tags: Tags of the step that observes it.
        automation_condition: When it is observed without being asked for.
        tags: Its tags.

    Raises:
        DefinitionError: The parts do not fit together.
    """

    def __init__(
        self,
        key: CoercibleToAssetKey,
        metadata: Mapping[str, Any] | None = None,
        io_manager_key: str | None = None,
        io_manager_def: Any = None,
        description: str | None = None,
        partitions_def: PartitionsDefinition | None = None,
        group_name: str | None = None,
        resource_defs: Mapping[str, Any] | None = None,
        observe_fn: Callable[..., Any] | None = None,
        op_tags: Mapping[str, Any] | None = None,
        *,
        automation_condition: Any = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        if io_manager_def is not None and io_manager_key is not None:
            raise DefinitionError(f"The source asset {key!r} has an io_manager_def and an io_manager_key; give one.")
        spec = AssetSpec(
            key,
            metadata=metadata,
            description=description,
            partitions_def=partitions_def,
            group_name=group_name,
            automation_condition=automation_condition,
            tags=tags,
        )
        what = f"Source asset {spec.key.to_user_string()}"
        resources = dict(resource_defs or {})
        if io_manager_def is not None:
            io_manager_key = f"{spec.key.to_python_identifier()}__io_manager"
            resources[io_manager_key] = io_manager_def
        spec.io_manager_key = io_manager_key
        if observe_fn is not None:
            made = observation(
                observe_fn,
                {spec.key.to_python_identifier(): spec},
                what,
                op_tags=op_tags,
                resource_defs=resources,
            )
        else:
            if op_tags:
                raise DefinitionError(
                    f"{what} has op_tags, but no observe_fn whose step they could be of; drop them, or add it."
                )
            made = AssetsDefinition.of(
                None,
                specs={spec.key.to_python_identifier(): spec},
                inputs={},
                what=what,
                resource_defs=to_resources(resources, what),
            )
            made.source = source_of_call()
        self.__dict__.update(made.__dict__)

    @property
    def spec(self) -> AssetSpec:
        """What is said of it."""
        return next(iter(self.specs_by_output.values()))

    @property
    def description(self) -> str | None:
        """What it holds."""
        return self.spec.description

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Facts about it."""
        return self.spec.metadata

    @property
    def group_name(self) -> str | None:
        """The group that it is shown in."""
        return self.spec.group_name

    @property
    def tags(self) -> Mapping[str, str]:
        """Its tags."""
        return self.spec.tags

    @property
    def io_manager_key(self) -> str | None:
        """The resource that loads it."""
        return self.spec.io_manager_key
