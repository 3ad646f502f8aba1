"""Each check finds what it is for, and is silent where all is well; none of them reads anything."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.instance.doctor.examination import examine
from penstock.instance.doctor.facts import Facts, FileFacts, FollowerFacts
from penstock.instance.doctor.finding import Severity
from penstock.instance.settings import (
    ConcurrencySettings,
    HeldRunsSettings,
    PoolSettings,
    RunQueueSettings,
    RunRetrySettings,
    RunWorkerSettings,
    Settings,
)
from penstock.records.automation import Tick
from penstock.records.errors import ErrorInfo
from penstock.records.lease import Lease, ProcessInfo
from penstock.records.run import Run, RunStatus
from penstock.records.wire import LoadStatus
from penstock.storage.protocols import StoredLocation
from penstock.storage.upkeep import DatabaseFacts, SchemaDifference, StrayClaim, TableSize

NOW = 1_700_000_000.0
GB = 1024**3


def daemon(*, seen: float = NOW - 1, **fields: Any) -> ProcessInfo:
    return ProcessInfo(id="d-1", kind="daemon", host="h", pid=7, version="1", started=NOW - 900, seen=seen, **fields)


def run(status: RunStatus, **fields: Any) -> Run:
    return Run(run_id="r-1", location="shop", job="nightly", status=status, created=NOW - 600, **fields)


def told(**facts: Any) -> list[tuple[str, str, str]]:
    found = examine(Facts(now=NOW, **facts))
    for finding in found:
        assert finding.what.endswith("."), finding
        assert finding.remedy, finding
    return [(finding.check, finding.severity.value, finding.where) for finding in found]


def only(**facts: Any) -> str:
    """What the one finding says and asks for."""
    (finding,) = examine(Facts(now=NOW, **facts))
    return f"{finding.what} {finding.remedy}"


def test_a_healthy_deployment_has_no_findings() -> None:
    assert not told(
        active=(run(RunStatus.STARTED, lease_until=NOW + 10),),
        queued=(run(RunStatus.QUEUED, queued=NOW - 300),),
        leases=(Lease(name="queue", holder="d-1", epoch=1, until=NOW + 5),),
        processes=(daemon(duties=("queue",)),),
        open_ticks=(Tick(id=1, instigator="shop/sensor/s", due=NOW - 5, started=NOW - 5),),
        locations=(StoredLocation(name="shop", status=LoadStatus.LOADED, updated=NOW - 5000),),
        known_version=3,
        stored_version=3,
        tables=(TableSize(name="events", rows=1000, bytes=10_000),),
        database=DatabaseFacts(
            place="db", skew=-1, log_bytes=GB // 16, log_limit=GB // 16, disk_free=2 * GB, disk_total=50 * GB
        ),
        files=(FileFacts(path="/home", mode=0o40755), FileFacts(path="f", mode=0o100600, is_secret=True)),
    )


@pytest.mark.parametrize("until", [None, 0.0, NOW - 120])
@pytest.mark.parametrize("status", [RunStatus.STARTING, RunStatus.STARTED, RunStatus.CANCELING])
def test_a_run_that_nobody_works_on(status: RunStatus, until: float | None) -> None:
    stuck = (run(status, lease_until=until),)
    assert told(active=stuck) == [("run", "error", "r-1")]
    assert "penstock daemon" in only(active=stuck)
    assert "penstock run cancel r-1" in only(active=stuck, processes=(daemon(),))


def test_a_run_whose_lease_has_just_ended_is_left_to_the_daemon() -> None:
    assert not told(active=(run(RunStatus.STARTED, lease_until=NOW - 30),))


def test_a_run_that_waits_for_a_daemon() -> None:
    waiting = (run(RunStatus.QUEUED, queued=NOW - 300), run(RunStatus.QUEUED, queued=NOW - 240))
    assert "waited in the queue for 5 min, and 1 more, and no daemon" in only(queued=waiting)
    assert not told(queued=waiting, processes=(daemon(),))
    assert not told(queued=(run(RunStatus.QUEUED, queued=NOW - 2),))


def test_a_lease_that_nobody_took_again() -> None:
    lease = (Lease(name="monitor", holder="d-1", epoch=1, until=NOW - 600),)
    assert told(leases=lease) == [("lease", "warning", "monitor")]
    assert "held by d-1, which is gone. Nobody does this duty." in only(leases=lease)
    assert "which lives and does not renew it" in only(leases=lease, processes=(daemon(),))


def test_slots_of_runs_that_have_ended() -> None:
    assert told(stray_claims=(StrayClaim(pool="db", run_id="r-1", step_key="a"),)) == [("slot", "warning", "db")]


def test_a_tick_that_does_not_end() -> None:
    tick = (Tick(id=5, instigator="shop/sensor/s", due=NOW - 1200, started=NOW - 1200),)
    assert told(open_ticks=tick) == [("tick", "warning", "shop/sensor/s")]
    assert "The tick 5 began 20 min ago" in only(open_ticks=tick)


def test_processes_that_are_silent_or_in_trouble() -> None:
    assert told(processes=(daemon(seen=NOW - 61),)) == [("process", "warning", "daemon d-1")]
    assert "queue: the disk is full" in only(processes=(daemon(error="queue: the disk is full."),))


def test_code_that_does_not_load_is_told_once_though_location_and_server_say_it() -> None:
    error = ErrorInfo(cls="SyntaxError", message="no")
    server = ProcessInfo(
        id="s", kind="code-server", host="h", pid=7, version="1", started=NOW, seen=NOW, error="SyntaxError: no"
    )
    failed = StoredLocation(name="shop", status=LoadStatus.FAILED, error=error)
    assert told(processes=(server,), locations=(failed,)) == [("location", "error", "shop")]


def test_locations_that_are_not_loaded() -> None:
    failed = StoredLocation(
        name="shop", status=LoadStatus.FAILED, error=ErrorInfo(cls="SyntaxError", message="no"), origin="shop.py"
    )
    assert told(locations=(failed,)) == [("location", "error", "shop")]
    assert "SyntaxError: no" in only(locations=(failed,))
    loading = StoredLocation(name="shop", status=LoadStatus.LOADING, updated=NOW - 400)
    assert told(locations=(loading,)) == [("location", "warning", "shop")]


def test_stores_that_follow_and_are_away_or_behind() -> None:
    away = FollowerFacts(setting="event_log_storage", error="Redis is away.")
    assert told(followers=(away,)) == [("follower", "error", "event_log_storage")]
    assert "It does not answer: Redis is away." in only(followers=(away,))
    behind = FollowerFacts(setting="run_storage", behind_since=NOW - 240)
    assert told(followers=(behind,)) == [("follower", "warning", "run_storage")]
    assert "lacks what has happened since 4 min ago. The daemon brings it over. Start one" in only(followers=(behind,))
    assert "See the log of the daemon" in only(followers=(behind,), processes=(daemon(),))
    current = FollowerFacts(setting="schedule_storage", behind_since=NOW - 3)
    assert not told(followers=(current, FollowerFacts(setting="run_storage")))


def test_a_schema_of_another_version_hides_its_differences() -> None:
    gone = (SchemaDifference(kind="index", name="runs.runs_by_job", how="missing"),)
    assert "penstock instance migrate" in only(known_version=3, stored_version=2, differences=gone)
    assert "Upgrade this Penstock" in only(known_version=3, stored_version=4, differences=gone)


@pytest.mark.parametrize(
    ("kind", "how", "severity"),
    [
        ("index", "missing", "warning"),
        ("table", "missing", "error"),
        ("column", "different", "error"),
        ("index", "unexpected", "note"),
    ],
)
def test_a_schema_that_somebody_changed(kind: Any, how: Any, severity: str) -> None:
    changed = (SchemaDifference(kind=kind, name="runs.x", how=how),)
    assert told(known_version=3, stored_version=3, differences=changed) == [("schema", severity, "runs.x")]


def test_a_schema_that_could_not_be_compared() -> None:
    said = "Could not compare the schema: permission denied."
    assert told(known_version=3, stored_version=3, not_compared=said) == [("schema", "note", "the database")]
    assert said in only(known_version=3, stored_version=3, not_compared=said)


def test_what_grows() -> None:
    assert told(tables=(TableSize(name="events", rows=60_000_000, bytes=None),)) == [("size", "warning", "events")]
    assert "12.0 GiB" in only(tables=(TableSize(name="events", rows=9, bytes=12 * GB),))
    for table, setting in (("events_202611", "events`"), ("ticks", "sensor`"), ("steps", "runs`"), ("other", "")):
        assert f"retention{'.' * bool(setting)}" in only(tables=(TableSize(name=table, rows=9, bytes=12 * GB),))
        assert setting in only(tables=(TableSize(name=table, rows=9, bytes=12 * GB),))
    assert told(database=DatabaseFacts(place="db", log_bytes=GB, log_limit=GB // 16)) == [("size", "warning", "db")]
    assert told(database=DatabaseFacts(place="db", disk_free=GB // 2, disk_total=50 * GB)) == [("disk", "error", "db")]
    # Of a small disk, a small part that is free is enough.
    assert not told(database=DatabaseFacts(place="db", disk_free=GB // 2, disk_total=2 * GB))


@pytest.mark.parametrize(("skew", "how"), [(5.0, "5.0 s ahead of"), (-5.0, "5.0 s behind")])
def test_a_clock_that_differs(skew: float, how: str) -> None:
    assert how in only(database=DatabaseFacts(place="db", skew=skew))


def test_files_that_anybody_may_change_or_that_tell_a_password() -> None:
    assert told(files=(FileFacts(path="f", mode=0o100666),)) == [("permissions", "error", "f")]
    assert not told(files=(FileFacts(path="/tmp", mode=0o41777),))
    assert "mode 644" in only(files=(FileFacts(path="f", mode=0o100644, is_secret=True),))


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        (Settings(run_workers=RunWorkerSettings(gateway_url="http://h")), "run_workers.gateway_url"),
        (Settings(run_retries=RunRetrySettings(max_retries=2)), "run_retries.max_retries"),
        (
            Settings(
                run_queue=RunQueueSettings(
                    block_op_concurrency_limited_runs=HeldRunsSettings(enabled=False, op_concurrency_slot_buffer=1)
                )
            ),
            "run_queue.block_op_concurrency_limited_runs.op_concurrency_slot_buffer",
        ),
        (
            Settings(
                concurrency=ConcurrencySettings(pools=PoolSettings(granularity="run", op_granularity_run_buffer=1))
            ),
            "concurrency.pools.op_granularity_run_buffer",
        ),
    ],
)
def test_settings_without_effect(settings: Settings, key: str) -> None:
    assert told(settings=settings) == [("settings", "note", f"penstock.yaml: {key}")]


def test_the_worst_is_told_first() -> None:
    found = examine(
        Facts(
            now=NOW,
            settings=Settings(run_retries=RunRetrySettings(max_retries=2)),
            processes=(daemon(seen=NOW - 99),),
            active=(run(RunStatus.STARTED),),
        )
    )
    assert [each.severity for each in found] == [Severity.ERROR, Severity.WARNING, Severity.NOTE]
