"""Whether assets are up to date and fresh, as the API tells it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from penstock import AssetSpec, Definitions, FreshnessPolicy, StaticPartitionsDefinition, asset, observable_source_asset
from penstock.definitions.describe import describe
from penstock.records.data_version import VersionTag
from penstock.records.event import AssetMaterialization, AssetObservation

NODES = """query Q($partition: String) { assetNodes { assetKey { path } isObservable isMaterializable isVirtual
    dataVersion(partition: $partition) staleStatus(partition: $partition)
    staleCauses(partition: $partition) { key { path } category reason dependency { path } partitionKey } } }"""

FRESHNESS = """{ assetNodes { assetKey { path } freshnessStatusInfo { freshnessStatus } internalFreshnessPolicy {
    ... on TimeWindowFreshnessPolicy { failWindowSeconds warnWindowSeconds }
    ... on CronFreshnessPolicy { deadlineCron lowerBoundDeltaSeconds timezone } } } }"""

LETTERS = StaticPartitionsDefinition(["x", "y"])


@observable_source_asset
def feed() -> None: ...


@asset(deps=[feed], code_version="2")
def made() -> None: ...


@asset(deps=[made], is_virtual=True)
def view() -> None: ...


@asset(partitions_def=LETTERS, code_version="1")
def parts() -> None: ...


@asset(partitions_def=LETTERS, deps=[parts], code_version="1")
def more_parts() -> None: ...


def versioned(asset_key: str, version: str, code: str = "1", partition: str | None = None, **inputs: str) -> Any:
    tags = {VersionTag.DATA_VERSION: version, VersionTag.CODE_VERSION: code}
    tags |= {f"{VersionTag.INPUT_DATA_VERSION}{key}": value for key, value in inputs.items()}
    return AssetMaterialization(asset=asset_key, partition=partition, tags=tags)


@pytest.fixture
def report(deployment: Any) -> Any:
    definitions = Definitions(assets=[feed, made, view, parts, more_parts])
    deployment.put(describe(definitions, "shop"))
    return lambda *facts: deployment.storage.assets.report(facts, now=100.0)


def nodes(ask: Any, query: str = NODES, **variables: Any) -> dict[str, Any]:
    return {"/".join(node["assetKey"]["path"]): node for node in ask(query, **variables)["assetNodes"]}


def test_stale_assets_and_why(ask: Any, report: Any) -> None:
    found = nodes(ask)
    assert {key: node["staleStatus"] for key, node in found.items()} == {
        "feed": "FRESH",
        "made": "MISSING",
        "view": "FRESH",
        "parts": "MISSING",
        "more_parts": "MISSING",
    }
    assert (found["feed"]["isObservable"], found["feed"]["isMaterializable"]) == (True, False)
    assert found["view"]["isVirtual"]
    report(
        AssetObservation(asset="feed", tags={VersionTag.DATA_VERSION: "f1"}),
        versioned("made", "m1", "2", feed="f1"),
    )
    found = nodes(ask)
    assert (found["made"]["staleStatus"], found["made"]["dataVersion"]) == ("FRESH", "m1")
    report(AssetObservation(asset="feed", tags={VersionTag.DATA_VERSION: "f2"}))
    found = nodes(ask)
    cause = {
        "key": {"path": ["made"]},
        "category": "DATA",
        "reason": "feed has other content than it was made of",
        "dependency": {"path": ["feed"]},
        "partitionKey": None,
    }
    assert found["made"]["staleCauses"] == found["view"]["staleCauses"] == [cause]


def test_one_partition_is_asked_about(ask: Any, report: Any) -> None:
    report(
        versioned("parts", "p1", partition="x"),
        versioned("parts", "p1", partition="y"),
        versioned("more_parts", "q1", partition="x", parts="p1"),
        versioned("parts", "p2", partition="x"),
    )
    found = nodes(ask, partition="x")["more_parts"]
    assert (found["staleStatus"], found["dataVersion"]) == ("STALE", "q1")
    assert [(cause["category"], cause["partitionKey"]) for cause in found["staleCauses"]] == [("DATA", "x")]
    assert nodes(ask, partition="y")["more_parts"]["staleStatus"] == "MISSING"


def test_freshness(ask: Any, deployment: Any) -> None:
    window = FreshnessPolicy.time_window(fail_window=timedelta(hours=1), warn_window=timedelta(minutes=30))
    cron = FreshnessPolicy.cron(deadline_cron="0 9 * * *", lower_bound_delta=timedelta(hours=2))
    specs = [AssetSpec("a", freshness_policy=window), AssetSpec("b", freshness_policy=cron), AssetSpec("c")]
    deployment.put(describe(Definitions(assets=specs), "shop"))
    now = deployment.instance.clock.now()
    deployment.storage.assets.report([AssetObservation(asset="a")], now=now)
    deployment.storage.assets.report([AssetMaterialization(asset="b")], now=now - 10 * 86400)
    found = nodes(ask, FRESHNESS)
    assert found["a"]["internalFreshnessPolicy"] == {"failWindowSeconds": 3600, "warnWindowSeconds": 1800}
    assert found["b"]["internalFreshnessPolicy"] == {
        "deadlineCron": "0 9 * * *",
        "lowerBoundDeltaSeconds": 7200,
        "timezone": "UTC",
    }
    statuses = {key: node["freshnessStatusInfo"] for key, node in found.items()}
    assert statuses == {"a": {"freshnessStatus": "PASS"}, "b": {"freshnessStatus": "FAIL"}, "c": None}


def test_what_is_read_is_what_was_asked_for_and_what_it_is_made_of(
    ask: Any, report: Any, deployment: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[set[str]] = []
    data_versions = deployment.storage.assets.data_versions

    def noted(assets: list[str], *, partition: str | None = None) -> Any:
        read.append(set(assets))
        return data_versions(assets, partition=partition)

    monkeypatch.setattr(deployment.storage.assets, "data_versions", noted)
    report(AssetObservation(asset="feed", tags={VersionTag.DATA_VERSION: "f2"}))
    report(versioned("made", "m1", "2", feed="f1"))
    one = """{ assetNodeOrError(assetKey: {path: ["view"]}) {
        ... on AssetNode { staleStatus dataVersion staleCauses { key { path } } } } }"""
    assert ask(one)["assetNodeOrError"] == {
        "staleStatus": "STALE",
        "dataVersion": None,
        "staleCauses": [{"key": {"path": ["made"]}}],
    }
    assert read == [{"view", "made", "feed"}]
    read.clear()
    nodes(ask)
    assert read == [{"view", "made", "feed", "parts", "more_parts"}]
    read.clear()
    nodes(ask, '{ assetNodes(assetKeys: [{path: ["more_parts"]}]) { assetKey { path } staleStatus(partition: "x") } }')
    assert read == [{"parts", "more_parts"}] * 2
