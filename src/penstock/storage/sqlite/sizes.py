"""How large tables are."""

from __future__ import annotations

import sqlite3

__all__ = ["bytes_of_tables"]


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
