"""Concurrency pools: what a step or a whole run claims of them, who holds slots, who waits, and how that is said.

A slot is held under the run's attempt. It counts while that attempt is current and its lease is not over; no counter is
kept that could drift.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

__all__ = [
    "LARGEST_LIMIT",
    "WHOLE_RUN",
    "ClaimOutcome",
    "PoolClaim",
    "PoolNeed",
    "PoolState",
    "SlotRequest",
    "describe_full",
    "describe_waiting",
]

LARGEST_LIMIT = 1000
"""The most slots that a pool can have."""

WHOLE_RUN = ""
"""Stands in place of a step's key for a claim of a whole run."""

_NAMED = 3


class SlotRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a run wants at this moment: a slot in each of these pools, all of them or none, for one attempt of a step.

    Args:
        step_key: The step; `WHOLE_RUN` for the run itself.
        pools: The pools, each once.
        retry: 0 for the step's first attempt.
        priority: Higher goes first.
        since: When it began to wait, in seconds since the epoch; among equals the earlier goes first.
        told: Whether the run's log says already that it waits.
    """

    step_key: str
    pools: tuple[str, ...]
    retry: int = 0
    priority: int = 0
    since: float
    told: bool = False


class PoolClaim(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A stored claim of one slot: waiting while `taken` is None, else holding since then."""

    pool: str
    run_id: str
    step_key: str
    attempt: int
    retry: int = 0
    priority: int = 0
    since: float
    taken: float | None = None

    @property
    def order(self) -> tuple[int, float, str, str]:
        """Sorts those that wait by whose turn comes first."""
        return (-self.priority, self.since, self.run_id, self.step_key)

    @property
    def owner(self) -> tuple[str, str]:
        """Run and step."""
        return (self.run_id, self.step_key)


class PoolState(msgspec.Struct, frozen=True, kw_only=True):
    """One pool as it stands.

    `limit` is the limit in force, None for none; `own_limit` says whether it was set for this pool, and is not the
    default of all. `held` and `waiting` are the claims that count, in the order in which they were taken, and in the
    order in which they will be.
    """

    pool: str
    limit: int | None
    own_limit: bool
    held: tuple[PoolClaim, ...] = ()
    waiting: tuple[PoolClaim, ...] = ()

    @property
    def is_full(self) -> bool:
        """Whether no further slot can be taken."""
        return self.limit is not None and len(self.held) >= self.limit


class ClaimOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a claim came to: the steps that hold their slots now, and for each other one the rule that it waits for."""

    granted: frozenset[str]
    waiting: dict[str, str]


class PoolNeed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which pools a run uses, as known when it was made.

    Args:
        pools: All pools of its steps, sorted.
        first: How many of the steps that wait for no other step are in each pool.
        first_free: How many of those are in none, and can begin whatever the pools say.
    """

    pools: tuple[str, ...] = ()
    first: dict[str, int] = {}
    first_free: int = 0


def describe_full(state: PoolState) -> str:
    """How full a pool is, and of whom: "3 of 3 slots taken by run 1a2b3c4d step load"."""
    if state.limit == 0:
        return "it has no slots"
    named = [_named(each) for each in state.held[:_NAMED]]
    more = f" and {len(state.held) - _NAMED} more" if len(state.held) > _NAMED else ""
    by = f" by {', '.join(named)}{more}" if named else ""
    slots = "slot" if state.limit == 1 else "slots"
    return f"{len(state.held)} of {state.limit} {slots} taken{by}"


def describe_waiting(states: Sequence[PoolState], run_id: str, step_key: str) -> str:
    """The one rule that a waiting claim is blocked by, and its place: of several pools, the first that is full.

    Args:
        states: The pools that it claims.
        run_id: The run that claims.
        step_key: The step that claims.
    """
    state = next((each for each in states if each.is_full), states[0])
    order = [each.owner for each in state.waiting]
    place = order.index((run_id, step_key)) + 1 if (run_id, step_key) in order else len(order) + 1
    # Where it is not full, the slots that are free are kept for those before.
    why = describe_full(state) if state.is_full else f"{len(state.held)} of {state.limit} slots taken, others go first"
    return f"waits for pool {state.pool}: {why}, place {place} of {max(len(order), place)}"


def _named(holder: PoolClaim) -> str:
    run = f"run {holder.run_id[-8:]}"
    return run if holder.step_key == WHOLE_RUN else f"{run} step {holder.step_key}"
