"""What an instance tells of assets and partitions, and what it lets users report and change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from penstock import (
    AssetCheckEvaluation,
    AssetCheckResult,
    AssetKey,
    AssetMaterialization,
    AssetObservation,
    DynamicPartitionsDefinition,
    EventRecordsFilter,
    EventType,
    Instance,
    RunStatus,
    StaticPartitionsDefinition,
)
from penstock.errors import PartitionNotFoundError, UsageError
from penstock.records.asset import AssetPartitionStatus
from penstock.records.event import AssetMaterialization as AssetMade
from penstock.records.event import AssetMaterializationPlanned
from penstock.testing import FakeClock, add_run

ORDERS, OTHER = AssetKey(["shop", "orders"]), AssetKey("other")
LETTERS = StaticPartitionsDefinition(["a", "b", "c", "d"])


@pytest.fixture
def instance() -> Iterator[Instance]:
    with Instance.ephemeral(clock=FakeClock()) as opened:
        yield opened


def test_keys_of_assets_are_listed(instance: Instance) -> None:
    for key in (ORDERS, OTHER, AssetKey(["shop", "parts"])):
        instance.report_runless_asset_event(AssetMaterialization(key))
    assert instance.get_asset_keys() == [OTHER, ORDERS, AssetKey(["shop", "parts"])]
    assert instance.get_asset_keys(prefix=["shop"], limit=1) == [ORDERS]
    assert instance.get_asset_keys(cursor="shop/orders") == [AssetKey(["shop", "parts"])]
    assert (instance.has_asset_key(ORDERS), instance.has_asset_key(AssetKey("unknown"))) == (True, False)


def test_what_is_known_of_assets(instance: Instance) -> None:
    run = add_run(instance, "nightly", facts=[AssetMade(asset="shop/orders", tags={"penstock/code_version": "7"})])
    instance.report_runless_asset_event(AssetObservation(OTHER))
    made, seen = instance.get_asset_records([ORDERS, OTHER, AssetKey("unknown")])
    assert (made.asset_key, made.asset_entry.last_run_id) == (ORDERS, run.run_id)
    assert made.asset_entry.last_materialization is not None
    assert made.asset_entry.last_materialization.job_name == "nightly"
    assert made.asset_entry.last_observation_record is None
    assert seen.asset_entry.last_materialization_storage_id is None
    assert seen.asset_entry.last_observation_record is not None
    assert {record.asset_key for record in instance.get_asset_records()} == {ORDERS, OTHER}
    assert instance.get_latest_materialization_code_versions([ORDERS, OTHER]) == {ORDERS: "7", OTHER: None}
    events = instance.get_latest_materialization_events([ORDERS, OTHER])
    assert events == {ORDERS: made.asset_entry.last_materialization, OTHER: None}
    assert instance.get_latest_materialization_event(OTHER) is None


def test_the_event_that_tells_a_data_version(instance: Instance) -> None:
    def place(**where: Any) -> int | None:
        record = instance.get_latest_data_version_record(ORDERS, **where)
        return None if record is None else record.storage_id

    assert place() is None
    instance.report_runless_asset_event(AssetObservation(ORDERS, partition="a"))
    assert place() == place(is_source=True) == 1
    instance.report_runless_asset_event(AssetMaterialization(ORDERS, partition="b"))
    assert (place(), place(is_source=True), place(is_source=False)) == (2, 1, 2)
    assert (place(partition_key="a"), place(partition_key="b"), place(partition_key="c")) == (1, 2, None)


def test_the_outcome_of_a_check_is_reported(instance: Instance) -> None:
    instance.report_runless_asset_event(AssetCheckResult(passed=False, asset_key=ORDERS, check_name="complete"))
    (state,) = instance.storage.assets.check_states(["shop/orders"]).values()
    assert (state.check, state.status) == ("complete", "FAILED")
    told = AssetCheckEvaluation(ORDERS, "complete", True, metadata={"rows": 1}, partition="a")
    instance.report_runless_asset_event(told)
    asked = EventRecordsFilter(EventType.ASSET_CHECK_EVALUATION, asset_key=ORDERS)
    found = instance.get_event_records(asked, limit=1)[0].event_log_entry.asset_check_evaluation
    assert found is not None
    assert (found.asset_check_key, found.passed, found.metadata, found.partition, found.severity) == (
        told.asset_check_key,
        True,
        told.metadata,
        "a",
        told.severity,
    )


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (AssetCheckResult(passed=True, asset_key=ORDERS), "names no check; give it asset_key and check_name"),
        ("orders", "'orders' cannot be told without a run; give an AssetMaterialization"),
    ],
)
def test_what_cannot_be_reported_is_refused(instance: Instance, event: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        instance.report_runless_asset_event(event)


def test_an_asset_is_forgotten(instance: Instance) -> None:
    for key in (ORDERS, OTHER):
        for partition in "ab":
            instance.report_runless_asset_event(AssetMaterialization(key, partition=partition))
    instance.wipe_assets([ORDERS])
    assert instance.get_asset_keys() == [OTHER]
    assert instance.get_latest_materialization_event(ORDERS) is None
    instance.wipe_asset_partitions(OTHER, ["b"])
    assert instance.get_materialized_partitions(OTHER) == {"a"}


def test_where_partitions_stand(instance: Instance) -> None:
    planned = AssetMaterializationPlanned(asset="shop/orders", partition="b")
    add_run(instance, "nightly", RunStatus.FAILURE, facts=[planned])
    add_run(
        instance, "nightly", RunStatus.STARTED, facts=[AssetMaterializationPlanned(asset="shop/orders", partition="c")]
    )
    instance.report_runless_asset_event(AssetMaterialization(ORDERS, partition="a"))
    assert instance.get_status_by_partition(ORDERS, ["a", "b", "c", "d"], LETTERS) == {
        "a": AssetPartitionStatus.MATERIALIZED,
        "b": AssetPartitionStatus.FAILED,
        "c": AssetPartitionStatus.IN_PROGRESS,
        "d": None,
    }
    with pytest.raises(PartitionNotFoundError, match="have no key 'x'"):
        instance.get_status_by_partition(ORDERS, ["x"], LETTERS)
    place = instance.storage.events.last_id()
    instance.report_runless_asset_event(AssetMaterialization(ORDERS, partition="d"))
    assert instance.get_materialized_partitions(ORDERS) == {"a", "d"}
    assert instance.get_materialized_partitions(ORDERS, after_cursor=place) == {"d"}
    assert instance.get_materialized_partitions(ORDERS, before_cursor=place + 1) == {"a"}


def test_keys_of_a_dynamic_set(instance: Instance) -> None:
    instance.add_dynamic_partitions("files", ["b", "a", "b"])
    assert instance.get_dynamic_partitions("files") == ["b", "a"]
    instance.delete_dynamic_partition("files", "b")
    assert (instance.has_dynamic_partition("files", "a"), instance.has_dynamic_partition("files", "b")) == (True, False)
    files = DynamicPartitionsDefinition(name="files")
    assert files.get_partition_keys(dynamic_partitions_store=instance) == ["a"]
