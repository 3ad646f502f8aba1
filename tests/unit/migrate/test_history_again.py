"""An import of a history that is done again, was broken off, or takes a part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from penstock.instance.doctor.verify import verify
from penstock.records.run import FailureReason, RunStatus
from penstock.storage.sqlite import SqliteStorage

from .imported import NOW, carry_over, everything, run_named, runs_of
from .old_history import OldTable, old_tables, write_home


def test_twice_is_once(tmp_path: Path, tables: dict[str, OldTable], storage: SqliteStorage) -> None:
    home = write_home(tmp_path, tables)
    carry_over(home, storage)
    before, last = everything(storage), storage.events.last_id()
    again = carry_over(home, storage)
    assert everything(storage) == before
    assert storage.events.last_id() == last
    assert (again.runs, again.events, again.reports, again.ticks, again.runs_here) == (0, 0, 0, 0, 11)
    assert (again.switches, again.cursors, again.partitions, again.pools) == (0, 0, 0, 0)


class _BrokenOffError(Exception):
    """What ends an import in the middle."""


@pytest.mark.parametrize(("batch", "calls"), [(1, 1), (1, 2), (1, 90), (1, 280), (7, 1), (7, 30), (100, 3), (5000, 1)])
def test_an_import_that_was_broken_off_goes_on(
    tmp_path: Path, tables: dict[str, OldTable], monkeypatch: pytest.MonkeyPatch, batch: int, calls: int
) -> None:
    home = write_home(tmp_path, tables)
    whole, broken = SqliteStorage(None), SqliteStorage(None)
    try:
        carry_over(home, whole)
        monkeypatch.setattr("penstock.migrate.history_events._BATCH", batch)
        left = calls
        load = broken.archive.load_events

        def break_off(*arguments: Any, **options: Any) -> int:
            nonlocal left
            left -= 1
            if not left:
                raise _BrokenOffError
            return load(*arguments, **options)

        broken.archive.load_events = break_off  # type: ignore[method-assign]
        with pytest.raises(_BrokenOffError):
            carry_over(home, broken)
        broken.archive.load_events = load  # type: ignore[method-assign]
        carry_over(home, broken)
        assert everything(broken) == everything(whole)
        assert list(verify(broken, now=NOW)) == []
    finally:
        whole.close()
        broken.close()


def test_runs_that_go_on_come_with_the_next_import(
    tmp_path: Path, tables: dict[str, OldTable], storage: SqliteStorage
) -> None:
    unfinished = old_tables()
    run = next(row for row in unfinished["runs"].rows if row[1].startswith("65dfe848"))
    run[3], run[8] = "STARTED", None
    carry_over(write_home(tmp_path / "before", unfinished), storage)
    assert len(runs_of(storage)) == 10
    assert storage.assets.partition_states("by_branch") == {}
    tally = carry_over(write_home(tmp_path / "after", tables), storage)
    assert (tally.runs, len(runs_of(storage))) == (1, 11)
    assert [*storage.assets.partition_states("by_branch")] == ["north|2026-01-02"]


def test_an_older_materialization_does_not_become_the_latest(
    tmp_path: Path, tables: dict[str, OldTable], storage: SqliteStorage
) -> None:
    unfinished = old_tables()
    older = next(row for row in unfinished["runs"].rows if row[1].startswith("1b5135a0"))
    older[3], older[8] = "STARTED", None
    carry_over(write_home(tmp_path / "before", unfinished), storage)
    latest = storage.assets.states()["orders"].materialized_run
    tally = carry_over(write_home(tmp_path / "after", tables), storage)
    assert storage.assets.states()["orders"].materialized_run == latest == run_named(storage, "d04992d3").run_id
    assert tally.as_notes["materializations older than what an earlier import has brought of the asset"] == 2


def test_unfinished_runs_are_taken_as_failed_where_that_is_asked_for(
    tmp_path: Path, tables: dict[str, OldTable], storage: SqliteStorage
) -> None:
    carry_over(write_home(tmp_path, tables), storage, unfinished=True)
    run = run_named(storage, "f8f98334")
    assert (run.status, run.failure_reason) == (RunStatus.FAILURE, FailureReason.UNKNOWN)
    assert run.note == "The run had not ended (NOT_STARTED) when its history was imported."


def test_since_leaves_out_what_was_before(tmp_path: Path, tables: dict[str, OldTable], storage: SqliteStorage) -> None:
    since = 1795931750.0
    tally = carry_over(write_home(tmp_path, tables), storage, since=since)
    assert {run.job for run in runs_of(storage).values()} == {"asset_job", "nightly"}
    assert all(run.created >= since for run in runs_of(storage).values())
    assert tally.left_out["runs made before the time that --since gives"] == 9
    assert tally.left_out["events of no run before the time that --since gives"] == 3
    assert tally.ticks == 15


def test_a_dry_run_stores_nothing_and_counts_the_same(
    tmp_path: Path, tables: dict[str, OldTable], storage: SqliteStorage
) -> None:
    home = write_home(tmp_path, tables)
    would = carry_over(home, storage, write=False)
    assert (runs_of(storage), storage.events.last_id(), storage.instigators.states()) == ({}, 0, {})
    assert (storage.assets.dynamic_partitions("customers"), storage.leases.all()) == ([], [])
    assert vars(carry_over(home, storage)) == vars(would)
