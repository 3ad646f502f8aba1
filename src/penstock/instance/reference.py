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

WITHHELD_SETTINGS = (
    *("storage", "run_storage", "event_log_storage", "schedule_storage"),
    *("run_launcher", "run_coordinator"),
)
"""The settings that a process does not get which reaches the storage with a token: they may hold credentials."""

_SQLITE = "penstock.storage.sqlite.storage"
_POSTGRES = "penstock.storage.postgres.storage"
_COMPOSITE = "penstock.storage.composite.storage"
_REMOTE = "penstock.storage.remote.client"
_LOCAL_LOGS = "penstock.logs.local"


class InstanceRef(msgspec.Struct, frozen=True, kw_only=True):
    """A home, and its settings as they were read.

    Args:
        home: The folder.
        settings: The settings.
        withheld: Whether they are without `WITHHELD_SETTINGS`.
        access: How the one process that was given this reaches the storage without them.
    """

    home: str
    settings: Settings
    withheld: bool = False
    access: StorageAccess | None = None

    @classmethod
    def of(cls, home: Path, settings: Settings) -> InstanceRef:
        """What the processes with user code of an instance are given."""
        if settings.run_workers.storage == "direct":
            return cls(home=str(home), settings=settings)
        kept = msgspec.structs.replace(
            settings, **{key: StorageSettings() if key == "storage" else None for key in WITHHELD_SETTINGS}
        )
        return cls(home=str(home), settings=kept, withheld=True)

    def encode(self) -> bytes:
        """As `LoadCode.environment` carries it."""
        return encode_json(self)

    @classmethod
    def decode(cls, data: bytes) -> InstanceRef:
        """What `encode` has made."""
        return decode_json(data, cls)

    def import_components(self) -> None:
        """Import the code that the instance consists of, and open nothing: for a process that forks others."""
        named = {
            self._storage_module(),
            _LOCAL_LOGS if self.settings.compute_logs.custom is None else self.settings.compute_logs.custom.module,
        }
        for module in named:
            importlib.import_module(module)
        if followers := self.settings.followers:
            importlib.import_module(_COMPOSITE)
            for component in followers.values():
                importlib.import_module(component.module)

    def through(self, access: StorageAccess | None) -> InstanceRef:
        """The same instance for the one process that was given this access to its storage."""
        return msgspec.structs.replace(self, access=access)

    def open(self) -> Instance:
        """The instance; its storage is up to date, since the one that made the reference has opened it before."""
        if self.withheld and self.access is None:
            raise InternalError("This process was given neither the storage's settings nor a token for it.")
        return Instance.compose(Path(self.home), self.settings, access=self.access)

    def _storage_module(self) -> str:
        storage = self.settings.storage
        if self.withheld:
            return _REMOTE
        if storage.custom is not None:
            return storage.custom.module
        return _POSTGRES if storage.postgres else _SQLITE
