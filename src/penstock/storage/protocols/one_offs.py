"""The seam of one-off runs: asked for now, made at an instant to come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ...records.lease import Lease
from ...records.one_off import OneOff, OneOffStatus
from .runs import NewRun

__all__ = ["OneOffStorage"]


class OneOffStorage(Protocol):
    """One-off runs."""

    def plan(self, one_off: OneOff, *, now: float) -> OneOff:
        """Store one that waits; gives it with its id."""
        ...

    def get(self, number: int) -> OneOff | None:
        """One of them."""
        ...

    def page(
        self, *, statuses: Sequence[OneOffStatus] | None = None, before: int | None = None, limit: int = 50
    ) -> list[OneOff]:
        """One-off runs, the newest asked for first, before the id `before`."""
        ...

    def waiting(self, *, limit: int = 100) -> list[OneOff]:
        """Those that wait, the soonest due first."""
        ...

    def cancel(self, number: int, *, now: float) -> OneOff | None:
        """Call off one that waits, for the reason of whoever acts; gives it as it stands afterwards, None if there is
        no such one."""
        ...

    def settle(
        self,
        number: int,
        status: OneOffStatus,
        *,
        lease: Lease,
        run: NewRun | None = None,
        note: str | None,
        now: float,
    ) -> bool:
        """Say what became of one that waits: LAUNCHED with the run, which is made in the same transaction, or MISSED or
        FAILED with a note. False, and nothing changes, when it waits no more. Raises `FencedError` when the lease has
        passed on."""
        ...
