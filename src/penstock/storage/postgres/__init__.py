"""Storage in one Postgres database: for deployments on several hosts, or with much going on at once."""

from __future__ import annotations

from .storage import PostgresStorage

__all__ = ["PostgresStorage"]
