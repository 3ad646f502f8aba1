"""Metadata of external processes becomes the kind that it names."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import (
    AssetKey,
    MetadataValue,
    TableColumn,
    TableColumnConstraints,
    TableColumnDep,
    TableColumnLineage,
    TableRecord,
    TableSchema,
)
from penstock.errors import UserCodeError
from penstock.execution.pipes.metadata import metadata_from_wire
from penstock_pipes.metadata import wire_metadata
from penstock_pipes.wire import METADATA_TYPES

SCHEMA = {"columns": [{"name": "n", "type": "int", "constraints": {"nullable": False}, "tags": {"a": "b"}}]}
COLUMNS = TableSchema([TableColumn("n", "int", None, TableColumnConstraints(nullable=False), {"a": "b"})])

KINDS: list[tuple[str, Any, MetadataValue]] = [
    ("__infer__", [1], MetadataValue.json([1])),
    ("__infer__", None, MetadataValue.null()),
    ("asset", "a/b", MetadataValue.asset(AssetKey(["a", "b"]))),
    ("bool", True, MetadataValue.bool(True)),
    ("dagster_run", "r", MetadataValue.run("r")),
    ("float", 1, MetadataValue.float(1.0)),
    ("int", 1, MetadataValue.int(1)),
    ("json", {"a": 1}, MetadataValue.json({"a": 1})),
    ("md", "*x*", MetadataValue.md("*x*")),
    ("notebook", "a.ipynb", MetadataValue.notebook("a.ipynb")),
    ("null", None, MetadataValue.null()),
    ("path", "/x", MetadataValue.path("/x")),
    ("table", {"records": [{"n": 1}], "schema": SCHEMA}, MetadataValue.table([TableRecord({"n": 1})], COLUMNS)),
    ("table", {"records": ['{"n": 1}']}, MetadataValue.table([TableRecord({"n": 1})])),
    (
        "table_column_lineage",
        {"deps_by_column": {"n": [{"asset_key": "a/b", "column_name": "m"}]}},
        MetadataValue.column_lineage(TableColumnLineage({"n": [TableColumnDep(AssetKey(["a", "b"]), "m")]})),
    ),
    ("table_schema", SCHEMA, MetadataValue.table_schema(COLUMNS)),
    ("text", "1", MetadataValue.text("1")),
    ("timestamp", 1.5, MetadataValue.timestamp(1.5)),
    ("url", "https://x.org", MetadataValue.url("https://x.org")),
]


@pytest.mark.parametrize(("kind", "raw", "value"), KINDS, ids=[f"{kind}-{n}" for n, (kind, *_) in enumerate(KINDS)])
def test_each_kind(kind: str, raw: Any, value: MetadataValue) -> None:
    assert metadata_from_wire({"x": {"type": kind, "raw_value": raw}}) == {"x": value}


def test_every_kind_of_the_wire_is_known() -> None:
    assert {kind for kind, *_ in KINDS} == METADATA_TYPES


@pytest.mark.parametrize(
    ("kind", "raw"),
    [("int", "x"), ("odd", 1), ("table", {"records": []}), ("table", {"records": ["{"]})],
    ids=["wrong-value", "unknown-kind", "no-columns", "no-json"],
)
def test_what_does_not_fit_is_refused_by_its_label(kind: str, raw: Any) -> None:
    with pytest.raises(UserCodeError, match="'rows'"):
        metadata_from_wire({"rows": {"type": kind, "raw_value": raw}})


def test_values_without_a_kind_are_taken_as_they_are() -> None:
    assert metadata_from_wire({"a": 1, "b": {"c": 2}}) == {
        "a": MetadataValue.int(1),
        "b": MetadataValue.json({"c": 2}),
    }
    assert metadata_from_wire(None) == {}


@given(
    st.dictionaries(
        st.text("abc"),
        st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text("abc"),
    )
)
def test_plain_values_arrive_as_they_were_sent(values: dict[str, Any]) -> None:
    arrived = metadata_from_wire(wire_metadata(values, "a report"))
    assert {label: value.value for label, value in arrived.items()} == values
