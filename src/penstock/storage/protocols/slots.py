"""The seam of the slots of concurrency pools."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ...records.pool import ClaimOutcome, PoolState, SlotRequest

__all__ = ["SlotStorage"]


class SlotStorage(Protocol):
    """Slots of concurrency pools: a run's attempt holds them for its steps, for no longer than its lease.

    A claim counts while its attempt is the run's current one, the run is active, and the lease is not over. It ends in
    the transaction that stores the step's STEP_SUCCESS, STEP_FAILURE, STEP_SKIPPED or STEP_UP_FOR_RETRY, the run's end,
    or its return to the queue; then `slots` is published, and `pools` with every change that a reader may show.
    """

    def limits(self) -> dict[str, int]:
        """The limits that were set, by pool."""
        ...

    def set_limit(self, pool: str, slots: int) -> None:
        """Set how many slots a pool has, 0 to `LARGEST_LIMIT`. Who holds more than that now keeps them."""
        ...

    def delete_limit(self, pool: str) -> bool:
        """Let the default limit hold for a pool again; False if it had none of its own."""
        ...

    def claim(
        self,
        run_id: str,
        attempt: int,
        requests: Sequence[SlotRequest],
        *,
        now: float,
        default_limit: int | None = None,
        at_most: int | None = None,
        dead_before: float | None = None,
    ) -> ClaimOutcome:
        """Take the slots that can be taken, and wait for the others; one transaction, notes in the run's log included.

        No pool is ever above its limit. Those that wait, of all runs, have their turn by priority, then by `since`; the
        slots of one that still lacks some are kept for it. All events of the run's ended steps must be stored before.

        Args:
            run_id: The run.
            attempt: Its attempt that claims.
            requests: All that the run waits for now: what it waited for and is not among them is withdrawn. One that
                holds its slots already is granted again.
            now: The time.
            default_limit: The limit of pools that have none of their own; None for no limit.
            at_most: How many more steps the run could start. When so many are granted, the others do not wait for
                pools.
            dead_before: Holders whose leases ended until then are taken for dead: if need be their slots are taken
                away, and their attempts are fenced, so that they neither renew nor write. `now` if not given.

        Raises:
            FencedError: The attempt is not current or has ended.
        """
        ...

    def free(self, run_id: str, step_key: str | None = None, *, now: float) -> int:
        """Take away what a run holds and waits for, if there is anything (of that step), when its lease is over or it
        is not active; its attempt is fenced. Gives how many claims were asked for; 0 while the run is alive."""
        ...

    def pools(self, *, now: float, default_limit: int | None = None) -> list[PoolState]:
        """Every pool that has a limit of its own or that somebody claims, by name."""
        ...
