"""A history that Dagster has written is carried over, whole and once, from SQLite and from Postgres."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from psycopg.conninfo import conninfo_to_dict

from penstock.compat.spellings import LABEL_PREFIXES
from penstock.errors import SettingsError, UsageError
from penstock.migrate.history import import_history
from penstock.migrate.history_records import IMPORTED_RUN, Names
from penstock.migrate.history_source import open_source
from penstock.migrate.history_tally import Tally
from penstock.records.asset import PartitionStatus
from penstock.records.automation import InstigatorStatus, TickStatus
from penstock.records.event import Event, RunFailure, StepFailure, StepUpForRetry
from penstock.records.lease import ProcessInfo
from penstock.records.metadata import MetadataValue
from penstock.records.run import FINISHED, FailureReason, Run, RunStatus, StepStatus
from penstock.records.table import (
    TableColumn,
    TableColumnConstraints,
    TableColumnDep,
    TableColumnLineage,
    TableConstraints,
    TableRecord,
    TableSchema,
)
from penstock.storage.protocols import NewRun, RunFilter
from penstock.storage.sqlite import SqliteStorage
from penstock.testing import FakeClock

from .old_history import OldTable, old_tables, write_home, write_postgres

NOW = 1_800_000_000.0


@pytest.fixture
def tables() -> dict[str, OldTable]:
    """The old rows."""
    return old_tables()


@pytest.fixture
def storage() -> Iterator[SqliteStorage]:
    """Where the history goes."""
    storage = SqliteStorage(None)
    yield storage
    storage.close()


def carry_over(source: str | Path, storage: SqliteStorage, **options: Any) -> Tally:
    opened = open_source(str(source))
    names = Names(LABEL_PREFIXES, options.pop("locations", {}))
    try:
        return import_history(opened, storage, names, clock=FakeClock(NOW), **options)
    finally:
        opened.close()


def runs_of(storage: SqliteStorage) -> dict[str, Run]:
    """The imported runs by their old ids."""
    return {run.tags[IMPORTED_RUN]: run for run in storage.runs.page(RunFilter(), limit=1000)}


def run_named(storage: SqliteStorage, start: str) -> Run:
    """The run whose old id begins so."""
    (found,) = [run for old, run in runs_of(storage).items() if old.startswith(start)]
    return found


def everything(storage: SqliteStorage) -> dict[str, Any]:
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


def events_of(storage: SqliteStorage, run: Run) -> list[Event]:
    return [each.event for each in storage.events.of_run(run.run_id)]


# -- what comes over ---------------------------------------------------------------------------------------------------


def test_runs_keep_their_times_tags_and_end(
    tmp_path: Path, tables: dict[str, OldTable], storage: SqliteStorage
) -> None:
    tally = carry_over(write_home(tmp_path, tables), storage)
    runs = runs_of(storage)
    assert (tally.runs, len(runs), tally.broken_rows) == (11, 11, 0)
    for _, old_id, job, status, _, _, _, started, ended in tables["runs"].rows:
        if status == "NOT_STARTED":
            assert old_id not in runs
            continue
        run = runs[old_id]
        assert (run.job, run.status) == (job, status)
        assert run.started == pytest.approx(started, abs=1e-6)
        assert run.ended == pytest.approx(ended, abs=1e-6)
    assert [*runs.values()] == sorted(runs.values(), key=lambda run: run.created, reverse=True)
    nightly = run_named(storage, "5ff49a22")
    assert nightly.tags == {
        "penstock/priority": "3",
        "team": "tills",
        IMPORTED_RUN: "5ff49a22-101e-4197-b426-6dd8b867eb49",
    }
    assert nightly.run_config == {"ops": {"gather": {"config": {"factor": 2}}}}
    assert (nightly.location, run_named(storage, "d04992d3").location) == ("(this process)", "shop.py")
    assert tally.left_out["runs that have not ended: import again when they have, or give --unfinished"] == 1


def test_steps_come_with_their_tries_and_errors(
    tmp_path: Path, tables: dict[str, OldTable], storage: SqliteStorage
) -> None:
    carry_over(write_home(tmp_path, tables), storage)
    nightly = run_named(storage, "5ff49a22")
    steps = {each.step_key: each for each in storage.events.step_stats(nightly.run_id)}
    assert {key: (each.status, len(each.attempts)) for key, each in steps.items()} == {
        "fan": (StepStatus.SUCCESS, 1),
        "flaky": (StepStatus.SUCCESS, 2),
        "double[k0]": (StepStatus.SUCCESS, 1),
        "double[k1]": (StepStatus.SUCCESS, 1),
        "double[k2]": (StepStatus.SUCCESS, 1),
        "gather": (StepStatus.SUCCESS, 1),
        "on_b": (StepStatus.SKIPPED, 0),
    }
    (retry,) = [each.fact for each in events_of(storage, nightly) if isinstance(each.fact, StepUpForRetry)]
    assert (retry.retry, retry.wait, retry.error.root().cls, retry.error.root().message) == (
        1,
        0.1,
        "RuntimeError",
        "not yet",
    )
    assert [frame.function for frame in retry.error.root().frames if frame.user] == ["flaky"]

    fragile = run_named(storage, "11879477")
    (failure,) = [each.fact for each in events_of(storage, fragile) if isinstance(each.fact, StepFailure)]
    assert failure.metadata == {"till": MetadataValue.int(7)}
    assert failure.error.message == "the till is broken"
    assert failure.error.cause is not None
    assert (failure.error.cause.cls, failure.error.cause.message) == ("KeyError", "'inner cause'")
    (end,) = [each.fact for each in events_of(storage, fragile) if isinstance(each.fact, RunFailure)]
    assert (end.reason, end.failed_steps) == (FailureReason.STEP_FAILURE, ("fragile",))
    assert storage.assets.states()["after_fragile"].failed_run == fragile.run_id


def test_every_kind_of_metadata_comes_over(tmp_path: Path, tables: dict[str, OldTable], storage: SqliteStorage) -> None:
    tally = carry_over(write_home(tmp_path, tables), storage)
    oldest = storage.assets.history("orders", ascending=True)[0]
    assert oldest.run_id is not None
    table = TableSchema(
        [
            TableColumn("id", "int", "the id", TableColumnConstraints(nullable=False, unique=True)),
            TableColumn("name", tags={"pii": "yes"}),
        ],
        TableConstraints(["id > 0"]),
    )
    assert oldest.fact.metadata == {
        "text": MetadataValue.text("hello"),
        "md": MetadataValue.md("**bold**"),
        "int": MetadataValue.int(3),
        "big": MetadataValue.int(2**40),
        "float": MetadataValue.float(1.5),
        "bool": MetadataValue.bool(True),
        "json": MetadataValue.json({"a": [1, 2, {"b": None}]}),
        "url": MetadataValue.url("https://example.com/x"),
        "path": MetadataValue.path("/data/x.csv"),
        "notebook": MetadataValue.notebook("/data/x.ipynb"),
        "timestamp": MetadataValue.timestamp(1767225600.0),
        "asset": MetadataValue.asset(["a", "b"]),
        "run": MetadataValue.run(oldest.run_id),
        "job": MetadataValue.job("nightly", "shop.py", repository_name="__repository__"),
        "null": MetadataValue.null(),
        "artifact": type(MetadataValue.python_artifact(old_tables))("shop", "orders_table"),
        "pool": MetadataValue.pool("bank"),
        "table": MetadataValue.table([TableRecord({"id": 1, "name": "x"}), TableRecord({"id": 2, "name": "y"})], table),
        "penstock/column_schema": MetadataValue.table_schema(TableSchema([TableColumn("id", "int")])),
        "penstock/column_lineage": MetadataValue.column_lineage(
            TableColumnLineage({"id": [TableColumnDep(["src", "t"], "oid")]})
        ),
        "penstock/row_count": MetadataValue.int(42),
    }
    assert not [what for what in tally.as_notes if "metadata" in what]
    assert storage.assets.data_versions(["orders", "feed"])["orders"].version == "v-orders-1"
    assert storage.assets.data_versions(["feed"])["feed"].version == "feed-7"


def test_partitions_checks_reports_and_wiped_assets_stand_as_they_stood(
    tmp_path: Path, tables: dict[str, OldTable], storage: SqliteStorage
) -> None:
    carry_over(write_home(tmp_path, tables), storage)

    def partitions(asset: str) -> dict[str, PartitionStatus]:
        return {key: each.status for key, each in storage.assets.partition_states(asset).items()}

    assert partitions("daily") == {"2026-01-01": PartitionStatus.MATERIALIZED}
    assert partitions("by_branch") == {"north|2026-01-02": PartitionStatus.MATERIALIZED}
    assert partitions("per_customer") == {"ann": PartitionStatus.MATERIALIZED}
    assert partitions("reported") == {"p1": PartitionStatus.MATERIALIZED}
    assert storage.assets.dynamic_partitions("customers") == ["ann", "bob", "c2"]
    assert {key: each.status for key, each in storage.assets.check_states(["orders"]).items()} == {
        "orders:orders_broken": "EXECUTION_FAILED",
        "orders:orders_fail": "FAILED",
        "orders:orders_positive": "SUCCEEDED",
        "orders:orders_warn": "FAILED",
        "orders:reported_check": "SUCCEEDED",
    }
    reported = storage.assets.history("reported")
    assert [(each.run_id, round(each.time, 3)) for each in reported] == [(None, 1795931749.806), (None, 1795931749.726)]
    assert storage.assets.history("gone") == []
    assert "gone" not in storage.assets.states()
    assert [each.event.asset_key for each in storage.events.of_types(["ASSET_WIPED"])] != []
    assert storage.slots.limits() == {"bank": 3}


def test_ticks_cursors_and_switches_come_over(
    tmp_path: Path, tables: dict[str, OldTable], storage: SqliteStorage
) -> None:
    tally = carry_over(write_home(tmp_path, tables), storage, locations={"shop.py": "shop"})
    states = storage.instigators.states()
    newest = str(storage.events.last_id())
    assert {key: (state.status, state.cursor) for key, state in states.items()} == {
        "shop/schedule/minutely": (InstigatorStatus.DECLARED_IN_CODE, None),
        "shop/schedule/never_on": (InstigatorStatus.RUNNING, None),
        "shop/schedule/skipping": (InstigatorStatus.DECLARED_IN_CODE, None),
        "shop/sensor/files": (InstigatorStatus.DECLARED_IN_CODE, "2"),
        "shop/sensor/on_failure": (InstigatorStatus.DECLARED_IN_CODE, newest),
        "shop/sensor/on_orders": (InstigatorStatus.DECLARED_IN_CODE, newest),
        "shop/sensor/stopped_by_hand": (InstigatorStatus.STOPPED, None),
    }
    files = storage.instigators.ticks("shop/sensor/files")
    assert [each.status for each in files] == [
        TickStatus.FAILURE,
        TickStatus.FAILURE,
        TickStatus.SUCCESS,
        TickStatus.SKIPPED,
    ]
    made = run_named(storage, "d04992d3")
    assert (files[2].run_ids, files[2].run_keys) == ((made.run_id,), ("file-2",))
    assert (made.location, made.status) == ("shop", RunStatus.FAILURE)
    assert files[0].error is not None
    assert files[0].error.root().message == "disk away"
    assert files[3].skip_reason == "no file"
    assert (files[3].due, files[3].ended) == (1795931754.022907, 1795931754.126791)
    assert tally.left_out["ticks that have not ended"] == 1
    assert tally.cursors == 3


@pytest.mark.parametrize("ticks_are_there", [True, False])
def test_a_used_run_key_is_not_used_again(
    tmp_path: Path, tables: dict[str, OldTable], storage: SqliteStorage, ticks_are_there: bool
) -> None:
    if not ticks_are_there:
        tables["job_ticks"].rows.clear()
    carry_over(write_home(tmp_path, tables), storage)
    lease = storage.leases.acquire("sensors", "me", ttl=60.0, now=NOW)
    assert lease is not None
    tick = storage.instigators.begin_tick("shop.py/sensor/files", NOW, lease=lease, now=NOW)
    assert tick is not None
    again = NewRun(run=Run(run_id="01a225df-0000-7000-8000-000000000000", location="shop.py", job="asset_job"))
    ended = storage.instigators.complete_tick(
        type(tick)(instigator=tick.instigator, due=NOW, status=TickStatus.SUCCESS, attempt=1),
        lease=lease,
        runs=[("file-2", again)],
        now=NOW,
    )
    assert ended.run_ids == ()
    assert storage.runs.get(again.run.run_id) is None


# -- once, and on from where it stopped --------------------------------------------------------------------------------


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


# -- what is broken ----------------------------------------------------------------------------------------------------


def test_broken_rows_are_named_and_the_rest_comes_over(
    tmp_path: Path, tables: dict[str, OldTable], storage: SqliteStorage
) -> None:
    runs, events = tables["runs"].rows, tables["event_logs"].rows
    runs[1][4] = '{"__class__": "PipelineRun", "run_config": {'  # cut off
    runs[2][5] = "yesterday"
    success = next(row for row in events if row[1].startswith("5ff49a22") and "PIPELINE_SUCCESS" in row[2])
    success[2] = success[2][:100]
    made = next(row for row in events if '"materialization"' in row[2] and row[1].startswith("5e0b7d6a"))
    made[2] = made[2].replace('"materialization"', '"something else"')
    tables["job_ticks"].rows[0][2] = "{}"
    tables["instigators"].rows[0][2] = "no JSON"
    tally = carry_over(write_home(tmp_path, tables), storage)
    places = [place.partition(": ")[0] for place in tally.broken]
    assert sorted(places) == sorted(
        [
            f"run {runs[1][1]}",
            f"run {runs[2][1]}",
            f"run {success[1]}, event {success[0]}",
            f"run {made[1]}, event {made[0]}",
            f"schedule or sensor {tables['instigators'].rows[0][1]}",
            *(place for place in places if place.startswith("tick ")),
        ]
    )
    assert tally.broken_rows == len(places)
    assert len(runs_of(storage)) == 9
    assert {run.status for run in runs_of(storage).values()} <= FINISHED
    assert run_named(storage, "5ff49a22").status is RunStatus.SUCCESS  # its row says so
    notes = [each.message for each in events_of(storage, run_named(storage, "5e0b7d6a")) if each.type == "ENGINE_EVENT"]
    assert any(note.startswith("A line of the old log: ") for note in notes)


def test_a_run_without_its_file_ends_as_its_row_says(
    tmp_path: Path, tables: dict[str, OldTable], storage: SqliteStorage
) -> None:
    home = write_home(tmp_path, tables)
    for path in (home / "history" / "runs").glob("*-*.db"):
        path.unlink()
    carry_over(home, storage)
    assert {old: run.status for old, run in runs_of(storage).items()} == {
        row[1]: row[3] for row in tables["runs"].rows if row[3] != "NOT_STARTED"
    }


def test_what_is_unknown_is_counted_and_told_in_its_own_words(
    tmp_path: Path, tables: dict[str, OldTable], storage: SqliteStorage
) -> None:
    events = tables["event_logs"].rows
    row = next(row for row in events if row[1].startswith("5e0b7d6a") and '"LOGS_CAPTURED"' in row[2])
    line = json.loads(row[2])
    line["dagster_event"] |= {
        "event_type_value": "MOON_PHASE",
        "message": "The moon is full.",
        "event_specific_data": {},
    }
    row[2] = json.dumps(line)
    tally = carry_over(write_home(tmp_path, tables), storage)
    assert tally.as_notes == {"events of the type MOON_PHASE": 1, "events of the type STEP_EXPECTATION_RESULT": 1}
    assert tally.left_out["events of no run of the type FRESHNESS_STATE_CHANGE"] == 2
    assert "The moon is full." in [each.message for each in events_of(storage, run_named(storage, "5e0b7d6a"))]


def test_a_folder_that_is_no_home_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"there is no .*runs\.db\. Name the folder that DAGSTER_HOME names"):
        open_source(str(tmp_path))


def test_tables_of_another_time_are_refused_by_name(tmp_path: Path, tables: dict[str, OldTable]) -> None:
    runs = tables["runs"]
    runs.columns[runs.columns.index("create_timestamp")] = "created"
    home = write_home(tmp_path, tables)
    with pytest.raises(SettingsError, match=r"runs\.db is not a history .* the columns create_timestamp of the table"):
        open_source(str(home))


def test_a_file_that_is_no_database_is_named(tmp_path: Path, tables: dict[str, OldTable]) -> None:
    home = write_home(tmp_path, tables)
    (home / "schedules" / "schedules.db").write_bytes(b"x" * 5000)
    with pytest.raises(SettingsError, match=r"schedules\.db cannot be read as a SQLite file: file is not a database"):
        open_source(str(home))


def test_an_instance_with_runs_of_its_own_is_left_alone(
    tmp_path: Path, tables: dict[str, OldTable], storage: SqliteStorage
) -> None:
    own = Run(run_id="01a225df-0000-7000-8000-000000000000", location="shop", job="nightly")
    storage.runs.create([NewRun(run=own)])
    with pytest.raises(UsageError, match=f"runs of its own already, {own.run_id} among them.*Import into a new home"):
        carry_over(write_home(tmp_path, tables), storage)
    assert storage.runs.page(RunFilter(), limit=10) == [own] or len(runs_of(storage)) == 0


def test_no_daemon_may_be_at_work(tmp_path: Path, tables: dict[str, OldTable], storage: SqliteStorage) -> None:
    storage.leases.beat(
        ProcessInfo(id="daemon-1", kind="daemon", host="here", pid=7, version="1", started=NOW - 9, seen=NOW - 5)
    )
    with pytest.raises(UsageError, match=r"A daemon works on the instance \(process 7 on here\).*Stop it"):
        carry_over(write_home(tmp_path, tables), storage)


def test_two_imports_take_turns(tmp_path: Path, tables: dict[str, OldTable], storage: SqliteStorage) -> None:
    storage.leases.acquire("history-import", "another", ttl=60.0, now=NOW)
    with pytest.raises(UsageError, match="Another import is at work"):
        carry_over(write_home(tmp_path, tables), storage)


# -- Postgres ----------------------------------------------------------------------------------------------------------


def address_of(conninfo: str) -> str:
    parts = conninfo_to_dict(conninfo)
    secret = f":{quote(str(parts['password']), safe='')}" if parts.get("password") else ""
    return f"postgresql://{parts['user']}{secret}@{parts['host']}:{parts['port']}/{parts['dbname']}"


def test_a_history_in_postgres_comes_over_as_one_in_files(
    tmp_path: Path, tables: dict[str, OldTable], storage: SqliteStorage, postgres_url: str
) -> None:
    write_postgres(postgres_url, tables)
    carry_over(address_of(postgres_url), storage)
    from_files = SqliteStorage(None)
    try:
        carry_over(write_home(tmp_path, tables), from_files)
        assert without_numbers(everything(storage)) == without_numbers(everything(from_files))
    finally:
        from_files.close()


def without_numbers(found: dict[str, Any]) -> dict[str, Any]:
    """Without the numbers of lines, which another store gives otherwise."""
    return found | {
        "events": {
            run_id: [(each.time, each.step_key, each.fact) for each in events]
            for run_id, events in found["events"].items()
        }
    }


def test_a_database_that_is_no_history_is_refused_without_its_password(postgres_url: str) -> None:
    with pytest.raises(SettingsError, match=r"is not a history .*: the table runs is missing") as refused:
        open_source(address_of(postgres_url))
    assert "@" not in str(refused.value).partition(" is not")[0]


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(SettingsError, match=r"^postgresql://127\.0\.0\.1/old cannot be opened: .*Give the database"):
        open_source("postgresql://shop:secret@127.0.0.1:1/old")
