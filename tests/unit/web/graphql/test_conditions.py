"""Automation conditions of assets and checks, and what they came to."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.records.automation import InstigatorKind, TickStatus, instigator_id
from penstock.records.conditions.condition import AutomationCondition
from penstock.records.conditions.entity import check_id
from penstock.records.conditions.evaluation import ConditionEvaluation, EvaluationRecord
from penstock.testing.storage_contract.backfills import stored_backfill

SENSOR = instigator_id("shop", InstigatorKind.SENSOR, "new_files")
LEAF = ConditionEvaluation(condition="missing", kind="missing", entity="orders", candidates=3, count=2, true=("a...b",))
ROOT = ConditionEvaluation(
    condition="mine",
    kind="and",
    entity="orders",
    candidates=3,
    count=2,
    true=("a...b",),
    partitioned=True,
    children=(msgspec.structs.replace(LEAF, partitioned=True),),
)


def evaluated(deployment: Any, entity: str, number: int) -> None:
    """A tick whose conditions came to this."""
    instigators, now = deployment.instance.storage.instigators, 1000.0 + number
    lease = deployment.instance.storage.leases.acquire("sensors", "d", ttl=15, now=now)
    tick = instigators.begin_tick(SENSOR, now, lease=lease, now=now)
    record = EvaluationRecord(entity=entity, evaluation=number, time=now, requested=2, root=ROOT)
    ended = msgspec.structs.replace(tick, status=TickStatus.SUCCESS)
    backfill = stored_backfill() if number > 1 else None
    instigators.complete_tick(ended, lease=lease, backfill=backfill, evaluations=[record], now=now)


def records(ask: Any, which: str, fields: str = "evaluationId", more: str = "limit: 10") -> Any:
    query = f"assetConditionEvaluationRecordsOrError({which}, {more})"
    found = ask(f"{{ {query} {{ ... on AssetConditionEvaluationRecords {{ records {{ id {fields} }} }} }} }}")
    return found["assetConditionEvaluationRecordsOrError"]["records"]


def test_what_an_asset_s_condition_came_to(ask: Any, deployment: Any) -> None:
    evaluated(deployment, "orders", 1)
    evaluated(deployment, "orders", 2)
    evaluated(deployment, check_id("mart/totals:positive"), 3)
    of_orders = 'assetKey: {path: ["orders"]}'
    newest, oldest = records(
        ask,
        of_orders,
        """evaluationId timestamp numRequested runIds backfillId rootUniqueId explanation
        evaluationNodes { uniqueId childUniqueIds expandedLabel meaning entity operatorType isPartitioned numTrue
        numCandidates truePartitions }""",
    )
    assert (newest["evaluationId"], oldest["evaluationId"]) == ("2", "1")
    assert (newest["timestamp"], newest["numRequested"], newest["runIds"]) == (1002.0, 2, [])
    backfill, _ = deployment.instance.storage.backfills.open()
    assert (newest["backfillId"], oldest["backfillId"]) == (backfill.backfill_id, None)
    assert newest["explanation"].splitlines() == [
        "mine of orders (all of these): true for 2 of 3 partitions: a to b",
        "  missing (it was never updated): true for 2 of 3 partitions: a to b",
    ]
    root, leaf = newest["evaluationNodes"]
    assert root["uniqueId"] == newest["rootUniqueId"]
    assert root["childUniqueIds"] == [leaf["uniqueId"]]
    assert leaf == {
        "uniqueId": leaf["uniqueId"],
        "childUniqueIds": [],
        "expandedLabel": ["missing"],
        "meaning": "it was never updated",
        "entity": "orders",
        "operatorType": "missing",
        "isPartitioned": True,
        "numTrue": 2,
        "numCandidates": 3,
        "truePartitions": ["a...b"],
    }
    assert [each["evaluationId"] for each in records(ask, of_orders, more=f'limit: 1, cursor: "{newest["id"]}"')] == [
        "1"
    ]
    of_check = 'assetCheckKey: {assetKey: {path: ["mart", "totals"]}, name: "positive"}'
    assert [each["evaluationId"] for each in records(ask, of_check)] == ["3"]
    assert records(ask, 'assetKey: {path: ["unknown"]}') == []


def test_the_condition_of_an_asset(ask: Any, deployment: Any) -> None:
    described = deployment.context().catalog.locations["shop"].description
    with_condition = msgspec.structs.replace(
        described,
        conditions=(AutomationCondition.on_missing(),),
        assets=tuple(
            msgspec.structs.replace(each, condition=0) if each.key == "orders" else each for each in described.assets
        ),
    )
    deployment.put(with_condition)
    told = ask("{ assetNodes { assetKey { path } automationCondition { label expandedLabel } } }")["assetNodes"]
    found = {each["assetKey"]["path"][-1]: each["automationCondition"] for each in told}
    assert found.pop("orders") == {
        "label": "on_missing",
        "expandedLabel": [
            "on_missing",
            "in_latest_time_window",
            "missing_since_last_handled",
            "NEWLY_TRUE",
            "missing",
            "handled",
            "newly_requested",
            "newly_updated",
            "initial_evaluation",
            "NOT",
            "any_deps_missing",
            "AND",
            "missing",
            "NOT",
            "will_be_requested",
        ],
    }
    assert set(found.values()) == {None}
