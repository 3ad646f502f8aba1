"""What the three stores on Redis share: their keys, what they ask of the server, and what its errors mean."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import redis

from penstock.errors import StorageError, StorageUnavailableError

__all__ = ["RedisStore", "told_apart"]

_AWAY = (redis.ConnectionError, redis.TimeoutError, redis.exceptions.OutOfMemoryError, redis.ReadOnlyError)


class RedisStore:
    """Keys on one Redis server.

    Args:
        url: The server and its database: `redis://:password@host:6379/0`.
        prefix: What every key begins with, so that several stores may share a database.
        patience: How many seconds an answer may take.

    Nothing is opened before the first use.
    """

    kept: ClassVar[str]
    """What it keeps, for messages: "runs"."""
    layout: ClassVar[str] = "1"
    """How its keys are laid out."""

    def __init__(self, url: str, prefix: str, patience: float) -> None:
        self._prefix = prefix
        # What a call gives depends on how a client was made, which the library's types do not tell.
        self._client: Any = redis.Redis.from_url(url, socket_timeout=patience, socket_connect_timeout=5.0)

    def migrate(self) -> None:
        """See that the server keeps what it is given, and that its keys are laid out as here."""
        with told_apart("look at the server"):
            self._client.set(self._key("layout"), self.layout, nx=True)
            layout = (self._client.get(self._key("layout")) or b"").decode()
            keeps = self._client.info("persistence").get("aof_enabled")
        if layout != self.layout:
            raise StorageError(
                f"The {self.kept} in {self._place()} are laid out as version {layout}, and this is version "
                f"{self.layout}. Name another `prefix`: it is filled from the log."
            )
        if not keeps:
            raise StorageError(
                f"The Redis server {self._place()} keeps no append-only file, so that it forgets {self.kept} when it "
                "stops. Set `appendonly yes` there."
            )

    def describe(self) -> dict[str, str]:
        """Facts for people: kind and place."""
        return {"kind": "Redis", "place": self._place()}

    def close(self) -> None:
        """Let go of every connection of this process."""
        self._client.close()

    def _place(self) -> str:
        where = self._client.connection_pool.connection_kwargs
        return f"{where.get('path') or where.get('host')}:{where.get('port', '')}/{where.get('db', 0)} {self._prefix}"

    def _key(self, name: str) -> str:
        return f"{self._prefix}{name}"


@contextmanager
def told_apart(doing: str) -> Iterator[None]:
    """What Redis raises, as an error that says whether asking again later may help."""
    try:
        yield
    except (redis.AuthenticationError, redis.exceptions.AuthorizationError) as error:  # for redis-py, of those below
        raise StorageError(f"Redis refused to {doing}: {_words(error)}. Correct the password in `url`.") from error
    except _AWAY as error:
        raise StorageUnavailableError(f"Redis is away: it could not {doing}: {_words(error)}.") from error
    except redis.RedisError as error:
        raise StorageError(f"Redis refused to {doing}: {_words(error)}.") from error


def _words(error: redis.RedisError) -> str:
    return str(error).rstrip(".")
