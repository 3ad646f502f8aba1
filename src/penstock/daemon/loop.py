"""What every duty of the daemon has in common: its lease, when it wakes, and what happens when it fails.

A duty is done by one daemon at a time, the one that holds its lease. The lease is renewed by the `LeaseKeeper`, not by
the work, so that slow work keeps it and a stopped process loses it; what a duty writes names the lease's epoch.
"""

from __future__ import annotations

import logging
import random
import threading
from typing import Protocol

from ..clock import Clock
from ..errors import FencedError, StorageError
from ..records.lease import Lease
from ..storage.notifier import ROUTINE, Notifier
from ..storage.protocols import LeaseStorage

__all__ = ["LEASE_SECONDS", "RENEW_SECONDS", "Duty", "LeaseKeeper", "Loop", "Waker"]

log = logging.getLogger("penstock.daemon")

LEASE_SECONDS = 10.0
"""How long a duty stays with a daemon that is no longer heard of."""

RENEW_SECONDS = LEASE_SECONDS / 4
"""How long between two renewals of the leases that we hold."""

_LONGEST_PAUSE = 30.0


class Duty(Protocol):
    """One thing that the daemon sees to."""

    @property
    def name(self) -> str:
        """Its lease's name, for example `queue`."""
        ...

    @property
    def topics(self) -> frozenset[str]:
        """What wakes it."""
        ...

    def tick(self, lease: Lease) -> float | None:
        """Do what there is to do now; gives the seconds until it wants to look again (None: when woken)."""
        ...

    def close(self) -> None:
        """Stop what is under way."""
        ...


class LeaseKeeper:
    """Takes and renews the leases of this process's duties, in one thread."""

    def __init__(self, leases: LeaseStorage, holder: str, clock: Clock) -> None:
        self._leases = leases
        self._clock = clock
        self._held: dict[str, Lease] = {}
        self._lock = threading.Lock()
        self.holder = holder

    def acquire(self, name: str) -> Lease | None:
        """The lease of that name if it is ours or free."""
        with self._lock:
            held = self._held.get(name)
            if held is not None and held.until > self._clock.now():
                return held
            lease = self._leases.acquire(name, self.holder, ttl=LEASE_SECONDS, now=self._clock.now())
            if lease is None:
                self._held.pop(name, None)
            else:
                self._held[name] = lease
            return lease

    def renew_all(self) -> None:
        """Prolong every lease that we hold; one that has passed to another is let go of."""
        with self._lock:
            for name, lease in list(self._held.items()):
                renewed = self._leases.renew(lease, ttl=LEASE_SECONDS, now=self._clock.now())
                if renewed is None:
                    log.warning("the duty %s has passed to another daemon", name)
                    del self._held[name]
                else:
                    self._held[name] = renewed

    def lost(self, name: str) -> None:
        """Forget a lease whose holder was refused."""
        with self._lock:
            self._held.pop(name, None)

    def held(self) -> tuple[str, ...]:
        """Names of the duties that are ours now."""
        now = self._clock.now()
        with self._lock:
            return tuple(sorted(name for name, lease in self._held.items() if lease.until > now))

    def release_all(self) -> None:
        """Give every lease up, so that another daemon goes on at once."""
        with self._lock:
            for lease in self._held.values():
                self._leases.release(lease)
            self._held.clear()


class Waker(threading.Thread):
    """Reads what is published and wakes the loops that listen to it."""

    def __init__(self, notifier: Notifier) -> None:
        super().__init__(name="waker", daemon=True)
        self._notifier = notifier
        self._subscription = notifier.subscribe()
        self._listeners: list[tuple[frozenset[str], threading.Event]] = []
        self._stopping = threading.Event()

    def listen(self, topics: frozenset[str]) -> threading.Event:
        """An event that is set whenever one of the topics is published."""
        event = threading.Event()
        self._listeners.append((topics, event))
        return event

    def run(self) -> None:
        """Wake until stopped."""
        while not self._stopping.is_set():
            published = self._subscription.wait(5.0)
            for topics, event in self._listeners:
                if "*" in published or topics & published:
                    event.set()
        self._subscription.close()

    def stop(self) -> None:
        """End the thread and wake everybody for the last time."""
        self._stopping.set()
        self._notifier.publish([ROUTINE])
        for _, event in self._listeners:
            event.set()


class Loop(threading.Thread):
    """Does one duty for as long as its lease is ours."""

    def __init__(self, duty: Duty, keeper: LeaseKeeper, woken: threading.Event, stopping: threading.Event) -> None:
        super().__init__(name=duty.name, daemon=True)
        self._duty = duty
        self._keeper = keeper
        self._woken = woken
        self._stopping = stopping
        self.error: Exception | None = None

    def run(self) -> None:
        """Tick, wait to be woken, and pause longer after each failure in a row."""
        failures = 0
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                lease = self._keeper.acquire(self._duty.name)
                pause = LEASE_SECONDS / 2 if lease is None else self._duty.tick(lease)
                failures = 0
                self.error = None
            except FencedError:
                self._keeper.lost(self._duty.name)
                pause = LEASE_SECONDS / 2
            except Exception as error:
                failures += 1
                self.error = error
                pause = min(_LONGEST_PAUSE, 0.5 * 2**failures) * random.uniform(0.7, 1.3)  # noqa: S311 - only jitter
                if isinstance(error, StorageError):
                    log.warning("%s: %s; again in %.0f s", self._duty.name, error, pause)
                else:
                    log.exception("%s failed; again in %.0f s", self._duty.name, pause)
                self._stopping.wait(pause)
                continue
            if not self._stopping.is_set():  # what woke us for the last time may have been cleared above
                self._woken.wait(LEASE_SECONDS if pause is None else min(pause, LEASE_SECONDS))
