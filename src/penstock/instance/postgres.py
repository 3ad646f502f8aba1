"""The Postgres storage that the settings describe."""

from __future__ import annotations

from typing import Any

from ..errors import SettingsError
from ..storage.protocols import Storage
from .settings import PostgresSettings

__all__ = ["open_postgres"]


def open_postgres(settings: PostgresSettings) -> Storage:
    """The storage, with nothing opened yet.

    Raises:
        SettingsError: The driver is not installed, or the URL or the parameters cannot be read.
    """
    try:
        from ..storage.postgres.storage import PostgresStorage
    except ImportError as error:
        raise SettingsError(
            f"storage.postgres needs the driver of Postgres, which cannot be imported ({error}); "
            "pip install 'penstock[postgres]'."
        ) from error
    pool: dict[str, Any] = {"pool_size": settings.pool_size, "pool_patience": settings.pool_wait_seconds}
    if settings.postgres_url is not None:
        # Some name the driver in the scheme: postgresql+psycopg2://
        scheme, separator, rest = settings.postgres_url.partition("://")
        return PostgresStorage(f"{scheme.partition('+')[0]}{separator}{rest}", **pool)
    parts = settings.postgres_db
    assert parts is not None
    return PostgresStorage(
        user=parts.username,
        password=parts.password or None,
        host=parts.hostname,
        port=parts.port,
        dbname=parts.db_name,
        **pool,
        **parts.params,
    )
