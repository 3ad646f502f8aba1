"""Ticks of automation over many assets, as a deployment does them: evaluated in a fork, and stored by the daemon.

Prints CPU seconds of both for each tick: `automation.py eager|partitioned|cron COUNT`. The assets are chains of ten;
the first of every other chain depends on one asset that all of these have in common.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import tempfile
import threading
import time
import traceback
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import penstock as ps
from penstock.codec import decode_json, encode_json
from penstock.daemon.event_watch import EventWatch
from penstock.daemon.keeper import Held, Part, parts_of
from penstock.daemon.places import Places
from penstock.daemon.sensors import SensorsDuty
from penstock.daemon.ticks import TickRunner
from penstock.definitions.describe import describe
from penstock.execution.evaluate import evaluate_sensor
from penstock.instance.instance import Instance
from penstock.launch.coordinators import QueuedRunCoordinator
from penstock.locations.catalog import Catalog
from penstock.plan.automation import prepared_graph
from penstock.records.automation import InstigatorKind, InstigatorStatus, instigator_id
from penstock.records.event import AssetMaterialization
from penstock.records.wire import EvaluateSensor, Evaluation, LoadStatus
from penstock.storage.protocols import StoredLocation
from penstock.testing.clock import FakeClock

CHAIN = 10
START = 1_767_261_600.0  # 2026-01-01T10:00 UTC
SENSOR = "default_automation_condition_sensor"
DAYS = ps.DailyPartitionsDefinition("2023-01-01")


def declared(kind: str, count: int) -> ps.Definitions:
    """So many assets."""
    options: dict[str, Any] = {"automation_condition": ps.AutomationCondition.eager()}
    if kind == "cron":
        options = {"automation_condition": ps.AutomationCondition.on_cron("0 * * * *")}
    if kind == "partitioned":
        options["partitions_def"] = DAYS

    @ps.asset(partitions_def=options.get("partitions_def"))
    def hub() -> None: ...

    assets = [hub]
    for index in range(count):
        chain, place = divmod(index, CHAIN)
        deps = [f"a{index - back}" for back in (1, 2, 3) if back <= place]
        if place == 0 and chain % 2 == 0:
            deps = ["hub"]

        @ps.asset(name=f"a{index}", deps=deps, **options)
        def made() -> None: ...

        assets.append(made)
    return ps.Definitions(assets=assets)


class AtOnce(Executor):
    """Does everything where it is asked to."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Do it."""
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class Forks:
    """A code server without a server: each evaluation is a fork of this process."""

    def __init__(self, definitions: ps.Definitions, instance: Instance, clock: FakeClock) -> None:
        self._definitions = definitions
        self._graph = prepared_graph(definitions.resolved)
        self._instance = instance
        self._clock = clock
        self.fork_seconds = 0.0
        self.answer = Evaluation()
        self.sent = 0

    def evaluate(self, work: EvaluateSensor) -> Evaluation:
        """As `locations/evaluations.py` has it done."""
        ours, theirs = os.pipe()
        child = os.fork()
        if not child:
            try:
                gc.disable()  # as a zygote has it
                os.close(ours)
                with os.fdopen(theirs, "wb") as out:
                    out.write(encode_json(self._evaluated(work)))
            except BaseException:  # noqa: BLE001 - this process ends here, whatever it is
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        os.close(theirs)
        with os.fdopen(ours, "rb") as answer:
            data = answer.read()
        _, status, used = os.wait4(child, 0)
        assert not status
        self.fork_seconds = used.ru_utime + used.ru_stime
        self.sent = len(data)
        self.answer = decode_json(data, Evaluation)
        return self.answer

    def _evaluated(self, work: EvaluateSensor) -> Evaluation:
        with Instance.compose(self._instance.home, self._instance.settings, clock=self._clock) as instance:
            return evaluate_sensor(self._definitions, work, instance, "here", self._graph)


class House:
    """A storage, the daemon's duty for sensors, and a code location whose sensor is on."""

    def __init__(self, folder: Path, kind: str, count: int) -> None:
        self.clock = FakeClock(START)
        self.kind = kind
        definitions = declared(kind, count)
        instance = Instance.open(folder)
        self.storage = instance.storage
        self.storage.locations.put(
            StoredLocation(
                name="here",
                status=LoadStatus.LOADED,
                digest="1",
                description=encode_json(describe(definitions, "here")),
                updated=START,
            )
        )
        self.catalog = Catalog(self.storage.locations)
        self.forks = Forks(definitions, instance, self.clock)
        self.catalog.client = lambda _name: self.forks  # type: ignore[assignment,method-assign,return-value]
        leases = [self.storage.leases.acquire(name, "bench", ttl=1e9, now=START) for name in parts_of("sensors", 8)]
        self.held = Held([each.name for each in leases if each], {each.name: Part(each) for each in leases if each})
        self.storage.instigators.switch(
            instigator_id("here", InstigatorKind.SENSOR, SENSOR),
            "here",
            InstigatorKind.SENSOR,
            SENSOR,
            InstigatorStatus.RUNNING,
            now=START,
        )

    def duty(self) -> SensorsDuty:
        """Another daemon's: it evaluates also what would rest."""
        storage, clock = self.storage, self.clock
        coordinator = QueuedRunCoordinator(runs=storage.runs, launcher=None, clock=clock)  # type: ignore[arg-type]
        places = Places(AtOnce(), number=1, slow=0, clock=clock)
        runner = TickRunner(storage.instigators, coordinator, self.catalog, clock, assets=storage.assets, places=places)
        shared = (storage.instigators, self.catalog, runner, clock, threading.Event(), threading.Event(), 600.0)
        return SensorsDuty(*shared, watch=EventWatch(storage, clock), runs=storage.runs, max_queued_runs=-1, inbox=None)

    def make(self, *assets: str) -> None:
        """These assets are made, the latest partition where they have some."""
        partition = "2025-12-31" if self.kind == "partitioned" else None
        facts = [AssetMaterialization(asset=each, partition=partition) for each in assets]
        self.storage.assets.report(facts, now=self.clock.now())

    def tick(self, name: str, after: float = 30.0) -> None:
        """One tick so many seconds later; prints what it cost."""
        self.clock.advance(after)
        duty = self.duty()
        begun = time.process_time()
        duty.tick(self.held)
        daemon = time.process_time() - begun
        answer = self.forks.answer
        assert answer.cursor is not None, answer.error
        line = {
            "tick": name,
            "fork": round(self.forks.fork_seconds, 3),
            "daemon": round(daemon, 3),
            "evaluated": len(answer.evaluations),
            "runs": len(answer.run_requests),
            "assets": sum(len(each.assets or ()) for each in answer.run_requests),
            "cursor": len(answer.cursor or ""),
            "sent": self.forks.sent,
        }
        print(json.dumps(line), flush=True)


def main() -> None:
    """Measure once."""
    kind, count = sys.argv[1], int(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder), kind, count)
        everything = ["hub", *(f"a{index}" for index in range(count))]
        house.make(*everything)
        gc.collect()
        gc.freeze()
        for name in ("first", "second", "quiet"):
            house.tick(name)
        house.make("a10")
        house.tick("1 changed")
        house.tick("after it")
        house.make(*(f"a{10 + 2 * CHAIN * index}" for index in range(1, count // CHAIN // 20)))
        house.tick("5 % of the chains begun")
        house.tick("after it")
        house.make("hub")
        house.tick("the hub changed")
        house.tick("after it")
        house.tick("quiet")
        house.tick("next hour", 3600.0)
        house.tick("after it")
        house.tick("next day", 86_400.0)
        house.tick("after it")
        house.make(*everything)
        house.tick("all changed")
        house.tick("after it")


if __name__ == "__main__":
    main()
