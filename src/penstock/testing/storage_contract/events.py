"""The event log."""

from __future__ import annotations

import math

import pytest

from ...errors import FencedError
from ...records.errors import ErrorInfo
from ...records.event import (
    AssetMaterialization,
    EngineNote,
    Event,
    Fact,
    LogLine,
    RunFailure,
    RunStart,
    RunSuccess,
    StepFailure,
    StepStart,
    StepSuccess,
)
from ...records.metadata import FloatMetadataValue, JsonMetadataValue, normalize_metadata
from ...records.run import FailureReason, RunStatus
from ...storage.protocols import Storage
from .builders import NOW, events_from, given_run, queued_run, started_run

__all__ = ["EventContract"]


def _lines(first_seq: int, count: int) -> list[Event]:
    return events_from(first_seq, [LogLine(level="INFO", message=str(first_seq + index)) for index in range(count)])


class EventContract:
    """`EventStorage`."""

    def test_events_come_back_as_they_were_given_in_their_order(self, storage: Storage) -> None:
        run = started_run(storage)
        error = ErrorInfo(cls="ValueError", message="no", cause=ErrorInfo(cls="KeyError", message="x"))
        given = [
            *events_from(
                2, [StepStart(), LogLine(level="ERROR", message="a\x00b \N{SNOWMAN}", error=error)], step_key="s"
            ),
            *events_from(
                4,
                [
                    AssetMaterialization(
                        asset="orders",
                        partition="2013-01-01",
                        metadata=normalize_metadata({"rows": 5, "ok": True, "tree": {"a": [1, None]}, "x": math.inf}),
                        tags={"k": "v"},
                    )
                ],
                step_key="s",
            ),
        ]
        last = storage.events.append(run.run_id, 1, given, now=NOW)
        stored = storage.events.of_run(run.run_id)[-3:]
        assert [each.event for each in stored] == given
        assert stored[-1].id == last == storage.events.last_id()
        assert [each.id for each in stored] == sorted({each.id for each in stored})
        assert storage.events.get(last) == stored[-1]
        assert storage.events.get(last + 1) is None

    def test_an_empty_log_has_the_id_0(self, storage: Storage) -> None:
        assert storage.events.last_id() == 0
        assert storage.events.of_run("unknown") == []

    def test_a_batch_sent_again_is_stored_once(self, storage: Storage) -> None:
        run = started_run(storage)
        first = storage.events.append(run.run_id, 1, _lines(2, 3), now=NOW)
        assert storage.events.append(run.run_id, 1, _lines(2, 3), now=NOW) == first
        assert storage.events.append(run.run_id, 1, _lines(3, 4), now=NOW) > first
        numbers = [each.event.seq for each in storage.events.of_run(run.run_id) if each.event.seq is not None]
        assert numbers == [1, 2, 3, 4, 5, 6]

    def test_a_number_that_is_twice_in_one_batch_is_stored_once(self, storage: Storage) -> None:
        run = started_run(storage)
        storage.events.append(run.run_id, 1, [*_lines(2, 1), *_lines(2, 2)], now=NOW)
        assert [each.event.seq for each in storage.events.of_run(run.run_id)][-2:] == [2, 3]

    def test_the_last_batch_may_be_sent_again_after_the_end(self, storage: Storage) -> None:
        run = started_run(storage)
        batch = [*_lines(2, 2), *events_from(4, [RunSuccess()])]
        last = storage.events.append(run.run_id, 1, batch, now=NOW)
        assert storage.events.append(run.run_id, 1, batch, now=NOW) == last
        with pytest.raises(FencedError):
            storage.events.append(run.run_id, 1, _lines(5, 1), now=NOW)

    def test_nothing_in_a_batch_follows_the_end(self, storage: Storage) -> None:
        run = started_run(storage)
        storage.events.append(run.run_id, 1, [*events_from(2, [RunSuccess()]), *_lines(3, 1)], now=NOW)
        assert storage.events.of_run(run.run_id)[-1].event.type == "RUN_SUCCESS"

    def test_an_event_that_the_state_does_not_allow_is_left_out(self, storage: Storage) -> None:
        run = started_run(storage)
        storage.events.append(run.run_id, 1, [*events_from(2, [RunStart(pid=9)]), *_lines(3, 1)], now=NOW)
        assert [each.event.type for each in storage.events.of_run(run.run_id)][-2:] == ["RUN_START", "LOG"]
        assert storage.events.of_run(run.run_id)[-2].event.seq == 1

    def test_pages_of_a_log_follow_each_other(self, storage: Storage) -> None:
        run, other = started_run(storage), started_run(storage)
        for first in (2, 4, 6):
            storage.events.append(run.run_id, 1, _lines(first, 2), now=NOW)
            storage.events.append(other.run_id, 1, _lines(first, 2), now=NOW)
        whole = storage.events.of_run(run.run_id)
        seen = []
        after = 0
        while page := storage.events.of_run(run.run_id, after=after, limit=4):
            assert len(page) <= 4
            seen += page
            after = page[-1].id
        assert seen == whole
        assert len(whole) == 9

    def test_a_log_is_filtered_by_type_and_by_step(self, storage: Storage) -> None:
        run = started_run(storage)
        events = [
            event
            for index, step in enumerate("ab")
            for event in events_from(2 + 2 * index, [StepStart(), StepSuccess(seconds=1)], step_key=step)
        ]
        storage.events.append(run.run_id, 1, events, now=NOW)

        def found(**where: list[str]) -> list[tuple[str, str | None]]:
            return [(each.event.type, each.event.step_key) for each in storage.events.of_run(run.run_id, **where)]  # type: ignore[arg-type]

        assert found(types=["STEP_START"]) == [("STEP_START", "a"), ("STEP_START", "b")]
        assert found(step_keys=["b"]) == [("STEP_START", "b"), ("STEP_SUCCESS", "b")]
        assert found(types=["STEP_START", "RUN_START"], step_keys=["a"]) == [("STEP_START", "a")]
        assert found(types=[]) == []

    def test_events_of_a_type_are_found_over_all_runs_each_once_in_order(self, storage: Storage) -> None:
        runs = [started_run(storage) for _ in range(4)]
        for run in runs:
            storage.events.append(run.run_id, 1, [*_lines(2, 1), *events_from(3, [RunSuccess()])], now=NOW)
        (reported,) = storage.assets.report([AssetMaterialization(asset="orders")], now=NOW)
        types = ["RUN_SUCCESS", "RUN_START", "ASSET_MATERIALIZATION"]
        seen = []
        cursor = 0
        while page := storage.events.of_types(types, after=cursor, limit=2):
            seen += page
            cursor = page[-1].id
        assert [each.id for each in seen] == sorted({each.id for each in seen})
        assert [each.run_id for each in seen if each.event.type == "RUN_SUCCESS"] == [run.run_id for run in runs]
        assert len(seen) == 9
        assert (seen[-1].id, seen[-1].run_id) == (reported, None)

    def test_logs_of_runs_of_several_months_are_read_as_one(self, storage: Storage) -> None:
        runs = [started_run(storage, created=NOW + month * 31 * 86400.0) for month in (2, 0, 3)]
        (reported,) = storage.assets.report([AssetMaterialization(asset="orders")], now=NOW - 90 * 86400.0)
        for seq in (2, 3):
            for run in runs:
                storage.events.append(run.run_id, 1, _lines(seq, 1), now=NOW)
        lines = storage.events.of_types(["LOG"])
        assert [each.run_id for each in lines] == [run.run_id for run in runs] * 2
        assert storage.events.of_types(["LOG"], ascending=False) == lines[::-1]
        assert storage.events.of_types(["LOG"], after=lines[0].id, limit=3) == lines[1:4]
        assert storage.events.of_types(["LOG"], before=lines[4].id, ascending=False, limit=3) == lines[1:4][::-1]
        assert len(storage.events.of_types(["RUN_START", "LOG"], since=NOW + 1)) == 9
        assert [each.id for each in storage.events.of_types(["ASSET_MATERIALIZATION"])] == [reported]
        for each in lines:
            assert storage.events.get(each.id) == each
        assert [each.event.seq for each in storage.events.of_run(runs[1].run_id)][-3:] == [1, 2, 3]

    def test_events_of_a_type_are_found_by_time_place_and_job(self, storage: Storage) -> None:
        jobs = ("nightly", "hourly", "nightly", "nightly")
        runs = [started_run(storage, job=job) for job in jobs]
        for index, run in enumerate(runs):
            storage.events.append(run.run_id, 1, events_from(2, [RunSuccess()], at=NOW + 10 * index), now=NOW)
        whole = storage.events.of_types(["RUN_SUCCESS"])
        assert [each.run_id for each in whole] == [run.run_id for run in runs]
        assert storage.events.of_types(["RUN_SUCCESS"], ascending=False) == whole[::-1]
        assert storage.events.of_types(["RUN_SUCCESS"], before=whole[2].id, ascending=False, limit=1) == [whole[1]]
        assert storage.events.of_types(["RUN_SUCCESS"], after=whole[0].id, before=whole[3].id) == whole[1:3]
        assert storage.events.of_types(["RUN_SUCCESS"], jobs=["hourly"]) == [whole[1]]
        assert storage.events.of_types(["RUN_SUCCESS"], since=NOW, until=NOW + 30) == whole[1:3]
        assert storage.events.of_types(["RUN_SUCCESS"], since=NOW + 5, jobs=["nightly"], ascending=False) == [
            whole[3],
            whole[2],
        ]
        assert len(storage.events.of_types(["RUN_START", "RUN_SUCCESS"], since=NOW + 1)) == 7

    def test_text_and_numbers_that_no_store_holds_do_not_hold_up_the_log(self, storage: Storage) -> None:
        run = started_run(storage)
        odd: list[Fact] = [
            LogLine(level="INFO", message="half \udc9f of a pair"),
            EngineNote(message="big", metadata={"n": JsonMetadataValue(2**80)}),
            EngineNote(message="nan", metadata={"n": FloatMetadataValue(math.nan)}),
            LogLine(level="INFO", message="after"),
        ]
        storage.events.append(run.run_id, 1, events_from(2, odd), now=NOW)
        half, big, nan, after = [each.event.fact for each in storage.events.of_run(run.run_id)[-4:]]
        assert isinstance(half, LogLine)
        assert half.message == "half \\udc9f of a pair"
        assert isinstance(big, EngineNote)
        assert isinstance(nan, EngineNote)
        value = nan.metadata["n"]
        assert isinstance(value, FloatMetadataValue)
        assert math.isnan(value.value)
        assert after == odd[-1]

    def test_a_run_may_fail_with_any_text_as_its_reason(self, storage: Storage) -> None:
        run = started_run(storage)
        failure = RunFailure(reason=FailureReason.RUN_EXCEPTION, message="half \udc9f, zero \x00, end")
        storage.events.append(run.run_id, 1, events_from(2, [failure]), now=NOW)
        ended = storage.runs.get(run.run_id)
        assert ended is not None
        assert (ended.status, ended.note) == (RunStatus.FAILURE, "half \\udc9f, zero \\0, end")

    def test_a_run_that_waits_takes_no_events_of_a_worker(self, storage: Storage) -> None:
        run = queued_run(storage)
        with pytest.raises(FencedError):
            storage.events.append(run.run_id, 0, _lines(1, 1), now=NOW)

    def test_the_log_of_a_failed_step_keeps_the_error(self, storage: Storage) -> None:
        run = given_run(storage)
        failure = StepFailure(error=ErrorInfo(cls="OSError", message="disk"))
        storage.events.append(run.run_id, 0, events_from(1, [failure], step_key="load"), now=NOW)
        assert storage.events.of_run(run.run_id)[0].event.fact == failure
        stored = storage.runs.get(run.run_id)
        assert stored is not None
        assert stored.status is RunStatus.NOT_STARTED

    def test_what_ended_failed_runs_is_found_for_all_of_them_together(self, storage: Storage) -> None:
        at_steps, alone, well, at_work = (started_run(storage) for _ in range(4))
        failures: list[Fact] = [StepFailure(error=ErrorInfo(cls="Broken", message=str(n))) for n in range(2)]
        last = RunFailure(reason=FailureReason.STEP_FAILURE, message="two steps failed")
        for number, fact in enumerate(failures, 2):
            events = events_from(number, [fact], step_key=f"step_{number}")
            storage.events.append(at_steps.run_id, 1, events, now=NOW + 4)
        storage.events.append(at_steps.run_id, 1, events_from(4, [last]), now=NOW + 5)
        gone = RunFailure(reason=FailureReason.UNEXPECTED_TERMINATION, message="its worker is gone")
        storage.runs.record(alone.run_id, [gone], now=NOW + 6)
        storage.events.append(well.run_id, 1, events_from(2, [RunSuccess()]), now=NOW + 5)
        runs = [at_steps, alone, well, at_work]
        found = storage.events.failures([*(run.run_id for run in runs), "unknown"])
        first, second = (
            next(each for each in storage.events.of_run(run_id) if each.event.type == kind)
            for run_id, kind in ((at_steps.run_id, "STEP_FAILURE"), (alone.run_id, "RUN_FAILURE"))
        )
        assert found == {at_steps.run_id: first, alone.run_id: second}
        assert storage.events.failures([]) == {}
