"""Where code servers answer: looked up in the storage, and only as often as something there has changed."""

from __future__ import annotations

import threading

from ..storage.protocols import LocationStorage, StoredLocation
from .catalog import client_of
from .client import CodeServerClient

__all__ = ["AddressBook"]


class AddressBook:
    """Gives clients of code servers by location; safe to share between threads.

    Args:
        storage: Where code servers store their addresses.
        token: What to show to code servers; by default that of the environment.
    """

    def __init__(self, storage: LocationStorage, token: str | None = None) -> None:
        self._storage = storage
        self._token = token
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, CodeServerClient]] = {}

    def client(self, location: str) -> CodeServerClient:
        """The client of a location's code server. Raises `CodeServerUnreachableError` when none has served it yet."""
        _status, _digest, updated = self._storage.digests().get(location, (None, None, 0.0))
        with self._lock:
            known = self._known.get(location)
            if known is not None and known[0] == updated:
                return known[1]
        stored: StoredLocation | None = self._storage.get(location)
        client = client_of(location, stored, self._token)
        with self._lock:
            self._known[location] = (updated, client)
        return client
