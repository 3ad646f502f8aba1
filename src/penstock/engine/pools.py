"""The rules of concurrency pools that hold for a whole instance, and what they mean for runs that wait in the queue.

A run is held back in the queue while it could do nothing but wait for slots; whoever is launched claims them itself, so
the queue spares runs a start in vain, and no limit rests on it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec

from ..errors import ConfigurationError
from ..records.pool import LARGEST_LIMIT, PoolState, describe_full
from ..records.run import Run, RunStatus

__all__ = ["Granularity", "PoolRoom", "PoolRules", "check_limit", "room_of"]

Granularity: TypeAlias = Literal["op", "run"]
"""Who holds a slot: each step while it runs, or the run from its first step to its end, one in each pool that its steps
are in."""


class PoolRules(msgspec.Struct, frozen=True, kw_only=True):
    """What the settings say of pools.

    Args:
        default_limit: The limit of pools without one of their own; None for no limit.
        granularity: Who holds a slot.
        holds_runs: Whether runs that could do nothing but wait for slots are held back in the queue.
        run_buffer: So many more steps may wait for a pool in runs that are launched; with granularity `run` it is of no
            effect.
    """

    default_limit: int | None = None
    granularity: Granularity = "op"
    holds_runs: bool = True
    run_buffer: int = 0


def check_limit(pool: str, slots: int) -> None:
    """Refuse what can be no limit of a pool.

    Raises:
        ConfigurationError: The name is empty, or the number is out of range.
    """
    if not pool.strip():
        raise ConfigurationError("A pool needs a name; give the one that ops and assets have as `pool`.")
    if not 0 <= slots <= LARGEST_LIMIT:
        raise ConfigurationError(
            f'The pool "{pool}" cannot have {slots} slots; set a limit from 0 to {LARGEST_LIMIT}, or delete the one '
            "that it has."
        )


class PoolRoom:
    """How much room pools have for further runs, as runs are given it.

    Args:
        rules: The rules in force.
        states: The pools that have a limit of their own, or that somebody claims.
        coming: Runs that are on their way and have claimed nothing yet, or (granularity `run`) all active runs.
    """

    def __init__(self, rules: PoolRules, states: Mapping[str, PoolState], coming: Iterable[Run]) -> None:
        self._rules = rules
        self._states = states
        self._taken: Counter[str] = Counter()
        if rules.granularity == "op":
            self._taken.update({name: len(each.held) + len(each.waiting) for name, each in states.items()})
        for run in coming:
            self.take(run)

    def take(self, run: Run) -> None:
        """Count a run that is launched."""
        if run.pools is None:
            return
        if self._rules.granularity == "run":
            self._taken.update(run.pools.pools)
        else:
            self._taken.update(run.pools.first)

    def blocks(self, run: Run) -> str | None:
        """The pool that keeps a run from doing anything, in words; None if it may be launched."""
        if run.pools is None or not self._rules.holds_runs:
            return None
        if self._rules.granularity == "run":
            full = [pool for pool in run.pools.pools if self._is_full(pool, 0)]
        elif run.pools.first_free or not run.pools.first:
            return None
        else:
            full = [pool for pool in sorted(run.pools.first) if self._is_full(pool, self._rules.run_buffer)]
            if len(full) < len(run.pools.first):
                return None
        return self._words(full[0]) if full else None

    def _limit(self, pool: str) -> int | None:
        state = self._states.get(pool)
        return self._rules.default_limit if state is None else state.limit

    def _is_full(self, pool: str, buffer: int) -> bool:
        limit = self._limit(pool)
        return limit is not None and self._taken[pool] >= limit + buffer

    def _words(self, pool: str) -> str:
        state = self._states.get(pool)
        if state is not None and state.is_full:
            return f"the pool {pool}: {describe_full(state)}"
        return f"the pool {pool}: runs before it need its {self._limit(pool)} slots"


def room_of(rules: PoolRules, states: Sequence[PoolState], active: Sequence[Run]) -> PoolRoom:
    """The room that pools have beside the active runs.

    Args:
        rules: The rules in force.
        states: The pools as they are stored.
        active: The active runs.
    """
    by_name = {each.pool: each for each in states}
    if rules.granularity == "run":
        return PoolRoom(rules, by_name, active)
    claiming = {claim.run_id for each in states for claim in (*each.held, *each.waiting)}
    coming = [run for run in active if run.status is RunStatus.STARTING and run.run_id not in claiming]
    return PoolRoom(rules, by_name, coming)
