"""What a multi-asset sensor sees of its assets, and what counts as seen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock import (
    AssetKey,
    AssetMaterialization,
    AssetSelection,
    AssetSpec,
    DailyPartitionsDefinition,
    Definitions,
    Instance,
    MultiAssetSensorEvaluationContext,
    RunRequest,
    StaticPartitionsDefinition,
    WeeklyPartitionsDefinition,
    asset,
    build_multi_asset_sensor_context,
    job,
    multi_asset_sensor,
    op,
)
from penstock.errors import DefinitionError, PartitionNotFoundError, UsageError
from penstock.execution.evaluate import evaluate_sensor
from penstock.records.wire import EvaluateSensor
from penstock.testing import FakeClock

LETTERS = StaticPartitionsDefinition(["a", "b", "c", "d"])
ORDERS, PARTS, DAYS, WEEKS = (AssetKey(name) for name in ("orders", "parts", "days", "weeks"))


@asset
def orders() -> None: ...


@asset(partitions_def=LETTERS)
def parts() -> None: ...


@asset(partitions_def=DailyPartitionsDefinition("2024-01-01"))
def days() -> None: ...


@asset(partitions_def=WeeklyPartitionsDefinition("2024-01-07"), deps=[days])
def weeks() -> None: ...


@op
def nothing() -> None: ...


@job
def work() -> None:
    nothing()


@multi_asset_sensor(AssetSelection.assets(orders, parts), job=work)
def both(context: MultiAssetSensorEvaluationContext) -> RunRequest | None:
    if not all(context.latest_materialization_records_by_key().values()):
        return None
    context.advance_all_cursors()
    return RunRequest()


@multi_asset_sensor([ORDERS], job=work)
def forgetful(_context: Any) -> RunRequest:
    return RunRequest()


DEFS = Definitions(assets=[orders, parts, days, weeks, AssetSpec("outside")], jobs=[work], sensors=[both, forgetful])


@pytest.fixture
def instance() -> Iterator[Instance]:
    clock = FakeClock(datetime(2024, 3, 1, tzinfo=UTC).timestamp())
    with Instance.ephemeral(clock=clock) as opened:
        yield opened


def make(instance: Instance, asset_key: AssetKey, *partitions: str | None) -> None:
    for partition in partitions or (None,):
        instance.report_runless_asset_event(AssetMaterialization(asset_key, partition=partition))


def context_of(instance: Instance, *assets: AssetKey, cursor: str | None = None) -> MultiAssetSensorEvaluationContext:
    return build_multi_asset_sensor_context(
        monitored_assets=list(assets), instance=instance, definitions=DEFS, cursor=cursor
    )


def test_the_newest_unseen_materialization_of_each_asset(instance: Instance) -> None:
    make(instance, ORDERS)
    make(instance, ORDERS)
    context = context_of(instance, ORDERS, PARTS)
    found = context.latest_materialization_records_by_key()
    newest = found[ORDERS]
    assert newest is not None
    assert (found[PARTS], newest.storage_id) == (None, instance.storage.events.last_id())
    assert len(list(context.materialization_records_for_key(ORDERS))) == 2
    assert [each.storage_id for each in context.materialization_records_for_key(ORDERS, limit=1)] == [
        newest.storage_id - 1
    ]
    context.advance_cursor({ORDERS: newest, PARTS: None})
    following = context_of(instance, ORDERS, PARTS, cursor=context.cursor)
    assert following.latest_materialization_records_by_key([ORDERS]) == {ORDERS: None}
    make(instance, ORDERS)
    assert following.latest_materialization_records_by_key()[ORDERS] is not None


def test_partitions_that_were_passed_over_stay_unseen(instance: Instance) -> None:
    make(instance, PARTS, "a", "b", "a", "c")
    context = context_of(instance, PARTS)
    found = context.latest_materialization_records_by_partition(PARTS)
    assert list(found) == ["b", "a", "c"]
    context.advance_cursor({PARTS: found["c"]})
    assert context.get_cursor_partition(PARTS) == context.get_cursor_partition(None) == "c"
    following = context_of(instance, PARTS, cursor=context.cursor)
    assert [each.partition_key for each in following.get_trailing_unconsumed_events(PARTS)] == ["b", "a"]
    make(instance, PARTS, "d", "b")
    unseen = following.latest_materialization_records_by_partition(PARTS)
    assert list(unseen) == ["a", "d", "b"]
    assert list(following.latest_materialization_records_by_partition(PARTS, after_cursor_partition=True)) == ["d"]
    following.advance_cursor({PARTS: {"a": unseen["a"]}})
    assert following.get_cursor_partition(PARTS) == "c"
    assert list(following.latest_materialization_records_by_partition(PARTS)) == ["d", "b"]
    following.advance_all_cursors()
    assert following.latest_materialization_records_by_partition(PARTS) == {}
    assert following.get_trailing_unconsumed_events(PARTS) == []


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.one_of(st.sampled_from("abcd"), st.sets(st.sampled_from("abcd"), min_size=1)), min_size=1, max_size=14)
)
def test_what_is_unseen_is_what_was_made_since_it_was_handled(steps: list[str | set[str]]) -> None:
    # A letter makes that partition; a set handles those of its partitions that are unseen.
    with Instance.ephemeral(clock=FakeClock()) as instance:
        unseen: dict[str, int] = {}
        cursor: str | None = None
        for step in steps:
            if isinstance(step, str):
                make(instance, PARTS, step)
                unseen.pop(step, None)
                unseen[step] = instance.storage.events.last_id()
                continue
            context = context_of(instance, PARTS, cursor=cursor)
            found = context.latest_materialization_records_by_partition(PARTS)
            handled = {partition: record for partition, record in found.items() if partition in step}
            if handled:
                context.advance_cursor({PARTS: handled})
                cursor = context.cursor
            for partition in handled:
                del unseen[partition]
        found = context_of(instance, PARTS, cursor=cursor).latest_materialization_records_by_partition(PARTS)
        assert {partition: record.storage_id for partition, record in found.items()} == unseen
        assert list(found) == list(unseen)


def test_records_by_partition_and_asset(instance: Instance) -> None:
    make(instance, PARTS, "a", "b")
    make(instance, DAYS, "2024-01-01")
    found = context_of(instance, PARTS, DAYS).latest_materialization_records_by_partition_and_asset()
    assert {partition: set(by_asset) for partition, by_asset in found.items()} == {
        "a": {PARTS},
        "b": {PARTS},
        "2024-01-01": {DAYS},
    }


def test_whether_all_partitions_were_made(instance: Instance) -> None:
    context = context_of(instance, PARTS)
    make(instance, PARTS, "a", "b", "c", "unknown")
    assert not context.all_partitions_materialized(PARTS)
    assert context.all_partitions_materialized(PARTS, ["a", "c"])
    assert not context.all_partitions_materialized(PARTS, ["a", "d"])
    make(instance, PARTS, "d")
    assert context.all_partitions_materialized(PARTS)


def test_partitions_that_depend_on_a_partition(instance: Instance) -> None:
    context = context_of(instance, DAYS)
    assert context.get_downstream_partition_keys("2024-01-17", DAYS, WEEKS) == ["2024-01-14"]
    assert context.get_downstream_partition_keys("2024-01-01", DAYS, WEEKS) == []
    with pytest.raises(DefinitionError, match="days does not depend on weeks"):
        context.get_downstream_partition_keys("2024-01-14", WEEKS, DAYS)
    with pytest.raises(PartitionNotFoundError, match="no partition 'x'"):
        context.get_downstream_partition_keys("x", DAYS, WEEKS)


def test_what_is_known_of_the_assets(instance: Instance) -> None:
    context = context_of(instance, ORDERS, AssetKey("elsewhere"))
    assert context.asset_keys == [ORDERS, AssetKey("elsewhere")]
    assert context.assets_defs_by_key == {ORDERS: orders, AssetKey("elsewhere"): None}
    with pytest.raises(DefinitionError, match="orders has no partitions"):
        context.latest_materialization_records_by_partition(ORDERS)
    with pytest.raises(UsageError, match="does not monitor the asset parts; it monitors orders, elsewhere"):
        context.latest_materialization_records_by_key([PARTS])
    with pytest.raises(UsageError, match="name the asset"):
        context.get_cursor_partition(None)


def test_a_sensor_begins_where_everything_was_seen_if_asked_to(instance: Instance) -> None:
    make(instance, ORDERS)
    context = build_multi_asset_sensor_context(
        monitored_assets=[ORDERS], instance=instance, cursor_from_latest_materializations=True
    )
    assert context.latest_materialization_records_by_key() == {ORDERS: None}
    assert not context.cursor_advanced
    with pytest.raises(UsageError, match="not both; drop one"):
        build_multi_asset_sensor_context(
            monitored_assets=[ORDERS], cursor="{}", cursor_from_latest_materializations=True
        )


def test_the_cursor_is_no_text_of_the_user(instance: Instance) -> None:
    with pytest.raises(UsageError, match="use advance_cursor or advance_all_cursors"):
        context_of(instance, ORDERS).update_cursor("7")
    with pytest.raises(UsageError, match="none of a multi-asset sensor; clear it"):
        context_of(instance, ORDERS, cursor="7")
    with pytest.raises(DefinitionError, match="needs the Definitions to be resolved"):
        build_multi_asset_sensor_context(monitored_assets=AssetSelection.all(), instance=instance)


def test_a_sensor_over_several_assets_in_the_deployment(instance: Instance) -> None:
    def evaluate(cursor: str | None) -> Any:
        return evaluate_sensor(DEFS, EvaluateSensor(name="both", due=0, cursor=cursor), instance, "here")

    make(instance, ORDERS)
    assert evaluate(None).run_requests == ()
    make(instance, PARTS, "a")
    answer = evaluate(None)
    assert len(answer.run_requests) == 1
    assert evaluate(answer.cursor).run_requests == ()


def test_a_sensor_that_asks_for_runs_and_saw_nothing_is_refused(instance: Instance) -> None:
    answer = evaluate_sensor(DEFS, EvaluateSensor(name="forgetful", due=0), instance)
    assert answer.error is not None
    assert "does not say what it has seen" in answer.error.message
