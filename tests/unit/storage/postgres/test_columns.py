"""Columns as arrays: what the server makes of them is what was given."""

from __future__ import annotations

import psycopg
import pytest

from penstock.records.run import RunStatus
from penstock.storage.postgres.columns import column


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("int8", [0, -1, 2**63 - 1, -(2**63), None, True]),
        ("float8", [0.5, -1e300, float("inf"), None, 7]),
        ("text", ["", "a", "a", None, "\N{SNOWMAN}\x01'{}\"", RunStatus.SUCCESS]),
        ("text", [None, None]),
        ("bytea", [b"", b"\0\xff", None, b"\0\xff"]),
        ("bool", [True, False, None]),
        ("bool", [True]),
    ],
)
def test_the_server_reads_the_values_that_were_given(postgres_url: str, kind: str, values: list[object]) -> None:
    with psycopg.connect(postgres_url) as connection:
        found = connection.execute(f"SELECT * FROM unnest(%b::{kind}[])", (column(kind, values),)).fetchall()
        assert [row[0] for row in found] == values


def test_a_number_that_is_too_large_is_refused() -> None:
    with pytest.raises(OverflowError, match="in a column of int8"):
        column("int8", [1, 2**63])


def test_a_text_that_is_not_unicode_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        column("text", ["ok", "\ud800"])
