"""The seam for messages that are on their way: decided once, sent at least once.

A message is stored in the transaction that decides it, and stays until it was sent or given up. Whoever sends claims it
for a while, so that any number of processes may send side by side, and what a dead one had claimed is sent by another.

Not every storage can do this; one that can has the property `outbox`, and is `Posting`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol, runtime_checkable

from ..records.alert import Delivery, DeliveryStatus, NewDelivery

__all__ = ["LAST_ID", "TOPIC", "Outbox", "Posting"]

TOPIC = "alerts"
"""What is published when messages come or change."""

LAST_ID = 2**63 - 1
"""Above the id of every delivery."""


class Outbox(Protocol):
    """Deliveries of alerts."""

    def add(self, deliveries: Sequence[NewDelivery], *, now: float) -> None:
        """Store them in this order, all or none. One whose (rule, target, occurrence) is there already is passed over;
        one that comes within its `throttle` of another about the same subject that was not itself held back, by the
        same rule for the same target, is stored as THROTTLED. The other may have come later by its clock, which was set
        back since."""
        ...

    def claim(self, *, now: float, until: float, limit: int, but: Collection[tuple[str, str]] = ()) -> list[Delivery]:
        """PENDING ones that are due, the longest due first, each with one more attempt. Nobody else is given them
        before `until`; then they are due again unless they have been settled. Those to a (rule, target) of `but` are
        left. No pause after so many attempts is longer than 2 to the power of these in seconds: what is due still later
        after `until` was put off before the clock was set back, and is due now."""
        ...

    def settle(
        self, delivery: Delivery, status: DeliveryStatus, *, now: float, due: float | None = None, error: str | None
    ) -> bool:
        """Say what became of a claimed one: DELIVERED, GIVEN_UP, or PENDING again until `due`. Gives False, and changes
        nothing, when it has ended already, or was claimed by somebody else since and this was not its delivery."""
        ...

    def page(
        self, *, before: int | None = None, limit: int = 50, status: DeliveryStatus | None = None
    ) -> list[Delivery]:
        """Deliveries newest first, before the id `before`; with a status those alone that stand there."""
        ...

    def forget(self, before: float) -> int:
        """Remove those that ended before that time; gives how many."""
        ...


@runtime_checkable
class Posting(Protocol):
    """A storage that keeps messages until they are sent."""

    @property
    def outbox(self) -> Outbox: ...
