"""Storage in one SQLite file: the default, for one host."""

from __future__ import annotations

from .storage import SqliteStorage

__all__ = ["SqliteStorage"]
