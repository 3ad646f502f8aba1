"""Gives a Penstock instance the history of a `World`, by the bulk way in that imports take, and a few live runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from penstock.codec import encode_json
from penstock.config.schema import Shape
from penstock.ids import run_id_derived_from
from penstock.records.errors import ErrorInfo, Frame
from penstock.records.event import (
    AssetMaterialization,
    AssetMaterializationPlanned,
    Event,
    Fact,
    HandledOutput,
    LogLine,
    LogsCaptured,
    RunCanceled,
    RunCanceling,
    RunEnqueued,
    RunFailure,
    RunStart,
    RunSuccess,
    StepFailure,
    StepOutput,
    StepStart,
    StepSuccess,
)
from penstock.records.location import JobDescription, OutputDescription, StepDescription
from penstock.records.metadata import FloatMetadataValue, IntMetadataValue, Metadata, PathMetadataValue
from penstock.records.run import FailureReason, Run, Tag
from penstock.records.step_figures import StepFigures
from penstock.storage.archive import Archived, LoadedRun, LoggedEvent
from penstock.storage.derive import begin, derive
from penstock.storage.protocols import NewRun, Storage

from .world import RunOf, World

__all__ = ["long_run_id", "run_id", "seed", "step_facts"]

LOCATION = "bench"
_CHUNK = 2000
_FIGURES = StepFigures(
    queued=0.004, starting=0.01, loading=0.02, computing=1.5, storing=0.1, cpu=1.2, peak_memory=10**8
)
_FRAME = Frame(file="/srv/shop/orders.py", line=10, function="orders", code="prices = [row.price for row in rows]")
_ERROR = ErrorInfo(cls="ValueError", message="a row has no price", frames=(_FRAME,) * 4)


def run_id(world: World, number: int) -> str:
    """The id of that run."""
    return run_id_derived_from(f"run {number}", world.run(number).created)


def long_run_id(world: World) -> str:
    """The id of the run with a long log, which is the newest that has ended."""
    return run_id_derived_from("long", world.now - 300)


def step_facts(asset: str, partition: str | None = None, lines: int = 1) -> list[Fact]:
    """What a step that makes an asset tells: seven facts, with one line that the user's code logs."""
    made: Metadata = {"rows": IntMetadataValue(value=48_211), "seconds": FloatMetadataValue(value=1.482)}
    place = f"/data/{asset}/{partition or 'all'}.parquet"
    return [
        LogsCaptured(log_key=("runs", asset, "compute_logs"), steps=(asset,)),
        StepStart(),
        *[LogLine(level="INFO", message=f"read 48,211 rows of {asset} from the warehouse") for _ in range(lines)],
        StepOutput(output="result", type_name="Any"),
        AssetMaterialization(asset=asset, partition=partition, metadata=made),
        HandledOutput(output="result", io_manager="io_manager", metadata={"path": PathMetadataValue(path=place)}),
        StepSuccess(seconds=1.6, figures=_FIGURES),
    ]


def _facts(run: RunOf) -> list[tuple[Fact, str | None]]:
    """The ten events of a run, each with the step that it is of."""
    begin: list[Fact] = [
        AssetMaterializationPlanned(asset=run.asset, partition=run.partition),
        RunStart(pid=4711, executor="multiprocess"),
    ]
    told = step_facts(run.asset, run.partition)
    end: list[Fact]
    match run.status:
        case "SUCCESS":
            end = [RunSuccess()]
        case "FAILURE":
            lines = [LogLine(level="WARNING", message=f"row {row} has no price") for row in range(4)]
            told = [*told[:2], *lines, StepFailure(error=_ERROR, figures=_FIGURES)]
            message = f"the step {run.asset} failed"
            end = [RunFailure(reason=FailureReason.STEP_FAILURE, message=message, failed_steps=(run.asset,))]
        case _:
            told = [*told[:2], *[LogLine(level="INFO", message=f"{row:,} rows") for row in range(3)]]
            end = [RunCanceling(), RunCanceled()]  # between them the step is closed
    return [*((fact, None) for fact in begin), *((fact, run.asset) for fact in told), *((fact, None) for fact in end)]


def _told(
    run: RunOf,
    name: str,
    facts: Sequence[tuple[Fact, str | None]],
    snapshot: bytes,
    first_id: int,
    every: float = 0.2,
) -> tuple[LoadedRun, list[LoggedEvent]]:
    """A run that told these facts, one after the other, with all that follows from them, and its events."""
    new = Run(
        run_id=name,
        location=LOCATION,
        job=run.job,
        tags=run.tags if run.partition is None else {**run.tags, Tag.PARTITION: run.partition},
        assets=tuple(dict.fromkeys(step for _, step in facts if step is not None)),
        attempt=1,
        created=run.created,
    )
    outcome = derive(
        begin(NewRun(run=new, snapshot=snapshot)),
        {},
        [
            Event(time=run.created + every * (place + 1), fact=fact, step_key=step, seq=place + 1)
            for place, (fact, step) in enumerate(facts)
        ],
    )
    assert not outcome.refused, outcome.refused
    loaded = LoadedRun(run=outcome.run, steps=tuple(outcome.steps.values()), snapshot=snapshot)
    return loaded, [
        LoggedEvent(id=number, run_id=name, attempt=1, event=event)
        for number, event in enumerate(outcome.events, first_id)
    ]


def _snapshot(job: str, steps: Sequence[str]) -> bytes:
    described = tuple(StepDescription(key=step, op=step, outputs=(OutputDescription(),)) for step in steps)
    return encode_json(JobDescription(name=job, steps=described, config_schema=Shape(fields={})))


def _history(world: World) -> Iterator[tuple[list[LoadedRun], list[LoggedEvent]]]:
    """All ended runs with their events, oldest first, in parts; the run with the long log comes last."""
    next_id = 1
    snapshots = {job: _snapshot(job, ["made"]) for job in world.jobs}
    for first in range(0, world.runs, _CHUNK):
        runs, events = [], []
        for number in range(first, min(first + _CHUNK, world.runs)):
            run, name = world.run(number), run_id(world, number)
            loaded, told = _told(run, name, _facts(run), snapshots[run.job], next_id)
            next_id += len(told)
            events += told
            runs.append(loaded)
        yield runs, events
    yield _long(world, next_id)


def _long(world: World, next_id: int) -> tuple[list[LoadedRun], list[LoggedEvent]]:
    """The run with the long log: many steps of twenty events each."""
    steps = [f"asset_{number}" for number in range(world.long_run // 20)]
    facts: list[tuple[Fact, str | None]] = [(AssetMaterializationPlanned(asset=step), None) for step in steps]
    facts.append((RunStart(pid=4711, executor="multiprocess"), None))
    facts += [(fact, step) for step in steps for fact in step_facts(step, None, lines=13)]
    facts.append((RunSuccess(), None))
    run = RunOf(
        number=world.runs, job="long", status="SUCCESS", created=world.now - 300, tags={}, asset="", partition=None
    )
    loaded, told = _told(run, long_run_id(world), facts, _snapshot("long", steps), next_id, every=0.02)
    return [loaded], told


def _live(storage: Storage, world: World) -> None:
    """Runs that wait in the queue, and some that are being executed."""
    waiting = [
        NewRun(
            run=Run(
                run_id=run_id_derived_from(f"live {number}", world.now - 100 + number),
                location=LOCATION,
                job=f"job_{number}",
                tags={"team": "team-0"},
                created=world.now - 100 + number,
            ),
            facts=(RunEnqueued(),),
        )
        for number in range(40)
    ]
    storage.runs.create(waiting)
    begun = [new.run.run_id for new in waiting[:10]]
    storage.runs.claim(begun, owner="bench", until=world.now + 10 * 365 * 86400, now=world.now)


def seed(storage: Storage, world: World) -> None:
    """Store all of it in an empty, migrated storage."""
    assert isinstance(storage, Archived)
    for runs, events in _history(world):
        storage.archive.load_runs(runs)
        storage.archive.load_events(events)
    _live(storage, world)
