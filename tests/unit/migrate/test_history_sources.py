"""Where a history comes from and where it may go: what is broken or unknown is named, and nothing else suffers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from psycopg.conninfo import conninfo_to_dict

from penstock.errors import SettingsError, UsageError
from penstock.instance.doctor.verify import verify
from penstock.migrate.history_source import open_source
from penstock.records.event import AssetWiped
from penstock.records.run import FINISHED, Run, RunStatus
from penstock.storage.postgres import PostgresStorage
from penstock.storage.protocols import NewRun, RunFilter
from penstock.storage.sqlite import SqliteStorage

from .imported import NOW, carry_over, events_of, everything, run_named, runs_of
from .old_history import OldTable, write_home, write_postgres


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
    home = write_home(tmp_path, tables)
    lease = storage.leases.acquire("retries", "daemon-1", ttl=60.0, now=NOW)
    assert lease is not None
    with pytest.raises(UsageError, match=r"A daemon works on the instance \(daemon-1\).*Stop it"):
        carry_over(home, storage)
    assert runs_of(storage) == {}
    storage.leases.release(lease)
    carry_over(home, storage)
    assert len(runs_of(storage)) == 11


def test_old_failures_are_not_run_again(tmp_path: Path, tables: dict[str, OldTable], storage: SqliteStorage) -> None:
    storage.locations.set_value("retries/place", "0")  # as a daemon has left it
    carry_over(write_home(tmp_path, tables), storage)
    assert storage.locations.get_value("retries/place") == str(storage.events.last_id())


def test_two_imports_take_turns(tmp_path: Path, tables: dict[str, OldTable], storage: SqliteStorage) -> None:
    storage.leases.acquire("history-import", "another", ttl=60.0, now=NOW)
    with pytest.raises(UsageError, match="Another import is at work"):
        carry_over(write_home(tmp_path, tables), storage)


def told_by_no_run(tables: dict[str, OldTable], kind: str, data: dict[str, Any], time: float) -> None:
    """Add a line to the log of no run."""
    line = {"dagster_event": {"event_type_value": kind, "event_specific_data": data}, "level": 20, "timestamp": time}
    tables["event_logs"].rows.append([900 + len(tables["event_logs"].rows), "", json.dumps(line)])


def test_an_asset_or_a_partition_that_was_wiped_by_an_event_is_wiped_once(
    tmp_path: Path, tables: dict[str, OldTable], storage: SqliteStorage
) -> None:
    gone, reported = ({"__class__": "AssetKey", "path": [name]} for name in ("gone", "reported"))
    told_by_no_run(tables, "ASSET_WIPED", {"asset_key": gone, "partition_keys": None}, 1795931749.841)
    told_by_no_run(tables, "ASSET_WIPED", {"asset_key": reported, "partition_keys": ["p1"]}, 1795931749.9)
    home = write_home(tmp_path, tables)
    tally = carry_over(home, storage)
    assert (tally.broken_rows, tally.reports) == (0, 5)
    wiped = [each.event.fact for each in storage.events.of_types(["ASSET_WIPED"])]
    assert wiped == [AssetWiped(asset="gone"), AssetWiped(asset="reported", partitions=("p1",))]
    assert storage.assets.partition_states("reported") == {}
    assert [each.fact.partition for each in storage.assets.history("reported")] == [None]
    carry_over(home, storage)
    assert len(storage.events.of_types(["ASSET_WIPED"])) == 2


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


def test_a_history_may_go_into_postgres(
    tmp_path: Path, tables: dict[str, OldTable], storage: SqliteStorage, postgres_url: str
) -> None:
    home = write_home(tmp_path, tables)
    carry_over(home, storage)
    target = PostgresStorage(postgres_url)
    try:
        target.migrate()
        carry_over(home, target)
        assert everything(target) == everything(storage)
        assert list(verify(target, now=NOW)) == []
        carry_over(home, target)
        assert everything(target) == everything(storage)
    finally:
        target.close()
