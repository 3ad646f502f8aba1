"""Concurrency pools: limits, who holds slots, who waits and why; and the change of limits."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple

from ...auth.permissions import Permission
from ...engine.pools import check_limit
from ...records.pool import LARGEST_LIMIT, PoolClaim, PoolState, describe_waiting
from ...records.run import Run
from .context import Context
from .deployment import Deployment
from .failures import Result
from .fields import Fields

__all__ = ["TABLES"]

_INSTANCE = Fields("Instance", source=Deployment)
_MUTATION = Fields("Mutation", source=type(None))
_RUN = Fields("Run", source=Run)


class PoolConfig(Result, frozen=True, kw_only=True):
    """What the settings say of pools."""

    pool_granularity: str
    default_pool_limit: int | None
    op_granularity_run_buffer: int


class _Pool:
    """A pool with all others, which the rule of one that waits may name."""

    def __init__(self, state: PoolState, others: dict[str, PoolState]) -> None:
        self.state = state
        self.others = others

    @cached_property
    def pending_steps(self) -> list[_Pending]:
        """Those that wait, in the order of their turn."""
        return [_Pending(claim, self.others) for claim in self.state.waiting]


class _Pending(NamedTuple):
    claim: PoolClaim
    pools: dict[str, PoolState]


_POOL = Fields("ConcurrencyKeyInfo", source=_Pool)
_HELD = Fields("ClaimedConcurrencySlot", source=PoolClaim)
_PENDING = Fields("PendingConcurrencyStep", source=_Pending)

TABLES = (_INSTANCE, _MUTATION, _RUN, _POOL, _HELD, _PENDING)


def _states(context: Context) -> dict[str, PoolState]:
    found = context.storage.slots.pools(now=context.now, default_limit=context.instance.pool_rules.default_limit)
    return {each.pool: each for each in found}


def _unused(context: Context, pool: str) -> PoolState:
    return PoolState(pool=pool, limit=context.instance.pool_rules.default_limit, own_limit=False)


# -- reading -----------------------------------------------------------------------------------------------------------


@_INSTANCE.field
def supports_concurrency_limits(_deployment: Deployment, _: Context) -> bool:
    return True


@_INSTANCE.field
def min_concurrency_limit_value(_deployment: Deployment, _: Context) -> int:
    return 0


@_INSTANCE.field
def max_concurrency_limit_value(_deployment: Deployment, _: Context) -> int:
    return LARGEST_LIMIT


@_INSTANCE.field
def pool_config(_deployment: Deployment, context: Context) -> PoolConfig:
    rules = context.instance.pool_rules
    return PoolConfig(
        pool_granularity=rules.granularity,
        default_pool_limit=rules.default_limit,
        op_granularity_run_buffer=rules.run_buffer,
    )


@_INSTANCE.field
def concurrency_limits(_deployment: Deployment, context: Context) -> list[_Pool]:
    states = _states(context)
    for location in context.catalog.locations.values():
        for name in location.pools:
            states.setdefault(name, _unused(context, name))
    return [_Pool(states[name], states) for name in sorted(states)]


@_INSTANCE.field
def concurrency_limit(_deployment: Deployment, context: Context, concurrency_key: str) -> _Pool:
    states = _states(context)
    return _Pool(states.get(concurrency_key) or _unused(context, concurrency_key), states)


_POOL.rename(
    concurrency_key="state.pool",
    limit="state.limit",
    claimed_slots="state.held",
    pending_steps="pending_steps",
)


@_POOL.field
def using_default_limit(pool: _Pool, _: Context) -> bool:
    return not pool.state.own_limit


@_POOL.field
def slot_count(pool: _Pool, _: Context) -> int:
    return len(pool.state.held) if pool.state.limit is None else pool.state.limit


@_POOL.field
def active_slot_count(pool: _Pool, _: Context) -> int:
    return len(pool.state.held)


@_POOL.field
def active_run_ids(pool: _Pool, _: Context) -> list[str]:
    return _run_ids(pool.state.held)


@_POOL.field
def pending_step_count(pool: _Pool, _: Context) -> int:
    return len(pool.state.waiting)


@_POOL.field
def pending_step_run_ids(pool: _Pool, _: Context) -> list[str]:
    return _run_ids(pool.state.waiting)


def _run_ids(claims: Iterable[PoolClaim]) -> list[str]:
    return list(dict.fromkeys(each.run_id for each in claims))


_HELD.rename(taken_timestamp="taken")
_PENDING.rename(
    run_id="claim.run_id",
    step_key="claim.step_key",
    enqueued_timestamp="claim.since",
    priority="claim.priority",
)


@_PENDING.field
def reason(pending: _Pending, _: Context) -> str:
    """Why it waits; of several pools, the first that is full."""
    claim = pending.claim
    own = [state for state in pending.pools.values() if any(each.owner == claim.owner for each in state.waiting)]
    text = describe_waiting(own, claim.run_id, claim.step_key)
    return f"{text[:1].upper()}{text[1:]}"


@_RUN.field
def pending_steps(run: Run, context: Context) -> list[_Pending]:
    if run.is_finished or run.pools is None:
        return []
    states = _states(context)
    waiting = {
        claim.step_key: claim for state in states.values() for claim in state.waiting if claim.run_id == run.run_id
    }
    return [_Pending(claim, states) for claim in sorted(waiting.values(), key=lambda each: each.order)]


@_RUN.field
def all_pools(run: Run, _: Context) -> list[str]:
    return [] if run.pools is None else list(run.pools.pools)


@_RUN.field
def root_concurrency_keys(run: Run, _: Context) -> list[str]:
    return [] if run.pools is None else sorted(run.pools.first)


@_RUN.field
def has_unconstrained_root_nodes(run: Run, _: Context) -> bool:
    return run.pools is None or run.pools.first_free > 0


@_RUN.field
def has_concurrency_key_slots(run: Run, context: Context) -> bool:
    return run.pools is not None and any(
        claim.run_id == run.run_id for state in _states(context).values() for claim in state.held
    )


# -- changing ----------------------------------------------------------------------------------------------------------


@_MUTATION.named("setConcurrencyLimit", needs=Permission.EDIT_CONCURRENCY)
def set_concurrency_limit(_source: None, context: Context, concurrency_key: str, limit: int) -> bool:
    context.require(Permission.EDIT_CONCURRENCY, None)
    check_limit(concurrency_key, limit)
    context.storage.slots.set_limit(concurrency_key, limit)
    return True


@_MUTATION.named("deleteConcurrencyLimit", needs=Permission.EDIT_CONCURRENCY)
def delete_concurrency_limit(_source: None, context: Context, concurrency_key: str) -> bool:
    context.require(Permission.EDIT_CONCURRENCY, None)
    return context.storage.slots.delete_limit(concurrency_key)


@_MUTATION.named("freeConcurrencySlots", needs=Permission.EDIT_CONCURRENCY)
def free_concurrency_slots(_source: None, context: Context, run_id: str, step_key: str | None = None) -> bool:
    context.require(Permission.EDIT_CONCURRENCY, None)
    return context.storage.slots.free(run_id, step_key, now=context.now) > 0


@_MUTATION.named("freeConcurrencySlotsForRun", needs=Permission.EDIT_CONCURRENCY)
def free_concurrency_slots_for_run(_source: None, context: Context, run_id: str) -> bool:
    return free_concurrency_slots(None, context, run_id)
