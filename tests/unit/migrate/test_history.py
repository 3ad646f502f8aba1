"""What a history that Dagster has written is here: runs, steps, metadata, assets, ticks."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.instance.doctor.verify import verify
from penstock.migrate.history_records import IMPORTED_RUN
from penstock.records.asset import PartitionStatus
from penstock.records.automation import InstigatorStatus, TickStatus
from penstock.records.event import RunFailure, StepFailure, StepUpForRetry
from penstock.records.metadata import MetadataValue
from penstock.records.run import FailureReason, Run, RunStatus, StepStatus
from penstock.records.table import (
    TableColumn,
    TableColumnConstraints,
    TableColumnDep,
    TableColumnLineage,
    TableConstraints,
    TableRecord,
    TableSchema,
)
from penstock.storage.protocols import NewRun
from penstock.storage.sqlite import SqliteStorage

from .imported import NOW, carry_over, events_of, run_named, runs_of
from .old_history import OldTable, old_tables, write_home


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
    assert list(verify(storage, now=NOW)) == [], "what is derived is what the log comes to"


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


def test_what_is_derived_is_as_if_it_had_happened_here(
    tmp_path: Path, tables: dict[str, OldTable], storage: SqliteStorage
) -> None:
    carry_over(write_home(tmp_path, tables), storage, unfinished=True)
    assert list(verify(storage, now=NOW)) == []
