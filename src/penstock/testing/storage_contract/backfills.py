"""Backfills, and how their parts follow the runs: promises of `BackfillStorage`."""

from __future__ import annotations

import msgspec
import pytest

from ...errors import FencedError, StorageError
from ...partitions.mapping import AllPartitionMapping
from ...partitions.spec import StaticSpec
from ...partitions.subset import Subset
from ...records.backfill import (
    Backfill,
    BackfillGroup,
    BackfillLine,
    BackfillNeed,
    BackfillPart,
    BackfillPlan,
    BackfillStatus,
    GroupCounts,
    PartStatus,
)
from ...records.event import (
    AssetMaterialization,
    AssetMaterializationPlanned,
    Event,
    Fact,
    RunEnqueued,
    RunFailure,
    RunStart,
    RunSuccess,
)
from ...records.lease import Lease
from ...records.run import FailureReason, Run, RunStatus, Tag
from ...storage.protocols import BackfillAdvance, BackfillChange, BackfillFilter, NewRun, Storage, StoredBackfill
from .builders import NOW, new_run, ordered_run_id

__all__ = [
    "BackfillContract",
    "added_backfill",
    "backfill_lease",
    "begun_parts",
    "end_run",
    "made_facts",
    "stored_backfill",
]

_SET = StaticSpec(keys=("a", "b", "c"))
_PLAN = BackfillPlan(
    groups=(
        BackfillGroup(location="shop", job="nightly", assets=("x", "y"), partitions=_SET, chosen=Subset.span(0, 3)),
        BackfillGroup(
            location="shop",
            job="nightly",
            assets=("z",),
            chosen=Subset.span(0, 1),
            needs=(BackfillNeed(group=0, asset="x", mapping=AllPartitionMapping()),),
        ),
    ),
    now=NOW,
    dynamic_keys={"colors": ("red",)},
    run_config={"ops": {}},
)
_ASKED = BackfillLine(time=NOW, message="Asked for.")


def added_backfill(storage: Storage, *, plan: BackfillPlan = _PLAN, **fields: object) -> Backfill:
    """A stored backfill over three partitions of two assets, and an asset without partitions."""
    backfill = msgspec.structs.replace(
        Backfill(backfill_id=ordered_run_id(), title="fix", tags={"a": "b"}, size=7, created=NOW, updated=NOW), **fields
    )
    storage.backfills.add(backfill, plan, line=_ASKED)
    return backfill


def stored_backfill() -> StoredBackfill:
    """The same, not stored yet."""
    backfill = Backfill(backfill_id=ordered_run_id(), size=7, created=NOW, updated=NOW)
    return StoredBackfill(backfill=backfill, plan=_PLAN, log=(_ASKED,))


def backfill_lease(storage: Storage) -> Lease:
    """The lease under which it goes on."""
    lease = storage.leases.acquire("backfills/0", "daemon-1", ttl=60, now=NOW)
    assert lease is not None
    return lease


def _part(group: int, position: int, run_id: str | None, status: PartStatus = PartStatus.OPEN) -> BackfillPart:
    return BackfillPart(group=group, first=position, last=position, size=1, status=status, run_id=run_id)


def _new(position: int) -> NewRun:
    planned = [AssetMaterializationPlanned(asset=asset, partition="abc"[position]) for asset in ("x", "y")]
    return new_run(*planned, RunEnqueued())


def begun_parts(storage: Storage, backfill: Backfill, *positions: int) -> list[Run]:
    """Queued runs of parts of the first group."""
    made = [_new(position) for position in positions]
    runs = tuple((_part(0, position, new.run.run_id), new) for position, new in zip(positions, made, strict=True))
    storage.backfills.advance(backfill.backfill_id, BackfillAdvance(runs=runs), lease=backfill_lease(storage), now=NOW)
    return [new.run for new in made]


def end_run(storage: Storage, run: Run, *facts: Fact) -> None:
    """Let a worker tell this of a run that waits."""
    (claimed,) = storage.runs.claim([run.run_id], owner="server", until=NOW + 30, now=NOW)
    events = [Event(time=NOW + 1, fact=fact, seq=seq) for seq, fact in enumerate((RunStart(pid=1), *facts), 1)]
    storage.events.append(run.run_id, claimed.attempt, events, now=NOW + 1)


def made_facts(position: int, *assets: str) -> list[Fact]:
    """What a run tells that makes the partition of that position of these assets."""
    return [AssetMaterialization(asset=asset, partition="abc"[position]) for asset in assets]


_FAILED = RunFailure(reason=FailureReason.STEP_FAILURE, message="no")


class BackfillContract:
    """Backfills and their parts."""

    def test_a_backfill_is_kept_as_it_was_asked_for(self, storage: Storage) -> None:
        backfill = added_backfill(storage)
        assert storage.backfills.get(backfill.backfill_id) == backfill
        assert storage.backfills.plan(backfill.backfill_id) == _PLAN
        assert storage.backfills.log(backfill.backfill_id) == [_ASKED]
        assert storage.backfills.open() == [backfill]
        assert storage.backfills.counts([backfill.backfill_id]) == {}
        assert storage.backfills.parts(backfill.backfill_id) == []
        with pytest.raises(StorageError, match="exists already"):
            storage.backfills.add(backfill, _PLAN, line=_ASKED)
        assert storage.backfills.get("x") is None
        assert storage.backfills.plan("x") is None
        assert storage.backfills.log("x") == []

    def test_pages_go_from_the_newest_on(self, storage: Storage) -> None:
        first, second, third = (added_backfill(storage, created=NOW + number) for number in range(3))
        storage.backfills.change(
            second.backfill_id, BackfillChange(status=BackfillStatus.CANCELING), line=_ASKED, now=NOW
        )
        page = storage.backfills.page(BackfillFilter(), limit=2)
        assert [each.backfill_id for each in page] == [third.backfill_id, second.backfill_id]
        assert storage.backfills.page(BackfillFilter(), limit=2, before=second.backfill_id) == [first]
        requested = BackfillFilter(statuses=(BackfillStatus.REQUESTED,))
        assert storage.backfills.page(requested, limit=9) == [third, first]
        either = BackfillFilter(statuses=(BackfillStatus.REQUESTED, BackfillStatus.CANCELING))
        assert storage.backfills.page(either, limit=2) == page
        assert storage.backfills.page(either, limit=2, before=second.backfill_id) == [first]
        assert storage.backfills.page(BackfillFilter(statuses=()), limit=9) == []
        between = BackfillFilter(created_after=NOW, created_before=NOW + 2)
        assert [each.backfill_id for each in storage.backfills.page(between, limit=9)] == [second.backfill_id]

    def test_those_that_fit_are_found(self, storage: Storage) -> None:
        plain = added_backfill(storage, title=None)
        fix = added_backfill(storage, title="Straße", description="after the outage", user="ann", job="nightly")
        other = added_backfill(storage, user="bob", job="nightly")
        gone = added_backfill(storage, user="ann", plan=BackfillPlan(groups=(_PLAN.groups[1],), now=NOW))
        end = BackfillAdvance(status=BackfillStatus.FAILED)
        storage.backfills.advance(gone.backfill_id, end, lease=backfill_lease(storage), now=NOW)

        def found(**conditions: object) -> list[str]:
            where = BackfillFilter(**conditions)  # type: ignore[arg-type]
            page = [each.backfill_id for each in storage.backfills.page(where, limit=9)]
            search = storage.backfills.search(where, limit=9)
            assert [each.backfill_id for each in search.backfills] == page
            assert search.until is None
            assert [each.backfill_id for each in storage.backfills.search(where, limit=1).backfills] == page[:1]
            return page

        ids = [gone.backfill_id, other.backfill_id, fix.backfill_id, plain.backfill_id]
        assert found() == found(asset="z") == ids
        assert found(asset="x") == ids[1:]
        assert found(asset="nothing") == []
        assert found(job="nightly") == ids[1:3]
        assert found(user="ann") == [gone.backfill_id, fix.backfill_id]
        assert found(user="ann", asset="x") == [fix.backfill_id]
        assert found(text="STRASSE") == found(text="outage") == [fix.backfill_id]
        assert found(text=plain.backfill_id) == [plain.backfill_id]
        assert found(text="Night") == ids[1:3]
        assert found(asset="z", statuses=(BackfillStatus.FAILED,)) == [gone.backfill_id]
        assert found(user="ann", statuses=(BackfillStatus.REQUESTED,), created_after=NOW - 1) == [fix.backfill_id]
        assert found(asset="z", created_before=NOW) == found(user="ann", ended_before=NOW) == []
        assert storage.backfills.delete(gone.backfill_id)
        assert found(asset="z") == ids[1:]

    def test_a_part_follows_its_run_and_is_counted_in_the_same_transaction(self, storage: Storage) -> None:
        backfill = added_backfill(storage)
        first, second, third = begun_parts(storage, backfill, 0, 1, 2)
        counts = storage.backfills.counts([backfill.backfill_id])[backfill.backfill_id]
        assert counts == [GroupCounts(group=0, runs=3, open=3)]
        end_run(storage, first, *made_facts(0, "x", "y"), RunSuccess())
        end_run(storage, second, *made_facts(1, "x"), RunSuccess())
        end_run(storage, third, *made_facts(2, "x"), _FAILED)
        counts = storage.backfills.counts([backfill.backfill_id])[backfill.backfill_id]
        assert counts == [GroupCounts(group=0, runs=3, open=2, done=1)]
        parts = storage.backfills.parts(backfill.backfill_id)
        assert [part.status for part in parts] == [PartStatus.DONE, PartStatus.ENDED, PartStatus.ENDED]
        assert storage.backfills.parts(backfill.backfill_id, news=True) == parts
        assert storage.backfills.parts(backfill.backfill_id, open_only=True) == parts[1:]
        assert storage.backfills.made([second.run_id, third.run_id]) == {"x": ["b", "c"]}

    def test_what_is_decided_is_stored_together(self, storage: Storage) -> None:
        backfill = added_backfill(storage)
        first, second = begun_parts(storage, backfill, 0, 1)
        end_run(storage, first, *made_facts(0, "x", "y"), RunSuccess())
        end_run(storage, second, *made_facts(1, "x"), _FAILED)
        done, ended = storage.backfills.parts(backfill.backfill_id, news=True)
        failed = msgspec.structs.replace(ended, status=PartStatus.FAILED, made={"x": Subset.span(1, 2)})
        step = BackfillAdvance(
            seen=(done,),
            settled=(failed,),
            closed=(_part(0, 2, None, PartStatus.CANCELED), _part(1, 0, None, PartStatus.SKIPPED)),
            status=BackfillStatus.COMPLETED_FAILED,
            note="over",
            lines=(BackfillLine(time=NOW + 5, message="It is over.", level="WARNING"),),
        )
        after = storage.backfills.advance(backfill.backfill_id, step, lease=backfill_lease(storage), now=NOW + 5)
        assert (after.status, after.ended, after.note) == (BackfillStatus.COMPLETED_FAILED, NOW + 5, "over")
        assert storage.backfills.get(backfill.backfill_id) == after
        assert storage.backfills.open() == []
        assert storage.backfills.parts(backfill.backfill_id, news=True) == []
        assert storage.backfills.parts(backfill.backfill_id)[1] == failed
        assert storage.backfills.counts([backfill.backfill_id])[backfill.backfill_id] == [
            GroupCounts(group=0, runs=2, done=1, failed=1, canceled=1, made={PartStatus.FAILED: {"x": 1}}),
            GroupCounts(group=1, skipped=1),
        ]
        assert [line.message for line in storage.backfills.log(backfill.backfill_id)] == ["Asked for.", "It is over."]

    @pytest.mark.parametrize("ends_first", [False, True])
    def test_a_part_whose_run_is_made_again_follows_the_new_one(self, storage: Storage, ends_first: bool) -> None:
        backfill = added_backfill(storage)
        (first,) = begun_parts(storage, backfill, 0)
        end_run(storage, first, _FAILED)
        (ended,) = storage.backfills.parts(backfill.backfill_id, news=True)
        again = _new(0)
        storage.runs.create([again])
        if ends_first:
            end_run(storage, again.run, *made_facts(0, "x", "y"), RunSuccess())
        step = BackfillAdvance(repeated=(msgspec.structs.replace(ended, run_id=again.run.run_id),))
        storage.backfills.advance(backfill.backfill_id, step, lease=backfill_lease(storage), now=NOW)
        if not ends_first:
            (part,) = storage.backfills.parts(backfill.backfill_id)
            assert (part.status, part.run_id) == (PartStatus.OPEN, again.run.run_id)
            assert storage.backfills.parts(backfill.backfill_id, news=True) == []
            end_run(storage, again.run, *made_facts(0, "x", "y"), RunSuccess())
        (part,) = storage.backfills.parts(backfill.backfill_id, news=True)
        assert part.status is PartStatus.DONE
        counts = storage.backfills.counts([backfill.backfill_id])[backfill.backfill_id]
        assert counts == [GroupCounts(group=0, runs=1, done=1)]

    def test_all_of_a_step_or_nothing_is_stored(self, storage: Storage) -> None:
        backfill = added_backfill(storage)
        (run,) = begun_parts(storage, backfill, 0)
        twice = BackfillAdvance(runs=((_part(0, 1, run.run_id), NewRun(run=run)),), status=BackfillStatus.FAILED)
        with pytest.raises(StorageError):
            storage.backfills.advance(backfill.backfill_id, twice, lease=backfill_lease(storage), now=NOW)
        new = _new(0)
        same = BackfillAdvance(runs=((_part(0, 0, new.run.run_id), new),), status=BackfillStatus.FAILED)
        with pytest.raises(StorageError):
            storage.backfills.advance(backfill.backfill_id, same, lease=backfill_lease(storage), now=NOW)
        assert storage.runs.get(new.run.run_id) is None
        assert len(storage.backfills.parts(backfill.backfill_id)) == 1
        assert storage.backfills.open() != []
        with pytest.raises(StorageError, match="no backfill"):
            storage.backfills.advance("x", BackfillAdvance(), lease=backfill_lease(storage), now=NOW)

    def test_one_whose_lease_has_passed_on_changes_nothing(self, storage: Storage) -> None:
        backfill = added_backfill(storage)
        lease = backfill_lease(storage)
        storage.leases.release(lease)
        assert storage.leases.acquire(lease.name, "daemon-2", ttl=60, now=NOW) is not None
        new = _new(0)
        step = BackfillAdvance(runs=((_part(0, 0, new.run.run_id), new),))
        with pytest.raises(FencedError):
            storage.backfills.advance(backfill.backfill_id, step, lease=lease, now=NOW)
        assert storage.runs.get(new.run.run_id) is None
        assert storage.backfills.parts(backfill.backfill_id) == []

    def test_what_people_want_is_not_undone_by_the_daemon(self, storage: Storage) -> None:
        backfill = added_backfill(storage)
        line = BackfillLine(time=NOW, message="Stop.")
        wanted = BackfillChange(status=BackfillStatus.CANCELING)
        storage.backfills.change(backfill.backfill_id, wanted, line=line, now=NOW + 1)
        step = BackfillAdvance(status=BackfillStatus.COMPLETED_SUCCESS, note="over")
        after = storage.backfills.advance(backfill.backfill_id, step, lease=backfill_lease(storage), now=NOW + 2)
        assert (after.status, after.ended) == (BackfillStatus.CANCELING, None)
        end = BackfillAdvance(status=BackfillStatus.CANCELED)
        storage.backfills.advance(backfill.backfill_id, end, lease=backfill_lease(storage), now=NOW + 3)
        assert storage.backfills.open() == []

    def test_what_it_does_not_allow_changes_nothing(self, storage: Storage) -> None:
        backfill = added_backfill(storage)
        resumed = BackfillChange(status=BackfillStatus.REQUESTED)
        assert storage.backfills.change(backfill.backfill_id, resumed, line=_ASKED, now=NOW + 1) == backfill
        same = BackfillChange(paused=False, priority=0)
        assert storage.backfills.change(backfill.backfill_id, same, line=_ASKED, now=NOW + 1) == backfill
        assert storage.backfills.log(backfill.backfill_id) == [_ASKED]
        assert storage.backfills.change("x", same, line=_ASKED, now=NOW) is None
        paused = storage.backfills.change(
            backfill.backfill_id, BackfillChange(paused=True, priority=4), line=_ASKED, now=NOW + 1
        )
        assert paused is not None
        assert (paused.paused, paused.priority, paused.updated) == (True, 4, NOW + 1)

    @pytest.mark.parametrize(
        "wanted", [BackfillChange(paused=True), BackfillChange(status=BackfillStatus.CANCELING)], ids=str
    )
    def test_what_waits_in_the_queue_stays_there_while_it_is_held(
        self, storage: Storage, wanted: BackfillChange
    ) -> None:
        backfill = added_backfill(storage)
        tags = {Tag.BACKFILL: backfill.backfill_id}
        waiting, fresh = new_run(RunEnqueued(), tags=tags), new_run(tags=tags)
        storage.runs.create([waiting, fresh])
        ids = [waiting.run.run_id, fresh.run.run_id]
        subscription = storage.notifier.subscribe()
        try:
            storage.backfills.change(backfill.backfill_id, wanted, line=_ASKED, now=NOW)
            assert subscription.wait(5.0) & {"queue", "*"}
        finally:
            subscription.close()
        claimed = storage.runs.claim(ids, owner="server", until=NOW + 30, now=NOW)
        assert [run.run_id for run in claimed] == [fresh.run.run_id]  # it was never in the queue
        if wanted.paused:
            failing = BackfillAdvance(status=BackfillStatus.FAILING)
            storage.backfills.advance(backfill.backfill_id, failing, lease=backfill_lease(storage), now=NOW)
            claimed = storage.runs.claim(ids, owner="server", until=NOW + 30, now=NOW)
            assert [run.run_id for run in claimed] == [waiting.run.run_id]

    def test_one_that_has_failed_is_taken_up_again(self, storage: Storage) -> None:
        backfill = added_backfill(storage)
        step = BackfillAdvance(status=BackfillStatus.FAILED, note="no", failures=5)
        storage.backfills.advance(backfill.backfill_id, step, lease=backfill_lease(storage), now=NOW)
        resumed = BackfillChange(status=BackfillStatus.REQUESTED)
        after = storage.backfills.change(backfill.backfill_id, resumed, line=_ASKED, now=NOW + 1)
        assert after is not None
        assert (after.status, after.ended, after.failures, after.note) == (BackfillStatus.REQUESTED, None, 0, None)
        assert storage.backfills.open() == [after]

    def test_how_long_it_has_rested_is_kept(self, storage: Storage) -> None:
        backfill = added_backfill(storage)

        def change(at: float, **wanted: object) -> Backfill:
            change = BackfillChange(**wanted)  # type: ignore[arg-type]
            after = storage.backfills.change(backfill.backfill_id, change, line=_ASKED, now=NOW + at)
            assert after is not None
            return after

        assert change(10, paused=True).paused_at == change(15, paused=True).paused_at == NOW + 10
        resumed = change(40, paused=False)
        assert (resumed.rested, resumed.paused_at) == (30.0, None)
        assert change(50, paused=False) == resumed
        step = BackfillAdvance(status=BackfillStatus.FAILED, note="no")
        storage.backfills.advance(backfill.backfill_id, step, lease=backfill_lease(storage), now=NOW + 50)
        assert change(70, status=BackfillStatus.REQUESTED).rested == 50.0

    def test_the_log_keeps_its_last_lines(self, storage: Storage) -> None:
        backfill = added_backfill(storage)
        lines = tuple(BackfillLine(time=NOW, message=str(number)) for number in range(400))
        storage.backfills.advance(
            backfill.backfill_id, BackfillAdvance(lines=lines, note="x"), lease=backfill_lease(storage), now=NOW
        )
        log = storage.backfills.log(backfill.backfill_id)
        assert log[-1].message == "399"
        assert 100 <= len(log) < 400

    def test_only_an_ended_one_is_deleted_and_its_runs_stay(self, storage: Storage) -> None:
        backfill = added_backfill(storage)
        (run,) = begun_parts(storage, backfill, 0)
        assert not storage.backfills.delete(backfill.backfill_id)
        end = BackfillAdvance(status=BackfillStatus.FAILED)
        storage.backfills.advance(backfill.backfill_id, end, lease=backfill_lease(storage), now=NOW)
        assert storage.backfills.delete(backfill.backfill_id)
        assert not storage.backfills.delete(backfill.backfill_id)
        assert storage.backfills.get(backfill.backfill_id) is None
        assert storage.backfills.parts(backfill.backfill_id) == []
        assert storage.backfills.counts([backfill.backfill_id]) == {}
        kept = storage.runs.get(run.run_id)
        assert kept is not None
        assert kept.status is RunStatus.QUEUED

    def test_one_that_has_ended_elsewhere_is_taken_in_as_it_is(self, storage: Storage) -> None:
        backfill = Backfill(
            backfill_id=ordered_run_id(), status=BackfillStatus.COMPLETED_FAILED, size=7, created=NOW, ended=NOW + 9
        )
        parts = (_part(0, 0, "run", PartStatus.DONE), _part(0, 1, "other", PartStatus.FAILED))
        stored = StoredBackfill(backfill=backfill, plan=_PLAN, log=(_ASKED,), parts=parts)
        assert storage.backfills.load(stored)
        assert not storage.backfills.load(msgspec.structs.replace(stored, parts=()))
        assert storage.backfills.get(backfill.backfill_id) == backfill
        assert storage.backfills.parts(backfill.backfill_id) == list(parts)
        assert storage.backfills.log(backfill.backfill_id) == [_ASKED]
        counts = storage.backfills.counts([backfill.backfill_id])[backfill.backfill_id]
        assert counts == [GroupCounts(group=0, runs=2, done=1, failed=1)]
        old = BackfillFilter(ended_before=NOW + 10)
        assert storage.backfills.page(old, limit=9) == [backfill]
        assert storage.backfills.page(BackfillFilter(ended_before=NOW + 9), limit=9) == []

    def test_a_change_wakes_whoever_waits(self, storage: Storage) -> None:
        subscription = storage.notifier.subscribe()
        try:
            backfill = added_backfill(storage)
            assert subscription.wait(5.0) & {"backfills", "*"}
            storage.backfills.change(backfill.backfill_id, BackfillChange(paused=True), line=_ASKED, now=NOW)
            assert subscription.wait(5.0) & {"backfills", "*"}
        finally:
            subscription.close()
