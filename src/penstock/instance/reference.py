"""An instance by reference: what another process needs in order to open it without reading its settings again."""

from __future__ import annotations

import importlib
from pathlib import Path

import msgspec

from ..codec import decode_json, encode_json
from .instance import Instance
from .settings import Settings

__all__ = ["InstanceRef"]

_SQLITE = "penstock.storage.sqlite.storage"
_POSTGRES = "penstock.storage.postgres.storage"
_LOCAL_LOGS = "penstock.logs.local"


class InstanceRef(msgspec.Struct, frozen=True, kw_only=True):
    """A home, and its settings as they were read."""

    home: str
    settings: Settings

    def encode(self) -> bytes:
        """As `LoadCode.environment` carries it."""
        return encode_json(self)

    @classmethod
    def decode(cls, data: bytes) -> InstanceRef:
        """What `encode` has made."""
        return decode_json(data, cls)

    def import_components(self) -> None:
        """Import the code that the instance consists of, and open nothing: for a process that forks others."""
        storage = self.settings.storage
        named = {
            storage.custom.module if storage.custom is not None else _POSTGRES if storage.postgres else _SQLITE,
            _LOCAL_LOGS if self.settings.compute_logs.custom is None else self.settings.compute_logs.custom.module,
        }
        for module in named:
            importlib.import_module(module)

    def open(self) -> Instance:
        """The instance; its storage is up to date, since the one that made the reference has opened it before."""
        return Instance.compose(Path(self.home), self.settings)
