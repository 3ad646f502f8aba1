"""Schedules and sensors: switches, cursors, ticks."""

from __future__ import annotations

import msgspec
import pytest

from ...errors import FencedError, StorageError
from ...partitions.requests import AddDynamicPartitionsRequest, DeleteDynamicPartitionsRequest
from ...records.automation import InstigatorKind, InstigatorState, InstigatorStatus, Tick, TickStatus, instigator_id
from ...records.conditions.evaluation import ConditionEvaluation, EvaluationRecord
from ...records.errors import ErrorInfo
from ...records.event import AssetFact, AssetMaterialization, AssetObservation, RunEnqueued
from ...records.lease import Lease
from ...records.run import RunStatus
from ...storage.protocols import NewRun, RunFilter, Storage
from .backfills import stored_backfill
from .builders import NOW, given_run, new_run

__all__ = ["InstigatorContract"]

_SENSOR = instigator_id("shop", InstigatorKind.SENSOR, "new_files")
_SCHEDULE = instigator_id("a/b", InstigatorKind.SCHEDULE, "hourly")


def _lease(storage: Storage, holder: str = "daemon-1", now: float = NOW) -> Lease:
    lease = storage.leases.acquire("sensors", holder, ttl=15, now=now)
    assert lease is not None
    return lease


def _begin(storage: Storage, due: float = NOW, *, instigator: str = _SENSOR, now: float = NOW) -> tuple[Tick, Lease]:
    lease = _lease(storage)
    tick = storage.instigators.begin_tick(instigator, due, lease=lease, now=now)
    assert tick is not None
    return tick, lease


def _ended(tick: Tick, status: TickStatus = TickStatus.SUCCESS) -> Tick:
    return msgspec.structs.replace(tick, status=status)


def _asked(*keys: str | None) -> list[tuple[str | None, NewRun]]:
    return [(key, new_run(RunEnqueued())) for key in keys]


def _evaluation(entity: str, number: int, *, requested: int = 0) -> EvaluationRecord:
    root = ConditionEvaluation(condition="eager", kind="and", entity=entity, candidates=1, count=requested)
    return EvaluationRecord(entity=entity, evaluation=number, time=NOW, requested=requested, root=root)


class InstigatorContract:
    """`InstigatorStorage`."""

    # -- states -------------------------------------------------------------------------------------------------------

    def test_the_switch_is_stored_and_forgets_when_it_was_due(self, storage: Storage) -> None:
        planned = InstigatorState(
            id=_SENSOR, location="shop", kind=InstigatorKind.SENSOR, name="new_files", next_due=NOW + 5, fingerprint="f"
        )
        storage.instigators.plan([planned])
        stored = storage.instigators.get(_SENSOR)
        assert stored is not None
        assert (stored.status, stored.next_due, stored.fingerprint) == (
            InstigatorStatus.DECLARED_IN_CODE,
            NOW + 5,
            "f",
        )
        switched = storage.instigators.switch(
            _SENSOR, "shop", InstigatorKind.SENSOR, "new_files", InstigatorStatus.RUNNING, now=NOW + 1
        )
        assert switched == storage.instigators.get(_SENSOR)
        assert (switched.status, switched.next_due, switched.fingerprint, switched.updated) == (
            InstigatorStatus.RUNNING,
            None,
            None,
            NOW + 1,
        )
        assert storage.instigators.states() == storage.instigators.states(InstigatorKind.SENSOR) == {_SENSOR: switched}
        assert storage.instigators.states(InstigatorKind.SCHEDULE) == {}
        assert storage.instigators.get("unknown/sensor/x") is None

    def test_planning_changes_nothing_but_the_plan(self, storage: Storage) -> None:
        storage.instigators.switch(
            _SENSOR, "shop", InstigatorKind.SENSOR, "new_files", InstigatorStatus.STOPPED, now=NOW
        )
        set_by_hand = storage.instigators.set_cursor(_SENSOR, "shop", "new_files", "42", now=NOW + 1)
        storage.instigators.plan(
            [
                InstigatorState(
                    id=_SENSOR, location="x", kind=InstigatorKind.SCHEDULE, name="x", next_due=NOW + 9, fingerprint="g"
                )
            ]
        )
        assert storage.instigators.get(_SENSOR) == msgspec.structs.replace(
            set_by_hand, next_due=NOW + 9, fingerprint="g"
        )

    def test_a_cursor_can_be_set_for_a_sensor_that_never_ran(self, storage: Storage) -> None:
        state = storage.instigators.set_cursor(_SENSOR, "shop", "new_files", "42", now=NOW)
        assert (state.cursor, state.kind, state.status) == (
            "42",
            InstigatorKind.SENSOR,
            InstigatorStatus.DECLARED_IN_CODE,
        )
        assert storage.instigators.set_cursor(_SENSOR, "shop", "new_files", None, now=NOW).cursor is None

    # -- ticks --------------------------------------------------------------------------------------------------------

    def test_a_tick_ends_together_with_all_that_it_causes(self, storage: Storage) -> None:
        tick, lease = _begin(storage)
        assert (tick.instigator, tick.due, tick.status, tick.started, tick.attempt) == (
            _SENSOR,
            NOW,
            TickStatus.STARTED,
            NOW,
            1,
        )
        asked = _asked("file-1", None, "file-2")
        ended = storage.instigators.complete_tick(
            _ended(tick), lease=lease, runs=asked, cursor="2", next_due=NOW + 30, now=NOW + 1
        )
        made = [new.run.run_id for _, new in asked]
        assert (ended.id, ended.status, ended.ended, ended.run_ids, ended.run_keys) == (
            tick.id,
            TickStatus.SUCCESS,
            NOW + 1,
            tuple(made),
            ("file-1", "file-2"),
        )
        assert [run.run_id for run in storage.runs.queued(limit=5)] == sorted(made)
        assert storage.instigators.ticks(_SENSOR) == [ended]
        state = storage.instigators.get(_SENSOR)
        assert state is not None
        assert (state.cursor, state.last_run_key, state.last_tick, state.next_due) == ("2", "file-2", NOW + 1, NOW + 30)

    def test_a_tick_changes_partitions_and_tells_facts_in_the_same_transaction(self, storage: Storage) -> None:
        storage.assets.add_dynamic_partitions("files", ["a", "b"])
        known = given_run(storage)
        changes = (
            AddDynamicPartitionsRequest("files", ["c", "a"]),
            DeleteDynamicPartitionsRequest("files", ["b", "unknown"]),
        )
        facts: list[AssetFact] = [AssetMaterialization(asset="inbox"), AssetObservation(asset="outbox")]
        tick, lease = _begin(storage)
        ended = msgspec.structs.replace(_ended(tick), partitions=changes)
        with pytest.raises(StorageError):
            storage.instigators.complete_tick(
                ended, lease=lease, runs=[(None, new_run(run_id=known.run_id))], facts=facts, now=NOW + 1
            )
        assert storage.assets.dynamic_partitions("files") == ["a", "b"]
        assert storage.assets.states() == {}
        stored = storage.instigators.complete_tick(ended, lease=lease, facts=facts, now=NOW + 1)
        assert storage.assets.dynamic_partitions("files") == ["a", "c"]
        assert set(storage.assets.states()) == {"inbox", "outbox"}
        assert storage.instigators.ticks(_SENSOR) == [stored]
        assert stored.partitions == changes

    def test_it_is_known_since_when_it_is_on(self, storage: Storage) -> None:
        first_seen = InstigatorState(
            id=_SENSOR, location="shop", kind=InstigatorKind.SENSOR, name="new_files", turned_on=NOW
        )

        def since() -> float | None:
            state = storage.instigators.get(_SENSOR)
            assert state is not None
            return state.turned_on

        storage.instigators.plan([first_seen])
        storage.instigators.plan([msgspec.structs.replace(first_seen, turned_on=NOW + 5)])
        assert since() == NOW
        for status, expected in ((InstigatorStatus.STOPPED, None), (InstigatorStatus.RUNNING, NOW + 9)):
            storage.instigators.switch(_SENSOR, "shop", InstigatorKind.SENSOR, "new_files", status, now=NOW + 9)
            assert since() == expected

    def test_a_due_time_is_evaluated_once(self, storage: Storage) -> None:
        tick, lease = _begin(storage)
        storage.instigators.complete_tick(_ended(tick), lease=lease, now=NOW + 1)
        assert storage.instigators.begin_tick(_SENSOR, NOW, lease=lease, now=NOW + 2) is None
        assert storage.instigators.begin_tick(_SCHEDULE, NOW, lease=lease, now=NOW + 2) is not None

    def test_a_run_key_makes_one_run(self, storage: Storage) -> None:
        first, lease = _begin(storage)
        storage.instigators.complete_tick(_ended(first), lease=lease, runs=_asked("a", "a", "b"), now=NOW)
        second, _ = _begin(storage, NOW + 30)
        asked = _asked("b", "c", "a")
        ended = storage.instigators.complete_tick(_ended(second), lease=lease, runs=asked, now=NOW)
        assert ended.run_ids == (asked[1][1].run.run_id,)
        assert ended.run_keys == ("b", "c", "a")
        assert storage.runs.count(RunFilter()) == 3
        other, _ = _begin(storage, NOW + 30, instigator=_SCHEDULE)
        ended = storage.instigators.complete_tick(_ended(other), lease=lease, runs=_asked("a"), now=NOW)
        assert len(ended.run_ids) == 1  # keys are each instigator's own

    def test_a_tick_told_twice_counts_once(self, storage: Storage) -> None:
        tick, lease = _begin(storage)
        asked = _asked("a", None)
        first = storage.instigators.complete_tick(_ended(tick), lease=lease, runs=asked, cursor="1", now=NOW + 1)
        again = storage.instigators.complete_tick(_ended(tick), lease=lease, runs=asked, cursor="1", now=NOW + 2)
        assert again == first
        assert storage.runs.count(RunFilter()) == 2

    def test_nothing_of_a_tick_is_stored_when_a_run_cannot_be_made(self, storage: Storage) -> None:
        tick, lease = _begin(storage)
        known = given_run(storage)
        runs = [*_asked("a"), ("b", new_run(run_id=known.run_id))]
        with pytest.raises(StorageError):
            storage.instigators.complete_tick(_ended(tick), lease=lease, runs=runs, cursor="1", now=NOW + 1)
        assert storage.runs.count(RunFilter()) == 1
        assert storage.instigators.ticks(_SENSOR)[0].status is TickStatus.STARTED
        ended = storage.instigators.complete_tick(_ended(tick), lease=lease, runs=_asked("a"), now=NOW + 2)
        assert len(ended.run_ids) == 1

    def test_a_tick_that_a_dead_daemon_left_begins_again(self, storage: Storage) -> None:
        lost, old = _begin(storage)
        lease = _lease(storage, "daemon-2", now=NOW + 16)
        again = storage.instigators.begin_tick(_SENSOR, NOW, lease=lease, now=NOW + 17)
        assert again is not None
        assert (again.id, again.attempt, again.started) == (lost.id, 2, NOW + 17)
        with pytest.raises(FencedError):
            storage.instigators.complete_tick(_ended(lost), lease=old, runs=_asked("a"), now=NOW + 18)
        ended = storage.instigators.complete_tick(_ended(again), lease=lease, runs=_asked("a"), now=NOW + 18)
        assert len(ended.run_ids) == 1

    def test_a_holder_whose_lease_has_passed_on_is_refused(self, storage: Storage) -> None:
        tick, old = _begin(storage)
        _lease(storage, "daemon-2", now=NOW + 16)
        with pytest.raises(FencedError):
            storage.instigators.begin_tick(_SENSOR, NOW + 30, lease=old, now=NOW + 17)
        with pytest.raises(FencedError):
            storage.instigators.complete_tick(_ended(tick), lease=old, runs=_asked(None), cursor="9", now=NOW + 17)
        assert storage.runs.count(RunFilter()) == 0
        assert storage.instigators.ticks(_SENSOR)[0].status is TickStatus.STARTED

    def test_an_earlier_epoch_of_the_same_holder_is_refused(self, storage: Storage) -> None:
        tick, old = _begin(storage)
        storage.leases.release(old)
        lease = _lease(storage)
        with pytest.raises(FencedError):
            storage.instigators.complete_tick(_ended(tick), lease=old, now=NOW + 1)
        assert storage.instigators.complete_tick(_ended(tick), lease=lease, now=NOW + 1).status is TickStatus.SUCCESS

    def test_an_attempt_of_the_same_holder_replaces_its_earlier_one(self, storage: Storage) -> None:
        first, lease = _begin(storage)
        second = storage.instigators.begin_tick(_SENSOR, NOW, lease=lease, now=NOW + 5)
        assert second is not None
        with pytest.raises(FencedError):
            storage.instigators.complete_tick(_ended(first), lease=lease, now=NOW + 6)

    def test_a_cursor_set_by_hand_during_a_tick_stays(self, storage: Storage) -> None:
        tick, lease = _begin(storage)
        storage.instigators.set_cursor(_SENSOR, "shop", "new_files", "by hand", now=NOW + 1)
        storage.instigators.complete_tick(_ended(tick), lease=lease, cursor="from the tick", now=NOW + 2)
        state = storage.instigators.get(_SENSOR)
        assert state is not None
        assert state.cursor == "by hand"
        following, _ = _begin(storage, NOW + 30, now=NOW + 3)
        storage.instigators.complete_tick(_ended(following), lease=lease, cursor="later", now=NOW + 4)
        state = storage.instigators.get(_SENSOR)
        assert state is not None
        assert state.cursor == "later"

    def test_a_failed_or_skipped_tick_says_why_and_keeps_the_cursor(self, storage: Storage) -> None:
        storage.instigators.set_cursor(_SENSOR, "shop", "new_files", "1", now=NOW - 1)
        tick, lease = _begin(storage)
        error = ErrorInfo(cls="OSError", message="gone")
        failed = msgspec.structs.replace(_ended(tick, TickStatus.FAILURE), error=error, log=("looked",))
        storage.instigators.complete_tick(failed, lease=lease, next_due=NOW + 30, now=NOW + 1)
        tick, _ = _begin(storage, NOW + 30)
        skipped = msgspec.structs.replace(_ended(tick, TickStatus.SKIPPED), skip_reason="nothing new")
        storage.instigators.complete_tick(skipped, lease=lease, now=NOW + 31)
        second, first = storage.instigators.ticks(_SENSOR)
        assert (first.status, first.error, first.log) == (TickStatus.FAILURE, error, ("looked",))
        assert (second.status, second.skip_reason) == (TickStatus.SKIPPED, "nothing new")
        state = storage.instigators.get(_SENSOR)
        assert state is not None
        assert (state.cursor, state.next_due) == ("1", NOW + 30)

    def test_a_tick_makes_its_backfill_once(self, storage: Storage) -> None:
        tick, lease = _begin(storage)
        asked = stored_backfill()
        with pytest.raises(FencedError):
            storage.instigators.complete_tick(
                msgspec.structs.replace(_ended(tick), attempt=7), lease=lease, backfill=asked, now=NOW + 1
            )
        assert storage.backfills.open() == []
        ended = storage.instigators.complete_tick(_ended(tick), lease=lease, backfill=asked, now=NOW + 1)
        again = storage.instigators.complete_tick(_ended(tick), lease=lease, backfill=stored_backfill(), now=NOW + 2)
        assert ended.backfill_id == again.backfill_id == asked.backfill.backfill_id
        assert storage.backfills.open() == [asked.backfill]
        assert storage.backfills.plan(asked.backfill.backfill_id) == asked.plan
        assert storage.backfills.log(asked.backfill.backfill_id) == [*asked.log]
        assert storage.instigators.ticks(_SENSOR) == [ended]

    def test_the_parts_of_an_instigator_are_known_from_its_first_tick(self, storage: Storage) -> None:
        tick, lease = _begin(storage, instigator=_SCHEDULE)
        storage.instigators.complete_tick(_ended(tick), lease=lease, runs=_asked(None), now=NOW + 1)
        state = storage.instigators.get(_SCHEDULE)
        assert state is not None
        assert (state.location, state.kind, state.name) == ("a/b", InstigatorKind.SCHEDULE, "hourly")
        assert storage.runs.queued(limit=1)[0].status is RunStatus.QUEUED

    def test_ticks_are_newest_first_paged_and_filtered(self, storage: Storage) -> None:
        ended = []
        for index in range(6):
            tick, lease = _begin(storage, NOW + index, now=NOW + index)
            status = TickStatus.SKIPPED if index % 2 else TickStatus.SUCCESS
            ended.append(storage.instigators.complete_tick(_ended(tick, status), lease=lease, now=NOW + index))
        _begin(storage, instigator=_SCHEDULE)
        newest_first = ended[::-1]
        assert storage.instigators.ticks(_SENSOR) == newest_first
        assert storage.instigators.ticks(_SENSOR, limit=2) == newest_first[:2]
        assert storage.instigators.ticks(_SENSOR, limit=2, before=newest_first[1].id) == newest_first[2:4]
        assert storage.instigators.ticks(_SENSOR, statuses=[TickStatus.SKIPPED]) == newest_first[::2]
        both = [TickStatus.SUCCESS, TickStatus.SKIPPED]
        assert storage.instigators.ticks(_SENSOR, statuses=both, limit=3) == newest_first[:3]
        assert storage.instigators.ticks(_SENSOR, after_time=NOW + 3.5) == newest_first[:2]
        assert storage.instigators.ticks(_SENSOR, after_time=NOW + 100) == []
        assert storage.instigators.ticks("unknown/sensor/x") == []

    def test_the_newest_ticks_of_many_are_found_together(self, storage: Storage) -> None:
        begun = [_begin(storage, NOW + index, now=NOW + index)[0] for index in range(4)]
        (other, _) = _begin(storage, instigator=_SCHEDULE)
        asked = [_SCHEDULE, "unknown/sensor/x", _SENSOR]
        found = storage.instigators.latest_ticks(asked, limit=3)
        assert found == {_SENSOR: begun[:0:-1], _SCHEDULE: [other]}
        assert storage.instigators.latest_ticks([_SENSOR], limit=1) == {_SENSOR: [begun[-1]]}
        assert storage.instigators.latest_ticks([], limit=3) == {}

    def test_ticks_of_many_are_found_by_status_and_time_as_those_of_one(self, storage: Storage) -> None:
        instigators = storage.instigators
        ends = (TickStatus.FAILURE, TickStatus.SKIPPED, TickStatus.FAILURE, TickStatus.SUCCESS, None)
        for number in range(20):
            key = _SCHEDULE if number % 3 == 0 else _SENSOR
            tick, lease = _begin(storage, NOW + number, instigator=key, now=NOW + number)
            if (status := ends[number % 5]) is not None:
                instigators.complete_tick(_ended(tick, status), lease=lease, now=NOW + number)
        asked = [_SCHEDULE, "unknown/sensor/x", _SENSOR]
        for statuses in (None, [TickStatus.FAILURE], [TickStatus.FAILURE, TickStatus.SKIPPED, TickStatus.FAILURE], []):
            for after in (None, NOW + 9.5, NOW + 100):
                for limit in (1, 3, 50):
                    of_each = {
                        key: instigators.ticks(key, limit=limit, statuses=statuses, after_time=after) for key in asked
                    }
                    found = instigators.latest_ticks(asked, limit=limit, statuses=statuses, after_time=after)
                    assert found == {key: ticks for key, ticks in of_each.items() if ticks}

    # -- automation conditions ----------------------------------------------------------------------------------------

    def test_what_conditions_came_to_is_kept_with_the_tick(self, storage: Storage) -> None:
        for number in (1, 2, 3, 4):
            tick, lease = _begin(storage, NOW + number)
            ended = storage.instigators.complete_tick(
                _ended(tick),
                lease=lease,
                runs=_asked(None) if number == 2 else (),
                evaluations=[_evaluation("orders", number, requested=int(number == 2)), _evaluation("other", number)],
                now=NOW + number,
            )
            if number == 2:
                made = ended.run_ids
        found = storage.instigators.evaluations("orders")
        # Of those that requested nothing, only the last one is there.
        assert [each.record.evaluation for each in found] == [4, 2]
        assert [each.run_ids for each in found] == [(), made]
        assert found[1].record == _evaluation("orders", 2, requested=1)
        before = storage.instigators.evaluations("orders", before=found[0].id, limit=1)
        assert [each.record.evaluation for each in before] == [2]
        assert [each.record.evaluation for each in storage.instigators.evaluations("other")] == [4]
        assert storage.instigators.evaluations("unknown") == []

    def test_evaluations_that_came_to_the_same_are_each_ones_own(self, storage: Storage) -> None:
        tick, lease = _begin(storage)
        part = ConditionEvaluation(condition="missing", kind="missing", entity="up", candidates=1, count=1, true=("",))
        root = ConditionEvaluation(
            condition="any", kind="any_deps", entity="a", candidates=1, count=1, children=(part,)
        )
        record = EvaluationRecord(
            entity="a",
            evaluation=1,
            time=NOW,
            requested=1,
            root=root,
            ids=("a", "up"),
            alike=(("b", "upper"), ("c", "up")),
        )
        storage.instigators.complete_tick(_ended(tick), lease=lease, evaluations=[record], now=NOW)
        found = [storage.instigators.evaluations(key)[0].record for key in "abc"]
        assert found == list(record.each())
        assert [(each.root.entity, each.root.children[0].entity) for each in found] == [
            ("a", "up"),
            ("b", "upper"),
            ("c", "up"),
        ]
