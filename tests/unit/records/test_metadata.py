"""Metadata: which kind plain values become, and that whatever is accepted can be stored."""

from __future__ import annotations

import enum
from collections import OrderedDict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.codec import decode_msgpack, encode_json, encode_msgpack
from penstock.errors import DefinitionError
from penstock.records.code_reference import LocalFileCodeReference, UrlCodeReference
from penstock.records.keys import AssetKey
from penstock.records.metadata import (
    AssetMetadataValue,
    BoolMetadataValue,
    CodeReferencesMetadataValue,
    FloatMetadataValue,
    IntMetadataValue,
    JobMetadataValue,
    JsonMetadataValue,
    MetadataValue,
    MetadataVariant,
    NullMetadataValue,
    PathMetadataValue,
    PoolMetadataValue,
    PythonArtifactMetadataValue,
    TextMetadataValue,
    TimestampMetadataValue,
    normalize_metadata,
)
from penstock.records.table import TableColumn, TableRecord, TableSchema


class Colour(enum.StrEnum):
    RED = "red"


class Count(int):
    """A number of a class of the user's."""


REFERENCES = CodeReferencesMetadataValue(
    code_references=[
        LocalFileCodeReference(file_path="a.py", line_number=3, label="a"),
        UrlCodeReference(url="https://example.org/a.py"),
    ]
)
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


def stored(value: object) -> Any:
    """A value as it comes back from the store."""
    return decode_msgpack(encode_msgpack(normalize_metadata({"x": value})), dict[str, MetadataVariant])["x"]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("text", TextMetadataValue("text")),
        (Colour.RED, TextMetadataValue("red")),
        (np.str_("text"), TextMetadataValue("text")),
        (3, IntMetadataValue(3)),
        (Count(3), IntMetadataValue(3)),
        (np.int32(3), IntMetadataValue(3)),
        (2**70, TextMetadataValue(str(2**70))),
        (-(2**63), IntMetadataValue(-(2**63))),
        (1.5, FloatMetadataValue(1.5)),
        (np.float64(1.5), FloatMetadataValue(1.5)),
        (np.float32(1.5), FloatMetadataValue(1.5)),
        (Decimal("1.5"), FloatMetadataValue(1.5)),
        (True, BoolMetadataValue(True)),
        (np.bool_(True), BoolMetadataValue(True)),
        (None, NullMetadataValue()),
        ({"mean": np.float64(1.5), np.str_("n"): [np.int64(2)]}, JsonMetadataValue({"mean": 1.5, "n": [2]})),
        (OrderedDict(a=1), JsonMetadataValue({"a": 1})),
        (Path("a/b"), PathMetadataValue("a/b")),
        (NOON, TimestampMetadataValue(NOON.timestamp())),
        (AssetKey(["a", "b"]), AssetMetadataValue("a/b")),
        (MetadataValue.float(np.float64(1.5)), FloatMetadataValue(1.5)),
        (MetadataValue.int(np.int64(2)), IntMetadataValue(2)),  # type: ignore[arg-type]
        (MetadataValue.notebook(Path("a.ipynb")), MetadataValue.notebook("a.ipynb")),
        (MetadataValue.null(), NullMetadataValue()),
        (AssetMetadataValue(AssetKey(["a"])), MetadataValue.asset(AssetKey(["a"]))),  # type: ignore[arg-type]
        (MetadataValue.job("j", "place"), JobMetadataValue("j", "place")),
        (MetadataValue.pool("db"), PoolMetadataValue("db")),
        (MetadataValue.python_artifact(Colour), PythonArtifactMetadataValue(Colour.__module__, "Colour")),
        (REFERENCES, REFERENCES),
    ],
    ids=str,
)
def test_a_value_becomes_the_kind_that_fits_it_and_comes_back_from_the_store(value: object, kind: object) -> None:
    assert stored(value) == kind


def test_tables_come_back_with_the_numbers_of_other_libraries_as_plain_ones() -> None:
    schema = TableSchema(columns=[TableColumn("rows", "int")])
    rows: Any = np.int64(3)
    table = stored(MetadataValue.table([TableRecord({"rows": rows})]))
    assert table.value is table
    assert table.records == [TableRecord({"rows": 3})]
    assert [column.name for column in table.schema.columns] == ["rows"]
    assert stored(schema) == MetadataValue.table_schema(schema)


@pytest.mark.parametrize(
    "value",
    [object(), (1, 2), b"bytes", np.arange(2), MetadataValue.int(2**70), {"deep": [object()]}, {"n": 2**70}],
    ids=["object", "tuple", "bytes", "array", "large", "deep", "large-within"],
)
def test_what_cannot_be_stored_is_refused_by_its_label(value: object) -> None:
    with pytest.raises(DefinitionError, match="'rows'"):
        normalize_metadata({"rows": value})


def test_a_timestamp_needs_a_zone() -> None:
    with pytest.raises(DefinitionError, match="no time zone"):
        MetadataValue.timestamp(NOON.replace(tzinfo=None))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text("abc"),
        lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner),
    )
)
def test_any_json_value_comes_back_as_it_was(value: Any) -> None:
    kind = stored(value)
    assert kind.value == value
    encode_json(kind)
