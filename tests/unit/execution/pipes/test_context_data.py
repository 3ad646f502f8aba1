"""What an external process is told of its step."""

from __future__ import annotations

from typing import Any

import pytest

from penstock import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetExecutionContext,
    AssetKey,
    DailyPartitionsDefinition,
    DataVersion,
    MaterializeResult,
    StaticPartitionsDefinition,
    asset,
    asset_check,
    instance_for_test,
    materialize,
)
from penstock.errors import UserCodeError
from penstock.execution.pipes.context_data import context_data, reported_assets

from .conftest import InStep

DAYS = DailyPartitionsDefinition(start_date="2024-01-01")


def test_an_op_without_assets(in_op: InStep) -> None:
    seen: list[Any] = []
    in_op(lambda context: seen.append((context_data(context, {"a": [1]}), context.run_id)))
    ((told, run_id),) = seen
    assert told == {
        "asset_keys": None,
        "code_version_by_asset_key": None,
        "provenance_by_asset_key": None,
        "partition_key": None,
        "partition_key_range": None,
        "partition_time_window": None,
        "run_id": run_id,
        "job_name": "only",
        "retry_number": 0,
        "extras": {"a": [1]},
    }


def test_an_asset_of_one_day(in_asset: InStep) -> None:
    seen: list[Any] = []
    in_asset(
        lambda context: seen.append(context_data(context, None)),
        code_version="3",
        key_prefix="shop",
        partitions_def=DAYS,
        partition="2024-01-02",
    )
    (told,) = seen
    assert told["asset_keys"] == ["shop/orders"]
    assert told["code_version_by_asset_key"] == {"shop/orders": "3"}
    assert told["provenance_by_asset_key"] == {"shop/orders": None}
    assert told["partition_key"] == "2024-01-02"
    assert told["partition_key_range"] == {"start": "2024-01-02", "end": "2024-01-02"}
    assert told["partition_time_window"] == {"start": "2024-01-02T00:00:00+00:00", "end": "2024-01-03T00:00:00+00:00"}


def test_partitions_that_are_no_time_windows(in_asset: InStep) -> None:
    seen: list[Any] = []
    work = StaticPartitionsDefinition(["a", "b"])
    in_asset(lambda context: seen.append(context_data(context, None)), partitions_def=work, partition="b")
    assert (seen[0]["partition_key"], seen[0]["partition_time_window"]) == ("b", None)


def test_a_check_reports_on_the_asset_that_it_checks() -> None:
    seen: list[Any] = []

    @asset
    def orders(context: AssetExecutionContext) -> None:
        pass

    @asset_check(asset=orders)
    def complete(context: AssetCheckExecutionContext) -> AssetCheckResult:
        seen.append(reported_assets(context))
        return AssetCheckResult(passed=True)

    assert materialize([orders, complete]).success
    assert seen == [[AssetKey("orders")]]


def test_what_an_asset_was_last_made_from() -> None:
    seen: list[Any] = []

    @asset(code_version="1")
    def sales() -> MaterializeResult[Any]:
        return MaterializeResult(data_version=DataVersion("v7"))

    @asset(deps=[sales], code_version="2")
    def orders(context: AssetExecutionContext) -> None:
        seen.append(context_data(context, None)["provenance_by_asset_key"])

    with instance_for_test() as instance:
        for _ in range(2):
            assert materialize([sales, orders], instance=instance).success
    assert seen == [
        {"orders": None},
        {"orders": {"code_version": "2", "input_data_versions": {"sales": "v7"}, "is_user_provided": False}},
    ]


def test_extras_that_json_cannot_hold_are_refused(in_op: InStep) -> None:
    def work(context: Any) -> None:
        with pytest.raises(UserCodeError, match="extras of a Pipes session"):
            context_data(context, {"x": object()})

    in_op(work)
