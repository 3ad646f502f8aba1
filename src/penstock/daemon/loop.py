"""What every duty of the daemon has in common: when it wakes, and what happens when it fails.

A duty, or each part of one that is divided, is done by one daemon at a time: the one that holds its lease.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from typing import Protocol

import msgspec

from ..clock import SYSTEM_CLOCK, Clock
from ..errors import FencedError, StorageError
from ..storage.notifier import ROUTINE, Notifier
from .keeper import Held, LeaseKeeper, parts_of

__all__ = ["Duty", "Loop", "Pause", "Waker"]

log = logging.getLogger("penstock.daemon")

_LONGEST_PAUSE = 30.0
_LOOK_AGAIN = 10.0
"""A duty looks again after so many seconds also when nothing wakes it: what is pushed is a hint."""

_LONG = 60.0
"""A look of so many seconds is told: what waits for other processes is done beside it, so that something hangs."""


class Duty(Protocol):
    """One thing that the daemon sees to."""

    @property
    def name(self) -> str:
        """Its lease's name, for example `queue`."""
        ...

    @property
    def parts(self) -> int:
        """Into how many parts its work is divided among daemons; 1 if it is not."""
        ...

    @property
    def topics(self) -> frozenset[str]:
        """What wakes it."""
        ...

    def tick(self, held: Held) -> float | None:
        """Do what there is to do now of the parts that are ours; gives the seconds until it wants to look again (None:
        when woken)."""
        ...

    def close(self) -> None:
        """Stop what is under way."""
        ...


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """What comes after a step: so many seconds, cut short by what wakes the duty, or (after a failure) not."""

    seconds: float
    wakes: bool = True


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

    def wake_all(self) -> None:
        """Let every loop look again."""
        for _, event in self._listeners:
            event.set()

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
        self.wake_all()


class Loop(threading.Thread):
    """Does one duty for as long as parts of it are ours.

    Args:
        duty: The duty.
        keeper: Knows which parts are ours.
        woken: Set when the duty should look again.
        stopping: Set when the process ends.
        jitter: Gives a factor for the pause after a failure, so that daemons do not come back all at once.
        clock: Measures how long a look takes.
    """

    def __init__(
        self,
        duty: Duty,
        keeper: LeaseKeeper,
        woken: threading.Event,
        stopping: threading.Event,
        jitter: Callable[[], float] = lambda: random.uniform(0.7, 1.3),  # noqa: S311 - guards nothing
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        super().__init__(name=duty.name, daemon=True)
        self._duty = duty
        self._keeper = keeper
        self._names = parts_of(duty.name, duty.parts)
        self._woken = woken
        self._stopping = stopping
        self._jitter = jitter
        self._clock = clock
        self._began: float | None = None
        self._failures = 0
        self.error: Exception | None = None
        keeper.watch(self._names)

    def share(self) -> str | None:
        """What of the duty is ours, in words: `queue`, `sensors 3/8`; None if nothing is."""
        ours = len(self._keeper.held(self._names))
        if not ours:
            return None
        return self._duty.name if len(self._names) == 1 else f"{self._duty.name} {ours}/{len(self._names)}"

    def trouble(self) -> str | None:
        """What is wrong with the duty, in words; None if nothing is. May be asked from any thread."""
        began, error = self._began, self.error
        if began is not None and (seconds := self._clock.monotonic() - began) > _LONG:
            return f"{self._duty.name}: one look has taken {seconds:.0f} s and has not ended (see its log)"
        return None if error is None else f"{self._duty.name}: {error}"

    def run(self) -> None:
        """Step after step until the process ends."""
        while not self._stopping.is_set():
            self._woken.clear()
            pause = self.step()
            # What woke us for the last time may have been cleared above.
            if not self._stopping.is_set():
                (self._woken if pause.wakes else self._stopping).wait(pause.seconds)

    def step(self) -> Pause:
        """Tick once, if anything is ours; after failures in a row the pauses grow."""
        self._began = self._clock.monotonic()
        try:
            held = self._keeper.held(self._names)
            wanted = self._duty.tick(held) if held else None
        except FencedError as error:
            log.warning("%s: %s", self._duty.name, error)
            return Pause(seconds=_LOOK_AGAIN)  # whoever keeps the leases will find out, and wake us
        except Exception as error:
            self._failures += 1
            self.error = error
            seconds = min(_LONGEST_PAUSE, 0.5 * 2**self._failures) * self._jitter()
            if isinstance(error, StorageError):
                log.warning("%s: %s; again in %.0f s", self._duty.name, error, seconds)
            else:
                log.exception("%s failed; again in %.0f s", self._duty.name, seconds)
            return Pause(seconds=seconds, wakes=False)
        finally:
            self._began = None
        self._failures = 0
        self.error = None
        return Pause(seconds=_LOOK_AGAIN if wanted is None else min(wanted, _LOOK_AGAIN))
