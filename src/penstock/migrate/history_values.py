"""Values inside records of Dagster's as ours: metadata, errors, keys. Read by name alone; nothing of theirs is made."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from ..records.code_reference import CodeReference, LocalFileCodeReference, UrlCodeReference
from ..records.errors import ErrorInfo, Frame
from ..records.keys import AssetKey
from ..records.metadata import (
    AssetMetadataValue,
    BoolMetadataValue,
    CodeReferencesMetadataValue,
    FloatMetadataValue,
    IntMetadataValue,
    JobMetadataValue,
    JsonMetadataValue,
    MarkdownMetadataValue,
    Metadata,
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
from ..records.table import (
    ColumnReference,
    TableColumn,
    TableColumnConstraints,
    TableConstraints,
    TableRecord,
    TableSchema,
)

__all__ = ["Raw", "Values", "asset_of", "chosen", "error_of"]

Raw: TypeAlias = Mapping[str, Any]
"""A record as its JSON says it."""

_FRAME = re.compile(r'\s*File "(?P<file>.*?)", line (?P<line>\d+), in (?P<function>[^\n]*)(?:\n(?P<code>[^\n]*))?')
_ENGINE = re.compile(r"[/\\](?:dagster|dagster_[a-z_]+)[/\\]")
_LEAST, _LARGEST = -(2**63), 2**64 - 1


def chosen(value: Any) -> str:
    """The name in an enumeration's value: `SENSOR` of `{"__enum__": "InstigatorType.SENSOR"}`."""
    text: str = value["__enum__"]
    return text.rpartition(".")[2]


def asset_of(value: Raw) -> str:
    """An asset's key in text form."""
    return AssetKey(value["path"]).to_user_string()


def error_of(value: Raw | None) -> ErrorInfo | None:
    """An error with its causes; None for none."""
    if value is None:
        return None
    cls = value.get("cls_name") or "Exception"
    message = (value.get("message") or "").strip()
    named = re.match(rf"(?:[\w.]+\.)?{re.escape(cls)}(?::\s*|$)", message)
    return ErrorInfo(
        cls=cls,
        message=message[named.end() :] if named else message,
        frames=tuple(_frames(value.get("stack") or ())),
        cause=error_of(value.get("cause")),
        context=error_of(value.get("context")),
    )


def _frames(stack: Any) -> Iterator[Frame]:
    for entry in stack:
        if found := _FRAME.match(entry):
            yield Frame(
                file=found["file"],
                line=int(found["line"]),
                function=found["function"],
                code=(found["code"] or "").strip(),
                user=_ENGINE.search(found["file"]) is None,
            )


class Values:
    """Reads metadata.

    Args:
        label: What a label of metadata is called here.
        run_id: The id here of a run that had that id there.
        unknown: Is told each kind of value that has no counterpart.
    """

    def __init__(
        self, label: Callable[[str], str], run_id: Callable[[str], str], unknown: Callable[[str], None]
    ) -> None:
        self._label = label
        self._run_id = run_id
        self._unknown = unknown

    def metadata(self, given: Any) -> Metadata:
        """Metadata from a list of labelled entries, or from a mapping of labels to values."""
        if not given:
            return {}
        pairs = given.items() if isinstance(given, Mapping) else [(each["label"], each["entry_data"]) for each in given]
        return {self._label(label): self._value(value) for label, value in pairs}

    def _value(self, raw: Raw) -> MetadataVariant:
        kind = raw["__class__"].removesuffix("EntryData").removesuffix("MetadataValue").removesuffix("Metadata")
        read = _KINDS.get(kind.removeprefix("Dagster"))
        if read is not None:
            return read(raw)
        if kind in ("DagsterPipelineRun", "DagsterRun"):
            return RunMetadataValue(self._run_id(raw["run_id"]))
        self._unknown(f"metadata of the kind {raw['__class__']}")
        return JsonMetadataValue({key: value for key, value in raw.items() if key != "__class__"})


def _whole(raw: Raw) -> MetadataVariant:
    value = raw["value"]
    if value is None:
        return NullMetadataValue()
    return IntMetadataValue(value) if _LEAST <= value <= _LARGEST else TextMetadataValue(str(value))


def _number(raw: Raw) -> MetadataVariant:
    return NullMetadataValue() if raw["value"] is None else FloatMetadataValue(float(raw["value"]))


def _truth(raw: Raw) -> MetadataVariant:
    return NullMetadataValue() if raw["value"] is None else BoolMetadataValue(raw["value"])


def _job(raw: Raw) -> MetadataVariant:
    return JobMetadataValue(raw["job_name"], raw["location_name"], raw.get("repository_name"))


def _constraints(raw: Raw | None) -> TableColumnConstraints:
    if raw is None:
        return TableColumnConstraints()
    return TableColumnConstraints(raw["nullable"], raw["unique"], raw.get("other") or [])


def _schema(raw: Raw) -> TableSchema:
    constraints = raw.get("constraints")
    return TableSchema(
        [
            TableColumn(
                each["name"],
                each.get("type") or "string",
                each.get("description"),
                _constraints(each.get("constraints")),
                each.get("tags") or {},
            )
            for each in raw["columns"]
        ],
        TableConstraints((constraints or {}).get("other") or []),
    )


def _table(raw: Raw) -> MetadataVariant:
    return TableMetadataValue([TableRecord(each["data"]) for each in raw["records"]], _schema(raw["schema"]))


def _lineage(raw: Raw) -> MetadataVariant:
    columns = raw["column_lineage"]["deps_by_column"]
    return TableColumnLineageMetadataValue(
        {
            column: [ColumnReference(asset_of(each["asset_key"]), each["column_name"]) for each in deps]
            for column, deps in columns.items()
        }
    )


def _code_reference(raw: Raw) -> CodeReference:
    if "file_path" in raw:
        return LocalFileCodeReference(
            file_path=raw["file_path"], line_number=raw.get("line_number"), label=raw.get("label")
        )
    return UrlCodeReference(url=raw["url"], label=raw.get("label"))


def _code_references(raw: Raw) -> MetadataVariant:
    return CodeReferencesMetadataValue(code_references=[_code_reference(each) for each in raw["code_references"]])


_KINDS: Mapping[str, Callable[[Raw], MetadataVariant]] = {
    "Text": lambda raw: TextMetadataValue(raw["text"] or ""),
    "Markdown": lambda raw: MarkdownMetadataValue(raw["md_str"] or ""),
    "Int": _whole,
    "Float": _number,
    "Bool": _truth,
    "Json": lambda raw: JsonMetadataValue(raw["data"]),
    "Url": lambda raw: UrlMetadataValue(raw["url"] or ""),
    "Path": lambda raw: PathMetadataValue(raw["path"] or ""),
    "Notebook": lambda raw: NotebookMetadataValue(raw["path"] or ""),
    "Timestamp": lambda raw: TimestampMetadataValue(float(raw["value"])),
    "Asset": lambda raw: AssetMetadataValue(asset_of(raw["asset_key"])),
    "Job": _job,
    "Pool": lambda raw: PoolMetadataValue(raw["pool"]),
    "PythonArtifact": lambda raw: PythonArtifactMetadataValue(raw["module"], raw["name"]),
    "Null": lambda _: NullMetadataValue(),
    "Table": _table,
    "TableSchema": lambda raw: TableSchemaMetadataValue(_schema(raw["schema"])),
    "TableColumnLineage": _lineage,
    "CodeReferences": _code_references,
}
"""By the kind's name without what surrounds it (`Text` of `TextMetadataEntryData`), how it is read."""
