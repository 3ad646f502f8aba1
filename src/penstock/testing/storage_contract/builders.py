"""Runs in every state, made through the public methods of a storage alone."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from typing import Any

from ...records.event import Event, Fact, RunEnqueued, RunStart
from ...records.run import Run
from ...storage.protocols import NewRun, Storage

__all__ = ["NOW", "events_from", "given_run", "new_run", "ordered_run_id", "queued_run", "started_run"]

NOW = 1_700_000_000.0
"""The instant at which the tests begin, in seconds since the epoch."""

_milliseconds = itertools.count(int(NOW * 1000))


def ordered_run_id() -> str:
    """A new run id that sorts after those made before it in this process, as if each were made a millisecond later."""
    time, tail = f"{next(_milliseconds):012x}", os.urandom(10).hex()
    return f"{time[:8]}-{time[8:]}-7{tail[:3]}-8{tail[3:6]}-{tail[6:18]}"


def new_run(*facts: Fact, created: float = NOW, **fields: Any) -> NewRun:
    """A run to be made, with these first facts."""
    fields = {"run_id": ordered_run_id(), "location": "shop", "job": "nightly", **fields}
    return NewRun(run=Run(created=created, **fields), facts=facts)


def given_run(storage: Storage, *facts: Fact, **fields: Any) -> Run:
    """A stored run with these first facts."""
    (run,) = storage.runs.create([new_run(*facts, **fields)])
    return run


def queued_run(storage: Storage, *facts: Fact, **fields: Any) -> Run:
    """A stored run that waits in the queue."""
    return given_run(storage, *facts, RunEnqueued(), **fields)


def started_run(storage: Storage, *facts: Fact, owner: str = "server-1", **fields: Any) -> Run:
    """A stored run that `owner` executes under attempt 1; its first event has the number 1."""
    run = queued_run(storage, *facts, **fields)
    (claimed,) = storage.runs.claim([run.run_id], owner=owner, until=NOW + 30, now=NOW + 1)
    storage.events.append(run.run_id, claimed.attempt, events_from(1, [RunStart(pid=7)], at=NOW + 2), now=NOW + 2)
    started = storage.runs.get(run.run_id)
    assert started is not None
    return started


def events_from(
    first_seq: int, facts: Sequence[Fact], *, at: float = NOW + 3, step_key: str | None = None
) -> list[Event]:
    """A worker's events, numbered from `first_seq`, a millisecond apart."""
    return [
        Event(time=at + index / 1000, fact=fact, step_key=step_key, seq=first_seq + index)
        for index, fact in enumerate(facts)
    ]
