"""Writes runs and their events together with every row derived from them; the caller holds the transaction.

All writers of events end here (a run's creation, the coordinator's and the daemon's records, a worker's batches,
reports from outside runs), so that the derived rows cannot miss one.

Whoever stores events holds the row of their counter from then to the end of the transaction. So it is taken as late as
can be, after every other row that another transaction may want, and nothing that follows waits for an answer: while
the server stores the events, what follows from them is put together here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from ...errors import StorageError
from ...records.event import AssetFact, Event, FreshnessStateChange
from ...records.run import ACTIVE, Run
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
from .event_logs import LAST_ID, ensure_logs, insert_events
from .transaction import Answer, Row, Transaction

__all__ = [
    "RUN_VALUES",
    "Change",
    "ask_steps",
    "changed_run",
    "insert_runs",
    "report",
    "topics_of_all",
    "write_changes",
]

_PLACE = rows.RUN_PLACE.split(", ")
RUN_VALUES = ", ".join(["%s"] * len(_PLACE))
"""A placeholder for each column of `rows.RUN_PLACE`."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be written of one run: where its events are, what a batch of them comes to, and what changes by
    that. `released` says, when the transaction is over, how many slots of pools it sets free."""

    place: LogPlace
    attempt: int
    outcome: Outcome
    topics: set[str]
    released: Answer | None = None
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
        "INSERT INTO run_tags (key, value, run_id) SELECT * FROM {rows} AS given",
        "text text text",
        [(key, value, each.run.run_id) for each in changes for key, value in each.run.tags.items()],
    )
    return changes


def ask_steps(tx: Transaction, run_id: str, events: Sequence[Event]) -> Answer | None:
    """Ask for the stored steps that `changed_run` needs for these events; None where it needs none."""
    keys, ends = set(), False
    for event in events:
        event_type = event.type
        if event_type in STEP_EVENTS:
            if event.step_key is not None:
                keys.add(event.step_key)
        elif event_type in CLOSING_EVENTS:
            ends = True
    if not keys and not ends:
        return None
    # By the LIMIT each is looked up by itself: the planner takes a run to have few steps, and would read them all. The
    # subquery hides how many are looked up, for which the statement would be planned anew each time.
    run = "run = (SELECT num FROM runs WHERE run_id = %s)"
    statement = (
        "SELECT s.* FROM unnest((SELECT %s::text[])) AS named (step_key) CROSS JOIN LATERAL "
        f"(SELECT {rows.STEP} FROM steps WHERE {run} AND step_key = named.step_key LIMIT 1) AS s"
    )
    values: list[Any] = [sorted(keys), run_id]
    if ends:
        statement += f" UNION ALL SELECT {rows.STEP} FROM steps WHERE {run} AND status = 'IN_PROGRESS'"
        values.append(run_id)
    return tx.ask(statement, values)


def changed_run(
    tx: Transaction, place: LogPlace, run: Run, attempt: int, events: Sequence[Event], steps: Answer | None = None
) -> Change:
    """What a batch of a run's events comes to; to be written by `write_changes`.

    Args:
        place: Where the run's events are.
        run: As stored; `rows.run_place` is enough. Its row is locked by this transaction.
        attempt: The attempt that the events are of.
        events: In order, none of them stored already. Those that the run's state refuses are left out.
        steps: The answer of `ask_steps`, where it has been asked for already.
    """
    if steps is None and (steps := ask_steps(tx, run.run_id, events)) is not None:
        tx.sync()
    known = {} if steps is None else {row[0]: rows.step(run.run_id, row) for row in steps.rows()}
    outcome = derive(run, known, events)
    topics = topics_of(run, outcome)
    released = _release_slots(tx, run, outcome)
    if outcome.run.is_finished and "assets" not in topics and _has_open_work(tx, run.run_id):
        topics.add("assets")
    return Change(
        place=place, attempt=attempt, outcome=outcome, topics=topics, released=released, moved=outcome.run is not run
    )


def topics_of_all(changes: Iterable[Change]) -> set[str]:
    """What changes mean for whoever listens, once their transaction is over."""
    topics: set[str] = set()
    for change in changes:
        topics |= change.topics
        if change.released is not None and change.released.count:
            topics |= {"slots", "pools"}
    return topics


def write_changes(tx: Transaction, changes: Sequence[Change], facts: Sequence[Event] = ()) -> Answer | None:
    """Store what batches of runs' events come to; the answer is the id of the last event, None where there is none.

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
    last_id = _write_events(tx, batches)
    steps = []
    first = -sum(len(events) for _, _, _, events in batches)
    for change in changes:
        following = first + len(change.outcome.events)
        begun = places(range(first + 1, following + 1), change.outcome.events)
        first = following
        # One without an event in the batch is stored already, and keeps its place.
        steps += [
            (change.place.run, begun.get(key, 0), *rows.step_values(step)) for key, step in change.outcome.steps.items()
        ]
    tx.send_all(
        f"INSERT INTO steps (run, place, {rows.STEP}) SELECT run, {LAST_ID} + place, {rows.STEP} "
        f"FROM {{rows}} AS given (run, place, {rows.STEP}) "
        "ON CONFLICT (run, step_key) DO UPDATE SET status = EXCLUDED.status, worker_started = EXCLUDED.worker_started, "
        "started = EXCLUDED.started, ended = EXCLUDED.ended, attempts = EXCLUDED.attempts",
        "int8 int8 text text float8 float8 float8 bytea",
        steps,
    )
    for change in changes:
        if change.moved and change.run.is_finished:
            settle_planned(tx, change.run)
    return last_id


def report(tx: Transaction, facts: Sequence[AssetFact | FreshnessStateChange], now: float) -> Answer | None:
    """Store facts that are of no run; the answer is the id of the last one."""
    return write_changes(tx, (), [Event(time=now, fact=fact) for fact in facts])


_Batch = tuple[LogPlace, str | None, int, Sequence[Event]]
"""Events of one run, or of none: where they go, the run's id, its attempt, the events in order."""


def _write_events(tx: Transaction, batches: Sequence[_Batch]) -> Answer | None:
    """Number and store events, and keep the rows of the assets that they name; the answer is the last one's id."""
    values: list[Row] = []
    assets: list[tuple[str | None, list[NumberedEvent]]] = []
    number = -sum(len(events) for _, _, _, events in batches)
    for (log, run), run_id, attempt, events in batches:
        named: list[NumberedEvent] = []
        for given in events:
            number += 1
            event, body = encode_event(given)
            event_type = event.type
            values.append((log, run, number, attempt, event.seq, event.time, event_type, event.step_key, body))
            if event_type in ASSET_EVENTS:
                named.append((number, event, body))
        if named:
            assets.append((run_id, named))
    if not values:
        return None
    last_id = insert_events(tx, values)
    for run_id, named in assets:
        apply_asset_facts(tx, run_id, named)
    return last_id


def _release_slots(tx: Transaction, before: Run, outcome: Outcome) -> Answer | None:
    """Release the slots of what a batch ends: steps, attempts of steps, the run; the answer is how many there were."""
    run_id = before.run_id
    if before.status in ACTIVE and outcome.run.status not in ACTIVE:
        return tx.ask("DELETE FROM pool_claims WHERE run_id = %s", (run_id,))
    over, again = ended_steps(outcome.events)
    if not over and not again:
        return None
    # The slot of an attempt that is made again may be that of the next one already.
    return tx.ask(
        "DELETE FROM pool_claims c WHERE run_id = %s AND (step_key = ANY(%s) OR EXISTS (SELECT 1 FROM "
        "unnest(%s::text[], %s::bigint[]) AS again (step_key, retry) "
        "WHERE again.step_key = c.step_key AND c.retry < again.retry))",
        (run_id, over, [key for key, _ in again], [retry for _, retry in again]),
    )


def _has_open_work(tx: Transaction, run_id: str) -> bool:
    """Whether the run's end settles anything that it announced."""
    found = tx.row(
        "SELECT EXISTS (SELECT 1 FROM planned_assets WHERE run_id = %(run)s) OR EXISTS "
        "(SELECT 1 FROM check_executions WHERE run_id = %(run)s AND status = 'IN_PROGRESS')",
        {"run": run_id},
    )
    assert found is not None
    return bool(found[0])
