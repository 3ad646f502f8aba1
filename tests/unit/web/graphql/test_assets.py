"""Assets: definitions, the latest that is known, history, partitions, checks; a page costs a handful of look-ups."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import pytest

from penstock.codec import digest, encode_json
from penstock.config.schema import Shape
from penstock.ids import new_run_id
from penstock.partitions.spec import StaticSpec
from penstock.records.event import (
    AssetCheckEvaluation,
    AssetCheckEvaluationPlanned,
    AssetMaterialization,
    AssetMaterializationPlanned,
    AssetObservation,
    Event,
    Fact,
    RunFailure,
    RunStart,
    RunSuccess,
)
from penstock.records.location import AssetDescription, AssetJobName, JobDescription, LocationDescription
from penstock.records.metadata import IntMetadataValue, Metadata
from penstock.records.run import FailureReason, Run, RunStatus
from penstock.records.wire import LoadStatus
from penstock.storage.protocols import NewRun, StoredLocation

NODES = """{ assetNodes { id assetKey { path } groupName kinds computeKind description owners tags { key value } opName
    jobNames dependencyKeys { path } dependedByKeys { path } isExecutable isMaterializable isPartitioned sourceRef
    repository { location { name } } metadataEntries { label } } }"""

INFO = """query Q($keys: [AssetKeyInput!]!) { assetsLatestInfo(assetKeys: $keys) {
    assetKey { path } status latestMaterializationTimestamp latestMaterialization { eventId partition }
    unstartedRunIds inProgressRunIds latestRun { runId status } failedChecks totalChecks
    partitionStats { numPartitions numMaterialized numFailed numMaterializing } } }"""


class Maker:
    """Runs that make assets."""

    def __init__(self, deployment: Any) -> None:
        self.deployment = deployment
        self.storage = deployment.storage

    def plan(self, *facts: Fact) -> Run:
        run = Run(run_id=new_run_id(), location="shop", job=AssetJobName, status=RunStatus.NOT_STARTED, created=1.0)
        made: list[Run] = self.storage.runs.create([NewRun(run=run, facts=facts)])
        return made[0]

    def start(self, run: Run) -> None:
        self.storage.runs.claim([run.run_id], owner="worker", until=9e9, now=100.0)
        self.write(run, 1, RunStart(pid=1))

    def write(self, run: Run, seq: int, *facts: Fact, time: float = 100.0) -> None:
        events = [Event(time=time + n, fact=fact, seq=seq + n) for n, fact in enumerate(facts)]
        self.storage.events.append(run.run_id, 1, events, now=time)

    def make(self, *facts: Fact, plan: tuple[Fact, ...] = (), time: float = 100.0) -> Run:
        run = self.plan(*plan)
        self.start(run)
        self.write(run, 2, *facts, RunSuccess(), time=time)
        return run


@pytest.fixture
def maker(deployment: Any) -> Maker:
    return Maker(deployment)


def info(ask: Any, *path: str) -> Any:
    (found,) = ask(INFO, keys=[{"path": list(path)}])["assetsLatestInfo"]
    return found


def test_definitions(ask: Any) -> None:
    feed, totals, orders = ask(NODES)["assetNodes"]
    assert totals == {
        "id": "shop/mart/totals",
        "assetKey": {"path": ["mart", "totals"]},
        "groupName": "mart",
        "kinds": [],
        "computeKind": None,
        "description": "Totals per day.",
        "owners": ["ann@example.com"],
        "tags": [{"key": "tier", "value": "1"}],
        "opName": "mart__totals",
        "jobNames": [AssetJobName],
        "dependencyKeys": [{"path": ["orders"]}],
        "dependedByKeys": [],
        "isExecutable": True,
        "isMaterializable": True,
        "isPartitioned": False,
        "sourceRef": "shop.py:42",
        "repository": {"location": {"name": "shop"}},
        "metadataEntries": [{"label": "rows"}],
    }
    assert (orders["isPartitioned"], orders["computeKind"]) == (True, "csv")
    assert not feed["isExecutable"]
    assert feed["dependedByKeys"] == [{"path": ["orders"]}]


@pytest.mark.parametrize(
    ("selection", "keys"),
    [
        ('group: {groupName: "raw", repositoryLocationName: "shop"}', ["orders"]),
        ('group: {groupName: "none", repositoryLocationName: "shop"}', []),
        ('pipeline: {pipelineName: "__ASSET_JOB", repositoryLocationName: "shop"}', ["orders", "totals"]),
        ('pipeline: {pipelineName: "nightly", repositoryLocationName: "shop"}', []),
        ('assetKeys: [{path: ["mart", "totals"]}, {path: ["none"]}, {path: []}]', ["totals"]),
    ],
)
def test_selections(ask: Any, selection: str, keys: list[str]) -> None:
    nodes = ask(f"{{ assetNodes({selection}) {{ assetKey {{ path }} }} }}")["assetNodes"]
    assert [node["assetKey"]["path"][-1] for node in nodes] == keys


def test_an_asset_that_is_not_there(ask: Any) -> None:
    answer = ask(
        """{ assetNodeOrError(assetKey: {path: ["no/ne"]}) { __typename ... on AssetNotFoundError { message } }
             assetOrError(assetKey: {path: [""]}) { __typename } }"""
    )
    assert answer["assetNodeOrError"]["message"] == "No code location defines the asset 'no\\\\/ne'."
    assert answer["assetOrError"]["__typename"] == "AssetNotFoundError"


def test_the_status_from_plan_to_end(ask: Any, maker: Maker) -> None:
    assert info(ask, "feed")["status"] == "EXTERNAL"
    assert info(ask, "mart", "totals")["status"] == "NEVER_MATERIALIZED"
    run = maker.plan(AssetMaterializationPlanned(asset="mart/totals"))
    waiting = info(ask, "mart", "totals")
    assert (waiting["status"], waiting["unstartedRunIds"]) == ("QUEUED", [run.run_id])
    assert waiting["latestRun"] == {"runId": run.run_id, "status": "NOT_STARTED"}
    maker.start(run)
    working = info(ask, "mart", "totals")
    assert (working["status"], working["inProgressRunIds"]) == ("MATERIALIZING", [run.run_id])
    assert working["unstartedRunIds"] == []
    maker.write(run, 2, AssetMaterialization(asset="mart/totals"), time=150.0)
    assert info(ask, "mart", "totals")["status"] == "MATERIALIZED"
    maker.write(run, 3, RunSuccess())
    made = info(ask, "mart", "totals")
    assert (made["status"], made["latestMaterializationTimestamp"]) == ("MATERIALIZED", 150.0)
    assert made["latestRun"] == {"runId": run.run_id, "status": "SUCCESS"}
    assert made["latestMaterialization"]["eventId"]


def test_a_run_that_fails(ask: Any, maker: Maker) -> None:
    run = maker.plan(AssetMaterializationPlanned(asset="mart/totals"))
    maker.start(run)
    maker.write(run, 2, RunFailure(reason=FailureReason.STEP_FAILURE, message="failed"))
    failed = info(ask, "mart", "totals")
    assert (failed["status"], failed["latestRun"]["runId"]) == ("FAILED", run.run_id)


def test_it_is_told_which_assets_have_the_same_partitions(deployment: Any, ask: Any) -> None:
    sets = {"a": StaticSpec(keys=("x", "y", "z")), "b": StaticSpec(keys=("x", "y", "z"))}
    sets |= {"c": StaticSpec(keys=("x", "w", "z"))}
    located = LocationDescription(
        name="other",
        assets=tuple(AssetDescription(key=key, op=key, partitions=sets.get(key)) for key in ("a", "b", "c", "d")),
    )
    deployment.storage.locations.put(
        StoredLocation(
            name="other",
            status=LoadStatus.LOADED,
            digest=digest(located),
            description=encode_json(located),
            updated=1.0,
        )
    )
    nodes = ask(
        "query Q($keys: [AssetKeyInput!]!) { assetNodes(assetKeys: $keys) { partitionSetId } }",
        keys=[{"path": [key]} for key in ("a", "b", "c", "d")],
    )["assetNodes"]
    a, b, c, d = (each["partitionSetId"] for each in nodes)
    assert a == b != c
    assert (c is None, d) == (False, None)


def test_partitions(ask: Any, maker: Maker) -> None:
    days = [f"2024-01-{day:02}" for day in (1, 2, 3, 5, 7)]
    run = maker.make(*(AssetMaterialization(asset="orders", partition=day) for day in days))
    failing = maker.plan(AssetMaterializationPlanned(asset="orders", partition="2024-01-06"))
    maker.start(failing)
    maker.write(failing, 2, RunFailure(reason=FailureReason.STEP_FAILURE, message="failed"))
    going = maker.plan(AssetMaterializationPlanned(asset="orders", partition="2024-01-10"))
    assert info(ask, "orders")["partitionStats"] == {
        "numPartitions": 10,
        "numMaterialized": 5,
        "numFailed": 1,
        "numMaterializing": 1,
    }
    node = ask(
        """{ assetNodeOrError(assetKey: {path: ["orders"]}) { ... on AssetNode {
            partitionDefinition { type description firstKey lastKey timezone fmt name }
            partitionRanges { startKey endKey startIndex endIndex status }
            partitionPositions { materialized failed materializing }
            made: partition(key: "2024-01-02") { key status runId latestMaterialization { partition } }
            waits: partition(key: "2024-01-10") { status runId latestMaterialization { partition } }
            missing: partition(key: "2024-01-04") { status }
        } } }"""
    )["assetNodeOrError"]
    assert node["partitionDefinition"] == {
        "type": "TIME_WINDOW",
        "description": "Daily, from 2024-01-01 until 2024-01-11 (UTC)",
        "firstKey": "2024-01-01",
        "lastKey": "2024-01-10",
        "timezone": "UTC",
        "fmt": "%Y-%m-%d",
        "name": None,
    }
    assert [(each["startIndex"], each["endIndex"], each["status"]) for each in node["partitionRanges"]] == [
        (0, 2, "MATERIALIZED"),
        (4, 4, "MATERIALIZED"),
        (5, 5, "FAILED"),
        (6, 6, "MATERIALIZED"),
        (9, 9, "MATERIALIZING"),
    ]
    assert (node["partitionRanges"][0]["startKey"], node["partitionRanges"][0]["endKey"]) == (
        "2024-01-01",
        "2024-01-03",
    )
    assert node["partitionPositions"] == {"materialized": "0-2,4,6", "failed": "5", "materializing": "9"}
    assert node["made"] == {
        "key": "2024-01-02",
        "status": "MATERIALIZED",
        "runId": run.run_id,
        "latestMaterialization": {"partition": "2024-01-02"},
    }
    assert node["waits"] == {"status": "MATERIALIZING", "runId": going.run_id, "latestMaterialization": None}
    assert node["missing"] is None


def test_partition_keys_in_pages(ask: Any) -> None:
    query = """query Q($cursor: String, $limit: Int, $reverse: Boolean) {
        assetNodeOrError(assetKey: {path: ["orders"]}) { ... on AssetNode {
            partitionKeyConnection(cursor: $cursor, limit: $limit, reverse: $reverse) { partitionKeys cursor hasMore }
        } } }"""

    def page(**given: Any) -> Any:
        return ask(query, **given)["assetNodeOrError"]["partitionKeyConnection"]

    first = page(limit=4)
    assert first == {"partitionKeys": [f"2024-01-0{n}" for n in (1, 2, 3, 4)], "cursor": "2024-01-04", "hasMore": True}
    assert page(limit=6, cursor="2024-01-04")["hasMore"] is False
    assert page(limit=6, cursor="2024-01-04")["partitionKeys"][-1] == "2024-01-10"
    assert page(cursor="2024-01-10") == {"partitionKeys": [], "cursor": "2024-01-10", "hasMore": False}
    last = page(limit=2, reverse=True)
    assert last == {"partitionKeys": ["2024-01-10", "2024-01-09"], "cursor": "2024-01-09", "hasMore": True}
    assert page(limit=9, reverse=True, cursor="2024-01-03")["partitionKeys"] == ["2024-01-02", "2024-01-01"]


def test_history(ask: Any, maker: Maker) -> None:
    for n in range(5):
        metadata: Metadata = {"rows": IntMetadataValue(n)}
        maker.make(
            AssetMaterialization(asset="orders", partition=f"p{n % 2}", metadata=metadata), time=1000.0 * (n + 1)
        )
    maker.make(AssetObservation(asset="orders"), time=9000.0)
    query = """query Q($partitions: [String!], $before: String, $limit: Int) {
        assetOrError(assetKey: {path: ["orders"]}) { ... on Asset {
            key { path } definition { groupName } latestMaterializationTimestamp latestObservationTimestamp
            assetMaterializations(partitions: $partitions, beforeTimestampMillis: $before, limit: $limit) {
                timestamp partition metadataEntries { label ... on IntMetadataEntry { intValue } } }
            assetObservations { timestamp } } } }"""

    def times(**given: Any) -> list[str]:
        return [each["timestamp"] for each in ask(query, **given)["assetOrError"]["assetMaterializations"]]

    asset = ask(query)["assetOrError"]
    assert asset["definition"] == {"groupName": "raw"}
    assert (asset["latestMaterializationTimestamp"], asset["latestObservationTimestamp"]) == (5000.0, 9000.0)
    assert asset["assetObservations"] == [{"timestamp": "9000000"}]
    assert asset["assetMaterializations"][0]["metadataEntries"] == [{"label": "rows", "intValue": 4}]
    assert times() == ["5000000", "4000000", "3000000", "2000000", "1000000"]
    assert times(limit=2) == ["5000000", "4000000"]
    assert times(before="3000000", limit=2) == ["2000000", "1000000"]
    assert times(partitions=["p1"]) == ["4000000", "2000000"]
    assert times(partitions=["p1", "p0"], limit=3) == ["5000000", "4000000", "3000000"]


def test_an_asset_that_only_events_know(ask: Any, maker: Maker) -> None:
    maker.make(AssetMaterialization(asset="old/thing"))
    query = (
        """{ assetOrError(assetKey: {path: ["old", "thing"]}) { ... on Asset { definition { id } key { path } } } }"""
    )
    assert ask(query)["assetOrError"] == {"definition": None, "key": {"path": ["old", "thing"]}}
    query = """query Q($prefix: [String!], $cursor: String, $limit: Int) {
        assetsOrError(prefix: $prefix, cursor: $cursor, limit: $limit) {
            ... on AssetConnection { cursor nodes { id latestMaterializationTimestamp } } } }"""

    def keys(**given: Any) -> list[str]:
        return [each["id"] for each in ask(query, **given)["assetsOrError"]["nodes"]]

    assert keys() == ["feed", "mart/totals", "old/thing", "orders"]
    assert keys(prefix=["mart"]) == ["mart/totals"]
    assert keys(prefix=["mar"]) == []
    assert keys(limit=2) == ["feed", "mart/totals"]
    assert keys(cursor="mart/totals") == ["old/thing", "orders"]


def test_checks(ask: Any, maker: Maker) -> None:
    query = """{ assetNodeOrError(assetKey: {path: ["mart", "totals"]}) { ... on AssetNode { assetChecks {
        name description blocking assetKey { path }
        latestExecution { runId status stale evaluation { success severity } }
        executionForLatestMaterialization { status } } latestInfo { failedChecks warnedChecks totalChecks } } } }"""
    check = ask(query)["assetNodeOrError"]["assetChecks"][0]
    assert (check["name"], check["blocking"], check["latestExecution"]) == ("positive", True, None)
    failing = "{ assetNodes(failedChecks: true) { assetKey { path } } }"
    assert ask(failing)["assetNodes"] == []
    evaluation = AssetCheckEvaluation(asset="mart/totals", check="positive", passed=False)
    run = maker.make(AssetMaterialization(asset="mart/totals"), evaluation)
    node = ask(query)["assetNodeOrError"]
    assert node["latestInfo"] == {"failedChecks": 1, "warnedChecks": 0, "totalChecks": 1}
    assert ask(failing)["assetNodes"] == [{"assetKey": {"path": ["mart", "totals"]}}]
    assert node["assetChecks"][0]["latestExecution"] == {
        "runId": run.run_id,
        "status": "FAILED",
        "stale": False,
        "evaluation": {"success": False, "severity": "ERROR"},
    }
    assert node["assetChecks"][0]["executionForLatestMaterialization"] == {"status": "FAILED"}
    maker.make(AssetMaterialization(asset="mart/totals"), time=5000.0)
    check = ask(query)["assetNodeOrError"]["assetChecks"][0]
    assert (check["latestExecution"]["status"], check["latestExecution"]["stale"]) == ("FAILED", True)
    assert check["executionForLatestMaterialization"] is None
    history = """query Q($cursor: String) { assetCheckExecutions(
        assetKey: {path: ["mart", "totals"]}, checkName: "positive", limit: 1, cursor: $cursor) { id status runId } }"""
    maker.make(
        AssetCheckEvaluation(asset="mart/totals", check="positive", passed=True),
        plan=(AssetCheckEvaluationPlanned(asset="mart/totals", check="positive"),),
        time=6000.0,
    )
    (newest,) = ask(history)["assetCheckExecutions"]
    assert newest["status"] == "SUCCEEDED"
    (older,) = ask(history, cursor=newest["id"])["assetCheckExecutions"]
    assert older["runId"] == run.run_id
    assert ask(history, cursor=older["id"])["assetCheckExecutions"] == []
    maker.make(msgspec.structs.replace(evaluation, severity="WARN"), time=7000.0)
    assert ask(query)["assetNodeOrError"]["latestInfo"] == {"failedChecks": 1, "warnedChecks": 1, "totalChecks": 1}
    assert ask("{ assetColumns { warnedChecks } }")["assetColumns"]["warnedChecks"].count(1) == 1


def test_reported_events(ask: Any) -> None:
    query = """mutation M($params: ReportRunlessAssetEventsParams!) { reportRunlessAssetEvents(eventParams: $params) {
        __typename ... on ReportRunlessAssetEventsSuccess { assetKey { path } } } }"""
    params = {"eventType": "ASSET_MATERIALIZATION", "assetKey": {"path": ["orders"]}, "description": "by hand"}
    answer = ask(query, params={**params, "partitionKeys": ["2024-01-01", "2024-01-02"]})
    assert answer["reportRunlessAssetEvents"] == {
        "__typename": "ReportRunlessAssetEventsSuccess",
        "assetKey": {"path": ["orders"]},
    }
    assert info(ask, "orders")["partitionStats"]["numMaterialized"] == 2
    ask(query, params={**params, "eventType": "ASSET_OBSERVATION", "assetKey": {"path": ["feed"]}})
    unknown = ask(query, params={**params, "assetKey": {"path": ["none"]}})
    assert unknown["reportRunlessAssetEvents"]["__typename"] == "AssetNotFoundError"


class Counting:
    """A storage whose calls are counted by name."""

    def __init__(self, inner: Any, calls: Counter[str], prefix: str = "") -> None:
        self._inner, self._calls, self._prefix = inner, calls, prefix

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            return Counting(found, self._calls, f"{name}.")

        def call(*given: Any, **named: Any) -> Any:
            self._calls[self._prefix + name] += 1
            return found(*given, **named)

        return call


def test_a_page_of_many_assets_costs_a_handful_of_look_ups(
    deployment: Any, ask: Any, maker: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [f"a/{n}" for n in range(200)]
    big = LocationDescription(
        name="big",
        assets=tuple(AssetDescription(key=key, op=key.replace("/", "__"), checks=("c",)) for key in keys),
        jobs=(JobDescription(name=AssetJobName, config_schema=Shape(), is_asset_job=True, assets=tuple(keys)),),
    )
    deployment.storage.locations.put(
        StoredLocation(
            name="big", status=LoadStatus.LOADED, digest=digest(big), description=encode_json(big), updated=1.0
        )
    )
    for start in range(0, 200, 20):
        maker.make(*(AssetMaterialization(asset=key) for key in keys[start : start + 20]))
    calls: Counter[str] = Counter()
    monkeypatch.setattr(deployment.instance, "storage", Counting(deployment.storage, calls))
    answer = ask(
        """{ assetNodes { assetKey { path } latestInfo { status latestMaterialization { eventId } latestRun { status }
            failedChecks unstartedRunIds partitionStats { numFailed } } } }"""
    )
    assert len(answer["assetNodes"]) == 203
    assert calls == {
        "assets.partition_statuses": 1,
        "assets.states": 1,
        "assets.latest_materializations": 1,
        "assets.check_states": 1,
        "runs.page": 1,
    }
