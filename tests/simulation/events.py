"""Something that happens outside: an asset is materialized now and then, and a sensor watches it."""

from __future__ import annotations

from collections.abc import Callable

from penstock.records.automation import InstigatorStatus, RunRequestRecord
from penstock.records.event import AssetMaterialization
from penstock.records.location import SensorDescription
from penstock.records.wire import EvaluateSensor, Evaluation
from penstock.storage.protocols import Storage
from simulation.virtual import Simulation

__all__ = ["ASSET", "EVENT", "WATCHING", "materialize_now_and_then", "on_asset", "seen_by_sensor"]

ASSET, WATCHING, EVENT = "orders", "watching", "event"
_AT_ONCE = 10


def on_asset() -> SensorDescription:
    """A sensor that watches the asset, and is on."""
    return SensorDescription(
        name=WATCHING,
        kind="ASSET",
        jobs=("job",),
        assets=(ASSET,),
        interval=0.0,
        default_status=InstigatorStatus.RUNNING,
    )


def materialize_now_and_then(
    simulation: Simulation, storage: Storage, mean: float, events: list[tuple[int, float]], seconds: float
) -> Callable[[], None]:
    """Materializes the asset for so many seconds, alone or some times at once; adds id and time of each to `events`."""

    def work() -> None:
        until = simulation.monotonic() + seconds
        while simulation.monotonic() < until:
            simulation.sleep(simulation.random.expovariate(1 / mean))
            for _ in range(simulation.random.choice((1, 1, 1, 3, 25))):
                now = simulation.now()
                (event,) = storage.assets.report([AssetMaterialization(asset=ASSET)], now=now)
                events.append((event, now))

    return work


def seen_by_sensor(_simulation: Simulation, storage: Storage, work: EvaluateSensor) -> Evaluation:
    """What the sensor asks for: a run, without a key, for each event after its cursor, some at a time."""
    if work.cursor is None:
        return Evaluation(skip_reason="from now on", cursor=str(storage.events.last_id()))
    found = storage.assets.history(
        ASSET, types=("ASSET_MATERIALIZATION",), after=int(work.cursor), ascending=True, limit=_AT_ONCE
    )
    if not found:
        return Evaluation(skip_reason="nothing new")
    requests = tuple(RunRequestRecord(tags={EVENT: str(each.id)}) for each in found)
    return Evaluation(run_requests=requests, cursor=str(found[-1].id), more=len(found) == _AT_ONCE)
