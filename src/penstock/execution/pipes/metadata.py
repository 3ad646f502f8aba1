"""Metadata as an external process sends it, made typed values of ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from penstock_pipes.wire import INFER, RUN_TYPE

from ...codec import decode_json
from ...errors import DefinitionError, UserCodeError
from ...records.keys import AssetKey
from ...records.metadata import Metadata, MetadataValue, MetadataVariant, normalize_metadata
from ...records.table import Cell, TableColumnDep, TableColumnLineage, TableRecord, TableSchema

__all__ = ["metadata_from_wire"]


class _Table(msgspec.Struct):
    """A table on the wire; a row is an object, or an object's JSON text."""

    records: list[dict[str, Cell] | str]
    schema: TableSchema | None = None


class _Dep(msgspec.Struct):
    asset_key: str
    column_name: str


class _Lineage(msgspec.Struct):
    deps_by_column: dict[str, list[_Dep]]


def metadata_from_wire(raw: Mapping[str, Any] | None) -> Metadata:
    """The typed values of a message's metadata.

    Raises:
        UserCodeError: A value does not fit its kind, or the kind is not known; the message names the label.
    """
    found: dict[str, Any] = {}
    for label, entry in (raw or {}).items():
        try:
            found[label] = _value(entry)
        except (msgspec.ValidationError, msgspec.DecodeError, DefinitionError) as error:
            raise UserCodeError(f"The metadata {label!r} holds {entry!r}, which cannot be taken: {error}") from error
    return normalize_metadata(found)


def _value(entry: Any) -> Any:
    if not isinstance(entry, dict) or not {"type", "raw_value"} <= entry.keys():
        return entry  # a process that speaks the wire by hand may leave the kind out
    kind, raw = entry["type"], entry["raw_value"]
    if kind == INFER:
        return raw
    known = _KINDS.get(kind)
    if known is None:
        raise DefinitionError(f"the type {kind!r} is none; give one of {INFER}, {', '.join(sorted(_KINDS))}.")
    wanted, make = known
    return make(msgspec.convert(raw, wanted))


def _table(given: _Table) -> MetadataVariant:
    records = [
        TableRecord(decode_json(each, dict[str, Cell]) if isinstance(each, str) else each) for each in given.records
    ]
    return MetadataValue.table(records, given.schema)


def _lineage(given: _Lineage) -> MetadataVariant:
    return MetadataValue.column_lineage(
        TableColumnLineage(
            {
                column: [TableColumnDep(AssetKey.from_user_string(dep.asset_key), dep.column_name) for dep in deps]
                for column, deps in given.deps_by_column.items()
            }
        )
    )


_KINDS: Mapping[str, tuple[Any, Callable[[Any], MetadataVariant]]] = {
    "asset": (str, lambda key: MetadataValue.asset(AssetKey.from_user_string(key))),
    "bool": (bool, MetadataValue.bool),
    "float": (float, MetadataValue.float),
    "int": (int, MetadataValue.int),
    "json": (Any, MetadataValue.json),
    "md": (str, MetadataValue.md),
    "notebook": (str, MetadataValue.notebook),
    "null": (None, lambda _: MetadataValue.null()),
    "path": (str, MetadataValue.path),
    RUN_TYPE: (str, MetadataValue.run),
    "table": (_Table, _table),
    "table_column_lineage": (_Lineage, _lineage),
    "table_schema": (TableSchema, MetadataValue.table_schema),
    "text": (str, MetadataValue.text),
    "timestamp": (float, MetadataValue.timestamp),
    "url": (str, MetadataValue.url),
}
"""Kind -> (what its raw value must be, what makes the value)."""
