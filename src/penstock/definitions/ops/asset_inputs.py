"""An asset that is given to an op as an input: its value is loaded from where it is stored."""

from __future__ import annotations

from typing import Any

from ...errors import DefinitionError
from .node import AssetValue

__all__ = ["asset_value"]


def asset_value(given: Any, what: str) -> AssetValue | None:
    """The asset as what feeds an input; None if it is no asset.

    Args:
        given: A function that makes one asset, or the spec of an asset.
        what: The input, as messages name it.

    Raises:
        DefinitionError: It makes several assets.
    """
    from ..assets.definition import AssetsDefinition
    from ..assets.spec import AssetSpec

    match given:
        case AssetSpec():
            spec, stored_by = given, given.io_manager_key or "io_manager"
        case AssetsDefinition():
            if len(given.specs_by_output) != 1:
                raise DefinitionError(
                    f"{what} is given {given!r}, which makes {len(given.specs_by_output)} assets; give the spec of one."
                )
            ((output, spec),) = given.specs_by_output.items()
            stored_by = given.op.outs[output].io_manager_key
        case _:
            return None
    return AssetValue(
        asset_key=spec.key.to_user_string(),
        io_manager_key=stored_by,
        metadata=spec.metadata,
        partitions=spec.partitions_def,
    )
