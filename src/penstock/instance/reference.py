"""An instance by reference: what another process needs in order to open it without reading its settings again."""

from __future__ import annotations

import importlib
from pathlib import Path

import msgspec

from ..codec import decode_json, encode_json
from ..errors import InternalError
from ..records.wire import StorageAccess
from .instance import Instance
from .settings import Settings, StorageSettings

__all__ = ["WITHHELD_SETTINGS", "InstanceRef"]

WITHHELD_SETTINGS = ("storage", "run_launcher", "run_coordinator")
"""The settings that a process does not get which reaches the storage with a token: they may hold credentials."""

_SQLITE = "penstock.storage.sqlite.storage"
_REMOTE = "penstock.storage.remote.client"
_LOCAL_LOGS = "penstock.logs.local"


class InstanceRef(msgspec.Struct, frozen=True, kw_only=True):
    """A home, and its settings as they were read, whole or without `WITHHELD_SETTINGS`."""

    home: str
    settings: Settings

    @classmethod
    def of(cls, home: Path, settings: Settings) -> InstanceRef:
        """What the processes with user code of an instance are given."""
        if settings.run_workers.storage == "gateway":
            settings = msgspec.structs.replace(
                settings, storage=StorageSettings(), run_launcher=None, run_coordinator=None
            )
        return cls(home=str(home), settings=settings)

    def encode(self) -> bytes:
        """As `LoadCode.environment` carries it."""
        return encode_json(self)

    @classmethod
    def decode(cls, data: bytes) -> InstanceRef:
        """What `encode` has made."""
        return decode_json(data, cls)

    @property
    def is_remote(self) -> bool:
        """Whether the storage is reached with a token."""
        return self.settings.run_workers.storage == "gateway"

    def import_components(self) -> None:
        """Import the code that the instance consists of, and open nothing: for a process that forks others."""
        custom = self.settings.storage.custom
        storage = _REMOTE if self.is_remote else _SQLITE if custom is None else custom.module
        logs = _LOCAL_LOGS if self.settings.compute_logs.custom is None else self.settings.compute_logs.custom.module
        for module in (storage, logs):
            importlib.import_module(module)

    def open(self, access: StorageAccess | None) -> Instance:
        """The instance; its storage is up to date, since the one that made the reference has opened it before.

        Args:
            access: How the storage is reached, where that is not by its settings.
        """
        if not self.is_remote:
            return Instance.compose(Path(self.home), self.settings)
        if access is None:
            raise InternalError("This process was given neither the storage's settings nor a token for it.")
        from ..storage.remote.client import open_storage

        return Instance.compose(Path(self.home), self.settings, storage=open_storage(access))
