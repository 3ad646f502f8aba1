"""Whose turn it is for the slots of pools. Pure, shared by every store, which calls it inside of its transaction.

Those that wait are gone through in the order of their turn: higher priority first, then who has waited longer. Each
one's slots are kept for it, whether it can take them now or not, so that no stream of later ones passes it by.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from ..errors import FencedError
from ..records.event import EngineNote, Event, StepUpForRetry
from ..records.pool import WHOLE_RUN, PoolClaim, PoolState, SlotRequest, describe_waiting
from ..records.run import ACTIVE, Run
from .derive import EVICTED

__all__ = [
    "Claimant",
    "Counted",
    "Holder",
    "allot",
    "claim_rows",
    "counted",
    "ended_steps",
    "explain",
    "living",
    "notes_of",
    "pool_states",
    "refuse_late_claim",
    "take",
]

_STEP_OVER = frozenset({"STEP_SUCCESS", "STEP_FAILURE", "STEP_SKIPPED"})

Holder = tuple[str, int]
"""A run and its attempt."""


class Claimant(msgspec.Struct, frozen=True, kw_only=True):
    """One that waits for a slot in each of its pools, all or none.

    `order` sorts by turn. `ours` is true for those of the run that asks now; the others take theirs when they ask.
    """

    order: tuple[int, float, str, str]
    pools: tuple[str, ...]
    ours: bool

    @property
    def step_key(self) -> str:
        """The step that waits."""
        return self.order[3]


def allot(
    claimants: Iterable[Claimant], held: Mapping[str, int], limits: Mapping[str, int | None], *, at_most: int | None
) -> list[str]:
    """The steps of the run that asks which take their slots now, in the order of their turn.

    Args:
        claimants: All that wait, those of the run that asks among them.
        held: How many slots of each pool are taken.
        limits: How many each pool has; None for any number.
        at_most: How many steps the run that asks can start; None for any number.
    """
    used = Counter(held)
    granted: list[str] = []
    for each in sorted(claimants, key=lambda claimant: claimant.order):
        if each.ours and at_most is not None and len(granted) >= at_most:
            continue  # what keeps it is its own run, so it keeps nobody
        if each.ours and all(_has_room(limits.get(pool), used[pool]) for pool in each.pools):
            granted.append(each.step_key)
        used.update(each.pools)
    return granted


def _has_room(limit: int | None, used: int) -> bool:
    return limit is None or used < limit


# -- claims as they are stored ----------------------------------------------------------------------------------------


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """A claim that counts, or one that would (`over`): its attempt is current, but its lease is over."""

    claim: PoolClaim
    over: bool


def counted(row: Sequence[Any], now: float) -> Counted:
    """The claim of a row of `rows.CLAIM` with the end of its run's lease."""
    pool, run_id, step_key, attempt, retry, priority, since, taken, lease_until = row
    claim = PoolClaim(
        pool=pool,
        run_id=run_id,
        step_key=step_key,
        attempt=attempt,
        retry=retry,
        priority=priority,
        since=since,
        taken=taken,
    )
    return Counted(claim=claim, over=(lease_until or EVICTED) <= now)


def claim_rows(
    run_id: str, attempt: int, requests: Iterable[SlotRequest], taken: float | None
) -> list[tuple[Any, ...]]:
    """The rows of `rows.CLAIM` of an attempt's requests; they wait if `taken` is None."""
    return [
        (pool, run_id, each.step_key, attempt, each.retry, each.priority, each.since, taken)
        for each in requests
        for pool in each.pools
    ]


def living(found: Iterable[Counted]) -> list[PoolClaim]:
    """The claims that count."""
    return [each.claim for each in found if not each.over]


def ended_steps(events: Iterable[Event]) -> tuple[list[str], list[tuple[str, int]]]:
    """What these events end: steps, and attempts of steps as (step, number of the next attempt)."""
    over, again = [], []
    for event in events:
        if event.step_key is None:
            continue
        if event.type in _STEP_OVER:
            over.append(event.step_key)
        elif isinstance(event.fact, StepUpForRetry):
            again.append((event.step_key, event.fact.retry))
    return over, again


def refuse_late_claim(run_id: str, attempt: int, run: Run | None) -> Run:
    """The run as stored, if this attempt may claim.

    Raises:
        FencedError: It is not current, or has ended.
    """
    if run is None:
        raise FencedError(f"The run {run_id} does not exist any more; its attempt {attempt} must stop.")
    if attempt != run.attempt or run.status not in ACTIVE or run.lease_until == EVICTED:
        raise FencedError(
            f"Attempt {attempt} of the run {run_id} may claim no slots: the run is {run.status} under attempt "
            f"{run.attempt}. This worker must stop."
        )
    return run


# -- one claim --------------------------------------------------------------------------------------------------------


def take(
    found: Sequence[Counted],
    wanted: Sequence[SlotRequest],
    limits: Mapping[str, int],
    *,
    default_limit: int | None,
    at_most: int | None,
    run_id: str,
    evict: Callable[[list[PoolClaim]], set[Holder]],
) -> tuple[set[str], bool]:
    """The steps that take their slots, and whether holders whose leases are over lost theirs to that end.

    Args:
        found: All claims of current attempts.
        wanted: What the run that asks wants and does not hold.
        limits: The limits that were set.
        default_limit: The limit of the other pools; None for no limit.
        at_most: How many steps the run that asks can start; None for any number.
        run_id: The run that asks.
        evict: Takes the slots of these holders, and fences their attempts; gives those that lost them.
    """
    others = _claimants(each.claim for each in found if each.claim.run_id != run_id and not each.over)
    ours = [
        Claimant(order=(-each.priority, each.since, run_id, each.step_key), pools=each.pools, ours=True)
        for each in wanted
    ]
    everybody = [*others, *ours]
    in_force = {pool: limits.get(pool, default_limit) for each in everybody for pool in each.pools}
    held = [each for each in found if each.claim.taken is not None]
    taken = set(allot(everybody, Counter(each.claim.pool for each in held), in_force, at_most=at_most))
    lacking = {pool for each in wanted if each.step_key not in taken for pool in each.pools}
    gone = [each.claim for each in held if each.over and each.claim.pool in lacking and each.claim.run_id != run_id]
    if not gone or (at_most is not None and len(taken) >= at_most):
        return taken, False
    lost = evict(gone)
    left = [each for each in held if (each.claim.run_id, each.claim.attempt) not in lost]
    taken = set(allot(everybody, Counter(each.claim.pool for each in left), in_force, at_most=at_most))
    return taken, bool(lost)


def _claimants(claims: Iterable[PoolClaim]) -> list[Claimant]:
    """Those of other runs that wait."""
    pools: dict[tuple[int, float, str, str], list[str]] = {}
    for each in claims:
        if each.taken is None:
            pools.setdefault(each.order, []).append(each.pool)
    return [Claimant(order=order, pools=tuple(names), ours=False) for order, names in pools.items()]


# -- in words ---------------------------------------------------------------------------------------------------------


def pool_states(claims: Sequence[PoolClaim], limits: Mapping[str, int], default_limit: int | None) -> list[PoolState]:
    """Every pool that has a limit of its own or that somebody claims, by name."""
    names = sorted({*limits, *(each.pool for each in claims)})
    return [_state(name, claims, limits, default_limit) for name in names]


def _state(pool: str, claims: Sequence[PoolClaim], limits: Mapping[str, int], default_limit: int | None) -> PoolState:
    own = [each for each in claims if each.pool == pool]
    return PoolState(
        pool=pool,
        limit=limits.get(pool, default_limit),
        own_limit=pool in limits,
        held=tuple(each for each in own if each.taken is not None),
        waiting=tuple(sorted((each for each in own if each.taken is None), key=lambda claim: claim.order)),
    )


def explain(
    claims: Sequence[PoolClaim],
    run_id: str,
    blocked: Sequence[SlotRequest],
    limits: Mapping[str, int],
    default_limit: int | None,
) -> dict[str, str]:
    """The rule that each of these waits for, by step."""
    states = {
        pool: _state(pool, claims, limits, default_limit) for pool in {pool for each in blocked for pool in each.pools}
    }
    return {
        each.step_key: describe_waiting([states[pool] for pool in each.pools], run_id, each.step_key)
        for each in blocked
    }


def notes_of(wanted: Sequence[SlotRequest], taken: set[str], waiting: Mapping[str, str], now: float) -> list[Event]:
    """What the run's log is told: that steps go on, where it was told that they wait; and that others wait now."""
    went_on = [
        _note(each, f"has its slot of pool {', '.join(each.pools)}, after {now - each.since:.1f} s", now)
        for each in wanted
        if each.step_key in taken and each.told
    ]
    return went_on + [
        _note(each, waiting[each.step_key], now) for each in wanted if each.step_key in waiting and not each.told
    ]


def _note(request: SlotRequest, text: str, now: float) -> Event:
    if request.step_key == WHOLE_RUN:
        return Event(time=now, fact=EngineNote(message=f"The run {text}."))
    return Event(time=now, step_key=request.step_key, fact=EngineNote(message=f"Step {request.step_key} {text}."))
