"""How large tables are."""

from __future__ import annotations

import sqlite3

from ..retention import COUNTED_EXACTLY

__all__ = ["about_rows", "bytes_of_tables"]

_SAMPLE = 200


def about_rows(connection: sqlite3.Connection, table: str, row_bytes: int) -> tuple[int, int]:
    """About how many rows a table has whose ids rise without many gaps, and their size: at the same cost for any table.

    Args:
        connection: The database.
        table: The table; it has an `id` and a `body`.
        row_bytes: What a row takes beside its body.
    """
    (counted,) = connection.execute(
        f"SELECT COUNT(*) FROM (SELECT 1 FROM {table} LIMIT ?)", (COUNTED_EXACTLY,)
    ).fetchone()
    # The first ones are passed over: there are more gaps between what is old.
    (more,) = connection.execute(
        f"SELECT COALESCE((SELECT MAX(id) FROM {table}) - (SELECT id FROM {table} ORDER BY id LIMIT 1 OFFSET ?), 0)",
        (COUNTED_EXACTLY - 1,),
    ).fetchone()
    (body,) = connection.execute(
        f"SELECT AVG(length(body)) FROM (SELECT body FROM {table} ORDER BY id DESC LIMIT ?)", (_SAMPLE,)
    ).fetchone()
    return counted + more, round((counted + more) * ((body or 0.0) + row_bytes))


def bytes_of_tables(connection: sqlite3.Connection, table: str | None = None) -> dict[str, int] | None:
    """The bytes of each table (or of one) with its indexes; None where SQLite was built without what tells it."""
    try:
        found = connection.execute(
            "SELECT m.tbl_name, SUM(s.pgsize) FROM sqlite_master m CROSS JOIN dbstat s ON s.name = m.name "
            "WHERE s.aggregate = TRUE AND (:table IS NULL OR m.tbl_name = :table) GROUP BY m.tbl_name",
            {"table": table},
        ).fetchall()
    except sqlite3.OperationalError as error:
        if "dbstat" not in str(error):
            raise
        return None
    return dict(found)
