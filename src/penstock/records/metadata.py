"""Metadata values: what users attach to events and definitions, each a typed record that the UI knows how to show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from ..codec import encode_msgpack, plain_value
from ..errors import DefinitionError
from ..wording import kind_of
from .code_reference import CodeReference
from .keys import AssetKey, CoercibleToAssetKey
from .labels import LABELS
from .table import (
    Cell,
    ColumnReference,
    TableColumnDep,
    TableColumnLineage,
    TableRecord,
    TableSchema,
    column_type,
    schema_of,
)

__all__ = [
    "AssetMetadataValue",
    "BoolMetadataValue",
    "CodeReferencesMetadataValue",
    "FloatMetadataValue",
    "IntMetadataValue",
    "JobMetadataValue",
    "JsonMetadataValue",
    "MarkdownMetadataValue",
    "Metadata",
    "MetadataValue",
    "MetadataVariant",
    "NotebookMetadataValue",
    "NullMetadataValue",
    "PathMetadataValue",
    "PoolMetadataValue",
    "PythonArtifactMetadataValue",
    "RunMetadataValue",
    "TableColumnLineageMetadataValue",
    "TableMetadataValue",
    "TableSchemaMetadataValue",
    "TextMetadataValue",
    "TimestampMetadataValue",
    "UrlMetadataValue",
    "normalize_metadata",
]


_Seconds: TypeAlias = float
"""Inside `MetadataValue` the name `float` is its factory of float values."""


class MetadataValue(msgspec.Struct, frozen=True):
    """A typed metadata value; its static methods make one of each kind."""

    @property
    def value(self) -> Any:
        """What it holds: of a kind with a single field that field, of others the value itself."""
        return self

    @staticmethod
    def text(text: str) -> TextMetadataValue:
        """Plain text."""
        return TextMetadataValue(text)

    @staticmethod
    def md(data: str) -> MarkdownMetadataValue:
        """Markdown; images may be given as `data:` addresses."""
        return MarkdownMetadataValue(data)

    @staticmethod
    def int(value: int) -> IntMetadataValue:
        """A whole number; the UI plots it over time."""
        return IntMetadataValue(value)

    @staticmethod
    def float(value: float) -> FloatMetadataValue:
        """A number; the UI plots it over time."""
        return FloatMetadataValue(value)

    @staticmethod
    def bool(value: bool) -> BoolMetadataValue:
        """True or false."""
        return BoolMetadataValue(value)

    @staticmethod
    def json(data: object) -> JsonMetadataValue:
        """Any value that JSON can hold."""
        return JsonMetadataValue(data)

    @staticmethod
    def url(url: str) -> UrlMetadataValue:
        """A link."""
        return UrlMetadataValue(url)

    @staticmethod
    def path(path: str | Path) -> PathMetadataValue:
        """A path in some file system."""
        return PathMetadataValue(str(path))

    @staticmethod
    def notebook(path: str | Path) -> NotebookMetadataValue:
        """The path of a notebook."""
        return NotebookMetadataValue(str(path))

    @staticmethod
    def timestamp(value: datetime | _Seconds) -> TimestampMetadataValue:
        """An instant: seconds since the Unix epoch, or a datetime with a time zone."""
        if isinstance(value, datetime):
            if value.tzinfo is None:
                raise DefinitionError(f"The timestamp {value!r} has no time zone; give it one, for example UTC.")
            return TimestampMetadataValue(value.timestamp())
        return TimestampMetadataValue(value)

    @staticmethod
    def asset(asset_key: CoercibleToAssetKey) -> AssetMetadataValue:
        """A reference to an asset."""
        return AssetMetadataValue(AssetKey.from_coercible(asset_key).to_user_string())

    @staticmethod
    def run(run_id: str) -> RunMetadataValue:
        """A reference to a run."""
        return RunMetadataValue(run_id)

    @staticmethod
    def job(job_name: str, location_name: str, *, repository_name: str | None = None) -> JobMetadataValue:
        """A reference to a job."""
        return JobMetadataValue(job_name, location_name, repository_name)

    @staticmethod
    def pool(pool: str) -> PoolMetadataValue:
        """A reference to a concurrency pool."""
        return PoolMetadataValue(pool)

    @staticmethod
    def python_artifact(python_artifact: Callable[..., Any]) -> PythonArtifactMetadataValue:
        """A reference to a class or function, by its module and name."""
        return PythonArtifactMetadataValue(python_artifact.__module__, python_artifact.__qualname__)

    @staticmethod
    def table(records: Sequence[TableRecord], schema: TableSchema | None = None) -> TableMetadataValue:
        """A small table; without a schema its columns are those of the rows."""
        return TableMetadataValue(list(records), schema_of(records) if schema is None else schema)

    @staticmethod
    def table_schema(schema: TableSchema) -> TableSchemaMetadataValue:
        """The columns of a table."""
        return TableSchemaMetadataValue(schema)

    @staticmethod
    def column_lineage(lineage: TableColumnLineage) -> TableColumnLineageMetadataValue:
        """For each column of a table, the columns that it is made from."""
        return TableColumnLineageMetadataValue(
            {
                column: [ColumnReference(dep.asset_key.to_user_string(), dep.column_name) for dep in deps]
                for column, deps in lineage.deps_by_column.items()
            }
        )

    @staticmethod
    def null() -> NullMetadataValue:
        """Nothing."""
        return NullMetadataValue()


class TextMetadataValue(MetadataValue, frozen=True, tag="text"):
    """Plain text.

    Args:
        text: The text.
    """

    text: str  # type: ignore[assignment]  # the factory of the base class has the same name, as users know both

    @property
    def value(self) -> str:
        """The text."""
        return self.text


class MarkdownMetadataValue(MetadataValue, frozen=True, tag="md"):
    """Markdown.

    Args:
        md_str: The text.
    """

    md_str: str

    @property
    def value(self) -> str:
        """The markdown source."""
        return self.md_str


class IntMetadataValue(MetadataValue, frozen=True, tag="int"):
    """A whole number.

    Args:
        value: The value.
    """

    value: int


class FloatMetadataValue(MetadataValue, frozen=True, tag="float"):
    """A number.

    Args:
        value: The value.
    """

    value: float


class BoolMetadataValue(MetadataValue, frozen=True, tag="bool"):
    """True or false.

    Args:
        value: The value.
    """

    value: bool


class JsonMetadataValue(MetadataValue, frozen=True, tag="json"):
    """Any value that JSON can hold.

    Args:
        data: The value.
    """

    data: Any

    @property
    def value(self) -> Any:
        """The data."""
        return self.data


class UrlMetadataValue(MetadataValue, frozen=True, tag="url"):
    """A link.

    Args:
        url: The address.
    """

    url: str  # type: ignore[assignment]  # as above

    @property
    def value(self) -> str:
        """The address."""
        return self.url


class PathMetadataValue(MetadataValue, frozen=True, tag="path"):
    """A path in some file system.

    Args:
        path: The path.
    """

    path: str  # type: ignore[assignment]  # as above

    @property
    def value(self) -> str:
        """The path."""
        return self.path


class NotebookMetadataValue(MetadataValue, frozen=True, tag="notebook"):
    """The path of a notebook.

    Args:
        path: The path.
    """

    path: str  # type: ignore[assignment]  # as above

    @property
    def value(self) -> str:
        """The path."""
        return self.path


class TimestampMetadataValue(MetadataValue, frozen=True, tag="timestamp"):
    """An instant, in seconds since the Unix epoch, UTC.

    Args:
        value: The seconds.
    """

    value: float


class AssetMetadataValue(MetadataValue, frozen=True, tag="asset"):
    """A reference to an asset, by its key's text form.

    Args:
        asset: The key, its parts joined by `/`.
    """

    asset: str  # type: ignore[assignment]  # as above

    def __post_init__(self) -> None:
        given: object = self.asset
        if isinstance(given, AssetKey):
            msgspec.structs.force_setattr(self, "asset", given.to_user_string())

    @property
    def asset_key(self) -> AssetKey:
        """The key."""
        return AssetKey.from_user_string(self.asset)

    value = asset_key


class RunMetadataValue(MetadataValue, frozen=True, tag="run"):
    """A reference to a run.

    Args:
        run_id: The run's id.
    """

    run_id: str

    @property
    def value(self) -> str:
        """The run's id."""
        return self.run_id


class JobMetadataValue(MetadataValue, frozen=True, tag="job"):
    """A reference to a job of a code location.

    Args:
        job_name: The job.
        location_name: The code location that it belongs to.
        repository_name: The repository there; a location has one.
    """

    job_name: str
    location_name: str
    repository_name: str | None = None


class PoolMetadataValue(MetadataValue, frozen=True, tag="pool"):
    """A reference to a concurrency pool.

    Args:
        pool: The pool's name.
    """

    pool: str  # type: ignore[assignment]  # as above

    @property
    def value(self) -> str:
        """The pool's name."""
        return self.pool


class PythonArtifactMetadataValue(MetadataValue, frozen=True, tag="python_artifact"):
    """A reference to a class or function.

    Args:
        module: The module that it stands in.
        name: Its name there.
    """

    module: str
    name: str


class CodeReferencesMetadataValue(MetadataValue, frozen=True, kw_only=True, tag="code_references"):
    """Where the code behind a definition is.

    Args:
        code_references: The places, in files or at addresses.
    """

    code_references: list[CodeReference]


class TableMetadataValue(MetadataValue, frozen=True, tag="table"):
    """A small table.

    Args:
        records: Its rows.
        schema: Its columns.
    """

    records: list[TableRecord]
    schema: TableSchema

    @staticmethod
    def infer_column_type(value: Cell) -> str:
        """The type of a column with such values: `bool`, `int`, `float` or `string`."""
        return column_type(value)


class TableSchemaMetadataValue(MetadataValue, frozen=True, tag="table_schema"):
    """The columns of a table.

    Args:
        schema: The columns.
    """

    schema: TableSchema

    @property
    def value(self) -> TableSchema:
        """The schema."""
        return self.schema


class TableColumnLineageMetadataValue(MetadataValue, frozen=True, tag="table_column_lineage"):
    """For each column of a table, the columns that it is made from. `MetadataValue.column_lineage` makes one.

    Args:
        references: By column, the columns that it is made from.
    """

    references: dict[str, list[ColumnReference]]

    def __post_init__(self) -> None:
        given: object = self.references
        if isinstance(given, TableColumnLineage):
            msgspec.structs.force_setattr(self, "references", MetadataValue.column_lineage(given).references)

    @property
    def lineage(self) -> TableColumnLineage:
        """The lineage with keys of assets."""
        return TableColumnLineage(
            {
                column: [TableColumnDep(AssetKey.from_user_string(each.asset), each.column) for each in references]
                for column, references in self.references.items()
            }
        )

    column_lineage = value = lineage  # type: ignore[assignment]  # the first as above


class NullMetadataValue(MetadataValue, frozen=True, tag="null"):
    """Nothing."""

    @property
    def value(self) -> None:
        """Nothing."""
        return


MetadataVariant: TypeAlias = (
    TextMetadataValue
    | MarkdownMetadataValue
    | IntMetadataValue
    | FloatMetadataValue
    | BoolMetadataValue
    | JsonMetadataValue
    | UrlMetadataValue
    | PathMetadataValue
    | NotebookMetadataValue
    | TimestampMetadataValue
    | AssetMetadataValue
    | RunMetadataValue
    | JobMetadataValue
    | PoolMetadataValue
    | PythonArtifactMetadataValue
    | CodeReferencesMetadataValue
    | TableMetadataValue
    | TableSchemaMetadataValue
    | TableColumnLineageMetadataValue
    | NullMetadataValue
)

Metadata: TypeAlias = dict[str, MetadataVariant]


_LEAST, _LARGEST = -(2**63), 2**64 - 1


def normalize_metadata(raw: Mapping[str, Any] | None) -> Metadata:
    """Typed values for what users wrote; plain Python values become the kind that fits them.

    Raises:
        DefinitionError: A label is no text, or a value fits no kind; the message names the label.
    """
    if raw is not None and not isinstance(raw, Mapping):
        raise DefinitionError(f"The metadata is {raw!r}; give a dict of labels and values.")
    return {LABELS.read(_text(label)): _normalize(label, value) for label, value in (raw or {}).items()}


def _text(label: Any) -> str:
    if isinstance(label, str):
        return label
    raise DefinitionError(f"The metadata has the label {label!r} ({kind_of(label)}); give a text.")


def _normalize(label: str, value: Any) -> MetadataVariant:
    match value:
        case MetadataValue():
            _check_storable(label, value)
            return value  # type: ignore[return-value]  # every concrete subclass is a variant
        case bool():
            return BoolMetadataValue(value)
        case str():
            return TextMetadataValue(value)
        case int() if _LEAST <= value <= _LARGEST:
            return IntMetadataValue(value)
        case int():
            return TextMetadataValue(str(value))  # no store keeps it as a number
        case float():
            return FloatMetadataValue(value)
        case dict() | list():
            _check_storable(label, value)
            return JsonMetadataValue(value)
        case None:
            return NullMetadataValue()
        case AssetKey():
            return MetadataValue.asset(value)
        case TableSchema():
            return TableSchemaMetadataValue(value)
        case TableColumnLineage():
            return MetadataValue.column_lineage(value)
        case Path():
            return PathMetadataValue(str(value))
        case datetime():
            return MetadataValue.timestamp(value)
    try:
        return _normalize(label, plain_value(value))
    except TypeError as error:
        raise DefinitionError(
            f"Metadata {label!r} is {kind_of(value)}, which has no metadata kind; "
            "give a str, number, bool, dict, list, path, datetime or a MetadataValue."
        ) from error


def _check_storable(label: str, value: object) -> None:
    """A fact is lost as a whole with a value that cannot be stored; so that is refused here, where it has a name."""
    try:
        encode_msgpack(value)
    except UnicodeEncodeError:
        return  # stored with its stray halves escaped
    except (TypeError, OverflowError, RecursionError) as error:
        raise DefinitionError(
            f"Metadata {label!r} holds a value that cannot be stored ({error}); convert it, for example to text."
        ) from error
