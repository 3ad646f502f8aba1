"""Databases as released versions left them: dumps with rows in every table, and the way to make one for a new release.

`scripts/dump-schema` writes `schemas/<dialect>/<schema version>.sql` from the code as it is. A dump is never changed.
"""

from __future__ import annotations

import re
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path

import msgspec
import psycopg

from penstock.records.automation import InstigatorKind, InstigatorStatus, TickStatus
from penstock.records.conditions.evaluation import ConditionEvaluation, EvaluationRecord
from penstock.records.event import RunCanceled, RunCanceling, RunEnqueued, RunFailure, RunSuccess
from penstock.records.lease import ProcessInfo
from penstock.records.pool import SlotRequest
from penstock.records.run import FailureReason, RunStatus
from penstock.records.wire import LoadStatus
from penstock.storage.postgres import PostgresStorage
from penstock.storage.protocols import RunFilter, Storage, StoredLocation
from penstock.storage.sqlite import SqliteStorage
from penstock.testing.storage_contract.builders import NOW, events_from, given_run, new_run, queued_run, started_run
from support.histories import History
from support.postgres import PostgresServer, scratch_database

__all__ = ["SCHEMAS", "fill", "load_postgres", "load_sqlite"]

SCHEMAS = Path(__file__).parent / "schemas"

_LIVELY = ["create", "claim", "start", "work", "work", "work", "report", "end", "tag"]


def fill(storage: Storage) -> None:
    """A history in which everything occurs, and rows in every table."""
    world = History(storage)
    for seed in range(100):
        world.act("delete" if seed % 40 == 39 else _LIVELY[seed % len(_LIVELY)], seed)
    _runs_in_every_status(storage)
    storage.slots.set_limit("db", 3)
    storage.assets.add_dynamic_partitions("areas", ["north", "south"])
    lease = storage.leases.acquire("sensors", "daemon-1", ttl=10, now=NOW)
    assert lease is not None
    storage.leases.beat(
        ProcessInfo(id="daemon-1", kind="daemon", host="a", pid=1, version="0", started=NOW, seen=NOW, error="no")
    )
    storage.locations.put(
        StoredLocation(name="shop", status=LoadStatus.LOADED, digest="d", description=b"{}", updated=NOW)
    )
    storage.locations.set_value("key", "value")
    storage.instigators.switch("shop/sensor/s", "shop", InstigatorKind.SENSOR, "s", InstigatorStatus.RUNNING, now=NOW)
    storage.instigators.set_cursor("shop/sensor/s", "shop", "s", "17", now=NOW)
    root = ConditionEvaluation(condition="eager", kind="and", entity="a", candidates=1, count=1)
    for place, status in enumerate((TickStatus.SUCCESS, TickStatus.SKIPPED, TickStatus.FAILURE)):
        tick = storage.instigators.begin_tick("shop/sensor/s", NOW + place, lease=lease, now=NOW + place)
        assert tick is not None
        storage.instigators.complete_tick(
            msgspec.structs.replace(tick, status=status, ended=NOW + place, run_keys=(f"key-{place}",)),
            lease=lease,
            runs=[(f"key-{place}", new_run(RunEnqueued()))],
            evaluations=[EvaluationRecord(entity="a", evaluation=place, time=NOW, requested=0, root=root)],
            now=NOW + place,
        )
    storage.instigators.begin_tick("shop/sensor/s", NOW + 9, lease=lease, now=NOW + 9)


def _runs_in_every_status(storage: Storage) -> None:
    given_run(storage)
    queued_run(storage, tags={"team": "blue"})
    waiting = queued_run(storage)
    storage.runs.claim([waiting.run_id], owner="server", until=NOW + 30, now=NOW)
    holding = started_run(storage)
    storage.slots.claim(holding.run_id, 1, [SlotRequest(step_key="a", pools=("db",), since=NOW)], now=NOW)
    canceling = started_run(storage)
    storage.runs.record(canceling.run_id, [RunCanceling()], now=NOW + 5)
    for end in (RunSuccess(), RunFailure(reason=FailureReason.STEP_FAILURE, message="a step failed"), RunCanceled()):
        run = started_run(storage)
        if isinstance(end, RunCanceled):
            storage.runs.record(run.run_id, [RunCanceling()], now=NOW + 5)
        storage.events.append(run.run_id, 1, events_from(2, [end]), now=NOW + 6)
    found = {run.status for run in storage.runs.page(RunFilter(), limit=1000)}
    assert found == set(RunStatus) - {RunStatus.MANAGED, RunStatus.SUSPENDED}


# -- dumps ------------------------------------------------------------------------------------------------------------


def load_sqlite(dump: Path, path: Path) -> None:
    """Make a database file of a dump."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript(dump.read_text(encoding="utf-8"))


def load_postgres(dump: Path, url: str) -> None:
    """Fill an empty database from a dump."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(dump.read_bytes())


def _dump_sqlite(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return "\n".join(connection.iterdump()) + "\n"


def _dump_postgres(url: str) -> str:
    program = ["pg_dump", "--inserts", "--no-owner", "--no-privileges", "--no-comments", "--dbname", url]
    said = subprocess.run(program, check=True, capture_output=True, text=True).stdout
    # What is for psql, what a later server may not know, and what tells by whom and when.
    lines = [line for line in said.splitlines() if not re.match(r"--|\\|SET |SELECT pg_catalog\.set_config", line)]
    return re.sub(r"\n{2,}", "\n", "\n".join(lines)).strip() + "\n"


def _write(dialect: str, version: str, text: str) -> None:
    target = SCHEMAS / dialect / f"{version}.sql"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    print(target)


def main() -> None:
    """Write the dumps of the schema as it is."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "penstock.db"
        sqlite = SqliteStorage(path)
        sqlite.migrate()
        fill(sqlite)
        version = sqlite.describe()["schema"]
        sqlite.close()
        _write("sqlite", version, _dump_sqlite(path))
    server = PostgresServer()
    with scratch_database(server.url()) as url:
        postgres = PostgresStorage(url)
        postgres.migrate()
        fill(postgres)
        version = postgres.describe()["schema"]
        postgres.close()
        _write("postgres", version, _dump_postgres(url))
    server.close()


if __name__ == "__main__":
    main()
