"""The runs that a tick asks for: as few as partitions and policies allow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from penstock.engine.automation.requests import run_requests
from penstock.records.automation import RunRequestRecord
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
