"""An export that is imported and exported again is the same, from either database to either."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from penstock.errors import ArchiveError
from penstock.instance.archive.export import export
from penstock.instance.archive.intake import take_in
from penstock.instance.doctor.verify import verify
from penstock.records.automation import InstigatorKind, InstigatorStatus, Override, TickStatus
from penstock.records.backfill import BackfillStatus
from penstock.records.event import AssetMaterialization, RunSuccess
from penstock.records.lease import ProcessInfo
from penstock.records.one_off import OneOff
from penstock.records.run import FINISHED
from penstock.storage import protocols
from penstock.storage.archive import LoggedEvent
from penstock.storage.composite.storage import composite
from penstock.storage.postgres import PostgresStorage
from penstock.storage.protocols import BackfillAdvance, BackfillFilter, NewRun, RunFilter
from penstock.storage.sqlite import SqliteStorage
from penstock.storage.sqlite.event_logs import drop_log, old_logs
from penstock.testing.storage_contract.backfills import (
    added_backfill,
    backfill_lease,
    begun_parts,
    end_run,
    made_facts,
)
from penstock.testing.storage_contract.builders import NOW, new_run
from support.histories import History, actions
from support.memory_catalog import MemoryCatalog
from support.postgres import scratch_database

Storage = SqliteStorage | PostgresStorage

_LIVELY = ["create", "claim", "start", "work", "work", "work", "report", "end", "tag"]


@pytest.fixture
def fresh(postgres_server: str, tmp_path: Path) -> Iterator[Callable[[str], Storage]]:
    """Gives an empty storage of a kind, as often as it is asked."""
    numbers = itertools.count()
    with ExitStack() as cleanup:

        def make(kind: str) -> Storage:
            storage: Storage
            if kind == "sqlite":
                storage = SqliteStorage(tmp_path / f"{next(numbers)}.db")
            else:
                storage = PostgresStorage(cleanup.enter_context(scratch_database(postgres_server)))
            cleanup.callback(storage.close)
            storage.migrate()
            return storage

        yield make


def fill(storage: Storage) -> None:
    """A history in which everything occurs."""
    world = History(storage)
    for seed in range(200):
        world.act("delete" if seed % 40 == 39 else _LIVELY[seed % len(_LIVELY)], seed)
    storage.slots.set_limit("db", 3)
    storage.assets.add_dynamic_partitions("areas", ["north", "south"])
    storage.instigators.switch("shop/sensor/s", "shop", InstigatorKind.SENSOR, "s", InstigatorStatus.RUNNING, now=NOW)
    storage.instigators.set_cursor("shop/sensor/s", "shop", "s", "17", now=NOW)
    said = Override(paused_until=NOW + 99, tags={"a": "b"})
    storage.instigators.override("shop/sensor/s", "shop", InstigatorKind.SENSOR, "s", said, now=NOW)
    for due in (NOW + 60, NOW + 60, NOW + 90):
        storage.one_offs.plan(OneOff(location="shop", job="nightly", due=due, until=due + 60), now=NOW)
    storage.one_offs.cancel(3, now=NOW)
    lease = storage.leases.acquire("sensors", "d", ttl=10, now=NOW)
    assert lease is not None
    for place in range(3):
        tick = storage.instigators.begin_tick("shop/sensor/s", NOW + place, lease=lease, now=NOW + place)
        assert tick is not None
        runs: list[tuple[str | None, NewRun]] = [(f"key-{place}", new_run())]
        tick = msgspec.structs.replace(tick, status=TickStatus.SUCCESS, ended=NOW + place, run_keys=(f"key-{place}",))
        storage.instigators.complete_tick(tick, lease=lease, runs=runs, now=NOW + place)
    storage.instigators.begin_tick("shop/sensor/s", NOW + 9, lease=lease, now=NOW + 9)
    ended, _open = added_backfill(storage), added_backfill(storage)
    (run,) = begun_parts(storage, ended, 0)
    end_run(storage, run, *made_facts(0, "x", "y"), RunSuccess())
    step = BackfillAdvance(status=BackfillStatus.COMPLETED_SUCCESS)
    storage.backfills.advance(ended.backfill_id, step, lease=backfill_lease(storage), now=NOW)


def written(storage: protocols.Storage, path: Path, **only: Any) -> list[dict[str, Any]]:
    """The lines of an export."""
    with path.open("wb") as file:
        export(storage, file, now=NOW, **only)
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


@pytest.mark.parametrize(("here", "there"), list(itertools.product(["sqlite", "postgres"], repeat=2)))
def test_what_is_taken_in_is_given_out_alike(
    fresh: Callable[[str], Storage], tmp_path: Path, here: str, there: str
) -> None:
    source, target = fresh(here), fresh(there)
    fill(source)
    first, second, third = (tmp_path / name for name in ("first", "second", "third"))
    lines = written(source, first)
    kinds = {line["kind"] for line in lines}
    assert kinds == {
        "header",
        "pool",
        "partitions",
        "instigator",
        "one_off",
        "used_key",
        "run",
        "event",
        "tick",
        "backfill",
        "end",
    }
    assert any(line.get("kept") for line in lines), "a history that outlived its run"
    assert any(line.get("exact") for line in lines), "a number that JSON does not hold"
    taken = take_in(target, first, now=NOW + 5000)
    assert taken.new == taken.lines == lines[-1]["lines"]
    assert written(target, second) == lines
    again = take_in(target, first, now=NOW + 5000)
    assert set(again.new.values()) == {0}
    assert written(target, third) == lines
    assert list(verify(target, now=NOW)) == []
    (backfill,) = target.backfills.page(BackfillFilter(), limit=9)
    counted = [each.backfills.counts([backfill.backfill_id]) for each in (source, target)]
    assert counted[0] == counted[1] != {}
    for run in source.runs.page(RunFilter(statuses=tuple(FINISHED)), limit=1000):
        assert target.runs.get(run.run_id) == run
        assert target.events.of_run(run.run_id) == source.events.of_run(run.run_id)
        assert target.events.step_stats(run.run_id) == source.events.step_stats(run.run_id)


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_runs_whose_logs_are_gone_go_without_them(fresh: Callable[[str], Storage], kind: str, tmp_path: Path) -> None:
    source, target = fresh("sqlite"), fresh(kind)
    assert isinstance(source, SqliteStorage)
    world = History(source, pace=86400.0)
    for seed in range(120):
        world.act(_LIVELY[seed % len(_LIVELY)], seed)
    first, second, third = (tmp_path / name for name in ("first", "second", "third"))
    whole = written(source, first)
    for old in old_logs(source._database, world.now - 60 * 86400.0):
        drop_log(source._database, old.log, now=world.now)
    lines = written(source, second)

    def of(kind: str, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [line for line in lines if line["kind"] == kind]

    assert of("run", lines) == of("run", whole)
    assert 0 < len([line for line in of("event", lines) if not line.get("kept")]) < len(of("event", whole)) / 2
    assert any(line.get("kept") for line in of("event", lines))
    take_in(target, second, now=world.now)
    assert written(target, third) == lines
    assert list(verify(target, now=world.now)) == []
    made = {
        asset: state.materialized_event for asset, state in source.assets.states().items() if state.materialized_event
    }
    assert {asset: target.assets.states()[asset].materialized_event for asset in made} == made


@given(actions(without=("create",)) | actions(least=80))
@settings(max_examples=30)
def test_any_history_comes_back_whole(history: list[tuple[str, int]]) -> None:
    source, target = SqliteStorage(None), SqliteStorage(None)
    world = History(source)
    for name, seed in history:
        world.act(name, seed)
    with tempfile.TemporaryDirectory() as folder:
        lines = written(source, Path(folder) / "first")
        take_in(target, Path(folder) / "first", now=NOW + 5000)
        assert written(target, Path(folder) / "second") == lines
    assert list(verify(target, now=NOW)) == []
    source.close()
    target.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_pages_of_any_size_make_the_same_log(fresh: Callable[[str], Storage], kind: str) -> None:
    source = fresh(kind)
    fill(source)
    whole = source.archive.log(limit=10_000)
    assert any(each.kept for each in whole)
    for limit in (1, 7, len(whole)):
        found: list[LoggedEvent] = []
        while page := source.archive.log(after=found[-1].id if found else 0, limit=limit):
            assert len(page) <= limit
            found += page
        assert found == whole


def test_an_import_that_was_broken_off_goes_on(fresh: Callable[[str], Storage], tmp_path: Path) -> None:
    source, target = fresh("sqlite"), fresh("sqlite")
    fill(source)
    path = tmp_path / "archive"
    lines = written(source, path)

    class BrokenOffError(Exception):
        pass

    def stop(done: int, _total: int) -> None:
        if done >= lines[-1]["lines"]["run"]:
            raise BrokenOffError

    with pytest.raises(BrokenOffError):
        take_in(target, path, now=NOW + 5000, told=stop)
    assert target.runs.count(RunFilter()) == lines[-1]["lines"]["run"]
    assert written(target, tmp_path / "part") != lines
    take_in(target, path, now=NOW + 5000)
    assert written(target, tmp_path / "whole") == lines


def test_a_storage_with_a_run_storage_of_its_own(fresh: Callable[[str], Storage], tmp_path: Path) -> None:
    source, catalog = fresh("sqlite"), MemoryCatalog()
    fill(source)
    target = composite(fresh("sqlite"), catalog)
    lines = written(source, tmp_path / "first")
    take_in(target, tmp_path / "first", now=NOW + 5000)
    assert catalog.count(RunFilter()) == lines[-1]["lines"]["run"]
    assert catalog.announced() == []
    assert written(target, tmp_path / "second") == lines
    assert list(verify(target, now=NOW)) == []


def test_a_part_of_the_history(fresh: Callable[[str], Storage], tmp_path: Path) -> None:
    source = fresh("sqlite")
    fill(source)
    hourly = written(source, tmp_path / "hourly", jobs=["hourly"])
    assert {line["kind"] for line in hourly} == {"header", "run", "event", "end"}
    runs = {line["run"]["run"]["run_id"] for line in hourly if line["kind"] == "run"}
    assert runs
    assert {line["run_id"] for line in hourly if line["kind"] == "event"} == runs
    assert {line["run"]["run"]["job"] for line in hourly if line["kind"] == "run"} == {"hourly"}
    whole = written(source, tmp_path / "whole")
    made = sorted(line["run"]["run"]["created"] for line in whole if line["kind"] == "run")
    late = written(source, tmp_path / "late", since=made[len(made) // 2])
    assert [line["run"]["run"]["created"] for line in late if line["kind"] == "run"] == made[len(made) // 2 :]


def archive_text(path: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    path.write_bytes(gzip.compress(b"\n".join(change(gzip.decompress(path.read_bytes()).splitlines())) + b"\n"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda lines: [lines[0].replace(b'"version":1', b'"version":2'), *lines[1:]],
            "newer version of Penstock .format 2",
        ),
        (lambda lines: lines[1:], "is no archive of Penstock"),
        (lambda lines: lines[:-1], "is not whole: its end is missing"),
        (lambda lines: [*lines[:5], *lines[6:]], "is damaged: it has"),
        (lambda lines: [*lines[:5], b"{]", *lines[6:]], "Line 6 of the archive is damaged"),
        (lambda lines: [*lines[:5], b'{"kind":"riddle"}', *lines[6:]], "Line 6 of the archive is damaged"),
    ],
)
def test_a_damaged_archive_is_refused_and_nothing_is_stored(
    fresh: Callable[[str], Storage], tmp_path: Path, change: Callable[[list[bytes]], list[bytes]], said: str
) -> None:
    source, target = fresh("sqlite"), fresh("sqlite")
    fill(source)
    path = tmp_path / "archive"
    written(source, path)
    archive_text(path, change)
    with pytest.raises(ArchiveError, match=said):
        take_in(target, path, now=NOW + 5000)
    assert target.events.last_id() == 0
    assert target.runs.count(RunFilter()) == 0


def test_files_that_are_no_archives(fresh: Callable[[str], Storage], tmp_path: Path) -> None:
    target = fresh("sqlite")
    path = tmp_path / "file"
    for content, said in (
        (b"no gzip at all", "is no archive of Penstock, or is damaged"),
        (gzip.compress(b"text"), "is no archive of Penstock"),
        (gzip.compress(b"x" * 1000)[:15], "is not whole"),
        (gzip.compress(b""), "is not whole"),
    ):
        path.write_bytes(content)
        with pytest.raises(ArchiveError, match=said):
            take_in(target, path, now=NOW)


def test_an_instance_with_a_history_of_its_own_is_left_alone(fresh: Callable[[str], Storage], tmp_path: Path) -> None:
    source, target = fresh("sqlite"), fresh("sqlite")
    fill(source)
    written(source, tmp_path / "whole")
    target.assets.report([AssetMaterialization(asset="mine")] * 30, now=NOW)
    with pytest.raises(ArchiveError, match=r"another one here|is not here"):
        take_in(target, tmp_path / "whole", now=NOW + 5000)
    assert target.runs.count(RunFilter()) == 0


def test_two_parts_of_a_history_do_not_fit_beside_each_other(fresh: Callable[[str], Storage], tmp_path: Path) -> None:
    source, target = fresh("sqlite"), fresh("sqlite")
    fill(source)
    for job in ("hourly", "nightly"):
        written(source, tmp_path / job, jobs=[job])
    take_in(target, tmp_path / "hourly", now=NOW + 5000)
    with pytest.raises(ArchiveError, match="took in another part"):
        take_in(target, tmp_path / "nightly", now=NOW + 5000)


def test_a_daemon_must_be_stopped_before(fresh: Callable[[str], Storage], tmp_path: Path) -> None:
    source, target = fresh("sqlite"), fresh("sqlite")
    written(source, tmp_path / "empty")
    target.leases.beat(ProcessInfo(id="d", kind="daemon", host="h", pid=7, version="1", started=NOW, seen=NOW))
    with pytest.raises(ArchiveError, match=r"A daemon works on this instance \(pid 7 on h\); stop it"):
        take_in(target, tmp_path / "empty", now=NOW + 30)
    assert take_in(target, tmp_path / "empty", now=NOW + 90).lines == {}


def test_a_storage_without_a_bulk_way_says_so() -> None:
    class Plain:
        runs = SqliteStorage(None).runs

    with pytest.raises(ArchiveError, match="The storage Plain has no bulk way out and in"):
        export(Plain(), io.BytesIO(), now=NOW)  # type: ignore[arg-type]
