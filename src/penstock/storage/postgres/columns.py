"""Columns of rows as Postgres takes them fastest: each an array in binary form, put together here.

The driver makes such arrays of lists as well, value by value; with that, arrays were two fifths of what a writer of
events spends.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg.adapt import Dumper

__all__ = ["Column", "column"]

_HEAD = struct.Struct(
    "!iiIii"
)  # dimensions (1), whether there are NULLs, the values' type, how many, the first's number
_SIZE = struct.Struct("!i")
_NULL = _SIZE.pack(-1)


class Column(bytes):
    """An array as the value of a statement, which says of which type it is: `%b::int8[]`."""


def column(kind: str, values: Sequence[Any]) -> Column:
    """A column's values as an array.

    Args:
        kind: The values' type: `int8`, `float8`, `text`, `bytea` or `bool`.
        values: One at least; None is NULL.

    Raises:
        OverflowError: A number is too large.
        UnicodeEncodeError: A text is not valid Unicode.
    """
    number, cells = _KINDS[kind]
    try:
        body = b"".join(cells(values))
    except struct.error as error:
        raise OverflowError(f"{error} in a column of {kind}") from error
    return Column(_HEAD.pack(1, None in values, number, len(values), 1) + body)


def _int8(values: Sequence[Any]) -> Iterable[bytes]:
    pack = struct.Struct("!iq").pack
    return [_NULL if value is None else pack(8, value) for value in values]


def _float8(values: Sequence[Any]) -> Iterable[bytes]:
    pack = struct.Struct("!id").pack
    return [_NULL if value is None else pack(8, value) for value in values]


def _bool(values: Sequence[Any]) -> Iterable[bytes]:
    pack = struct.Struct("!i?").pack
    return [_NULL if value is None else pack(1, value) for value in values]


def _text(values: Sequence[Any]) -> Iterable[bytes]:
    # Many texts of a column are the same: types of events, names of steps.
    cells: dict[str | None, bytes] = {None: _NULL}
    for value in set(values) - {None}:
        text = value.encode()
        cells[value] = _SIZE.pack(len(text)) + text
    return map(cells.__getitem__, values)


def _bytea(values: Sequence[Any]) -> Iterable[bytes]:
    pack = _SIZE.pack
    return [_NULL if value is None else pack(len(value)) + value for value in values]


_KINDS: Mapping[str, tuple[int, Callable[[Sequence[Any]], Iterable[bytes]]]] = {
    "int8": (20, _int8),
    "float8": (701, _float8),
    "text": (25, _text),
    "bytea": (17, _bytea),
    "bool": (16, _bool),
}
"""Of each type its number in every Postgres database, and what makes cells of values."""


class _ColumnDumper(Dumper):
    """How the driver sends a `Column`: as it is. Of which type it is, the statement says."""

    format = psycopg.pq.Format.BINARY

    def dump(self, obj: Column) -> Column:
        """The array's bytes."""
        return obj


psycopg.adapters.register_dumper(Column, _ColumnDumper)
