"""A deployment with a past of any length, and a present that is the same for all lengths."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec

from penstock.codec import digest, encode_json
from penstock.config.schema import Shape
from penstock.ids import new_run_id
from penstock.instance.alerts.post import outbox_of
from penstock.instance.instance import Instance
from penstock.partitions.spec import StaticSpec
from penstock.partitions.subset import Subset
from penstock.records.alert import Alert, DeliveryStatus, NewDelivery
from penstock.records.automation import By, InstigatorKind, InstigatorStatus, TickStatus, instigator_id
from penstock.records.backfill import Backfill, BackfillGroup, BackfillLine, BackfillPlan, BackfillStatus
from penstock.records.conditions.evaluation import ConditionEvaluation, EvaluationRecord
from penstock.records.errors import ErrorInfo
from penstock.records.event import (
    AssetCheckEvaluation,
    AssetCheckEvaluationPlanned,
    AssetMaterialization,
    AssetMaterializationPlanned,
    AssetObservation,
    Event,
    Fact,
    LogLine,
    LogsCaptured,
    RunEnqueued,
    RunFailure,
    RunStart,
    RunSuccess,
    StepFailure,
    StepStart,
    StepSuccess,
)
from penstock.records.freshness import TimeWindowFreshnessPolicy
from penstock.records.lease import Lease
from penstock.records.location import (
    AssetDescription,
    AssetJobName,
    CheckDescription,
    JobDescription,
    LocationDescription,
    OutputDescription,
    ScheduleDescription,
    SensorDescription,
    StepDescription,
)
from penstock.records.one_off import OneOff
from penstock.records.run import FailureReason, Run, Tag
from penstock.records.wire import LoadStatus
from penstock.storage.acting import acting
from penstock.storage.protocols import NewRun, Storage, StoredLocation
from penstock.testing.storage_contract.builders import NOW, events_from, new_run

__all__ = ["SCHEDULE", "SENSOR", "Present", "fill"]

_BATCH = 50
_KEYS = ("north", "south", "east", "west")
_JOBS = tuple(f"job_{number}" for number in range(4))
_PLAIN = tuple(f"table_{number}" for number in range(6))
_ERROR = ErrorInfo(cls="Broken", message="no")
SENSOR = instigator_id("shop", InstigatorKind.SENSOR, "files_0")
SCHEDULE = instigator_id("shop", InstigatorKind.SCHEDULE, "nightly_0")


class Present(msgspec.Struct, frozen=True):
    """What the pages are asked for."""

    run: str
    failed: str
    backfill: str


def _location() -> LocationDescription:
    """Jobs, assets, schedules and sensors enough that asking for each alone would show."""
    assets = ("areas", *_PLAIN)
    steps = tuple(
        StepDescription(key=each, op=each, outputs=(OutputDescription(asset=each),), assets=(each,)) for each in assets
    )
    return LocationDescription(
        name="shop",
        jobs=(
            *(JobDescription(name=name, steps=steps[:1], config_schema=Shape()) for name in _JOBS),
            JobDescription(name=AssetJobName, steps=steps, config_schema=Shape(), is_asset_job=True, assets=assets),
        ),
        assets=(
            AssetDescription(
                key="areas",
                op="areas",
                jobs=(AssetJobName,),
                partitions=StaticSpec(keys=_KEYS),
                freshness=TimeWindowFreshnessPolicy(fail_window=timedelta(hours=1)),
            ),
            *(
                AssetDescription(key=each, op=each, jobs=(AssetJobName,), deps=("areas",), checks=("whole",))
                for each in _PLAIN
            ),
        ),
        checks=tuple(CheckDescription(asset=each, name="whole") for each in _PLAIN),
        schedules=tuple(
            ScheduleDescription(name=f"nightly_{number}", cron=("0 0 * * *",), job=name)
            for number, name in enumerate(_JOBS)
        ),
        sensors=tuple(SensorDescription(name=f"files_{number}", jobs=(name,)) for number, name in enumerate(_JOBS)),
    )


def fill(instance: Instance, runs: int) -> Present:
    """Store a past of that many runs, and the present."""
    storage = instance.storage
    description = _location()
    storage.locations.put(
        StoredLocation(
            name="shop",
            status=LoadStatus.LOADED,
            digest=digest(description),
            description=encode_json(description),
            updated=NOW,
            origin="shop.py",
        )
    )
    lease = storage.leases.acquire("sensors", "past", ttl=30, now=NOW)
    assert lease is not None
    storage.slots.set_limit("db", 2)
    for first in range(0, runs, _BATCH):
        _live(storage, [_past_run(number, runs) for number in range(first, min(first + _BATCH, runs))], first)
        _evaluate(storage, lease, first)
        _tell(storage, first)
        _fill_back(storage, first)
        _operate(storage, first)
    return _present(storage, lease)


def _past_run(number: int, runs: int) -> NewRun:
    created = NOW - 10.0 * (runs - number + 1)
    asset, partition = _asset_of(number)
    facts: list[Fact] = [AssetMaterializationPlanned(asset=asset, partition=partition)]
    if partition is None:
        facts.append(AssetCheckEvaluationPlanned(asset=asset, check="whole"))
    tags = {"team": f"team-{number % 3}", "env": "prod" if number % 2 else "dev", Tag.SCHEDULE: "nightly_0"}
    return new_run(
        *facts,
        RunEnqueued(),
        created=created,
        tags=tags,
        job=_JOBS[number % len(_JOBS)],
        location="office" if number % 4 == 3 else "shop",
    )


def _asset_of(number: int) -> tuple[str, str | None]:
    if number % 2:
        return _PLAIN[number // 16 % len(_PLAIN)] if number % 16 == 15 else _PLAIN[0], None
    return "areas", _KEYS[number // 2 % len(_KEYS)]


def _live(storage: Storage, made: Sequence[NewRun], first: int) -> None:
    """Let runs begin, do something and end."""
    storage.runs.create(made)
    at = made[0].run.created + 1
    storage.runs.claim([new.run.run_id for new in made], owner="server", until=at + 30, now=at)
    for number, new in enumerate(made, first):
        storage.events.append(new.run.run_id, 1, _worked(number, new.run), now=new.run.created + 5)


def _worked(number: int, run: Run) -> list[Event]:
    asset, partition = _asset_of(number)
    failed = number % 3 == 2
    done: list[Fact] = [
        StepStart(),
        LogLine(level="INFO", message="at work"),
        AssetObservation(asset=asset, partition=partition),
    ]
    if failed:
        done.append(StepFailure(error=_ERROR))
        end: Fact = RunFailure(reason=FailureReason.STEP_FAILURE, message="no", failed_steps=("areas",))
    else:
        done += [AssetMaterialization(asset=asset, partition=partition)]
        done += [AssetCheckEvaluation(asset=asset, check="whole", passed=True)] if partition is None else []
        done.append(StepSuccess(seconds=1.0))
        end = RunSuccess()
    begun: list[Fact] = [RunStart(pid=1), LogsCaptured(log_key=(run.run_id, "compute_logs", "areas"), steps=("areas",))]
    at = run.created + 2
    return [
        *events_from(1, begun, at=at),
        *events_from(3, done, at=at + 0.1, step_key="areas"),
        *events_from(3 + len(done), [end], at=at + 0.2),
    ]


def _evaluate(storage: Storage, lease: Lease, first: int) -> None:
    """Ticks of one schedule and one sensor, with what a condition came to."""
    for number in range(first, first + _BATCH):
        instigator = SENSOR if number % 2 else SCHEDULE
        now = NOW - 100_000 + number
        tick = storage.instigators.begin_tick(instigator, now, lease=lease, now=now)
        assert tick is not None
        entity = _PLAIN[number % 2 * (number // 2 % len(_PLAIN))]
        root = ConditionEvaluation(condition="eager", kind="and", entity=entity, candidates=1, count=0)
        storage.instigators.complete_tick(
            msgspec.structs.replace(tick, status=TickStatus.FAILURE if number % 10 < 2 else TickStatus.SKIPPED),
            lease=lease,
            evaluations=[EvaluationRecord(entity=entity, evaluation=number, time=now, requested=0, root=root)],
            now=now,
        )


def _tell(storage: Storage, first: int) -> None:
    """Messages of alerts: some sent, some given up."""
    outbox = outbox_of(storage)
    alerts = [
        Alert(
            kind="run_failure",
            occurrence=str(number),
            subject=f"job {number}",
            time=NOW,
            title="Run failed",
            text="",
            path="/",
        )
        for number in range(first, first + _BATCH)
    ]
    outbox.add([NewDelivery(rule="failures", target="slack", alert=alert, throttle=60) for alert in alerts], now=NOW)
    for delivery in outbox.claim(now=NOW, until=NOW + 60, limit=_BATCH):
        status = DeliveryStatus.GIVEN_UP if delivery.id % 2 else DeliveryStatus.DELIVERED
        outbox.settle(delivery, status, now=NOW, error=None)


def _fill_back(storage: Storage, first: int) -> None:
    """Backfills that have ended."""
    for number in range(first, first + _BATCH):
        assets = ("table_0",) if number % 2 else ()
        _ask_back(storage, assets, status=BackfillStatus.COMPLETED_SUCCESS, ended=NOW, created=NOW - 3600.0 + number)


def _operate(storage: Storage, first: int) -> None:
    """What people did to a schedule, and one-off runs that were called off."""
    for number in range(first, first + _BATCH):
        status = InstigatorStatus.STOPPED if number % 2 else InstigatorStatus.DECLARED_IN_CODE
        with acting(By(actor=f"user_{number % 20}"), now=NOW - 86_400.0 + number):
            storage.instigators.switch(SCHEDULE, "shop", InstigatorKind.SCHEDULE, "nightly_0", status, now=NOW)
            one_off = storage.one_offs.plan(OneOff(location="shop", job="job_0", due=NOW, until=NOW + 9.0), now=NOW)
            storage.one_offs.cancel(one_off.id, now=NOW)


def _ask_back(storage: Storage, assets: tuple[str, ...] = (), **fields: Any) -> str:
    days = StaticSpec(keys=_KEYS)
    group = BackfillGroup(location="shop", job="job_0", assets=assets, partitions=days, chosen=Subset.span(0, 2))
    shape: dict[str, Any] = {
        "size": 2,
        "partition_count": 2,
        "widths": (1,),
        "asset_count": len(assets),
        "locations": ("shop",),
    }
    backfill = Backfill(backfill_id=new_run_id(), **shape, **fields)
    line = BackfillLine(time=NOW, message="Asked for.")
    storage.backfills.add(backfill, BackfillPlan(groups=(group,), now=NOW), line=line)
    return backfill.backfill_id


def _present(storage: Storage, lease: Lease) -> Present:
    """A family of two runs, runs at work, one whose worker is gone, a queue, a last failure, a last tick with a run.

    A backfill is under way.
    """
    backfill = _ask_back(storage, paused=True, created=NOW)
    root = new_run(*_past_run(0, 10).facts, created=NOW)
    of_family = {"root_run_id": root.run.run_id, "parent_run_id": root.run.run_id}
    again = new_run(RunEnqueued(), created=NOW, tags={Tag.ROOT_RUN: root.run.run_id}, **of_family)
    _live(storage, [root, again], 0)
    working = [new_run(RunEnqueued(), created=NOW) for _ in range(4)]
    ids = [new.run.run_id for new in working]
    storage.runs.create(working)
    storage.runs.claim(ids[:3], owner="server", until=4e9, now=NOW)
    storage.runs.claim(ids[3:], owner="gone", until=NOW + 1, now=NOW)
    for run_id in ids:
        storage.events.append(run_id, 1, events_from(1, [RunStart(pid=1)], at=NOW), now=NOW)
    storage.runs.create([new_run(RunEnqueued(), created=NOW, tags={Tag.PRIORITY: str(n)}) for n in range(5)])
    failed = new_run(*_past_run(5, 10).facts, created=NOW)
    _live(storage, [failed], 5)
    tick = storage.instigators.begin_tick(SENSOR, NOW, lease=lease, now=NOW)
    assert tick is not None
    tick = msgspec.structs.replace(tick, status=TickStatus.SUCCESS, run_keys=("key",))
    asked = new_run(RunEnqueued(), created=NOW)
    storage.instigators.complete_tick(tick, lease=lease, runs=[("key", asked)], now=NOW)
    return Present(run=root.run.run_id, failed=failed.run.run_id, backfill=backfill)
