"""Runs as pages and one by one."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.ids import new_run_id
from penstock.records.errors import ErrorInfo
from penstock.records.event import (
    AssetMaterialization,
    Event,
    Fact,
    LogsCaptured,
    RunCanceled,
    RunEnqueued,
    RunFailure,
    RunStart,
    StepFailure,
    StepStart,
    StepSuccess,
)
from penstock.records.run import FailureReason, Run, Tag
from penstock.records.step_figures import StepFigures

PAGE = """query Runs($filter: RunsFilter, $cursor: String, $limit: Int) {
    runsOrError(filter: $filter, cursor: $cursor, limit: $limit) {
        __typename ... on Runs { count results { runId status } } ... on Error { message }
    } }"""


def ids(answer: Any) -> list[str]:
    return [each["runId"] for each in answer["runsOrError"]["results"]]


def work(deployment: Any, run: Run, *events: tuple[Fact, str | None]) -> None:
    """Let a worker of the run write these (fact, step) events."""
    now = deployment.instance.clock.now()
    deployment.storage.runs.claim([run.run_id], owner="worker", until=now + 60, now=now)
    numbered = [
        Event(time=now + number, fact=fact, step_key=step, seq=number)
        for number, (fact, step) in enumerate([(RunStart(pid=1), None), *events], start=1)
    ]
    deployment.storage.events.append(run.run_id, 1, numbered, now=now)


def test_pages(deployment: Any, ask: Any) -> None:
    runs = [deployment.run() for _ in range(5)]
    newest_first = [run.run_id for run in reversed(runs)]
    first = ask(PAGE, limit=2)
    assert ids(first) == newest_first[:2]
    assert first["runsOrError"]["count"] == 5
    assert ids(ask(PAGE, limit=2, cursor=newest_first[1])) == newest_first[2:4]


def test_filters(deployment: Any, ask: Any) -> None:
    queued = deployment.run(RunEnqueued(), tags={"team": "data"})
    canceled = deployment.run(RunCanceled(), job="other")
    assert ids(ask(PAGE, filter={"statuses": ["QUEUED"]})) == [queued.run_id]
    assert ids(ask(PAGE, filter={"statuses": ["CANCELED", "FAILURE"]})) == [canceled.run_id]
    assert ids(ask(PAGE, filter={"pipelineName": "other"})) == [canceled.run_id]
    assert ids(ask(PAGE, filter={"tags": [{"key": "team", "value": "data"}]})) == [queued.run_id]
    assert ids(ask(PAGE, filter={"tags": [{"key": "team", "value": "x"}]})) == []
    assert ids(ask(PAGE, filter={"runIds": [queued.run_id, None]})) == [queued.run_id]
    assert ids(ask(PAGE, filter={"locationName": "bank"})) == []
    assert ids(ask(PAGE, filter={"createdAfter": 1.0, "createdBefore": 2.0})) == []
    assert len(ids(ask(PAGE, filter={}))) == 2


def test_a_cursor_that_is_none(ask: Any) -> None:
    answer = ask(PAGE, cursor="somewhere")["runsOrError"]
    assert answer["__typename"] == "InvalidPipelineRunsFilterError"
    assert "'somewhere'" in answer["message"]


def test_a_limit_that_is_none(deployment: Any) -> None:
    outcome = deployment.execute(PAGE, limit=-1)
    assert outcome.body["errors"][0]["message"] == "limit must not be negative, and -1 is; leave it out for 100."


def test_a_run_that_is_not_there(ask: Any) -> None:
    answer = ask("""{ runOrError(runId: "x") { __typename ... on RunNotFoundError { runId message } } }""")
    assert answer["runOrError"] == {
        "__typename": "RunNotFoundError",
        "runId": "x",
        "message": "There is no run 'x'. It may have been deleted.",
    }


def test_a_run(deployment: Any, ask: Any) -> None:
    run = deployment.run(
        RunEnqueued(),
        tags={Tag.PARTITION: "2024-01-02", "a": "b"},
        run_config={"ops": {"extract": {"config": {"rows": 3}}}},
        assets=("orders", "mart/totals"),
        checks=("mart/totals:positive",),
        step_keys=("orders",),
    )
    told = ask(
        """query Q($id: ID!) { runOrError(runId: $id) { ... on Run {
            id runId status jobName pipelineName repositoryLocationName tags { key value } partition runConfig
            runConfigYaml stepKeysToExecute assetSelection { path } assetCheckSelection attempt canTerminate
            creationTime queuedTime launchTime startTime endTime failure { message } executionPlan { steps { key } }
        } } }""",
        id=run.run_id,
    )["runOrError"]
    assert told == {
        "id": run.run_id,
        "runId": run.run_id,
        "status": "QUEUED",
        "jobName": "nightly",
        "pipelineName": "nightly",
        "repositoryLocationName": "shop",
        "tags": [{"key": Tag.PARTITION, "value": "2024-01-02"}, {"key": "a", "value": "b"}],
        "partition": "2024-01-02",
        "runConfig": {"ops": {"extract": {"config": {"rows": 3}}}},
        "runConfigYaml": "ops:\n  extract:\n    config:\n      rows: 3\n",
        "stepKeysToExecute": ["orders"],
        "assetSelection": [{"path": ["orders"]}, {"path": ["mart", "totals"]}],
        "assetCheckSelection": ["mart/totals:positive"],
        "attempt": 0,
        "canTerminate": True,
        "creationTime": run.created,
        "queuedTime": run.queued,
        "launchTime": None,
        "startTime": None,
        "endTime": None,
        "failure": None,
        "executionPlan": None,
    }


def test_how_a_run_went(deployment: Any, ask: Any) -> None:
    job = deployment.catalog.refresh() and deployment.catalog.job("shop", "nightly")
    run = deployment.run(snapshot=job)
    error = ErrorInfo(cls="StepError", message="failed", cause=ErrorInfo(cls="ValueError", message="no rows"))
    work(
        deployment,
        run,
        (LogsCaptured(log_key=(run.run_id, "compute_logs", "extract"), steps=("extract",)), "extract"),
        (StepStart(), "extract"),
        (AssetMaterialization(asset="orders"), "extract"),
        (StepSuccess(seconds=1.0, figures=StepFigures(computing=0.75, cpu=0.5, peak_memory=3 << 30)), "extract"),
        (StepStart(), "report"),
        (StepFailure(error=error), "report"),
        (RunFailure(reason=FailureReason.STEP_FAILURE, message="A step failed."), None),
    )
    told = ask(
        """query Q($id: ID!) { runOrError(runId: $id) { ... on Run {
            status canTerminate failure { stepKey message error { className cause { message } } }
            stats { stepsSucceeded stepsFailed materializations }
            stepStats { stepKey status attempts {
                startTime endTime figures { queued computing cpu peakMemory shared } } }
            executionPlan { steps { key inputs { upstreamKeys } } assetKeys { path } }
            assets { path } assetMaterializations { assetKey { path } stepStats { stepKey } }
            capturedLogKeys { logKey fileKey stepKeys }
            eventConnection(limit: 2) { cursor hasMore events { eventType } }
        } } }""",
        id=run.run_id,
    )["runOrError"]
    assert told["status"] == "FAILURE"
    assert not told["canTerminate"]
    assert told["failure"] == {
        "stepKey": "report",
        "message": "ValueError: no rows",
        "error": {"className": "StepError", "cause": {"message": "no rows"}},
    }
    assert told["stats"] == {"stepsSucceeded": 1, "stepsFailed": 1, "materializations": 1}
    assert [(each["stepKey"], each["status"]) for each in told["stepStats"]] == [
        ("extract", "SUCCESS"),
        ("report", "FAILURE"),
    ]
    (attempt,) = told["stepStats"][0]["attempts"]
    assert attempt["startTime"] < attempt["endTime"]
    assert attempt["figures"] == {
        "queued": None,
        "computing": 0.75,
        "cpu": 0.5,
        "peakMemory": 3 << 30,
        "shared": False,
    }
    assert told["stepStats"][1]["attempts"][0]["figures"] is None
    assert told["assetMaterializations"][0]["stepStats"]["stepKey"] == "extract"
    assert told["executionPlan"]["steps"][1] == {"key": "report", "inputs": [{"upstreamKeys": ["extract"]}]}
    assert told["assets"] == [{"path": ["orders"]}]
    assert told["capturedLogKeys"] == [
        {"logKey": [run.run_id, "compute_logs", "extract"], "fileKey": "extract", "stepKeys": ["extract"]}
    ]
    assert told["eventConnection"]["hasMore"]


def test_a_run_that_failed_without_a_step(deployment: Any, ask: Any) -> None:
    run = deployment.run(RunFailure(reason=FailureReason.UNEXPECTED_TERMINATION, message="Killed by signal 9."))
    told = ask(
        "query Q($id: ID!) { runOrError(runId: $id) { ... on Run { failure { stepKey message } } } }", id=run.run_id
    )
    assert told["runOrError"]["failure"] == {"stepKey": None, "message": "Killed by signal 9."}


def test_a_family_of_runs(deployment: Any, ask: Any) -> None:
    root = deployment.run()
    child = deployment.run(root_run_id=root.run_id, parent_run_id=root.run_id, tags={Tag.ROOT_RUN: root.run_id})
    other = deployment.run()
    query = """query Q($id: ID!) { runGroupOrError(runId: $id) {
        __typename ... on RunGroup { rootRunId runs { runId } } } }"""
    for run in (root, child):
        group = ask(query, id=run.run_id)["runGroupOrError"]
        assert group["rootRunId"] == root.run_id
        assert [each["runId"] for each in group["runs"]] == [root.run_id, child.run_id]
    assert ask(query, id=other.run_id)["runGroupOrError"]["runs"] == [{"runId": other.run_id}]
    assert ask(query, id=new_run_id())["runGroupOrError"]["__typename"] == "RunGroupNotFoundError"


def test_tags_in_use(deployment: Any, ask: Any) -> None:
    deployment.run(tags={"team": "data", "env": "prod"})
    deployment.run(tags={"team": "ops"})
    assert ask("{ runTagKeysOrError { ... on RunTagKeys { keys } } }")["runTagKeysOrError"]["keys"] == ["env", "team"]
    query = """{ runTagsOrError(tagKeys: ["team"], valuePrefix: "d") { ... on RunTags { tags { key values } } } }"""
    assert ask(query)["runTagsOrError"]["tags"] == [{"key": "team", "values": ["data"]}]
    query = "{ runTagsOrError { ... on RunTags { tags { key values } } } }"
    assert ask(query)["runTagsOrError"]["tags"] == [
        {"key": "env", "values": ["prod"]},
        {"key": "team", "values": ["data", "ops"]},
    ]


@pytest.mark.parametrize("policy", ["SAFE_TERMINATE", "MARK_AS_CANCELED_IMMEDIATELY"])
def test_stopping_runs(deployment: Any, ask: Any, policy: str) -> None:
    waiting, ended = deployment.run(RunEnqueued()), deployment.run(RunCanceled())
    query = """mutation M($ids: [String!]!, $policy: TerminateRunPolicy) {
        terminateRuns(runIds: $ids, terminatePolicy: $policy) { ... on TerminateRunsResult { terminateRunResults {
            __typename
            ... on TerminateRunSuccess { run { status } }
            ... on TerminateRunFailure { message run { status } }
            ... on RunNotFoundError { runId }
        } } } }"""
    answer = ask(query, ids=[waiting.run_id, ended.run_id, "x"], policy=policy)["terminateRuns"]["terminateRunResults"]
    assert answer == [
        {"__typename": "TerminateRunSuccess", "run": {"status": "CANCELED"}},
        {
            "__typename": "TerminateRunFailure",
            "message": f"The run {ended.run_id} has ended already (CANCELED); there is nothing to stop.",
            "run": {"status": "CANCELED"},
        },
        {"__typename": "RunNotFoundError", "runId": "x"},
    ]


def test_removing_runs(deployment: Any, ask: Any) -> None:
    query = """mutation M($id: String!) { deleteRun(runId: $id) {
        __typename ... on DeletePipelineRunSuccess { runId } ... on Error { message } } }"""
    ended, waiting = deployment.run(RunCanceled()), deployment.run(RunEnqueued())
    assert ask(query, id=ended.run_id)["deleteRun"]["runId"] == ended.run_id
    assert deployment.storage.runs.get(ended.run_id) is None
    assert ask(query, id=ended.run_id)["deleteRun"]["__typename"] == "RunNotFoundError"
    refused = ask(query, id=waiting.run_id)["deleteRun"]
    assert refused["__typename"] == "PythonError"
    assert "only an ended run can be removed" in refused["message"]
    assert deployment.storage.runs.get(waiting.run_id) is not None
