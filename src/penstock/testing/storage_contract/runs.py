"""Runs: making, reading, filtering, states, removal."""

from __future__ import annotations

import pytest

from ...errors import StorageError
from ...ids import new_run_id
from ...records.event import (
    AssetMaterializationPlanned,
    EngineNote,
    LogLine,
    RunCanceled,
    RunCanceling,
    RunEnqueued,
    RunFailure,
    RunStart,
    RunStarting,
    RunSuccess,
)
from ...records.run import FailureReason, Run, RunStatus, Tag
from ...storage.protocols import RunFilter, RunTally, Storage
from .builders import NOW, events_from, given_run, new_run, queued_run, started_run

__all__ = ["RunContract"]


class RunContract:
    """`RunStorage`, but for who holds a run."""

    def test_a_run_comes_back_as_it_was_given(self, storage: Storage) -> None:
        given = new_run(
            run_config={"ops": {"load": {"config": {"path": "/data", "rows": 10, "ratio": 0.5, "none": None}}}},
            tags={"team": "sales", "ключ": "значение"},
            step_keys=("load", "clean"),
            assets=("shop/orders",),
            checks=("shop/orders:not_empty",),
            parent_run_id="p",
            root_run_id="r",
        )
        (created,) = storage.runs.create([given])
        assert created == storage.runs.get(created.run_id)
        assert created.status is RunStatus.NOT_STARTED
        assert created.updated == NOW
        for field in ("run_config", "tags", "step_keys", "assets", "checks", "parent_run_id", "root_run_id", "created"):
            assert getattr(created, field) == getattr(given.run, field)

    def test_there_is_no_run_of_an_unknown_id(self, storage: Storage) -> None:
        assert storage.runs.get(new_run_id()) is None

    def test_first_facts_move_the_run_and_are_in_its_log(self, storage: Storage) -> None:
        run = given_run(storage, AssetMaterializationPlanned(asset="orders"), RunEnqueued())
        assert run.status is RunStatus.QUEUED
        assert run.queued == NOW
        log = storage.events.of_run(run.run_id)
        assert [each.event.type for each in log] == ["ASSET_MATERIALIZATION_PLANNED", "RUN_ENQUEUED"]
        assert {each.run_id for each in log} == {run.run_id}

    def test_an_id_is_used_once_and_the_batch_is_all_or_none(self, storage: Storage) -> None:
        known = given_run(storage)
        other = new_run()
        with pytest.raises(StorageError, match=known.run_id):
            storage.runs.create([other, new_run(run_id=known.run_id)])
        assert storage.runs.get(other.run.run_id) is None

    def test_a_snapshot_is_stored_once_under_the_hash_that_the_run_names(self, storage: Storage) -> None:
        text = b'{"name": "nightly"}'
        first, second = (
            storage.runs.create([type(each)(run=each.run, snapshot=text)])[0] for each in (new_run(), new_run())
        )
        assert first.snapshot is not None
        assert first.snapshot == second.snapshot
        assert storage.runs.snapshot(first.snapshot) == text
        assert storage.runs.snapshot("0" * 32) is None

    # -- pages --------------------------------------------------------------------------------------------------------

    def test_pages_are_newest_first_and_have_neither_gap_nor_repeat(self, storage: Storage) -> None:
        made = [given_run(storage).run_id for _ in range(7)]
        seen: list[str] = []
        cursor: str | None = None
        while page := storage.runs.page(RunFilter(), limit=3, before=cursor):
            seen += [run.run_id for run in page]
            cursor = seen[-1]
        assert seen == sorted(made, reverse=True)
        oldest_first = storage.runs.page(RunFilter(), limit=3, ascending=True)
        assert [run.run_id for run in oldest_first] == sorted(made)[:3]
        following = storage.runs.page(RunFilter(), limit=10, before=oldest_first[-1].run_id, ascending=True)
        assert [run.run_id for run in following] == sorted(made)[3:]

    def test_each_condition_of_a_filter_holds_alone_and_together(self, storage: Storage) -> None:
        plain = given_run(storage)
        tagged = given_run(
            storage, tags={"team": "sales", "tier": "1"}, job="hourly", location="office", created=NOW + 1
        )
        planned = queued_run(
            storage,
            AssetMaterializationPlanned(asset="orders", partition="a"),
            AssetMaterializationPlanned(asset="orders", partition="b"),
            created=NOW + 2,
        )
        started = started_run(storage, tags={"team": "sales"}, created=NOW + 3)
        failed = started_run(storage, created=NOW + 4)
        storage.runs.record(failed.run_id, [RunFailure(reason=FailureReason.RUN_EXCEPTION, message="no")], now=NOW + 50)
        cases: list[tuple[RunFilter, list[Run]]] = [
            (RunFilter(), [plain, tagged, planned, started, failed]),
            (RunFilter(run_ids=(plain.run_id, failed.run_id, "unknown")), [plain, failed]),
            (RunFilter(run_ids=()), []),
            (RunFilter(statuses=(RunStatus.QUEUED,)), [planned]),
            (RunFilter(statuses=(RunStatus.NOT_STARTED, RunStatus.FAILURE)), [plain, tagged, failed]),
            (RunFilter(statuses=()), []),
            (RunFilter(job="hourly"), [tagged]),
            (RunFilter(job="hourly", statuses=(RunStatus.FAILURE,)), []),
            (RunFilter(location="office"), [tagged]),
            (RunFilter(tags={"team": "sales"}), [tagged, started]),
            (RunFilter(tags={"team": None}), [tagged, started]),
            (RunFilter(tags={"team": "sales", "tier": "1"}), [tagged]),
            (RunFilter(tags={"team": "sales", "tier": None}), [tagged]),
            (RunFilter(tags={"team": "1"}), []),
            (RunFilter(tags={"team": ("sales", "support")}), [tagged, started]),
            (RunFilter(tags={"tier": ("1", "2"), "team": "sales"}), [tagged]),
            (RunFilter(without_tags=("tier",), tags={"team": "sales"}), [started]),
            (RunFilter(asset="orders"), [planned]),
            (RunFilter(asset="orders", statuses=(RunStatus.QUEUED,), job="nightly"), [planned]),
            (RunFilter(asset="orders", tags={"team": "sales"}), []),
            (RunFilter(created_after=NOW + 1.5), [planned, started, failed]),
            (RunFilter(created_before=NOW + 1.5), [plain, tagged]),
            (RunFilter(created_after=NOW + 0.5, created_before=NOW + 2.5), [tagged, planned]),
            (RunFilter(updated_after=NOW + 40), [failed]),
            (RunFilter(ended_after=NOW + 49), [plain, tagged, planned, started, failed]),
            (RunFilter(ended_after=NOW + 51), [plain, tagged, planned, started]),
            (RunFilter(ended_after=NOW + 51, created_before=NOW + 0.5), [plain]),
        ]
        for where, expected in cases:
            ids = sorted((run.run_id for run in expected), reverse=True)
            assert [run.run_id for run in storage.runs.page(where, limit=100)] == ids, where
            assert [run.run_id for run in storage.runs.page(where, limit=2)] == ids[:2], where
            upward = storage.runs.page(where, limit=2, ascending=True)
            assert [run.run_id for run in upward] == ids[::-1][:2], where
            if len(ids) > 1:
                after_first = storage.runs.page(where, limit=100, before=ids[0])
                assert [run.run_id for run in after_first] == ids[1:], where
            searched = storage.runs.search(where, limit=2, before=None)
            assert [run.run_id for run in searched.runs] == ids[:2], where
            assert searched.until is None, where
            assert storage.runs.tally(where) == RunTally(number=len(ids)), where
            assert storage.runs.tally(where, at_most=1).number == min(1, len(ids)), where
            assert storage.runs.count(where) == len(ids), where
            assert storage.runs.count(where, at_most=1) == min(1, len(ids)), where

    def test_the_newest_runs_of_many_jobs_are_found_together(self, storage: Storage) -> None:
        def made(location: str, job: str) -> Run:
            return storage.runs.create([new_run(location=location, job=job)])[0]

        loads = [made("shop", "load") for _ in range(3)]
        elsewhere = made("depot", "load")
        report = made("shop", "report")
        asked = [("shop", "report"), ("shop", "load"), ("depot", "load"), ("depot", "report"), ("none", "load")]
        assert storage.runs.latest_of_jobs(asked, limit=2) == {
            ("shop", "load"): loads[:0:-1],
            ("shop", "report"): [report],
            ("depot", "load"): [elsewhere],
        }
        assert storage.runs.latest_of_jobs([], limit=2) == {}

    def test_the_queue_is_by_priority_and_then_by_age(self, storage: Storage) -> None:
        low, first, second, high = (
            queued_run(storage, tags={Tag.PRIORITY: priority}).run_id for priority in ("-1", "0", "what?", "3")
        )
        given_run(storage)
        assert [run.run_id for run in storage.runs.queued(limit=10)] == [high, first, second, low]
        assert [run.run_id for run in storage.runs.queued(limit=2)] == [high, first]

    def test_a_page_of_the_queue_has_the_first_of_every_share(self, storage: Storage) -> None:
        flood = [queued_run(storage, job="flood").run_id for _ in range(6)]
        whole = [queued_run(storage, job=job, tags={Tag.BACKFILL: "b"}).run_id for job in ("flood", "other")]
        mine = queued_run(storage, job="flood", tags={Tag.USER: "ann"}).run_id
        urgent = queued_run(storage, job="flood", tags={Tag.PRIORITY: "1"}).run_id
        later = [queued_run(storage, job="flood", tags={Tag.PRIORITY: "-1"}).run_id for _ in range(2)]
        given_run(storage)

        def page(limit: int) -> list[str]:
            return [run.run_id for run in storage.runs.queued(limit=limit, by_share=True)]

        assert page(1) == [urgent]
        assert page(3) == [urgent, flood[0], whole[0]]
        assert page(4) == [urgent, flood[0], whole[0], mine]
        assert page(6) == [urgent, *flood[:2], *whole, mine]
        assert page(50) == [run.run_id for run in storage.runs.queued(limit=50)]
        assert page(50) == [urgent, *flood, *whole, mine, *later]

    def test_shares_are_left_out_of_a_page_of_the_queue_and_found_by_themselves(self, storage: Storage) -> None:
        flood = [queued_run(storage, job="flood", tags={Tag.BACKFILL: "b", Tag.PRIORITY: "9"}) for _ in range(4)]
        share = flood[0].share
        first, second = queued_run(storage).run_id, queued_run(storage, tags={Tag.BACKFILL: "c"}).run_id
        for by_share in (False, True):
            page = storage.runs.queued(limit=2, by_share=by_share, but=[share, "another"])
            assert [run.run_id for run in page] == [first, second]
            assert storage.runs.queued(limit=9, by_share=by_share, but=[share, *(run.share for run in page)]) == []
        storage.runs.explain_waiting({flood[0].run_id: "It waits.", flood[1].run_id: "It rests."})
        left = {run.run_id for run in flood[1:]}
        assert set(storage.runs.queued_of_share(share, untold="It waits.")) == left
        assert len(storage.runs.queued_of_share(share, untold=None)) == 2
        storage.runs.claim([flood[1].run_id], owner="server", until=NOW + 30, now=NOW)
        assert set(storage.runs.queued_of_share(share, untold="It waits.")) == left - {flood[1].run_id}

    def test_a_run_that_is_tagged_in_the_queue_changes_its_share(self, storage: Storage) -> None:
        first, second, third = (queued_run(storage).run_id for _ in range(3))
        assert [run.run_id for run in storage.runs.queued(limit=2, by_share=True)] == [first, second]
        storage.runs.add_tags(third, {Tag.USER: "ann"})
        assert [run.run_id for run in storage.runs.queued(limit=2, by_share=True)] == [first, third]

    # -- states -------------------------------------------------------------------------------------------------------

    def test_a_run_goes_its_way_with_its_times(self, storage: Storage) -> None:
        run = started_run(storage)
        assert (run.status, run.created, run.queued, run.launched, run.started) == (
            RunStatus.STARTED,
            NOW,
            NOW,
            NOW + 1,
            NOW + 2,
        )
        storage.events.append(run.run_id, 1, events_from(2, [RunSuccess()], at=NOW + 9), now=NOW + 9)
        ended = storage.runs.get(run.run_id)
        assert ended is not None
        assert (ended.status, ended.ended, ended.updated, ended.lease_until) == (
            RunStatus.SUCCESS,
            NOW + 9,
            NOW + 9,
            None,
        )

    def test_a_failure_says_why(self, storage: Storage) -> None:
        run = queued_run(storage)
        failure = RunFailure(reason=FailureReason.START_TIMEOUT, message="Nobody took it.")
        assert storage.runs.record(run.run_id, [failure], now=NOW + 5)
        failed = storage.runs.get(run.run_id)
        assert failed is not None
        assert (failed.status, failed.failure_reason, failed.note) == (
            RunStatus.FAILURE,
            FailureReason.START_TIMEOUT,
            "Nobody took it.",
        )

    def test_what_the_state_does_not_allow_is_not_stored(self, storage: Storage) -> None:
        run = queued_run(storage)
        assert not storage.runs.record(run.run_id, [EngineNote(message="before"), RunSuccess()], now=NOW + 1)
        assert not storage.runs.record(run.run_id, [RunCanceling()], now=NOW + 1)
        assert not storage.runs.record(new_run_id(), [RunCanceled()], now=NOW + 1)
        assert [each.event.type for each in storage.events.of_run(run.run_id)] == ["RUN_ENQUEUED"]
        assert storage.runs.get(run.run_id) == run

    def test_nothing_follows_the_end(self, storage: Storage) -> None:
        run = queued_run(storage)
        assert storage.runs.record(run.run_id, [RunCanceled(message="Enough.")], now=NOW + 1)
        ended = storage.runs.get(run.run_id)
        for fact in (
            RunCanceled(),
            RunEnqueued(),
            RunStarting(),
            EngineNote(message="late"),
            LogLine(level="INFO", message="x"),
        ):
            assert not storage.runs.record(run.run_id, [fact], now=NOW + 2)
        assert storage.runs.claim([run.run_id], owner="daemon", until=NOW + 9, now=NOW + 2) == []
        assert storage.runs.get(run.run_id) == ended
        assert [each.event.type for each in storage.events.of_run(run.run_id)] == ["RUN_ENQUEUED", "RUN_CANCELED"]

    def test_a_record_that_names_an_attempt_holds_for_that_attempt_only(self, storage: Storage) -> None:
        run = started_run(storage)
        gone = RunFailure(reason=FailureReason.UNEXPECTED_TERMINATION, message="Its worker died.")
        assert not storage.runs.record(run.run_id, [gone], now=NOW + 5, attempt=0)
        assert not storage.runs.record(run.run_id, [gone], now=NOW + 5, attempt=2)
        assert storage.runs.record(run.run_id, [gone], now=NOW + 5, attempt=1)

    def test_a_run_that_its_maker_executes_needs_no_claim(self, storage: Storage) -> None:
        run = given_run(storage)
        storage.events.append(run.run_id, 0, events_from(1, [RunStart(), RunSuccess()]), now=NOW)
        done = storage.runs.get(run.run_id)
        assert done is not None
        assert done.status is RunStatus.SUCCESS

    def test_waiting_is_explained_for_queued_runs_only(self, storage: Storage) -> None:
        waiting, started = queued_run(storage), started_run(storage)
        storage.runs.explain_waiting({waiting.run_id: "10 of 10 runs are active.", started.run_id: "no"})
        assert [storage.runs.get(run.run_id).note for run in (waiting, started)] == [  # type: ignore[union-attr]
            "10 of 10 runs are active.",
            None,
        ]
        storage.runs.explain_waiting({waiting.run_id: None})
        assert storage.runs.get(waiting.run_id) == waiting
        odd = "Waits for its backfill a\0b, which is paused."
        storage.runs.explain_waiting({waiting.run_id: odd})
        assert storage.runs.queued_of_share(waiting.share, untold=odd) == []

    # -- tags and removal ---------------------------------------------------------------------------------------------

    def test_tags_are_set_found_and_listed(self, storage: Storage) -> None:
        run = queued_run(storage, tags={"team": "sales", "old": "1"})
        given_run(storage, tags={"team": "support"})
        storage.runs.add_tags(run.run_id, {"old": "2", "new": "3", Tag.PRIORITY: "9"})
        tagged = storage.runs.get(run.run_id)
        assert tagged is not None
        assert tagged.tags == {"team": "sales", "old": "2", "new": "3", Tag.PRIORITY: "9"}
        assert storage.runs.page(RunFilter(tags={"old": "1"}), limit=5) == []
        assert storage.runs.page(RunFilter(tags={"old": "2"}), limit=5) == [tagged]
        assert storage.runs.tag_keys() == ["new", "old", Tag.PRIORITY, "team"]
        assert storage.runs.tag_values("team") == ["sales", "support"]
        assert storage.runs.tag_values("team", prefix="su") == ["support"]
        assert storage.runs.tag_values("team", limit=1) == ["sales"]
        assert storage.runs.tag_values("unknown") == []

    def test_only_an_ended_run_is_deleted(self, storage: Storage) -> None:
        run = started_run(storage, tags={"team": "sales"})
        assert not storage.runs.delete(run.run_id)
        assert not storage.runs.delete(new_run_id())
        last = storage.events.append(run.run_id, 1, events_from(2, [RunSuccess()]), now=NOW + 3)
        assert storage.runs.delete(run.run_id)
        assert storage.runs.get(run.run_id) is None
        assert storage.events.of_run(run.run_id) == []
        assert storage.events.get(last) is None
        assert storage.runs.tag_keys() == []
        after = queued_run(storage)
        assert storage.events.of_run(after.run_id)[0].id > last  # an id is never given twice
