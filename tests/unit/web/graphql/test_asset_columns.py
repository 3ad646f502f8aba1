"""All assets in columns say what their nodes say, at any moment."""

from __future__ import annotations

from typing import Any

from penstock.auth.permissions import LOCAL_ACTOR
from penstock.ids import new_run_id
from penstock.locations.catalog import Catalog
from penstock.records.event import (
    AssetCheckEvaluation,
    AssetCheckEvaluationPlanned,
    AssetMaterialization,
    AssetMaterializationPlanned,
    Event,
    Fact,
    RunStart,
    RunSuccess,
)
from penstock.records.location import AssetDescription, LocationDescription
from penstock.records.run import Run
from penstock.storage.protocols import NewRun
from penstock.web.graphql.context import Context
from penstock.web.graphql.execute import GraphQLRequest, run_request

STATS = "partitionStats { numPartitions numMaterialized numFailed numMaterializing }"
DEFINED = "description groupName kinds owners isExecutable isMaterializable isPartitioned"
KNOWN = f"status latestMaterializationTimestamp failedChecks warnedChecks totalChecks {STATS}"
COLUMNS = f"{{ assetColumns {{ path {DEFINED} locationName dependencies outsidePath {KNOWN} }} }}"
NODES = f"""{{ assetNodes {{
    assetKey {{ path }} {DEFINED} repository {{ location {{ name }} }} dependencyKeys {{ path }}
    latestInfo {{ {KNOWN} }}
}} }}"""


def as_nodes(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """The nodes that the columns are of."""
    paths = columns.pop("path")
    keys = [{"path": path} for path in [*paths, *columns.pop("outsidePath")]]
    dependencies, locations = columns.pop("dependencies"), columns.pop("locationName")
    assert {len(column) for column in columns.values()} == {len(paths)}
    known = set(KNOWN.split("{")[0].split())
    return [
        {
            "assetKey": keys[at],
            "repository": {"location": {"name": locations[at]}},
            "dependencyKeys": [keys[place] for place in dependencies[at]],
            "latestInfo": {name: column[at] for name, column in columns.items() if name in known},
            **{name: column[at] for name, column in columns.items() if name not in known},
        }
        for at in range(len(paths))
    ]


def compare(ask: Any) -> list[dict[str, Any]]:
    """The nodes, which the columns agree with."""
    nodes: list[dict[str, Any]] = ask(NODES)["assetNodes"]
    assert as_nodes(ask(COLUMNS)["assetColumns"]) == nodes
    return nodes


def status_of(nodes: list[dict[str, Any]], *path: str) -> str:
    (found,) = [node["latestInfo"]["status"] for node in nodes if node["assetKey"]["path"] == list(path)]
    return str(found)


def test_they_agree_with_the_nodes_from_plan_to_end(ask: Any, deployment: Any) -> None:
    other = LocationDescription(
        name="other", assets=(AssetDescription(key="x\\/y", op="x", deps=("orders", "unknown")),)
    )
    deployment.put(other)
    assert status_of(compare(ask), "mart", "totals") == "NEVER_MATERIALIZED"
    runs = deployment.storage.runs
    planned = (
        AssetMaterializationPlanned(asset="mart/totals"),
        AssetMaterializationPlanned(asset="orders", partition="2024-01-02"),
        AssetCheckEvaluationPlanned(asset="mart/totals", check="positive"),
    )
    run = Run(run_id=new_run_id(), location="shop", job="nightly", created=1.0)
    runs.create([NewRun(run=run, facts=planned)])
    assert status_of(compare(ask), "mart", "totals") == "QUEUED"
    runs.claim([run.run_id], owner="worker", until=9e9, now=100.0)
    told: tuple[Fact, ...] = (
        RunStart(pid=1),
        AssetMaterialization(asset="mart/totals"),
        AssetCheckEvaluation(asset="mart/totals", check="positive", passed=False),
        AssetMaterialization(asset="orders", partition="2024-01-02"),
        RunSuccess(),
    )
    statuses = []
    for seq, fact in enumerate(told, start=1):
        deployment.storage.events.append(run.run_id, 1, [Event(time=100.0 + seq, fact=fact, seq=seq)], now=100.0 + seq)
        nodes = compare(ask)
        statuses.append([status_of(nodes, "mart", "totals"), status_of(nodes, "orders")])
    assert statuses == [
        ["MATERIALIZING", "MATERIALIZING"],
        *[["MATERIALIZED", "MATERIALIZING"]] * 2,
        *[["MATERIALIZED", "MATERIALIZED"]] * 2,
    ]


def test_a_second_web_server_tells_the_same(ask: Any, deployment: Any) -> None:
    second = Catalog(deployment.storage.locations)

    def ask_second(query: str) -> Any:
        second.refresh()
        deadline = deployment.instance.clock.monotonic() + 30
        context = Context(deployment.instance, second, LOCAL_ACTOR, deadline=deadline)
        return run_request(GraphQLRequest(query=query), context).body["data"]

    assert ask_second(COLUMNS) == ask(COLUMNS)
    deployment.storage.assets.report([AssetMaterialization(asset="feed")], now=50.0)
    deployment.put(LocationDescription(name="other", assets=(AssetDescription(key="new", op="new"),)))
    assert [status_of(compare(each), "feed") for each in (ask, ask_second)] == ["MATERIALIZED", "MATERIALIZED"]
    assert status_of(compare(ask_second), "new") == "NEVER_MATERIALIZED"


def test_no_assets_are_empty_columns(ask: Any, deployment: Any) -> None:
    deployment.storage.locations.forget(["shop"])
    assert set(map(tuple, ask(COLUMNS)["assetColumns"].values())) == {()}
