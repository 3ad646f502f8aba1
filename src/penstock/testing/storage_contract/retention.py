"""What is old, and its removal: promises of a `Retained` storage."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from ...clock import SYSTEM_CLOCK
from ...records.act import Act, ActKind
from ...records.automation import InstigatorKind, Tick, TickStatus, instigator_id
from ...records.conditions.evaluation import ConditionEvaluation, EvaluationRecord
from ...records.event import AssetMaterialization, EngineNote, Event, Fact, RunCanceled, RunSuccess
from ...records.retention import Kept, OldActs, OldEvaluations, OldEvents, OldRuns, OldTicks, Removed, RetentionKind
from ...records.run import Run, Tag
from ...storage.archive import Archived, LoadedRun, LoggedEvent
from ...storage.protocols import Storage
from ...storage.retention import Retained
from .builders import NOW, events_from, new_run, ordered_run_id, queued_run, started_run

__all__ = ["RetentionContract"]

_SENSOR = instigator_id("a/b", InstigatorKind.SENSOR, "files")
_OTHER = instigator_id("shop", InstigatorKind.SENSOR, "mails")
_SCHEDULE = instigator_id("shop", InstigatorKind.SCHEDULE, "hourly")
_ENDED = (TickStatus.SKIPPED, TickStatus.SUCCESS, TickStatus.FAILURE)


class _RetainedStorage(Storage, Retained, Archived):
    """A storage that can remove what is old."""


def _ticks(storage: Archived, *given: tuple[str, float, TickStatus]) -> None:
    storage.archive.load_ticks(
        [Tick(instigator=instigator, due=at, started=at, status=status, ended=at) for instigator, at, status in given]
    )


def _left(storage: Storage, *instigators: str) -> list[float]:
    return sorted(tick.due for each in instigators for tick in storage.instigators.ticks(each))


def _ended_run(storage: Storage, *facts: Fact, at: float, **fields: Any) -> Run:
    run = started_run(storage, **fields)
    storage.events.append(run.run_id, 1, events_from(2, [*facts, RunSuccess()], at=at), now=at)
    ended = storage.runs.get(run.run_id)
    assert ended is not None
    return ended


def _kept(storage: Retained, kind: RetentionKind) -> Kept:
    (found,) = (each for each in storage.retention.kept() if each.kind is kind)
    return found


def _remove_all(storage: Retained, cut: OldEvents | OldTicks | OldEvaluations, *, at_most: int = 100) -> int:
    rows = 0
    while (removed := storage.retention.remove(cut, at_most=at_most)).more:
        rows += removed.rows
    return rows + removed.rows


class RetentionContract:
    """`Retention`."""

    # -- ticks --------------------------------------------------------------------------------------------------------

    def test_a_run_key_makes_one_run_also_when_its_tick_and_its_run_are_gone(self, storage: _RetainedStorage) -> None:
        lease = storage.leases.acquire("sensors", "daemon-1", ttl=1000, now=NOW)
        assert lease is not None

        def asked(due: float) -> Tick:
            tick = storage.instigators.begin_tick(_OTHER, due, lease=lease, now=due)
            assert tick is not None
            ended = msgspec.structs.replace(tick, status=TickStatus.SUCCESS)
            return storage.instigators.complete_tick(ended, lease=lease, runs=[("k", new_run())], now=due)

        (run_id,) = asked(NOW).run_ids
        asked(NOW + 1)
        assert storage.runs.record(run_id, [RunCanceled()], now=NOW + 2)
        assert storage.runs.delete(run_id)
        old = OldTicks(before=NOW + 1, of=InstigatorKind.SENSOR, statuses=_ENDED)
        assert _remove_all(storage, old) == 1
        assert asked(NOW + 3).run_ids == ()

    def test_old_ticks_go_by_their_kind_and_their_end(self, storage: _RetainedStorage) -> None:
        _ticks(
            storage,
            (_SENSOR, 1, TickStatus.SKIPPED),
            (_SENSOR, 2, TickStatus.SUCCESS),
            (_SENSOR, 3, TickStatus.FAILURE),
            (_SENSOR, 9, TickStatus.SKIPPED),
            (_SCHEDULE, 1, TickStatus.SKIPPED),
            (_SCHEDULE, 9, TickStatus.SKIPPED),
        )
        cut = OldTicks(before=9, of=InstigatorKind.SENSOR, statuses=(TickStatus.SKIPPED, TickStatus.FAILURE))
        assert storage.retention.old(cut) == 2
        assert storage.retention.remove(cut, at_most=100) == Removed(rows=2, more=False)
        assert _left(storage, _SENSOR) == [2, 9]
        assert _left(storage, _SCHEDULE) == [1, 9]
        assert storage.retention.old(cut) == 0

    def test_the_last_tick_of_each_stays(self, storage: _RetainedStorage) -> None:
        _ticks(storage, *((each, at, TickStatus.SUCCESS) for each in (_SENSOR, _OTHER) for at in (1, 2, 3)))
        assert _remove_all(storage, OldTicks(before=99, of=InstigatorKind.SENSOR, statuses=_ENDED)) == 4
        assert _left(storage, _SENSOR, _OTHER) == [3, 3]

    def test_ticks_go_in_small_steps(self, storage: _RetainedStorage) -> None:
        _ticks(storage, *((each, at, TickStatus.SKIPPED) for each in (_SENSOR, _OTHER) for at in range(5)))
        cut = OldTicks(before=4, of=InstigatorKind.SENSOR, statuses=_ENDED)
        assert storage.retention.remove(cut, at_most=3) == Removed(rows=3, more=True)
        assert storage.retention.remove(cut, at_most=5) == Removed(rows=5, more=False)
        assert storage.retention.remove(cut, at_most=5) == Removed(rows=0, more=False)
        assert _left(storage, _SENSOR, _OTHER) == [4, 4]

    def test_a_tick_that_has_not_ended_stays(self, storage: _RetainedStorage) -> None:
        lease = storage.leases.acquire("sensors", "d", ttl=15, now=NOW)
        assert lease is not None
        for due in (NOW, NOW + 1):
            storage.instigators.begin_tick(_SENSOR, due, lease=lease, now=due)
        assert (
            _remove_all(storage, OldTicks(before=math.inf, of=InstigatorKind.SENSOR, statuses=tuple(TickStatus))) == 0
        )
        assert _left(storage, _SENSOR) == [NOW, NOW + 1]

    def test_what_is_there_of_ticks_is_told(self, storage: _RetainedStorage) -> None:
        assert (_kept(storage, RetentionKind.TICKS).rows, _kept(storage, RetentionKind.TICKS).oldest) == (0, None)
        _ticks(storage, (_SENSOR, 5, TickStatus.SKIPPED), (_SENSOR, 7, TickStatus.SKIPPED))
        kept = _kept(storage, RetentionKind.TICKS)
        assert (kept.rows, kept.oldest, kept.aged_from) == (2, 5, 5)
        assert kept.bytes is None or kept.bytes > 0

    # -- acts ---------------------------------------------------------------------------------------------------------

    def test_old_acts_go(self, storage: _RetainedStorage) -> None:
        assert _kept(storage, RetentionKind.ACTS).oldest is None
        act = Act(subject="pool/db", time=0.0, kind=ActKind.SET_LIMIT)
        storage.acts.add([msgspec.structs.replace(act, time=at) for at in (4.0, 1.0, 3.0, 2.0)])
        kept = _kept(storage, RetentionKind.ACTS)
        assert (kept.rows, kept.oldest, kept.aged_from) == (4, 1.0, 1.0)
        cut = OldActs(before=3.0)
        assert storage.retention.old(cut) == 2
        assert storage.retention.remove(cut, at_most=1) == Removed(rows=1, more=True)
        assert [each.time for each in storage.acts.page()] == [2.0, 3.0, 4.0]
        assert storage.retention.remove(cut, at_most=1) == Removed(rows=1, more=False)
        assert storage.retention.remove(cut, at_most=9) == Removed(rows=0, more=False)
        assert [each.time for each in storage.acts.page()] == [3.0, 4.0]

    # -- evaluations --------------------------------------------------------------------------------------------------

    def test_old_evaluations_go_but_for_the_last_of_each(self, storage: _RetainedStorage) -> None:
        lease = storage.leases.acquire("sensors", "d", ttl=1e9, now=NOW)
        assert lease is not None
        for at, entities in ((1, "ab"), (2, "a"), (3, "a")):
            tick = storage.instigators.begin_tick(_SENSOR, at, lease=lease, now=at)
            assert tick is not None
            given = [
                EvaluationRecord(
                    entity=each,
                    evaluation=at,
                    time=at,
                    requested=1,
                    root=ConditionEvaluation(condition="eager", kind="and", entity=each, candidates=1, count=1),
                )
                for each in entities
            ]
            ended = Tick(id=tick.id, instigator=_SENSOR, due=at, started=at, status=TickStatus.SUCCESS)
            storage.instigators.complete_tick(ended, lease=lease, evaluations=given, now=at)
        assert (_kept(storage, RetentionKind.EVALUATIONS).rows, _kept(storage, RetentionKind.EVALUATIONS).oldest) == (
            4,
            1,
        )
        cut = OldEvaluations(before=3)
        assert storage.retention.old(cut) == 2
        assert storage.retention.remove(cut, at_most=1) == Removed(rows=1, more=True)
        assert storage.retention.remove(cut, at_most=1) == Removed(rows=1, more=False)
        assert [each.record.evaluation for each in storage.instigators.evaluations("a")] == [3]
        assert [each.record.evaluation for each in storage.instigators.evaluations("b")] == [1]

    # -- runs ---------------------------------------------------------------------------------------------------------

    def test_runs_that_ended_long_ago_are_found_oldest_first(self, storage: _RetainedStorage) -> None:
        later, sooner = _ended_run(storage, at=NOW + 20), _ended_run(storage, at=NOW + 10)
        queued_run(storage)
        _ended_run(storage, at=NOW + 99)
        assert storage.retention.old_runs(NOW + 90, limit=9) == [sooner.run_id, later.run_id]
        assert storage.retention.old_runs(NOW + 90, limit=1) == [sooner.run_id]
        assert storage.retention.old(OldRuns(before=NOW + 90)) == 2
        kept = _kept(storage, RetentionKind.RUNS)
        assert (kept.rows, kept.oldest, kept.aged_from) == (4, NOW, sooner.ended)

    def test_what_a_run_repeats_that_has_not_ended_is_needed(self, storage: _RetainedStorage) -> None:
        first = _ended_run(storage, at=NOW + 10)
        second = _ended_run(storage, at=NOW + 20, **_repeats(first))
        other = _ended_run(storage, at=NOW + 30)
        third = started_run(storage, **_repeats(second))
        assert storage.retention.old_runs(NOW + 90, limit=9) == [other.run_id]
        storage.events.append(third.run_id, 1, events_from(2, [RunSuccess()], at=NOW + 40), now=NOW + 40)
        ended = [first.run_id, second.run_id, other.run_id, third.run_id]
        assert storage.retention.old_runs(NOW + 90, limit=9) == ended

    def test_a_long_log_is_shortened_from_its_beginning(self, storage: _RetainedStorage) -> None:
        run = _ended_run(storage, *(EngineNote(message=str(n)) for n in range(10)), at=NOW + 10)
        whole = storage.events.of_run(run.run_id)
        assert storage.retention.shorten(run.run_id, at_most=5) == 5
        assert storage.events.of_run(run.run_id) == whole[5:]
        assert storage.retention.shorten(run.run_id, at_most=len(whole)) == 0
        assert storage.events.of_run(run.run_id) == whole[5:]
        going = started_run(storage)
        assert storage.retention.shorten(going.run_id, at_most=1) == 0
        assert storage.retention.shorten("unknown", at_most=1) == 0

    # -- events -------------------------------------------------------------------------------------------------------

    def test_the_logs_of_a_month_go_together_and_what_is_known_stays(self, storage: _RetainedStorage) -> None:
        old = _ended_run(storage, AssetMaterialization(asset="a"), at=NOW + 10)
        new = _ended_run(storage, at=LATER + 10, created=LATER)
        kept = _kept(storage, RetentionKind.EVENTS)
        assert kept.aged_from is not None
        assert NOW < kept.aged_from < LATER
        cut = OldEvents(before=kept.aged_from)
        assert storage.retention.old(OldEvents(before=kept.aged_from - 1)) == 0
        assert storage.retention.old(cut) > 0
        assert _remove_all(storage, cut) > 0
        assert storage.events.of_run(old.run_id) == []
        assert storage.events.of_run(new.run_id)
        assert storage.runs.get(old.run_id) == old
        assert [each.run_id for each in storage.assets.history("a")] == [old.run_id]
        assert storage.retention.old(cut) == 0
        assert _kept(storage, RetentionKind.EVENTS).aged_from != kept.aged_from

    def test_what_has_not_ended_keeps_its_log_and_those_that_it_needs(self, storage: _RetainedStorage) -> None:
        first = _ended_run(storage, at=NOW + 10)
        second = _ended_run(storage, at=NOW + 20, **_repeats(first))
        other = _ended_run(storage, at=NOW + 30)
        going = started_run(storage, **_repeats(second))
        before = {each.run_id: storage.events.of_run(each.run_id) for each in (first, second, going)}
        _remove_all(storage, OldEvents(before=LATER))
        assert {run_id: storage.events.of_run(run_id) for run_id in before} == before
        assert storage.events.of_run(other.run_id) == []
        storage.events.append(going.run_id, 1, events_from(2, [RunSuccess()], at=LATER), now=LATER)
        assert len(storage.events.of_run(going.run_id)) == len(before[going.run_id]) + 1

    def test_what_is_loaded_is_kept_as_long_as_what_happens_today(self, storage: _RetainedStorage) -> None:
        run = msgspec.structs.replace(_ended_run(storage, at=NOW + 10), run_id=ordered_run_id())
        fresh = _ended_run(storage, at=SYSTEM_CLOCK.now(), created=SYSTEM_CLOCK.now())
        last = storage.events.last_id()
        logged = [
            LoggedEvent(id=last + 1, run_id=run.run_id, attempt=1, event=Event(time=NOW, fact=RunSuccess(), seq=1)),
            LoggedEvent(id=last + 2, event=Event(time=NOW, fact=AssetMaterialization(asset="a"))),
        ]
        storage.archive.load_runs([LoadedRun(run=run)])
        storage.archive.load_events(logged)
        _remove_all(storage, OldEvents(before=LATER))
        assert [each.id for each in storage.events.of_run(run.run_id)] == [last + 1]
        assert [each.id for each in storage.events.of_types(["ASSET_MATERIALIZATION"])] == [last + 2]
        assert storage.events.of_run(fresh.run_id)

    def test_a_run_whose_log_is_gone_can_be_deleted(self, storage: _RetainedStorage) -> None:
        run = _ended_run(storage, at=NOW + 10)
        _remove_all(storage, OldEvents(before=LATER))
        assert storage.retention.shorten(run.run_id, at_most=1) == 0
        assert storage.runs.delete(run.run_id)
        assert storage.runs.get(run.run_id) is None

    @pytest.mark.parametrize("at_most", [1, 1000])
    def test_an_empty_storage_has_nothing_to_remove(self, storage: _RetainedStorage, at_most: int) -> None:
        for cut in (OldEvents(before=NOW), OldEvaluations(before=NOW)):
            assert storage.retention.old(cut) == 0
            assert _remove_all(storage, cut, at_most=at_most) == 0
        assert {each.rows for each in storage.retention.kept()} == {0}
        assert storage.retention.old_runs(NOW, limit=1) == []


LATER = NOW + 100 * 86_400
"""In another month than `NOW`, and before today."""


def _repeats(run: Run) -> dict[str, Any]:
    return {
        "parent_run_id": run.run_id,
        "root_run_id": run.root_run_id or run.run_id,
        "tags": {Tag.PARENT_RUN: run.run_id, Tag.ROOT_RUN: run.root_run_id or run.run_id},
    }
