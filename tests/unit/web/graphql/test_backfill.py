"""Backfills: one run for each chosen partition, all or none of the choice valid."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from penstock.records.event import AssetMaterialization
from penstock.records.run import Run, Tag
from penstock.storage.protocols import RunFilter

BACKFILL = """mutation M($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
    __typename ... on LaunchBackfillSuccess { backfillId launchedRunIds }
    ... on PartitionKeysNotFoundError { partitionKeys } ... on Error { message } } }"""

ORDERS = {"assetSelection": [{"path": ["orders"]}], "repositoryLocationName": "shop"}


def launch(ask: Any, **params: Any) -> Any:
    return ask(BACKFILL, params={**ORDERS, **params})["launchPartitionBackfill"]


def runs(deployment: Any) -> list[Run]:
    found: list[Run] = deployment.storage.runs.page(RunFilter(), limit=100, ascending=True)
    return found


def test_chosen_partitions(deployment: Any, ask: Any) -> None:
    keys = ["2024-01-03", "2024-01-01", "2024-01-03"]
    told = launch(ask, partitionNames=keys, title="fix", tags=[{"key": "a", "value": "b"}])
    made = runs(deployment)
    assert told["launchedRunIds"] == [run.run_id for run in made]
    assert [run.partition for run in made] == ["2024-01-03", "2024-01-01"]
    for run in made:
        assert run.tags[Tag.BACKFILL] == told["backfillId"]
        assert run.tags["a"] == "b"
        assert run.tags["penstock/backfill_title"] == "fix"
        assert run.assets == ("orders",)


def test_every_partition(deployment: Any, ask: Any) -> None:
    assert len(launch(ask, allPartitions=True)["launchedRunIds"]) == 10
    assert [run.partition for run in runs(deployment)][-1] == "2024-01-10"


def test_only_missing_ones(deployment: Any, ask: Any) -> None:
    made = [AssetMaterialization(asset="orders", partition=f"2024-01-{day:02}") for day in range(1, 8)]
    deployment.storage.assets.report(made, now=1.0)
    launch(ask, allPartitions=True, onlyMissing=True)
    assert [run.partition for run in runs(deployment)] == ["2024-01-08", "2024-01-09", "2024-01-10"]
    # What is on its way is not missing either.
    again = launch(ask, allPartitions=True, onlyMissing=True)
    assert again["__typename"] == "PartitionKeysNotFoundError"
    assert "No partition is left" in again["message"]


def worked_on(run: Run) -> str:
    return run.partition or f"{run.tags[Tag.PARTITION_RANGE_START]} to {run.tags[Tag.PARTITION_RANGE_END]}"


@pytest.mark.parametrize(
    ("at_most", "told"),
    [
        (None, ["2024-01-01 to 2024-01-03", "2024-01-06"]),
        (2, ["2024-01-01 to 2024-01-02", "2024-01-03", "2024-01-06"]),
    ],
)
def test_a_run_takes_as_many_partitions_as_the_asset_allows(
    deployment: Any, ask: Any, at_most: int | None, told: list[str]
) -> None:
    location = deployment.context().catalog.locations["shop"].description
    assets = tuple(
        replace(each, max_partitions_per_run=at_most) if each.key == "orders" else each for each in location.assets
    )
    deployment.put(replace(location, assets=assets))
    launch(ask, partitionNames=["2024-01-06", "2024-01-01", "2024-01-03", "2024-01-02"])
    assert [worked_on(run) for run in runs(deployment)] == told
    assert {run.tags[Tag.BACKFILL] for run in runs(deployment)} == {runs(deployment)[0].tags[Tag.BACKFILL]}


@pytest.mark.parametrize(
    ("params", "typename", "told"),
    [
        ({"partitionNames": ["2024-01-01", "x", "y"]}, "PartitionKeysNotFoundError", "'x', 'y'"),
        ({}, "InvalidSubsetError", "partitionNames"),
        ({"assetSelection": [], "allPartitions": True}, "InvalidSubsetError", "assetSelection"),
        ({"assetSelection": [{"path": ["none"]}], "allPartitions": True}, "PythonError", "'none'"),
        ({"assetSelection": [{"path": ["feed"]}], "allPartitions": True}, "InvalidSubsetError", "partitioned"),
        ({"repositoryLocationName": "bank", "allPartitions": True}, "InvalidSubsetError", "['shop']"),
        (
            {"selector": {"repositoryLocationName": "shop", "pipelineName": "nightly"}, "allPartitions": True},
            "InvalidSubsetError",
            "partitioned",
        ),
        ({"allPartitions": True, "runConfigData": {"opps": 1}}, "RunConfigValidationInvalid", ""),
    ],
)
def test_what_does_not_fit(deployment: Any, ask: Any, params: Any, typename: str, told: str) -> None:
    answer = launch(ask, **params)
    assert answer["__typename"] == typename
    assert told in answer.get("message", "")
    assert runs(deployment) == []
