"""Opens an old history where it lies."""

from __future__ import annotations

from pathlib import Path

from .history_sqlite import SqliteHistory
from .history_tables import HistorySource

__all__ = ["open_source"]


def open_source(source: str) -> HistorySource:
    """The history at a path or an address.

    Args:
        source: The folder that DAGSTER_HOME named, or a `postgresql://` address.

    Raises:
        SettingsError: There is none that can be read.
    """
    if source.startswith(("postgresql://", "postgres://", "postgresql+psycopg2://")):
        from .history_postgres import PostgresHistory

        return PostgresHistory(source)
    return SqliteHistory(Path(source).expanduser())
