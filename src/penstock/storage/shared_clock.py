"""Whose time counts where processes of several hosts share a storage: leases, claims and due times compare it."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from ..clock import SYSTEM_CLOCK, Clock

__all__ = ["KeepsTime", "clock_of"]


@runtime_checkable
class KeepsTime(Protocol):
    """A storage that tells the time to all who share it."""

    @property
    def shared_clock(self) -> Clock:
        """The time that counts."""
        ...


def clock_of(storage: object) -> Clock:
    """The clock that counts for those who use this storage: its own, or that of this machine."""
    return storage.shared_clock if isinstance(storage, KeepsTime) else SYSTEM_CLOCK
