"""The runs that a tick asks for: as few as partitions and policies allow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from penstock.engine.automation.requests import backfill_request, run_requests
from penstock.records.automation import BackfillRequestRecord, PartitionChoice, RunRequestRecord
from penstock.records.conditions.condition import AutomationCondition
from penstock.records.run import Tag

A = AutomationCondition


def requests(run: Any) -> list[RunRequestRecord]:
    """The requests of the next tick."""
    run.tick()
    return run_requests(run.last.view, run.last.requested, {"by": "test"})


def test_what_has_no_partitions_shares_a_run_and_brings_its_checks(ticks: Callable[..., Any]) -> None:
    (only,) = requests(ticks(a=A.missing(), b=A.missing()))
    assert only == RunRequestRecord(assets=("a", "b"), checks=("a:good",), tags={"by": "test"})


def test_a_check_with_a_condition_of_its_own_decides_itself(ticks: Callable[..., Any]) -> None:
    (only,) = requests(ticks(a=A.missing(), check=A.newly_updated()))
    assert (only.assets, only.checks) == (("a",), ())
    (alone,) = requests(ticks(check=A.missing()))
    assert (alone.assets, alone.checks) == ((), ("a:good",))


def test_each_partition_has_a_run_with_all_that_need_it(ticks: Callable[..., Any]) -> None:
    run = ticks(p=A.missing(), q=A.missing())
    run.world.update("p", 0)
    found = {(each.partition, each.assets) for each in requests(run)}
    assert found == {("x", ("q",)), ("y", ("p", "q")), ("z", ("p", "q"))}


def test_a_stretch_of_partitions_is_one_run_where_the_policy_allows_it(ticks: Callable[..., Any]) -> None:
    run = ticks(e=A.missing())
    run.world.update("e", 3)
    first, second = requests(run)
    assert first.tags == {
        "by": "test",
        Tag.PARTITION_RANGE_START: "1970-01-01",
        Tag.PARTITION_RANGE_END: "1970-01-03",
    }
    assert (first.partition, second.tags[Tag.PARTITION_RANGE_END]) == (None, "1970-01-10")


def test_a_job_is_run_by_its_name(ticks: Callable[..., Any]) -> None:
    found = requests(ticks(job=A.initial_evaluation(), a=A.missing()))
    assert [(each.job, each.assets) for each in found] == [(None, ("a",)), ("nightly", None)]


def asked(run: Any) -> tuple[BackfillRequestRecord | None, set[str]]:
    """The backfill of the next tick, and what is left for runs."""
    run.tick()
    backfill, left = backfill_request(run.last.view, run.last.requested, {"by": "test"})
    return backfill, set(left)


def test_several_partitions_and_what_is_connected_with_them_are_one_backfill(ticks: Callable[..., Any]) -> None:
    run = ticks(p=A.missing(), q=A.missing(), r=A.missing(), b=A.missing(), job=A.initial_evaluation())
    run.world.update("q", 0, 1)
    backfill, left = asked(run)
    assert backfill is not None
    assert backfill.tags == {"by": "test"}
    assert set(backfill.choices) == {
        PartitionChoice(assets=("p",), keys=("x", "y", "z"), count=3),
        PartitionChoice(assets=("q",), keys=("z",), count=1),
        PartitionChoice(assets=("r",), keys=("",), count=1),
    }
    assert left == {"b", "job nightly"}


def test_assets_with_the_same_partitions_share_a_choice_and_long_stretches_are_told_by_their_ends(
    ticks: Callable[..., Any],
) -> None:
    backfill, left = asked(ticks(d=A.missing(), e=A.missing()))
    assert backfill is not None
    assert backfill.choices == (PartitionChoice(assets=("d", "e"), keys=("1970-01-01...1970-01-10",), count=10),)
    assert left == set()


def test_single_partitions_are_left_for_runs(ticks: Callable[..., Any]) -> None:
    run = ticks(p=A.missing(), q=A.missing(), a=A.missing(), check=A.missing())
    run.world.update("p", 0, 1)
    run.world.update("q", 0, 2)
    assert asked(run) == (None, {"p", "q", "a", "check a:good"})
