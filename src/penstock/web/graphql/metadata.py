"""Metadata values: each kind is one GraphQL type, as the UI shows each in its own way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ...codec import encode_json
from ...records.code_reference import LocalFileCodeReference, UrlCodeReference
from ...records.metadata import (
    AssetMetadataValue,
    BoolMetadataValue,
    CodeReferencesMetadataValue,
    FloatMetadataValue,
    IntMetadataValue,
    JobMetadataValue,
    JsonMetadataValue,
    MarkdownMetadataValue,
    Metadata,
    MetadataValue,
    MetadataVariant,
    NotebookMetadataValue,
    NullMetadataValue,
    PathMetadataValue,
    PoolMetadataValue,
    PythonArtifactMetadataValue,
    RunMetadataValue,
    TableColumnLineageMetadataValue,
    TableMetadataValue,
    TableSchemaMetadataValue,
    TextMetadataValue,
    TimestampMetadataValue,
    UrlMetadataValue,
)
from ...records.table import (
    ColumnReference,
    TableColumn,
    TableColumnConstraints,
    TableConstraints,
    TableSchema,
)
from .context import Context
from .fields import Fields

__all__ = ["TABLES", "Entry", "entries", "type_of_entry"]


class Entry(NamedTuple):
    """A metadata value under its label; `description` has no place in our records and stays None."""

    label: str
    value: MetadataVariant
    description: str | None = None


class ColumnLineage(NamedTuple):
    """A column, and the columns that it is made from."""

    column_name: str
    column_deps: list[ColumnReference]


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
    JobMetadataValue: "JobMetadataEntry",
    PoolMetadataValue: "PoolMetadataEntry",
    PythonArtifactMetadataValue: "PythonArtifactMetadataEntry",
    CodeReferencesMetadataValue: "CodeReferencesMetadataEntry",
    TableMetadataValue: "TableMetadataEntry",
    TableSchemaMetadataValue: "TableSchemaMetadataEntry",
    TableColumnLineageMetadataValue: "TableColumnLineageMetadataEntry",
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
_LINEAGE = _entry(TableColumnLineageMetadataValue)
_TABLE = Fields("Table", source=TableMetadataValue)
_COLUMN = Fields("TableColumn", source=TableColumn)
_COLUMN_LINEAGE = Fields("TableColumnLineageEntry", source=ColumnLineage)
_COLUMN_DEP = Fields("TableColumnDep", source=ColumnReference)
_COLUMN_DEP.rename(asset_key="asset", column_name="column")

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
    _entry(
        JobMetadataValue,
        job_name="value.job_name",
        location_name="value.location_name",
        repository_name="value.repository_name",
    ),
    _entry(PoolMetadataValue, pool="value.pool"),
    _entry(PythonArtifactMetadataValue, module="value.module", name="value.name"),
    _entry(CodeReferencesMetadataValue, code_references="value.code_references"),
    _entry(TableMetadataValue, table="value"),
    _entry(TableSchemaMetadataValue, schema="value.schema"),
    _LINEAGE,
    _entry(NullMetadataValue),
    _TABLE,
    Fields("TableSchema", source=TableSchema),
    Fields("TableConstraints", source=TableConstraints),
    _COLUMN,
    Fields("TableColumnConstraints", source=TableColumnConstraints),
    _COLUMN_LINEAGE,
    _COLUMN_DEP,
    Fields("LocalFileCodeReference", source=LocalFileCodeReference),
    Fields("UrlCodeReference", source=UrlCodeReference),
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
    return [encode_json(row.data).decode() for row in table.records]


@_COLUMN.field
def tags(column: TableColumn, _: Context) -> list[tuple[str, str]]:
    return list(column.tags.items())


@_LINEAGE.field
def lineage(entry: Entry, _: Context) -> list[ColumnLineage]:
    assert isinstance(entry.value, TableColumnLineageMetadataValue)
    return [ColumnLineage(column, references) for column, references in entry.value.references.items()]
