"""A run's log in pages, and what is counted in the logs of a run and of those that it repeats."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from penstock.records.errors import ErrorInfo
from penstock.records.event import Event, LogLine, RunEnqueued, StepFailure, StepStart, StepSuccess
from penstock.records.run import Run
from penstock.storage import run_log as module
from penstock.storage.run_log import lineage, lost_workers, run_log, steps_at_hand
from penstock.storage.sqlite.storage import SqliteStorage
from penstock.testing.storage_contract.builders import NOW, events_from, given_run, started_run


@pytest.fixture
def storage() -> Iterator[SqliteStorage]:
    opened = SqliteStorage(None)
    yield opened
    opened.close()


def test_all_pages_of_a_log_are_read(storage: SqliteStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAGE", 3)
    run = started_run(storage)
    for count in (5, 1):  # the last page is not full; then it is
        start = len(list(run_log(storage.events, run.run_id, ("LOG",))))
        lines = [LogLine(level="INFO", message=str(start + number)) for number in range(count)]
        storage.events.append(run.run_id, 1, events_from(2 + start, lines, step_key="a"), now=NOW)
        facts = [event.fact for event in run_log(storage.events, run.run_id, ("LOG",))]
        assert [fact.message for fact in facts if isinstance(fact, LogLine)] == [str(n) for n in range(start + count)]
    assert not list(run_log(storage.events, run.run_id, ("LOG",), ["b"]))


def test_lost_workers_are_those_that_the_log_says_were_lost(storage: SqliteStorage) -> None:
    run = started_run(storage)
    for back in (RunEnqueued(reason="killed", lost_worker=True), RunEnqueued(reason="refused")):
        assert storage.runs.record(run.run_id, [back], now=NOW + 5)
        storage.runs.claim([run.run_id], owner="another", until=NOW + 50, now=NOW + 6)
    assert lost_workers(storage.events, run.run_id) == 1


def ended(storage: SqliteStorage, parent: Run | None, **steps: bool) -> Run:
    """A run with steps that succeeded or failed; `a__x` is the mapped step `a[x]`."""
    run = started_run(storage, parent_run_id=None if parent is None else parent.run_id)
    events: list[Event] = []
    for key, succeeded in steps.items():
        step, _, mapping = key.partition("__")
        end = StepSuccess(seconds=1.0) if succeeded else StepFailure(error=ErrorInfo(cls="E", message="no"))
        for fact in (StepStart(), end):
            name = f"{step}[{mapping}]" if mapping else step
            events.append(Event(time=NOW + 3, fact=fact, step_key=name, seq=len(events) + 2))
    storage.events.append(run.run_id, 1, events, now=NOW)
    return run


def test_the_nearest_run_says_whether_a_step_is_at_hand(storage: SqliteStorage) -> None:
    first = ended(storage, None, load=True, clean=True, report=False, map__x=True, map__y=False)
    second = ended(storage, first, clean=False, report=True)
    assert steps_at_hand(storage.runs, storage.events, first) == {"load", "clean"}
    assert steps_at_hand(storage.runs, storage.events, second) == {"load", "report"}
    assert [run.run_id for run in lineage(storage.runs, second)] == [second.run_id, first.run_id]


def test_a_chain_ends_where_its_runs_do(storage: SqliteStorage) -> None:
    orphan = given_run(storage, parent_run_id="gone")
    assert list(lineage(storage.runs, orphan)) == [orphan]
    own_parent = given_run(
        storage, run_id="0197f4a0-0000-7000-8000-000000000001", parent_run_id="0197f4a0-0000-7000-8000-000000000001"
    )
    assert list(lineage(storage.runs, own_parent)) == [own_parent]
