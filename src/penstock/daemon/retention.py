"""Duty: remove what is too old, a little at a time, and tell what there is."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Sequence

from msgspec.structs import replace

from ..clock import Clock
from ..engine.retention import Rule, amount_of
from ..instance.retention import Sweeper, store_report
from ..records.retention import Cut, RetentionKind, RetentionReport
from ..storage.protocols import Storage
from .keeper import Held

__all__ = ["RetentionDuty"]

log = logging.getLogger("penstock.daemon.retention")

_LOOK_EVERY = 3600.0


class RetentionDuty:
    """Looks once an hour, and goes on in small steps with pauses while there is more to remove.

    It keeps nothing that a successor would need: what is too old is found by its age, so a daemon that takes over
    looks, and goes on where the other one was.

    Args:
        sweeper: Finds and removes it.
        rules: How long each kind is kept.
        storage: Where the report is stored.
        clock: Tells the time.
    """

    name = "retention"
    parts = 1
    topics = frozenset[str]()

    def __init__(self, sweeper: Sweeper, rules: Sequence[Rule], storage: Storage, *, clock: Clock) -> None:
        self._sweeper = sweeper
        self._rules = rules
        self._storage = storage
        self._clock = clock
        self._due = clock.monotonic()
        self._left: list[Cut] = []
        self._removed: dict[RetentionKind, int] = {}
        self._looked = 0.0

    def tick(self, _held: Held) -> float | None:
        """Look if it is time to, or make one more step."""
        if not self._left:
            now = self._clock.monotonic()
            if now < self._due:
                return self._due - now
            self._look()
        rest = self._step(self._left[0]) if self._left else 0.0
        if self._left:
            return rest
        self._tell(done=True)
        self._due = self._clock.monotonic() + _LOOK_EVERY
        return _LOOK_EVERY

    def _look(self) -> None:
        self._looked = self._clock.now()
        self._removed.clear()
        self._left = self._sweeper.cuts(self._rules, self._looked)
        self._tell(done=False)

    def _step(self, cut: Cut) -> float:
        removed, rest = self._sweeper.step(cut)
        self._removed[cut.kind] = self._removed.get(cut.kind, 0) + removed.rows
        if not removed.more:
            self._left.pop(0)
            if self._removed[cut.kind] and all(each.kind is not cut.kind for each in self._left):
                day = datetime.datetime.fromtimestamp(cut.before, datetime.UTC).date()
                log.info("removed %s from before %s", amount_of(cut.kind, self._removed[cut.kind]), day)
        return rest

    def _tell(self, *, done: bool) -> None:
        kinds = tuple(
            replace(each, removed=self._removed.get(each.kept.kind, 0))
            for each in self._sweeper.report(self._rules, self._clock.now())
        )
        store_report(
            self._storage,
            RetentionReport(looked=self._looked, done=self._clock.now() if done else None, kinds=kinds),
        )

    def close(self) -> None:
        """Nothing is under way between two ticks."""
