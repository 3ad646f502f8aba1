"""A partitioned asset and job of several dimensions, as pages see and launch them, and config by partition."""

from __future__ import annotations

from typing import Any

import pytest

from penstock import (
    AssetExecutionContext,
    Config,
    DailyPartitionsDefinition,
    Definitions,
    DynamicPartitionsDefinition,
    MultiPartitionsDefinition,
    OpExecutionContext,
    StaticPartitionsDefinition,
    asset,
    job,
    op,
    static_partitioned_config,
)
from penstock.codec import digest, encode_json
from penstock.definitions.describe import describe
from penstock.errors import CodeServerUnreachableError
from penstock.execution.evaluate import check_run_config, evaluate_partitions
from penstock.records.backfill import BackfillStatus
from penstock.records.event import AssetMaterialization
from penstock.records.run import Run, Tag
from penstock.records.wire import CheckRunConfig, ConfigAnswer, EvaluatePartitions, LoadStatus, PartitionsAnswer
from penstock.storage.protocols import BackfillFilter, RunFilter, StoredLocation

SALES = MultiPartitionsDefinition(
    {
        "date": DailyPartitionsDefinition("2024-01-01", end_date="2024-01-06"),
        "letter": StaticPartitionsDefinition(["a", "b"]),
        "shop": DynamicPartitionsDefinition(name="shops"),
    }
)


@asset(partitions_def=SALES)
def sales(context: AssetExecutionContext) -> None:
    context.log.info(context.partition_key)


class _Who(Config):
    name: str


@op
def greet(context: OpExecutionContext, config: _Who) -> None:
    context.log.info(config.name)


@static_partitioned_config(["ann", "bob", "zoe"], tags_for_partition_key_fn=lambda key: {"initial": key[0]})
def by_name(key: str) -> dict[str, Any]:
    if key == "zoe":
        raise ValueError("nobody of that name")
    return {"ops": {"greet": {"config": {"name": key.title()}}}}


@job(config=by_name)
def greetings() -> None:
    greet()


DEFS = Definitions(assets=[sales], jobs=[greetings])


class CodeServer:
    """Answers as the one of the location does, from this process."""

    def __init__(self) -> None:
        self.asked: list[EvaluatePartitions] = []

    def partitions(self, work: EvaluatePartitions) -> PartitionsAnswer:
        self.asked.append(work)
        return evaluate_partitions(DEFS, work)

    def check_config(self, work: CheckRunConfig) -> ConfigAnswer:
        return check_run_config(DEFS, work)


@pytest.fixture
def server(deployment: Any, monkeypatch: pytest.MonkeyPatch) -> CodeServer:
    """The deployment with the definitions above as a location of their own."""
    description = encode_json(describe(DEFS, "cube"))
    deployment.storage.locations.put(
        StoredLocation(
            name="cube", status=LoadStatus.LOADED, description=description, digest=digest(description), updated=1.0
        )
    )
    deployment.storage.assets.add_dynamic_partitions("shops", ["x", "y"])
    server = CodeServer()
    monkeypatch.setattr(deployment.catalog, "client", lambda _: server)
    return server


def runs(deployment: Any) -> list[Run]:
    found: list[Run] = deployment.storage.runs.page(RunFilter(), limit=100, ascending=True)
    return found


NODE = """{ assetNodeOrError(assetKey: {path: ["sales"]}) { __typename ... on AssetNode {
    isPartitioned
    partitionDefinition { type description firstKey lastKey }
    partitionStats { numPartitions numMaterialized numFailed numMaterializing }
    partitionRanges { startKey endKey startIndex endIndex status }
    partitionKeyConnection(limit: 5) { partitionKeys hasMore }
} } }"""


def test_keys_counts_and_status(deployment: Any, ask: Any, server: CodeServer) -> None:
    made = ["2024-01-01|a|x", "2024-01-01|a|y", "2024-01-02|b|y"]
    deployment.storage.assets.report([AssetMaterialization(asset="sales", partition=key) for key in made], now=1.0)
    node = ask(NODE)["assetNodeOrError"]
    assert node["partitionDefinition"] == {
        "type": "MULTIPARTITIONED",
        "description": "20 keys, of the dimensions date | letter | shop",
        "firstKey": "2024-01-01|a|x",
        "lastKey": "2024-01-05|b|y",
    }
    assert node["partitionStats"] == {
        "numPartitions": 20,
        "numMaterialized": 3,
        "numFailed": 0,
        "numMaterializing": 0,
    }
    assert [(each["startKey"], each["endKey"], each["startIndex"]) for each in node["partitionRanges"]] == [
        ("2024-01-01|a|x", "2024-01-01|a|y", 0),
        ("2024-01-02|b|y", "2024-01-02|b|y", 7),
    ]
    assert node["partitionKeyConnection"] == {
        "partitionKeys": ["2024-01-01|a|x", "2024-01-01|a|y", "2024-01-01|b|x", "2024-01-01|b|y", "2024-01-02|a|x"],
        "hasMore": True,
    }


LAUNCH = """mutation M($params: ExecutionParams!) { launchRun(executionParams: $params) {
    __typename ... on LaunchRunSuccess { run { partition } }
    ... on PartitionKeysNotFoundError { partitionKeys } ... on Error { message } } }"""
BACKFILL = """mutation M($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
    __typename ... on LaunchBackfillSuccess { launchedRunIds } ... on Error { message } } }"""
SELECTED = {"repositoryLocationName": "cube", "assetSelection": [{"path": ["sales"]}]}
GREETINGS = {"repositoryLocationName": "cube", "pipelineName": "greetings"}


def test_one_partition_is_launched_with_a_tag_for_each_dimension(deployment: Any, ask: Any, server: CodeServer) -> None:
    told = ask(LAUNCH, params={"selector": SELECTED, "partition": "2024-01-02|b|x"})["launchRun"]
    assert told["run"] == {"partition": "2024-01-02|b|x"}
    (run,) = runs(deployment)
    assert {key: value for key, value in run.tags.items() if key.startswith("penstock/partition")} == {
        "penstock/partition": "2024-01-02|b|x",
        "penstock/partition/date": "2024-01-02",
        "penstock/partition/letter": "b",
        "penstock/partition/shop": "x",
    }
    for unknown in ("2024-01-02|b|z", "2024-01-02|b", "2024-01-06|b|x"):
        refused = ask(LAUNCH, params={"selector": SELECTED, "partition": unknown})["launchRun"]
        assert refused["partitionKeys"] == [unknown]


def test_a_range_is_planned_as_one_of_each_dimension(deployment: Any, ask: Any, server: CodeServer) -> None:
    tags = [
        {"key": Tag.PARTITION_RANGE_START, "value": "2024-01-02|a|y"},
        {"key": Tag.PARTITION_RANGE_END, "value": "2024-01-03|b|y"},
    ]
    told = ask(LAUNCH, params={"selector": SELECTED, "executionMetadata": {"tags": tags}})["launchRun"]
    assert told["__typename"] == "LaunchRunSuccess"
    states = deployment.storage.assets.partition_states("sales")
    assert sorted(states) == [f"2024-01-0{day}|{letter}|y" for day in (2, 3) for letter in "ab"]


def test_all_partitions_are_launched(deployment: Any, ask: Any, server: CodeServer) -> None:
    ask(BACKFILL, params={**SELECTED, "allPartitions": True})
    deployment.make_backfills()
    assert len(runs(deployment)) == 20
    assert runs(deployment)[-1].tags["penstock/partition/shop"] == "y"


def test_config_of_a_partition_comes_from_user_code(deployment: Any, ask: Any, server: CodeServer) -> None:
    assert ask(LAUNCH, params={"selector": GREETINGS, "partition": "bob"})["launchRun"]["__typename"] == (
        "LaunchRunSuccess"
    )
    own = {"ops": {"greet": {"config": {"name": "x"}}}}
    ask(LAUNCH, params={"selector": GREETINGS, "partition": "ann", "runConfigData": own})
    first, second = runs(deployment)
    assert (first.run_config["ops"]["greet"]["config"], first.tags["initial"]) == ({"name": "Bob"}, "b")
    assert (second.run_config, second.tags["initial"]) == (own, "a")


def test_config_of_many_partitions_is_asked_for_at_once(deployment: Any, ask: Any, server: CodeServer) -> None:
    ask(BACKFILL, params={"selector": GREETINGS, "partitionNames": ["ann", "bob"]})
    deployment.make_backfills()
    assert [run.run_config["ops"]["greet"]["config"]["name"] for run in runs(deployment)] == ["Ann", "Bob"]
    assert [each.keys for each in server.asked] == [("ann", "bob")]


def test_a_backfill_waits_for_the_code_server_that_gives_its_config(
    deployment: Any, ask: Any, server: CodeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_work: EvaluatePartitions) -> PartitionsAnswer:
        raise CodeServerUnreachableError("the code server is away")

    with monkeypatch.context() as patched:
        patched.setattr(server, "partitions", away)
        ask(BACKFILL, params={"selector": GREETINGS, "partitionNames": ["ann", "bob"]})
        deployment.make_backfills()
        (backfill,) = deployment.storage.backfills.open()
        assert "Waits for the code location" in backfill.note
        assert "the code server is away" in backfill.note
        assert runs(deployment) == []
    deployment.make_backfills()
    assert [run.partition for run in runs(deployment)] == ["ann", "bob"]
    assert deployment.storage.backfills.open()[0].note is None


def test_a_backfill_fails_with_the_error_of_user_code_that_gives_its_config(
    deployment: Any, ask: Any, server: CodeServer
) -> None:
    ask(BACKFILL, params={"selector": GREETINGS, "partitionNames": ["zoe"]})
    for _ in range(6):
        deployment.make_backfills()
    (backfill,) = deployment.storage.backfills.page(BackfillFilter(), limit=9)
    assert backfill.status is BackfillStatus.FAILED
    assert "nobody of that name" in backfill.note


def test_user_code_that_fails_stops_the_launch(deployment: Any, server: CodeServer) -> None:
    outcome = deployment.execute(LAUNCH, params={"selector": GREETINGS, "partition": "zoe"})
    assert "nobody of that name" in str(outcome.body)
    assert runs(deployment) == []


def test_a_code_server_that_is_away_cannot_give_config(
    deployment: Any, server: CodeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_work: EvaluatePartitions) -> PartitionsAnswer:
        raise CodeServerUnreachableError("the code server is away")

    monkeypatch.setattr(server, "partitions", away)
    outcome = deployment.execute(LAUNCH, params={"selector": GREETINGS, "partition": "bob"})
    assert "the code server is away" in str(outcome.body)
    assert runs(deployment) == []


def test_the_launchpad_starts_empty_where_config_follows_the_partition(ask: Any, server: CodeServer) -> None:
    query = """query Q($selector: PipelineSelector!) {
        runConfigSchemaOrError(selector: $selector) { ... on RunConfigSchema { rootDefaultYaml } }
        isPipelineConfigValid(pipeline: $selector) { __typename } }"""
    told = ask(query, selector=GREETINGS)
    assert told["runConfigSchemaOrError"] == {"rootDefaultYaml": ""}
    assert told["isPipelineConfigValid"]["__typename"] == "PipelineConfigValidationValid"


def test_the_dimensions_are_told_with_their_keys(ask: Any, server: CodeServer) -> None:
    node = ask(
        """{ assetNodeOrError(assetKey: {path: ["sales"]}) { ... on AssetNode {
        partitionDefinition { dimensionTypes {
            name description type isPrimaryDimension dynamicPartitionsDefinitionName } }
        partitionKeysByDimension { name partitionKeys type }
        part: partitionKeysByDimension(startIdx: 1, endIdx: 3) { partitionKeys }
        partitionKeyConnection(limit: 5) { partitionKeys } } } }"""
    )["assetNodeOrError"]
    assert [
        (each["name"], each["type"], each["isPrimaryDimension"], each["dynamicPartitionsDefinitionName"])
        for each in node["partitionDefinition"]["dimensionTypes"]
    ] == [
        ("date", "TIME_WINDOW", True, None),
        ("letter", "STATIC", False, None),
        ("shop", "DYNAMIC", False, "shops"),
    ]
    dates, letters, shops = node["partitionKeysByDimension"]
    assert (letters["partitionKeys"], shops["partitionKeys"]) == (["a", "b"], ["x", "y"])
    assert dates["partitionKeys"] == [f"2024-01-0{day}" for day in range(1, 6)]
    assert [each["partitionKeys"] for each in node["part"]] == [["2024-01-02", "2024-01-03"], ["b"], ["y"]]
    product = [f"{date}|{a}|{x}" for date in dates["partitionKeys"] for a in "ab" for x in "xy"]
    assert node["partitionKeyConnection"]["partitionKeys"] == product[:5]


def test_a_set_that_has_no_several_dimensions_is_its_own(ask: Any) -> None:
    node = ask(
        """{ assetNodeOrError(assetKey: {path: ["orders"]}) { ... on AssetNode {
        partitionDefinition { dimensionTypes { name isPrimaryDimension } }
        partitionKeysByDimension(endIdx: 2) { name partitionKeys } } }
        plain: assetNodeOrError(assetKey: {path: ["feed"]}) { ... on AssetNode {
        partitionKeysByDimension { name } } } }"""
    )
    assert node["assetNodeOrError"] == {
        "partitionDefinition": {"dimensionTypes": [{"name": "default", "isPrimaryDimension": True}]},
        "partitionKeysByDimension": [{"name": "default", "partitionKeys": ["2024-01-01", "2024-01-02"]}],
    }
    assert node["plain"] == {"partitionKeysByDimension": []}


def test_the_config_of_a_partition_is_told_before_it_runs(ask: Any, server: CodeServer) -> None:
    query = """query ($key: String!) { pipelineOrError(params: {
        repositoryLocationName: "cube", pipelineName: "greetings"}) { ... on Pipeline { partition(partitionName: $key) {
        name jobName
        runConfigOrError { __typename ... on PartitionRunConfig { yaml } ... on PythonError { message } }
        tagsOrError { __typename ... on PartitionTags { results { key value } } } } } } }"""
    found = ask(query, key="ann")["pipelineOrError"]["partition"]
    assert (found["name"], found["jobName"]) == ("ann", "greetings")
    assert found["runConfigOrError"]["yaml"] == "ops:\n  greet:\n    config:\n      name: Ann\n"
    assert found["tagsOrError"]["results"] == [{"key": "initial", "value": "a"}]
    broken = ask(query, key="zoe")["pipelineOrError"]["partition"]["runConfigOrError"]
    assert broken["__typename"] == "PythonError"
    assert "nobody of that name" in broken["message"]
    assert ask(query, key="eve")["pipelineOrError"]["partition"] is None
