"""What an instance tells of its runs and their logs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from penstock import AssetMaterialization, EventType, Instance, RunsFilter, RunStatus
from penstock.errors import RunNotFoundError, UsageError
from penstock.instance import run_reading
from penstock.records.errors import ErrorInfo
from penstock.records.event import AssetMaterialization as AssetMade
from penstock.records.event import Event, Fact, LogLine, StepFailure, StepStart, StepSuccess
from penstock.records.run import Tag
from penstock.testing import FakeClock, add_run

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON.timestamp())


@pytest.fixture
def instance(clock: FakeClock) -> Iterator[Instance]:
    with Instance.ephemeral(clock=clock) as opened:
        yield opened


def test_runs_are_found_by_id(instance: Instance) -> None:
    run = add_run(instance, "nightly")
    assert instance.get_run_by_id(run.run_id) == run
    assert instance.has_run(run.run_id)
    assert (instance.get_run_by_id("unknown"), instance.has_run("unknown")) == (None, False)
    assert instance.get_run_record_by_id("unknown") is None


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({}, "abcd"),
        ({"job_name": "hourly"}, "bc"),
        ({"statuses": [RunStatus.FAILURE]}, "c"),
        ({"tags": {"team": "x"}}, "a"),
        ({"tags": {"team": ["x", "y"]}}, "ab"),
        ({"exclude_subruns": True}, "abc"),
        ({"created_after": NOON, "created_before": (NOON + timedelta(seconds=3)).replace(tzinfo=None)}, "bc"),
        ({"updated_after": NOON.timestamp() + 1.5}, "cd"),
        ({"updated_before": NOON.timestamp() + 1.5}, "ab"),
    ],
)
def test_runs_are_filtered(instance: Instance, clock: FakeClock, where: dict[str, Any], expected: str) -> None:
    made = {}
    for letter, job, status, tags in (
        ("a", "nightly", RunStatus.SUCCESS, {"team": "x"}),
        ("b", "hourly", RunStatus.SUCCESS, {"team": "y"}),
        ("c", "hourly", RunStatus.FAILURE, {"team": "z"}),
        ("d", "nightly", RunStatus.QUEUED, {Tag.BACKFILL: "1"}),
    ):
        made[letter] = add_run(instance, job, status, tags=tags).run_id
        clock.advance(1)
    filters = RunsFilter(**where)
    ids = [made[letter] for letter in expected]
    assert sorted(instance.get_run_ids(filters)) == sorted(ids)
    assert sorted(instance.get_run_ids(RunsFilter(run_ids=ids))) == sorted(ids)
    assert instance.get_runs_count(filters) == len(expected)


def test_runs_are_read_in_pages_and_in_both_orders(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_reading, "_PAGE", 3)
    oldest_first = sorted(add_run(instance, "nightly").run_id for _ in range(8))
    assert instance.get_run_ids() == oldest_first[::-1]
    assert instance.get_run_ids(limit=4) == oldest_first[:3:-1]
    assert instance.get_run_ids(cursor=oldest_first[4], limit=2) == [oldest_first[3], oldest_first[2]]
    records = instance.get_run_records(ascending=True, limit=5, order_by="create_timestamp")
    assert [record.storage_id for record in records] == oldest_first[:5]
    with pytest.raises(UsageError, match="not kept in the order of 'end_time'"):
        instance.get_run_records(order_by="end_time")


def test_a_record_tells_the_times_of_a_run(instance: Instance, clock: FakeClock) -> None:
    run = add_run(instance, "nightly")
    record = instance.get_run_record_by_id(run.run_id)
    assert record is not None
    assert record.run == run
    assert record.create_timestamp == record.update_timestamp == NOON
    assert record.start_time == record.end_time == clock.now()


def test_what_a_run_came_to(instance: Instance) -> None:
    failure = StepFailure(error=ErrorInfo(cls="OSError", message="disk"))
    steps: list[tuple[str, Fact]] = [
        ("a", StepStart()),
        ("a", StepSuccess(seconds=1)),
        ("b", StepStart()),
        ("b", failure),
    ]
    facts: list[Event | Fact] = [
        *(Event(time=1, fact=fact, step_key=key) for key, fact in steps),
        AssetMade(asset="orders"),
    ]
    run = add_run(instance, "nightly", RunStatus.FAILURE, facts=facts)
    stats = instance.get_run_stats(run.run_id)
    assert (stats.steps_succeeded, stats.steps_failed, stats.materializations) == (1, 1, 1)
    assert (stats.enqueued_time, stats.start_time, stats.end_time) == (None, run.started, run.ended)
    assert [step.step_key for step in instance.get_run_step_stats(run.run_id)] == ["a", "b"]
    assert [step.step_key for step in instance.get_run_step_stats(run.run_id, ["b"])] == ["b"]
    with pytest.raises(RunNotFoundError, match="no run 'unknown'"):
        instance.get_run_stats("unknown")


def test_tags_are_set_and_listed(instance: Instance) -> None:
    run = add_run(instance, "nightly", tags={"team": "x"})
    instance.add_run_tags(run.run_id, {"team": "y", "more": "1"})
    add_run(instance, "nightly", tags={"team": "z"})
    assert instance.get_run_tag_keys() == ["more", "team"]
    assert instance.get_run_tags(["team", "more"]) == [("more", {"1"}), ("team", {"y", "z"})]
    assert instance.get_run_tags(["team"], value_prefix="z", limit=5) == [("team", {"z"})]


def test_a_run_that_has_ended_is_deleted(instance: Instance) -> None:
    ended, queued = add_run(instance, "nightly"), add_run(instance, "nightly", RunStatus.QUEUED)
    instance.delete_run(ended.run_id)
    assert not instance.has_run(ended.run_id)
    with pytest.raises(UsageError, match="is QUEUED; only a run that has ended"):
        instance.delete_run(queued.run_id)
    with pytest.raises(RunNotFoundError):
        instance.delete_run("unknown")


def test_a_run_s_log_is_read_whole_and_in_pages(instance: Instance) -> None:
    run = add_run(instance, "nightly", facts=[LogLine(level="INFO", message=str(number)) for number in range(5)])
    add_run(instance, "other", facts=[LogLine(level="INFO", message="other")])
    whole = instance.all_logs(run.run_id)
    assert [entry.event_type for entry in whole if entry.is_event] == [
        EventType.RUN_STARTING,
        EventType.RUN_START,
        EventType.RUN_SUCCESS,
    ]
    seen = []
    cursor = None
    while True:
        page = instance.get_records_for_run(run.run_id, cursor=cursor, limit=3)
        seen += [record.event_log_entry for record in page.records]
        if not page.has_more:
            break
        cursor = page.cursor
    assert seen == whole
    assert len(instance.all_logs(run.run_id, of_type=EventType.RUN_START)) == 1
    assert len(instance.all_logs(run.run_id, of_type={EventType.RUN_START, EventType.RUN_SUCCESS})) == 2
    nothing = instance.get_records_for_run("unknown")
    assert (nothing.records, nothing.has_more) == ([], False)


def test_a_materialization_of_the_user_is_no_fact_of_a_run(instance: Instance) -> None:
    instance.report_runless_asset_event(AssetMaterialization("orders"))
    assert instance.get_runs() == []
