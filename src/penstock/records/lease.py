"""A lease: who holds a daemon duty, until when, and in which epoch. Late holders are refused by the epoch."""

from __future__ import annotations

import msgspec

__all__ = ["Lease", "ProcessInfo"]


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """A claim on `name` by `holder` that ends at `until` (seconds since the epoch) unless renewed.

    `epoch` grows by one each time the lease passes to a new holder.
    """

    name: str
    holder: str
    epoch: int
    until: float

    @property
    def duty(self) -> str:
        """The duty that it is for: a part of a divided one is named `duty/number`."""
        return self.name.partition("/")[0]


class ProcessInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A long-running process of the deployment and when it was last heard of."""

    id: str
    kind: str  # daemon, webserver, code-server
    host: str
    pid: int
    version: str
    started: float
    seen: float
    duties: tuple[str, ...] = ()  # of a daemon: the leases that it holds; of a code server: its location
    error: str | None = None
