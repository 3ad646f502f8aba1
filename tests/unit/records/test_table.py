"""Tables in metadata: their columns, rows and lineage."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.codec import decode_msgpack, encode_msgpack
from penstock.errors import DefinitionError
from penstock.records.keys import AssetKey
from penstock.records.metadata import (
    MetadataValue,
    MetadataVariant,
    TableColumnLineageMetadataValue,
    TableMetadataValue,
    normalize_metadata,
)
from penstock.records.table import (
    TableColumn,
    TableColumnConstraints,
    TableColumnDep,
    TableColumnLineage,
    TableConstraints,
    TableRecord,
    TableSchema,
)

TEXTS = st.text("ab/ é", min_size=1)
TEXT_LISTS = st.lists(TEXTS, max_size=2)
CONSTRAINTS = st.builds(TableColumnConstraints, nullable=st.booleans(), unique=st.booleans(), other=TEXT_LISTS)
COLUMNS = st.builds(
    TableColumn, TEXTS, TEXTS, st.none() | TEXTS, CONSTRAINTS, st.dictionaries(TEXTS, TEXTS, max_size=2)
)
SCHEMAS = st.builds(TableSchema, st.lists(COLUMNS, max_size=3), st.builds(TableConstraints, TEXT_LISTS))
CELLS = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | TEXTS
RECORDS = st.lists(st.builds(TableRecord, st.dictionaries(TEXTS, CELLS, max_size=3)), max_size=3)
KEYS = st.builds(AssetKey, st.lists(TEXTS, min_size=1, max_size=3))
LINEAGES = st.builds(
    TableColumnLineage, st.dictionaries(TEXTS, st.lists(st.builds(TableColumnDep, KEYS, TEXTS), max_size=2), max_size=3)
)


def stored(value: object) -> Any:
    """A value as it comes back from the store."""
    return decode_msgpack(encode_msgpack(normalize_metadata({"x": value})), dict[str, MetadataVariant])["x"]


@given(SCHEMAS)
def test_a_schema_comes_back_as_it_was(schema: TableSchema) -> None:
    assert stored(schema).value == schema


@given(RECORDS, SCHEMAS)
def test_a_table_comes_back_as_it_was(records: list[TableRecord], schema: TableSchema) -> None:
    assert stored(MetadataValue.table(records, schema)) == TableMetadataValue(records, schema)


@given(LINEAGES)
def test_a_lineage_comes_back_as_it_was(lineage: TableColumnLineage) -> None:
    kept = stored(lineage)
    assert kept.lineage == kept.column_lineage == kept.value == lineage
    assert kept == TableColumnLineageMetadataValue(lineage)  # type: ignore[arg-type]  # as users write it


def test_the_columns_of_a_table_follow_from_its_first_row() -> None:
    row: dict[str, Any] = {"name": "a", "n": 1, "share": 0.5, "ok": True, "none": None}
    table = MetadataValue.table([TableRecord(row), TableRecord(dict.fromkeys(row))])
    assert {column.name: column.type for column in table.schema.columns} == {
        "name": "string",
        "n": "int",
        "share": "float",
        "ok": "bool",
        "none": "string",
    }
    assert TableMetadataValue.infer_column_type(True) == "bool"


@pytest.mark.parametrize(
    ("records", "told"),
    [([], "needs a schema"), ([{"a": 1}, {"b": 1}], "Row 1 of a table has the columns b, and row 0 has a")],
    ids=["no-rows", "other-columns"],
)
def test_a_table_whose_columns_nobody_can_know_is_refused(records: list[dict[str, Any]], told: str) -> None:
    with pytest.raises(DefinitionError, match=told):
        MetadataValue.table([TableRecord(each) for each in records])


def test_a_column_allows_all_unless_told_otherwise() -> None:
    schema = TableSchema.from_name_type_dict({"id": "int"})
    assert schema == TableSchema([TableColumn("id", "int")])
    assert schema.columns[0].constraints == TableColumnConstraints(nullable=True, unique=False, other=[])
    assert schema.constraints.other == []


def test_a_dependency_takes_any_form_of_a_key() -> None:
    assert TableColumnDep("a", "c") == TableColumnDep(asset_key=AssetKey(["a"]), column_name="c")
    assert len({TableColumnDep("a", "c"), TableColumnDep(["a"], "c"), TableColumnDep("a", "d")}) == 2
