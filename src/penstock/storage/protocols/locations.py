"""The seam of code locations, and of a few named values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import msgspec

from ...records.errors import ErrorInfo
from ...records.wire import LoadStatus

__all__ = ["LocationStorage", "StoredLocation"]


class StoredLocation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A code location as last heard of: its state, and the JSON of its last good `LocationDescription`."""

    name: str
    status: LoadStatus
    digest: str | None = None
    description: bytes | None = None
    error: ErrorInfo | None = None
    loaded_at: float | None = None
    updated: float = 0.0
    origin: str = ""  # where it is loaded from, for people: a file, a module
    address: str = ""  # where its code server answers: `unix:/path/to.sock` or `http://host:port`


class LocationStorage(Protocol):
    """Code locations as last heard of, and a few named values."""

    def put(self, location: StoredLocation) -> None:
        """Store; without a `description` the one stored before stays, and its digest."""
        ...

    def get(self, name: str) -> StoredLocation | None:
        """One location."""
        ...

    def digests(self) -> dict[str, tuple[LoadStatus, str | None, float]]:
        """(status, digest, updated) of each location: what a reader needs to see whether it must fetch anew."""
        ...

    def forget(self, names: Iterable[str]) -> None:
        """Remove locations that the workspace no longer names."""
        ...

    def get_value(self, key: str) -> str | None:
        """A named value."""
        ...

    def set_value(self, key: str, value: str) -> None:
        """Set a named value."""
        ...

    def settle_value(self, key: str, value: str) -> str:
        """Set a named value unless it is set; gives the one that it has now, the same to all who settle it at once."""
        ...
