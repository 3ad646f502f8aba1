"""Which parts of the daemon's work are ours: their leases, taken, prolonged and given up in one place.

Leases are prolonged by the `LeaseKeeper`, not by the work, so that slow work keeps them and a stopped process loses
them; what a duty writes names its lease's epoch. With several daemons each has an even share, and the share of one that
is no longer heard of passes to the others as soon as its leases are over.
"""

from __future__ import annotations

import logging
import math
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from ..clock import Clock
from ..engine.shares import share_out
from ..records.lease import Lease, ProcessInfo
from ..storage.protocols import FAR, LeaseStorage

__all__ = ["LEASE_SECONDS", "LOOK_SECONDS", "Held", "LeaseKeeper", "Part", "parts_of"]

log = logging.getLogger("penstock.daemon")

LEASE_SECONDS = 4.0
"""How long work stays with a daemon that is no longer heard of."""

LOOK_SECONDS = LEASE_SECONDS / 4
"""How long between two looks, each of which prolongs what we hold."""

_SOON = 0.02
"""A lease of another daemon is looked at so long after its end."""

_MISSED = 0.1
"""Who has reached for the same as another daemon, and has come too late, looks for the rest so much later."""


class Part:
    """A part of a duty that this daemon has, for as long as `lease` says."""

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self._users = 0
        self._lock = threading.Lock()

    @property
    def is_used(self) -> bool:
        """Whether work under its lease is under way."""
        with self._lock:
            return self._users > 0

    @contextmanager
    def used(self) -> Iterator[Lease]:
        """Work under its lease: meanwhile the part is not given up of our own accord."""
        with self._lock:
            self._users += 1
        try:
            yield self.lease
        finally:
            with self._lock:
                self._users -= 1


class Held:
    """The parts of one duty that are ours at the moment.

    Args:
        names: The leases of all parts, in order.
        parts: Ours, by name.
        steady_since: Since when this daemon has been at work without a break and the database has answered it, in
            seconds since the epoch: what happened before, it may not know.
    """

    def __init__(self, names: Sequence[str], parts: Mapping[str, Part], steady_since: float = -math.inf) -> None:
        self._names = names
        self._parts = parts
        self.steady_since = steady_since

    def __len__(self) -> int:
        return len(self._parts)

    @property
    def parts(self) -> tuple[Part, ...]:
        """All of ours."""
        return tuple(self._parts.values())

    @property
    def lease(self) -> Lease:
        """The lease of a duty that is not divided."""
        (part,) = self._parts.values()
        return part.lease

    @property
    def epochs(self) -> Mapping[str, int]:
        """The epochs of our leases by name: one is another when somebody else had the part in between."""
        return {name: part.lease.epoch for name, part in self._parts.items()}

    def part_of(self, key: str) -> Part | None:
        """The part that a thing of this name belongs to, if that is ours; all daemons agree which one it is."""
        return self._parts.get(self._names[zlib.crc32(key.encode()) % len(self._names)])


def parts_of(duty: str, number: int) -> tuple[str, ...]:
    """The names of the leases of a duty that is divided into so many parts."""
    return (duty,) if number == 1 else tuple(f"{duty}/{index}" for index in range(number))


class LeaseKeeper:
    """Holds this process's leases. `look()` is to be called by one thread, again and again.

    Args:
        leases: Where they are stored.
        me: The holder's name, and the process as it tells of itself.
        clock: Tells the time.
        changed: Called after what we hold has changed.
    """

    def __init__(self, leases: LeaseStorage, me: str, clock: Clock, changed: Callable[[], None] = lambda: None) -> None:
        self.holder = me
        self._leases = leases
        self._clock = clock
        self._changed = changed
        self._groups: list[tuple[str, ...]] = [()]
        self._parts: dict[str, Part] = {}
        self._looked = -math.inf
        self._steady_since = math.inf
        self._lock = threading.Lock()

    def watch(self, names: tuple[str, ...]) -> None:
        """Take part in a duty. The parts of a divided one, and all undivided duties together, are shared evenly."""
        if len(names) == 1:
            self._groups[0] += names
        else:
            self._groups.append(names)

    def held(self, names: Sequence[str]) -> Held:
        """Those of these parts that are ours now."""
        now = self._clock.now()
        with self._lock:
            found = {name: self._parts[name] for name in names if name in self._parts}
        ours = {name: part for name, part in found.items() if part.lease.until > now}
        return Held(names, ours, self._steady_since)

    def look(self, sign_of_life: Callable[[float], ProcessInfo]) -> float:
        """Prolong what is ours, tell that we live, take and give up what is due; gives the seconds until the next look.

        Args:
            sign_of_life: How this process tells of itself at a time. That is the one from which its leases last: so it
                counts no longer than these, and all that it had is shared out with the first look after their end.

        Raises:
            StorageError: The database does not answer. What is ours stays so until its time is over.
        """
        now = self._clock.now()
        before = set(self._parts)
        if not 0 <= now - self._looked <= LEASE_SECONDS:
            self._steady_since = now
        self._prolong(now)
        held = {lease.name: lease for lease in self._leases.all()}
        daemons = {
            each.id
            for each in self._leases.processes(seen_after=now - LEASE_SECONDS)
            if each.kind == "daemon" and each.seen < now + LEASE_SECONDS  # not before the clock was set back
        }
        others = daemons - {self.holder}
        missed = False
        for group in self._groups:
            shares = share_out(group, held, me=self.holder, others=others, now=now, beyond=now + FAR * LEASE_SECONDS)
            for name in shares.give:
                self._give_up(name)
            for name in shares.take:
                missed |= not self._take(name, now)
        if set(self._parts) != before:
            self._changed()
        self._leases.beat(sign_of_life(now))
        self._looked = now
        ends = [lease.until for lease in held.values() if lease.holder != self.holder and lease.until > now]
        next_look = min([now + (_MISSED if missed else LOOK_SECONDS), *(end + _SOON for end in ends)])
        return min(LOOK_SECONDS, max(0.0, next_look - self._clock.now()))

    def _prolong(self, now: float) -> None:
        with self._lock:
            parts = dict(self._parts)
        if not parts:
            return
        kept = {
            lease.name: lease
            for lease in self._leases.renew([part.lease for part in parts.values()], ttl=LEASE_SECONDS, now=now)
        }
        with self._lock:
            for name, part in parts.items():
                if name in kept:
                    part.lease = kept[name]
                else:
                    log.warning("%s has passed to another daemon", name)
                    del self._parts[name]

    def _take(self, name: str, now: float) -> bool:
        """Take a lease; False if another daemon was quicker."""
        lease = self._leases.acquire(name, self.holder, ttl=LEASE_SECONDS, now=now)
        if lease is not None:
            with self._lock:
                self._parts[name] = Part(lease)
        return lease is not None

    def _give_up(self, name: str) -> None:
        with self._lock:
            part = self._parts.get(name)
            if part is None or part.is_used:
                return  # at the next look, when its work may be done
            del self._parts[name]
        self._leases.release(part.lease)

    def release_all(self) -> None:
        """Give everything up, so that another daemon goes on at once."""
        with self._lock:
            parts, self._parts = list(self._parts.values()), {}
        for part in parts:
            self._leases.release(part.lease)
        self._leases.gone(self.holder)
