"""Rows as records and back, in every dialect: the one place that knows which column is which field."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from functools import cache
from typing import Any

import msgspec

from ..codec import decode_json, decode_msgpack, encode_msgpack
from ..records.alert import Alert, Delivery, DeliveryStatus
from ..records.asset import AssetEvent, AssetState, CheckState, PartitionState, PartitionStatus, PartitionStatuses
from ..records.automation import InstigatorKind, InstigatorState, InstigatorStatus, Override, Tick
from ..records.conditions.evaluation import EvaluationRecord, StoredEvaluation
from ..records.data_version import DataVersionState
from ..records.event import AssetCheckEvaluation, AssetMaterialization, AssetObservation, Event, StoredEvent
from ..records.freshness_state import AssetFreshness, FreshnessState
from ..records.one_off import OneOff, OneOffStatus
from ..records.pool import PoolNeed
from ..records.run import FailureReason, Run, RunStatus, StepAttempt, StepStats, StepStatus
from .archive import LoggedEvent
from .encoding import decode_event

__all__ = [
    "ASSET_STATE",
    "CHECK_STATE",
    "CLAIM",
    "DATA_VERSION",
    "DELIVERY",
    "EVENT",
    "FRESHNESS",
    "INSTIGATOR",
    "KEPT",
    "LOGGED",
    "NEWEST",
    "NEW_RUN",
    "ONE_OFF",
    "PARTITION_STATE",
    "RUN",
    "RUN_PLACE",
    "STEP",
    "TICK",
    "asset_event",
    "asset_state",
    "check_state",
    "data_version",
    "delivery",
    "evaluation",
    "instigator",
    "instigator_values",
    "kept_event",
    "logged_event",
    "new_evaluations",
    "new_run_values",
    "note_value",
    "one_off",
    "partition_state",
    "run",
    "run_body",
    "run_place",
    "run_place_values",
    "runs_by_job",
    "share_number",
    "step",
    "step_values",
    "steps_by_run",
    "stored_event",
    "tick",
    "ticks_by_instigator",
]

Row = tuple[Any, ...]

# Enum members by value, each looked up once: to call an enum takes longer than all else that a row costs.
_delivery_status = cache(DeliveryStatus)
_failure_reason = cache(FailureReason)
_freshness_state = cache(FreshnessState)
_instigator_kind = cache(InstigatorKind)
_instigator_status = cache(InstigatorStatus)
_one_off_status = cache(OneOffStatus)
_partition_status = cache(PartitionStatus)
_run_status = cache(RunStatus)
_step_status = cache(StepStatus)


# -- runs -------------------------------------------------------------------------------------------------------------

RUN_PLACE = "status, attempt, owner, lease_until, queued, launched, started, ended, updated, failure_reason, note"
"""The columns that change while a run goes its way."""

RUN = f"run_id, location, job, created, body, {RUN_PLACE}"


class _RunBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What of a run no query asks for."""

    run_config: dict[str, Any] = {}
    tags: dict[str, str] = {}
    step_keys: tuple[str, ...] | None = None
    assets: tuple[str, ...] | None = None
    checks: tuple[str, ...] | None = None
    snapshot: str | None = None
    parent_run_id: str | None = None
    root_run_id: str | None = None
    pools: PoolNeed | None = None


def run(row: Row) -> Run:
    """The run of a row of `RUN`."""
    body = decode_msgpack(row[4], _RunBody)
    return _run(
        row[5:],
        run_id=row[0],
        location=row[1],
        job=row[2],
        created=row[3],
        run_config=body.run_config,
        tags=body.tags,
        step_keys=body.step_keys,
        assets=body.assets,
        checks=body.checks,
        snapshot=body.snapshot,
        parent_run_id=body.parent_run_id,
        root_run_id=body.root_run_id,
        pools=body.pools,
    )


def runs_by_job(found: Iterable[Row]) -> dict[tuple[str, str], list[Run]]:
    """The runs of rows of `RUN` by (location, job), newest first."""
    runs: dict[tuple[str, str], list[Run]] = {}
    for row in sorted(found, reverse=True):
        runs.setdefault((row[1], row[2]), []).append(run(row))
    return runs


def run_place(run_id: str, row: Row) -> Run:
    """Where a run stands, from a row of `RUN_PLACE`; what it is to do is left out."""
    return _run(row, run_id=run_id, location="", job="")


def _run(row: Row, **fields: Any) -> Run:
    status, attempt, owner, lease_until, queued, launched, started, ended, updated, reason, note = row
    return Run(
        status=_run_status(status),
        attempt=attempt,
        owner=owner,
        lease_until=lease_until,
        queued=queued,
        launched=launched,
        started=started,
        ended=ended,
        updated=updated,
        failure_reason=None if reason is None else _failure_reason(reason),
        note=note,
        **fields,
    )


def run_body(record: Run) -> bytes:
    """The bytes of the column `body`."""
    return encode_msgpack(
        _RunBody(
            run_config=record.run_config,
            tags=record.tags,
            step_keys=record.step_keys,
            assets=record.assets,
            checks=record.checks,
            snapshot=record.snapshot,
            parent_run_id=record.parent_run_id,
            root_run_id=record.root_run_id,
            pools=record.pools,
        )
    )


def share_number(share: str) -> int:
    """The number of a share; two shares that have one by chance are read as one."""
    return zlib.crc32(share.encode("utf-8", "surrogatepass"))


def run_place_values(record: Run) -> Row:
    """The values of `RUN_PLACE`."""
    return (
        record.status,
        record.attempt,
        record.owner,
        record.lease_until,
        record.queued,
        record.launched,
        record.started,
        record.ended,
        record.updated,
        record.failure_reason,
        note_value(record.note),
    )


def note_value(note: str | None) -> str | None:
    """The value of the column `note`."""
    return None if note is None else _keepable(note)


def _keepable(text: str) -> str:
    """A text that quotes anything, as every database holds it: without halves of characters, and without zeros."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


NEW_RUN = f"run_id, location, job, priority, share, created, body, {RUN_PLACE}"
"""The columns of a new run, but for its number."""


def new_run_values(record: Run) -> Row:
    """The values of `NEW_RUN`."""
    return (
        record.run_id,
        record.location,
        record.job,
        record.priority,
        share_number(record.share),
        record.created,
        run_body(record),
        *run_place_values(record),
    )


# -- events and steps -------------------------------------------------------------------------------------------------

EVENT = "e.id, e.time, e.type, e.step_key, e.seq, e.body"


def stored_event(row: Row, run_id: str | None) -> StoredEvent:
    """The event of a row of `EVENT`."""
    number, time, event_type, step_key, seq, body = row
    event = decode_event(body, time=time, event_type=event_type, step_key=step_key, seq=seq)
    return StoredEvent(id=number, event=event, run_id=run_id)


LOGGED = f"{EVENT}, e.attempt, r.run_id"


def logged_event(row: Row) -> LoggedEvent:
    """The event of a row of `LOGGED`."""
    return LoggedEvent(
        id=row[0],
        run_id=row[7],
        attempt=row[6],
        event=stored_event(row[:6], None).event,
    )


KEPT = "e.id, e.time, e.type, CAST(NULL AS TEXT), CAST(NULL AS BIGINT), e.body, CAST(0 AS BIGINT), e.run_id"
"""The columns of `LOGGED`, of an event that is in an asset's history alone."""


def kept_event(row: Row) -> LoggedEvent:
    """The event of a row of `KEPT`, from an asset's history."""
    return LoggedEvent(id=row[0], run_id=row[7], kept=True, event=decode_msgpack(row[5], Event))


STEP = "step_key, status, worker_started, started, ended, attempts"


def step(run_id: str, row: Row) -> StepStats:
    """The step of a row of `STEP`."""
    step_key, status, worker_started, started, ended, attempts = row
    return StepStats(
        run_id=run_id,
        step_key=step_key,
        status=None if status is None else _step_status(status),
        worker_started=worker_started,
        started=started,
        ended=ended,
        attempts=decode_msgpack(attempts, _Attempts).tries,
    )


def steps_by_run(found: Iterable[Row]) -> dict[str, list[StepStats]]:
    """The steps of rows of (run id, and `STEP`), by run."""
    steps: dict[str, list[StepStats]] = {}
    for run_id, *row in found:
        steps.setdefault(run_id, []).append(step(run_id, tuple(row)))
    return steps


def step_values(record: StepStats) -> Row:
    """The values of `STEP`."""
    attempts = encode_msgpack(_Attempts(tries=record.attempts))
    return (record.step_key, record.status, record.worker_started, record.started, record.ended, attempts)


class _Attempts(msgspec.Struct, frozen=True, array_like=True):
    tries: tuple[StepAttempt, ...]


CLAIM = "pool, run_id, step_key, attempt, retry, priority, since, taken"
"""The columns of a claim of a pool's slot."""


# -- assets -----------------------------------------------------------------------------------------------------------

ASSET_STATE = (
    "asset, materialized_event, materialized_at, materialized_run, observed_event, observed_at, "
    "planned_run, planned_at, failed_run, failed_at"
)


FRESHNESS = "asset, state, since, event"


def freshness(row: Row) -> AssetFreshness:
    """The freshness of a row of `FRESHNESS`."""
    return AssetFreshness(asset=row[0], state=_freshness_state(row[1]), since=row[2], event=row[3])


def asset_state(row: Row) -> AssetState:
    """The state of a row of `ASSET_STATE`."""
    return AssetState(
        asset=row[0],
        materialized_event=row[1],
        materialized_at=row[2],
        materialized_run=row[3],
        observed_event=row[4],
        observed_at=row[5],
        planned_run=row[6],
        planned_at=row[7],
        failed_run=row[8],
        failed_at=row[9],
    )


DATA_VERSION = "asset, partition, event, time, run_id, version, observed, code_version, inputs"


def data_version(row: Row) -> DataVersionState:
    """The state of a row of `DATA_VERSION`."""
    asset, partition, event, time, run_id, version, observed, code_version, inputs = row
    return DataVersionState(
        asset=asset,
        partition=partition or None,
        event=event,
        time=time,
        run_id=run_id,
        version=version,
        observed=bool(observed),
        code_version=code_version,
        inputs=decode_json(inputs.encode(), dict[str, str]),
    )


PARTITION_STATE = "asset, partition, status, run_id, event, updated, materialized_at"


def partition_state(row: Row) -> PartitionState:
    """The state of a row of `PARTITION_STATE`."""
    asset, partition, status, run_id, event, updated, materialized_at = row
    return PartitionState(
        asset=asset,
        partition=partition,
        status=_partition_status(status),
        run_id=run_id,
        event=event,
        updated=updated,
        materialized_at=materialized_at,
    )


def partition_statuses(row: Row) -> PartitionStatuses:
    """The statuses of a row of (asset, letters, keys as JSON)."""
    _, letters, keys = row
    return PartitionStatuses(letters=letters, keys=decode_json(keys, tuple[str, ...]))


CHECK_STATE = "c.asset, c.name, c.status, c.run_id, c.event, c.updated, c.asset_materialized_at, c.body"


def check_state(row: Row) -> CheckState:
    """The execution of a row of `CHECK_STATE`."""
    asset, name, status, run_id, event, updated, materialized_at, body = row
    fact = None if body is None else decode_msgpack(body, Event).fact
    return CheckState(
        asset=asset,
        check=name,
        status=status,
        run_id=run_id,
        event=event,
        updated=updated,
        evaluation=fact if isinstance(fact, AssetCheckEvaluation) else None,
        asset_materialized_at=materialized_at,
    )


def asset_event(row: Row) -> AssetEvent:
    """The event of a row of (id, run_id, body)."""
    number, run_id, body = row
    event = decode_msgpack(body, Event)
    assert isinstance(event.fact, AssetMaterialization | AssetObservation | AssetCheckEvaluation)
    return AssetEvent(id=number, time=event.time, run_id=run_id, step_key=event.step_key, fact=event.fact)


# -- automation -------------------------------------------------------------------------------------------------------

INSTIGATOR = (
    "id, location, kind, name, status, cursor, last_run_key, last_tick, next_due, fingerprint, updated, turned_on, "
    "override, retired"
)


def instigator(row: Row) -> InstigatorState:
    """The state of a row of `INSTIGATOR`."""
    return InstigatorState(
        id=row[0],
        location=row[1],
        kind=_instigator_kind(row[2]),
        name=row[3],
        status=_instigator_status(row[4]),
        cursor=row[5],
        last_run_key=row[6],
        last_tick=row[7],
        next_due=row[8],
        fingerprint=row[9],
        updated=row[10],
        turned_on=row[11],
        override=None if row[12] is None else decode_msgpack(row[12], Override),
        retired=row[13],
    )


def instigator_values(state: InstigatorState) -> Row:
    """The values of `INSTIGATOR`."""
    return (
        state.id,
        state.location,
        state.kind,
        state.name,
        state.status,
        state.cursor,
        state.last_run_key,
        state.last_tick,
        state.next_due,
        state.fingerprint,
        state.updated,
        state.turned_on,
        None if state.override is None else encode_msgpack(state.override),
        state.retired,
    )


NEWEST = 2**63 - 1
"""Before this id are all rows of a table that numbers them."""

ONE_OFF = "id, status, ended, run_id, note, body"


def one_off(row: Row) -> OneOff:
    """The one-off run of a row of `ONE_OFF`."""
    number, status, ended, run_id, note, body = row
    return msgspec.structs.replace(
        decode_msgpack(body, OneOff), id=number, status=_one_off_status(status), ended=ended, run_id=run_id, note=note
    )


TICK = "id, body"


def tick(row: Row) -> Tick:
    """The tick of a row of `TICK`."""
    return msgspec.structs.replace(decode_msgpack(row[1], Tick), id=row[0])


def ticks_by_instigator(found: Iterable[Row], limit: int) -> dict[str, list[Tick]]:
    """The ticks of rows of `TICK` by instigator, newest first, at most so many of each."""
    ticks: dict[str, list[Tick]] = {}
    for each in map(tick, sorted(found, reverse=True)):
        ticks.setdefault(each.instigator, []).append(each)
    return {instigator: newest[:limit] for instigator, newest in ticks.items()}


_COMPRESSED = 0x78  # the first byte of what zlib writes


def new_evaluations(
    records: Iterable[EvaluationRecord], tick: int, now: float
) -> list[tuple[str, int, float, int, bytes]]:
    """(entity, tick, time, requested, body) of each entity's. The body of what came to the same as another one are the
    names to read in it, and the same bytes."""
    found: list[tuple[str, int, float, int, bytes]] = []
    for record in records:
        level = 9 if record.alike else 1  # what is stored many times is worth some time
        shared = zlib.compress(encode_msgpack(msgspec.structs.replace(record, alike=())), level)
        found.append((record.entity, tick, now, record.requested, shared))
        found += [(ids[0], tick, now, record.requested, encode_msgpack((ids, shared))) for ids in record.alike]
    return found


def evaluation(row: Row) -> StoredEvaluation:
    """The evaluation of a row of (id, tick, body, body of the tick)."""
    ids, body = ((), row[2]) if row[2][0] == _COMPRESSED else decode_msgpack(row[2], tuple[tuple[str, ...], bytes])
    first = decode_msgpack(zlib.decompress(body), EvaluationRecord)
    record = first.of_other(ids) if ids else msgspec.structs.replace(first, ids=())
    tick = decode_msgpack(row[3], Tick) if row[3] is not None and record.requested else None
    return StoredEvaluation(
        id=row[0],
        tick=row[1],
        record=record,
        run_ids=() if tick is None else tick.run_ids,
        backfill_id=None if tick is None else tick.backfill_id,
    )


# -- alerts -----------------------------------------------------------------------------------------------------------

DELIVERY = "id, rule, target, status, attempts, created, due, ended, error, body"


def delivery(row: Row) -> Delivery:
    """The delivery of a row of `DELIVERY`."""
    return Delivery(
        id=row[0],
        rule=row[1],
        target=row[2],
        status=_delivery_status(row[3]),
        attempts=row[4],
        created=row[5],
        due=row[6],
        ended=row[7],
        error=row[8],
        alert=decode_msgpack(row[9], Alert),
    )
