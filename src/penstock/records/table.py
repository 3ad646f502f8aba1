"""Tables as metadata tells of them: columns with their constraints, rows, and which columns a column is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import msgspec

from ..errors import DefinitionError
from .keys import AssetKey, CoercibleToAssetKey

__all__ = [
    "Cell",
    "ColumnReference",
    "TableColumn",
    "TableColumnConstraints",
    "TableColumnDep",
    "TableColumnLineage",
    "TableConstraints",
    "TableRecord",
    "TableSchema",
    "column_type",
    "schema_of",
]

Cell: TypeAlias = str | int | float | bool | None
"""What a row may hold under a column."""


class TableColumnConstraints(msgspec.Struct, frozen=True, omit_defaults=True):
    """What holds for the values of a column; `other` says in words what has no field of its own.

    Args:
        nullable: Whether a value may be missing.
        unique: Whether no value occurs twice.
        other: What else holds, in words.
    """

    nullable: bool = True
    unique: bool = False
    other: list[str] = []  # msgspec gives each record a list of its own


class TableConstraints(msgspec.Struct, frozen=True, omit_defaults=True):
    """What holds for a table as a whole, in words.

    Args:
        other: What holds, in words.
    """

    other: list[str] = []


class TableColumn(msgspec.Struct, frozen=True, omit_defaults=True):
    """One column of a table: its name, its type in the store's own words, what it holds, what holds for its values.

    Args:
        name: Its name.
        type: Its type in the store's own words.
        description: What it holds.
        constraints: What holds for its values.
        tags: Tags of it.
    """

    name: str
    type: str = "string"
    description: str | None = None
    constraints: TableColumnConstraints = TableColumnConstraints()
    tags: dict[str, str] = {}


class TableSchema(msgspec.Struct, frozen=True, omit_defaults=True):
    """The columns of a table, in order, and what holds for all of it.

    Args:
        columns: The columns.
        constraints: What holds for all of it.
    """

    columns: list[TableColumn]
    constraints: TableConstraints = TableConstraints()

    @staticmethod
    def from_name_type_dict(name_type_dict: Mapping[str, str]) -> TableSchema:
        """The schema with these columns: name to type."""
        return TableSchema([TableColumn(name, kind) for name, kind in name_type_dict.items()])


class TableRecord(msgspec.Struct, frozen=True):
    """One row of a table: column name to value.

    Args:
        data: By column, the value.
    """

    data: dict[str, Cell]


def column_type(value: object) -> str:
    """The type of a column with such values: `bool`, `int`, `float` or `string`."""
    for kind in (bool, int, float):
        if isinstance(value, kind):
            return kind.__name__
    return "string"


def schema_of(records: Sequence[TableRecord]) -> TableSchema:
    """The columns that rows have, with the types of the first row's values.

    Raises:
        DefinitionError: There are no rows, or a row has other columns than the first.
    """
    if not records:
        raise DefinitionError("A table without rows needs a schema; pass one, for example TableSchema(columns=[...]).")
    first = records[0].data
    for number, record in enumerate(records):
        if record.data.keys() != first.keys():
            raise DefinitionError(
                f"Row {number} of a table has the columns {', '.join(record.data) or 'none'}, and row 0 has "
                f"{', '.join(first) or 'none'}; give every row the same columns, or pass a schema."
            )
    return TableSchema([TableColumn(name, column_type(value)) for name, value in first.items()])


class ColumnReference(msgspec.Struct, frozen=True):
    """A column of an asset as it is stored: the asset's key in text form, and the column's name."""

    asset: str
    column: str


class TableColumnDep:
    """A column that another one is made from.

    Args:
        asset_key: The asset that has it.
        column_name: Its name there.
    """

    __slots__ = ("asset_key", "column_name")

    def __init__(self, asset_key: CoercibleToAssetKey, column_name: str) -> None:
        self.asset_key = AssetKey.from_coercible(asset_key)
        self.column_name = column_name

    def __repr__(self) -> str:
        return f"TableColumnDep({self.asset_key!r}, {self.column_name!r})"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, TableColumnDep)
            and self.asset_key == other.asset_key
            and self.column_name == other.column_name
        )

    def __hash__(self) -> int:
        return hash((self.asset_key, self.column_name))


class TableColumnLineage:
    """For each column of a table, the columns that it is made from.

    Args:
        deps_by_column: Column name to the columns behind it.
    """

    __slots__ = ("deps_by_column",)

    def __init__(self, deps_by_column: Mapping[str, Sequence[TableColumnDep]]) -> None:
        self.deps_by_column: Mapping[str, Sequence[TableColumnDep]] = {
            column: list(deps) for column, deps in deps_by_column.items()
        }

    def __repr__(self) -> str:
        return f"TableColumnLineage({self.deps_by_column!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TableColumnLineage) and self.deps_by_column == other.deps_by_column

    __hash__ = None  # type: ignore[assignment]  # it holds a mapping
