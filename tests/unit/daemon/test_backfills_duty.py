"""The backfills duty: each partition that is asked for is made once, in its turn, whatever fails or dies meanwhile."""

from __future__ import annotations

import pytest

from penstock.daemon.retries import RetriesDuty
from penstock.engine.retry import RetryPolicyOfRuns
from penstock.errors import InternalError
from penstock.instance.backfill_request import PartitionsMissingError
from penstock.partitions.mapping import AllPartitionMapping, TimeWindowPartitionMapping
from penstock.partitions.spec import DynamicSpec, StaticSpec, TimeWindowSpec
from penstock.records.backfill import BackfillPlan, BackfillStatus
from penstock.records.event import RunCanceled
from penstock.records.lease import Lease
from penstock.records.run import RunStatus, Tag
from support.backfill_house import House, asset, shop, worked_on
from support.held import whole

DAYS = TimeWindowSpec(cron="0 0 * * *", start="2023-01-01T00:00:00", fmt="%Y-%m-%d", end="2023-01-05T00:00:00")
WEEKS = StaticSpec(keys=("w1", "w2"))
COLORS = DynamicSpec(name="colors")


def test_each_partition_gets_a_run_and_the_counts_are_right_at_any_time() -> None:
    house = House(shop(asset("orders", partitions=DAYS)))
    backfill = house.ask(assets=("orders",), title="fix", user="ann", tags={"team": "data"})
    assert house.progress(backfill).waiting == 4
    house.settle()
    runs = house.runs()
    assert [worked_on(run) for run in runs] == [f"orders 2023-01-0{day}" for day in range(1, 5)]
    assert runs[0].tags.items() >= {
        (Tag.BACKFILL, backfill.backfill_id),
        (Tag.BACKFILL_TITLE, "fix"),
        (Tag.USER, "ann"),
        ("team", "data"),
    }
    assert house.progress(backfill).in_progress == 4
    house.end(runs[0])
    assert house.progress(backfill).materialized == 1  # before the daemon has looked
    house.end(runs[1], fails=True)
    house.settle()
    progress = house.progress(backfill)
    assert (progress.materialized, progress.failed, progress.in_progress) == (1, 1, 2)
    for run in runs[2:]:
        house.end(run)
    house.settle()
    after = house.now(backfill)
    assert after.status is BackfillStatus.COMPLETED_FAILED
    assert after.ended is not None
    assert house.progress(backfill).materialized == 3
    assert house.tick() is None


def test_what_needs_a_partition_waits_for_it_and_for_no_other() -> None:
    daily = asset("daily", "orders", partitions=DAYS, mappings={"orders": TimeWindowPartitionMapping(-1, 0)})
    house = House(shop(asset("orders", partitions=DAYS), daily))
    backfill = house.ask(assets=("orders", "daily"))
    house.settle()
    first, second, *_ = house.runs()
    house.end(first)
    house.settle()
    assert worked_on(house.runs()[-1]) == "daily 2023-01-01"
    house.end(second, fails=True)
    house.settle()
    # The second day failed, so of the others those that need it can never be made.
    assert house.progress_of_asset(backfill, "daily").skipped == 2
    assert house.progress_of_asset(backfill, "daily").waiting == 1


def test_assets_without_partitions_and_of_several_sets_and_locations_go_together() -> None:
    totals = asset("totals", "orders", "weekly")
    weekly = asset("weekly", partitions=WEEKS, max_partitions_per_run=None)
    sign = asset("sign", "totals", mapped_deps=())
    house = House(shop(asset("orders", partitions=DAYS), weekly, totals), shop(sign, name="wall"))
    backfill = house.ask(assets=("orders", "weekly", "totals", "sign"))
    assert (backfill.size, backfill.locations) == (8, ("shop", "wall"))
    house.settle()
    runs = house.runs()
    assert "weekly w1..w2" in [worked_on(run) for run in runs]
    assert len(runs) == 5
    for run in runs:
        house.end(run)
    house.settle()
    (run,) = house.runs()
    assert worked_on(run) == "totals"
    house.end(run)
    house.settle()
    (run,) = house.runs()
    assert (worked_on(run), run.location) == ("sign", "wall")
    house.end(run)
    house.settle()
    assert house.now(backfill).status is BackfillStatus.COMPLETED_SUCCESS


def test_keys_are_of_the_asset_that_is_named_and_of_others_what_follows_is_made() -> None:
    weekly = asset("weekly", "orders", partitions=WEEKS, mapped_deps=("orders",))
    apart = asset("apart", partitions=WEEKS)
    house = House(shop(asset("orders", partitions=DAYS), weekly, apart, asset("sign", "apart")))
    wanted = {"assets": ("orders", "weekly", "apart", "sign"), "partitions": ("2023-01-02",)}
    with pytest.raises(PartitionsMissingError, match="looked for in weekly, one of several"):
        house.ask(**wanted)
    backfill = house.ask(**wanted, partitions_of="orders")
    plan = house.storage.backfills.plan(backfill.backfill_id)
    assert plan is not None
    assert {(key, len(group.chosen)) for group in plan.groups for key in group.assets} == {
        ("orders", 1),
        ("weekly", 2),
        ("sign", 1),
    }


def test_assets_of_the_same_partitions_share_a_run_and_fail_apart() -> None:
    house = House(shop(asset("a", partitions=WEEKS), asset("b", "a", partitions=WEEKS)))
    backfill = house.ask(assets=("a", "b"), partitions=("w2",))
    house.settle()
    (run,) = house.runs()
    assert worked_on(run) == "a+b w2"
    house.end(run, fails=True, makes=["a"])
    house.settle()
    assert house.progress_of_asset(backfill, "a").materialized == 1
    assert house.progress_of_asset(backfill, "b").failed == 1
    assert house.progress(backfill).materialized == 1


def test_what_a_failed_run_made_is_there_for_what_needs_it() -> None:
    c = asset("c", "a", mappings={"a": AllPartitionMapping()})
    house = House(shop(asset("a", partitions=WEEKS), asset("b", "a", partitions=WEEKS), c))
    backfill = house.ask(assets=("a", "b", "c"))
    house.settle()
    for run in house.runs():
        house.end(run, fails=True, makes=["a"])
    house.settle()
    assert [worked_on(run) for run in house.runs()] == ["c"]
    assert house.progress(backfill).failed == 2


def test_a_run_that_left_out_an_asset_on_purpose_skips_what_is_below() -> None:
    house = House(shop(asset("a", partitions=WEEKS), asset("b", "a", partitions=DAYS, mapped_deps=("a",))))
    backfill = house.ask(assets=("a", "b"))
    house.settle()
    first, second = house.runs()
    house.end(first)
    house.end(second, makes=[])
    house.settle()
    assert house.progress_of_asset(backfill, "a").skipped == 1
    assert house.progress_of_asset(backfill, "b").skipped == 4
    assert house.now(backfill).status is BackfillStatus.COMPLETED_FAILED


def test_a_failed_run_that_is_run_again_by_itself_has_not_failed_yet() -> None:
    policy = RetryPolicyOfRuns(max_retries=1)
    house = House(shop(asset("a", partitions=WEEKS)), retries=policy)
    retries = RetriesDuty(house.storage, house.coordinator, house.catalog, policy, house.clock)
    held = whole(Lease(name="retries", holder="daemon-1", epoch=1, until=house.clock.now() + 1000))
    retries.tick(held)
    backfill = house.ask(assets=("a",), partitions=("w1",))
    house.settle()
    (run,) = house.runs()
    house.end(run, fails=True)
    house.settle()
    assert house.progress(backfill).in_progress == 1
    retries.tick(held)
    house.settle()
    (again,) = house.runs()
    assert again.parent_run_id == run.run_id
    assert house.progress(backfill).in_progress == 1
    house.end(again)
    assert house.progress(backfill).materialized == 1
    house.settle()
    assert house.now(backfill).status is BackfillStatus.COMPLETED_SUCCESS
    assert house.progress(backfill).failed == 0


def test_so_many_runs_are_open_and_the_next_come_as_they_end() -> None:
    house = House(shop(asset("a", partitions=DAYS)), most_open=2)
    backfill = house.ask(assets=("a",))
    house.settle()
    assert len(house.runs()) == 2
    house.end(house.runs()[0])
    house.settle()
    assert [run.partition for run in house.runs()] == ["2023-01-02", "2023-01-03"]
    assert house.progress(backfill).waiting == 1


def test_a_daemon_that_dies_makes_nothing_twice_and_forgets_nothing() -> None:
    house = House(shop(asset("a", partitions=DAYS), asset("b", "a", partitions=DAYS, max_partitions_per_run=2)))
    backfill = house.ask(assets=("a", "b"))
    for _ in range(20):
        house.settle()
        house.begin_anew()
        house.settle()
        for run in house.runs()[:1]:
            house.end(run)
    assert house.now(backfill).status is BackfillStatus.COMPLETED_SUCCESS
    ended = house.runs(RunStatus.SUCCESS)
    assert sorted(worked_on(run) for run in ended) == sorted(
        [*(f"a 2023-01-0{day}" for day in range(1, 5)), "b 2023-01-01..2023-01-02", "b 2023-01-03..2023-01-04"]
    )


def test_a_canceled_one_ends_when_all_its_runs_have() -> None:
    house = House(shop(asset("a", partitions=DAYS), asset("b", "a", mapped_deps=())), most_open=3)
    backfill = house.ask(assets=("a", "b"))
    house.settle()
    running, *_ = house.runs()
    house.start(running)
    house.change(backfill, status=BackfillStatus.CANCELING)
    house.settle()
    assert house.runs() == []
    house.settle()
    assert house.now(backfill).status is BackfillStatus.CANCELING
    assert house.storage.runs.record(running.run_id, [RunCanceled(message="bye")], now=house.clock.now())
    house.settle()
    house.settle()
    assert house.now(backfill).status is BackfillStatus.CANCELED
    assert house.progress(backfill).canceled == 5


def test_a_paused_one_makes_no_more_runs_until_it_is_resumed() -> None:
    house = House(shop(asset("a", partitions=DAYS)), most_open=1)
    backfill = house.ask(assets=("a",))
    house.settle()
    (run,) = house.runs()
    attempt = house.start(run)
    house.change(backfill, paused=True)
    house.settle()
    house.end(run, attempt=attempt)
    house.settle()
    assert house.runs() == []
    assert house.now(backfill).note == "It is paused."
    house.change(backfill, paused=False)
    house.settle()
    assert len(house.runs()) == 1
    assert house.now(backfill).note is None


def test_one_that_waits_is_paused_and_resumed_at_once() -> None:
    house = House(shop(asset("a", partitions=WEEKS)))
    backfill = house.ask(assets=("a",))
    house.storage.locations.forget(["shop"])
    house.settle()
    house.change(backfill, paused=True)
    house.settle()
    assert house.now(backfill).note == "It is paused."
    house.change(backfill, paused=False)
    house.settle()
    assert "code location shop" in (house.now(backfill).note or "")


def test_another_priority_holds_for_the_runs_that_wait_too() -> None:
    house = House(shop(asset("a", partitions=DAYS)), most_open=2)
    backfill = house.ask(assets=("a",))
    house.settle()
    house.change(backfill, priority=5)
    house.settle()
    assert {run.priority for run in house.runs()} == {5}
    house.end(house.runs()[0])
    house.settle()
    assert {run.priority for run in house.runs()} == {5}


def test_a_location_that_has_no_code_makes_it_wait_and_say_so() -> None:
    house = House(shop(asset("a", partitions=WEEKS)))
    backfill = house.ask(assets=("a",))
    house.storage.locations.forget(["shop"])
    house.settle()
    note = house.now(backfill).note
    assert note is not None
    assert "code location shop" in note
    house.put(shop(asset("a", partitions=WEEKS)))
    house.settle()
    assert len(house.runs()) == 2
    assert house.now(backfill).note is None


def test_a_partition_that_is_gone_fails_it_in_the_end_and_it_can_be_taken_up_again() -> None:
    house = House(shop(asset("a", partitions=COLORS)))
    house.storage.assets.add_dynamic_partitions("colors", ["red", "green", "blue"])
    backfill = house.ask(assets=("a",))
    house.storage.assets.delete_dynamic_partitions("colors", ["green"])
    for _ in range(6):
        house.settle()
        house.clock.advance(200.0)
    failed = house.now(backfill)
    assert failed.status is BackfillStatus.FAILED
    assert failed.note is not None
    assert "'green' does not exist any more" in failed.note
    assert [line.level for line in house.storage.backfills.log(backfill.backfill_id)].count("ERROR") == 5
    house.storage.assets.add_dynamic_partitions("colors", ["green"])
    house.change(backfill, status=BackfillStatus.REQUESTED)
    house.settle()
    assert [run.partition for run in house.runs()] == ["red", "green", "blue"]


def test_one_that_breaks_does_not_hold_up_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(shop(asset("a", partitions=WEEKS)))
    broken, sound = house.ask(assets=("a",)), house.ask(assets=("a",), partitions=("w2",))
    read = house.storage.backfills.plan

    def plan(backfill_id: str) -> BackfillPlan | None:
        if backfill_id == broken.backfill_id:
            raise InternalError("It cannot be read.")
        return read(backfill_id)

    monkeypatch.setattr(house.storage.backfills, "plan", plan)
    with pytest.raises(InternalError):
        house.tick()
    assert {run.tags[Tag.BACKFILL] for run in house.runs()} == {sound.backfill_id}


@pytest.mark.parametrize("at_most", [1, None])
def test_an_asset_that_needs_its_own_partition_before_goes_one_after_the_other(at_most: int | None) -> None:
    mapping = {"a": TimeWindowPartitionMapping(-1, -1)}
    house = House(shop(asset("a", "a", partitions=DAYS, mappings=mapping, max_partitions_per_run=at_most)))
    backfill = house.ask(assets=("a",))
    made = []
    while house.now(backfill).is_open:
        house.settle()
        for run in house.runs():
            made.append(worked_on(run))
            house.end(run)
    one_by_one = [f"a 2023-01-0{day}" for day in range(1, 5)]
    assert made == (one_by_one if at_most else ["a 2023-01-01..2023-01-04"])
