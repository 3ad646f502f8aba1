"""Metadata values: each kind is one GraphQL type, as the UI shows each in its own way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ...codec import encode_json
from ...records.metadata import (
    AssetMetadataValue,
    BoolMetadataValue,
    FloatMetadataValue,
    IntMetadataValue,
    JsonMetadataValue,
    MarkdownMetadataValue,
    Metadata,
    MetadataValue,
    MetadataVariant,
    NotebookMetadataValue,
    NullMetadataValue,
    PathMetadataValue,
    RunMetadataValue,
    TableColumn,
    TableMetadataValue,
    TableSchema,
    TableSchemaMetadataValue,
    TextMetadataValue,
    TimestampMetadataValue,
    UrlMetadataValue,
)
from .context import Context
from .fields import Fields

__all__ = ["TABLES", "Entry", "entries", "type_of_entry"]


class Entry(NamedTuple):
    """A metadata value under its label; `description` has no place in our records and stays None."""

    label: str
    value: MetadataVariant
    description: str | None = None


_TYPES: Mapping[type[MetadataValue], str] = {
    TextMetadataValue: "TextMetadataEntry",
    MarkdownMetadataValue: "MarkdownMetadataEntry",
    IntMetadataValue: "IntMetadataEntry",
    FloatMetadataValue: "FloatMetadataEntry",
    BoolMetadataValue: "BoolMetadataEntry",
    JsonMetadataValue: "JsonMetadataEntry",
    UrlMetadataValue: "UrlMetadataEntry",
    PathMetadataValue: "PathMetadataEntry",
    NotebookMetadataValue: "NotebookMetadataEntry",
    TimestampMetadataValue: "TimestampMetadataEntry",
    AssetMetadataValue: "AssetMetadataEntry",
    RunMetadataValue: "PipelineRunMetadataEntry",
    TableMetadataValue: "TableMetadataEntry",
    TableSchemaMetadataValue: "TableSchemaMetadataEntry",
    NullMetadataValue: "NullMetadataEntry",
}


def type_of_entry(entry: Entry) -> str:
    """The name of the GraphQL type of an entry."""
    return _TYPES[type(entry.value)]


def entries(metadata: Metadata) -> list[Entry]:
    """Metadata as entries, in their order."""
    return [Entry(label, value) for label, value in metadata.items()]


def _entry(kind: type[MetadataValue], **attributes: str) -> Fields[Entry]:
    fields = Fields(_TYPES[kind], source=Entry)
    fields.rename(**attributes)
    return fields


_INT = _entry(IntMetadataValue)
_FLOAT = _entry(FloatMetadataValue)
_JSON = _entry(JsonMetadataValue)
_TABLE = Fields("Table", source=TableMetadataValue)

TABLES = (
    _entry(TextMetadataValue, text="value.text"),
    _entry(MarkdownMetadataValue, md_str="value.md_str"),
    _INT,
    _FLOAT,
    _entry(BoolMetadataValue, bool_value="value.value"),
    _JSON,
    _entry(UrlMetadataValue, url="value.url"),
    _entry(PathMetadataValue, path="value.path"),
    _entry(NotebookMetadataValue, path="value.path"),
    _entry(TimestampMetadataValue, timestamp="value.value"),
    _entry(AssetMetadataValue, asset_key="value.asset"),
    _entry(RunMetadataValue, run_id="value.run_id"),
    _entry(TableMetadataValue, table="value"),
    _entry(TableSchemaMetadataValue, schema="value.schema"),
    _entry(NullMetadataValue),
    _TABLE,
    Fields("TableSchema", source=TableSchema),
    Fields("TableColumn", source=TableColumn),
)

_SMALL = range(-(1 << 31), 1 << 31)


@_INT.field
def int_value(entry: Entry, _: Context) -> int | None:
    assert isinstance(entry.value, IntMetadataValue)
    return entry.value.value if entry.value.value in _SMALL else None


@_INT.field
def int_repr(entry: Entry, _: Context) -> str:
    assert isinstance(entry.value, IntMetadataValue)
    return str(entry.value.value)


@_FLOAT.field
def float_value(entry: Entry, _: Context) -> float | None:
    # JSON has no words for these; the text form has.
    assert isinstance(entry.value, FloatMetadataValue)
    value = entry.value.value
    return value if value - value == 0 else None


@_FLOAT.field
def float_repr(entry: Entry, _: Context) -> str:
    assert isinstance(entry.value, FloatMetadataValue)
    return repr(entry.value.value)


@_JSON.field
def json_string(entry: Entry, _: Context) -> str:
    assert isinstance(entry.value, JsonMetadataValue)
    return encode_json(entry.value.data).decode()


@_TABLE.field
def records(table: TableMetadataValue, _: Context) -> list[str]:
    return [encode_json(row).decode() for row in table.records]
