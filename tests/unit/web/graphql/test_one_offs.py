"""One-off runs: asked for, listed, called off."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.records.event import RunEnqueued
from penstock.records.one_off import OneOffStatus
from penstock.records.run import Run
from penstock.storage.protocols import NewRun

FAR = 4e9
FIELDS = """id repositoryLocationName jobName status timestamp until runConfigYaml tags { key value } partition
    assetSelection { path } reason runId run { runId } note acts { kind reason }"""
NIGHTLY = """{selector: {repositoryLocationName: "shop", pipelineName: "nightly"},
    runConfigData: "ops: {extract: {config: {rows: 1}}}",
    executionMetadata: {tags: [{key: "a", value: "b"}]}}"""
ORDERS = '{selector: {repositoryLocationName: "shop", assetSelection: [{path: ["orders"]}]}, partition: "2024-01-02"}'


def plan(ask: Any, params: str = NIGHTLY, more: str = f"timestamp: {FAR}") -> Any:
    return ask(
        f"mutation {{ a: planOneOffRun(executionParams: {params}, {more}) {{ __typename ... on Error {{ message }} "
        f"... on RunConfigValidationInvalid {{ errors {{ message }} }} "
        f"... on PlanOneOffRunSuccess {{ oneOffRun {{ {FIELDS} }} }} }} }}"
    )["a"]


def test_one_is_asked_for_and_called_off(deployment: Any, ask: Any) -> None:
    planned = plan(ask, more=f'timestamp: {FAR}, reason: "month\'s end"')["oneOffRun"]
    number = planned.pop("id")
    assert planned == {
        "repositoryLocationName": "shop",
        "jobName": "nightly",
        "status": "WAITING",
        "timestamp": FAR,
        "until": FAR + 86_400,
        "runConfigYaml": "ops:\n  extract:\n    config:\n      rows: 1\n",
        "tags": [{"key": "a", "value": "b"}],
        "partition": None,
        "assetSelection": None,
        "reason": "month's end",
        "runId": None,
        "run": None,
        "note": None,
        "acts": [{"kind": "PLAN_RUN", "reason": "month's end"}],
    }
    assert deployment.storage.runs.queued(limit=5) == []
    call = f'mutation {{ a: cancelOneOffRun(id: "{number}", reason: "no") {{ ... on Error {{ message }} '
    call += "... on CancelOneOffRunSuccess { oneOffRun { status note endTimestamp } } } }"
    canceled = ask(call)["a"]["oneOffRun"]
    assert (canceled["status"], canceled["note"]) == ("CANCELED", "no")
    assert ask(f'{{ oneOffRun(id: "{number}") {{ status }} }}')["oneOffRun"] == {"status": "CANCELED"}
    assert ask('{ oneOffRun(id: "x") { status } }')["oneOffRun"] is None
    assert "There is no one-off run '99'" in ask(call.replace(f'"{number}"', '"99"'))["a"]["message"]


def test_they_are_listed_with_their_runs(deployment: Any, ask: Any) -> None:
    for _ in range(3):
        plan(ask, ORDERS)
    storage = deployment.storage
    lease = storage.leases.acquire("one_offs", "daemon", ttl=1e9, now=0.0)
    newest, middle, _ = storage.one_offs.page()
    run = Run(run_id="0190163d-8694-739b-aea5-966c26f8ad90", location="shop", job="nightly", created=1.0)
    new = NewRun(run=run, facts=(RunEnqueued(),))
    assert storage.one_offs.settle(middle.id, OneOffStatus.LAUNCHED, lease=lease, run=new, note=None, now=2.0)
    query = "query Q($s: [OneOffRunStatus!], $c: String, $l: Int) { oneOffRuns(statuses: $s, cursor: $c, limit: $l) "
    query += f"{{ {FIELDS} }} }}"
    (made,) = ask(query, s=["LAUNCHED"])["oneOffRuns"]
    assert (made["runId"], made["run"]) == (run.run_id, {"runId": run.run_id})
    assert (made["partition"], made["assetSelection"]) == ("2024-01-02", [{"path": ["orders"]}])
    assert [each["id"] for each in ask(query, l=1)["oneOffRuns"]] == [str(newest.id)]
    assert len(ask(query, c=str(newest.id))["oneOffRuns"]) == 2
    call = f'mutation {{ a: cancelOneOffRun(id: "{middle.id}") {{ ... on Error {{ message }} }} }}'
    assert "waits no more" in ask(call)["a"]["message"]


@pytest.mark.parametrize(
    ("params", "more", "told"),
    [
        (NIGHTLY, "timestamp: 1.0", "give a time to come"),
        (NIGHTLY, f"timestamp: {FAR}, until: 5.0", "an end that is not before it"),
        (NIGHTLY.replace("nightly", "nightli"), f"timestamp: {FAR}", "Did you mean 'nightly'"),
        (ORDERS.replace("2024-01-02", "1999-01-01"), f"timestamp: {FAR}", "No such partition"),
        (
            NIGHTLY.replace("executionMetadata: {", 'executionMetadata: {parentRunId: "x", '),
            f"timestamp: {FAR}",
            "cannot repeat",
        ),
    ],
)
def test_mistakes_show_at_once(ask: Any, params: str, more: str, told: str) -> None:
    assert told in plan(ask, params, more)["message"]
    assert ask("{ oneOffRuns { id } }")["oneOffRuns"] == []
