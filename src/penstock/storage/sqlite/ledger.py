"""Writes runs and their events together with every row derived from them; the caller holds the transaction.

All writers of events end here (a run's creation, the coordinator's and the daemon's records, a worker's batches,
reports from outside runs), so that the derived rows cannot miss one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import msgspec

from ...errors import StorageError
from ...records.event import AssetFact, Event, FreshnessStateChange
from ...records.run import ACTIVE, Run, StepStats
from .. import rows
from ..asset_facts import ASSET_EVENTS, NumberedEvent
from ..derive import CLOSING_EVENTS, STEP_EVENTS, begin, derive, first_events, places, topics_of
from ..encoding import encode_event
from ..months import LogPlace, month_of
from ..protocols import NewRun
from .asset_rows import apply_asset_facts, settle_planned
from .event_logs import ensure_log, insert_events
from .listed import listed
from .slot_rows import release_run, release_steps

__all__ = ["Written", "insert_run", "report", "write_run_events"]


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What was written: the run as it is now, the ids of the events, and the topics to publish."""

    run: Run
    ids: range
    topics: set[str]


def insert_run(connection: sqlite3.Connection, new: NewRun) -> Written:
    """Store a new run with its tags, its job's snapshot and its first facts.

    Raises:
        StorageError: A run of that id exists.
    """
    run = begin(new)
    events = first_events(new)
    if new.snapshot is not None:
        connection.execute("INSERT INTO snapshots VALUES (?, ?) ON CONFLICT DO NOTHING", (run.snapshot, new.snapshot))
    exists = connection.execute("SELECT 1 FROM runs WHERE run_id = ?", (run.run_id,)).fetchone()
    if exists is not None:
        raise StorageError(f"A run with the id {run.run_id} exists already; make a new id for a new run.")
    log = month_of(run.created)
    ensure_log(connection, log)
    number = connection.execute(
        f"INSERT INTO runs (log, {rows.NEW_RUN}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (log, *rows.new_run_values(run)),
    ).lastrowid
    connection.executemany(
        "INSERT INTO run_tags (key, value, run_id) VALUES (?, ?, ?)",
        [(key, value, run.run_id) for key, value in run.tags.items()],
    )
    written = write_run_events(connection, LogPlace(log, number), run, run.attempt, events)
    written.topics.add("runs")
    return written


def write_run_events(
    connection: sqlite3.Connection, place: LogPlace, run: Run, attempt: int, events: Sequence[Event]
) -> Written:
    """Store events of a run and all that follows from them.

    Args:
        place: Where the run's events are.
        run: As stored; `rows.run_place` is enough.
        attempt: The attempt that the events are of.
        events: In order, none of them stored already. Those that the run's state refuses are left out.
    """
    number = place.run
    assert number is not None
    outcome = derive(run, _steps_at_hand(connection, number, run.run_id, events), events)
    ids = _write_events(connection, place, run.run_id, attempt, outcome.events)
    if outcome.steps:
        _write_steps(connection, number, ids, outcome.events, outcome.steps)
    topics = topics_of(run, outcome)
    if release_steps(connection, run.run_id, outcome.events):
        topics |= {"slots", "pools"}
    after = outcome.run
    if after is not run:
        connection.execute(
            "UPDATE runs SET status = ?, attempt = ?, owner = ?, lease_until = ?, queued = ?, launched = ?, "
            "started = ?, ended = ?, updated = ?, failure_reason = ?, note = ? WHERE num = ?",
            (*rows.run_place_values(after), number),
        )
        if run.status in ACTIVE and after.status not in ACTIVE and release_run(connection, run.run_id):
            topics |= {"slots", "pools"}
        if after.is_finished and settle_planned(connection, after):
            topics.add("assets")
    return Written(run=after, ids=ids, topics=topics)


def report(connection: sqlite3.Connection, facts: Sequence[AssetFact | FreshnessStateChange], now: float) -> range:
    """Store facts that are of no run; gives their ids."""
    place = LogPlace(month_of(now), None)
    ensure_log(connection, place.log)
    return _write_events(connection, place, None, 0, [Event(time=now, fact=fact) for fact in facts])


def _write_events(
    connection: sqlite3.Connection, place: LogPlace, run_id: str | None, attempt: int, events: Sequence[Event]
) -> range:
    """Number and store events, and keep the rows of the assets that they name; gives their ids."""
    if not events:
        return range(0)
    first = connection.execute("SELECT value FROM counters WHERE name = 'event'").fetchone()[0] + 1
    ids = range(first, first + len(events))
    connection.execute("UPDATE counters SET value = ? WHERE name = 'event'", (ids[-1],))
    values = []
    assets: list[NumberedEvent] = []
    for event_id, given in zip(ids, events, strict=True):
        event, body = encode_event(given)
        event_type = event.type
        values.append((event_id, place.run, attempt, event.seq, event.time, event_type, event.step_key, body))
        if event_type in ASSET_EVENTS:
            assets.append((event_id, event, body))
    insert_events(connection, place.log, values)
    if assets:
        apply_asset_facts(connection, run_id, assets)
    return ids


def _steps_at_hand(
    connection: sqlite3.Connection, number: int, run_id: str, events: Sequence[Event]
) -> dict[str, StepStats]:
    """The stored steps that `derive` needs for this batch."""
    keys = {event.step_key for event in events if event.step_key is not None and event.type in STEP_EVENTS}
    found = []
    if keys:
        found += connection.execute(
            f"SELECT {rows.STEP} FROM steps WHERE run = ? AND step_key IN (SELECT value FROM json_each(?))",
            (number, listed(keys)),
        ).fetchall()
    if any(event.type in CLOSING_EVENTS for event in events):
        found += connection.execute(
            f"SELECT {rows.STEP} FROM steps WHERE run = ? AND status = 'IN_PROGRESS'",
            (number,),
        ).fetchall()
    return {row[0]: rows.step(run_id, row) for row in found}


def _write_steps(
    connection: sqlite3.Connection,
    number: int,
    ids: range,
    events: Sequence[Event],
    steps: dict[str, StepStats],
) -> None:
    begun = places(ids, events)
    connection.executemany(
        f"INSERT INTO steps (run, place, {rows.STEP}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (run, step_key) DO UPDATE SET status = excluded.status, worker_started = excluded.worker_started, "
        "started = excluded.started, ended = excluded.ended, attempts = excluded.attempts",
        # One without an event in the batch is stored already, and keeps its place.
        [(number, begun.get(step.step_key, ids[-1]), *rows.step_values(step)) for step in steps.values()],
    )
