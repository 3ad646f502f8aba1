"""Whose turn it is for the slots of pools. Pure, shared by every store, which calls it inside of its transaction.

Those that wait are gone through in the order of their turn: higher priority first, then who has waited longer. Each
one's slots are kept for it, whether it can take them now or not, so that no stream of later ones passes it by.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

__all__ = ["Claimant", "allot"]


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
