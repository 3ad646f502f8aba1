"""Which daemon does what: an even share of the parts of each duty, and nothing that another one holds."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import msgspec

from ..records.lease import Lease

__all__ = ["Shares", "share_out"]


class Shares(msgspec.Struct, frozen=True, kw_only=True):
    """What one daemon should do next: names of leases to take, and of its own to give up, in this order."""

    take: tuple[str, ...] = ()
    give: tuple[str, ...] = ()


def share_out(
    parts: Sequence[str],
    leases: Mapping[str, Lease],
    *,
    me: str,
    others: Collection[str],
    now: float,
    beyond: float = math.inf,
) -> Shares:
    """Look at parts of equal weight, each under its own lease.

    A daemon takes free parts until it has its share, which is the number of parts over the number of daemons, rounded
    up, and gives up what it has beyond that. All shares together cover all parts, so that none stays free while a
    daemon lives. Each begins at another part, so that daemons that start together do not reach for the same ones.

    Args:
        parts: Names of the parts' leases.
        leases: Those that are held, by name; one whose time is over counts as free.
        me: This daemon.
        others: The other daemons that live.
        now: Seconds since the epoch.
        beyond: A lease that lasts longer than to this time counts as free too: it was taken before the clock was set
            back, and its holder has not been heard of since.
    """
    daemons = sorted({me, *others})
    share = -(-len(parts) // len(daemons))
    held = {
        name: lease.holder for name in parts if (lease := leases.get(name)) is not None and now < lease.until <= beyond
    }
    mine = [name for name in parts if held.get(name) == me]
    if len(mine) >= share:
        return Shares(give=tuple(mine[share:]))
    first = daemons.index(me) * share
    turned = [*parts[first:], *parts[:first]]
    free = [name for name in turned if name not in held]
    return Shares(take=tuple(free[: share - len(mine)]))
