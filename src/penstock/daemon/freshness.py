"""Duty: keep how fresh assets with a freshness policy are, and tell when that changes.

An asset turns when it is made, which the event log tells, or by time alone, at an instant that follows from its policy.
So it is looked at once at the beginning, and then when it turns; no look goes over all assets.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from ..clock import Clock
from ..engine.freshness import freshness_of, made_at, turns_at
from ..locations.catalog import Catalog
from ..records.event import FreshnessStateChange
from ..records.freshness_state import FreshnessState
from ..storage.log_pages import pages_of_types
from ..storage.protocols import Storage

if TYPE_CHECKING:
    from ..records.location import AssetDescription
    from .keeper import Held, Part

__all__ = ["FreshnessDuty"]

_TYPES = ("ASSET_MATERIALIZATION", "ASSET_OBSERVATION", "ASSET_WIPED")
_PAGE = 1_000


class FreshnessDuty:
    """Begins anew with all assets when code or shares change, and after a failure.

    Args:
        storage: Tells when assets were made, and keeps how fresh they are.
        catalog: What the code locations define.
        clock: Tells the time.
    """

    name = "freshness"
    parts = 8
    topics = frozenset({"assets", "locations"})

    def __init__(self, storage: Storage, catalog: Catalog, clock: Clock) -> None:
        self._storage = storage
        self._catalog = catalog
        self._clock = clock
        self._epochs: Mapping[str, int] | None = None
        self._looked = 0.0
        self._assets: Mapping[str, AssetDescription] = {}
        self._ours: dict[str, AssetDescription] = {}
        self._place = 0
        self._told: dict[str, FreshnessState] = {}
        self._turn_of: dict[str, float] = {}
        self._turns: list[tuple[float, str]] = []  # of an asset that was made again, an earlier instant may be there
        self._queued: dict[str, float] = {}

    def tick(self, held: Held) -> float | None:
        """Look at the assets that may have turned; gives the seconds until the next one does by itself."""
        self._catalog.refresh()
        now = self._clock.now()
        known, self._epochs = self._epochs, None  # if anything fails, the next look begins anew
        if known != held.epochs or self._assets is not self._catalog.assets or now < self._looked:
            self._begin(held)
            turned: Collection[str] = self._ours
        else:
            turned = {*self._happened(), *self._due(now)}
        if turned:
            self._judge(turned, held, now)
        self._epochs, self._looked = held.epochs, now
        return max(0.0, self._turns[0][0] - now) if self._turns else None

    def close(self) -> None:
        """Nothing is under way between two ticks."""

    def _begin(self, held: Held) -> None:
        self._assets = self._catalog.assets
        self._ours = {
            key: asset
            for key, asset in self._assets.items()
            if asset.freshness is not None and held.part_of(key) is not None
        }
        self._turns.clear()
        self._turn_of.clear()
        self._queued.clear()
        if self._ours:
            self._place = self._storage.events.last_id()
            rows = self._storage.assets.freshness(list(self._ours))
            self._told = {key: row.state for key, row in rows.items()}

    def _happened(self) -> Iterable[str]:
        """Those of ours that were made, observed or wiped since the last look."""
        found: set[str] = set()
        types = _TYPES if self._ours else ()
        for page in pages_of_types(self._storage.events, types, after=self._place, limit=_PAGE):
            found.update(key.to_user_string() for each in page if (key := each.event.asset_key) is not None)
            self._place = page[-1].id
        return found & self._ours.keys()

    def _due(self, now: float) -> Iterable[str]:
        """Those that turn by now."""
        while self._turns and self._turns[0][0] <= now:
            instant, key = heapq.heappop(self._turns)
            if self._queued.get(key) == instant:
                del self._queued[key]
                if self._turn_of.get(key, math.inf) <= now:
                    yield key
                else:
                    self._queue(key)

    def _queue(self, key: str) -> None:
        """Have an asset looked at when it turns: an earlier instant that is noted already serves, too."""
        turn = self._turn_of.get(key)
        if turn is not None and turn < self._queued.get(key, math.inf):
            self._queued[key] = turn
            heapq.heappush(self._turns, (turn, key))

    def _judge(self, keys: Collection[str], held: Held, now: float) -> None:
        states = self._storage.assets.states(list(keys))
        changes: dict[Part, list[FreshnessStateChange]] = {}
        for key in keys:
            asset = self._ours[key]
            assert asset.freshness is not None
            made = made_at(states.get(key), materializable=asset.materializable)
            turn = turns_at(asset.freshness, made, now)
            if turn is None:
                self._turn_of.pop(key, None)
            else:
                self._turn_of[key] = turn
                self._queue(key)
            state, before = freshness_of(asset.freshness, made, now), self._told.get(key, FreshnessState.UNKNOWN)
            part = held.part_of(key)
            if state is not before and part is not None:
                changes.setdefault(part, []).append(FreshnessStateChange(asset=key, state=state, previous=before))
                self._told[key] = state
        for part, several in changes.items():
            with part.used() as lease:
                self._storage.assets.turn_freshness(several, lease=lease, now=now)
