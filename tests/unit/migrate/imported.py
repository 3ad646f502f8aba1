"""Imports an old history, and tells what has come of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from penstock.compat.spellings import LABEL_PREFIXES
from penstock.migrate.history import import_history
from penstock.migrate.history_records import IMPORTED_RUN, Names
from penstock.migrate.history_source import open_source
from penstock.migrate.history_tally import Tally
from penstock.records.event import Event
from penstock.records.run import Run
from penstock.storage.protocols import RunFilter, Storage
from penstock.testing import FakeClock

__all__ = ["NOW", "carry_over", "events_of", "everything", "run_named", "runs_of"]

NOW = 1_800_000_000.0


def carry_over(source: str | Path, storage: Storage, **options: Any) -> Tally:
    opened = open_source(str(source))
    names = Names(LABEL_PREFIXES, options.pop("locations", {}))
    try:
        return import_history(opened, storage, names, clock=FakeClock(NOW), **options)
    finally:
        opened.close()


def runs_of(storage: Storage) -> dict[str, Run]:
    """The imported runs by their old ids."""
    return {run.tags[IMPORTED_RUN]: run for run in storage.runs.page(RunFilter(), limit=1000)}


def run_named(storage: Storage, start: str) -> Run:
    """The run whose old id begins so."""
    (found,) = [run for old, run in runs_of(storage).items() if old.startswith(start)]
    return found


def everything(storage: Storage) -> dict[str, Any]:
    """All that an import leaves, but for the numbers of events."""
    runs = storage.runs.page(RunFilter(), limit=1000)
    assets = storage.assets.states()
    return {
        "runs": runs,
        "events": {run.run_id: events_of(storage, run) for run in runs},
        "steps": {run.run_id: storage.events.step_stats(run.run_id) for run in runs},
        "history": {
            asset: [(each.time, each.run_id, each.fact) for each in storage.assets.history(asset)] for asset in assets
        },
        "made": {asset: (state.materialized_at, state.materialized_run) for asset, state in assets.items()},
        "partitions": {
            asset: {key: (each.status, each.run_id) for key, each in storage.assets.partition_states(asset).items()}
            for asset in assets
        },
        "checks": {key: (each.status, each.updated) for key, each in storage.assets.check_states([*assets]).items()},
        "instigators": storage.instigators.states(),
        "ticks": {each: storage.instigators.ticks(each, limit=1000) for each in storage.instigators.states()},
    }


def events_of(storage: Storage, run: Run) -> list[Event]:
    return [each.event for each in storage.events.of_run(run.run_id)]
