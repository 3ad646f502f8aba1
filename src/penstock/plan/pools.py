"""Which pools a run uses, from the steps of its plan or from their description."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ..records.pool import PoolNeed

__all__ = ["pools_needed"]


def pools_needed(steps: Iterable[tuple[str | None, bool]]) -> PoolNeed | None:
    """What a run needs of pools; None if it uses none.

    Args:
        steps: Of each of its steps, the pool that it is in, if any; and whether it waits for no other step.
    """
    found = list(steps)
    pools = {pool for pool, _ in found if pool}
    if not pools:
        return None
    first = Counter(pool for pool, is_first in found if is_first and pool)
    free = sum(is_first and not pool for pool, is_first in found)
    return PoolNeed(pools=tuple(sorted(pools)), first=dict(first), first_free=free)
