"""Builders of checks on the metadata of materializations: changed columns, and numbers within bounds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...errors import DefinitionError
from ...records.keys import AssetKey
from ...records.metadata import Metadata
from ..events import AssetCheckResult, AssetCheckSeverity
from .asset_check import AssetChecksDefinition
from .built_checks import built_checks
from .selection_attributes import COLUMN_SCHEMA
from .spec import CoercibleToAssetDep

__all__ = [
    "build_column_schema_change_checks",
    "build_metadata_bounds_checks",
    "column_changes",
    "outside_of_bounds",
]


def build_column_schema_change_checks(
    *, assets: Sequence[CoercibleToAssetDep], severity: AssetCheckSeverity = AssetCheckSeverity.WARN
) -> list[AssetChecksDefinition]:
    """Checks that the columns of assets stay the same from one materialization to the next.

    They compare `penstock/column_schema` in the metadata of the last two materializations; with fewer, they pass.

    Args:
        assets: The assets.
        severity: How bad a change is.

    Raises:
        DefinitionError: There are no assets, or one is named twice.
    """

    def evaluate(context: Any, key: AssetKey) -> AssetCheckResult:
        metadata = _latest_metadata(context, key, 2)
        if len(metadata) < 2:
            return AssetCheckResult(
                passed=True, severity=severity, description="There are no two materializations yet."
            )
        after, before = (_columns(each) for each in metadata)
        if after is None or before is None:
            which = "latest" if after is None else "one before the latest"
            return AssetCheckResult(
                passed=False,
                severity=severity,
                description=f"The {which} materialization has no {COLUMN_SCHEMA} in its metadata.",
            )
        changes = column_changes(before, after)
        return AssetCheckResult(
            passed=not changes,
            severity=severity,
            description="; ".join(changes) or "The columns are the same as before.",
        )

    return built_checks(
        "column_schema_change",
        assets,
        evaluate,
        description="The columns are the same as in the materialization before.",
        told={"severity": severity.value},
    )


def build_metadata_bounds_checks(
    *,
    assets: Sequence[CoercibleToAssetDep],
    severity: AssetCheckSeverity = AssetCheckSeverity.WARN,
    metadata_key: str,
    min_value: float | None = None,
    max_value: float | None = None,
    exclusive_min: bool = False,
    exclusive_max: bool = False,
) -> list[AssetChecksDefinition]:
    """Checks that a number in the metadata of the latest materialization lies within bounds.

    Args:
        assets: The assets.
        severity: How bad it is when it does not.
        metadata_key: The label of the number.
        min_value: The least value.
        max_value: The greatest value.
        exclusive_min: Whether the least value itself is out of bounds.
        exclusive_max: Whether the greatest value itself is out of bounds.

    Raises:
        DefinitionError: There is no bound, or there are no assets.
    """
    if min_value is None and max_value is None:
        raise DefinitionError(f"The bounds of {metadata_key!r} have neither min_value nor max_value; give one.")

    def evaluate(context: Any, key: AssetKey) -> AssetCheckResult:
        metadata = _latest_metadata(context, key, 1)
        if not metadata:
            return AssetCheckResult(passed=False, severity=severity, description="It was never materialized.")
        value = getattr(metadata[0].get(metadata_key), "value", None)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return AssetCheckResult(
                passed=False,
                severity=severity,
                description=f"The latest materialization has no number {metadata_key!r} in its metadata.",
            )
        problem = outside_of_bounds(value, min_value, max_value, exclusive_min, exclusive_max)
        return AssetCheckResult(
            passed=problem is None,
            severity=severity,
            description=problem or f"{metadata_key} is {value}, which is within the bounds.",
            metadata={metadata_key: value},
        )

    lower = "" if min_value is None else f"{'greater than' if exclusive_min else 'at least'} {min_value}"
    upper = "" if max_value is None else f"{'less than' if exclusive_max else 'at most'} {max_value}"
    return built_checks(
        "".join(each if each.isalnum() else "_" for each in metadata_key) + "_bounds_check",
        assets,
        evaluate,
        description=f"{metadata_key} of the latest materialization is {' and '.join(filter(None, (lower, upper)))}.",
        told={"key": metadata_key, "bounds": [min_value, max_value, exclusive_min, exclusive_max, severity.value]},
    )


def column_changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """What has changed from one set of columns, each with its type, to another, in words."""
    changes = [f"the column {name} ({after[name]}) is new" for name in after if name not in before]
    changes += [f"the column {name} is gone" for name in before if name not in after]
    changes += [
        f"the column {name} is {after[name]} now and was {kind}"
        for name, kind in before.items()
        if name in after and after[name] != kind
    ]
    return changes


def outside_of_bounds(
    value: float, least: float | None, greatest: float | None, exclusive_least: bool, exclusive_greatest: bool
) -> str | None:
    """In words why a value is out of bounds; None if it is not."""
    if least is not None and (value < least or (exclusive_least and value == least) or value != value):
        return f"The value is {value}, which is not {'greater than' if exclusive_least else 'at least'} {least}."
    if greatest is not None and (value > greatest or (exclusive_greatest and value == greatest) or value != value):
        return f"The value is {value}, which is not {'less than' if exclusive_greatest else 'at most'} {greatest}."
    return None


def _latest_metadata(context: Any, key: AssetKey, count: int) -> list[Metadata]:
    """The metadata of the latest materializations, newest first."""
    found: Iterable[Any] = context.instance.storage.assets.history(
        key.to_user_string(), types=("ASSET_MATERIALIZATION",), limit=count
    )
    return [event.fact.metadata for event in found]


def _columns(metadata: Metadata) -> dict[str, str] | None:
    """The columns with their types; None where the metadata has no schema of columns."""
    schema = getattr(metadata.get(COLUMN_SCHEMA), "schema", None)
    return None if schema is None else {column.name: column.type for column in schema.columns}
