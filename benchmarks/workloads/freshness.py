"""Looks of the daemon's duty for freshness at many assets with a policy: `freshness.py window|cron COUNT`.

Prints CPU seconds of each look, and of what it stores.
"""

from __future__ import annotations

import gc
import json
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from penstock.codec import encode_json
from penstock.daemon.freshness import FreshnessDuty
from penstock.daemon.keeper import Held, Part, parts_of
from penstock.instance.instance import Instance
from penstock.locations.catalog import Catalog
from penstock.records.event import AssetMaterialization
from penstock.records.freshness import AnyFreshnessPolicy, FreshnessPolicy
from penstock.records.location import AssetDescription, LocationDescription
from penstock.records.wire import LoadStatus
from penstock.storage.protocols import StoredLocation
from penstock.testing.clock import FakeClock

START = 1_767_261_600.0  # 2026-01-01T10:00 UTC
POLICIES: dict[str, AnyFreshnessPolicy] = {
    "window": FreshnessPolicy.time_window(fail_window=timedelta(hours=24), warn_window=timedelta(hours=12)),
    "cron": FreshnessPolicy.cron(deadline_cron="0 9 * * *", lower_bound_delta=timedelta(hours=4)),
}


class House:
    """A storage with described assets, and the duty with all its parts."""

    def __init__(self, folder: Path, kind: str, count: int) -> None:
        self.clock = FakeClock(START)
        self.storage = Instance.open(folder).storage
        assets = tuple(
            AssetDescription(key=f"a{number}", freshness=POLICIES[kind], op=f"a{number}") for number in range(count)
        )
        self.storage.locations.put(
            StoredLocation(
                name="here",
                status=LoadStatus.LOADED,
                digest="1",
                description=encode_json(LocationDescription(name="here", assets=assets)),
                updated=START,
            )
        )
        catalog = Catalog(self.storage.locations)
        catalog.refresh()
        self.duty = FreshnessDuty(self.storage, catalog, self.clock)
        names = parts_of("freshness", 8)
        leases = [self.storage.leases.acquire(name, "bench", ttl=1e9, now=START) for name in names]
        self.held = Held(names, {each.name: Part(each) for each in leases if each is not None})

    def make(self, *assets: str) -> None:
        """These assets are made."""
        self.storage.assets.report([AssetMaterialization(asset=each) for each in assets], now=self.clock.now())

    def look(self, name: str) -> None:
        """One look; prints what it cost."""
        place = self.storage.events.last_id()
        begun = time.process_time()
        wait = self.duty.tick(self.held)
        seconds = time.process_time() - begun
        told = self.storage.events.last_id() - place
        print(json.dumps({"look": name, "seconds": round(seconds, 4), "told": told, "wait": wait}), flush=True)


def main() -> None:
    """Measure once."""
    kind, count = sys.argv[1], int(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder), kind, count)
        everything = [f"a{number}" for number in range(count)]
        house.look("first, nothing was made")
        house.make(*everything)
        house.look("all were made")
        gc.collect()
        house.look("nothing has happened")
        house.clock.advance(60)
        house.make("a7")
        house.look("one was made")
        house.clock.advance(60)
        house.make(*everything[:100])
        house.look("100 were made")
        house.clock.advance(86_400)
        house.look("all turn")
        house.duty._epochs = None
        house.look("another daemon takes over")


if __name__ == "__main__":
    main()
