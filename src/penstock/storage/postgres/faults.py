"""Postgres's errors in our words: whether the database is away, whether the connection is, and what to do."""

from __future__ import annotations

import psycopg

__all__ = ["is_away", "is_lost", "remedy"]

_LOST = frozenset({"57P01", "57P02", "57P03"})
"""The server ended the connection or is about to end: shut down by an administrator, crashed, starting."""


def is_lost(error: psycopg.Error) -> bool:
    """Whether the connection is gone, so that a new one may do."""
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError)
    return error.sqlstate in _LOST or error.sqlstate.startswith("08")
