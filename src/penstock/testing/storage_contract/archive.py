"""The bulk way out of a storage and into it: promises of an `Archived` storage."""

from __future__ import annotations

import msgspec
import pytest

from ...records.act import Act, ActKind
from ...records.automation import By, InstigatorKind, InstigatorState, InstigatorStatus, Tick, TickStatus
from ...records.event import (
    AssetMaterialization,
    AssetMaterializationPlanned,
    Event,
    Fact,
    RunEnqueued,
    RunFailure,
    RunStart,
    RunStarting,
    RunSuccess,
)
from ...records.run import FailureReason, Run, RunStatus, StepAttempt, StepStats, StepStatus
from ...storage.archive import Archived, LoadedRun, LoggedEvent, UsedKey
from ...storage.protocols import ActFilter, RunFilter, Storage
from .builders import NOW, events_from, ordered_run_id, started_run

__all__ = ["ArchiveContract"]


class _ArchivedStorage(Storage, Archived):
    """A storage with a bulk way out and in."""


def _ended(status: RunStatus = RunStatus.SUCCESS, **fields: object) -> LoadedRun:
    run = Run(
        run_id=ordered_run_id(),
        location="shop",
        job="nightly",
        status=status,
        tags={"team": "blue"},
        attempt=2,
        owner="server",
        created=NOW,
        queued=NOW,
        launched=NOW + 1,
        started=NOW + 2,
        ended=NOW + 9,
        updated=NOW + 9,
        snapshot="abc",
    )
    step = StepStats(
        run_id=run.run_id, step_key="s", status=StepStatus.SUCCESS, started=NOW, attempts=(StepAttempt(NOW, NOW + 1),)
    )
    return LoadedRun(run=msgspec.structs.replace(run, **fields), steps=(step,), snapshot=b"{}")


def _log(run: Run, first: int, *facts: Fact) -> list[LoggedEvent]:
    return [
        LoggedEvent(
            id=first + place, run_id=run.run_id, attempt=1, event=Event(time=NOW + place, fact=fact, seq=place + 1)
        )
        for place, fact in enumerate(facts)
    ]


class ArchiveContract:
    """`Archive`."""

    def test_runs_are_stored_as_they_ended(self, storage: _ArchivedStorage) -> None:
        first, second = _ended(), _ended(RunStatus.FAILURE, failure_reason=FailureReason.UNKNOWN, note="why")
        assert storage.archive.load_runs([first, second]) == 2
        for each in (first, second):
            assert storage.runs.get(each.run.run_id) == each.run
            assert storage.events.step_stats(each.run.run_id) == list(each.steps)
        assert storage.runs.snapshot("abc") == b"{}"
        found = storage.runs.page(RunFilter(tags={"team": "blue"}), limit=5, ascending=True)
        assert found == [first.run, second.run]
        assert storage.archive.tags([first.run.run_id]) == {first.run.run_id: {"team": "blue"}}
        assert not storage.runs.claim([first.run.run_id], owner="d", until=NOW + 30, now=NOW)

    def test_what_is_there_stays_as_it_is(self, storage: _ArchivedStorage) -> None:
        loaded = _ended()
        storage.archive.load_runs([loaded])
        other = msgspec.structs.replace(loaded.run, job="other")
        assert storage.archive.load_runs([LoadedRun(run=other), _ended()]) == 1
        assert storage.runs.get(loaded.run.run_id) == loaded.run

    def test_events_keep_their_ids_and_the_next_one_follows(self, storage: _ArchivedStorage) -> None:
        loaded = _ended()
        storage.archive.load_runs([loaded])
        log = _log(loaded.run, 100, RunEnqueued(), RunStarting(), RunStart(), RunSuccess())
        assert storage.archive.load_events(log) == 4
        assert storage.archive.load_events(log) == 0
        assert storage.archive.log() == log
        assert storage.archive.log(after=101, limit=1) == log[2:3]
        assert [each.id for each in storage.events.of_run(loaded.run.run_id)] == [100, 101, 102, 103]
        assert storage.runs.get(loaded.run.run_id) == loaded.run
        assert storage.events.last_id() == 103
        assert storage.assets.report([AssetMaterialization(asset="a")], now=NOW) == [104]

    @pytest.mark.parametrize(("end", "is_failed"), [(RunSuccess(), False), (None, True)])
    def test_assets_are_derived_from_loaded_events(
        self, storage: _ArchivedStorage, end: Fact | None, is_failed: bool
    ) -> None:
        loaded = _ended()
        storage.archive.load_runs([loaded])
        end = end or RunFailure(reason=FailureReason.STEP_FAILURE, message="no")
        planned = [AssetMaterializationPlanned(asset=asset) for asset in "ab"]
        storage.archive.load_events(_log(loaded.run, 7, *planned, AssetMaterialization(asset="a"), end))
        states = storage.assets.states()
        assert (states["a"].materialized_event, states["a"].materialized_run) == (9, loaded.run.run_id)
        assert (states["b"].failed_run is not None) == is_failed
        assert states["b"].planned_run is None
        assert storage.assets.planned() == []
        assert [each.id for each in storage.assets.history("a")] == [9]

    def test_a_history_that_outlived_its_run_is_part_of_the_log(self, storage: _ArchivedStorage) -> None:
        run = started_run(storage)
        facts: list[Fact] = [AssetMaterialization(asset="a"), RunSuccess()]
        storage.events.append(run.run_id, 1, events_from(2, facts), now=NOW)
        storage.assets.report([AssetMaterialization(asset="b")], now=NOW)
        storage.runs.delete(run.run_id)
        kept, reported = storage.archive.log()
        assert (kept.kept, kept.run_id, kept.event.asset_key and kept.event.asset_key.path) == (
            True,
            run.run_id,
            ["a"],
        )
        assert (reported.kept, reported.run_id) == (False, None)
        assert [each.id for each in storage.archive.log(limit=1)] == [kept.id]
        gone = [
            LoggedEvent(id=50, run_id="gone", kept=True, event=Event(time=NOW, fact=AssetMaterialization(asset="c")))
        ]
        assert storage.archive.load_events(gone) == 1
        assert storage.archive.log(after=reported.id) == gone
        assert storage.events.get(50) is None
        assert storage.assets.states()["c"].materialized_run == "gone"

    def test_ticks_are_stored_once_in_their_order(self, storage: _ArchivedStorage) -> None:
        ticks = [
            Tick(
                instigator="shop/sensor/s", due=NOW + due, status=TickStatus.SKIPPED, started=NOW + due, ended=NOW + due
            )
            for due in (5, 3, 9)
        ]
        assert storage.archive.load_ticks(ticks[:2]) == 2
        assert storage.archive.load_ticks(ticks) == 1
        stored = storage.archive.ticks()
        assert [msgspec.structs.replace(each, id=0) for each in stored] == ticks
        assert storage.archive.ticks(after=stored[0].id, limit=1) == stored[1:2]
        assert [each.due for each in storage.instigators.ticks("shop/sensor/s")] == [NOW + 9, NOW + 3, NOW + 5]

    def test_acts_are_stored_once_in_their_order(self, storage: _ArchivedStorage) -> None:
        by = By(actor="ann", reason="why", via="command")
        acts = [
            Act(subject=subject, time=NOW + at, kind=kind, by=by, after="x")
            for at, kind, subject in (
                (5, ActKind.SET_LIMIT, "pool/a"),
                (5, ActKind.SET_LIMIT, "pool/b"),
                (3, ActKind.WIPE_ASSET, "asset/a"),
            )
        ]
        assert storage.archive.load_acts(acts[:2]) == 2
        assert storage.archive.load_acts(acts) == 1
        stored = storage.archive.acts()
        assert [msgspec.structs.replace(each, id=0) for each in stored] == acts
        assert storage.archive.acts(after=stored[0].id, limit=1) == stored[1:2]
        assert storage.archive.load_acts(stored) == 0
        assert storage.acts.page(ActFilter(actor="ann", kinds=(ActKind.SET_LIMIT,))) == stored[1::-1]
        assert storage.acts.page(ActFilter(since=NOW + 4)) == stored[1::-1]

    def test_switches_cursors_and_keys(self, storage: _ArchivedStorage) -> None:
        state = InstigatorState(
            id="shop/sensor/s",
            location="shop",
            kind=InstigatorKind.SENSOR,
            name="s",
            status=InstigatorStatus.RUNNING,
            cursor="17",
            turned_on=NOW,
            updated=NOW,
        )
        keys = [UsedKey(instigator=state.id, run_key=key, run_id="r") for key in ("a", "b")]
        assert storage.archive.load_instigators([state], keys[:1]) == 2
        assert storage.archive.load_instigators([msgspec.structs.replace(state, cursor="5")], keys) == 1
        assert storage.instigators.get(state.id) == state
        assert storage.archive.used_keys() == keys
        assert storage.archive.used_keys(after=(state.id, "a"), limit=1) == keys[1:]

    def test_names_of_partition_sets(self, storage: _ArchivedStorage) -> None:
        for name in ("days", "areas"):
            storage.assets.add_dynamic_partitions(name, ["x", "y"])
        storage.assets.delete_dynamic_partitions("days", ["x", "y"])
        assert storage.archive.partition_sets() == ["areas"]
