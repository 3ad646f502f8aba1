"""A secret that user code or a run config holds is in no answer, description, event or message."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pydantic import Field as PydanticField
from pydantic import SecretStr, field_validator

from penstock import (
    Config,
    ConfigMapping,
    ConfigurableResource,
    Definitions,
    Field,
    Instance,
    RunRequest,
    graph,
    job,
    op,
    resource,
    schedule,
    sensor,
)
from penstock.cli.main import cli
from penstock.codec import encode_json
from penstock.config.problems import HIDDEN
from penstock.definitions.describe import describe
from penstock.errors import InvalidRunConfigError
from penstock.records.phrases import phrase
from penstock.records.wire import EvaluateSchedule

CANARY = "canary-4711"


class Login(Config):
    user: str = "u"
    password: SecretStr = SecretStr(f"{CANARY}-default")


class Database(ConfigurableResource):
    login: Login = Login(password=SecretStr(f"{CANARY}-nested-default"))
    token: SecretStr = SecretStr(f"{CANARY}-own-default")
    size: int = 1

    @field_validator("size")
    @classmethod
    def positive(cls, value: int) -> int:
        if value < 1:
            raise ValueError("must be positive")
        return value


class Settings(Config):
    login: Login
    logins: list[Login] = PydanticField(default=[Login(password=SecretStr(f"{CANARY}-listed"))])
    limit: int = 3


@op
def typed(config: Settings, db: Database) -> None:
    assert config.login.password.get_secret_value().startswith(CANARY)
    assert db.token.get_secret_value().startswith(CANARY)


@op(
    required_resource_keys={"service"},
    config_schema={"password": Field(str, default_value=f"{CANARY}-field", is_secret=True), "user": str},
)
def plain(context: Any) -> None:
    assert context.op_config["password"].startswith(CANARY)
    assert context.resources.service["key"].startswith(CANARY)


@resource(config_schema={"key": Field(str, is_secret=True)})
def service(context: Any) -> Any:
    return context.resource_config


OWN: dict[str, Any] = {
    "ops": {
        "typed": {"config": {"login": {"password": f"{CANARY}-given"}}},
        "plain": {"config": {"user": "u", "password": f"{CANARY}-plain"}},
    }
}


@job(config=OWN)
def nightly() -> None:
    typed()
    plain()


@schedule(cron_schedule="@daily", job=nightly)
def at_night(context: Any) -> RunRequest:
    return RunRequest(run_config=OWN)


@sensor(job=nightly)
def watching(context: Any) -> RunRequest:
    return RunRequest(run_config=OWN)


DEFS = Definitions(
    jobs=[nightly],
    schedules=[at_night],
    sensors=[watching],
    resources={
        "db": Database(login=Login(password=SecretStr(f"{CANARY}-in-code")), token=SecretStr(f"{CANARY}-token")),
        "service": service.configured({"key": f"{CANARY}-configured"}),
    },
)
NIGHTLY = DEFS.get_job_def("nightly")


def test_no_secret_leaves_the_code_with_its_description() -> None:
    described = encode_json(describe(DEFS, "shop")).decode()
    assert CANARY not in described
    shown = {each.name: each.config for each in describe(DEFS, "shop").resources}
    assert shown["db"] == {"login": {"password": HIDDEN}, "token": HIDDEN}
    assert shown["service"] == {"key": HIDDEN}
    assert f'"password":"{HIDDEN}"' in described


def test_a_run_of_them_works_and_tells_none() -> None:
    result = NIGHTLY.execute_in_process()
    assert result.success
    told = StringIO()
    for event in result.all_events:
        told.write(phrase(event))
    assert CANARY not in told.getvalue() + encode_json([event.fact for event in result.all_events]).decode()


def test_the_job_s_own_config_may_be_launched_as_it_was_shown() -> None:
    (described,) = [each for each in describe(DEFS, "shop").jobs if each.name == "nightly"]
    assert described.default_config["ops"]["plain"]["config"]["password"] == HIDDEN
    assert NIGHTLY.execute_in_process(run_config=described.default_config).success


def test_a_mask_is_no_secret() -> None:
    given = {"ops": {"typed": {"config": {"logins": [{"password": HIDDEN}], "login": {"password": "x"}}}}}
    with pytest.raises(InvalidRunConfigError, match=r'"ops.typed.config.logins.0.password" is \*+, which only stands'):
        NIGHTLY.execute_in_process(run_config=given)


@pytest.mark.parametrize(
    "config",
    [
        {"login": {"password": [CANARY]}},
        {"login": {"password": {"a": CANARY}}},
        {"login": {"passwort": "x", "password": CANARY}, "limit": "x"},
        {"login": {"password": CANARY}, "limit": 1.5},
    ],
)
def test_no_mistake_tells_one(config: Any) -> None:
    given = {**OWN, "ops": {**OWN["ops"], "typed": {"config": config}}}
    with pytest.raises(InvalidRunConfigError) as caught:
        NIGHTLY.execute_in_process(run_config=given)
    assert CANARY not in str(caught.value)


def test_no_mistake_tells_a_value_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIZE", "-4711")
    given = {**OWN, "resources": {"db": {"config": {"size": {"env": "SIZE"}}}}}
    result = NIGHTLY.execute_in_process(run_config=given, raise_on_error=False)
    told = encode_json([event.fact for event in result.all_events]).decode()
    assert not result.success
    assert "must be positive" in told
    assert "-4711" not in told


def test_no_mistake_in_what_a_function_makes_of_one_tells_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIVEN", f"{CANARY}-env")
    secret = {"password": Field(str, is_secret=True), "name": str}

    @op(config_schema={"size": int, "count": int})
    def sized(context: Any) -> None: ...

    def make(given: dict[str, Any]) -> dict[str, Any]:
        return {"size": given["password"], "count": given["name"]}

    by_function = sized.configured(make, name="by_function", config_schema=secret)
    mapping = ConfigMapping(lambda given: {"ops": {"sized": {"config": make(given)}}}, config_schema=secret)
    in_graph = ConfigMapping(lambda given: {"sized": {"config": make(given)}}, config_schema=secret)

    @job
    def configured_one() -> None:
        by_function()

    @job(config=mapping)
    def mapped_one() -> None:
        sized()

    @graph(config=in_graph)
    def inner() -> None:
        sized()

    given = {"password": f"{CANARY}-given", "name": {"env": "GIVEN"}}
    for made, config in (
        (configured_one, {"ops": {"by_function": {"config": given}}}),
        (mapped_one, given),
        (inner.to_job(), {"ops": {"config": given}}),
    ):
        with pytest.raises(InvalidRunConfigError, match=r"size\" must be a whole number") as caught:
            made.execute_in_process(run_config=config)
        assert CANARY not in str(caught.value)


RUN = """query Q($id: ID!) { runOrError(runId: $id) { ... on Run { runConfigYaml } } }"""
JOB = """{ runConfigSchemaOrError(selector: {repositoryLocationName: "shop", pipelineName: "nightly"}) {
    ... on RunConfigSchema { configTree rootDefaultYaml } } }"""
LAUNCH = """mutation M($params: ExecutionParams!) { launchRun(executionParams: $params) {
    __typename ... on LaunchRunSuccess { run { runId runConfigYaml } } ... on Error { message } } }"""
DRY = """mutation M($s: ScheduleSelector!) { scheduleDryRun(selectorData: $s) { ... on DryRunInstigationTick {
    evaluationResult { runRequests { runConfigYaml } } } } }"""


def test_no_page_shows_one(deployment: Any, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from penstock.execution.evaluate import check_run_config, evaluate_schedule

    class Code:
        def check_config(self, question: Any) -> Any:
            return check_run_config(DEFS, question)

        def evaluate(self, question: EvaluateSchedule) -> Any:
            return evaluate_schedule(DEFS, question)

    deployment.put(describe(DEFS, "shop"))
    monkeypatch.setattr(type(deployment.catalog), "client", lambda *_: Code())
    answers = [ask(JOB)]
    params = {"selector": {"repositoryLocationName": "shop", "pipelineName": "nightly"}, "runConfigData": OWN}
    first = ask(LAUNCH, params=params)["launchRun"]
    assert first["__typename"] == "LaunchRunSuccess"
    answers.append(first)
    shown = ask(RUN, id=first["run"]["runId"])["runOrError"]["runConfigYaml"]
    assert HIDDEN in shown
    again = {**params, "runConfigData": shown, "executionMetadata": {"parentRunId": first["run"]["runId"]}}
    second = ask(LAUNCH, params=again)["launchRun"]
    assert deployment.storage.runs.get(second["run"]["runId"]).run_config == OWN
    schedule_data = {"repositoryLocationName": "shop", "repositoryName": "__repository__", "scheduleName": "at_night"}
    dry = ask(DRY, s=schedule_data)["scheduleDryRun"]
    assert HIDDEN in dry["evaluationResult"]["runRequests"][0]["runConfigYaml"]
    everything = [*answers, shown, second, dry]
    assert CANARY not in repr(everything)


def test_no_command_prints_one(tmp_path: Path) -> None:
    with Instance.open(tmp_path) as instance:
        result = NIGHTLY.execute_in_process(instance=instance)
    printed = CliRunner().invoke(cli, ["run", "show", "--home", str(tmp_path), result.run_id])
    assert "RUN_SUCCESS" in printed.output
    listed = CliRunner().invoke(cli, ["run", "list", "--json", "--home", str(tmp_path)])
    assert result.run_id in listed.output
    assert CANARY not in printed.output + listed.output
