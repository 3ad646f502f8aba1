"""The seam of leases, and of the processes of a deployment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ...records.lease import Lease, ProcessInfo

__all__ = ["FAR", "LeaseStorage"]


FAR = 10
"""Nobody takes a lease for so many times its usual length."""


class LeaseStorage(Protocol):
    """Leases of daemon duties, and the processes of the deployment."""

    def acquire(self, name: str, holder: str, *, ttl: float, now: float) -> Lease | None:
        """Take the lease if it is free, over, or held by `holder` already; a change of holder raises its epoch.

        One that would last `FAR` times `ttl` from now is free as well: since it was taken the clock was set back, and
        whoever lives has renewed it by the new time.
        """
        ...

    def renew(self, leases: Sequence[Lease], *, ttl: float, now: float) -> list[Lease]:
        """Prolong these at once; gives those that are still held, without the ones that have passed to another."""
        ...

    def release(self, lease: Lease) -> None:
        """Give it up at once."""
        ...

    def all(self) -> list[Lease]:
        """Every lease, by name."""
        ...

    def beat(self, process: ProcessInfo) -> None:
        """Say that this process lives."""
        ...

    def gone(self, process_id: str) -> None:
        """Say that this process ends."""
        ...

    def processes(self, *, seen_after: float) -> list[ProcessInfo]:
        """Processes heard of after that time."""
        ...
