"""Writes runs and their events together with every row derived from them; the caller holds the transaction.

All writers of events end here (a run's creation, the coordinator's and the daemon's records, a worker's batches,
reports from outside runs), so that the derived rows cannot miss one.

Whoever stores events holds the row of their counter from then to the end of the transaction. So it is taken as late as
can be, after every other row that another transaction may want, and all that follows goes to the server at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ...errors import StorageError
from ...records.event import AssetFact, Event, FreshnessStateChange
from ...records.run import ACTIVE, Run, StepStats
from .. import rows
from ..allot import ended_steps
from ..asset_facts import ASSET_EVENTS, NumberedEvent
from ..derive import (
    CLOSING_EVENTS,
    STEP_EVENTS,
    Outcome,
    begin,
    derive,
    first_events,
    places,
    topics_of,
)
from ..encoding import encode_event
from ..months import LogPlace, month_of
from ..protocols import NewRun
from .asset_rows import apply_asset_facts, settle_planned
from .event_logs import ensure_logs, insert_events
from .transaction import Row, Transaction

__all__ = ["RUN_VALUES", "Change", "changed_run", "insert_runs", "report", "write_changes"]

_PLACE = rows.RUN_PLACE.split(", ")
RUN_VALUES = ", ".join(["%s"] * len(_PLACE))
"""A placeholder for each column of `rows.RUN_PLACE`."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be written of one run: where its events are, what a batch of them comes to, and what changes by
    that."""

    place: LogPlace
    attempt: int
    outcome: Outcome
    topics: set[str]
    is_new: bool = False
    moved: bool = False

    @property
    def run(self) -> Run:
        """The run as it is afterwards."""
        return self.outcome.run


def insert_runs(tx: Transaction, new_runs: Sequence[NewRun]) -> list[Change]:
    """Store new runs with their tags and their jobs' snapshots; gives what is still to be written by `write_changes`.

    Raises:
        StorageError: A run of that id exists.
    """
    if not new_runs:
        return []
    changes = []
    run_ids = [new.run.run_id for new in new_runs]
    known = tx.row("SELECT run_id FROM runs WHERE run_id = ANY(%s) LIMIT 1", (run_ids,))
    twice = known[0] if known else next((each for each in run_ids if run_ids.count(each) > 1), None)
    if twice is not None:
        raise StorageError(f"A run with the id {twice} exists already; make a new id for a new run.")
    numbers = tx.rows("SELECT nextval('run_numbers') FROM generate_series(1, %s)", (len(new_runs),))
    snapshots: dict[str, bytes] = {}
    for (number,), new in zip(numbers, new_runs, strict=True):
        run = begin(new)
        if new.snapshot is not None and run.snapshot is not None:
            snapshots[run.snapshot] = new.snapshot
        outcome = derive(run, {}, first_events(new))
        topics = topics_of(run, outcome) | {"runs"}
        place = LogPlace(month_of(run.created), number)
        changes.append(Change(place=place, attempt=run.attempt, outcome=outcome, topics=topics, is_new=True))
    tx.send_each("INSERT INTO snapshots VALUES (%s, %s) ON CONFLICT DO NOTHING", sorted(snapshots.items()))
    tx.send_each(
        f"INSERT INTO runs (log, num, {rows.NEW_RUN}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, {RUN_VALUES})",
        [(*change.place, *rows.new_run_values(change.run)) for change in changes],
    )
    tx.send_all(
        "INSERT INTO run_tags (key, value, run_id) SELECT * FROM {rows}",
        "text text text",
        [(key, value, each.run.run_id) for each in changes for key, value in each.run.tags.items()],
    )
    return changes


def changed_run(tx: Transaction, place: LogPlace, run: Run, attempt: int, events: Sequence[Event]) -> Change:
    """What a batch of a run's events comes to; to be written by `write_changes`.

    Args:
        place: Where the run's events are.
        run: As stored; `rows.run_place` is enough. Its row is locked by this transaction.
        attempt: The attempt that the events are of.
        events: In order, none of them stored already. Those that the run's state refuses are left out.
    """
    outcome = derive(run, _steps_at_hand(tx, place, run.run_id, events), events)
    topics = topics_of(run, outcome)
    if _release_slots(tx, run, outcome):
        topics |= {"slots", "pools"}
    if outcome.run.is_finished and "assets" not in topics and _has_open_work(tx, run.run_id):
        topics.add("assets")
    return Change(place=place, attempt=attempt, outcome=outcome, topics=topics, moved=outcome.run is not run)


def write_changes(tx: Transaction, changes: Sequence[Change], facts: Sequence[Event] = ()) -> list[range]:
    """Store what batches of runs' events come to; gives the ids of each batch's events.

    Args:
        changes: One for each run.
        facts: Events that are of no run; their ids come last.
    """
    tx.send_each(
        f"UPDATE runs SET ({rows.RUN_PLACE}) = ROW ({RUN_VALUES}) WHERE num = %s",
        [(*rows.run_place_values(change.run), change.place.run) for change in changes if change.moved],
    )
    batches: list[_Batch] = [(each.place, each.run.run_id, each.attempt, each.outcome.events) for each in changes]
    # The month of a run that was there and has not ended is there as well.
    months = {change.place.log for change in changes if change.is_new}
    if facts:
        place = LogPlace(month_of(facts[0].time), None)
        batches.append((place, None, 0, facts))
        months.add(place.log)
    if months:
        ensure_logs(tx, months)
    ids = _write_events(tx, batches)
    steps = []
    for change, numbers in zip(changes, ids, strict=False):
        begun = places(numbers, change.outcome.events)
        # One without an event in the batch is stored already, and keeps its place.
        steps += [
            (change.place.run, begun.get(key, 0), *rows.step_values(step)) for key, step in change.outcome.steps.items()
        ]
    tx.send_all(
        f"INSERT INTO steps (run, place, {rows.STEP}) SELECT * FROM {{rows}} "
        "ON CONFLICT (run, step_key) DO UPDATE SET status = EXCLUDED.status, worker_started = EXCLUDED.worker_started, "
        "started = EXCLUDED.started, ended = EXCLUDED.ended, attempts = EXCLUDED.attempts",
        "int8 int8 text text float8 float8 float8 bytea",
        steps,
    )
    for change in changes:
        if change.moved and change.run.is_finished:
            settle_planned(tx, change.run)
    return ids


def report(tx: Transaction, facts: Sequence[AssetFact | FreshnessStateChange], now: float) -> range:
    """Store facts that are of no run; gives their ids."""
    (ids,) = write_changes(tx, (), [Event(time=now, fact=fact) for fact in facts]) or [range(0)]
    return ids


_Batch = tuple[LogPlace, str | None, int, Sequence[Event]]
"""Events of one run, or of none: where they go, the run's id, its attempt, the events in order."""


def _write_events(tx: Transaction, batches: Sequence[_Batch]) -> list[range]:
    """Number and store events, and keep the rows of the assets that they name."""
    values: list[Row] = []
    assets: list[tuple[str | None, list[NumberedEvent]]] = []
    for place, run_id, attempt, events in batches:
        named: list[NumberedEvent] = []
        for number, given in enumerate(events, len(values) + 1):
            event, body = encode_event(given)
            event_type = event.type
            values.append((*place, number, attempt, event.seq, event.time, event_type, event.step_key, body))
            if event_type in ASSET_EVENTS:
                named.append((number, event, body))
        if named:
            assets.append((run_id, named))
    next_id = before = insert_events(tx, values) if values else 0
    for run_id, named in assets:
        apply_asset_facts(tx, run_id, [(before + number, event, body) for number, event, body in named])
    ids = []
    for _, _, _, events in batches:
        ids.append(range(next_id + 1, next_id + 1 + len(events)))
        next_id += len(events)
    return ids


def _steps_at_hand(tx: Transaction, place: LogPlace, run_id: str, events: Sequence[Event]) -> dict[str, StepStats]:
    """The stored steps that `derive` needs for this batch."""
    keys = {event.step_key for event in events if event.step_key is not None and event.type in STEP_EVENTS}
    ends = any(event.type in CLOSING_EVENTS for event in events)
    if not keys and not ends:
        return {}
    found = tx.rows(
        f"SELECT {rows.STEP} FROM steps WHERE run = %s AND (step_key = ANY(%s) OR (%s AND status = 'IN_PROGRESS'))",
        (place.run, list(keys), ends),
    )
    return {row[0]: rows.step(run_id, row) for row in found}


def _release_slots(tx: Transaction, before: Run, outcome: Outcome) -> bool:
    """Release the slots of what a batch ends: steps, attempts of steps, the run; says whether there were any."""
    run_id = before.run_id
    if before.status in ACTIVE and outcome.run.status not in ACTIVE:
        return bool(tx.rows("DELETE FROM pool_claims WHERE run_id = %s RETURNING 1", (run_id,)))
    over, again = ended_steps(outcome.events)
    if not over and not again:
        return False
    # The slot of an attempt that is made again may be that of the next one already.
    released = tx.rows(
        "DELETE FROM pool_claims c WHERE run_id = %s AND (step_key = ANY(%s) OR EXISTS (SELECT 1 FROM "
        "unnest(%s::text[], %s::bigint[]) AS again (step_key, retry) "
        "WHERE again.step_key = c.step_key AND c.retry < again.retry)) RETURNING 1",
        (run_id, over, [key for key, _ in again], [retry for _, retry in again]),
    )
    return bool(released)


def _has_open_work(tx: Transaction, run_id: str) -> bool:
    """Whether the run's end settles anything that it announced."""
    found = tx.row(
        "SELECT EXISTS (SELECT 1 FROM planned_assets WHERE run_id = %(run)s) OR EXISTS "
        "(SELECT 1 FROM check_executions WHERE run_id = %(run)s AND status = 'IN_PROGRESS')",
        {"run": run_id},
    )
    assert found is not None
    return bool(found[0])
