"""An instance by reference: what another process needs in order to open it without reading its settings again."""

from __future__ import annotations

from pathlib import Path

import msgspec

from ..codec import decode_json, encode_json
from .instance import Instance
from .settings import Settings

__all__ = ["InstanceRef"]


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

    def open(self) -> Instance:
        """The instance; its storage is up to date, since the one that made the reference has opened it before."""
        return Instance.compose(Path(self.home), self.settings)
