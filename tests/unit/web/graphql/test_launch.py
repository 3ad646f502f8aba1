"""Launching: what fits is queued, what does not is told with all its mistakes, and nothing half-made stays."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.codec import decode_json
from penstock.errors import CodeServerUnreachableError
from penstock.ids import new_run_id
from penstock.records.event import (
    AssetMaterialization,
    Event,
    Fact,
    RunCanceled,
    RunFailure,
    RunStart,
    RunSuccess,
    StepStart,
    StepSuccess,
)
from penstock.records.location import JobDescription
from penstock.records.run import FailureReason, Run, Tag
from penstock.records.wire import CheckRunConfig, ConfigAnswer, ConfigProblemRecord
from penstock.storage.protocols import RunFilter

LAUNCH = """mutation M($params: ExecutionParams!) { launchRun(executionParams: $params) {
    __typename ... on LaunchRunSuccess { run { runId status jobName runConfigYaml partition tags { key value } } }
    ... on RunConfigValidationInvalid { pipelineName errors { message path reason } }
    ... on PartitionKeysNotFoundError { partitionKeys }
    ... on Error { message } } }"""

AGAIN = """mutation M($params: ReexecutionParams!) { launchRunReexecution(reexecutionParams: $params) {
    __typename ... on LaunchRunSuccess { run {
        runId parentRunId rootRunId stepKeysToExecute assetSelection { path } tags { key value } } }
    ... on Error { message } } }"""

GOOD = {"ops": {"extract": {"config": {"rows": 3}}}}


def nightly(**params: Any) -> dict[str, Any]:
    selector = {"repositoryLocationName": "shop", "pipelineName": "nightly", **params.pop("selector", {})}
    return {"selector": selector, "runConfigData": GOOD, **params}


def assets(*keys: str, **params: Any) -> dict[str, Any]:
    selection = [{"path": key.split("/")} for key in keys]
    return {"selector": {"repositoryLocationName": "shop", "assetSelection": selection}, **params}


def stored(deployment: Any) -> list[Run]:
    runs: list[Run] = deployment.storage.runs.page(RunFilter(), limit=100)
    return runs


@pytest.mark.parametrize("config", [GOOD, "ops: {extract: {config: {rows: 3}}}"])
def test_a_job(deployment: Any, ask: Any, config: Any) -> None:
    metadata = {"tags": [{"key": "a", "value": "b"}]}
    told = ask(LAUNCH, params=nightly(runConfigData=config, executionMetadata=metadata))["launchRun"]
    run = told["run"]
    assert (run["status"], run["jobName"]) == ("QUEUED", "nightly")
    assert {"key": "a", "value": "b"} in run["tags"]
    (kept,) = stored(deployment)
    assert kept.run_config == GOOD
    assert kept.snapshot is not None
    assert [
        step.key for step in decode_json(deployment.storage.runs.snapshot(kept.snapshot), JobDescription).steps
    ] == [
        "extract",
        "report",
    ]


def test_assets_by_selection(deployment: Any, ask: Any) -> None:
    told = ask(LAUNCH, params=assets("mart/totals"))["launchRun"]["run"]
    (kept,) = stored(deployment)
    assert kept.assets == ("mart/totals",)
    info = ask("""{ assetsLatestInfo(assetKeys: [{path: ["mart", "totals"]}]) { status unstartedRunIds } }""")[
        "assetsLatestInfo"
    ]
    assert info == [{"status": "QUEUED", "unstartedRunIds": [told["runId"]]}]


def test_a_partition(ask: Any) -> None:
    told = ask(LAUNCH, params=assets("orders", partition="2024-01-02"))["launchRun"]["run"]
    assert told["partition"] == "2024-01-02"
    by_tag = {"tags": [{"key": Tag.PARTITION, "value": "2024-01-03"}]}
    told = ask(LAUNCH, params=assets("orders", executionMetadata=by_tag))["launchRun"]["run"]
    assert told["partition"] == "2024-01-03"


def test_a_check_alone(deployment: Any, ask: Any) -> None:
    check = {"assetKey": {"path": ["mart", "totals"]}, "name": "positive"}
    selector = {"repositoryLocationName": "shop", "assetCheckSelection": [check]}
    told = ask(LAUNCH, params={"selector": selector})["launchRun"]
    # The function that evaluates the check makes the asset too, and cannot do one without the other.
    assert told["__typename"] == "InvalidSubsetError"
    assert stored(deployment) == []


@pytest.mark.parametrize("key", ["2024-02-30", "2023-12-31", "yesterday", "2024-01-11"])
def test_a_partition_that_is_not_there(deployment: Any, ask: Any, key: str) -> None:
    told = ask(LAUNCH, params=assets("orders", partition=key))["launchRun"]
    assert told == {
        "__typename": "PartitionKeysNotFoundError",
        "partitionKeys": [key],
        "message": f"No such partition: {key!r}. At this time the keys go from '2024-01-01' to '2024-01-10'.",
    }
    assert stored(deployment) == []


def test_all_mistakes_of_a_run_config_at_once(deployment: Any, ask: Any) -> None:
    config = {"ops": {"extract": {"config": {"rows": "many"}}, "extrct": {}}}
    told = ask(LAUNCH, params=nightly(runConfigData=config))["launchRun"]
    assert told["__typename"] == "RunConfigValidationInvalid"
    assert told["pipelineName"] == "nightly"
    found = {tuple(each["path"]): each["reason"] for each in told["errors"]}
    assert found == {
        ("ops", "extract", "config", "rows"): "RUNTIME_TYPE_MISMATCH",
        ("ops", "extrct"): "FIELD_NOT_DEFINED",
    }
    assert stored(deployment) == []


@pytest.mark.parametrize(
    ("params", "typename", "told"),
    [
        (nightly(selector={"pipelineName": "nigtly"}), "PipelineNotFoundError", "Did you mean 'nightly'?"),
        (nightly(selector={"repositoryLocationName": "bank"}), "PipelineNotFoundError", "'bank'"),
        (nightly(stepKeys=["none"]), "InvalidSubsetError", '"none"'),
        (nightly(stepKeys=["report"]), "InvalidSubsetError", '"extract"'),
        (nightly(stepKeys=["extract"], selector={"solidSelection": ["report"]}), "ConflictingExecutionParamsError", ""),
        (nightly(partition="x"), "InvalidSubsetError", "no partitions"),
        (nightly(executionMetadata={"parentRunId": "x"}), "RunNotFoundError", "'x'"),
        ({"selector": {"repositoryLocationName": "shop"}}, "InvalidSubsetError", "Say what to run"),
        (assets("none"), "InvalidSubsetError", '"none"'),
        (assets("feed"), "InvalidSubsetError", '"feed"'),
        (assets("orders"), "InvalidSubsetError", "partition"),
    ],
)
def test_what_does_not_fit(deployment: Any, ask: Any, params: Any, typename: str, told: str) -> None:
    answer = ask(LAUNCH, params=params)["launchRun"]
    assert answer["__typename"] == typename
    assert told in answer["message"]
    assert stored(deployment) == []


def test_modes_are_not_known(deployment: Any) -> None:
    outcome = deployment.execute(LAUNCH, params=nightly(mode="fast"))
    assert "There is no mode 'fast'" in outcome.body["errors"][0]["message"]
    assert "errors" not in deployment.execute(LAUNCH, params=nightly(mode="default")).body


class CodeServer:
    """Answers config checks, and notes what it was asked."""

    def __init__(self, answer: ConfigAnswer | Exception) -> None:
        self.answer = answer
        self.asked: list[CheckRunConfig] = []

    def check_config(self, work: CheckRunConfig) -> ConfigAnswer:
        self.asked.append(work)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_the_code_server_has_the_last_word(deployment: Any, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = ("ops", "extract", "config", "rows")
    problem = ConfigProblemRecord(path=path, reason="RUNTIME_TYPE_MISMATCH", message="at most 2")
    server = CodeServer(ConfigAnswer(problems=(problem,)))
    monkeypatch.setattr(deployment.catalog, "client", lambda _: server)
    told = ask(LAUNCH, params=nightly())["launchRun"]
    assert told["errors"] == [{"message": "at most 2", "path": list(path), "reason": "RUNTIME_TYPE_MISMATCH"}]
    assert stored(deployment) == []
    check = """query Q($config: RunConfigData) { isPipelineConfigValid(
        pipeline: {repositoryLocationName: "shop", pipelineName: "nightly"}, runConfigData: $config) {
        __typename ... on RunConfigValidationInvalid { errors { message } } } }"""
    assert ask(check, config=GOOD)["isPipelineConfigValid"]["errors"] == [{"message": "at most 2"}]
    assert [each.job for each in server.asked] == ["nightly", "nightly"]


def test_a_code_server_that_is_away_stops_nobody(deployment: Any, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    server = CodeServer(CodeServerUnreachableError("away"))
    monkeypatch.setattr(deployment.catalog, "client", lambda _: server)
    assert ask(LAUNCH, params=nightly())["launchRun"]["__typename"] == "LaunchRunSuccess"


def test_checking_without_launching(ask: Any) -> None:
    query = """query Q($job: String!, $config: RunConfigData) {
        a: isPipelineConfigValid(
            pipeline: {repositoryLocationName: "shop", pipelineName: $job}, runConfigData: $config) { __typename }
        b: executionPlanOrError(
            pipeline: {repositoryLocationName: "shop", pipelineName: $job}, runConfigData: $config) {
            __typename ... on ExecutionPlan { steps { key } assetKeys { path } } } }"""
    fits = ask(query, job="nightly", config=GOOD)
    assert fits["a"]["__typename"] == "PipelineConfigValidationValid"
    assert fits["b"]["steps"] == [{"key": "extract"}, {"key": "report"}]
    wrong = ask(query, job="nightly", config={"opps": 1})
    assert {each["__typename"] for each in wrong.values()} == {"RunConfigValidationInvalid"}
    nobody = ask(query, job="none", config=None)
    assert {each["__typename"] for each in nobody.values()} == {"PipelineNotFoundError"}
    partitioned = ask(query, job="__ASSET_JOB", config=None)
    assert partitioned["b"]["assetKeys"] == [{"path": ["orders"]}, {"path": ["mart", "totals"]}]


def test_the_schema_of_a_run_config(ask: Any) -> None:
    query = """{ runConfigSchemaOrError(selector: {repositoryLocationName: "shop", pipelineName: "nightly"}) {
        ... on RunConfigSchema { configTree rootDefaultYaml } } }"""
    told = ask(query)["runConfigSchemaOrError"]
    assert told["rootDefaultYaml"] == "ops:\n  extract:\n    config:\n      rows: 0\n"
    assert told["configTree"].fields.keys() == {"ops"}


def test_several_at_once(deployment: Any, ask: Any) -> None:
    query = """mutation M($list: [ExecutionParams!]!) { launchMultipleRuns(executionParamsList: $list) {
        ... on LaunchMultipleRunsResult { launchMultipleRunsResult { __typename } } } }"""
    told = ask(query, list=[nightly(), nightly(stepKeys=["none"]), assets("mart/totals")])
    assert [each["__typename"] for each in told["launchMultipleRuns"]["launchMultipleRunsResult"]] == [
        "LaunchRunSuccess",
        "InvalidSubsetError",
        "LaunchRunSuccess",
    ]
    assert len(stored(deployment)) == 2


# -- again -------------------------------------------------------------------------------------------------------------


def ended(deployment: Any, *steps: tuple[Fact, str], last: Fact, tags: dict[str, str] | None = None) -> Run:
    """A run of the job that was launched, worked and ended."""
    metadata = {"tags": [{"key": key, "value": value} for key, value in (tags or {}).items()]}
    answer = deployment.ask(LAUNCH, params=nightly(executionMetadata=metadata))["launchRun"]["run"]
    run_id = answer["runId"]
    deployment.storage.runs.claim([run_id], owner="worker", until=9e9, now=100.0)
    facts = [(RunStart(pid=1), None), *steps, (last, None)]
    events = [Event(time=100.0 + n, fact=fact, step_key=step, seq=n) for n, (fact, step) in enumerate(facts, start=1)]
    deployment.storage.events.append(run_id, 1, events, now=100.0)
    run = deployment.storage.runs.get(run_id)
    assert isinstance(run, Run)
    return run


FAILED = RunFailure(reason=FailureReason.STEP_FAILURE, message="failed")


def again(ask: Any, run: Run, **params: Any) -> Any:
    return ask(AGAIN, params={"parentRunId": run.run_id, "strategy": "ALL_STEPS", **params})["launchRunReexecution"]


def test_all_of_it_again(deployment: Any, ask: Any) -> None:
    run = ended(deployment, last=RunSuccess(), tags={"a": "b", Tag.RUN_KEY: "k"})
    told = again(ask, run, extraTags=[{"key": "x", "value": "y"}])["run"]
    assert (told["parentRunId"], told["rootRunId"], told["stepKeysToExecute"]) == (run.run_id, run.run_id, None)
    tags = {each["key"]: each["value"] for each in told["tags"]}
    assert (tags["a"], tags["x"], tags[Tag.ROOT_RUN]) == ("b", "y", run.run_id)
    assert Tag.RUN_KEY not in tags
    assert deployment.storage.runs.get(told["runId"]).run_config == GOOD
    bare = again(ask, run, useParentRunTags=False)["run"]
    assert "a" not in {each["key"] for each in bare["tags"]}


def test_what_failed_again(deployment: Any, ask: Any) -> None:
    done = (StepSuccess(seconds=1.0), "extract")
    run = ended(deployment, (StepStart(), "extract"), done, (StepStart(), "report"), last=FAILED)
    told = again(ask, run, strategy="FROM_FAILURE")
    # The value that the failed step needs is loaded from where the failed run has stored it.
    assert told["run"]["stepKeysToExecute"] == ["report"]


def test_chosen_steps_again(deployment: Any, ask: Any) -> None:
    run = ended(deployment, last=FAILED)
    assert again(ask, run, stepKeys=["extract"])["run"]["stepKeysToExecute"] == ["extract"]


@pytest.mark.parametrize(
    ("last", "strategy", "typename", "told"),
    [
        (RunSuccess(), "FROM_FAILURE", "InvalidSubsetError", "nothing of it is left to do"),
        (FAILED, "FROM_ASSET_FAILURE", "InvalidSubsetError", "made all of its assets"),
    ],
)
def test_what_cannot_be_repeated(
    deployment: Any, ask: Any, last: Fact, strategy: str, typename: str, told: str
) -> None:
    answer = again(ask, ended(deployment, last=last), strategy=strategy)
    assert answer["__typename"] == typename
    assert told in answer["message"]


def test_a_run_that_has_not_ended(deployment: Any, ask: Any) -> None:
    waiting = deployment.run()
    assert again(ask, waiting)["__typename"] == "RunConflict"
    nobody = ask(AGAIN, params={"parentRunId": new_run_id(), "strategy": "ALL_STEPS"})["launchRunReexecution"]
    assert nobody["__typename"] == "RunNotFoundError"


def test_a_run_whose_plan_is_not_known(deployment: Any, ask: Any) -> None:
    run = deployment.run(RunCanceled())
    answer = again(ask, run, strategy="FROM_FAILURE")
    assert "no longer stored" in answer["message"]


def test_a_memoized_run_leaves_out_what_is_up_to_date(deployment: Any, ask: Any) -> None:
    memoized = {"tags": [{"key": Tag.MEMOIZED, "value": "true"}]}
    params = assets("mart/totals", executionMetadata=memoized)
    told = ask(LAUNCH, params=params)["launchRun"]
    assert told["__typename"] == "LaunchRunSuccess"
    deployment.storage.assets.report([AssetMaterialization(asset="mart/totals")], now=1.0)
    refused = ask(LAUNCH, params=params)["launchRun"]
    assert refused["__typename"] == "InvalidSubsetError"
    assert "is up to date" in refused["message"]
    assert ask(LAUNCH, params=assets("mart/totals"))["launchRun"]["__typename"] == "LaunchRunSuccess"
    assert len(stored(deployment)) == 2
