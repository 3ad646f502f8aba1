"""Backfills: asked for, looked at, changed while they are under way, and asked for again."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from penstock.records.event import AssetMaterialization, RunCanceled, RunFailure
from penstock.records.run import FailureReason, Run, Tag
from penstock.storage.protocols import RunFilter
from support.backfill_house import worked_on

BACKFILL = """mutation M($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
    __typename ... on LaunchBackfillSuccess { backfillId launchedRunIds }
    ... on PartitionKeysNotFoundError { partitionKeys } ... on Error { message } } }"""

ORDERS = {"assetSelection": [{"path": ["orders"]}], "repositoryLocationName": "shop"}


def launch(ask: Any, **params: Any) -> Any:
    return ask(BACKFILL, params={**ORDERS, **params})["launchPartitionBackfill"]


def runs(deployment: Any) -> list[Run]:
    deployment.make_backfills()
    found: list[Run] = deployment.storage.runs.page(RunFilter(), limit=100, ascending=True)
    return found


def fail(deployment: Any, run: Run) -> None:
    deployment.storage.runs.record(
        run.run_id, [RunFailure(reason=FailureReason.UNKNOWN, message="no")], now=deployment.instance.clock.now()
    )


def one(ask: Any, backfill_id: str, fields: str) -> Any:
    query = f"""query Q($id: String!) {{ partitionBackfillOrError(backfillId: $id) {{
        __typename ... on PartitionBackfill {{ {fields} }} ... on Error {{ message }} }} }}"""
    return ask(query, id=backfill_id)["partitionBackfillOrError"]


def change(ask: Any, mutation: str, backfill_id: str, more: str = "") -> Any:
    query = f"""mutation M($id: String!) {{ {mutation}(backfillId: $id{more}) {{
        __typename ... on Error {{ message }} ... on PythonError {{ message }} }} }}"""
    return ask(query, id=backfill_id)[mutation]


def test_chosen_partitions(deployment: Any, ask: Any) -> None:
    keys = ["2024-01-03", "2024-01-01", "2024-01-03"]
    told = launch(ask, partitionNames=keys, title="fix", tags=[{"key": "a", "value": "b"}])
    assert told["launchedRunIds"] == []
    made = runs(deployment)
    assert [run.partition for run in made] == ["2024-01-01", "2024-01-03"]
    for run in made:
        assert run.tags[Tag.BACKFILL] == told["backfillId"]
        assert run.tags["a"] == "b"
        assert run.tags["penstock/backfill_title"] == "fix"
        assert run.assets == ("orders",)


def test_every_partition(deployment: Any, ask: Any) -> None:
    launch(ask, allPartitions=True)
    assert [run.partition for run in runs(deployment)] == [f"2024-01-{day:02}" for day in range(1, 11)]


def test_only_missing_ones(deployment: Any, ask: Any) -> None:
    made = [AssetMaterialization(asset="orders", partition=f"2024-01-{day:02}") for day in range(1, 8)]
    deployment.storage.assets.report(made, now=1.0)
    launch(ask, allPartitions=True, onlyMissing=True)
    assert [run.partition for run in runs(deployment)] == ["2024-01-08", "2024-01-09", "2024-01-10"]
    # What is on its way is not missing either.
    again = launch(ask, allPartitions=True, onlyMissing=True)
    assert again["__typename"] == "PartitionKeysNotFoundError"
    assert "No partition is left" in again["message"]


@pytest.mark.parametrize(
    ("at_most", "told"),
    [
        (None, ["2024-01-01..2024-01-03", "2024-01-06"]),
        (2, ["2024-01-01..2024-01-02", "2024-01-03", "2024-01-06"]),
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
    assert [worked_on(run) for run in runs(deployment)] == [f"orders {each}" for each in told]
    assert {run.tags[Tag.BACKFILL] for run in runs(deployment)} == {runs(deployment)[0].tags[Tag.BACKFILL]}


def test_assets_with_partitions_and_without_are_asked_for_together(deployment: Any, ask: Any) -> None:
    assets = [{"path": ["orders"]}, {"path": ["mart", "totals"]}]
    told = launch(ask, assetSelection=assets, allPartitions=True)
    counts = "total waiting inProgress materialized failed skipped canceled"
    found = one(
        ask,
        told["backfillId"],
        f"""status paused numPartitions numAssets numRuns isAssetBackfill jobName repositoryLocationName
        assetSelection {{ path }} partitionNames(limit: 2) partitionStatusCounts {{ {counts} }}
        hasCancelPermission hasResumePermission logEvents {{ level message }} error {{ message }} note""",
    )
    assert found == {
        "__typename": "PartitionBackfill",
        "status": "REQUESTED",
        "paused": False,
        "numPartitions": 10,
        "numAssets": 2,
        "numRuns": 0,
        "isAssetBackfill": True,
        "jobName": None,
        "repositoryLocationName": "shop",
        "assetSelection": [{"path": ["mart", "totals"]}, {"path": ["orders"]}],
        "partitionNames": ["2024-01-01", "2024-01-02"],
        "partitionStatusCounts": {
            "total": 11,
            "waiting": 11,
            "inProgress": 0,
            "materialized": 0,
            "failed": 0,
            "skipped": 0,
            "canceled": 0,
        },
        "hasCancelPermission": True,
        "hasResumePermission": True,
        "logEvents": [{"level": "INFO", "message": "Asked for: 11 partitions of 2 assets."}],
        "error": None,
        "note": None,
    }
    first, *_ = runs(deployment)
    fail(deployment, first)
    deployment.make_backfills()
    pace = one(ask, told["backfillId"], "pace { partitionsPerHour secondsLeft }")["pace"]
    assert pace["partitionsPerHour"] * pace["secondsLeft"] == pytest.approx(9 * 3600)
    places = "waiting inProgress materialized failed skipped canceled"
    (totals, orders) = one(
        ask,
        told["backfillId"],
        f"""assetBackfillStatuses {{ assetKey {{ path }} isPartitioned counts {{ {counts} }}
        positions {{ {places} }} partitionKeys(start: 1, limit: 2) }}""",
    )["assetBackfillStatuses"]
    assert (totals["counts"]["skipped"], totals["isPartitioned"], totals["partitionKeys"]) == (1, False, [])
    assert orders["positions"] == {
        "waiting": "",
        "inProgress": "1-9",
        "materialized": "",
        "failed": "0",
        "skipped": "",
        "canceled": "",
    }
    assert orders["partitionKeys"] == ["2024-01-02", "2024-01-03"]


def test_partitions_of_each_asset(deployment: Any, ask: Any) -> None:
    spans = {"ranges": [{"start": "2024-01-02", "end": "2024-01-03"}, {"start": "2024-01-09", "end": "2024-01-09"}]}
    by_asset = [{"assetKey": {"path": ["orders"]}, "partitions": spans}, {"assetKey": {"path": ["mart", "totals"]}}]
    told = launch(ask, assetSelection=None, partitionsByAssets=by_asset)
    assert [run.partition for run in runs(deployment)] == ["2024-01-02", "2024-01-03", "2024-01-09"]
    assert one(ask, told["backfillId"], "numPartitions")["numPartitions"] == 3
    unknown = [{"assetKey": {"path": ["orders"]}, "partitions": {"ranges": [{"start": "x", "end": "2024-01-03"}]}}]
    assert launch(ask, partitionsByAssets=unknown)["partitionKeys"] == ["x"]


def test_what_a_backfill_would_make(ask: Any) -> None:
    query = """query Q($params: AssetBackfillPreviewParams!) { assetBackfillPreview(params: $params) {
        assetKey { path } numPartitions partitions { ranges { start end } } } }"""
    assets = [{"path": ["orders"]}, {"path": ["mart", "totals"]}]
    named = {"partitionNames": ["2024-01-01", "2024-01-02"], "partitionsOf": assets[0]}
    found = ask(query, params={"assetSelection": assets, **named})
    assert found["assetBackfillPreview"] == [
        {"assetKey": {"path": ["mart", "totals"]}, "numPartitions": 1, "partitions": None},
        {
            "assetKey": {"path": ["orders"]},
            "numPartitions": 2,
            "partitions": {"ranges": [{"start": "2024-01-01", "end": "2024-01-02"}]},
        },
    ]


def test_a_backfill_is_paused_resumed_and_canceled(deployment: Any, ask: Any) -> None:
    backfill_id = launch(ask, allPartitions=True)["backfillId"]
    assert change(ask, "pausePartitionBackfill", backfill_id)["__typename"] == "PauseBackfillSuccess"
    assert runs(deployment) == []
    assert change(ask, "pausePartitionBackfill", backfill_id)["__typename"] == "PauseBackfillSuccess"
    assert change(ask, "changeBackfillPriority", backfill_id, ", priority: 7")["__typename"] == "ChangeBackfillSuccess"
    assert change(ask, "resumePartitionBackfill", backfill_id)["__typename"] == "ResumeBackfillSuccess"
    assert {run.priority for run in runs(deployment)} == {7}
    assert change(ask, "cancelPartitionBackfill", backfill_id)["__typename"] == "CancelBackfillSuccess"
    deployment.make_backfills()
    deployment.make_backfills()
    found = one(ask, backfill_id, "status endTimestamp pace { secondsLeft } logEvents { message } runs { status }")
    assert (found["status"], found["pace"]) == ("CANCELED", None)
    assert {run["status"] for run in found["runs"]} == {"CANCELED"}
    messages = [line["message"] for line in found["logEvents"]]
    assert messages[1:5] == ["Paused.", "Priority set to 7.", "Told to go on.", "Asked to stop."]
    for mutation in ("pausePartitionBackfill", "resumePartitionBackfill", "cancelPartitionBackfill"):
        refused = change(ask, mutation, backfill_id)
        assert refused["__typename"] == "PythonError"
        assert "CANCELED, which does not allow that" in refused["message"]


def test_what_failed_is_asked_for_again(deployment: Any, ask: Any) -> None:
    backfill_id = launch(ask, partitionNames=["2024-01-01", "2024-01-02"], title="fix")["backfillId"]
    again = """mutation M($params: ReexecutionParams!) { reexecutePartitionBackfill(reexecutionParams: $params) {
        __typename ... on LaunchBackfillSuccess { backfillId } ... on Error { message } } }"""
    params = {"parentRunId": backfill_id, "strategy": "FROM_FAILURE"}
    assert "REQUESTED" in ask(again, params=params)["reexecutePartitionBackfill"]["message"]
    first, second = runs(deployment)
    fail(deployment, second)
    deployment.storage.runs.record(first.run_id, [RunCanceled()], now=deployment.instance.clock.now())
    deployment.make_backfills()
    assert one(ask, backfill_id, "status")["status"] == "COMPLETED_FAILED"
    told = ask(again, params=params)["reexecutePartitionBackfill"]
    found = one(ask, told["backfillId"], "parentBackfillId rootBackfillId fromFailure title numPartitions")
    assert (found["parentBackfillId"], found["rootBackfillId"]) == (backfill_id, backfill_id)
    assert (found["fromFailure"], found["title"], found["numPartitions"]) == (True, "fix", 2)
    newest = runs(deployment)[-1]
    assert newest.tags[Tag.PARENT_BACKFILL] == backfill_id


def test_a_page_of_backfills(ask: Any) -> None:
    made = [launch(ask, partitionNames=["2024-01-01"], title=title)["backfillId"] for title in ("a", "b", "c")]
    query = """query Q($cursor: String, $status: BulkActionStatus, $filters: BulkActionsFilter) {
        partitionBackfillsOrError(limit: 2, cursor: $cursor, status: $status, filters: $filters) {
        ... on PartitionBackfills { results { id title partitionStatusCounts { waiting } } cursor } } }"""

    def page(**variables: Any) -> Any:
        return ask(query, **variables)["partitionBackfillsOrError"]

    first = page()
    assert [each["id"] for each in first["results"]] == [made[2], made[1]]
    assert [each["id"] for each in page(cursor=first["cursor"])["results"]] == [made[0]]
    assert page(status="CANCELED")["results"] == []
    assert page(filters={"statuses": ["REQUESTED"], "createdBefore": 5.0})["results"] == []


def test_those_of_a_job_an_asset_a_user_or_with_a_text(ask: Any) -> None:
    orders = launch(ask, partitionNames=["2024-01-01"], title="After the outage")["backfillId"]
    other = launch(ask, partitionNames=["2024-01-02"])["backfillId"]
    query = """query Q($filters: BulkActionsFilter) { partitionBackfillsOrError(filters: $filters) {
        ... on PartitionBackfills { results { id firstAssetKey { path } } cursor } } }"""

    def found(**filters: Any) -> list[str]:
        page = ask(query, filters=filters)["partitionBackfillsOrError"]
        assert page["cursor"] is None
        return [each["id"] for each in page["results"]]

    assert found(text="OUTAGE") == [orders]
    assert found(assetKey={"path": ["orders"]}) == [other, orders]
    assert found(assetKey={"path": ["nothing"]}) == found(user="nobody") == found(jobName="nightly") == []
    (told,) = ask(query, filters={"text": orders})["partitionBackfillsOrError"]["results"]
    assert told["firstAssetKey"] == {"path": ["orders"]}


def test_one_that_is_not_there(ask: Any) -> None:
    assert one(ask, "x", "id")["__typename"] == "BackfillNotFoundError"
    assert change(ask, "cancelPartitionBackfill", "x")["__typename"] == "BackfillNotFoundError"


@pytest.mark.parametrize(
    ("params", "typename", "told"),
    [
        ({"partitionNames": ["2024-01-01", "x", "y"]}, "PartitionKeysNotFoundError", "'x', 'y'"),
        ({}, "InvalidSubsetError", "partitionNames"),
        ({"assetSelection": [], "allPartitions": True}, "InvalidSubsetError", "assetSelection"),
        (
            {"partitionNames": ["x"], "partitionsOf": {"path": ["other"]}},
            "InvalidSubsetError",
            "partitionsOf names other",
        ),
        ({"assetSelection": [{"path": ["none"]}], "allPartitions": True}, "PythonError", "'none'"),
        ({"assetSelection": [{"path": ["feed"]}], "allPartitions": True}, "InvalidSubsetError", "nothing to run"),
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
